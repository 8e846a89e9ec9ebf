//! What the screen shows at one moment, as plain figures.

use std::collections::VecDeque;
use std::time::Duration;

use account::summary::measured_so_far;
use campaign::Campaign;
use conductor::Conductor;
use contract::GeneratorSnapshot;
use telemetry::Quantiles;
use telemetry::metric::Metric;

/// Rates that the curve remembers: one each second.
const HISTORY: usize = 300;

/// Things that happened and are still shown.
const NOTES: usize = 50;

/// One picture.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    /// Campaign and network.
    pub(crate) title: String,
    pub(crate) phase: String,
    /// By the clock of the campaign.
    pub(crate) elapsed: Duration,
    pub(crate) length: Duration,
    pub(crate) ending: RunStatus,
    pub(crate) counts: CallCounts,
    /// Sentences against the run so far: those against the generator first.
    pub(crate) against: Vec<String>,
    /// Calls offered in each second, the latest last.
    pub(crate) history: Vec<u64>,
    pub(crate) sites: Vec<SiteRow>,
    pub(crate) psaps: Vec<PsapRow>,
    /// What happened, and when; the latest last.
    pub(crate) notes: Vec<(Duration, String)>,
}

/// Whether the run still goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RunStatus {
    #[default]
    Running,
    Draining,
    Stopping,
}

/// The figures of the callers. Rates are per second, over the last second or so.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct CallCounts {
    pub(crate) offered: u64,
    pub(crate) offered_rate: f64,
    pub(crate) answered: u64,
    pub(crate) answered_rate: f64,
    pub(crate) failed: u64,
    pub(crate) failed_rate: f64,
    pub(crate) abandoned: u64,
    pub(crate) in_progress: u64,
    pub(crate) talking: u64,
    /// Answered, of those whose fate is known; from 0 to 1.
    pub(crate) asr: Option<f64>,
    /// From intended start to the first ring or answer, and to the answer.
    pub(crate) pdd: Quantiles,
    pub(crate) setup: Quantiles,
    /// From intended to actual start, in microseconds.
    pub(crate) lag_p99: Option<u64>,
    pub(crate) late: u64,
    pub(crate) not_started: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SiteRow {
    pub(crate) name: String,
    pub(crate) state: &'static str,
    pub(crate) calls: u64,
    /// Offered so far.
    pub(crate) offered: u64,
    pub(crate) restarts: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PsapRow {
    pub(crate) name: String,
    pub(crate) waiting: u64,
    /// Positions that ring, talk or wrap up, and all of them.
    pub(crate) busy: u64,
    pub(crate) positions: u64,
    pub(crate) answered: u64,
}

/// Remembers the counts before, for rates.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    last_at: Duration,
    last: (u64, u64, u64),
    rates: (f64, f64, f64),
    history: VecDeque<u64>,
}

impl Rates {
    /// Takes in the counts of the callers at `at`, and tells what they come to.
    pub(crate) fn update(&mut self, at: Duration, now: &GeneratorSnapshot) -> CallCounts {
        let answered = now.answered + now.talking;
        let current = (now.offered, answered, now.failed());
        let interval = at.saturating_sub(self.last_at).as_secs_f64();
        // Processes show themselves once a second.
        if interval >= 1.0 {
            let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / interval;
            let last = self.last;
            self.rates =
                (rate(current.0, last.0), rate(current.1, last.1), rate(current.2, last.2));
            (self.last_at, self.last) = (at, current);
            self.history.push_back(self.rates.0.round() as u64);
            if self.history.len() > HISTORY {
                self.history.pop_front();
            }
        }
        CallCounts {
            offered: now.offered,
            offered_rate: self.rates.0,
            answered,
            answered_rate: self.rates.1,
            failed: now.failed(),
            failed_rate: self.rates.2,
            abandoned: now.abandoned,
            in_progress: now.in_progress,
            talking: now.talking,
            asr: measured_so_far(now, Metric::Asr),
            pdd: now.pdd.quantiles(),
            setup: now.setup.quantiles(),
            lag_p99: now.lag_quantiles().p99,
            late: now.late_starts,
            not_started: now.not_started,
        }
    }

    pub(crate) fn history(&self) -> Vec<u64> {
        self.history.iter().copied().collect()
    }
}

/// What happened, in the order in which it became known.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notes: VecDeque<(Duration, String)>,
    /// Of each kind, how many have been noted: commands, alarms, milestones, restarts, losses, detections.
    noted: [usize; 6],
}

impl Notes {
    /// Notes what is new to the conductor, and which processes were lost.
    pub(crate) fn take(
        &mut self,
        at: Duration,
        conductor: &Conductor,
        losses: &[String],
        detections: &[(String, String, Duration)],
    ) {
        let commands = conductor
            .commands()
            .map(|(operation, entry)| (entry.at, format!("{operation}: {entry}")));
        self.add(0, commands);
        let alarms = conductor.alarms().iter().map(|alarm| {
            let word = if alarm.is_raised() { "ALARM" } else { "over:" };
            (alarm.at, format!("{word} {}: {}", alarm.rule, alarm.sentence))
        });
        self.add(1, alarms);
        let milestones = conductor.milestones().iter();
        self.add(2, milestones.map(|(at, milestone)| (*at, format!("crisis: {milestone}"))));
        let restarts = conductor.restarts().iter();
        self.add(3, restarts.map(|(at, site)| (*at, format!("{site} restarts"))));
        self.add(4, losses.iter().map(|loss| (at, loss.clone())));
        let found = |(member, by, after): &(String, String, Duration)| {
            let after = after.as_secs_f64();
            (at, format!("{by} finds {member} down, silent for {after:.1} s"))
        };
        self.add(5, detections.iter().map(found));
    }

    fn add(&mut self, kind: usize, all: impl Iterator<Item = (Duration, String)>) {
        let mut count = 0;
        for (index, note) in all.enumerate() {
            if index >= self.noted[kind] {
                self.notes.push_back(note);
            }
            count = index + 1;
        }
        self.noted[kind] = count.max(self.noted[kind]);
        while self.notes.len() > NOTES {
            self.notes.pop_front();
        }
    }

    pub(crate) fn latest(&self) -> Vec<(Duration, String)> {
        self.notes.iter().cloned().collect()
    }
}

/// The phase of a campaign at `at`: its name, or that it is over.
pub(crate) fn phase(campaign: &Campaign, at: Duration) -> String {
    let mut end = Duration::ZERO;
    for phase in &campaign.phases {
        end += phase.duration;
        if at < end {
            return phase.name.clone();
        }
    }
    "the last calls end".to_owned()
}
