//! Port pairs: RTP on an even number, RTCP on the next one (RFC 3550 §11).
//!
//! ```text
//!   untried ──wanted──► opened ──► free ──take──► in use
//!      ▲   └──► taken by others     │ ▲               │
//!      └── one for each call ◄──────│─┼── give_back ──┘
//!      └──────────── surplus ───────┘ (the one that rested longest)
//! ```
//!
//! The shell opens sockets ahead of need and tells this pool; a call takes a pair from it and gives it back.
//! A pair that comes back waits behind all others: what is still on its way to it then finds nobody, instead of
//! the next call. Opening sockets per call would cost more than relaying a second of its media, so a reserve stays open; what
//! a flood of calls needed beyond it goes back to the system.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// Pairs that the shell keeps ready beyond those in use: more than one batch of INVITEs can ask for.
const STOCK: usize = 128;

/// Pairs without a call that stay open at most. Between the two lies what calls take and give back all the time.
const RESERVE: usize = STOCK + STOCK / 2;

/// Numbers that may fail in a row before the range counts as exhausted for now.
const FAILURES: usize = 512;

/// Names a pair; its sockets are `2 * pair` and `2 * pair + 1` for the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PairId(pub(crate) u32);

/// Why there is no pair to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shortage {
    #[error("all RTP port pairs of {first}-{last} on {ip} are in use; widen media_ports")]
    Ports { ip: IpAddr, first: u16, last: u16 },
    #[error(
        "no further RTP socket could be opened: {reason}; raise the limit of open files (ulimit -n)"
    )]
    Sockets { reason: String },
    #[error("the next RTP ports on {ip} are not open yet; try again")]
    NotReady { ip: IpAddr },
    #[error("there is no address of that family (IPv4 or IPv6) for media here")]
    Family,
}

/// The pairs of one local address.
#[derive(Debug)]
pub struct Ports {
    ip: IpAddr,
    first: u16,
    last: u16,
    /// Even numbers that nobody is known to have.
    untried: VecDeque<u16>,
    /// Even numbers that another program has, or the one above.
    taken: VecDeque<u16>,
    free: VecDeque<(PairId, u16)>,
    in_use: usize,
    failures: usize,
    /// Why the last socket could not be opened, unless another program merely has the number.
    trouble: Option<String>,
}

