//! Two runs side by side, and whether the second is worse than it may be.

mod difference;

use rusqlite::Connection;
use serde_json::{Value, json};
use telemetry::metric::{Better, Definition, Metric, Quantile};

use self::difference::{Estimate, ranks};
use crate::summary::{RunVerdict, Summary};
use crate::text::{millis, or_dash, percent, table};

/// One of the two runs.
#[derive(Debug)]
pub struct ComparedRun {
    pub name: String,
    pub summary: Summary,
    /// The hash over what the run was made from.
    pub inputs: Option<String>,
    /// `calls.sqlite`, with every delay; without it there is no interval.
    pub calls: Option<Connection>,
}

/// How much worse the second run may be: shares by their difference, all others by their ratio.
#[derive(Debug, Clone, Default)]
pub struct ComparisonLimits {
    /// Of any figure of which more, or less, is better.
    pub any: Option<f64>,
    /// Of single figures, by name. The last one of a name counts.
    pub named: Vec<(String, f64)>,
}

/// Two runs, compared.
#[derive(Debug)]
pub struct Comparison {
    /// For people.
    pub table: String,
    /// For programs, an object for each figure.
    pub figures: Vec<Value>,
    /// A sentence for each limit that was crossed.
    pub breaches: Vec<String>,
}

/// The names of all figures, in order.
pub fn figure_names() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|figure| figure.name)
}

/// Measures every figure in both runs and holds the second against the limits.
#[must_use]
pub fn compare(before: &ComparedRun, after: &ComparedRun, limits: &ComparisonLimits) -> Comparison {
    let lines: Vec<Line> = FIGURES.iter().map(|figure| Line::of(figure, before, after)).collect();
    Comparison {
        table: shown(before, after, &lines),
        figures: lines.iter().map(Line::json).collect(),
        breaches: lines.iter().filter_map(|line| line.breach(limits)).collect(),
    }
}

/// What keeps two runs from being compared, one sentence each.
#[must_use]
pub fn obstacles(before: &ComparedRun, after: &ComparedRun) -> Vec<String> {
    let mut found = Vec::new();
    for side in [before, after] {
        let name = &side.name;
        if side.summary.verdict == RunVerdict::Invalid {
            found.push(format!("{name} is INVALID: it says nothing about its network"));
        }
        if side.summary.interrupted {
            found.push(format!("{name} was interrupted before its end"));
        }
    }
    let origin = |side: &ComparedRun| {
        let Summary { campaign, network, seed, .. } = &side.summary;
        [
            ("campaign", json!(campaign).to_string()),
            ("network", json!(network).to_string()),
            ("seed", seed.to_string()),
        ]
    };
    for ((key, one), (_, other)) in origin(before).into_iter().zip(origin(after)) {
        if one != other {
            found.push(format!("they have another {key}: {one} and {other}"));
        }
    }
    if let (Some(one), Some(other)) = (&before.inputs, &after.inputs)
        && one != other
        && found.is_empty()
    {
        found.push(
            "their campaign or network files, --set or environment differ: see inputs in receipt.json".to_owned(),
        );
    }
    found
}

/// What is compared.
struct Figure {
    name: &'static str,
    kind: Kind,
    /// Where neither way is better, no limit applies unless it is named.
    better: Better,
}

enum Kind {
    /// The part and the whole.
    Share(fn(&Summary) -> Option<(u64, u64)>),
    /// A quantile of a metric, which the summary and a column of calls.sqlite have in microseconds.
    Delay(Metric, Quantile),
    /// Known without an interval.
    Plain(fn(&Summary) -> Option<f64>),
}

const FIGURES: [Figure; 15] = [
    share(Metric::AnsweredShare, |of| Some((of.ledger.answered, of.ledger.offered))),
    share(Metric::FailedShare, |of| Some((of.ledger.failed(), of.ledger.offered))),
    share(Metric::LostShare, |of| Some((of.ledger.lost, of.ledger.offered))),
    share(Metric::AbandonedShare, |of| Some((of.ledger.abandoned, of.ledger.offered))),
    share(Metric::HeardShare, |of| {
        of.media.as_ref().map(|media| (media.heard_both_ways, media.judged()))
    }),
    Figure {
        name: "callers_reached",
        kind: Kind::Share(|of| {
            let people = &of.callers.emergency;
            Some((people.reached, people.callers))
        }),
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
        kind: Kind::Plain(|of| of.media.as_ref().map(|media| media.mos.p5)),
        better: Better::Neither,
    },
    Figure {
        name: "calls_per_second",
        kind: Kind::Plain(|of| Some(of.metrics.calls_per_second)),
        better: Better::Neither,
    },
];

const fn share(metric: Metric, of: fn(&Summary) -> Option<(u64, u64)>) -> Figure {
    let Definition { field, better, .. } = metric.definition();
    Figure { name: field, kind: Kind::Share(of), better }
}

/// `name` is the field of the metric with the quantile.
const fn delay(name: &'static str, metric: Metric, quantile: Quantile) -> Figure {
    Figure { name, kind: Kind::Delay(metric, quantile), better: metric.definition().better }
}

