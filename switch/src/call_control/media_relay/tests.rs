use std::time::Duration;

use media::{PlaneSettings, rtp};

use super::*;

const LOCALHOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn plane(now: Instant) -> Plane {
    let addresses = vec![LOCALHOST, "::1".parse().expect("an address")];
    let idle_after = Duration::from_secs(5);
    let settings = PlaneSettings { addresses, ports: 4_000..=4_999, idle_after, dated: false };
    let mut plane = Plane::new(&settings, 1, now, Duration::ZERO);
    while let Some(port) = plane.wanted_port() {
        plane.port_opened(port);
    }
    plane
}

fn session(connection: &str, media: &str) -> Session {
    let text = format!("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN {connection}\nt=0 0\n{media}");
    Session::parse(text.as_bytes()).expect("a description")
}

/// The number of the socket that the shell would have for a port.
fn socket_of(port: u16) -> impl Fn(&mut Plane, Instant, &[u8]) -> Option<media::Forward> {
    move |plane, now, bytes| {
        let from = SocketAddr::new(LOCALHOST, 5_000);
        (0..256).step_by(2).find_map(|socket| {
            let forward = plane.handle_datagram(now, socket, from, bytes)?;
            (forward.to.port() == port).then_some(forward)
        })
    }
}

// A caller who would like Opus best and gets G.711 sends that, at 8 kHz: the answer says so, not the offer.
#[test]
fn what_a_side_sends_is_what_the_other_side_can_receive() {
    let now = Instant::now();
    let mut plane = plane(now);
    let mut relay = MediaRelay::new(LOCALHOST, Sender::at(LOCALHOST));
    let offer = session("IP4 127.0.0.1", "m=audio 5000 RTP/AVP 96 8\na=rtpmap:96 opus/48000/2\n");
    let answer = session("IP4 127.0.0.1", "m=audio 6000 RTP/AVP 8\n");
    for (side, session) in [(Side::A, &offer), (Side::B, &answer)] {
        relay.places(&mut plane, now, side, session, false).expect("ports");
        relay.accept(&mut plane, now, side, session);
    }
    let to_psap = socket_of(6_000);
    for number in 0..500_u32 {
        let header = rtp::Header {
            marker: false,
            payload_type: 8,
            sequence: number as u16,
            timestamp: 160 * number,
            ssrc: 7,
        };
        let mut packet = Vec::new();
        rtp::write(&header, &[0xd5; 160], &mut packet);
        let arrived = now + Duration::from_millis(20) * number;
        assert!(to_psap(&mut plane, arrived, &packet).is_some());
    }
    let reports = relay.close(&mut plane, now + Duration::from_secs(10));
    assert_eq!((reports[0].received, reports[0].discarded, reports[0].lost), (500, 0, 0));
    assert_eq!(plane.counts().streams, 0);
}

// RFC 3261 §14.2: a change that is refused leaves the session as it was.
#[test]
fn an_offer_inside_the_call_costs_no_stream_before_it_is_accepted() {
    let now = Instant::now();
    let mut plane = plane(now);
    let mut relay = MediaRelay::new(LOCALHOST, Sender::at(LOCALHOST));
    let first = session("IP4 127.0.0.1", "m=audio 5000 RTP/AVP 8\n");
    let places = relay.places(&mut plane, now, Side::A, &first, false).expect("ports");
    let other_family = session("IP6 ::1", "m=audio 5000 RTP/AVP 8\n");
    let refused = relay.places(&mut plane, now, Side::A, &other_family, true);
    assert!(matches!(refused, Err(Obstacle::Shortage(Shortage::Family))), "{refused:?}");
    // Hold by address is no move to another family.
    let held = session("IP4 0.0.0.0", "m=audio 5000 RTP/AVP 8\n");
    assert_eq!(relay.places(&mut plane, now, Side::A, &held, true).ok(), Some(places));
}

#[test]
fn one_call_takes_no_more_than_four_streams() {
    let now = Instant::now();
    let mut plane = plane(now);
    let mut relay = MediaRelay::new(LOCALHOST, Sender::at(LOCALHOST));
    let many = session("IP4 127.0.0.1", &"m=audio 5000 RTP/AVP 8\n".repeat(5));
    let refused = relay.places(&mut plane, now, Side::A, &many, false).expect_err("five");
    assert_eq!(refused.rejection_inside().status, 488);
    assert_eq!(plane.counts().streams, 0);
}
