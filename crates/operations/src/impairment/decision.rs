//! What becomes of each packet of a box: a function of a seed, of the number of the packet, and of time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Impairment, ImpairmentOrder, Share};

/// Most times that TCP is taken to lose one message in a row.
const MOST_LOST: u32 = 6;

/// Which way a packet goes, as the box sees it that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    Outgoing,
    Incoming,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It vanishes; on a connection, the connection breaks.
    Lost,
    /// It goes on at this time, and perhaps a copy of it at another.
    Arrives { at: Instant, copy: Option<Instant> },
}

/// All impairments of one box.
#[derive(Debug, Default)]
pub struct Impairments {
    active: Vec<Active>,
    /// When the last message of each connection goes on: no other one may overtake it.
    streams: BTreeMap<(Direction, SocketAddr), Instant>,
}

#[derive(Debug)]
struct Active {
    order: ImpairmentOrder,
    what: Impairment,
    /// Packets that were decided upon, out and in.
    decided: [u64; 2],
}

/// The draws for one packet.
#[derive(Clone, Copy)]
struct Draws {
    seed: u64,
}

/// What a draw is for. Each has draws of its own, so that one setting changes no other.
#[derive(Clone, Copy)]
enum Purpose {
    Loss = 1,
    Jitter,
    Duplicate,
    JitterOfCopy,
    Reorder,
}

impl Impairments {
    /// An impairment begins, in the place of one with the same number, or ends.
    pub fn obey(&mut self, order: ImpairmentOrder) {
        self.active.retain(|one| one.order.id != order.id);
        if let Some(what) = order.what {
            self.active.push(Active { order, what, decided: [0, 0] });
        }
    }

    /// Whether every packet goes on at once from `now` on.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        self.active.is_empty() && self.streams.values().all(|last| *last <= now)
    }

    /// Whether nothing passes between this box and `peer`.
    #[must_use]
    pub fn is_cut(&self, peer: SocketAddr) -> bool {
        self.active.iter().any(|one| one.what.cut && one.meets(peer))
    }

    /// What becomes of a datagram to or from `peer`.
    pub fn datagram(&mut self, now: Instant, direction: Direction, peer: SocketAddr) -> Fate {
        let (mut at, mut copied, mut lost) = (now, None, false);
        for one in self.active.iter_mut().filter(|one| one.meets(peer)) {
            let (what, draws) = (one.what, one.next(direction));
            lost |= what.cut || draws.happens(Purpose::Loss, what.loss);
            if draws.happens(Purpose::Duplicate, what.duplicate) {
                // A copy has its own way from here on.
                copied = Some(at + what.delay + draws.part(Purpose::JitterOfCopy, what.jitter));
            } else {
                copied = copied.map(|copy| copy + what.delay);
            }
            at += what.delay + draws.part(Purpose::Jitter, what.jitter);
            if draws.happens(Purpose::Reorder, what.reorder) {
                at += Impairment::HELD_BACK;
            }
        }
        if lost { Fate::Lost } else { Fate::Arrives { at, copy: copied } }
    }

    /// What becomes of a message on the connection with `peer`.
    pub fn message(&mut self, now: Instant, direction: Direction, peer: SocketAddr) -> Fate {
        let mut at = now;
        for one in self.active.iter_mut().filter(|one| one.meets(peer)) {
            let (what, draws) = (one.what, one.next(direction));
            if what.cut {
                self.streams.retain(|(_, other), _| *other != peer);
                return Fate::Lost;
            }
            at += what.delay + draws.part(Purpose::Jitter, what.jitter);
            at += Impairment::SENT_AGAIN * draws.backoff(what.loss);
        }
        let last = self.streams.entry((direction, peer)).or_insert(at);
        *last = at.max(*last);
        Fate::Arrives { at: *last, copy: None }
    }
}

impl Active {
    fn meets(&self, peer: SocketAddr) -> bool {
        self.order.peers.as_ref().is_none_or(|peers| peers.contains(&peer.ip()))
    }