impl Figure {
    /// The figure of one run; an interval of no width where nothing is known of it.
    fn measure(&self, side: &ComparedRun) -> Option<Estimate> {
        match self.kind {
            Kind::Share(of) => {
                let (part, whole) = of(&side.summary)?;
                Estimate::of_share(part as f64, whole as f64)
            }
            Kind::Delay(metric, quantile) => {
                let delays = side.summary.metrics.delays(metric).filter(|it| it.count > 0)?;
                let value = delays.at(quantile) as f64;
                let column = format!("{}_us", metric.definition().field);
                let calls = side.calls.as_ref();
                Some(
                    calls
                        .and_then(|calls| spread(calls, &column, quantile.value()))
                        .unwrap_or_else(|| certain(value)),
                )
            }
            Kind::Plain(of) => of(&side.summary).map(certain),
        }
    }

    fn show(&self, value: f64) -> String {
        match self.kind {
            Kind::Share(..) => percent(value),
            Kind::Delay(..) => millis(value),
            Kind::Plain(_) => format!("{value:.2}"),
        }
    }
}

const fn certain(value: f64) -> Estimate {
    Estimate { value, low: value, high: value }
}

/// A quantile of a column, from every call. `None` when the database does not say.
fn spread(calls: &Connection, column: &str, quantile: f64) -> Option<Estimate> {
    let count = format!("SELECT count({column}) FROM attempts");
    let count: i64 = calls.query_row(&count, [], |row| row.get(0)).ok()?;
    let ranks = ranks(u64::try_from(count).ok()?, quantile)?;
    let query = format!(
        "SELECT {column} FROM attempts WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 1 OFFSET ?"
    );
    let at = |rank: u64| {
        let value: i64 = calls.query_row(&query, [rank.cast_signed()], |row| row.get(0)).ok()?;
        Some(value as f64)
    };
    let [low, value, high] = ranks.map(at);
    Some(Estimate { value: value?, low: low?, high: high? })
}

/// A figure in both runs.
struct Line {
    figure: &'static Figure,
    before: Option<Estimate>,
    after: Option<Estimate>,
}

impl Line {
    fn of(figure: &'static Figure, before: &ComparedRun, after: &ComparedRun) -> Self {
        Self { figure, before: figure.measure(before), after: figure.measure(after) }
    }

    fn difference(&self) -> Option<Estimate> {
        Some(self.after?.minus(self.before?))
    }

    /// Without an interval nothing is known of how sure a difference is.
    fn has_interval(&self) -> bool {
        let is_wide = |one: Option<Estimate>| one.is_some_and(|one| one.low < one.high);
        matches!(self.figure.kind, Kind::Share(..)) || is_wide(self.before) || is_wide(self.after)
    }

    fn word(&self) -> &'static str {
        let Some(difference) = self.difference() else { return "-" };
        if !self.has_interval() {
            return if difference.value == 0.0 { "the same" } else { "how sure is not known" };
        }
        if !difference.is_clear() {
            return "no clear difference";
        }
        match (self.figure.better, difference.value > 0.0) {
            (Better::Neither, _) => "differs",
            (Better::More, true) | (Better::Less, false) => "better",
            (Better::More, false) | (Better::Less, true) => "WORSE",
        }
    }

    /// How much worse, as limits count: shares by the difference, all others by the ratio.
    fn worsening(&self) -> Option<f64> {
        let (before, after) = (self.before?.value, self.after?.value);
        let change = match self.figure.kind {
            Kind::Share(..) => after - before,
            _ if before == 0.0 => return None,
            _ => after / before - 1.0,
        };
        // What is neither good nor bad may not change either way.
        Some(match self.figure.better {
            Better::More => -change,
            Better::Less => change,
            Better::Neither => change.abs(),
        })
    }

    fn breach(&self, limits: &ComparisonLimits) -> Option<String> {
        let Figure { name, .. } = self.figure;
        let named = limits.named.iter().rev().find(|(figure, _)| figure == name);
        let general = limits.any.filter(|_| self.figure.better != Better::Neither);
        let limit = named.map(|(_, limit)| *limit).or(general)?;
        let (Some(before), Some(after)) = (self.before, self.after) else {
            return named.map(|_| format!("{name} was not measured in both runs"));
        };
        let worse = self.worsening().filter(|worse| *worse > limit)?;
        let unit = if matches!(self.figure.kind, Kind::Share(..)) { "points" } else { "%" };
        let (worse, limit) = (worse * 100.0, limit * 100.0);
        let (before, after) = (self.figure.show(before.value), self.figure.show(after.value));
        Some(format!(
            "{name} is worse by {worse:.2} {unit}, at most {limit:.2} {unit} are allowed: {before} before, {after} now ({})",
            self.word()
        ))
    }

    fn json(&self) -> Value {
        let of = |one: Option<Estimate>| {
            one.map(|one| json!({"value": one.value, "low": one.low, "high": one.high}))
        };
        json!({
            "name": self.figure.name,
            "before": of(self.before),
            "after": of(self.after),
            "difference": of(self.difference()),
            "interval_known": self.has_interval(),
            "judgement": self.word(),
        })
    }
}

