//! Whether a campaign can mean what it says: mistakes that no single key shows.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use operations::supervision::department;
use topology::reader::{Document, nearest};
use topology::{Problem, Topology, format_duration};

use crate::arrivals::{Arrivals, MOST, Phase};
use crate::campaign::Campaign;
use crate::place::Commune;
use crate::rows::CallRows;
use crate::threshold::{Scope, ScopeKind};

/// How to write a phase in which nobody calls.
const PAUSE: &str = "for a pause write model = \"constant\" and rate = 0";

/// More chance than this for one phase takes longer than anybody waits.
const MOST_DRAWN: f64 = 10e6;

impl Campaign {
    /// Reports phases that are no phases, speech on a fast clock, and a campaign in which nobody calls.
    pub(super) fn check_consistency(&self, document: &Document) {
        if self.compression > 1.0 && self.callers.media > 0.0 {
            let message =
                "cannot be used with media, which has the pace of speech; set callers.media to 0";
            document.report("compression", message);
        }
        // What is wrong with a recording has been told; who would call in it is unknown.
        let mut silent = self.row_files().any(|(_, rows)| rows.is_empty());
        let mut names = HashSet::new();
        for (index, phase) in self.phases.iter().enumerate() {
            let path = format!("phases[{index}]");
            // An empty name stands for one that is missing or was refused.
            if !phase.name.is_empty() && !names.insert(&phase.name) {
                let message =
                    format!("another phase is called {:?} already; rename one of them", phase.name);
                document.report(&format!("{path}.name"), message);
            }
            for (key, message) in phase.mistakes() {
                silent = true;
                document.report(&format!("{path}.{key}"), message);
            }
        }
        if !silent && !self.phases.is_empty() && self.expected_attempts() <= 0.0 {
            document.report("phases", "no phase has calls; give one of them a rate above 0");
        }
        self.check_feed(document);
    }

    /// Reports a feed that will be used up before the end.
    fn check_feed(&self, document: &Document) {
        let expected = self.expected_attempts().floor();
        let Some(most) = self.feed.as_ref().and_then(|feed| feed.most_callers()) else { return };
        // Without rows, what is wrong with the file has been told.
        if most > 0 && expected > most as f64 {
            let message = format!(
                "each of the {most} rows is used once, and the phases start about {expected} calls; add \
                 rows, or write order = \"sequential\" to begin again after the last one"
            );
            document.report("feed.order", message);
        }
    }

    /// Reports trunk groups in CSV files that the network does not have.
    pub(super) fn check_rows_against(&self, network: &Topology, document: &Document) {
        for (file, rows) in self.row_files() {
            for (name, line) in rows.trunk_groups() {
                if network.trunk_group(name).is_some() {
                    continue;
                }
                let known: Vec<&str> =
                    network.trunk_groups.iter().map(|group| &group.name[..]).collect();
                document.add(Problem::new(
                    file.display().to_string(),
                    usize::try_from(line).ok(),
                    "trunk_group".to_owned(),
                    format!(
                        "no trunk group is called {name:?}; the trunk groups are {}",
                        known.join(", ")
                    ),
                ));
            }
        }
    }

    /// Reports thresholds of what this campaign does not call.
    pub(super) fn check_thresholds(&self, network: &Topology, document: &Document) {
        let communes = self.communes();
        let departments = communes.iter().map(|one| department(Some(one)).to_owned());
        let departments: BTreeSet<String> = departments.chain(["unknown".to_owned()]).collect();
        for (index, threshold) in self.thresholds.iter().enumerate() {
            let Some(Scope { kind, name }) = &threshold.of else { continue };
            let known: BTreeSet<String> = match kind {
                ScopeKind::Site => network.sites.iter().map(|one| one.name.clone()).collect(),
                ScopeKind::TrunkGroup => {
                    network.trunk_groups.iter().map(|one| one.name.clone()).collect()
                }
                ScopeKind::Psap => network.psaps.iter().map(|one| one.name.clone()).collect(),
                ScopeKind::Department => departments.clone(),
                // People who redial may dial others.
                ScopeKind::Number if self.callers.redial.is_some() => continue,
                ScopeKind::Number => self.numbers(),
            };
            if !known.contains(name) {
                let hint = match nearest(name, known.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean {meant:?}?"),
                    None => {
                        let known: Vec<_> = known.into_iter().collect();
                        format!("there are {}", known.join(", "))
                    }
                };
                let message = format!("this campaign has no {} {name:?}; {hint}", kind.key());
                document.report(&format!("thresholds[{index}].{}", kind.key()), message);
            }
        }
    }

