//! The same figures by site, trunk group, number, département and PSAP.

use std::collections::BTreeMap;

use account::summary::{GroupMetrics, Summary};
use maud::{Markup, html};

use crate::figures::{count, decimal, millis, part, percent, quantile, table};

/// A table for each kind of group.
pub(crate) fn groups(summary: &Summary) -> Markup {
    let metrics = &summary.metrics;
    html! {
        (group("By site", "site", &metrics.by_site))
        (group("By trunk group", "trunk group", &metrics.by_trunk_group))
        (group("By number dialled", "number", &metrics.by_number))
        @if metrics.by_department.len() > 1 {
            (group("By département of the caller", "département", &metrics.by_department))
        }
        (psaps(summary))
    }
}

const HEADS: [&str; 10] = [
    "offered",
    "share",
    "answered",
    "answered share",
    "failed",
    "NER",
    "circuits in use",
    "pdd p50, ms",
    "pdd p99, ms",
    "pdd max, ms",
];

fn cells(name: &str, group: &GroupMetrics) -> Vec<String> {
    vec![
        name.to_owned(),
        count(group.offered),
        percent(Some(group.share)),
        count(group.answered),
        percent(part(group.answered, group.offered)),
        count(group.failed),
        percent(group.ratios.ner),
        match group.occupancy {
            Some(share) => format!("{} ({})", decimal(group.erlang, 1), percent(Some(share))),
            None => decimal(group.erlang, 1),
        },
        quantile(&group.pdd, |pdd| pdd.p50),
        quantile(&group.pdd, |pdd| pdd.p99),
        quantile(&group.pdd, |pdd| pdd.max),
    ]
}

fn group(caption: &str, name: &str, groups: &BTreeMap<String, GroupMetrics>) -> Markup {
    if groups.is_empty() {
        return Markup::default();
    }
    let heads: Vec<&str> = std::iter::once(name).chain(HEADS).collect();
    let rows = groups.iter().map(|(name, group)| cells(name, group));
    table(caption, &heads, &rows.collect::<Vec<_>>())
}

/// What callers say of each PSAP, and what its own records say.
fn psaps(summary: &Summary) -> Markup {
    let by_callers = group("By PSAP, as callers saw it", "PSAP", &summary.metrics.by_psap);
    let rows = summary.psaps.iter().map(|(name, psap)| {
        vec![
            name.clone(),
            count(psap.received),
            count(psap.answered),
            count(psap.abandoned),
            percent(psap.service_level),
            millis((psap.target_s * 1e6).round() as u64),
            quantile(&psap.wait, |wait| wait.p50),
            quantile(&psap.wait, |wait| wait.p99),
            quantile(&psap.wait, |wait| wait.max),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let heads = [
        "PSAP",
        "received",
        "answered",
        "abandoned",
        "in time",
        "target, ms",
        "wait p50, ms",
        "wait p99, ms",
        "wait max, ms",
    ];
    html! {
        (by_callers)
        @if !rows.is_empty() { (table("By PSAP, by its own records", &heads, &rows)) }
    }
}
