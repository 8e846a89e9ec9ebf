//! The campaign: what load to put on which network, and what counts as a pass.
//!
//! ```text
//!   campaign.toml ─► Campaign ── network ──► six-sites.toml ─► Topology
//!     phases      how many calls per second, for how long
//!     feed        callers from a CSV file
//!     mix         which numbers, from which communes, over which trunk group
//!     callers     how long they talk and wait, and whether they call again
//!     validity    how far the generator may fall behind
//!     ledger      whose calls and records are not the campaign's own
//!     thresholds  what the run must measure to pass
//!     operations, supervision, crisis
//!                 what operators do to the network and see of it
//! ```
//!
//! Read with the same decoder as a network, so every mistake of both files is reported at once.

mod arrivals;
mod callers;
mod comparison;
mod feed;
mod mix;
mod place;
mod redial;
mod rows;
mod sense;
#[cfg(test)]
mod tests;
mod threshold;
pub mod utc;
mod validity;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use telemetry::Rules;
use topology::reader::{Document, kind};
use topology::{Layers, Problems, Topology};

pub use self::arrivals::{Arrivals, Clusters, Diurnal, Level, Mmpp, Phase, Replay, Surge};
pub use self::callers::{CallerAudio, Callers};
pub use self::comparison::{Figure, Measure, PlotKind, Time, Variant};
pub use self::feed::{Feed, FeedOrder};
pub use self::mix::MixEntry;
pub use self::place::{Commune, ParseCommuneError, Places};
pub use self::redial::Redial;
pub use self::rows::{Row, Rows};
pub use self::threshold::{Scope, ScopeKind, Threshold};
pub use self::validity::Validity;

/// Environment variables of a campaign begin with this: `TOCSIN_CAMPAIGN__SEED`.
pub const ENVIRONMENT_PREFIX: &str = "TOCSIN_CAMPAIGN";

/// A checked campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// The key `name`, else the file's name without its ending.
    pub name: String,
    /// What it is beside its variants, in words.
    pub title: String,
    /// The network file. A relative path is resolved against the campaign's own folder.
    pub network: PathBuf,
    /// Every random draw of the run follows from it.
    pub seed: u64,
    /// At least one; they follow each other without a pause.
    pub phases: Vec<Phase>,
    /// At least one; each attempt is drawn from these by weight.
    pub mix: Vec<MixEntry>,
    /// Rows that say of each caller what they have; the mix says the rest.
    pub feed: Option<Feed>,
    pub callers: Callers,
    /// After the last phase, calls in progress may go on for this long; then they are ended.
    pub drain_timeout: Duration,
    /// Attempts at once; beyond it the generator does not start more, and says so.
    pub max_in_progress: u32,
    /// No caller lets it ring longer than this, whatever patience is drawn.
    pub ring_limit: Duration,
    /// Beyond these the run measures the generator.
    pub validity: Validity,
    /// Callers outside the campaign, such as a lab phone, may call too: their attempts are counted
    /// apart. Otherwise each is a fault of the ledger.
    pub foreign_callers: bool,
    /// PSAPs of the network that write no records, because another program plays them.
    pub unrecorded: Vec<String>,
    /// How long a callee may believe in a call that its caller has given up.
    pub crossing: Duration,
    /// All must hold for the run to pass. May be empty.
    pub thresholds: Vec<Threshold>,
    /// What must hold, of all attempts so far, before the first fault or operation that is due by the clock.
    pub steady_state: Vec<Threshold>,
    /// Between two lines of live progress.
    pub progress_interval: Duration,
    /// What operators do to the network, and what they see of it.
    pub operations: operations::Settings,
    /// Figures that the report compares, with what was published.
    pub figures: Vec<Figure>,
    /// The same campaign with something changed, for a comparison.
    pub variants: Vec<Variant>,
    /// Pictures that a run leaves behind.
    pub plots: Vec<PlotKind>,
    /// In which time it runs if the command line does not say.
    pub time: Time,
    /// The time of day at its start, for reports that retell an evening.
    pub begins: Duration,
    /// On real sockets, everything goes so many times faster than the file says.
    pub compression: f64,
}

impl Campaign {
    /// Reads the campaign at `path` alone, without its network.
    pub fn load(path: &Path, layers: &Layers) -> Result<Self, Problems> {
        let document = Document::load(path, layers)?;
        let campaign = Self::read(&document, path);
        document.finish(campaign)
    }

