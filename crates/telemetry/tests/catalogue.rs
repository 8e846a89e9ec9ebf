//! The documents and the schema of campaigns have each metric of the catalogue, in its words.

use std::path::Path;

use serde_json::{Value, json};
use telemetry::metric::{Definition, Metric, NAMES};

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The row of a metric in the manual.
fn row(metric: &Definition) -> String {
    let Definition { key, field, short, title, formula, standard, .. } = metric;
    let field = if key == field { String::new() } else { format!(" (`{field}`)") };
    let row = format!("| `{key}`{field} | {short} | {title} | {formula} | {standard} |");
    row.replace("|  |", "| |")
}

#[test]
fn the_manual_has_a_row_for_each_metric() {
    let manual = file("docs/tester.md");
    let rows = NAMES.iter().map(|(_, metric)| row(&metric.definition()));
    let mut missing: Vec<String> =
        rows.filter(|row| !manual.lines().any(|line| line == row)).collect();
    missing.dedup();
    assert!(missing.is_empty(), "docs/tester.md, Metrics, lacks\n{}", missing.join("\n"));
}

/// Whether a row of keys names a metric: in full, or with `Q` for one of the quantiles that the row lists.
fn names(row: &str, name: &str, metric: Metric) -> bool {
    let has = |name: &str| row.contains(&format!("`{name}`"));
    let key = metric.definition().key;
    let quantile = name.strip_prefix(key).expect("a name begins with the key of its metric");
    has(name) || (has(&format!("{key}_Q")) && has(quantile.trim_start_matches('_')))
}

#[test]
fn the_keys_of_campaigns_name_each_metric() {
    let keys = file("configs/README.md");
    let (_, section) = keys.split_once("| **`[[thresholds]]`** |").expect("a section");
    let row = section.lines().nth(1).expect("a row for the metric");
    for (name, metric) in NAMES {
        assert!(names(row, name, metric), "configs/README.md, thresholds, does not name {name}");
    }
}

#[test]
fn the_schema_of_campaigns_takes_the_names_of_the_catalogue() {
    let schema: Value =
        serde_json::from_str(&file("docs/schema/campaign.schema.json")).expect("JSON");
    let metrics = |section: &str| {
        let place = format!("/properties/{section}/items/properties/metric/enum");
        schema.pointer(&place).unwrap_or_else(|| panic!("{place} is not there"))
    };
    let names = |has: fn(Metric) -> bool| {
        let names = NAMES.iter().filter(|(_, metric)| has(*metric)).map(|(name, _)| *name);
        json!(names.collect::<Vec<_>>())
    };
    assert_eq!(metrics("thresholds"), &names(|_| true));
    assert_eq!(metrics("steady_state"), &names(|metric| metric.definition().is_live));
}
