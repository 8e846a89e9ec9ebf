//! How much of a box one source may hold with calls that come to nothing, so that it locks nobody out.
//!
//! | the source | what becomes of its calls |
//! |---|---|
//! | has `calls_per_source` calls that are not answered, or answered and not acknowledged | a new one gets 503 until one of them is over |
//! | has left `unacknowledged_per_source` answers unacknowledged for T2, and acknowledged no more than those | it is barred: unfinished calls end, and new ones get 503 for 64·T1, twice as long each time |
//! | is a peer | nothing: its calls are those of many people |
//!
//! A source is an IP address: ports cost nothing.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use crate::Rejection;
use crate::reason::Reason;

/// What a source did longer ago than this counts half.
const MEMORY: Duration = Duration::from_secs(60);

/// Sources that are kept in mind although they have no call.
const MOST_IDLE: usize = 4_096;

/// A source is barred for at most two to the power of this times 64·T1: about a quarter of an hour.
const LONGEST_BAR: u32 = 5;

/// All sources that have unfinished calls, or have had.
#[derive(Debug)]
pub struct Sources {
    most_unfinished: u32,
    most_unacknowledged: u32,
    /// For so long a source is barred the first time.
    bar: Duration,
    sources: HashMap<IpAddr, Source>,
}

#[derive(Debug)]
struct Source {
    /// Calls that are not answered, or answered and not acknowledged.
    unfinished: u32,
    /// Answers of late that were not acknowledged in time, and those that were acknowledged.
    unacknowledged: u32,
    acknowledged: u32,
    since: Instant,
    barred_until: Option<Instant>,
    bars: u32,
    /// The log has been told that its calls are refused.
    is_told: bool,
}

/// A source has too many unfinished calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// When it may try again.
    pub retry_after: Duration,
    /// Its calls are not too many: it acknowledges no answers.
    pub is_barred: bool,
    /// The log has not been told yet.
    pub is_new: bool,
}

impl Sources {
    /// Those of a box that takes so many calls of one source that are not answered and acknowledged, and bears with so many
    /// answers that are not acknowledged; 0: any number. A source is barred for `bar` the first time.
    #[must_use]
    pub fn new(most_unfinished: u32, most_unacknowledged: u32, bar: Duration) -> Self {
        Self { most_unfinished, most_unacknowledged, bar, sources: HashMap::new() }
    }

    /// A new call comes from `ip`. True if it counts there until it is acknowledged or over; a peer's never does.
    ///
    /// # Errors
    /// The source has its limit of them.
    pub fn admit(&mut self, now: Instant, ip: IpAddr, is_peer: bool) -> Result<bool, Excess> {
        let is_unlimited = self.most_unfinished == 0 && self.most_unacknowledged == 0;
        if is_unlimited || is_peer {
            return Ok(false);
        }
        if self.sources.len() >= MOST_IDLE && !self.sources.contains_key(&ip) {
            self.sources.retain(|_, source| source.unfinished > 0 || source.is_barred(now));
        }
        let source = self.sources.entry(ip).or_insert_with(|| Source::new(now));
        source.barred_until.take_if(|until| *until <= now);
        let is_full = self.most_unfinished > 0 && source.unfinished >= self.most_unfinished;
        let left = source.barred_until.map(|until| until.saturating_duration_since(now));
        if left.is_some() || is_full {
            let is_new = !std::mem::replace(&mut source.is_told, true);
            let retry_after = left.unwrap_or_default().max(Duration::from_secs(1));
            return Err(Excess { retry_after, is_barred: left.is_some(), is_new });
        }
        source.unfinished += 1;
        source.is_told = false;
        Ok(true)
    }

    /// An answer has been acknowledged.
    pub fn acknowledged(&mut self, now: Instant, ip: IpAddr) {
        if let Some(source) = self.sources.get_mut(&ip) {
            source.unfinished = source.unfinished.saturating_sub(1);
            source.fade(now);
            source.acknowledged += 1;
            if source.acknowledged > self.most_unacknowledged {
                source.bars = 0;
            }
        }
        self.forget_if_idle(ip);
    }

    /// A call is over without that.
    pub fn ended(&mut self, ip: IpAddr) {
        if let Some(source) = self.sources.get_mut(&ip) {
            source.unfinished = source.unfinished.saturating_sub(1);
        }
        self.forget_if_idle(ip);
    }

    /// An answer has not been acknowledged for T2. True if the source is barred from now on.
    pub fn unacknowledged(&mut self, now: Instant, ip: IpAddr) -> bool {
        let Some(source) = self.sources.get_mut(&ip) else { return false };
        source.fade(now);
        source.unacknowledged += 1;
        let too_many = self.most_unacknowledged > 0
            && source.unacknowledged >= self.most_unacknowledged
            && source.unacknowledged > source.acknowledged;
        if !too_many || source.is_barred(now) {
            return false;
        }
        source.barred_until = Some(now + self.bar * (1 << source.bars.min(LONGEST_BAR)));
        source.bars += 1;
        (source.unacknowledged, source.acknowledged) = (0, 0);
        true
    }