    /// The draws for the next packet.
    fn next(&mut self, direction: Direction) -> Draws {
        let way = direction as usize;
        self.decided[way] += 1;
        let of_fault = mixed(self.order.seed ^ u64::from(self.order.id).rotate_left(32));
        Draws { seed: mixed(of_fault ^ (self.decided[way] << 1 | way as u64)) }
    }
}

impl Draws {
    fn draw(self, purpose: Purpose) -> u64 {
        mixed(self.seed ^ (purpose as u64).rotate_right(8))
    }

    fn happens(self, purpose: Purpose, share: Share) -> bool {
        share.has(self.draw(purpose))
    }

    /// Evenly between nothing and `most`.
    fn part(self, purpose: Purpose, most: Duration) -> Duration {
        if most.is_zero() {
            return most;
        }
        most.mul_f64((self.draw(purpose) >> 11) as f64 / (1_u64 << 53) as f64)
    }

    /// The pauses after which TCP has sent a message again until it got through, each twice the one before (RFC 6298 §5.5),
    /// in units of the first.
    fn backoff(self, loss: Share) -> u32 {
        let mut draw = self.draw(Purpose::Loss);
        let mut lost = 0;
        while lost < MOST_LOST && loss.has(draw) {
            lost += 1;
            draw = mixed(draw);
        }
        (1 << lost) - 1
    }
}

/// A number that depends on each bit of `number`: the finalizer of SplitMix64.
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "any instant will do: only differences count")]
mod tests {
    use super::*;

    const PACKETS: u32 = 20_000;

    fn peer(last: u8) -> SocketAddr {
        ([127, 0, 0, last], 5060).into()
    }

    fn impaired(what: Impairment) -> Impairments {
        let mut impairments = Impairments::default();
        impairments.obey(ImpairmentOrder { id: 1, seed: 7, peers: None, what: Some(what) });
        impairments
    }

    /// What became of many datagrams that were sent every 20 ms: how many arrived, how many twice, and when each did.
    fn outcome(what: Impairment) -> (f64, f64, Vec<Duration>) {
        let (start, mut way) = (Instant::now(), impaired(what));
        let (mut arrived, mut twice, mut times) = (0, 0, Vec::new());
        for number in 0..PACKETS {
            let now = start + Duration::from_millis(20) * number;
            if let Fate::Arrives { at, copy } = way.datagram(now, Direction::Outgoing, peer(2)) {
                arrived += 1;
                twice += u32::from(copy.is_some());
                times.push(at - start);
            }
        }
        let share = |count: u32| f64::from(count) / f64::from(PACKETS);
        (share(arrived), share(twice), times)
    }

    #[test]
    fn the_shares_of_what_is_lost_twice_and_out_of_order_are_as_set() {
        let what = Impairment {
            loss: Share::of(0.1),
            duplicate: Share::of(0.05),
            ..Impairment::default()
        };
        let (arrived, twice, _) = outcome(what);
        // Four standard deviations of 20,000 draws are 0.0085 and 0.006.
        assert!((arrived - 0.9).abs() < 0.0085, "{arrived}");
        assert!((twice - 0.045).abs() < 0.006, "{twice}");
        let (arrived, _, times) =
            outcome(Impairment { reorder: Share::of(0.02), ..Impairment::default() });
        let overtaken = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!((arrived - 1.0).abs() < f64::EPSILON, "{arrived}");
        assert!((300..500).contains(&overtaken), "{overtaken} of {PACKETS}");
    }

    #[test]
    fn delay_is_exact_and_jitter_is_even() {
        let (delay, jitter) = (Duration::from_millis(30), Duration::from_millis(10));
        let (_, _, times) = outcome(Impairment { delay, jitter, ..Impairment::default() });
        let taken: Vec<f64> = (0..)
            .zip(&times)
            .map(|(number, at)| (*at - Duration::from_millis(20) * number).as_secs_f64() * 1e3)
            .collect();
        let mean = taken.iter().sum::<f64>() / taken.len() as f64;
        assert!((mean - 35.0).abs() < 0.1, "{mean}");
        assert!(taken.iter().all(|ms| (30.0..40.001).contains(ms)));
    }

