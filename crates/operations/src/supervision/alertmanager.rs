//! Alarms in the form in which Alertmanager posts them to a webhook receiver (its payload version 4).
//!
//! Tools that listen to Alertmanager can so be tried out against an outage.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::alarm::Alarm;

/// What an alert that still fires has for its end: the zero time of Go.
const NO_END: &str = "0001-01-01T00:00:00Z";

/// One body of a POST. Serialize it as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub version: &'static str,
    /// Identifies the group of alerts, here all of one rule.
    pub group_key: String,
    pub truncated_alerts: u32,
    pub status: Status,
    pub receiver: &'static str,
    pub group_labels: BTreeMap<String, String>,
    pub common_labels: BTreeMap<String, String>,
    pub common_annotations: BTreeMap<String, String>,
    #[serde(rename = "externalURL")]
    pub external_url: String,
    pub alerts: Vec<Alert>,
}

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    pub status: Status,
    /// `alertname` is the rule, `severity` its severity; then what the alarm is about.
    pub labels: BTreeMap<String, String>,
    /// `summary` is the sentence of the alarm.
    pub annotations: BTreeMap<String, String>,
    /// RFC 3339, UTC.
    pub starts_at: String,
    pub ends_at: String,
    #[serde(rename = "generatorURL")]
    pub generator_url: String,
    /// Of the labels: the same alarm has the same one when it is raised and when it is cleared.
    pub fingerprint: String,
}

/// Whether an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Firing,
    Resolved,
}

/// The notifications that tell `changes`: one for each rule, in the order in which rules appear.
///
/// `campaign_start` is the Unix time at which the campaign began.
#[must_use]
pub fn notifications(changes: &[Alarm], campaign_start: Duration) -> Vec<Notification> {
    let mut rules: Vec<&str> = Vec::new();
    for alarm in changes {
        if !rules.contains(&&alarm.rule[..]) {
            rules.push(&alarm.rule);
        }
    }
    let of_rule = |rule: &str| {
        let alarms = changes.iter().filter(|alarm| alarm.rule == rule);
        notification(rule, alarms.map(|alarm| alert(alarm, campaign_start)).collect())
    };
    rules.into_iter().map(of_rule).collect()
}

fn notification(rule: &str, alerts: Vec<Alert>) -> Notification {
    let fires = alerts.iter().any(|alert| alert.status == Status::Firing);
    Notification {
        version: "4",
        group_key: format!("{{}}:{{alertname={rule:?}}}"),
        truncated_alerts: 0,
        status: if fires { Status::Firing } else { Status::Resolved },
        receiver: "tocsin",
        group_labels: BTreeMap::from([("alertname".to_owned(), rule.to_owned())]),
        common_labels: common(alerts.iter().map(|alert| &alert.labels)),
        common_annotations: common(alerts.iter().map(|alert| &alert.annotations)),
        external_url: String::new(),
        alerts,
    }
}

fn alert(alarm: &Alarm, campaign_start: Duration) -> Alert {
    let mut labels = alarm.labels.clone();
    labels.insert("alertname".to_owned(), alarm.rule.clone());
    labels.insert("severity".to_owned(), alarm.severity.as_str().to_owned());
    let (status, ends_at) = match alarm.is_raised() {
        true => (Status::Firing, NO_END.to_owned()),
        false => (Status::Resolved, rfc3339(campaign_start + alarm.at)),
    };
    Alert {
        status,
        fingerprint: fingerprint(&labels),
        labels,
        annotations: BTreeMap::from([("summary".to_owned(), alarm.sentence.clone())]),
        starts_at: rfc3339(campaign_start + alarm.raised_at),
        ends_at,
        generator_url: String::new(),
    }
}

