//! The figures of all ways: as ratios, as a table, as a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use system_tests::spread::{median, ratio};

use crate::between::Way;
use crate::turn::Turn;

/// The rate whose ratios count.
const COUNTS: u32 = 2_000;

/// What is compared with what: name, way, which end of the other one.
type Pair = (&'static str, fn(&Turns) -> Vec<f64>, fn(&Turns) -> Vec<f64>);

const PAIRS: [Pair; 7] = [
    ("switch_vs_kamailio", |all| all.costs(Way::CallServer), |all| all.costs(Way::Kamailio)),
    ("switch_vs_floor", |all| all.costs(Way::CallServer), |all| all.costs(Way::Floor)),
    ("trunk_vs_kamailio", |all| all.costs(Way::TrunkGroup), |all| all.costs(Way::Kamailio)),
    ("path_vs_kamailio", |all| all.costs(Way::Path), |all| all.costs(Way::Kamailio)),
    ("kamailio_vs_floor", |all| all.costs(Way::Kamailio), |all| all.costs(Way::Floor)),
    ("generator_vs_sipp", |all| all.costs(Way::Generator), |all| all.costs(Way::Sipp)),
    ("psap_vs_sipp", |all| all.costs(Way::Psap), Turns::callees),
];

/// All turns at one rate, round by round.
#[derive(Debug, Default)]
pub(crate) struct Turns(BTreeMap<Way, Vec<Turn>>);

impl Turns {
    pub(crate) fn push(&mut self, way: Way, turn: Turn) {
        self.0.entry(way).or_default().push(turn);
    }

    fn of(&self, way: Way) -> &[Turn] {
        self.0.get(&way).map_or(&[], Vec::as_slice)
    }

    /// What the way is about.
    fn costs(&self, way: Way) -> Vec<f64> {
        self.of(way).iter().map(|turn| turn.cost).collect()
    }

    /// SIPp that answers SIPp.
    fn callees(&self) -> Vec<f64> {
        self.of(Way::Sipp).iter().filter_map(|turn| turn.callee).collect()
    }

    fn ratios(&self) -> Map<String, Value> {
        let pairs = PAIRS.iter();
        pairs
            .map(|(name, ours, theirs)| {
                let ratio = ratio(&ours(self), &theirs(self)).map(hundredths);
                ((*name).to_owned(), json!(ratio))
            })
            .collect()
    }

    fn to_json(&self) -> Value {
        let way = |(way, turns): (&Way, &Vec<Turn>)| {
            let costs = self.costs(*way);
            let wakes: Vec<f64> = turns.iter().map(|turn| turn.wakes).collect();
            let sum = |of: fn(&Turn) -> u64| turns.iter().map(of).sum::<u64>();
            let callees: Vec<f64> = turns.iter().filter_map(|turn| turn.callee).collect();
            let figures = json!({
                "cost_us": median(&costs).map(hundredths),
                "costs_us": costs.into_iter().map(hundredths).collect::<Vec<_>>(),
                "wakes": median(&wakes).map(hundredths),
                "callee_us": median(&callees).map(hundredths),
                "answered": sum(|turn| turn.answered), "failed": sum(|turn| turn.failed),
                "retransmissions": sum(|turn| turn.retransmissions),
            });
            (way.name().to_owned(), figures)
        };
        let ways: Map<String, Value> = self.0.iter().map(way).collect();
        json!({ "ways": ways, "ratios": self.ratios() })
    }
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) by_rate: BTreeMap<u32, Turns>,
    /// What else was measured, by name.
    pub(crate) others: Map<String, Value>,
}

impl Figures {
    pub(crate) fn to_json(&self) -> Value {
        let mut all = self.by_rate.get(&COUNTS).map(Turns::ratios).unwrap_or_default();
        let rates = self.by_rate.iter();
        let rates: Map<String, Value> =
            rates.map(|(rate, turns)| (format!("at_{rate}_cps"), turns.to_json())).collect();
        all.extend(rates);
        all.extend(self.others.clone());
        Value::Object(all)
    }

    /// A line for each way with its cost at each rate, and one for each ratio.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{:24}", "CPU per call, µs");
        for rate in self.by_rate.keys() {
            let _infallible = write!(text, "{rate:>10}/s");
        }
        for way in Way::ALL {
            let _infallible = write!(text, "\n{:24}", way.name());
            for turns in self.by_rate.values() {
                let failed: u64 = turns.of(way).iter().map(|turn| turn.failed).sum();
                let star = if failed > 0 { "*" } else { "" };
                let cost = median(&turns.costs(way))
                    .map_or_else(|| "-".to_owned(), |cost| format!("{cost:.1}{star}"));
                let _infallible = write!(text, "{cost:>12}");
            }
        }
        text.push_str("\n\nratio, median of turns");
        for (name, ours, theirs) in PAIRS {
            let _infallible = write!(text, "\n{name:24}");
            for turns in self.by_rate.values() {
                let ratio = ratio(&ours(turns), &theirs(turns));
                let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
                let _infallible = write!(text, "{ratio:>12}");
            }
        }
        for (name, value) in &self.others {
            let _infallible = write!(text, "\n{name:24}{value:>12}");
        }
        text.push_str(
            "\n* calls failed, so the cost is that of those and of what became of the others\n",
        );
        text
    }
}

pub(crate) fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
