//! Calls that are refused, and those that then find another way.

use insta::assert_snapshot;
use sip_proto::user_agent::{Invite, LegId};
use system_tests::network::Network;
use system_tests::phone::{CallEnd, Phone};

use crate::support::{PATH, assert_idle, ms, seconds, two_sites, two_sites_with};

fn dial(network: &mut Network, invite: Invite) -> LegId {
    let caller = network.at("caller");
    network.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite))
}

#[test]
fn busy_psap_sends_the_call_to_the_next_one() {
    let number = "number = \"0353010015\"\n";
    let busy = "behaviours = [{ share = 1.0, behaviour = \"reject\", status = 486 }]\n";
    let mut network = two_sites_with(&[(number, &format!("{number}{busy}"))]);
    let leg = network.dial("15");
    network.run_for(seconds(3));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let boxes = ["caller", "mobile", "alpha", "samu-59", "samu-75"];
    assert_snapshot!(network.ladder("busy_psap_sends_the_call_to_the_next_one", &boxes));
    assert_idle(&mut network);
}

#[test]
fn full_psap_redirects_the_call() {
    let mut network = two_sites_with(&[
        ("positions = 2\nqueue = 0", "positions = 1\nqueue = 0\nwhen_full = \"redirect samu-75\""),
        // Only the Contact of the 302 leads on.
        ("psaps = [\"samu-59\", \"samu-75\"]", "psaps = [\"samu-59\"]"),
    ]);
    let first = network.dial("15");
    network.run_for(ms(2_900));
    let second = network.dial("15");
    network.run_for(seconds(3));
    network.hang_up("caller", second);
    network.run_for(ms(100));
    assert_eq!(network.call(second).ends, [CallEnd::HungUp(true)]);
    let half = format!("{:032x}", 2);
    let boxes = ["caller", "mobile", "beta", "samu-59", "samu-75"];
    let ladder =
        network.ladder("full_psap_redirects_the_call", &boxes).of_attempt(&half).to_string();
    assert_snapshot!(ladder);
    network.hang_up("caller", first);
    assert_idle(&mut network);
}

#[test]
fn no_circuit_is_refused_with_503() {
    let mut network = two_sites_with(&[("circuits = 2", "circuits = 1")]);
    let talking = [network.dial("15"), network.dial("18")];
    network.run_for(seconds(3));
    let refused = network.dial("15");
    network.run_for(seconds(1));
    assert_eq!(network.call(refused).ends, [CallEnd::Refused(503)]);
    let half = format!("{:032x}", 3);
    let ladder = network.ladder("no_circuit_is_refused_with_503", &PATH).of_attempt(&half);
    assert_snapshot!(ladder);
    let last = network.records().last().unwrap();
    assert_eq!((last.node.as_str(), last.status, last.cause), ("mobile", Some(503), Some(34)));
    for leg in talking {
        network.hang_up("caller", leg);
    }
    assert_idle(&mut network);
}

// RFC 3261 §21.5.4: a full call server says when to come back; the trunk group tries the other
// site.
#[test]
fn full_site_sheds_with_retry_after() {
    let mut network =
        two_sites_with(&[("ring_timeout = \"20s\"", "ring_timeout = \"20s\"\nmax_calls = 1")]);
    let mut direct = network.invite("15", "alpha");
    direct.next_hop = network.at("alpha");
    let first = dial(&mut network, direct);
    network.run_for(seconds(3));
    let invite = network.invite("15", "alpha");
    let shed = dial(&mut network, invite);
    network.run_for(ms(500));
    assert_eq!(network.call(shed).ends, [CallEnd::Refused(503)]);
    assert_eq!(network.call(shed).retry_after, Some(seconds(5)));
    let carried = network.dial("15");
    network.run_for(seconds(3));
    assert_eq!(network.call(carried).heard, [180, 200]);
    let half = format!("{:032x}", 3);
    let boxes = ["caller", "mobile", "alpha", "beta", "samu-59"];
    let ladder =
        network.ladder("full_site_sheds_with_retry_after", &boxes).of_attempt(&half).to_string();
    assert_snapshot!(ladder);
    for leg in [first, carried] {
        network.hang_up("caller", leg);
    }
    assert_idle(&mut network);
}

// RFC 3261 §16.3 item 3.
#[test]
fn max_forwards_zero_is_refused_with_483() {
    for next_hop in ["mobile", "alpha"] {
        let mut network = two_sites();
        let mut invite = network.invite("15", next_hop);
        invite.max_forwards = 0;
        let leg = dial(&mut network, invite);
        network.run_for(seconds(1));
        assert_eq!(network.call(leg).ends, [CallEnd::Refused(483)], "at {next_hop}");
        assert_idle(&mut network);
    }
}

// RFC 3261 §16.3 item 4: the trunk group finds its own Via in what comes back.
#[test]
fn loop_is_refused_with_482() {
    let mut network = two_sites();
    let (caller, mobile) = (network.at("caller"), network.at("mobile"));
    let invite = format!(
        "INVITE sip:15@{mobile} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {caller};branch=z9hG4bK-2\r\n\
         Via: SIP/2.0/UDP {mobile};branch=z9hG4bK-1\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bK-0\r\n\
         Max-Forwards: 60\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:15@{mobile}>\r\n\
         Call-ID: loop\r\nCSeq: 1 INVITE\r\nContact: <sip:127.0.0.1:5999>\r\nContent-Length: 0\r\n\r\n"
    );
    crate::hostile::inject(&mut network, mobile, invite.into_bytes());
    network.run_for(ms(10));
    assert_eq!(network.net.trace().sent_to(caller, "482").count(), 1);
    assert_eq!(network.trunk_group("mobile").calls, 0);
    assert_idle(&mut network);
}

#[test]
fn unknown_number_is_refused_with_404() {
    let mut network = two_sites();
    let leg = network.dial("3949");
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::Refused(404)]);
    assert_idle(&mut network);
}