    /// The numbers that people dial first: of the mix, and of all rows.
    #[must_use]
    pub fn numbers(&self) -> BTreeSet<String> {
        let of_mix = self.mix.iter().map(|entry| &entry.number[..]);
        let of_rows = self.row_files().flat_map(|(_, rows)| rows.numbers());
        of_mix.chain(of_rows).map(str::to_owned).collect()
    }

    /// Where people call from: the communes of the mix, of surges and of all rows.
    #[must_use]
    pub fn communes(&self) -> BTreeSet<String> {
        let of_surges = self.phases.iter().flat_map(|phase| match &phase.arrivals {
            Arrivals::Surge(surge) => &surge.communes[..],
            _ => &[],
        });
        let of_rows = self.row_files().flat_map(|(_, rows)| rows.communes());
        let beyond: HashSet<Commune> = of_surges.copied().chain(of_rows).collect();
        let of_mix = self.mix.iter().flat_map(|entry| entry.communes.iter().cloned());
        of_mix.chain(beyond.iter().map(Commune::to_string)).collect()
    }

    /// The CSV files that the campaign reads, with their rows.
    pub(super) fn row_files(&self) -> impl Iterator<Item = (&Path, &CallRows)> {
        let feed = self.feed.iter().map(|feed| (&*feed.file, &*feed.rows));
        let recordings = self.phases.iter().filter_map(|phase| match &phase.arrivals {
            Arrivals::Replay(replay) => Some((&*replay.file, &*replay.rows)),
            _ => None,
        });
        feed.chain(recordings)
    }
}

impl Phase {
    /// What is wrong with its arrivals as a whole: a key below the phase, and a sentence.
    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        match &self.arrivals {
            // Nobody calls, and says so.
            Arrivals::Constant { .. } | Arrivals::Poisson { .. } => {}
            Arrivals::Clusters(clusters) if clusters.mean_rate() > MOST => {
                let rate = clusters.mean_rate();
                found.push(("arrivals.calls", format!(
                    "incidents and calls come to {rate:.0} calls per second; at most {MOST:.0} can be placed"
                )));
            }
            Arrivals::Clusters(clusters)
                if clusters.mean_rate() * clusters.reach() > MOST_DRAWN =>
            {
                let hours = clusters.reach() / 3_600.0;
                found.push(("arrivals.spread", format!(
                    "reaches back {hours:.0} hours, in which too many calls happened to be drawn; shorten it"
                )));
            }
            Arrivals::Mmpp(bursts) if self.duration.as_secs_f64() / bursts.cycle() > MOST_DRAWN => {
                let length = format_duration(self.duration);
                found.push((
                    "arrivals.mean_sojourn",
                    format!("gives too many spells in {length} to be drawn; make them longer"),
                ));
            }
            Arrivals::Surge(surge) if surge.at >= self.duration => {
                let length = format_duration(self.duration);
                let message =
                    format!("would begin after the end of the phase, which lasts {length}");
                found.push(("arrivals.at", message));
            }
            Arrivals::Replay(replay) => {
                // Without rows, what is wrong with the file has been told.
                if let Some(first) = replay.rows.at(0).filter(|_| replay.count(self.duration) == 0)
                {
                    let first = format_duration(first.div_f64(replay.speed));
                    let length = format_duration(self.duration);
                    found.push(("duration", format!(
                        "lasts {length}, and the first call of the recording comes after {first}; make it longer"
                    )));
                }
            }
            _ if self.expected_attempts() <= 0.0 => {
                found.push(("arrivals", format!("has no calls; {PAUSE}")));
            }
            _ => {}
        }
        found
    }
}

#[cfg(test)]
mod tests;
