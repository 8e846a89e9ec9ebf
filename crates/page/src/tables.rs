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

/// Ordinary callers dial many numbers, each of them a few times: nobody reads a table of hundreds of lines.
const MOST_GROUPS: usize = 30;

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
    let mut shown: Vec<(&String, &GroupMetrics)> = groups.iter().collect();
    shown.sort_by_key(|(_, group)| std::cmp::Reverse(group.offered));
    shown.truncate(MOST_GROUPS);
    shown.sort_unstable_by_key(|(name, _)| *name);
    let rows: Vec<Vec<String>> =
        shown.into_iter().map(|(name, group)| cells(name, group)).collect();
    let left = groups.len() - rows.len();
    html! {
        (table(caption, &heads, &rows))
        @if left > 0 {
            p.note { "Those with most calls; " (left) " more are in summary.json." }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_numbers_those_with_most_calls_are_shown_and_the_others_counted() {
        let with = |offered| GroupMetrics { offered, ..GroupMetrics::default() };
        let few = (0..40).map(|number| (format!("02000000{number:02}"), with(1)));
        let mut groups: BTreeMap<String, GroupMetrics> = few.collect();
        groups.insert("15".to_owned(), with(900));
        groups.insert("900".to_owned(), with(800));
        let html = group("By number dialled", "number", &groups).into_string();
        assert!(html.contains(">15<") && html.contains(">900<"), "{html}");
        assert!(html.contains("12 more are in summary.json"), "{html}");
        groups.retain(|_, group| group.offered > 1);
        let html = group("By number dialled", "number", &groups).into_string();
        assert!(!html.contains("more are in"), "{html}");
    }
}
