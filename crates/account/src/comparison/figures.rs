//! What is compared, and how it is measured in both runs at once: by every call of both, or by the summaries of both.

use telemetry::metric::{Better, Definition, Metric, Quantile};

use super::calls::{Calls, Sorted, sorted_delays};
use super::dependence::Dependence;
use super::difference::{Estimate, interval};
use crate::summary::Summary;
use crate::text::{millis, percent};

/// What is compared.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Where neither way is better, no limit applies unless it is named.
    pub(super) better: Better,
}

pub(super) enum Kind {
    /// The part and the whole, and how a call is told to be of them.
    Share(fn(&Summary) -> Option<(u64, u64)>, Sorted),
    /// A quantile of a metric, in microseconds.
    Delay(Metric, Quantile),
    /// Known without an interval.
    Plain(fn(&Summary) -> Option<f64>),
}

/// A figure in both runs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measured {
    pub(super) before: Option<Estimate>,
    pub(super) after: Option<Estimate>,
    /// Of how many calls of both runs it is, and as how many independent ones they count; `None` where nobody knows.
    pub(super) samples: Option<(u64, f64)>,
}

/// One side: the summaries of its runs, which differ in their seeds alone, and every call where both sides have theirs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) summaries: &'a [&'a Summary],
    pub(super) calls: Option<&'a Calls>,
}

pub(super) const FIGURES: [Figure; 15] = [
    share(
        Metric::AnsweredShare,
        |of| Some((of.ledger.answered, of.ledger.offered)),
        |call| Some(call.outcome == "answered"),
    ),
    share(
        Metric::FailedShare,
        |of| Some((of.ledger.failed(), of.ledger.offered)),
        |call| Some(matches!(&call.outcome[..], "rejected" | "timed_out" | "lost")),
    ),
    share(
        Metric::LostShare,
        |of| Some((of.ledger.lost, of.ledger.offered)),
        |call| Some(call.outcome == "lost"),
    ),
    share(
        Metric::AbandonedShare,
        |of| Some((of.ledger.abandoned, of.ledger.offered)),
        |call| Some(call.outcome == "abandoned"),
    ),
    share(
        Metric::HeardShare,
        |of| of.media.as_ref().map(|media| (media.heard(), media.judged())),
        |call| call.was_heard,
    ),
    Figure {
        name: "callers_reached",
        kind: Kind::Share(
            |of| {
                let people = &of.callers.emergency;
                Some((people.reached, people.callers))
            },
            |call| call.person_reached,
        ),
        better: Better::More,
    },
    delay("pdd_p50", Metric::Pdd(Quantile::P50), Quantile::P50),
    delay("pdd_p90", Metric::Pdd(Quantile::P90), Quantile::P90),
    delay("pdd_p95", Metric::Pdd(Quantile::P95), Quantile::P95),
    delay("pdd_p99", Metric::Pdd(Quantile::P99), Quantile::P99),
    delay("setup_p50", Metric::AnswerDelay(Quantile::P50), Quantile::P50),
    delay("setup_p90", Metric::AnswerDelay(Quantile::P90), Quantile::P90),
    delay("setup_p99", Metric::AnswerDelay(Quantile::P99), Quantile::P99),
    Figure {
        name: "mos_p5",
        kind: Kind::Plain(|of| of.media.as_ref().and_then(|media| media.mos.p5)),
        better: Better::Neither,
    },
    Figure {
        name: "calls_per_second",
        kind: Kind::Plain(|of| Some(of.metrics.calls_per_second)),
        better: Better::Neither,
    },
];

const fn share(metric: Metric, of: fn(&Summary) -> Option<(u64, u64)>, sorted: Sorted) -> Figure {
    let Definition { field, better, .. } = metric.definition();
    Figure { name: field, kind: Kind::Share(of, sorted), better }
}

/// `name` is the field of the metric with the quantile.
const fn delay(name: &'static str, metric: Metric, quantile: Quantile) -> Figure {
    Figure { name, kind: Kind::Delay(metric, quantile), better: metric.definition().better }
}

impl Figure {
    pub(super) const fn is_share(&self) -> bool {
        matches!(self.kind, Kind::Share(..))
    }