    #[test]
    fn the_same_seed_makes_the_same_packets_suffer() {
        let what = Impairment { loss: Share::of(0.3), ..Impairment::default() };
        assert_eq!(outcome(what), outcome(what));
        let mut other = Impairments::default();
        other.obey(ImpairmentOrder { id: 1, seed: 8, peers: None, what: Some(what) });
        let (mut one, now) = (impaired(what), Instant::now());
        let fates = |way: &mut Impairments| -> Vec<Fate> {
            (0..64).map(|_| way.datagram(now, Direction::Incoming, peer(2))).collect()
        };
        assert_ne!(fates(&mut one), fates(&mut other));
    }

    #[test]
    fn a_cut_lets_nothing_pass_and_heals() {
        let (now, what) = (Instant::now(), Impairment { cut: true, ..Impairment::default() });
        let mut way = Impairments::default();
        let order =
            ImpairmentOrder { id: 3, seed: 1, peers: Some(vec![peer(2).ip()]), what: Some(what) };
        way.obey(order.clone());
        let passes = Fate::Arrives { at: now, copy: None };
        for direction in [Direction::Outgoing, Direction::Incoming] {
            assert_eq!(way.datagram(now, direction, peer(2)), Fate::Lost);
            assert_eq!(way.message(now, direction, peer(2)), Fate::Lost);
            assert_eq!(way.datagram(now, direction, peer(3)), passes);
        }
        assert!(way.is_cut(peer(2)) && !way.is_cut(peer(3)));
        way.obey(ImpairmentOrder { what: None, ..order });
        assert_eq!(way.datagram(now, Direction::Outgoing, peer(2)), passes);
        assert!(way.is_over(now));
    }

    // RFC 9293 §3.4: what is sent on a connection arrives in order and once.
    #[test]
    fn messages_on_a_connection_come_late_but_in_order() {
        let what = Impairment {
            loss: Share::of(0.2),
            jitter: Duration::from_millis(100),
            duplicate: Share::of(0.5),
            reorder: Share::of(0.5),
            ..Impairment::default()
        };
        let (start, mut way) = (Instant::now(), impaired(what));
        let (mut last, mut late) = (start, 0);
        for number in 0..2_000 {
            let now = start + Duration::from_secs(20) * number;
            let Fate::Arrives { at, copy: None } = way.message(now, Direction::Outgoing, peer(2))
            else {
                panic!("a message of a connection is neither lost nor doubled");
            };
            assert!(at >= last, "message {number} overtakes another");
            late += u32::from(at - now >= Impairment::SENT_AGAIN);
            last = at;
        }
        assert!((320..480).contains(&late), "{late} of 2000 were sent again");
        // Once they are over, what was put off still goes first.
        way.obey(ImpairmentOrder { id: 1, seed: 7, peers: None, what: None });
        let Fate::Arrives { at, .. } =
            way.message(last - Duration::from_millis(1), Direction::Outgoing, peer(2))
        else {
            panic!("nothing is cut");
        };
        assert_eq!(at, last);
    }

    #[test]
    fn two_impairments_add_up() {
        let mut way =
            impaired(Impairment { delay: Duration::from_millis(5), ..Impairment::default() });
        let delay = Duration::from_millis(7);
        let what = Some(Impairment { delay, duplicate: Share::of(1.0), ..Impairment::default() });
        way.obey(ImpairmentOrder { id: 2, seed: 7, peers: None, what });
        let now = Instant::now();
        let at = now + Duration::from_millis(12);
        let arrives = Fate::Arrives { at, copy: Some(at) };
        assert_eq!(way.datagram(now, Direction::Incoming, peer(2)), arrives);
    }
}
