//! Messages that have arrived and wait for the processor, which works on one at a time, each for as long as it costs.
//!
//! ```text
//!             more waits than its class may find: refuse          done first
//!  packet ──┬─────────────────────────────────────► [refusals] ──┐
//!           ├─────────────────────────────────────► [waiting ] ──┴► in work ── after its time ──► the software
//!           └── no place: dropped
//! ```
//!
//! Without a processing time nothing waits, and none of this is used.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip_proto::Packet;
use topology::{OverloadMode, Processing};

use crate::priority::Priority;

/// The messages that wait, and the one in work.
#[derive(Debug)]
pub(crate) struct Inbox {
    processing: Processing,
    refusals: VecDeque<Packet>,
    waiting: VecDeque<Waiting>,
    /// The time that all of `waiting` will take.
    backlog: Duration,
    in_work: Option<InWork>,
    dropped: u64,
}

#[derive(Debug)]
struct Waiting {
    packet: Packet,
    cost: Duration,
}

#[derive(Debug)]
struct InWork {
    done: Done,
    at: Instant,
}

/// A message whose time in the processor is over.
#[derive(Debug)]
pub(crate) enum Done {
    Process(Packet),
    /// Too many messages waited: the new call in it is refused.
    Refuse(Packet),
}

impl Inbox {
    pub(crate) const fn new(processing: Processing) -> Self {
        Self {
            processing,
            refusals: VecDeque::new(),
            waiting: VecDeque::new(),
            backlog: Duration::ZERO,
            in_work: None,
            dropped: 0,
        }
    }

    /// Whether messages take no time, so that none of them has to wait.
    pub(crate) const fn takes_no_time(&self) -> bool {
        self.processing.call.is_zero()
    }

    /// A message has come; `new_call` is the priority of the call that it wants to begin. What is done by `now` must have
    /// been taken out. Returns the work that it makes: none if it was dropped.
    ///
    /// A copy of an INVITE costs as much as the first one: they are told apart only by the work on them.
    pub(crate) fn arrive(
        &mut self,
        now: Instant,
        packet: Packet,
        new_call: Option<Priority>,
    ) -> Duration {
        if self.len() >= self.processing.queue as usize {
            self.dropped += 1;
            return Duration::ZERO;
        }
        let refused = new_call.is_some_and(|priority| self.is_too_much_for(priority));
        let cost = match (refused, new_call) {
            (true, _) => self.processing.refusal(),
            (false, Some(_)) => self.processing.call,
            (false, None) => self.processing.other(),
        };
        if refused {
            self.refusals.push_back(packet);
        } else {
            self.backlog += cost;
            self.waiting.push_back(Waiting { packet, cost });
        }
        if self.in_work.is_none() {
            self.start_next(now);
        }
        cost
    }

    /// When it must refuse, it refuses ordinary calls before emergency calls (RFC 7339 §5.10.1).
    fn is_too_much_for(&self, priority: Priority) -> bool {
        let bound = match priority.is_emergency() {
            true => self.processing.refuse_emergency_at(),
            false => self.processing.refuse_ordinary_at(),
        };
        self.processing.overload != OverloadMode::None && self.waiting.len() >= bound as usize
    }

    /// The next message whose time is over by `now`.
    pub(crate) fn take_done(&mut self, now: Instant) -> Option<Done> {
        let InWork { done, at } = self.in_work.take_if(|work| work.at <= now)?;
        // The next one has begun when this one was done, even if we are asked later.
        self.start_next(at);
        Some(done)
    }

    fn start_next(&mut self, at: Instant) {
        // Refusals go first: behind the queue they would come too late to make it shorter.
        self.in_work = if let Some(packet) = self.refusals.pop_front() {
            let at = at + self.processing.refusal();
            Some(InWork { done: Done::Refuse(packet), at })
        } else if let Some(Waiting { packet, cost }) = self.waiting.pop_front() {
            self.backlog = self.backlog.saturating_sub(cost);
            Some(InWork { done: Done::Process(packet), at: at + cost })
        } else {
            None
        };
    }

