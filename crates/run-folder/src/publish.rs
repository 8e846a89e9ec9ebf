//! What is told of a run, in its folder: first all that has no verdict in it, then all that has one, in one voice.
//!
//! ```text
//!   chronicle.json, pictures, comparison.txt      evidence: written as it comes
//!        │ what the disk refuses is a reason
//!        ▼
//!   verdict ◄────────────────────────────────────────┐ one more reason
//!        │                                           │
//!   report.html  junit.xml  summary-VARIANT.json     │
//!   report.txt   calls.sqlite  receipt.json ─► staged under other names ─► named, one after the other
//!   summary.json                                     │                            │
//!                                                    └──────── refused ───────────┘
//! ```
//!
//! So whatever is left says the same, and so do the exit code and what is printed. What was refused once is not tried again,
//! and an older file of its name goes: it would speak of another verdict.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use account::outcome::{
    BASE, OperationsReport, RUN, VariantOutcome, count_variants, harm_text, judge_figures, relate,
    seeds_csv, sensitivity_csv, table, tell_comparison, timeline_json, timeline_text,
};
use account::{junit, lone_report, report};
use campaign::{Campaign, Time};
use page::{page, pictures};
use serde_json::Value;
use telemetry::visible;

use crate::database::Database;
use crate::folder::{CALLS, Folder};
use crate::missing::{Missing, unwritten};
use crate::receipt::{Receipt, command_line};

/// The report of a run, and the exit code that it comes to.
#[derive(Debug)]
pub struct Published {
    pub text: String,
    pub exit_code: u8,
}

/// A run that was judged, and the database of its attempts, which has still to hear the verdict.
#[derive(Debug)]
pub struct ClosedRun {
    pub outcome: VariantOutcome,
    /// Of the one run whose attempts are written down.
    pub database: Option<Database>,
}

/// Writes what is told of a run, or of a campaign and its variants, the campaign first. What the disk refuses is missing in
/// the folder and a reason in the report, and the verdict is the same wherever it stands.
///
/// # Panics
/// When there is no run.
pub fn publish(
    folder: &Folder,
    campaign: &Campaign,
    runs: Vec<ClosedRun>,
    time: Time,
    campaign_start: Duration,
) -> Published {
    let (mut outcomes, databases): (Vec<_>, Vec<_>) =
        runs.into_iter().map(|run| (run.outcome, run.database)).unzip();
    relate(&mut outcomes);
    outcomes.iter_mut().for_each(judge_figures);
    tell_comparison(campaign, &mut outcomes);
    count_variants(&mut outcomes);
    let mut voice = Voice {
        folder,
        campaign,
        time,
        outcomes,
        database: databases.into_iter().flatten().next(),
        refused: Vec::new(),
    };
    voice.lay_down_evidence(campaign_start);
    while let Err(refused) = voice.stage().and_then(|staged| voice.name(staged)) {
        voice.give_up(refused);
    }
    Published { text: voice.text(), exit_code: voice.verdict().summary.exit_code() }
}

/// Files that could not be written, and why.
type Refused = Vec<(String, anyhow::Error)>;

/// Everything that says the verdict.
struct Voice<'a> {
    folder: &'a Folder,
    campaign: &'a Campaign,
    time: Time,
    /// The first one's verdict is that of the run.
    outcomes: Vec<VariantOutcome>,
    database: Option<Database>,
    /// Names of files that are not tried again.
    refused: Vec<String>,
}

