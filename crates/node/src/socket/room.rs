//! Which connection makes room for a new one: nobody shall lock others out by holding connections.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use tokio::time::Instant;

use super::limits::SocketLimits;
use super::way::Way;

/// A connection that might be closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) way: Way,
    /// It has carried a whole message.
    pub(super) is_used: bool,
    /// When it last did, or when it began.
    pub(super) carried: Instant,
    /// Something is on its way: a request without an answer, a message that has not gone.
    pub(super) is_busy: bool,
}

/// Whether there is room for one more connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// When this one is closed.
    After(Way),
    None,
}

/// Whether a connection from `newcomer` finds room among those that peers opened.
///
/// At a limit of its source, one of its own makes room; at the limit of the box, one of the source that holds most. First go
/// those that never carried a message, the oldest first, then the idlest that has carried none for long enough.
pub(super) fn room_for(
    newcomer: IpAddr,
    accepted: &[Candidate],
    limits: &SocketLimits,
    now: Instant,
) -> Room {
    let source = source_of(newcomer);
    let of_source = |it: &&Candidate| source_of(it.way.peer.ip()) == source;
    let is_silent = |it: &&Candidate| !it.is_used;
    let held = accepted.iter().filter(of_source);
    let idle = idle(accepted, limits, now);
    if held.clone().filter(is_silent).count() >= limits.silent_per_source {
        after(idle.iter().filter(of_source).filter(is_silent))
    } else if held.count() >= limits.per_source {
        after(idle.iter().filter(of_source))
    } else if accepted.len() >= limits.connections {
        after(of_heaviest(&idle))
    } else {
        Room::Free
    }
}

/// Whether one of the connections that the box opened itself may be closed for another one.
pub(super) fn room_among(opened: &[Candidate], limits: &SocketLimits, now: Instant) -> Room {
    if opened.len() < limits.opened { Room::Free } else { after(idle(opened, limits, now).iter()) }
}

/// The connections of the source that holds most; one that never carried a message weighs as two that did.
fn of_heaviest(accepted: &[Candidate]) -> impl Iterator<Item = &Candidate> {
    let mut weights: HashMap<IpAddr, usize> = HashMap::new();
    for candidate in accepted {
        let weight = if candidate.is_used { 1 } else { 2 };
        *weights.entry(source_of(candidate.way.peer.ip())).or_default() += weight;
    }
    let heaviest = weights.into_iter().max_by_key(|(source, weight)| (*weight, *source));
    let heaviest = heaviest.map(|(source, _)| source);
    accepted.iter().filter(move |it| Some(source_of(it.way.peer.ip())) == heaviest)
}

/// The idlest of those that may be closed goes.
fn after<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> Room {
    let idlest = candidates.min_by_key(|it| (it.is_used, it.carried));
    idlest.map_or(Room::None, |it| Room::After(it.way))
}

/// Those that may be closed: what a peer uses is its own.
fn idle(all: &[Candidate], limits: &SocketLimits, now: Instant) -> Vec<Candidate> {
    let is_idle = |it: &&Candidate| !it.is_used || (!it.is_busy && now >= it.carried + limits.kept);
    all.iter().filter(is_idle).copied().collect()
}

/// What counts as one source: whoever has an IPv6 address has the 2^64 of its network (RFC 4291 §2.5.1).
fn source_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sip_proto::Transport;

    use super::*;

    const LIMITS: fn() -> SocketLimits = || SocketLimits {
        connections: 6,
        per_source: 4,
        silent_per_source: 2,
        opened: 2,
        ..SocketLimits::default()
    };

    /// Ages are in seconds.
    fn candidate(peer: &str, is_used: bool, age: u64, now: Instant) -> Candidate {
        Candidate {
            way: way(peer),
            is_used,
            carried: now - Duration::from_secs(age),
            is_busy: false,
        }
    }

    fn way(peer: &str) -> Way {
        Way { transport: Transport::Tcp, peer: peer.parse().expect("an address") }
    }

    fn now() -> Instant {
        Instant::now() + Duration::from_secs(10_000)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn after(peer: &str) -> Room {
        Room::After(way(peer))
    }

    #[test]
    fn the_oldest_silent_one_of_a_source_makes_room_for_its_next() {
        let now = now();
        let held = [
            candidate("127.0.0.1:1", true, 500, now),
            candidate("127.0.0.1:2", false, 1, now),
            candidate("127.0.0.1:3", false, 2, now),
        ];
        assert_eq!(room_for(ip("127.0.0.1"), &held, &LIMITS(), now), after("127.0.0.1:3"));
        assert_eq!(room_for(ip("127.0.0.2"), &held, &LIMITS(), now), Room::Free);
    }

    #[test]
    fn one_in_use_is_kept_and_an_idle_one_is_not() {
        let now = now();
        let mut held: Vec<_> = (1..=4)
            .map(|port| candidate(&format!("127.0.0.1:{port}"), true, 10 + port, now))
            .collect();
        assert_eq!(room_for(ip("127.0.0.1"), &held, &LIMITS(), now), Room::None);
        held[1] = candidate("127.0.0.1:2", true, 60, now);
        held[2] = candidate("127.0.0.1:3", true, 90, now);
        assert_eq!(room_for(ip("127.0.0.1"), &held, &LIMITS(), now), after("127.0.0.1:3"));
        held[2].is_busy = true;
        assert_eq!(room_for(ip("127.0.0.1"), &held, &LIMITS(), now), after("127.0.0.1:2"));
    }

    #[test]
    fn the_source_that_holds_most_makes_room_for_others() {
        let now = now();
        let mut held: Vec<_> = (1..=4)
            .map(|port| candidate(&format!("[2001:db8::{port}]:5"), true, 40, now))
            .collect();
        held.push(candidate("127.0.0.2:1", true, 500, now));
        held.push(candidate("127.0.0.3:1", true, 500, now));
        held[3].carried -= Duration::from_secs(1);
        let newcomer = ip("127.0.0.9");
        assert_eq!(room_for(newcomer, &held, &LIMITS(), now), after("[2001:db8::4]:5"));
        // Of a source, whoever says nothing goes before whoever does.
        held[2].is_used = false;
        assert_eq!(room_for(newcomer, &held, &LIMITS(), now), after("[2001:db8::3]:5"));
        // One in use weighs nothing.
        held[..4].iter_mut().for_each(|it| (it.is_used, it.carried) = (true, now));
        assert!(
            matches!(room_for(newcomer, &held, &LIMITS(), now), Room::After(it) if it.peer.is_ipv4())
        );
    }

    #[test]
    fn connections_of_the_box_itself_have_places_of_their_own() {
        let now = now();
        let opened =
            [candidate("127.0.0.1:1", true, 5, now), candidate("127.0.0.2:1", true, 50, now)];
        assert_eq!(room_among(&opened[..1], &LIMITS(), now), Room::Free);
        assert_eq!(room_among(&opened, &LIMITS(), now), after("127.0.0.2:1"));
        assert_eq!(room_among(&opened, &LIMITS(), opened[1].carried), Room::None);
    }
}
