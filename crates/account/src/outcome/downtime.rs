//! Stretches in which a site did not work: a machine without power, frozen, or starting anew.

use std::time::Duration;

use operations::{FaultAction, FaultEntry};

/// A stretch in which a site, or a call server of it, did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downtime {
    pub site: String,
    /// Since the start of the campaign.
    pub from: Duration,
    /// `None`: until the end.
    pub until: Option<Duration>,
    /// `killed`, `frozen`, or why it started anew.
    pub why: String,
}

/// What faults did to sites; whether a name is that of a site, `is_site` says.
pub fn by_faults(faults: &[FaultEntry], is_site: impl Fn(&str) -> bool) -> Vec<Downtime> {
    let mut stretches: Vec<Downtime> = Vec::new();
    for FaultEntry { at, target, what, failed, .. } in faults {
        if failed.is_some() || !is_site(target) {
            continue;
        }
        let begins = |why: &str| Downtime {
            site: target.clone(),
            from: *at,
            until: None,
            why: why.to_owned(),
        };
        match what {
            FaultAction::Kill => stretches.push(begins("killed")),
            FaultAction::Freeze => stretches.push(begins("frozen")),
            FaultAction::Thaw | FaultAction::Restart => {
                let why = if *what == FaultAction::Thaw { "frozen" } else { "killed" };
                let ends = |one: &&mut Downtime| {
                    one.site == *target && one.until.is_none() && one.why == why
                };
                if let Some(over) = stretches.iter_mut().find(ends) {
                    over.until = Some(*at);
                }
            }
            // The machine works; its packets suffer.
            FaultAction::Impair | FaultAction::Heal => {}
        }
    }
    stretches
}

/// The site whose process a sentence about a loss is about.
#[must_use]
pub fn site_of_loss(loss: &str) -> Option<&str> {
    loss.strip_prefix("process site-")?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thaw_ends_what_a_freeze_began_and_a_restart_what_a_kill_did() {
        let entry = |at: u64, target: &str, what, failed: Option<&str>| FaultEntry {
            by: None,
            at: Duration::from_secs(at),
            target: target.to_owned(),
            what,
            other: None,
            impairment: None,
            failed: failed.map(str::to_owned),
        };
        let faults = [
            entry(1, "alpha", FaultAction::Freeze, None),
            entry(2, "samu-59", FaultAction::Kill, None),
            entry(3, "beta", FaultAction::Kill, None),
            entry(4, "gamma", FaultAction::Kill, Some("it is gone")),
            entry(5, "alpha", FaultAction::Thaw, None),
            entry(6, "zeta", FaultAction::Impair, None),
            entry(7, "eta", FaultAction::Kill, None),
            entry(8, "eta", FaultAction::Restart, None),
        ];
        let down = by_faults(&faults, |name| name != "samu-59");
        let told: Vec<(&str, u64, Option<u64>)> = down
            .iter()
            .map(|one| (&one.site[..], one.from.as_secs(), one.until.map(|at| at.as_secs())))
            .collect();
        assert_eq!(told, [("alpha", 1, Some(5)), ("beta", 3, None), ("eta", 7, Some(8))]);
    }
}
