//! When sites did not work, from what the state of a run knows of faults, hangs, restarts and lost processes.

use std::time::Duration;

use account::outcome::{Downtime, by_faults, site_of_loss};
use topology::Topology;

use crate::state::RunState;

/// When sites of `topology` did not work, in the order of time.
pub(crate) fn downtimes(topology: &Topology, state: &RunState) -> Vec<Downtime> {
    let mut all =
        by_faults(&state.operations.faults, |name| topology.sites.iter().any(|it| it.name == name));
    let restarts = state.restarts.iter().map(|told| (told, false));
    let hangs = state.hangs.iter().map(|told| (told, true));
    for ((at, name, why), hung) in hangs.chain(restarts) {
        // Either the name of a call server, or of its site.
        let own = |one: &&topology::CallServer| one.name == *name || one.site == *name;
        if let Some(one) = topology.call_servers().find(own) {
            let (watchdog, boot) = (one.equipment.watchdog, one.equipment.boot);
            let until = Some(*at + if hung { watchdog } else { boot });
            all.push(Downtime { site: one.site.clone(), from: *at, until, why: why.clone() });
        }
    }
    for (at, loss) in &state.losses {
        if let Some(site) = site_of_loss(loss) {
            let why = "its process was lost".to_owned();
            all.push(Downtime { site: site.to_owned(), from: *at, until: None, why });
        }
    }
    all.sort_by_key(|one| one.from);
    joined(all)
}

/// One stretch for those of a site that overlap.
fn joined(all: Vec<Downtime>) -> Vec<Downtime> {
    let mut joined: Vec<Downtime> = Vec::new();
    for next in all {
        let end = |one: &Downtime| one.until.unwrap_or(Duration::MAX);
        match joined.iter_mut().rfind(|one| one.site == next.site) {
            Some(last) if next.from <= end(last) => {
                if end(&next) > end(last) {
                    last.until = next.until;
                }
                if next.why.starts_with(&last.why) {
                    last.why = next.why;
                } else if !last.why.contains(&next.why) {
                    last.why = format!("{}; {}", last.why, next.why);
                }
            }
            _ => joined.push(next),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_does_not_work_from_its_hang_until_it_has_started_again() {
        let text = include_str!("../../../configs/networks/six-sites.toml");
        let equipment = "[equipment]\nwatchdog = \"90s\"\nboot = \"30s\"\n[sites.alpha]";
        let text = text.replace("[sites.alpha]", equipment);
        let topology = Topology::parse("six-sites.toml", &text, &topology::Layers::none());
        let told = |at, why: &str| (Duration::from_secs(at), "alpha".to_owned(), why.to_owned());
        let state = RunState {
            hangs: vec![told(10, "its memory is full")],
            restarts: vec![told(100, "its memory is full; its watchdog restarts it after 90s")],
            ..RunState::default()
        };
        let wanted = Downtime {
            site: "alpha".to_owned(),
            from: Duration::from_secs(10),
            until: Some(Duration::from_secs(130)),
            why: "its memory is full; its watchdog restarts it after 90s".to_owned(),
        };
        assert_eq!(downtimes(&topology.expect("a network"), &state), [wanted]);
    }

    #[test]
    fn stretches_of_a_site_that_overlap_are_one() {
        let down = |site: &str, from, until: Option<u64>, why: &str| Downtime {
            site: site.to_owned(),
            from: Duration::from_secs(from),
            until: until.map(Duration::from_secs),
            why: why.to_owned(),
        };
        let all = vec![
            down("alpha", 1, Some(41), "by command"),
            down("beta", 2, None, "killed"),
            down("alpha", 30, Some(70), "out of memory"),
            down("beta", 40, Some(80), "by command"),
            down("alpha", 90, Some(130), "by command"),
        ];
        let wanted = [
            down("alpha", 1, Some(70), "by command; out of memory"),
            down("beta", 2, None, "killed; by command"),
            down("alpha", 90, Some(130), "by command"),
        ];
        assert_eq!(joined(all), wanted);
    }
}
