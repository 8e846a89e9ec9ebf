//! A crisis: how long people need to notice, to understand, to tell others and to find the cause.
//!
//! It begins with an alarm. Each delay of the settings is counted from there, none from another
//! milestone, as reports of outages count them: "after an hour", "after two hours". What has no delay
//! does not happen. Once emergency calls are answered again, nothing further is done.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::reader::{Table, kind};

use crate::log::seconds;
use crate::milestone::Milestone;
use crate::supervision::Alarm;

/// The section `[crisis]` of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrisisSettings {
    pub starts: Starts,
    /// What is reached how long after the start, in the order of time.
    pub delays: Vec<(Milestone, Duration)>,
}

/// Which alarm begins the crisis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Starts {
    FirstAlarm,
    /// The first alarm of this rule.
    Rule(String),
}

/// A milestone that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// Since the start of the campaign.
    #[serde(rename = "at_s", serialize_with = "seconds::serialize")]
    pub at: Duration,
    pub milestone: Milestone,
}

/// A crisis as it unfolds.
#[derive(Debug)]
pub struct Crisis {
    settings: CrisisSettings,
    fault_at: Option<Duration>,
    detected_at: Option<Duration>,
    recovered_at: Option<Duration>,
    /// How many of the delays are over.
    passed: usize,
    log: Vec<Reached>,
}

/// How long everything took, in seconds from the first fault. What did not happen is `null`; what
/// happened before the fault is negative.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CrisisReport {
    /// From the start of the campaign.
    pub fault_at_s: Option<f64>,
    pub detected_s: Option<f64>,
    pub understood_s: Option<f64>,
    pub activated_s: Option<f64>,
    pub informed: Vec<Informed>,
    pub advised_s: Option<f64>,
    pub published_s: Option<f64>,
    pub diagnosed_s: Option<f64>,
    pub recovered_s: Option<f64>,
}

/// When somebody outside was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Informed {
    pub who: String,
    pub after_s: Option<f64>,
}

impl CrisisSettings {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let any = kind::duration(Duration::ZERO);
        let starts = table.or("starts", kind::name, FIRST_ALARM.to_owned());
        let mut delays = Vec::new();
        for (key, milestone) in [
            ("understand", Milestone::Understood),
            ("activate", Milestone::Activated),
            ("advise", Milestone::Advised),
            ("publish", Milestone::Published),
            ("diagnose", Milestone::Diagnosed),
        ] {
            delays.extend(table.optional(key, &any).map(|delay| (milestone, delay)));
        }
        let informed = table.tables("inform", |inform| {
            let who = inform.required("who", kind::text, String::new()).trim().to_owned();
            (Milestone::Informed(who), inform.required("after", &any, Duration::ZERO))
        });
        for (index, (milestone, _)) in informed.iter().enumerate() {
            if informed[..index].iter().any(|(other, _)| other == milestone) {
                let key = format!("{}[{index}].who", table.path("inform"));
                table.document().report(&key, "is informed already; each is told once");
            }
        }
        delays.extend(informed);
        // Equal delays stay as they are above: understood before activated, activated before informed.
        delays.sort_by(|(one, a), (other, b)| a.cmp(b).then_with(|| one.cmp(other)));
        let starts = match starts == FIRST_ALARM {
            true => Starts::FirstAlarm,
            false => Starts::Rule(starts),
        };
        Self { starts, delays }
    }

    /// Whether a crisis with these settings can reach `milestone`.
    #[must_use]
    pub fn reaches(&self, milestone: &Milestone) -> bool {
        matches!(milestone, Milestone::Detected | Milestone::Recovered)
            || self.delays.iter().any(|(one, _)| one == milestone)
    }
}

const FIRST_ALARM: &str = "first-alarm";

impl Crisis {
    /// A crisis that has not begun.
    #[must_use]
    pub fn new(settings: &CrisisSettings) -> Self {
        Self {
            settings: settings.clone(),
            fault_at: None,
            detected_at: None,
            recovered_at: None,
            passed: 0,
            log: Vec::new(),
        }
    }

    /// Takes note of a fault. The first one is what the report counts from.
    pub fn fault(&mut self, at: Duration) {
        self.fault_at.get_or_insert(at);
    }

    /// Takes note of an alarm, which may begin the crisis.
    pub fn alarm(&mut self, at: Duration, alarm: &Alarm) {
        let begins = match &self.settings.starts {
            Starts::FirstAlarm => true,
            Starts::Rule(rule) => alarm.rule == *rule,
        };
        if alarm.is_raised() && begins && self.recovered_at.is_none() {
            self.detected_at.get_or_insert(at);
        }
    }

    /// Takes note that emergency calls are answered as before. Only the first time counts.
    pub fn recovered(&mut self, at: Duration) {
        self.recovered_at.get_or_insert(at);
    }

    /// The next milestone that is reached by `at`.
    pub fn poll(&mut self, at: Duration) -> Option<Milestone> {
        let (due, milestone) = self.next().filter(|(due, _)| *due <= at)?;
        if milestone != Milestone::Detected && milestone != Milestone::Recovered {
            self.passed += 1;
        }
        self.log.push(Reached { at: due, milestone: milestone.clone() });
        Some(milestone)
    }