/// The pairs that are in every map.
fn common<'a>(
    maps: impl Iterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    let mut shared: Option<BTreeSet<(&String, &String)>> = None;
    for map in maps {
        let pairs: BTreeSet<_> = map.iter().collect();
        shared = Some(shared.map_or_else(|| pairs.clone(), |shared| &shared & &pairs));
    }
    shared.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// FNV-1a over the sorted labels, each part closed by a byte that no UTF-8 text has, as Prometheus does.
fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let parts = labels.iter().flat_map(|(name, value)| [name, value]);
    for byte in parts.flat_map(|part| part.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// A Unix time as RFC 3339 in UTC with milliseconds: `2021-06-02T14:45:00.000Z`.
fn rfc3339(unix: Duration) -> String {
    let (seconds, millis) = (unix.as_secs(), unix.subsec_millis());
    let (year, month, day) = civil(seconds / 86_400);
    let second = seconds % 86_400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The date of a day counted from 1 January 1970, by years that begin in March, so that the leap day is the last.
const fn civil(unix_day: u64) -> (u64, u64, u64) {
    let day = unix_day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let january_or_february = if month <= 2 { 1 } else { 0 };
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    (era * 400 + year + january_or_february, month, day)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::supervision::{AlarmState, Severity};

    /// 2 June 2021, 14:00:00 UTC.
    const ZERO: Duration = Duration::from_secs(1_622_642_400);

    fn alarm(site: &str, state: AlarmState, at: u64) -> Alarm {
        Alarm {
            at: Duration::from_secs(at),
            raised_at: Duration::from_secs(2_700),
            state,
            rule: "site-answers".to_owned(),
            severity: Severity::Critical,
            labels: BTreeMap::from([("site".to_owned(), site.to_owned())]),
            value: 0.25,
            threshold: 0.9,
            sentence: format!("site {site}: site_asr 0.250"),
        }
    }

    #[test]
    fn the_payload_is_that_of_alertmanager() {
        let changes =
            [alarm("alpha", AlarmState::Raised, 2_700), alarm("beta", AlarmState::Cleared, 3_000)];
        let notifications = notifications(&changes, ZERO);
        let payload = serde_json::to_value(&notifications).expect("plain JSON");
        let alert = |site: &str, status: &str, ends_at: &str, fingerprint: &str| {
            json!({
                "status": status,
                "labels": {"alertname": "site-answers", "severity": "critical", "site": site},
                "annotations": {"summary": format!("site {site}: site_asr 0.250")},
                "startsAt": "2021-06-02T14:45:00.000Z",
                "endsAt": ends_at,
                "generatorURL": "",
                "fingerprint": fingerprint,
            })
        };
        let prints: Vec<&str> =
            notifications[0].alerts.iter().map(|alert| &alert.fingerprint[..]).collect();
        assert!(prints.iter().all(|print| print.len() == 16) && prints[0] != prints[1]);
        let wanted = json!([{
            "version": "4",
            "groupKey": "{}:{alertname=\"site-answers\"}",
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "tocsin",
            "groupLabels": {"alertname": "site-answers"},
            "commonLabels": {"alertname": "site-answers", "severity": "critical"},
            "commonAnnotations": {},
            "externalURL": "",
            "alerts": [
                alert("alpha", "firing", "0001-01-01T00:00:00Z", prints[0]),
                alert("beta", "resolved", "2021-06-02T14:50:00.000Z", prints[1]),
            ],
        }]);
        assert_eq!(payload, wanted);
    }

    #[test]
    fn an_alarm_keeps_its_fingerprint_when_it_is_cleared() {
        let raised = alert(&alarm("alpha", AlarmState::Raised, 2_700), ZERO);
        let cleared = alert(&alarm("alpha", AlarmState::Cleared, 2_900), ZERO);
        assert_eq!(raised.fingerprint, cleared.fingerprint);
        assert_eq!(raised.starts_at, cleared.starts_at);
        // FNV-1a of nothing is its offset.
        assert_eq!(fingerprint(&BTreeMap::new()), "cbf29ce484222325");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(unix)), text);
        }
    }
}
