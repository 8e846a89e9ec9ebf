//! All that a page tells, before it is markup.

use std::time::Duration;

use account::outcome::{
    Downtime, TimelineEvent, VariantOutcome, comparison, events, harm_sentences, published_table,
    savings_table, sensitivity_table,
};
use account::series::Series;
use account::summary::Summary;
use campaign::Campaign;
use serde_json::Value;

/// All that a page tells.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    /// The run folder, as `tocsin show` takes it.
    pub(crate) folder: &'a str,
    /// What was typed to make this run.
    pub(crate) command: &'a str,
    /// `receipt.json`, where there is one.
    pub(crate) receipt: Option<&'a Value>,
    /// The time of day at the start of the campaign; zero where it has none.
    pub(crate) begins: Duration,
    /// How much faster than the wall's the clock of the run went.
    pub(crate) compression: f64,
    pub(crate) phases: Vec<PhaseSpan>,
    /// The run, and then its variants. Never empty.
    pub(crate) runs: Vec<PageRun<'a>>,
    /// The cells of the comparison with what was published, heads first; may be empty.
    pub(crate) comparison: Vec<Vec<String>>,
    /// Of a campaign that is about people who were not reached.
    pub(crate) outage: Option<Outage>,
}

/// What the page of an outage opens with.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// Who was not reached, first of all. Never empty.
    pub(crate) sentences: Vec<String>,
    /// What was published beside what was measured, heads first; may be empty.
    pub(crate) published: Vec<Vec<String>>,
    /// What each variant would have saved, heads first; may be empty.
    pub(crate) savings: Vec<Vec<String>>,
    /// What hangs on what was assumed, heads first; may be empty.
    pub(crate) sensitivity: Vec<Vec<String>>,
}

/// One run of the campaign.
#[derive(Debug)]
pub(crate) struct PageRun<'a> {
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) summary: &'a Summary,
    pub(crate) series: &'a Series,
    /// In the order of time.
    pub(crate) events: Vec<TimelineEvent>,
    /// When sites did not work.
    pub(crate) downtimes: &'a [Downtime],
}

/// A stretch of the campaign, since its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhaseSpan {
    pub(crate) name: String,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl<'a> Page<'a> {
    /// The page of a campaign that has been run.
    pub(crate) fn of(
        campaign: &Campaign,
        outcomes: &'a [VariantOutcome],
        folder: &'a str,
        command: &'a str,
        receipt: Option<&'a Value>,
    ) -> Self {
        let mut end = Duration::ZERO;
        let phase = |phase: &campaign::Phase| {
            let from = end;
            end += phase.duration;
            PhaseSpan { name: phase.name.clone(), from, to: end }
        };
        let run = |outcome: &'a VariantOutcome| PageRun {
            name: &outcome.name,
            title: &outcome.title,
            summary: &outcome.summary,
            series: &outcome.series,
            events: events(outcome, campaign.begins),
            downtimes: &outcome.downtimes,
        };
        Self {
            folder,
            command: command.trim(),
            receipt,
            begins: campaign.begins,
            compression: campaign.compression,
            phases: campaign.phases.iter().map(phase).collect(),
            runs: outcomes.iter().map(run).collect(),
            comparison: comparison(campaign, outcomes),
            outage: outcomes.first().and_then(|run| Outage::of(campaign, run, outcomes)),
        }
    }
}

impl Outage {
    fn of(campaign: &Campaign, run: &VariantOutcome, outcomes: &[VariantOutcome]) -> Option<Self> {
        let sentences = harm_sentences(campaign, outcomes);
        let sensitivity = run.summary.sensitivity.as_ref();
        (!sentences.is_empty()).then(|| Self {
            sentences,
            published: published_table(campaign, &run.summary.figures),
            savings: savings_table(&run.summary.savings),
            sensitivity: sensitivity.map_or_else(Vec::new, |it| sensitivity_table(it, run)),
        })
    }
}
