//! The figures of a comparison as numbers, each in its unit, and as people read them.

use campaign::{Campaign, ComparedFigure, Measure};

use super::evidence::{STEP, Step, share};
use super::variant::VariantOutcome;
use crate::summary::Spread;
use crate::text::{grouped, length};

/// What a figure is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureUnit {
    Count,
    /// From 0 to 1.
    Share,
    Seconds,
    /// Per second.
    Rate,
}

impl FigureUnit {
    /// Of what the figure is told in.
    #[must_use]
    pub const fn of(figure: &ComparedFigure) -> Self {
        if figure.of.is_some() {
            return Self::Share;
        }
        match figure.measure {
            Measure::Attempts
            | Measure::Unrouted
            | Measure::Cut
            | Measure::Arrivals
            | Measure::Restarts
            | Measure::SitesRestarted
            | Measure::CommandsTimedOut
            | Measure::DisturbedSteps
            | Measure::NeverReached
            | Measure::ReachedLate1m
            | Measure::ReachedLate5m
            | Measure::ReachedLate15m
            | Measure::CutCallers => Self::Count,
            Measure::UnroutedShare
            | Measure::RoutedShare
            | Measure::WorstHourRouted
            | Measure::CallersReached
            | Measure::OrdinaryReached
            | Measure::NeverReachedShare => Self::Share,
            Measure::Disturbed | Measure::Detected | Measure::Recovered => Self::Seconds,
            Measure::MostGoodput | Measure::PeakGoodput => Self::Rate,
        }
    }

    /// As a threshold tells it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Count | Self::Share => "",
            Self::Seconds => "s",
            Self::Rate => "/s",
        }
    }

    /// A number of it, in words.
    #[must_use]
    pub fn told(self, value: f64) -> String {
        match self {
            Self::Count => grouped(&format!("{value:.0}")),
            Self::Share => format!("{:.1} %", value * 100.0),
            Self::Seconds if value < 120.0 => length(value),
            Self::Seconds => format!("{:.0} min", value / 60.0),
            Self::Rate => format!("{value:.1}/s"),
        }
    }

    /// The median, and how far it went where there was more than one run.
    #[must_use]
    pub fn told_spread(self, spread: &Spread) -> String {
        let median = self.told(spread.median);
        match spread.runs {
            0 | 1 => median,
            _ => format!("{median} ({}..{})", self.told(spread.low), self.told(spread.high)),
        }
    }
}

/// All figures of a run, in the order of its campaign.
pub fn measure(campaign: &Campaign, run: &VariantOutcome) -> Vec<Option<f64>> {
    campaign.figures.iter().map(|figure| value(figure, run)).collect()
}

/// A figure of one run; `None` where there is nothing to measure.
fn value(figure: &ComparedFigure, run: &VariantOutcome) -> Option<f64> {
    let count = run.evidence.of(&figure.selection);
    let Step { attempts, routed } = count.sum();
    let people = &count.people;
    let whole = |number: u64| Some(number as f64);
    let of_people = |number: u64| (people.callers > 0).then_some(number as f64);
    match figure.measure {
        Measure::Attempts => whole(attempts),
        Measure::Unrouted => whole(attempts - routed),
        Measure::UnroutedShare => share(attempts - routed, attempts),
        Measure::RoutedShare => share(routed, attempts),
        Measure::WorstHourRouted => count.worst_hour(),
        Measure::Cut => whole(count.cut),
        Measure::Arrivals => whole(count.arrivals),
        Measure::Restarts => whole(run.restarts.len() as u64),
        Measure::SitesRestarted => {
            let mut sites: Vec<&str> = run.restarts.iter().map(|(_, site, _)| &site[..]).collect();
            sites.sort_unstable();
            sites.dedup();
            whole(sites.len() as u64)
        }
        Measure::CommandsTimedOut => whole(run.operations.timed_out()),
        Measure::Disturbed => {
            let steps = count.disturbed(figure.usual);
            let span = steps.first().zip(steps.last()).map_or(0, |(first, last)| last - first + 1);
            Some(STEP.as_secs_f64() * span as f64)
        }
        Measure::DisturbedSteps => whole(count.disturbed(figure.usual).len() as u64),
        Measure::Detected => run.seconds_of(|report| report.detected_s),
        Measure::Recovered => run.seconds_of(|report| report.recovered_s),
        Measure::CallersReached => share(people.callers - people.never_reached, people.callers),
        Measure::OrdinaryReached => run.summary.callers.ordinary.success_share,
        Measure::NeverReached => of_people(people.never_reached),
        Measure::NeverReachedShare => share(people.never_reached, people.callers),
        Measure::ReachedLate1m => of_people(people.reached_late_1m),
        Measure::ReachedLate5m => of_people(people.reached_late_5m),
        Measure::ReachedLate15m => of_people(people.reached_late_15m),
        Measure::CutCallers => of_people(people.cut_callers),
        Measure::MostGoodput => run.goodput.most_and_peak().map(|(most, _)| most),
        Measure::PeakGoodput => run.goodput.most_and_peak().map(|(_, peak)| peak),
    }
}

impl VariantOutcome {
    fn seconds_of(&self, pick: impl Fn(&operations::CrisisReport) -> Option<f64>) -> Option<f64> {
        pick(self.operations.crisis.as_ref()?).filter(|seconds| *seconds >= 0.0)
    }
}
