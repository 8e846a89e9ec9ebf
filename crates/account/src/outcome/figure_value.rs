//! The figures of a comparison as numbers, each in its unit.

use campaign::{ComparedFigure, Measure};

use super::figures::{Step, share};
use super::variant::VariantOutcome;

/// What a figure is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FigureUnit {
    Count,
    /// From 0 to 1.
    Share,
    Seconds,
    /// Per second.
    Rate,
}

impl FigureUnit {
    /// As a threshold tells it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Count | Self::Share => "",
            Self::Seconds => "s",
            Self::Rate => "/s",
        }
    }
}

pub(super) const fn unit(measure: Measure) -> FigureUnit {
    match measure {
        Measure::Attempts
        | Measure::Unrouted
        | Measure::Cut
        | Measure::Restarts
        | Measure::SitesRestarted
        | Measure::CommandsTimedOut => FigureUnit::Count,
        Measure::UnroutedShare
        | Measure::WorstHourRouted
        | Measure::CallersReached
        | Measure::OrdinaryReached => FigureUnit::Share,
        Measure::Disturbed | Measure::Detected | Measure::Recovered => FigureUnit::Seconds,
        Measure::MostGoodput | Measure::PeakGoodput => FigureUnit::Rate,
    }
}

/// A figure of one run in its unit; `None` where there is nothing to measure.
pub(super) fn value(figure: &ComparedFigure, run: &VariantOutcome) -> Option<f64> {
    let count = run.evidence.of(figure);
    let Step { attempts, routed } = count.sum();
    let whole = |number: u64| Some(number as f64);
    match figure.measure {
        Measure::Attempts => whole(attempts),
        Measure::Unrouted => whole(attempts - routed),
        Measure::UnroutedShare => share(attempts - routed, attempts),
        Measure::WorstHourRouted => count.worst_hour(run.evidence.steps),
        Measure::Cut => whole(count.cut),
        Measure::Restarts => whole(run.restarts.len() as u64),
        Measure::SitesRestarted => {
            let mut sites: Vec<&str> = run.restarts.iter().map(|(_, site, _)| &site[..]).collect();
            sites.sort_unstable();
            sites.dedup();
            whole(sites.len() as u64)
        }
        Measure::CommandsTimedOut => whole(run.operations.timed_out()),
        Measure::Disturbed => Some(count.disturbed(run.evidence.steps).as_secs_f64()),
        Measure::Detected => run.seconds_of(|report| report.detected_s),
        Measure::Recovered => run.seconds_of(|report| report.recovered_s),
        Measure::CallersReached => run.summary.callers.emergency.success_share,
        Measure::OrdinaryReached => run.summary.callers.ordinary.success_share,
        Measure::MostGoodput => run.goodput.most_and_peak().map(|(most, _)| most),
        Measure::PeakGoodput => run.goodput.most_and_peak().map(|(_, peak)| peak),
    }
}

impl VariantOutcome {
    fn seconds_of(&self, pick: impl Fn(&operations::CrisisReport) -> Option<f64>) -> Option<f64> {
        pick(self.operations.crisis.as_ref()?).filter(|seconds| *seconds >= 0.0)
    }
}