    /// When the next milestone is reached, as far as it is known now.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.next().map(|(due, _)| due)
    }

    /// The milestones that were polled, in the order of time.
    #[must_use]
    pub fn log(&self) -> &[Reached] {
        &self.log
    }

    /// How long it all took, by the milestones that were polled.
    #[must_use]
    pub fn report(&self) -> CrisisReport {
        let after = |milestone: &Milestone| {
            let reached = self.log.iter().find(|reached| reached.milestone == *milestone)?;
            Some(reached.at.as_secs_f64() - self.fault_at?.as_secs_f64())
        };
        let informed = self.settings.delays.iter().filter_map(|(milestone, _)| match milestone {
            Milestone::Informed(who) => {
                Some(Informed { who: who.clone(), after_s: after(milestone) })
            }
            _ => None,
        });
        CrisisReport {
            fault_at_s: self.fault_at.map(|at| at.as_secs_f64()),
            detected_s: after(&Milestone::Detected),
            understood_s: after(&Milestone::Understood),
            activated_s: after(&Milestone::Activated),
            informed: informed.collect(),
            advised_s: after(&Milestone::Advised),
            published_s: after(&Milestone::Published),
            diagnosed_s: after(&Milestone::Diagnosed),
            recovered_s: after(&Milestone::Recovered),
        }
    }

    /// What comes next and when: detected, then the delays, and recovered before any that is later.
    fn next(&self) -> Option<(Duration, Milestone)> {
        let was = |milestone| self.log.iter().any(|reached| reached.milestone == milestone);
        if was(Milestone::Recovered) {
            return None;
        }
        let recovered = self.recovered_at.map(|at| (at, Milestone::Recovered));
        let ahead = match self.detected_at {
            Some(at) if !was(Milestone::Detected) => Some((at, Milestone::Detected)),
            Some(at) => {
                let next = self.settings.delays.get(self.passed);
                next.map(|(milestone, delay)| (at + *delay, milestone.clone()))
            }
            None => None,
        };
        match (ahead, recovered) {
            (Some(ahead), Some(recovered)) if ahead.0 > recovered.0 => Some(recovered),
            (ahead, recovered) => ahead.or(recovered),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::supervision::{AlarmState, Severity};

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    fn alarm(rule: &str, state: AlarmState) -> Alarm {
        Alarm {
            at: Duration::ZERO,
            raised_at: Duration::ZERO,
            state,
            rule: rule.to_owned(),
            severity: Severity::Warning,
            labels: BTreeMap::new(),
            value: 0.5,
            threshold: 0.9,
            sentence: String::new(),
        }
    }

    fn settings() -> CrisisSettings {
        let informed = Milestone::Informed("SAMU".to_owned());
        CrisisSettings {
            starts: Starts::Rule("emergency".to_owned()),
            delays: vec![
                (Milestone::Understood, minutes(60)),
                (informed, minutes(75)),
                (Milestone::Diagnosed, minutes(200)),
            ],
        }
    }

    #[test]
    fn milestones_follow_the_alarm_of_the_rule() {
        let mut crisis = Crisis::new(&settings());
        crisis.fault(minutes(44));
        crisis.fault(minutes(45));
        crisis.alarm(minutes(46), &alarm("restarts", AlarmState::Raised));
        crisis.alarm(minutes(47), &alarm("emergency", AlarmState::Cleared));
        assert_eq!(crisis.next_due(), None);
        crisis.alarm(minutes(48), &alarm("emergency", AlarmState::Raised));
        crisis.alarm(minutes(52), &alarm("emergency", AlarmState::Raised));
        assert_eq!(crisis.poll(minutes(48)), Some(Milestone::Detected));
        assert_eq!(crisis.poll(minutes(48)), None);
        assert_eq!(crisis.next_due(), Some(minutes(108)));
        assert_eq!(crisis.poll(minutes(124)), Some(Milestone::Understood));
        assert_eq!(crisis.poll(minutes(124)), Some(Milestone::Informed("SAMU".to_owned())));
        assert_eq!(crisis.poll(minutes(124)), None);
        crisis.recovered(minutes(240));
        crisis.recovered(minutes(241));
        assert_eq!(crisis.poll(minutes(239)), None);
        assert_eq!(crisis.poll(minutes(300)), Some(Milestone::Recovered));
        // The cause is not looked for any more.
        assert_eq!((crisis.poll(minutes(300)), crisis.next_due()), (None, None));

        let report = serde_json::to_value(crisis.report()).expect("plain JSON");
        let wanted = serde_json::json!({
            "fault_at_s": 2640.0, "detected_s": 240.0, "understood_s": 3840.0,
            "activated_s": null, "informed": [{"who": "SAMU", "after_s": 4740.0}],
            "advised_s": null, "published_s": null, "diagnosed_s": null, "recovered_s": 11760.0,
        });
        assert_eq!(report, wanted);
        let log = serde_json::to_value(crisis.log()).expect("plain JSON");
        assert_eq!(log[2], serde_json::json!({"at_s": 7380.0, "milestone": "informed:SAMU"}));
    }

    #[test]
    fn a_fault_that_nobody_notices_still_ends() {
        let mut crisis = Crisis::new(&settings());
        crisis.fault(minutes(1));
        crisis.recovered(minutes(3));
        crisis.alarm(minutes(4), &alarm("emergency", AlarmState::Raised));
        assert_eq!(crisis.poll(minutes(9)), Some(Milestone::Recovered));
        assert_eq!(crisis.poll(minutes(9)), None);
        let report = crisis.report();
        assert_eq!((report.detected_s, report.recovered_s), (None, Some(120.0)));
    }

    #[test]
    fn without_a_fault_nothing_is_measured() {
        let mut crisis = Crisis::new(&CrisisSettings { starts: Starts::FirstAlarm, ..settings() });
        crisis.alarm(minutes(2), &alarm("anything", AlarmState::Raised));
        assert_eq!(crisis.poll(minutes(2)), Some(Milestone::Detected));
        let report = crisis.report();
        assert_eq!((report.fault_at_s, report.detected_s), (None, None));
        assert_eq!(report.informed[0].after_s, None);
    }
}
