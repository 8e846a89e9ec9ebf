//! The section `[crisis]` of a campaign.

use std::time::Duration;

use topology::Distribution;
use topology::reader::{Raw, Table, kind};

use super::alarm_desk::AlarmSettings;
use super::complaints::{CallerSettings, OperatorSettings, PsapSettings};
use super::evidence::EvidenceWeights;
use super::harm::HarmSettings;
use crate::milestone::Milestone;

/// How people come to know, to act, and to tell others.
#[derive(Debug, Clone, PartialEq)]
pub struct CrisisSettings {
    pub harm: HarmSettings,
    pub alarms: AlarmSettings,
    pub evidence: EvidenceWeights,
    pub psaps: PsapSettings,
    pub operators: Vec<OperatorSettings>,
    pub callers: CallerSettings,
    /// With this much evidence something is known to be wrong.
    pub detect: f64,
    /// With this much, that emergency calls are hit.
    pub convince: f64,
    /// From there until it is understood.
    pub understand: Distribution,
    /// What follows, in the order of the milestones; what is not here does not happen.
    pub steps: Vec<Step>,
    pub diagnosis: Option<DiagnosisSettings>,
    /// All these steps take so many times longer while people cannot be reached, as their telephones are on the network that fails.
    pub staff_delay: f64,
    /// When each milestone was reached in truth, from the first harm.
    pub published: Vec<(Milestone, Duration)>,
}

/// A milestone that follows from another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub milestone: Milestone,
    pub after: Milestone,
    pub delay: Distribution,
}

/// How the cause is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiagnosisSettings {
    /// From understanding, with clear evidence and the crisis cell at work.
    pub work: Distribution,
    /// How much of that is done in the same time while it is not clear which commands did it.
    pub unclear: f64,
    /// And while the crisis cell is not at work.
    pub alone: f64,
}

impl Default for CrisisSettings {
    fn default() -> Self {
        Self {
            harm: HarmSettings::default(),
            alarms: AlarmSettings::default(),
            evidence: EvidenceWeights::default(),
            psaps: PsapSettings::default(),
            operators: Vec::new(),
            callers: CallerSettings::default(),
            detect: 0.2,
            convince: 1.0,
            understand: Distribution::Fixed(Duration::from_secs(300)),
            steps: Vec::new(),
            diagnosis: None,
            staff_delay: 1.0,
            published: Vec::new(),
        }
    }
}

const MOST: f64 = 1_000.0;

