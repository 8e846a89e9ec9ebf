//! Phases and their arrivals: how many calls begin per second.
//!
//! Models with settings of their own have a file each, with the rate that they promise; `pacer/` keeps the promise.

mod bursts;
mod day;
mod fastest;
mod incidents;
mod recording;
mod surge;

use std::path::Path;
use std::time::Duration;

use topology::reader::{Table, kind};

pub use self::bursts::Mmpp;
pub use self::day::Diurnal;
pub(crate) use self::fastest::MOST;
pub use self::incidents::Clusters;
pub use self::recording::Replay;
pub use self::surge::Surge;

/// A part of the campaign with one arrival model.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    pub name: String,
    pub duration: Duration,
    pub arrivals: Arrivals,
}

/// A span of a campaign in which calls begin at one rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// The name of its phase, of a step with its number: `rise.3`.
    pub name: String,
    /// Since the start of the campaign.
    pub from: Duration,
    pub to: Duration,
}

/// When calls begin. All rates are calls per second.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant { rate: f64 },
    /// Evenly spaced, the rate growing or falling in a straight line over the phase.
    Ramp { from: f64, to: f64 },
    /// A staircase of `steps` rates from `from` to `to`, evenly spaced, each for the same time.
    Steps { from: f64, to: f64, steps: u32 },
    /// At random, independent of each other, with this mean rate.
    Poisson { rate: f64 },
    /// Calm and busy spells.
    Mmpp(Mmpp),
    /// Incidents that bring several calls each.
    Clusters(Clusters),
    /// As the time of day has it.
    Diurnal(Diurnal),
    /// A region that calls all at once.
    Surge(Surge),
    /// As it was recorded.
    Replay(Replay),
}

/// The word of an arrival model, before its rates are known.
#[derive(Debug, Clone, Copy)]
enum Model {
    Constant,
    Ramp,
    Steps,
    Poisson,
    Mmpp,
    Clusters,
    Diurnal,
    Surge,
    Replay,
}

impl Model {
    const WORDS: [(&'static str, Self); 9] = [
        ("constant", Self::Constant),
        ("ramp", Self::Ramp),
        ("steps", Self::Steps),
        ("poisson", Self::Poisson),
        ("mmpp", Self::Mmpp),
        ("clusters", Self::Clusters),
        ("diurnal", Self::Diurnal),
        ("surge", Self::Surge),
        ("replay", Self::Replay),
    ];
}

impl Phase {
    /// No phase is shorter.
    pub(crate) const SHORTEST: Duration = Duration::from_millis(100);

    /// Reads a phase; `folder` is where the campaign is.
    pub(super) fn read(table: &Table<'_>, folder: &Path) -> Self {
        let shortest = Self::SHORTEST;
        Self {
            name: table.required("name", kind::name, String::new()),
            duration: table.required("duration", kind::duration(shortest), shortest),
            arrivals: table.section("arrivals", |arrivals| Arrivals::read(arrivals, folder)),
        }
    }

    /// Its spans of one rate, when it begins at `start`. Those without calls are none, and a rate that changes all the time
    /// has none.
    pub(super) fn levels(&self, start: Duration) -> Vec<Level> {
        let level = |name, from, to| Level { name, from: start + from, to: start + to };
        match self.arrivals {
            Arrivals::Constant { rate } | Arrivals::Poisson { rate } if rate > 0.0 => {
                vec![level(self.name.clone(), Duration::ZERO, self.duration)]
            }
            Arrivals::Steps { from, to, steps } => {
                let edge = |step: u32| self.duration.mul_f64(f64::from(step) / f64::from(steps));
                let is_empty =
                    |step: &u32| (*step == 0 && from <= 0.0) || (step + 1 == steps && to <= 0.0);
                let name = |step: u32| format!("{}.{}", self.name, step + 1);
                let full = (0..steps).filter(|step| !is_empty(step));
                full.map(|step| level(name(step), edge(step), edge(step + 1))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// How many attempts this phase is expected to make.
    #[must_use]
    pub fn expected_attempts(&self) -> f64 {
        self.expected_until(self.duration)
    }

    /// How many of them in the first `time` of it.
    pub(crate) fn expected_until(&self, time: Duration) -> f64 {
        let (seconds, length) = (time.as_secs_f64(), self.duration.as_secs_f64());
        match &self.arrivals {
            Arrivals::Constant { rate } | Arrivals::Poisson { rate } => rate * seconds,
            Arrivals::Ramp { from, to } => (from + (to - from) * seconds / length / 2.0) * seconds,
            Arrivals::Steps { from, to, steps } => {
                let (steps, step) = (f64::from(*steps), length / f64::from(*steps));
                let rate = |place: f64| from + (to - from) * place / (steps - 1.0);
                let (full, rest) = ((seconds / step).floor(), seconds % step);
                // The middle of even steps is that of the first and the last one.
                let of_full = full * step * (rate(0.0) + rate(full - 1.0)) / 2.0;
                if full >= steps { of_full } else { of_full + rest * rate(full) }
            }
            Arrivals::Mmpp(bursts) => bursts.mean_rate() * seconds,
            Arrivals::Clusters(clusters) => clusters.mean_rate() * seconds,
            Arrivals::Diurnal(day) => day.expected(seconds),
            Arrivals::Surge(surge) => surge.expected(seconds),
            Arrivals::Replay(replay) => replay.count(time) as f64,
        }
    }

    /// Tells a phase that follows the time of day when it begins.
    pub(super) fn set_time_of_day(&mut self, begins: Duration) {
        if let Arrivals::Diurnal(day) = &mut self.arrivals {
            *day = day.clone().beginning(begins);
        }
    }
}

impl Arrivals {
    fn read(table: &Table<'_>, folder: &Path) -> Self {
        let rate = |key| table.required(key, kind::number(0.0..=MOST), 1.0);
        match table.required("model", kind::choice(&Model::WORDS), Model::Constant) {
            Model::Constant => Self::Constant { rate: rate("rate") },
            Model::Poisson => Self::Poisson { rate: rate("rate") },
            Model::Ramp => Self::Ramp { from: rate("from"), to: rate("to") },
            Model::Steps => Self::Steps {
                from: rate("from"),
                to: rate("to"),
                steps: table.required("steps", kind::count(2..=10_000), 2),
            },
            Model::Mmpp => Self::Mmpp(Mmpp::read(table)),
            Model::Clusters => Self::Clusters(Clusters::read(table)),
            Model::Diurnal => Self::Diurnal(Diurnal::read(table)),
            Model::Surge => Self::Surge(Surge::read(table)),
            Model::Replay => Self::Replay(Replay::read(table, folder)),
        }
    }
}