fn shown(before: &ComparedRun, after: &ComparedRun, lines: &[Line]) -> String {
    let head = ["", &before.name, &after.name, "difference", "95 % of the time within", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let [one, other] = [before, after].map(|side| side.summary.verdict.as_str().to_owned());
    rows.push(["verdict".to_owned(), one, other].to_vec());
    rows.extend(lines.iter().filter(|line| line.before.is_some() || line.after.is_some()).map(
        |line| {
            let show =
                |value: Option<Estimate>| or_dash(value.map(|value| line.figure.show(value.value)));
            let signed = |value: f64| {
                let text = line.figure.show(value.abs());
                format!("{}{text}", if value < 0.0 { "-" } else { "+" })
            };
            let difference = line.difference();
            let interval = difference.filter(|_| line.has_interval());
            let interval =
                interval.map(|one| format!("{} … {}", signed(one.low), signed(one.high)));
            vec![
                line.figure.name.to_owned(),
                show(line.before),
                show(line.after),
                or_dash(difference.map(|one| signed(one.value))),
                or_dash(interval),
                line.word().to_owned(),
            ]
        },
    ));
    table(&rows, &[1, 2, 3, 4])
}

#[cfg(test)]
mod tests {
    use telemetry::{Ledger, Quantiles};

    use super::*;
    use crate::fixture::judged;
    use crate::summary::Metrics;

    fn side(name: &str, answered: u64, p99: u64) -> ComparedRun {
        let summary = judged(Vec::new(), |_| ());
        let rejected = 1_000 - answered;
        let ledger = Ledger { offered: 1_000, answered, rejected, ..Ledger::default() };
        let pdd = Quantiles { count: 900, p50: 3_000, p90: 4_000, p95: 5_000, p99, max: p99 };
        let metrics = Metrics { pdd, calls_per_second: 10.0, ..Metrics::default() };
        let summary = Summary { seed: 1, ledger, metrics, media: None, ..summary };
        ComparedRun { name: name.to_owned(), summary, inputs: None, calls: None }
    }

    fn breaches(
        any: Option<f64>,
        named: &[(&str, f64)],
        before: &ComparedRun,
        after: &ComparedRun,
    ) -> Vec<String> {
        let named = named.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect();
        compare(before, after, &ComparisonLimits { any, named }).breaches
    }

    #[test]
    fn a_limit_counts_shares_in_points_and_delays_in_percent() {
        let (before, after) = (side("a", 950, 10_000), side("b", 920, 10_800));
        assert!(breaches(Some(0.1), &[], &before, &after).is_empty());
        let found = breaches(Some(0.02), &[], &before, &after);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].starts_with("answered_share is worse by 3.00 points, at most 2.00 points"),
            "{found:?}"
        );
        assert!(found[2].starts_with("pdd_p99 is worse by 8.00 %"), "{found:?}");
        // The other way round everything is better.
        assert!(breaches(Some(0.02), &[], &after, &before).is_empty());
        let own = breaches(Some(0.1), &[("pdd_p99", 0.05)], &before, &after);
        assert_eq!(own.len(), 1, "{own:?}");
        let missing = breaches(None, &[("heard_share", 0.01)], &before, &after);
        assert_eq!(missing, ["heard_share was not measured in both runs"]);
    }

    #[test]
    fn a_difference_says_how_sure_it_is() {
        let (before, after) = (side("a", 950, 10_000), side("b", 900, 10_000));
        let line = Line::of(&FIGURES[0], &before, &after);
        assert_eq!(line.word(), "WORSE");
        assert_eq!(
            Line::of(&FIGURES[0], &before, &side("b", 948, 1)).word(),
            "no clear difference"
        );
        assert_eq!(Line::of(&FIGURES[0], &after, &before).word(), "better");
        // No call is known, so no interval either.
        let p99 = FIGURES.iter().find(|figure| figure.name == "pdd_p99").expect("a figure");
        assert_eq!(Line::of(p99, &before, &after).word(), "the same");
        assert_eq!(Line::of(p99, &before, &side("b", 900, 9_000)).word(), "how sure is not known");
        let text = shown(&before, &after, &[line]);
        assert!(text.contains("answered_share") && text.contains("-5.00 %"), "{text}");
    }

    #[test]
    fn runs_that_cannot_be_compared_say_why() {
        let good = side("a", 950, 10_000);
        assert!(obstacles(&good, &side("b", 900, 10_000)).is_empty());
        let mut invalid = side("b", 950, 10_000);
        invalid.summary.verdict = RunVerdict::Invalid;
        invalid.summary.seed = 2;
        let found = obstacles(&good, &invalid);
        assert!(
            found[0].contains("b is INVALID") && found[1].contains("another seed: 1 and 2"),
            "{found:?}"
        );
        let with =
            |hash: &str| ComparedRun { inputs: Some(hash.to_owned()), ..side("c", 950, 10_000) };
        assert!(obstacles(&with("x"), &with("y"))[0].contains("receipt.json"));
        assert!(obstacles(&with("x"), &good).is_empty());
    }
}
