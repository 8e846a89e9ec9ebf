//! Reads `summary.json`, and refuses by name what no run can have measured.

use std::fs;
use std::path::{Path, PathBuf};

use account::summary::{SCHEMA_VERSION, Summary};
use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::json_place::place_of;

/// The summary of a run folder: that of the campaign, or of the one variant that was run.
pub fn summary_of(folder: &Path) -> anyhow::Result<Summary> {
    read_summary(&summary_path(folder))
}

/// Where the summary of a run folder is, or would be.
pub(crate) fn summary_path(folder: &Path) -> PathBuf {
    let usual = folder.join("summary.json");
    match usual.is_file() {
        true => usual,
        false => variant_summary(folder).unwrap_or(usual),
    }
}

fn variant_summary(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    let is_one = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        name.starts_with("summary-") && name.ends_with(".json")
    };
    names.into_iter().find(is_one).map(|name| folder.join(name))
}

/// Reads a `summary.json` of the version that this program knows. What is missing in it, or cannot be, is named.
pub fn read_summary(path: &Path) -> anyhow::Result<Summary> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let at = |text: &str, error: &serde_json::Error| {
        let place = place_of(text, error.line(), error.column());
        format!("{} is no whole summary: {place}", path.display())
    };
    // As text again, so that a refusal has a place.
    let mut json: Value = serde_json::from_str(&text).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => {
            anyhow::anyhow!("{} is no JSON: it ends too soon ({error})", path.display())
        }
        _ => anyhow::anyhow!(
            "{} is no JSON: {}: {error}",
            path.display(),
            place_of(&text, error.line(), error.column())
        ),
    })?;
    match json["schema_version"].as_u64() {
        Some(version) if version == u64::from(SCHEMA_VERSION) => {}
        Some(version) => {
            bail!("{} has version {version}, which this program does not know", path.display())
        }
        None => bail!("{} is no summary", path.display()),
    }
    renew(&mut json);
    let text = serde_json::to_string(&json)?;
    let summary = serde_json::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{}: {error}", at(&text, &error)))?;
    if let Some(nonsense) = nonsense(&json, "") {
        bail!("{} is no whole summary: {nonsense}", path.display());
    }
    Ok(summary)
}

/// Makes of what earlier versions wrote what it means now: a distribution of nothing had zeros, and a run that was interrupted
/// a verdict beside it.
fn renew(json: &mut Value) {
    if json["verdict"] == "pass" && json["interrupted"] == true {
        json["verdict"] = "interrupted".into();
    }
    forget_zeros(json);
}

fn forget_zeros(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            if is_distribution(fields) && fields["count"] == 0 {
                let points = fields.iter_mut().filter(|(name, _)| *name != "count");
                points.for_each(|(_, point)| *point = Value::Null);
            }
            fields.values_mut().for_each(forget_zeros);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_zeros),
        _ => {}
    }
}

type Fields = serde_json::Map<String, Value>;

/// Delays or scores: how many, and some points of them.
fn is_distribution(fields: &Fields) -> bool {
    fields.contains_key("count") && fields.contains_key("p50")
}

/// The first figure below `path` that no run can have.
fn nonsense(json: &Value, path: &str) -> Option<String> {
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match json {
        Value::Object(fields) => {
            let own = if is_distribution(fields) { torn(fields, path) } else { None };
            own.or_else(|| too_many(fields, path))
                .or_else(|| fields.iter().find_map(|(name, value)| nonsense(value, &below(name))))
        }
        Value::Array(items) => {
            (0..).zip(items).find_map(|(place, item)| nonsense(item, &format!("{path}[{place}]")))
        }
        Value::Number(number) if number.as_f64().is_some_and(|number| number < 0.0) => {
            Some(format!("{path} is {number}, and cannot be below 0"))
        }
        Value::Number(number) if is_share(path) && number.as_f64().is_some_and(|it| it > 1.0) => {
            Some(format!("{path} is {number}, and a share cannot be above 1"))
        }
        _ => None,
    }
}

/// Fields that are from 0 to 1.
fn is_share(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    ["asr", "ner", "ser", "seer", "isa", "scr", "heard_share", "success_share"].contains(&name)
        && !path.starts_with("thresholds")
}

/// A distribution that is counted and not told, or whose points are out of order.
fn torn(fields: &Fields, path: &str) -> Option<String> {
    if fields["count"] == 0 {
        return None;
    }
    let mut last: Option<(&str, f64)> = None;
    // Scores go down from p50, delays up.
    let (names, sign): (&[&str], f64) = match fields.contains_key("p5") {
        true => (&["p50", "p5", "p1", "min"], -1.0),
        false => (&["p50", "p90", "p95", "p99", "max"], 1.0),
    };
    for name in names {
        let Some(point) = fields.get(*name).and_then(Value::as_f64) else {
            return Some(format!(
                "{path}.{name} is missing, though {} were counted",
                fields["count"]
            ));
        };
        if let Some((before, lower)) = last.filter(|(_, lower)| point * sign < lower * sign) {
            return Some(format!(
                "{path}.{name} is {point}, and {path}.{before} {lower}: they are out of order"
            ));
        }
        last = Some((name, point));
    }
    None
}

