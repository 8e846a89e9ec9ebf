//! From the file to a checked campaign, with the network that it names.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use topology::reader::{Document, kind};
use topology::{Layers, Problems, Topology};

use crate::arrivals::Phase;
use crate::assumed::Assumed;
use crate::callers::Callers;
use crate::campaign::Campaign;
use crate::comparison::{self, PlotKind, Time, Variant};
use crate::feed::Feed;
use crate::figure::ComparedFigure;
use crate::mix::MixEntry;
use crate::threshold::Threshold;
use crate::trace::TraceSettings;
use crate::validity::Validity;

/// Environment variables of a campaign begin with this: `TOCSIN_CAMPAIGN__SEED`.
pub const ENVIRONMENT_PREFIX: &str = "TOCSIN_CAMPAIGN";

impl Campaign {
    /// Reads the campaign at `path` alone, without its network.
    pub fn load(path: &Path, layers: &Layers) -> Result<Self, Problems> {
        let load = |layers: &Layers| {
            let document = Document::load(path, layers)?;
            let campaign = Self::read(&document, path);
            document.finish(campaign)
        };
        load(layers).map_err(|problems| match layers.without_overrides() {
            Some(below) => problems.blaming_overrides(&[path], load(&below).err().as_ref()),
            None => problems,
        })
    }

    /// Reads and checks `text` alone, without its network. `path` names it in messages, and files that it names are relative
    /// to the folder of `path`.
    pub fn parse(path: &Path, text: &str, layers: &Layers) -> Result<Self, Problems> {
        let document = Document::parse(&path.display().to_string(), text, layers)?;
        let campaign = Self::read(&document, path);
        document.finish(campaign)
    }

    /// Reads the campaign at `path` and the network that it names, each with layers of its own.
    ///
    /// The problems of both files come together, the campaign's first. What is wrong only because of the command line is told
    /// of it, and not of a line of a file that is well.
    pub fn load_with_network(
        path: &Path,
        layers: &Layers,
        network_layers: &Layers,
    ) -> Result<(Self, Topology), Problems> {
        let load = |layers: &Layers, network: &Layers| Self::load_both(path, layers, network);
        load(layers, network_layers).map_err(|problems| {
            let below = layers.without_overrides();
            let network_below = network_layers.without_overrides();
            if below.is_none() && network_below.is_none() {
                return problems;
            }
            let below = below.as_ref().unwrap_or(layers);
            let alone = load(below, network_below.as_ref().unwrap_or(network_layers)).err();
            let network = Document::load(path, layers);
            let network = network.map(|document| Self::read(&document, path).network);
            match network {
                // Another network has mistakes of its own.
                Ok(network) if layers.overrides("network") => problems
                    .blaming_overrides(&[path], alone.as_ref())
                    .named_by_override("network", &network),
                Ok(network) => problems.blaming_overrides(&[path, &network], alone.as_ref()),
                Err(_) => problems,
            }
        })
    }

    fn load_both(
        path: &Path,
        layers: &Layers,
        network_layers: &Layers,
    ) -> Result<(Self, Topology), Problems> {
        let document = Document::load(path, layers)?;
        let mut campaign = Self::read(&document, path);
        // Without a path there is no network to read; the missing key is already reported.
        if !document.has("network") {
            return Err(no_value(document.finish(())));
        }
        match Topology::load(&campaign.network, network_layers) {
            Ok(network) => {
                campaign.check_against(&network, &document);
                campaign.compute_usual_day(&network);
                document.finish((campaign, network))
            }
            Err(Problems(network)) => {
                let mut problems = no_value(document.finish(()));
                problems.0.extend(network);
                Err(problems)
            }
        }
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

    pub(crate) fn read(document: &Document, path: &Path) -> Self {
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        document.read(|root| {
            let (max_in_progress, ring_limit) = root.section("limits", |limits| {
                let shortest = Duration::from_secs(1);
                let in_progress = limits.or("max_in_progress", kind::count(1..=1_000_000), 20_000);
                (in_progress, limits.or("ring", kind::duration(shortest), 180 * shortest))
            });
            let (foreign_callers, unrecorded) = root.section("ledger", |ledger| {
                let foreign_callers = ledger.or("foreign_callers", kind::flag, true);
                (foreign_callers, ledger.list("unrecorded", kind::name))
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
                trace: root.section("trace", TraceSettings::read),
                foreign_callers,
                unrecorded,
                thresholds: root.tables("thresholds", Threshold::read),
                steady_state: root.tables("steady_state", Threshold::read_condition),
                progress_interval: root.or(
                    "progress_interval",
                    kind::duration(Duration::from_millis(100)),
                    Duration::from_secs(1),
                ),
                operations: operations::OperationsSettings::read(root),
                figures: root.tables("figures", ComparedFigure::read),
                variants: root.tables("variants", Variant::read),
                assumed: root.tables("assumed", Assumed::read),
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
            campaign.read_usual_day(folder, document);
            campaign.check_consistency(document);
            campaign.check_figures(document);
            if campaign.phases.is_empty() {
                root.report_here("the campaign needs at least one [[phases]]");
            }
            if campaign.mix.is_empty() {
                root.report_here("the campaign needs at least one [[mix]]");
            }
            campaign
        })
    }
}

/// The problems of a document that has none to give a value for.
fn no_value(outcome: Result<(), Problems>) -> Problems {
    outcome.err().unwrap_or(Problems(Vec::new()))
}