impl CrisisSettings {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        if table.document().holds("crisis.starts") {
            let message = "is no key any more: every alarm counts, each with its weight in [crisis.evidence]; take the \
                           line out";
            table.report("starts", message);
        }
        let weight = kind::number(0.0..=MOST);
        let activate = table.optional("activate", kind::distribution);
        // Who is told and what is published is decided by the crisis cell, where there is one.
        let cell = if activate.is_some() { Milestone::Activated } else { Milestone::Understood };
        let mut steps = Vec::new();
        let mut step = |milestone, after: &Milestone, delay: Option<Distribution>| {
            let after = after.clone();
            steps.extend(delay.map(|delay| Step { milestone, after, delay }));
        };
        step(Milestone::Activated, &Milestone::Understood, activate);
        step(Milestone::Advised, &cell, table.optional("advise", kind::distribution));
        step(Milestone::Published, &cell, table.optional("publish", kind::distribution));
        let diagnose = table.optional("diagnose", kind::distribution);
        let mut published = table.section("published", read_published);
        let informed = table.tables("inform", |inform| read_informed(inform, &mut published));
        for (index, Step { milestone, .. }) in informed.iter().enumerate() {
            if informed[..index].iter().any(|other| other.milestone == *milestone) {
                let key = format!("{}[{index}].who", table.path("inform"));
                table.document().report(&key, "is informed already; each is told once");
            }
        }
        steps.extend(informed);
        let settings = Self {
            harm: table.section("harm", HarmSettings::read),
            alarms: table.section("alarms", AlarmSettings::read),
            evidence: table.section("evidence", EvidenceWeights::read),
            psaps: table.section("psaps", PsapSettings::read),
            operators: table.tables("operators", OperatorSettings::read),
            callers: table.section("callers", CallerSettings::read),
            detect: table.or("detect", &weight, base.detect),
            convince: table.or("convince", &weight, base.convince),
            understand: table.or("understand", kind::distribution, base.understand),
            steps,
            diagnosis: table.section("diagnosis", |diagnosis| {
                let pace = kind::number(0.01..=1.0);
                let unclear = diagnosis.or("unclear", &pace, 0.5);
                let alone = diagnosis.or("alone", &pace, 0.5);
                diagnose.map(|work| DiagnosisSettings { work, unclear, alone })
            }),
            staff_delay: table.or("staff_delay", kind::number(1.0..=100.0), base.staff_delay),
            published,
        };
        settings.checked(table)
    }

    fn checked(self, table: &Table<'_>) -> Self {
        if self.detect > self.convince {
            table.report("detect", "must not exceed convince");
        }
        for (index, step) in self.steps.iter().enumerate() {
            if !self.reaches(&step.after) {
                let after = step.after.to_string();
                let message =
                    format!("{} waits for {after:?}, which [crisis] never reaches", step.milestone);
                let key =
                    format!("{}[{}].after", table.path("inform"), index - self.first_informed());
                table.document().report(&key, message);
            }
        }
        for (index, operator) in self.operators.iter().enumerate() {
            if self.operators[..index].iter().any(|other| other.name == operator.name) {
                let message = format!("another operator is called {:?} already", operator.name);
                let key = format!("{}[{index}].name", table.path("operators"));
                table.document().report(&key, message);
            }
        }
        self
    }

    /// Among the steps, the place of the first one of whom it says whom to inform.
    fn first_informed(&self) -> usize {
        let is_informed = |step: &Step| matches!(step.milestone, Milestone::Informed(_));
        self.steps.iter().position(is_informed).unwrap_or(self.steps.len())
    }

    /// Whether a crisis with these settings can reach `milestone`.
    #[must_use]
    pub fn reaches(&self, milestone: &Milestone) -> bool {
        match milestone {
            Milestone::Detected | Milestone::Understood | Milestone::Recovered => true,
            Milestone::Diagnosed => self.diagnosis.is_some(),
            other => self.steps.iter().any(|step| step.milestone == *other),
        }
    }

    /// What can be reached, in the order in which a report tells it.
    #[must_use]
    pub fn milestones(&self) -> Vec<Milestone> {
        let first = [Milestone::Detected, Milestone::Understood, Milestone::Activated];
        let informed = self.steps.iter().map(|step| &step.milestone);
        let informed = informed.filter(|one| matches!(one, Milestone::Informed(_))).cloned();
        let last =
            [Milestone::Advised, Milestone::Published, Milestone::Diagnosed, Milestone::Recovered];
        let all = first.into_iter().chain(informed).chain(last);
        all.filter(|milestone| self.reaches(milestone)).collect()
    }
}

impl HarmSettings {
    fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        Self {
            share: table.or("share", kind::share, base.share),
            least: table.or("least", kind::count(1..=1_000_000), 3).into(),
            over_after: table.or("over_after", positive, base.over_after),
        }
    }
}

impl AlarmSettings {
    fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        Self {
            believed: table.or("believed", kind::share, base.believed),
            delay: table.or("delay", kind::distribution, base.delay),
            again: table.or("again", positive, base.again),
            blamed: table.or("blamed", kind::share, base.blamed),
            maintenance: table.or("maintenance", kind::duration(Duration::ZERO), base.maintenance),
        }
    }
}