/// More of a part than of the whole.
fn too_many(fields: &Fields, path: &str) -> Option<String> {
    let count = |name: &str| fields.get(name).and_then(Value::as_u64);
    for (part, whole) in [
        ("answered", "offered"),
        ("failed", "offered"),
        ("reached", "callers"),
        ("heard_both_ways", "calls"),
    ] {
        if let (Some(some), Some(all)) = (count(part), count(whole))
            && some > all
        {
            return Some(format!("{path}.{part} is {some}, of {all} {path}.{whole}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_summary_is_read_without_what_earlier_versions_lack_and_refused_without_more() {
        let desk = tempfile::tempdir().expect("a folder");
        let path = desk.path().join("summary.json");
        let read = |json: &Value| {
            fs::write(&path, json.to_string()).expect("a summary");
            read_summary(&path)
        };
        let summary = account::fixture::judged(Vec::new(), |_| ());
        let mut json = serde_json::to_value(&summary).expect("JSON");
        assert_eq!(read(&json).expect("our own"), summary);
        let fields = json.as_object_mut().expect("an object");
        for name in ["callers", "messages", "thresholds", "degraded", "interrupted", "media"] {
            fields.remove(name).expect("a field");
        }
        fields.insert("of_a_later_version".to_owned(), 7.into());
        assert_eq!(read(&json).expect("an earlier one").ledger, summary.ledger);
        // Where nothing was measured there stood zeros, and interrupted was no verdict.
        let mut earlier = json.clone();
        for point in ["count", "p50", "p90", "p95", "p99", "max"] {
            earlier["metrics"]["pdd"][point] = 0.into();
        }
        (earlier["verdict"], earlier["interrupted"]) = ("pass".into(), true.into());
        let renewed = read(&earlier).expect("an earlier one");
        assert_eq!(renewed.metrics.pdd, telemetry::Quantiles::default());
        assert_eq!(renewed.verdict, account::summary::RunVerdict::Interrupted);
        let refused = |json: &Value| format!("{:#}", read(json).expect_err("no summary"));
        json["ledger"].take();
        let why = refused(&json);
        assert!(why.contains("summary.json is no whole summary: ledger: "), "{why}");
        json["schema_version"] = 2.into();
        assert!(refused(&json).contains("version 2, which this program does not know"));
        assert!(refused(&Value::Null).contains("summary.json is no summary"));
    }

    #[test]
    fn what_no_run_can_have_measured_is_refused_by_name() {
        let desk = tempfile::tempdir().expect("a folder");
        let path = desk.path().join("baseline.json");
        let summary = account::fixture::judged(Vec::new(), |_| ());
        let whole = serde_json::to_value(&summary).expect("JSON");
        let refused = |text: &str| {
            fs::write(&path, text).expect("a summary");
            format!("{:#}", read_summary(&path).expect_err("nonsense"))
        };
        for (place, wrong, wanted) in [
            ("/metrics/pdd/p99", json!(-5), "metrics.pdd.p99: invalid value: integer `-5`"),
            ("/metrics/pdd/p99", json!("fast"), "metrics.pdd.p99: invalid type: string \"fast\""),
            ("/metrics/pdd/p99", json!(1.5), "metrics.pdd.p99: invalid type: floating point"),
            ("/metrics/pdd/p99", Value::Null, "metrics.pdd.p99 is missing, though 4 were counted"),
            ("/metrics/pdd/p50", json!(9_000_000), "out of order"),
            ("/metrics/calls_per_second", json!(-1.0), "metrics.calls_per_second is -1.0"),
            ("/metrics/asr", json!(1.5), "metrics.asr is 1.5, and a share cannot be above 1"),
            ("/ledger/answered", json!(5), "ledger.answered is 5, of 4 ledger.offered"),
            ("/ledger/offered", Value::Null, "ledger.offered: invalid type: null"),
            ("/verdict", json!("good"), "verdict: unknown variant `good`"),
        ] {
            let mut other = whole.clone();
            *other.pointer_mut(place).expect(place) = wrong;
            let why = refused(&other.to_string());
            assert!(
                why.contains("baseline.json is no whole summary: ") && why.contains(wanted),
                "{why}"
            );
        }
        let mut without = whole.clone();
        without["metrics"]["pdd"].as_object_mut().expect("delays").remove("count");
        let why = refused(&without.to_string());
        assert!(why.contains("metrics.pdd") && why.contains("missing field `count`"), "{why}");
        let nan = whole.to_string().replacen("\"p99\":", "\"p99\":NaN,\"old\":", 1);
        let why = refused(&nan);
        assert!(why.contains("baseline.json is no JSON: ") && why.contains(".p99: "), "{why}");
        assert!(refused(&whole.to_string()[..500]).contains("ends too soon"));
    }
}