impl Voice<'_> {
    fn verdict(&self) -> &VariantOutcome {
        self.outcomes.first().expect("a campaign that has been run")
    }

    fn is_story(&self) -> bool {
        // A campaign that has none of these may have got some by hand.
        let is_story = |outcome: &VariantOutcome| {
            let OperationsReport { commands, faults, notes, .. } = &outcome.operations;
            !(commands.is_empty() && faults.is_empty() && notes.is_empty())
        };
        self.time == Time::Virtual
            || self.campaign.operations.is_eventful()
            || self.outcomes.iter().any(is_story)
    }

    /// Writes what has no verdict in it.
    fn lay_down_evidence(&mut self, campaign_start: Duration) {
        let mut missing = Missing::default();
        let mut write = |name: &str, text: anyhow::Result<String>| {
            missing.note(name, text.and_then(|text| self.folder.replace(name, &text)));
        };
        if self.is_story() {
            for outcome in &self.outcomes {
                let text = serde_json::to_string_pretty(&timeline_json(outcome, campaign_start));
                write(&named("chronicle", outcome), text.map_err(Into::into));
            }
        }
        for (name, svg) in pictures(self.campaign, &self.outcomes) {
            write(name, Ok(svg));
        }
        if self.time == Time::Virtual {
            write(
                "comparison.txt",
                Ok(visible(&table(self.campaign, &self.outcomes)).into_owned()),
            );
        }
        if self.outcomes.iter().any(|outcome| outcome.seeds.len() > 1) {
            write("seeds.csv", Ok(seeds_csv(&self.outcomes)));
        }
        let sensitivity = self.outcomes.first().and_then(|it| it.summary.sensitivity.as_ref());
        if let Some(figures) = sensitivity {
            write("sensitivity.csv", Ok(sensitivity_csv(figures)));
        }
        let Some(first) = self.outcomes.first_mut() else { return };
        missing.sentences.into_iter().for_each(|why| first.summary.degrade(why));
    }

    /// What is printed, and stands in `report.txt`.
    fn text(&self) -> String {
        let first = self.verdict();
        // What does not fit is in summary.json, if that is there.
        let is_kept = !self.refused.contains(&named("summary", first));
        let tell = if is_kept { report } else { lone_report };
        let mut text = harm_text(self.campaign, &self.outcomes);
        if !text.is_empty() {
            text.push('\n');
        }
        text += &tell(&first.summary);
        if self.is_story() {
            text += &format!("\n{}", timeline_text(first, self.campaign.begins));
        }
        let table = table(self.campaign, &self.outcomes);
        if !table.is_empty() {
            text += &format!("\n{table}");
        }
        visible(&text).into_owned()
    }

    /// Everything that says the verdict, as it is now, by the names of its files; `summary.json` last.
    fn texts(&self) -> Vec<(String, anyhow::Result<String>)> {
        let pretty = |outcome: &VariantOutcome| {
            serde_json::to_string_pretty(&outcome.summary).map_err(Into::into)
        };
        let (first, others) = self.outcomes.split_first().expect("a campaign that has been run");
        let mut texts = vec![
            ("report.html".to_owned(), Ok(self.html())),
            ("junit.xml".to_owned(), junit(&first.summary)),
        ];
        texts.extend(others.iter().map(|other| (named("summary", other), pretty(other))));
        texts.push(("report.txt".to_owned(), Ok(self.text())));
        texts.push((named("summary", first), pretty(first)));
        texts
    }

    /// Writes all of it under other names. The names of what is ready, in the order in which it gets them.
    fn stage(&self) -> Result<Vec<String>, Refused> {
        let (mut staged, mut refused) = (Vec::new(), Vec::new());
        if let Some(database) = &self.database
            && let Err(error) = database.judge(&self.outcomes[0].summary)
        {
            refused.push((CALLS.to_owned(), error));
        }
        for (name, text) in self.texts() {
            if self.refused.contains(&name) {
                continue;
            }
            match text.and_then(|text| self.folder.stage(&name, &text)) {
                Ok(()) => staged.push(name),
                Err(error) => refused.push((name, error)),
            }
        }
        // It lists all others, so it comes after them; what decides gets its name last.
        let name = Receipt::NAME.to_owned();
        if !self.refused.contains(&name) {
            match Receipt::close(self.folder, &self.verdict().summary) {
                Ok(()) => staged.insert(staged.len().saturating_sub(1), name),
                Err(error) => refused.push((name, error)),
            }
        }
        if refused.is_empty() { Ok(staged) } else { Err(refused) }
    }

    /// Gives everything its name.
    fn name(&mut self, staged: Vec<String>) -> Result<(), Refused> {
        let mut refused = Vec::new();
        if let Some(database) = &mut self.database
            && let Err(error) = database.name()
        {
            refused.push((CALLS.to_owned(), error));
        }
        for name in staged {
            if let Err(error) = self.folder.name(&name) {
                refused.push((name, error));
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }

    /// Goes on without what was refused, and says so.
    fn give_up(&mut self, refused: Refused) {
        for (name, error) in refused {
            self.outcomes[0].summary.degrade(unwritten(&name, &error));
            let stale: PathBuf = self.folder.path().join(&name);
            let _ = fs::remove_file(stale);
            if name == CALLS {
                self.database = None;
            }
            self.refused.push(name);
        }
    }

    fn html(&self) -> String {
        let receipt: Value = Receipt::of(self.folder, &self.verdict().summary);
        let path = self.folder.path().to_string_lossy();
        let repeat = receipt["repeat"].as_str();
        let command = repeat.map_or_else(command_line, str::to_owned);
        page(self.campaign, &self.outcomes, &path, &command, Some(&receipt))
    }
}

/// The file of a run, or of the campaign itself, has a name without its own.
fn named(file: &str, outcome: &VariantOutcome) -> String {
    match &outcome.name[..] {
        RUN | BASE => format!("{file}.json"),
        name => format!("{file}-{name}.json"),
    }
}
