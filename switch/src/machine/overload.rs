//! How many calls a call server asks its clients to hold back: RFC 7339 (loss) and RFC 7415 (rate).
//!
//! Each interval the work that has arrived, and what waits for too long, is compared to the interval. That is
//! its occupancy, and it may be above one. What clients may send is multiplied by how far it is from [`TARGET`]: the
//! occupancy algorithm that RFC 6357 §5.2 speaks of.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_proto::message::{OverloadAlgorithm, OverloadFeedback, OverloadOffer, OverloadSeq};
use topology::{OverloadMode, Processing};

/// The occupancy that the control aims at.
const TARGET: f64 = 0.9;
/// Calls that may wait: they are no sign of overload.
const MOST_WAITING: u32 = 5;
const INTERVAL: Duration = Duration::from_millis(250);
/// Feedback holds for this long, unless newer one comes.
const VALIDITY: Duration = Duration::from_secs(2);
/// What clients may send grows and shrinks by no more in an interval.
const STEP: std::ops::RangeInclusive<f64> = 0.5..=1.5;
/// Some calls are always let through: without responses no feedback reaches the clients.
const LEAST_KEPT: f64 = 0.02;
/// The part of a rate that all clients share evenly; the rest is shared by their demand.
const EVENLY: f64 = 0.1;
/// Clients that are told a rate of their own. Others get an even share.
const MOST_CLIENTS: usize = 1_000;

/// The control of one call server.
#[derive(Debug)]
pub(crate) struct OverloadControl {
    mode: OverloadMode,
    since: Option<Instant>,
    /// What has arrived in this interval.
    work: Duration,
    /// The share of the calls that clients may send.
    kept: f64,
    /// The calls that they may send in a second, all together.
    rate: f64,
    /// More calls in a second than these the processor cannot do.
    most: f64,
    /// Work that may wait.
    tolerated: Duration,
    clients: BTreeMap<SocketAddr, Client>,
    seq: OverloadSeq,
}

#[derive(Debug, Default)]
struct Client {
    /// New calls in this interval.
    calls: u32,
    /// New calls in a second, smoothed.
    demand: f64,
}

impl OverloadControl {
    pub(crate) fn new(processing: &Processing) -> Self {
        let call = processing.call.as_secs_f64();
        let most = if call > 0.0 { 1.0 / call } else { f64::from(u32::MAX) };
        Self {
            mode: processing.overload,
            since: None,
            work: Duration::ZERO,
            kept: 1.0,
            rate: most,
            most,
            tolerated: processing.call * MOST_WAITING,
            clients: BTreeMap::new(),
            seq: OverloadSeq::default(),
        }
    }

    /// A message has come from `client` and makes `work`; `new_call` if it wants to begin a call and its
    /// client takes part in overload control.
    pub(crate) fn observe(&mut self, client: SocketAddr, new_call: bool, work: Duration) {
        self.work += work;
        if new_call && self.mode == OverloadMode::Rate {
            let known = self.clients.len() < MOST_CLIENTS || self.clients.contains_key(&client);
            if known {
                self.clients.entry(client).or_default().calls += 1;
            }
        }
    }

    /// Ends the interval if its time has come. `backlog` is the work that waits.
    pub(crate) fn settle(&mut self, now: Instant, unix_micros: u64, backlog: Duration) {
        let elapsed = now.saturating_duration_since(*self.since.get_or_insert(now));
        if elapsed < INTERVAL {
            return;
        }
        self.since = Some(now);
        self.seq = OverloadSeq::at(unix_micros);
        let work = std::mem::take(&mut self.work) + backlog.saturating_sub(self.tolerated);
        let occupancy = work.as_secs_f64() / elapsed.as_secs_f64();
        // The root makes the steps smaller: what is asked now is measured only later.
        let step = (TARGET / occupancy.max(0.01)).sqrt().clamp(*STEP.start(), *STEP.end());
        let intervals = elapsed.as_secs_f64() / INTERVAL.as_secs_f64();
        // After a long pause without messages, the steps of all the intervals that have passed are made at once.
        let step = if step > 1.0 { step.powf(intervals.min(100.0)) } else { step };
        self.kept = (self.kept * step).clamp(LEAST_KEPT, 1.0);
        self.rate = (self.rate * step).clamp(1.0, self.most.max(1.0));
        for client in self.clients.values_mut() {
            let rate = f64::from(std::mem::take(&mut client.calls)) / elapsed.as_secs_f64();
            client.demand += (rate - client.demand) * (0.2 * intervals).min(1.0);
        }
        self.clients.retain(|_, client| client.demand > 0.01);
    }

