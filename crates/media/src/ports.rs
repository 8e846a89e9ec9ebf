//! Port pairs: RTP on an even number, RTCP on the next one (RFC 3550 §11).
//!
//! The shell opens sockets ahead of need and tells this pool; a call takes a pair from it and gives it back.
//! A pair that comes back waits behind all others: what is still on its way to it then finds nobody, instead of
//! the next call. Opening sockets per call would cost more than relaying a second of its media.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// Pairs that the shell keeps ready beyond those in use: more than one batch of INVITEs can ask for.
const STOCK: usize = 128;

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
    /// Even numbers that were never tried, from `next` on, around the range once.
    next: u16,
    untried: usize,
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
        let pairs = if last >= first { usize::from(last - first) / 2 + 1 } else { 0 };
        let skipped = if pairs == 0 { 0 } else { start % pairs as u64 };
        Self {
            ip,
            first,
            last,
            next: first + 2 * skipped as u16,
            untried: pairs,
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
        if self.untried == 0 || self.free.len() >= STOCK || self.failures >= FAILURES {
            return None;
        }
        let port = self.next;
        self.untried -= 1;
        self.next = if port >= self.last { self.first } else { port + 2 };
        Some(port)
    }

    pub(crate) fn opened(&mut self, pair: PairId, port: u16) {
        self.failures = 0;
        self.free.push_back((pair, port));
    }

    /// Another program has this number.
    pub(crate) fn taken(&mut self) {
        self.failures += 1;
    }

    /// No socket can be opened at all, for now: files or memory ran out.
    pub(crate) fn refused(&mut self, port: u16, reason: String) {
        // It may be had later, when others have closed their files.
        self.next = port;
        self.untried += 1;
        self.failures = FAILURES;
        self.trouble = Some(reason);
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
        // A call has ended, so there may be files again.
        if self.trouble.take().is_some() {
            self.failures = 0;
        }
    }

    fn shortage(&self) -> Shortage {
        match &self.trouble {
            Some(reason) => Shortage::Sockets { reason: reason.clone() },
            // One batch of INVITEs has taken more than the shell keeps ready.
            None if self.untried > 0 && self.failures < FAILURES => {
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
        ports.taken();
        assert_eq!(open_all(&mut ports), [4_002, 4_004]);
    }

    #[test]
    fn the_stock_is_filled_up_as_calls_take_from_it() {
        let mut ports = ports(10_000..=20_000, 0);
        assert_eq!(open_all(&mut ports).len(), STOCK);
        ports.take().expect("free");
        assert_eq!(open_all(&mut ports).len(), 1);
    }
}
