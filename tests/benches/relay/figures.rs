//! The figures of all relays: as a file, as a table, and a step of them as a sentence.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::relay::Kind;
use crate::step::Step;

/// The key of a relay's capacity.
pub(crate) const CAPACITY: &str = "relayed_calls_per_core";

/// Why a relay has no figures.
const ABSENT: &str = "absent";

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// By relay and by what was measured.
    relays: BTreeMap<&'static str, Map<String, Value>>,
    /// Microseconds for a datagram on this machine, before and after: see [`system_tests::machine::datagram_cost`].
    pub datagram: Vec<f64>,
}

/// The key of the figures at so many calls.
pub(crate) fn load(calls: usize) -> String {
    format!("calls_{calls}")
}

impl Figures {
    pub(crate) fn insert(&mut self, kind: Kind, key: &str, value: Value) {
        self.relays.entry(kind.name()).or_default().insert(key.to_owned(), value);
    }

    /// Says why a relay takes part no more.
    pub(crate) fn leave_out(&mut self, kind: Kind, error: &anyhow::Error) {
        println!("{}: {error:#}", kind.name());
        self.insert(kind, ABSENT, json!(format!("{error:#}")));
    }

    pub(crate) fn is_absent(&self, kind: Kind) -> bool {
        self.relays.get(kind.name()).is_none_or(|figures| figures.contains_key(ABSENT))
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        let datagram: Vec<f64> = self.datagram.iter().copied().map(hundredths).collect();
        serde_json::to_string_pretty(&json!({ "relays": self.relays, "datagram_us": datagram }))
    }

    /// A line for each relay. A star stands by a figure of a step that does not count.
    pub(crate) fn table(&self, loads: &[usize]) -> String {
        let counts = loads.iter().map(usize::to_string).collect::<Vec<_>>().join(" / ");
        let mut lines = vec![
            String::new(),
            row("", "µs per packet", "missing of 1,000", "bytes/stream", "calls on a core"),
            row(
                "relay",
                &format!("{counts} calls"),
                &format!("{counts} calls"),
                "",
                "µs per packet",
            ),
        ];
        for (name, figures) in &self.relays {
            if let Some(absent) = figures.get(ABSENT) {
                lines.push(format!("{name:12} {}", absent.as_str().unwrap_or_default()));
                continue;
            }
            let at = |calls: &usize| figures.get(&load(*calls)).unwrap_or(&Value::Null);
            let costs: Vec<String> = loads.iter().map(|calls| cost(at(calls))).collect();
            let missing: Vec<String> = loads.iter().map(|calls| missing(at(calls))).collect();
            let memory = loads.last().map(|calls| at(calls)["memory_bytes_per_stream"].to_string());
            lines.push(row(
                name,
                &costs.join(" / "),
                &missing.join(" / "),
                &memory.unwrap_or_default(),
                &figures.get(CAPACITY).map(carried).unwrap_or_default(),
            ));
        }
        let datagram: Vec<String> = self.datagram.iter().map(|cost| format!("{cost:.1}")).collect();
        let datagram = datagram.join(" and ");
        lines.push(format!(
            "* disturbed, see the file. A datagram, sent and received: {datagram} µs"
        ));
        lines.join("\n")
    }
}

fn row(name: &str, costs: &str, missing: &str, memory: &str, capacity: &str) -> String {
    format!("{name:12} {costs:>24} {missing:>22} {memory:>13} {capacity:>18}")
}

fn cost(step: &Value) -> String {
    let star = if step["disturbance"].is_null() { "" } else { "*" };
    format!("{:.1}{star}", step["cpu_us_per_packet"].as_f64().unwrap_or(f64::NAN))
}

fn missing(step: &Value) -> String {
    let count = |name: &str| step[name].as_f64().unwrap_or(f64::NAN);
    format!("{:.0}", (count("lost") + count("too_old")) * 1e3 / count("sent"))
}

fn carried(capacity: &Value) -> String {
    match capacity["calls"].as_u64() {
        Some(calls) => format!("{calls}, {}", cost(&capacity["at_it"])),
        None => "none".to_owned(),
    }
}

/// A step as figures; `idle` is what the relay used before its first call, where it has no more calls than those that
/// talk.
pub(crate) fn describe(step: &Step, idle: Option<u64>) -> Value {
    let streams = (step.calls * 2) as u64;
    let memory = idle.map(|idle| step.resident.saturating_sub(idle) / streams);
    json!({
        "cpu_us_per_packet": hundredths(step.cost()),
        "memory_bytes_per_stream": memory,
        "sent": step.count("sent"), "lost": step.count("lost"), "too_old": step.count("too_old"),
        "oldest_ms": step.count("oldest_ms"), "strange": step.count("strange"),
        "repeated": step.count("repeated"), "unsent": step.count("unsent"),
        "dropped_before_relay": step.relay_drops, "cores_used": hundredths(step.cores()),
        "waited_for_core": hundredths(step.waited),
        "cores_used_by_phones": hundredths(step.cores_of_phones()),
        "phones_behind_ms": step.heard["latest_tick_ms"], "disturbance": step.disturbance(),
    })
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// A step in words.
pub(crate) fn sentence(step: &Step) -> String {
    let what = match step.is_clean() {
        true => format!("{:.2} µs per packet, clean", step.cost()),
        false => format!(
            "{} of {} packets lost, {} too old (oldest {} ms), {} strange, {} dropped before the relay",
            step.count("lost"),
            step.count("sent"),
            step.count("too_old"),
            step.count("oldest_ms"),
            step.count("strange"),
            step.relay_drops,
        ),
    };
    match step.disturbance() {
        Some(disturbance) => format!("{what}; {disturbance}"),
        None => what,
    }
}