    /// Reads the campaign at `path` and the network that it names, each with layers of its own.
    ///
    /// The problems of both files come together, the campaign's first.
    pub fn load_with_network(
        path: &Path,
        layers: &Layers,
        network_layers: &Layers,
    ) -> Result<(Self, Topology), Problems> {
        let document = Document::load(path, layers)?;
        let campaign = Self::read(&document, path);
        // Without a path there is no network to read; the missing key is already reported.
        if !document.has("network") {
            return Err(no_value(document.finish(())));
        }
        match Topology::load(&campaign.network, network_layers) {
            Ok(network) => {
                campaign.check_against(&network, &document);
                document.finish((campaign, network))
            }
            Err(Problems(network)) => {
                let mut problems = no_value(document.finish(()));
                problems.0.extend(network);
                Err(problems)
            }
        }
    }

    /// The length of all phases, without the drain.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.phases.iter().map(|phase| phase.duration).sum()
    }

    /// The spans in which calls begin at one rate, in order.
    #[must_use]
    pub fn levels(&self) -> Vec<Level> {
        let mut start = Duration::ZERO;
        let of_phase = |phase: &Phase| {
            let levels = phase.levels(start);
            start += phase.duration;
            levels
        };
        self.phases.iter().flat_map(of_phase).collect()
    }

    /// What the ledger of a run takes as normal.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            foreign_callers: self.foreign_callers,
            unrecorded: self.unrecorded.clone(),
            crossing: self.crossing,
        }
    }

    /// How many attempts the phases are expected to make.
    #[must_use]
    pub fn expected_attempts(&self) -> f64 {
        self.phases.iter().map(Phase::expected_attempts).sum()
    }

    /// The CSV files that it reads beside its own, each with the key that names it: a feed, and recordings.
    #[must_use]
    pub fn row_paths(&self) -> Vec<(String, PathBuf)> {
        let feed = self.feed.iter().map(|feed| ("feed.file".to_owned(), feed.file.to_path_buf()));
        let recording = |(index, phase): (usize, &Phase)| match &phase.arrivals {
            Arrivals::Replay(replay) => {
                Some((format!("phases[{index}].arrivals.file"), replay.file.to_path_buf()))
            }
            _ => None,
        };
        feed.chain(self.phases.iter().enumerate().filter_map(recording)).collect()
    }

    /// The keys that a campaign file may hold, as far as `text` leads to them; see [`Document::known_keys`]. Files that it
    /// names are relative to `path`.
    ///
    /// # Errors
    /// When `text` is no campaign.
    pub fn known_keys(path: &Path, text: &str) -> Result<BTreeSet<String>, Problems> {
        let document = Document::parse(&path.display().to_string(), text, &Layers::none())?;
        Self::read(&document, path);
        let keys = document.known_keys();
        document.finish(keys)
    }

    fn read(document: &Document, path: &Path) -> Self {
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        document.read(|root| {
            let (max_in_progress, ring_limit) = root.section("limits", |limits| {
                let shortest = Duration::from_secs(1);
                let in_progress = limits.or("max_in_progress", kind::count(1..=1_000_000), 20_000);
                (in_progress, limits.or("ring", kind::duration(shortest), 180 * shortest))
            });
            let (foreign_callers, unrecorded, crossing) = root.section("ledger", |ledger| {
                let crossing = kind::duration(Duration::ZERO);
                (
                    ledger.or("foreign_callers", kind::flag, true),
                    ledger.list("unrecorded", kind::name),
                    ledger.or("crossing", crossing, Rules::default().crossing),
                )
            });
            let mut campaign = Self {
                name: root.or("name", kind::name, stem.into_owned()),
                title: root.or("title", kind::text, "as the file says".to_owned()),
                network: folder.join(root.required("network", kind::text, String::new())),
                seed: root.or("seed", kind::seed, 1),
                phases: root.tables("phases", |table| Phase::read(table, folder)),
                mix: root.tables("mix", MixEntry::read),
                feed: root
                    .has("feed")
                    .then(|| root.section("feed", |table| Feed::read(table, folder))),
                callers: root.section("callers", Callers::read),
                drain_timeout: root.or(
                    "drain_timeout",
                    kind::duration(Duration::ZERO),
                    Duration::from_secs(30),
                ),
                max_in_progress,
                ring_limit,
                validity: root.section("validity", Validity::read),
                foreign_callers,
                unrecorded,
                crossing,
                thresholds: root.tables("thresholds", Threshold::read),
                steady_state: root.tables("steady_state", Threshold::read_condition),
                progress_interval: root.or(
                    "progress_interval",
                    kind::duration(Duration::from_millis(100)),
                    Duration::from_secs(1),
                ),
                operations: operations::Settings::read(root),
                figures: root.tables("figures", Figure::read),
                variants: root.tables("variants", Variant::read),
                plots: root.list("plots", kind::choice(&PlotKind::WORDS)),
                time: root.or("time", kind::choice(&Time::WORDS), Time::Real),
                begins: root.or("begins", comparison::begins, Duration::ZERO),
                compression: root.or("compression", kind::number(1.0..=1_000.0), 1.0),
            };
            let is_enabled = |operation: &operations::Operation| operation.enabled;
            if !root.has("plots") && campaign.operations.operations.iter().any(is_enabled) {
                campaign.plots.push(PlotKind::Timeline);
            }
            if campaign.plots.contains(&PlotKind::Goodput) && campaign.levels().is_empty() {
                root.report(
                    "plots",
                    "\"goodput\" needs a phase whose model is \"constant\", \"poisson\" or \"steps\"",
                );
            }
            let mut begins = campaign.begins;
            for phase in &mut campaign.phases {
                phase.set_time_of_day(begins);
                begins += phase.duration;
            }
            campaign.check_sense(document);
            if campaign.phases.is_empty() {
                root.report_here("the campaign needs at least one [[phases]]");
            }
            if campaign.mix.is_empty() {
                root.report_here("the campaign needs at least one [[mix]]");
            }
            campaign
        })
    }

    /// Reports what this campaign asks of the network and the network does not have.
    fn check_against(&self, network: &Topology, document: &Document) {
        let groups: Vec<&str> = network.trunk_groups.iter().map(|group| &group.name[..]).collect();
        if groups.is_empty() {
            document.report("network", "the network has no trunk group; callers need one to call");
        }
        for (index, entry) in self.mix.iter().enumerate() {
            let Some(group) = &entry.trunk_group else {
                continue;
            };
            if network.trunk_group(group).is_none() {
                let message = format!(
                    "no trunk group is called {group:?}; the trunk groups are {}",
                    groups.join(", ")
                );
                document.report(&format!("mix[{index}].trunk_group"), message);
            }
        }
        for (index, figure) in self.figures.iter().enumerate() {
            for (place, group) in figure.trunk_groups.iter().enumerate() {
                if network.trunk_group(group).is_none() {
                    let known = groups.join(", ");
                    let message =
                        format!("no trunk group is called {group:?}; the trunk groups are {known}");
                    document.report(&format!("figures[{index}].trunk_groups[{place}]"), message);
                }
            }
        }
        for (index, name) in self.unrecorded.iter().enumerate() {
            if network.psap(name).is_none() {
                let known: Vec<&str> = network.psaps.iter().map(|psap| &psap.name[..]).collect();
                let message =
                    format!("no PSAP is called {name:?}; the PSAPs are {}", known.join(", "));
                document.report(&format!("ledger.unrecorded[{index}]"), message);
            }
        }
        self.check_thresholds(network, document);
        self.check_rows_against(network, document);
        self.check_operations(network, document);
        if let CallerAudio::Clip(name) = &self.callers.audio
            && network.media.clip(name).is_none()
        {
            document.report("callers.audio", network.media.unknown_clip(name));
        }
        let endless = network.psaps.iter().find(|psap| psap.talk.is_none());
        if let Some(psap) = endless.filter(|_| self.callers.caller_hangs_up < 1.0) {
            let message = format!(
                "nobody would end some calls to PSAP {:?}; set it to 1, or set that PSAP's talk",
                psap.name
            );
            document.report("callers.caller_hangs_up", message);
        }
    }

    /// Reports operations on what the network does not have, or after the end of the campaign.
    fn check_operations(&self, network: &Topology, document: &Document) {
        let sites: Vec<String> = network.sites.iter().map(|site| site.name.clone()).collect();
        let groups: Vec<String> =
            network.trunk_groups.iter().map(|group| group.name.clone()).collect();
        let psaps: Vec<String> = network.psaps.iter().map(|psap| psap.name.clone()).collect();
        for (key, sentence) in self.operations.check(&sites, &groups, &psaps) {
            document.report(&key, sentence);
        }
        let length = self.duration();
        for (index, fault) in self.operations.faults.iter().enumerate() {
            if fault.at > length {
                let message = format!(
                    "would come after the end of the campaign, which lasts {}",
                    topology::format_duration(length)
                );
                document.report(&format!("faults[{index}].at"), message);
            }
        }
        for operation in &self.operations.operations {
            if let operations::Start::At(at) = operation.start
                && at > length
            {
                let message = format!(
                    "would begin after the end of the campaign, which lasts {}",
                    topology::format_duration(length)
                );
                document.report(&format!("operations.{}.at", operation.name), message);
            }
        }
    }
}

/// The problems of a document that has none to give a value for.
fn no_value(outcome: Result<(), Problems>) -> Problems {
    outcome.err().unwrap_or(Problems(Vec::new()))
}