    /// What is asked of `client`, which has made this offer; nothing before the end of the first interval.
    pub(crate) fn feedback(
        &self,
        client: SocketAddr,
        offer: OverloadOffer,
    ) -> Option<OverloadFeedback> {
        if self.seq == OverloadSeq::default() {
            return None;
        }
        let by_rate = self.mode == OverloadMode::Rate && offer.rate;
        // RFC 7339 §5.2: the answer names one of the client's algorithms, and every client knows loss.
        let (algorithm, oc) = match self.mode {
            OverloadMode::Rate if by_rate => (OverloadAlgorithm::Rate, self.rate_of(client)),
            OverloadMode::Rate | OverloadMode::Loss if offer.loss => {
                (OverloadAlgorithm::Loss, self.loss())
            }
            _ => return None,
        };
        Some(OverloadFeedback { algorithm, oc, validity: VALIDITY, seq: self.seq })
    }

    fn loss(&self) -> u32 {
        ((1.0 - self.kept) * 100.0).round() as u32
    }

    fn rate_of(&self, client: SocketAddr) -> u32 {
        let all: f64 = self.clients.values().map(|client| client.demand).sum();
        let demand = self.clients.get(&client).map(|client| client.demand);
        let count = self.clients.len() + usize::from(demand.is_none());
        let even = 1.0 / count as f64;
        let by_demand = if all > 0.0 { demand.unwrap_or_default() / all } else { even };
        let share = EVENLY * even + (1.0 - EVENLY) * by_demand;
        (self.rate * share).round().max(1.0) as u32
    }

    /// For a console: the per cent that are held back, or the calls in a second; `None` without such control.
    pub(crate) fn oc(&self) -> Option<u32> {
        match self.mode {
            OverloadMode::Loss => Some(self.loss()),
            OverloadMode::Rate => Some(self.rate.round() as u32),
            OverloadMode::None | OverloadMode::Reject => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: OverloadOffer = OverloadOffer { loss: true, rate: true };

    fn client(number: u8) -> SocketAddr {
        ([127, 0, 0, number], 5060).into()
    }

    fn control(overload: OverloadMode) -> OverloadControl {
        let mut processing = Processing::default();
        (processing.call, processing.overload) = (Duration::from_millis(10), overload);
        OverloadControl::new(&processing)
    }

    /// Lets `demand` calls in a second come from each client for ten seconds, of which they send what is asked; a call
    /// makes 20 ms of work, so that 45 in a second are the target.
    fn run(control: &mut OverloadControl, demand: &[f64]) {
        let start = Instant::now();
        let mut owed = vec![0.0; demand.len()];
        let mut backlog = 0.0_f64;
        for step in 0..1_000_u64 {
            let now = start + Duration::from_millis(10 * step);
            for (at, demand) in demand.iter().enumerate() {
                let peer = client(at as u8);
                let asked = control.feedback(peer, BOTH);
                let sent = match asked.map(|asked| (asked.algorithm, f64::from(asked.oc))) {
                    Some((OverloadAlgorithm::Loss, oc)) => demand * (100.0 - oc) / 100.0,
                    Some((OverloadAlgorithm::Rate, oc)) => demand.min(oc),
                    None => *demand,
                };
                owed[at] += sent / 100.0;
                while owed[at] >= 1.0 {
                    owed[at] -= 1.0;
                    backlog += 0.020;
                    control.observe(peer, true, Duration::from_millis(20));
                }
            }
            backlog = (backlog - 0.010).max(0.0);
            control.settle(now, 1_000_000 * step, Duration::from_secs_f64(backlog));
        }
    }

    #[test]
    fn loss_settles_where_the_processor_is_nearly_full() {
        let mut control = control(OverloadMode::Loss);
        assert_eq!(control.feedback(client(0), BOTH), None, "nothing is known yet");
        run(&mut control, &[150.0]);
        let oc = control.oc().unwrap();
        assert!((65..=75).contains(&oc), "{oc} of 150 calls, for 45");
        let idle = Instant::now() + Duration::from_secs(100);
        control.settle(idle, 0, Duration::ZERO);
        assert_eq!(control.oc(), Some(0), "the load is over");
    }

    #[test]
    fn a_rate_is_shared_by_demand() {
        let mut control = control(OverloadMode::Rate);
        run(&mut control, &[100.0, 25.0]);
        let oc = |number| control.feedback(client(number), BOTH).unwrap().oc;
        assert!((40..=52).contains(&(oc(0) + oc(1))), "{} and {}", oc(0), oc(1));
        assert!(oc(0) > oc(1) && oc(1) > 5, "{} and {}", oc(0), oc(1));
        assert!(oc(9) >= 1, "a newcomer may send too");
    }

    // RFC 7339 §5.2: whoever does not know the algorithm is answered with the one that all know.
    #[test]
    fn a_client_that_knows_only_loss_is_asked_for_loss() {
        let mut control = control(OverloadMode::Rate);
        run(&mut control, &[100.0]);
        let asked = control.feedback(client(0), OverloadOffer { loss: true, rate: false });
        assert_eq!(asked.unwrap().algorithm, OverloadAlgorithm::Loss);
        assert_eq!(control.feedback(client(0), OverloadOffer::default()), None);
    }
}