impl Ports {
    /// The pairs of `range` on `ip`; `start` says at which of them to begin, so that boxes that share an
    /// address seldom try the same number.
    #[must_use]
    pub fn new(ip: IpAddr, range: &RangeInclusive<u16>, start: u64) -> Self {
        let first = range.start().saturating_add(range.start() % 2);
        // The last even number whose successor is in the range too.
        let last =
            if range.end() % 2 == 1 { range.end() - 1 } else { range.end().saturating_sub(2) };
        let mut untried: VecDeque<u16> = (first..=last).step_by(2).collect();
        if !untried.is_empty() {
            untried.rotate_left((start % untried.len() as u64) as usize);
        }
        Self {
            ip,
            first,
            last,
            untried,
            taken: VecDeque::new(),
            free: VecDeque::new(),
            in_use: 0,
            failures: 0,
            trouble: None,
        }
    }

    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Pairs that calls hold.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.in_use
    }

    /// The even number that the shell should try to open next; `None` while enough are ready.
    pub(crate) fn wanted(&mut self) -> Option<u16> {
        if self.free.len() >= STOCK || self.failures >= FAILURES {
            return None;
        }
        self.untried.pop_front()
    }

    pub(crate) fn opened(&mut self, pair: PairId, port: u16) {
        self.failures = 0;
        self.free.push_back((pair, port));
    }

    /// Another program has this number.
    pub(crate) fn taken(&mut self, port: u16) {
        self.failures += 1;
        self.taken.push_back(port);
    }

    /// No socket can be opened at all, for now: files or memory ran out.
    pub(crate) fn refused(&mut self, port: u16, reason: String) {
        // It may be had later, when others have closed their files.
        self.untried.push_front(port);
        self.failures = FAILURES;
        self.trouble = Some(reason);
    }

    /// No socket can ever be opened.
    pub(crate) fn close(&mut self, reason: String) {
        self.failures = FAILURES;
        self.trouble = Some(reason);
    }

    /// The pair that the shell should close next; `None` while no more than a reserve is open.
    pub(crate) fn surplus(&mut self) -> Option<PairId> {
        if self.free.len() <= RESERVE {
            return None;
        }
        let (pair, port) = self.free.pop_front()?;
        self.untried.push_back(port);
        Some(pair)
    }

    /// Takes the pair that has rested longest.
    pub(crate) fn take(&mut self) -> Result<(PairId, SocketAddr), Shortage> {
        let Some((pair, port)) = self.free.pop_front() else { return Err(self.shortage()) };
        self.in_use += 1;
        Ok((pair, SocketAddr::new(self.ip, port)))
    }

    pub(crate) fn give_back(&mut self, pair: PairId, port: u16) {
        self.in_use -= 1;
        self.free.push_back((pair, port));
        // A call has ended, so there may be files again; and who had a number may have given it back.
        self.trouble = None;
        self.untried.extend(self.taken.pop_front());
        self.failures = self.failures.min(FAILURES - 1);
    }

    fn shortage(&self) -> Shortage {
        match &self.trouble {
            Some(reason) => Shortage::Sockets { reason: reason.clone() },
            // One batch of INVITEs has taken more than the shell keeps ready.
            None if !self.untried.is_empty() && self.failures < FAILURES => {
                Shortage::NotReady { ip: self.ip }
            }
            None => Shortage::Ports {
                ip: self.ip,
                first: self.first,
                last: self.last.saturating_add(1),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn ports(range: RangeInclusive<u16>, start: u64) -> Ports {
        Ports::new(Ipv4Addr::LOCALHOST.into(), &range, start)
    }

    fn open_all(ports: &mut Ports) -> Vec<u16> {
        let mut opened = Vec::new();
        while let Some(port) = ports.wanted() {
            ports.opened(PairId(opened.len() as u32), port);
            opened.push(port);
        }
        opened
    }

    // RFC 3550 §11: RTP SHOULD use an even port, and RTCP the next higher odd one.
    #[test]
    fn pairs_are_even_and_whole() {
        assert_eq!(open_all(&mut ports(4_001..=4_008, 0)), [4_002, 4_004, 4_006]);
        assert_eq!(open_all(&mut ports(4_000..=4_007, 2)), [4_004, 4_006, 4_000, 4_002]);
        assert_eq!(open_all(&mut ports(4_001..=4_002, 7)), Vec::<u16>::new());
        assert_eq!(open_all(&mut ports(65_534..=65_535, 7)), [65_534]);
    }

    #[test]
    fn a_pair_that_comes_back_rests_behind_the_others() {
        let mut ports = ports(4_000..=4_003, 0);
        open_all(&mut ports);
        let (pair, address) = ports.take().expect("free");
        assert_eq!(address.port(), 4_000);
        ports.give_back(pair, 4_000);
        assert_eq!(ports.take().map(|(_, address)| address.port()), Ok(4_002));
        assert_eq!(ports.in_use(), 1);
    }

    #[test]
    fn a_shortage_is_a_sentence_that_names_the_fix() {
        let mut short = ports(4_000..=4_001, 0);
        open_all(&mut short);
        short.take().expect("free");
        let sentence = short.take().expect_err("one pair only").to_string();
        assert!(sentence.contains("4000-4001 on 127.0.0.1"), "{sentence}");
        assert!(sentence.contains("widen media_ports"), "{sentence}");

        let mut poor = ports(4_000..=4_101, 0);
        let port = poor.wanted().expect("none is open");
        poor.refused(port, "too many open files".to_owned());
        assert_eq!(poor.wanted(), None, "no more until a call has ended");
        let sentence = poor.take().expect_err("none could be opened").to_string();
        assert!(sentence.contains("too many open files"), "{sentence}");
    }

    #[test]
    fn numbers_of_others_are_passed_over() {
        let mut ports = ports(4_000..=4_005, 0);
        assert_eq!(ports.wanted(), Some(4_000));
        ports.taken(4_000);
        assert_eq!(open_all(&mut ports), [4_002, 4_004]);
        // They are tried again, one whenever a call ends: nobody keeps a number for ever.
        let (pair, address) = ports.take().expect("free");
        ports.give_back(pair, address.port());
        assert_eq!(ports.wanted(), Some(4_000));
        assert_eq!(ports.wanted(), None);
    }

    #[test]
    fn what_a_flood_needed_goes_back_and_a_reserve_stays() {
        let mut ports = ports(10_000..=20_000, 0);
        let mut opened = 0;
        let mut taken = Vec::new();
        for _ in 0..1_000 {
            while let Some(port) = ports.wanted() {
                ports.opened(PairId(opened), port);
                opened += 1;
            }
            taken.push(ports.take().expect("free"));
        }
        assert_eq!(opened as usize, 1_000 + STOCK - 1);
        let mut closed = Vec::new();
        for (pair, address) in taken {
            ports.give_back(pair, address.port());
            closed.extend(std::iter::from_fn(|| ports.surplus()));
            // The one that rested longest goes, never the one that has just come back.
            assert_ne!(closed.last(), Some(&pair));
        }
        assert_eq!((opened as usize - closed.len(), ports.in_use()), (RESERVE, 0));
        // A further flood finds every number again.
        let again: Vec<_> = std::iter::from_fn(|| {
            open_all(&mut ports);
            ports.take().ok()
        })
        .collect();
        assert_eq!(again.len(), 5_000);
    }

    #[test]
    fn the_stock_is_filled_up_as_calls_take_from_it() {
        let mut ports = ports(10_000..=20_000, 0);
        assert_eq!(open_all(&mut ports).len(), STOCK);
        ports.take().expect("free");
        assert_eq!(open_all(&mut ports).len(), 1);
    }
}