    /// The figure in both runs. With every call of both it has an interval; by summaries alone it has none, as they do not say
    /// how much calls depend on each other.
    pub(super) fn measure(&self, before: Side<'_>, after: Side<'_>) -> Measured {
        let summaries = [before.summaries, after.summaries];
        if let (Some(one), Some(other)) = (before.calls, after.calls)
            && let Some(measured) = self.by_calls([one, other], summaries)
        {
            return measured;
        }
        let [before, after] = summaries.map(|of| self.value(of).map(Estimate::certain));
        Measured { before, after, samples: None }
    }

    /// Whether each of these runs has measured it.
    pub(super) fn is_in(&self, summaries: &[&Summary]) -> bool {
        summaries.iter().all(|summary| self.value(&[summary]).is_some())
    }

    /// As the summaries tell it; `None` where nothing was measured, and for a quantile of several runs, which none of their
    /// summaries has.
    fn value(&self, summaries: &[&Summary]) -> Option<f64> {
        match (&self.kind, summaries) {
            (Kind::Share(of, _), _) => {
                let (part, whole) = sum(*of, summaries)?;
                (whole > 0).then(|| part as f64 / whole as f64)
            }
            (Kind::Delay(metric, quantile), [summary]) => {
                Some(summary.metrics.delays(*metric)?.at(*quantile)? as f64)
            }
            (Kind::Delay(..), _) => None,
            (Kind::Plain(of), _) => {
                let values: Option<Vec<f64>> =
                    summaries.iter().map(|summary| of(summary)).collect();
                Some(values?.iter().sum::<f64>() / summaries.len() as f64)
            }
        }
    }

    pub(super) fn show(&self, value: f64) -> String {
        match self.kind {
            Kind::Share(..) => percent(value),
            Kind::Delay(..) => millis(value),
            Kind::Plain(_) => format!("{value:.2}"),
        }
    }

    fn by_calls(&self, calls: [&Calls; 2], summaries: [&[&Summary]; 2]) -> Option<Measured> {
        let end_us = calls.map(Calls::end_us).into_iter().max()?;
        match self.kind {
            Kind::Share(of, sorted) => {
                let [one, other] = calls.map(|calls| calls.sorted(sorted));
                let dependence = Dependence::of(&one, &other, end_us);
                let [before, after] = summaries.map(|summaries| {
                    let (part, whole) = sum(of, summaries)?;
                    Estimate::of_share(part as f64, whole as f64, dependence.widening)
                });
                Some(Measured {
                    before,
                    after,
                    samples: samples(one.len(), other.len(), dependence),
                })
            }
            Kind::Delay(metric, quantile) => {
                let delays = calls.map(|calls| calls.delays(metric));
                let [(one, at_one), (other, at_other)] =
                    [sorted_delays(&delays[0], quantile)?, sorted_delays(&delays[1], quantile)?];
                // Whether a delay keeps within the quantile of its own run is a share like any other.
                let within = |delays: &[(u64, u64)], most: u64| -> Vec<(u64, bool)> {
                    delays.iter().map(|(due, delay)| (*due, *delay <= most)).collect()
                };
                let dependence = Dependence::of(
                    &within(&delays[0], at_one),
                    &within(&delays[1], at_other),
                    end_us,
                );
                let estimate = |sorted: &[u64], value: u64| {
                    let (low, high) = interval(sorted, quantile.value(), dependence.widening);
                    Some(Estimate { value: value as f64, low, high })
                };
                Some(Measured {
                    before: estimate(&one, at_one),
                    after: estimate(&other, at_other),
                    samples: samples(one.len(), other.len(), dependence),
                })
            }
            Kind::Plain(_) => None,
        }
    }
}

/// The part and the whole of several runs together; `None` where one of them has none.
fn sum(of: fn(&Summary) -> Option<(u64, u64)>, summaries: &[&Summary]) -> Option<(u64, u64)> {
    summaries.iter().map(|summary| of(summary)).try_fold((0, 0), |(part, whole), one| {
        let (more, of_more) = one?;
        Some((part + more, whole + of_more))
    })
}

fn samples(one: usize, other: usize, dependence: Dependence) -> Option<(u64, f64)> {
    let count = (one + other) as u64;
    (one > 0 && other > 0).then_some((count, count as f64 / dependence.effect))
}
