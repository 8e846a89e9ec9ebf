//! Property tests: nothing that arrives panics, and nothing that happens leaves anything behind.

use std::time::Duration;

use proptest::prelude::*;
use sip_proto::message::{Method, Payload, parse};
use sip_proto::user_agent::{Event, LegId};
use sip_proto::{Packet, Rejection, Transport};

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, Network, SDP, Who};

/// What a TU may do, or the network.
#[derive(Debug, Clone)]
enum Step {
    Connect { offer: bool },
    Ring,
    Accept,
    Reject,
    HangUp(Who),
    Modify(Who, bool),
    Request(Who),
    Answer(Who, u16),
    Acknowledge,
    Unreachable(Who),
    Wait(u64),
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![Just(Caller), Just(Callee)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|offer| Step::Connect { offer }),
        1 => Just(Step::Ring),
        3 => Just(Step::Accept),
        1 => Just(Step::Reject),
        3 => who().prop_map(Step::HangUp),
        3 => (who(), any::<bool>()).prop_map(|(who, invite)| Step::Modify(who, invite)),
        1 => who().prop_map(Step::Request),
        3 => (who(), prop_oneof![Just(200_u16), Just(488), Just(180)])
            .prop_map(|(who, status)| Step::Answer(who, status)),
        1 => Just(Step::Acknowledge),
        1 => who().prop_map(Step::Unreachable),
        4 => (0_u64..3_000).prop_map(Step::Wait),
        1 => (0_u64..40_000).prop_map(Step::Wait),
    ]
}

/// All that a TU at each end knows.
#[derive(Default)]
struct Known {
    legs: [Vec<LegId>; 2],
    pending: [Vec<sip_proto::transaction::ServerId>; 2],
    /// Legs that have not had their terminal event; a TU's own `reject` gives none.
    terminal: Vec<(Who, LegId)>,
}

impl Known {
    fn listen(&mut self, net: &mut Network) {
        for who in [Caller, Callee] {
            while let Some(event) = net.event(who) {
                match event {
                    Event::Offered { leg, .. } => self.legs[who as usize].push(leg),
                    Event::Modify { id, .. } | Event::Request { id, .. } => {
                        self.pending[who as usize].push(id);
                    }
                    Event::Cancelled { leg, .. }
                    | Event::Failed { leg, .. }
                    | Event::Ended { leg, .. } => {
                        assert!(!self.terminal.contains(&(who, leg)), "a second end of {leg:?}");
                        self.terminal.push((who, leg));
                    }
                    _ => {}
                }
            }
        }
    }

    fn take(&mut self, net: &mut Network, step: &Step) {
        let last = |who: Who, known: &Self| known.legs[who as usize].last().copied();
        match *step {
            Step::Connect { offer } => {
                let payload = if offer { Payload::sdp(SDP) } else { Payload::empty() };
                let invite = crate::network::invite(payload);
                let leg = net.on(Caller, |agent, now| agent.connect(now, invite));
                self.legs[Caller as usize].push(leg);
            }
            Step::Wait(milliseconds) => net.run(milliseconds),
            Step::Unreachable(who) => {
                let peer = if who == Caller { Callee.address() } else { Caller.address() };
                net.on(who, |agent, now| agent.handle_unreachable(now, Transport::Udp, peer));
            }
            Step::Answer(who, status) => {
                if let Some(id) = self.pending[who as usize].pop() {
                    net.on(who, |agent, now| agent.respond(now, id, status, &Payload::sdp(SDP)));
                    if status < 200 {
                        self.pending[who as usize].push(id);
                    }
                }
            }
            Step::HangUp(who) | Step::Modify(who, _) | Step::Request(who) => {
                let Some(leg) = last(who, self) else { return };
                net.on(who, |agent, now| match *step {
                    Step::Modify(_, invite) => {
                        let method = if invite { Method::Invite } else { Method::Update };
                        agent.modify(now, leg, method, Payload::sdp(SDP));
                    }
                    Step::Request(_) => {
                        agent.request(now, leg, Method::Info, &Payload::empty());
                    }
                    _ => agent.hang_up(now, leg, None),
                });
            }
            Step::Ring | Step::Accept | Step::Reject => {
                let Some(leg) = last(Callee, self) else { return };
                let none = Payload::empty();
                net.on(Callee, |agent, now| match *step {
                    Step::Ring => agent.ring(now, leg, 180, &none),
                    Step::Accept => agent.accept(now, leg, &Payload::sdp(SDP)),
                    _ => agent.reject(now, leg, &Rejection::new(486), &none),
                });
            }
            Step::Acknowledge => {
                let Some(leg) = last(Caller, self) else { return };
                net.on(Caller, |agent, now| agent.acknowledge(now, leg, &Payload::sdp(SDP)));
            }
        }
    }

    /// Every TU gives up every call.
    fn give_up(&self, net: &mut Network) {
        for who in [Caller, Callee] {
            for leg in &self.legs[who as usize] {
                net.on(who, |agent, now| agent.hang_up(now, *leg, None));
            }
        }
    }
}

/// Plays the steps on a network that loses this share of packets, in percent, and goes silent at
/// the end.
fn play(steps: &[Step], loss: u64, silent_end: bool) {
    let (mut net, mut known, mut seed) = (Network::new(), Known::default(), 1_u64);
    net.loses = Box::new(move |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % 100 < loss
    });
    for step in steps {
        known.take(&mut net, step);
        known.listen(&mut net);
    }
    if silent_end {
        net.loses = Box::new(|_| true);
    }
    // Offers may still arrive while the first ones are given up.
    for _ in 0..3 {
        known.give_up(&mut net);
        net.run(40_000);
        known.listen(&mut net);
    }
    net.assert_clean();
    known.listen(&mut net);
    for leg in &known.legs[Caller as usize] {
        assert!(known.terminal.contains(&(Caller, *leg)), "{leg:?} has no end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    // Each leg of the caller ends exactly once, and no leg, transaction or deadline is left.
    #[test]
    fn nothing_is_left_after_any_sequence(
        steps in proptest::collection::vec(step(), 0..40),
        loss in 0_u64..60,
        silent_end in any::<bool>(),
    ) {
        play(&steps, loss, silent_end);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(bytes.clone().into());
        let mut alone = Alone::new(Callee);
        alone.receive(bytes);
    }

    // Structured nonsense reaches further into the parser than random bytes do.
    #[test]
    fn lines_of_sip_never_panic(
        lines in proptest::collection::vec(
            "(INVITE sip:a@b SIP/2.0|SIP/2.0 200 OK|(v|f|t|i|l|m|CSeq|Route|Max-Forwards) ?: ?)\
             [ -~\\t]{0,40}|(v: SIP/2.0/UDP h;branch=z9hG4bKa|f: <sip:a@b>;tag=1|t: <sip:a@b>|i: c\
             |CSeq: 1 INVITE)",
            0..12,
        ),
        end in "\r\n(\r\n)?[ -~]{0,20}",
    ) {
        let head = "INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bKa\r\n";
        let text = format!("{head}{}{end}", lines.join("\r\n"));
        let mut alone = Alone::new(Callee);
        alone.receive(text.clone());
        alone.run(Duration::from_secs(70).as_millis() as u64);
        let peer = Caller.address();
        let packet = Packet { transport: Transport::Tcp, peer, bytes: text.into() };
        alone.agent.handle_packet(alone.now, packet);
    }
}