    /// What a call hears whose source has just been barred.
    #[must_use]
    pub fn barred(&self) -> Excess {
        Excess { retry_after: self.bar, is_barred: true, is_new: false }
    }

    fn forget_if_idle(&mut self, ip: IpAddr) {
        let is_idle = |source: &Source| {
            let is_good = source.unacknowledged == 0 && source.bars == 0;
            source.unfinished == 0 && is_good
        };
        if self.sources.get(&ip).is_some_and(is_idle) {
            self.sources.remove(&ip);
        }
    }
}

impl Source {
    const fn new(now: Instant) -> Self {
        Self {
            unfinished: 0,
            unacknowledged: 0,
            acknowledged: 0,
            since: now,
            barred_until: None,
            bars: 0,
            is_told: false,
        }
    }

    fn is_barred(&self, now: Instant) -> bool {
        self.barred_until.is_some_and(|until| until > now)
    }

    /// What was long ago counts less.
    fn fade(&mut self, now: Instant) {
        if now.saturating_duration_since(self.since) >= MEMORY {
            (self.unacknowledged, self.acknowledged, self.since) =
                (self.unacknowledged / 2, self.acknowledged / 2, now);
        }
    }
}

impl Excess {
    /// RFC 3261 §21.5.4.
    #[must_use]
    pub fn rejection(self) -> Rejection {
        let why = match self.is_barred {
            true => "this source does not acknowledge its answers (unacknowledged_per_source)",
            false => "this source has too many calls that are not answered (calls_per_source)",
        };
        Rejection::new(503)
            .with_retry_after(self.retry_after)
            .with_reason(Reason::q850(21, "Call rejected"))
            .with_warning(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: Duration = Duration::from_secs(32);

    fn sources(most_unfinished: u32, most_unacknowledged: u32) -> (Sources, Instant) {
        (Sources::new(most_unfinished, most_unacknowledged, BAR), Instant::now())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_has_so_many_unfinished_calls_and_a_peer_any_number() {
        let (mut sources, now) = sources(2, 5);
        let (phone, peer) = (ip("192.0.2.1"), ip("10.1.2.3"));
        assert_eq!(sources.admit(now, phone, false), Ok(true));
        assert_eq!(sources.admit(now, phone, false), Ok(true));
        assert!(sources.admit(now, phone, false).unwrap_err().is_new);
        assert!(!sources.admit(now, phone, false).unwrap_err().is_new, "the log is told once");
        assert_eq!(sources.admit(now, ip("192.0.2.2"), false), Ok(true));
        assert!((0..100).all(|_| sources.admit(now, peer, true) == Ok(false)));
        sources.acknowledged(now, phone);
        assert_eq!(sources.admit(now, phone, false), Ok(true));
        sources.ended(phone);
        sources.ended(phone);
        sources.ended(ip("192.0.2.2"));
        assert!(sources.sources.is_empty());
    }

    #[test]
    fn a_source_that_acknowledges_nothing_is_barred_for_longer_each_time() {
        let (mut sources, now) = sources(0, 3);
        let phone = ip("192.0.2.1");
        let mut at = now;
        for wait in [BAR, BAR * 2, BAR * 4] {
            let bars: Vec<_> = (0..3)
                .map(|_| {
                    assert_eq!(sources.admit(at, phone, false), Ok(true));
                    sources.unacknowledged(at, phone)
                })
                .collect();
            assert_eq!(bars, [false, false, true]);
            (0..3).for_each(|_| sources.ended(phone));
            assert_eq!(sources.admit(at, phone, false).unwrap_err().retry_after, wait);
            at += wait;
        }
        assert_eq!(sources.admit(at, phone, false), Ok(true));
    }

    // Of a hundred calls over a bad link some are acknowledged late.
    #[test]
    fn a_source_that_acknowledges_most_answers_is_not_barred() {
        let (mut sources, now) = sources(0, 3);
        let phone = ip("192.0.2.1");
        for call in 0..100 {
            assert_eq!(sources.admit(now, phone, false), Ok(true));
            if call % 4 == 0 && call > 0 {
                assert!(!sources.unacknowledged(now, phone));
            }
            sources.acknowledged(now, phone);
        }
    }

    #[test]
    fn zero_is_no_limit() {
        let (mut sources, now) = sources(0, 0);
        assert!((0..1_000).all(|_| sources.admit(now, ip("192.0.2.1"), false) == Ok(false)));
    }
}
