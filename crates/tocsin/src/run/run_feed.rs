//! What is told of a run to those who watch it by the management API: each second how it stands, and what happens as it happens.

use std::collections::BTreeMap;
use std::time::Duration;

use account::summary::measured_so_far;
use cli::manage::{ImpairedView, LiveFeed, Moment, RunCounts, RunView, ThresholdView};
use conductor::{ActingFault, Conductor, Stage as _};
use contract::GeneratorSnapshot;
use operations::FaultKind;
use run_folder::Folder;
use telemetry::metric::{Metric, Quantile};

use super::display::against_generator;
use super::prepared::Prepared;
use super::stage::Processes;
use crate::screen::{self, Notes, RunStatus};

/// Tells a run to a [`LiveFeed`].
pub(super) struct RunFeed<'a> {
    prepared: &'a Prepared,
    run: String,
    feed: LiveFeed,
    notes: Notes,
    status: RunStatus,
    moment: Option<Moment>,
    /// The counts of the callers when they were looked at last, and when that was.
    last: (Duration, GeneratorSnapshot),
}

impl<'a> RunFeed<'a> {
    pub(super) fn new(prepared: &'a Prepared, folder: &Folder, feed: LiveFeed) -> Self {
        let name = folder.path().file_name().unwrap_or_default();
        Self {
            prepared,
            run: name.to_string_lossy().into_owned(),
            feed,
            notes: Notes::default(),
            status: RunStatus::Running,
            moment: None,
            last: (Duration::ZERO, GeneratorSnapshot::default()),
        }
    }

    /// Somebody wants the run to end.
    pub(super) const fn ending(&mut self, urgent: bool) {
        self.status = if urgent { RunStatus::Stopping } else { RunStatus::Draining };
    }

    /// Tells what has happened since the last time.
    pub(super) fn note(&mut self, stage: &Processes<'_>, conductor: &Conductor) {
        self.notes.take(stage.time(), conductor, &stage.fleet.losses(), stage.detections());
        for note in self.notes.drain().filter(|note| !note.is_told) {
            self.feed.tell(note.kind, Some(note.at.as_secs_f64()), &note.text);
        }
    }

    /// Tells how the run stands. To be called once a second.
    pub(super) fn look(&mut self, stage: &Processes<'_>, conductor: &Conductor) {
        self.note(stage, conductor);
        let (at, callers) = (stage.time(), stage.fleet.generators());
        let Prepared { campaign, .. } = self.prepared;
        let mut against = against_generator(&stage.fleet, campaign);
        against.extend(stage.fleet.losses());
        let status = match self.status {
            RunStatus::Running => "running",
            RunStatus::Draining => "draining",
            RunStatus::Stopping => "stopping",
        };
        let since = at.saturating_sub(self.last.0).as_secs_f64();
        if since > 0.5 {
            let moment = moment(at, since, &self.last.1, &callers);
            self.feed.add(moment.clone());
            (self.moment, self.last) = (Some(moment), (at, callers.clone()));
        }
        let thresholds = screen::standing(&campaign.thresholds, &callers).into_iter();
        self.feed.show(RunView {
            run: self.run.clone(),
            campaign: campaign.name.clone(),
            seed: campaign.seed,
            phase: screen::phase(campaign, at),
            elapsed_s: at.as_secs_f64(),
            length_s: campaign.duration().as_secs_f64(),
            status: status.to_owned(),
            counts: counts(&callers),
            moment: self.moment.clone(),
            against,
            alarms: raised(conductor),
            thresholds: thresholds
                .map(|row| ThresholdView {
                    subject: row.subject,
                    measured: row.measured,
                    bounds: row.bounds,
                    holds: row.holds,
                })
                .collect(),
            load: conductor.load_by_hand().map(str::to_owned).collect(),
            impaired: conductor.acting_faults().map(impaired).collect(),
            verdict: None,
        });
    }
}

fn counts(callers: &GeneratorSnapshot) -> RunCounts {
    RunCounts {
        offered: callers.offered,
        answered: callers.answered + callers.talking,
        rejected: callers.rejected,
        timed_out: callers.timed_out,
        lost: callers.lost,
        abandoned: callers.abandoned,
        in_progress: callers.in_progress,
        talking: callers.talking,
        not_started: callers.not_started,
        held_back: callers.held_back,
        surged: callers.surged,
        asr: measured_so_far(callers, Metric::Asr),
        pdd_p50_us: callers.pdd.at(Quantile::P50),
        pdd_p99_us: callers.pdd.at(Quantile::P99),
    }
}

/// A count of the callers.
type Count = fn(&GeneratorSnapshot) -> u64;

/// What was counted within `since` seconds until `at`.
fn moment(at: Duration, since: f64, last: &GeneratorSnapshot, now: &GeneratorSnapshot) -> Moment {
    let more = |of: Count| of(now).saturating_sub(of(last)) as f64;
    let rate = |of| more(of) / since;
    let failed: [(&str, Count); 4] = [
        ("rejected", |it| it.rejected),
        ("timed_out", |it| it.timed_out),
        ("lost", |it| it.lost),
        ("abandoned", |it| it.abandoned),
    ];
    let (sent, received) = (more(|it| it.media.sent), more(|it| it.media.received));
    let pdd = now.pdd.since(&last.pdd);
    Moment {
        at_s: at.as_secs_f64(),
        offered: rate(|it| it.offered),
        answered: rate(|it| it.answered + it.talking),
        failed: failed
            .map(|(name, of)| (name.to_owned(), rate(of)))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        pdd_p50_us: pdd.at(Quantile::P50),
        pdd_p95_us: pdd.at(Quantile::P95),
        pdd_p99_us: pdd.at(Quantile::P99),
        heard: (sent > 0.0).then(|| (received / sent).min(1.0)),
        lag_p99_us: now.lag.since(&last.lag).at(Quantile::P99),
        in_progress: now.in_progress,
    }
}

/// The sentences of alarms that are not over.
fn raised(conductor: &Conductor) -> Vec<String> {
    let alarms = conductor.alarms();
    let is_over = |place: usize| {
        let alarm = &alarms[place];
        let same =
            |other: &operations::Alarm| other.rule == alarm.rule && other.labels == alarm.labels;
        alarms[place + 1..].iter().any(|other| same(other) && !other.is_raised())
    };
    let open = (0..alarms.len()).filter(|place| alarms[*place].is_raised() && !is_over(*place));
    open.map(|place| format!("{}: {}", alarms[place].rule, alarms[place].sentence)).collect()
}

fn impaired(ActingFault { number, fault, by, until, .. }: ActingFault<'_>) -> ImpairedView {
    let (kind, other, what) = match &fault.what {
        FaultKind::Impair { other, what, .. } => ("impaired", other.clone(), what.to_string()),
        FaultKind::Kill => ("killed", None, "has no power".to_owned()),
        _ => ("frozen", None, "stands still".to_owned()),
    };
    ImpairedView {
        number,
        kind: kind.to_owned(),
        by: by.map(str::to_owned),
        until_s: until.map(|until| until.as_secs_f64()),
        of: fault.target.clone(),
        other,
        what,
    }
}