    /// When the message in work is done.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.in_work.as_ref().map(|work| work.at)
    }

    /// How long a message that came now would wait.
    pub(crate) const fn backlog(&self) -> Duration {
        self.backlog
    }

    /// Messages that wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.refusals.len()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.in_work.is_none()
    }

    /// Messages that found no place.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The machine starts again: all messages are lost.
    pub(crate) fn clear(&mut self) {
        self.refusals.clear();
        self.waiting.clear();
        self.backlog = Duration::ZERO;
        self.in_work = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: Option<Priority> = Some(Priority::ORDINARY);

    fn packet(name: &'static str) -> Packet {
        let peer = ([127, 0, 0, 1], 5060).into();
        Packet { transport: sip_proto::Transport::Udp, peer, bytes: name.into() }
    }

    fn inbox(overload: OverloadMode, queue: u32) -> Inbox {
        let mut processing = Processing::default();
        processing.call = Duration::from_millis(10);
        (processing.queue, processing.overload) = (queue, overload);
        Inbox::new(processing)
    }

    /// What comes out by `now`: `!` before what is refused.
    fn drain(inbox: &mut Inbox, now: Instant) -> Vec<String> {
        let text = |packet: Packet| String::from_utf8(packet.bytes.to_vec()).unwrap();
        std::iter::from_fn(|| inbox.take_done(now))
            .map(|done| match done {
                Done::Process(packet) => text(packet),
                Done::Refuse(packet) => format!("!{}", text(packet)),
            })
            .collect()
    }

    #[test]
    fn each_message_takes_its_time_in_the_order_of_arrival() {
        let (mut inbox, now) = (inbox(OverloadMode::None, 10), Instant::now());
        let after = |ms| now + Duration::from_millis(ms);
        assert_eq!(inbox.arrive(now, packet("a"), ORDINARY), Duration::from_millis(10));
        assert_eq!(inbox.arrive(now, packet("b"), None), Duration::from_millis(2));
        inbox.arrive(now, packet("c"), ORDINARY);
        assert_eq!((inbox.len(), inbox.backlog()), (2, Duration::from_millis(12)));
        assert_eq!(inbox.next(), Some(after(10)));
        assert!(drain(&mut inbox, after(9)).is_empty());
        assert_eq!(drain(&mut inbox, after(10)), ["a"]);
        assert_eq!(inbox.next(), Some(after(12)));
        assert_eq!(drain(&mut inbox, after(30)), ["b", "c"], "asked late, it was done in time");
        assert!(inbox.is_idle() && inbox.next().is_none());
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let (mut inbox, now) = (inbox(OverloadMode::None, 2), Instant::now());
        for name in ["a", "b", "c", "d", "e"] {
            inbox.arrive(now, packet(name), ORDINARY);
        }
        assert_eq!((inbox.len(), inbox.dropped()), (2, 2));
        assert_eq!(drain(&mut inbox, now + Duration::from_secs(1)), ["a", "b", "c"]);
        inbox.arrive(now, packet("f"), None);
        inbox.clear();
        assert!(drain(&mut inbox, now + Duration::from_secs(1)).is_empty());
        assert_eq!(inbox.backlog(), Duration::ZERO);
    }

    // Ordinary calls are refused from 2 waiting on, emergency calls from 4, what belongs to a call never.
    #[test]
    fn ordinary_calls_are_refused_before_emergency_calls_and_at_once() {
        let (mut inbox, now) = (inbox(OverloadMode::Reject, 20), Instant::now());
        let emergency = Some(crate::priority::emergency_for_tests());
        for name in ["a", "b", "c"] {
            inbox.arrive(now, packet(name), ORDINARY);
        }
        assert_eq!(inbox.arrive(now, packet("d"), ORDINARY), Duration::from_millis(1));
        inbox.arrive(now, packet("e"), emergency);
        inbox.arrive(now, packet("f"), emergency);
        inbox.arrive(now, packet("g"), emergency);
        inbox.arrive(now, packet("h"), None);
        let order = ["a", "!d", "!g", "b", "c", "e", "f", "h"];
        assert_eq!(drain(&mut inbox, now + Duration::from_secs(1)), order);
    }
}