impl EvidenceWeights {
    fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        let weight = kind::number(0.0..=MOST);
        Self {
            emergency_alarm: table.or("emergency_alarm", &weight, base.emergency_alarm),
            arrivals_alarm: table.or("arrivals_alarm", &weight, base.arrivals_alarm),
            equipment_alarm: table.or("equipment_alarm", &weight, base.equipment_alarm),
            psap: table.or("psap", &weight, base.psap),
            operator: table.or("operator", &weight, base.operator),
            callers: table.or("callers", &weight, base.callers),
        }
    }
}

impl PsapSettings {
    fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        Self {
            below: table.or("below", kind::share, base.below),
            window: table.or("window", positive, base.window),
            cut: table.or("cut", kind::count(1..=1_000_000), 20).into(),
            delay: table.or("delay", kind::distribution, base.delay),
        }
    }
}

impl OperatorSettings {
    fn read(table: &Table<'_>) -> Self {
        let delay = Distribution::LogNormal { median: Duration::from_secs(1_200), sigma: 0.5 };
        Self {
            name: table.required("name", kind::text, String::new()).trim().to_owned(),
            trunk_groups: table.list("trunk_groups", kind::name),
            above: table.or("above", kind::share, 0.1),
            window: table.or("window", positive, Duration::from_secs(900)),
            delay: table.or("delay", kind::distribution, delay),
        }
    }
}

impl CallerSettings {
    fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        Self {
            complains: table.or("complains", kind::share, base.complains),
            delay: table.or("delay", kind::distribution, base.delay),
            needed: table.or("needed", kind::count(1..=1_000_000), 20).into(),
        }
    }
}

fn positive(raw: Raw<'_>) -> Result<Duration, String> {
    kind::duration(Duration::from_secs(1))(raw)
}

fn read_published(table: &Table<'_>) -> Vec<(Milestone, Duration)> {
    let keys = [
        ("detected", Milestone::Detected),
        ("understood", Milestone::Understood),
        ("activated", Milestone::Activated),
        ("advised", Milestone::Advised),
        ("published", Milestone::Published),
        ("diagnosed", Milestone::Diagnosed),
        ("recovered", Milestone::Recovered),
    ];
    let read =
        |(key, milestone)| Some((milestone, table.optional(key, kind::duration(Duration::ZERO))?));
    keys.into_iter().filter_map(read).collect()
}

/// One `[[crisis.inform]]`. A duration in `after` is a delay from understanding.
fn read_informed(table: &Table<'_>, published: &mut Vec<(Milestone, Duration)>) -> Step {
    let who = table.required("who", kind::text, String::new()).trim().to_owned();
    let milestone = Milestone::Informed(who);
    let in_truth = table.optional("published", kind::duration(Duration::ZERO));
    published.extend(in_truth.map(|at| (milestone.clone(), at)));
    let delay = table.optional("delay", kind::distribution);
    let zero = Distribution::Fixed(Duration::ZERO);
    let (after, own) = table.or("after", after, (Milestone::Understood, None));
    if own.is_some() && delay.is_some() {
        table.report("delay", "cannot stand beside a duration in after; name a milestone there");
    }
    Step { milestone, after, delay: own.or(delay).unwrap_or(zero) }
}

/// A milestone that people reach themselves, or a delay after understanding.
fn after(raw: Raw<'_>) -> Result<(Milestone, Option<Distribution>), String> {
    let refuse = || {
        format!(
            "must be \"detected\", \"understood\", \"activated\", \"advised\", \"published\" or \"diagnosed\", or a delay \
             after \"understood\" such as \"60m\", got {raw}"
        )
    };
    let text = kind::text(raw).map_err(|_| refuse())?;
    match text.parse() {
        Ok(Milestone::Informed(_) | Milestone::Recovered) => Err(refuse()),
        Ok(milestone) => Ok((milestone, None)),
        Err(_) => match text.parse() {
            Ok(delay) => Ok((Milestone::Understood, Some(delay))),
            Err(_) => Err(refuse()),
        },
    }
}
