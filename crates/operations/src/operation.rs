//! One operation: which commands go to which sites, when, in what order and how fast.

use std::time::Duration;

use topology::reader::{Raw, Table, kind};

use crate::action::{Action, ParseActionError};
use crate::gate_measure::{GateIndicator, Measured};
use crate::milestone::Milestone;

/// What a canary must be worth, compared with the other sites, if nothing else is said.
const AS_WELL_AS_OTHERS: f64 = 0.9;

/// The section `[operations.NAME]` of a campaign.
///
/// The order of commands, the number of sites and the interval between them are what a campaign
/// tests: the same commands may be harmless on one site and fatal on all of them at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub name: String,
    pub start: OperationStart,
    /// At least one. Each site gets them in this order.
    pub commands: Vec<Action>,
    pub sites: OperationSites,
    pub manner: Manner,
    pub sequence: Sequence,
    /// Serial only: from the last order to one site to the first order to the next. With
    /// [`wait_for_ready`](Self::wait_for_ready) it is counted from the answer.
    pub interval: Duration,
    /// At least this long from one order to the next one to the same site.
    pub command_interval: Duration,
    /// An order without an answer for this long has timed out.
    pub timeout: Duration,
    /// An order that was accepted and whose effect is not there after this long counts as aborted.
    pub effect_timeout: Duration,
    /// Further tries of an order that timed out; with [`wait_for_ready`](Self::wait_for_ready) also of one that was aborted.
    pub retry: u32,
    /// From the time-out of an order to its next try.
    pub retry_interval: Duration,
    pub canary: Option<Canary>,
    /// Serial only: what comes next, at this site and at the next one, waits for the effect of an order: for service after a
    /// load or restart. A site that never answers ends the operation, and so does an order that is aborted for good.
    pub wait_for_ready: bool,
    /// A refusal ends the operation: no further order is given to any site.
    pub stop_on_refusal: bool,
    /// Otherwise the operation is in the file and never happens.
    pub enabled: bool,
}

/// When an operation begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationStart {
    /// At this time of the campaign.
    At(Duration),
    /// When the last phase is over, or the campaign ends before its time: to take back what others did.
    End,
    /// This long after a milestone of the crisis.
    After { milestone: Milestone, delay: Duration },
}

/// Which sites get the commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationSites {
    /// All of the pool, in the order of the network file.
    All,
    /// These, in this order.
    Named(Vec<String>),
    /// Those of the pool that were seen to restart or to be silent before the operation begins, in the order of the network file.
    Affected,
}

/// How sites follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// All at once: one operator, or one script, at each site.
    Parallel,
    /// One after the other.
    Serial,
}

/// What comes first: the next command, or the next site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// All commands to a site, then the next site.
    BySite,
    /// A command to all sites, then the next command.
    ByCommand,
}

/// Which sites have a gate behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateScope {
    /// The first; all others follow in the manner of the operation.
    First,
    /// Each: the sites follow one after the other, however the manner is.
    Each,
}

/// The first site goes ahead alone; what is measured then decides about the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Canary {
    /// From when the last command has had its effect at the site until the gate decides.
    pub observe: Duration,
    /// Whether the sites behind the first one are observed in the same way.
    pub gate: GateScope,
    pub indicator: GateIndicator,
    /// Below it the operation stops.
    pub min: Option<f64>,
    /// Above it the operation stops.
    pub max: Option<f64>,
    /// With fewer calls nothing is known, and the operation stops: a canary without traffic shows no fault.
    pub min_attempts: u32,
    /// More restarts of the site while it is observed stop the operation, whatever the indicator says.
    pub max_restarts: u32,
    /// What the site gets at which the operation stops.
    pub on_stop: Vec<Action>,
}

impl Operation {
    /// Reads `[operations.NAME]`.
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let any = kind::duration(Duration::ZERO);
        let manner = [("parallel", Manner::Parallel), ("serial", Manner::Serial)];
        let sequence = [("by-site", Sequence::BySite), ("by-command", Sequence::ByCommand)];
        let operation = Self {
            name: table.name().to_owned(),
            start: OperationStart::read(table),
            commands: table.required_list("commands", action),
            sites: OperationSites::read(table),
            manner: table.or("manner", kind::choice(&manner), Manner::Serial),
            sequence: table.or("order", kind::choice(&sequence), Sequence::BySite),
            interval: table.or("interval", &any, Duration::ZERO),
            command_interval: table.or("command_interval", &any, Duration::ZERO),
            timeout: table.or(
                "timeout",
                kind::duration(Duration::from_millis(100)),
                Duration::from_secs(30),
            ),
            effect_timeout: table.or(
                "effect_timeout",
                kind::duration(Duration::from_millis(100)),
                Duration::from_secs(3_600),
            ),
            retry: table.or("retry", kind::count(0..=10_000), 0),
            retry_interval: table.or("retry_interval", &any, Duration::ZERO),
            canary: table.has("canary").then(|| table.section("canary", Canary::read)),
            wait_for_ready: table
                .optional("wait_for", kind::choice(&[("ready", true)]))
                .unwrap_or_default(),
            stop_on_refusal: table.or("stop_on_refusal", kind::flag, false),
            enabled: table.or("enabled", kind::flag, true),
        };
        if operation.manner == Manner::Parallel {
            for key in ["interval", "wait_for"] {
                if table.has(key) {
                    table.report(key, "needs manner = \"serial\"; in parallel no site waits");
                }
            }
        }
        if table.has("retry_interval") && operation.retry == 0 {
            table.report("retry_interval", "needs retry, the number of further tries");
        }
        operation
    }

    /// The names of its sites, in the order in which they get their orders, as far as they are known before it begins.
    #[must_use]
    pub fn sites_of(&self, pool: &[String]) -> Vec<String> {
        match &self.sites {
            OperationSites::All => pool.to_vec(),
            OperationSites::Affected => Vec::new(),
            OperationSites::Named(sites) => sites.clone(),
        }
    }

    /// What this operation asks for and the network does not have: the key below
    /// `operations.NAME`, and a sentence.
    #[must_use]
    pub fn check(&self, pool: &[String], trunk_groups: &[String]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if let OperationSites::Named(sites) = &self.sites {
            for (index, site) in sites.iter().enumerate().filter(|(_, site)| !pool.contains(site)) {
                let known = pool.join(", ");
                let sentence = format!("no site is called {site:?}; the sites are {known}");
                found.push((format!("sites[{index}]"), sentence));
            }
        }
        let on_stop = self.canary.iter().flat_map(|canary| canary.on_stop.iter().enumerate());
        let commands = self.commands.iter().enumerate();
        let places = commands
            .map(|(index, command)| (format!("commands[{index}]"), command))
            .chain(on_stop.map(|(index, command)| (format!("canary.on_stop[{index}]"), command)));
        for (key, command) in places {
            let group = command.trunk_group();
            if let Some(group) = group.filter(|group| !trunk_groups.iter().any(|one| one == group))
            {
                let known = trunk_groups.join(", ");
                let sentence =
                    format!("no trunk group is called {group:?}; the trunk groups are {known}");
                found.push((key, sentence));
            }
        }
        found
    }
}

impl OperationStart {
    fn read(table: &Table<'_>) -> Self {
        let any = kind::duration(Duration::ZERO);
        let at = table.optional("at", |raw| match kind::text(raw) {
            Ok(text) if text == "end" => Ok(Self::End),
            _ => any(raw).map(Self::At),
        });
        let milestone = table.optional("after", Milestone::kind);
        let delay = table.or("delay", &any, Duration::ZERO);
        match (table.has("at"), table.has("after")) {
            (false, false) => table.report_here("needs at or after, to say when it begins"),
            (true, true) => table.report("after", "cannot stand beside at; keep one of them"),
            (true, false) if table.has("delay") => table.report("delay", "needs after"),
            _ => {}
        }
        match milestone {
            Some(milestone) => Self::After { milestone, delay },
            None => at.unwrap_or(Self::At(Duration::ZERO)),
        }
    }
}

impl OperationSites {
    fn read(table: &Table<'_>) -> Self {
        // Another text is left to `list`, which knows the lists of a layer: `a,b`.
        let text = table.optional("sites", |raw| Ok(kind::text(raw).ok()));
        match text.flatten().as_deref() {
            Some("all") => return Self::All,
            Some("affected") => return Self::Affected,
            _ => {}
        }
        let sites = table.required_list("sites", kind::name);
        for (index, site) in sites.iter().enumerate() {
            if sites[..index].contains(site) {
                table.report("sites", format!("names {site:?} twice"));
            }
        }
        Self::Named(sites)
    }
}

impl Canary {
    fn read(table: &Table<'_>) -> Self {
        let second = Duration::from_secs(1);
        let indicator = table.or("indicator", GateIndicator::kind, GateIndicator::SiteAsrVsOthers);
        let gate = [("first", GateScope::First), ("each", GateScope::Each)];
        let bound = |raw: Raw<'_>| indicator.bound(raw);
        let mut canary = Self {
            observe: table.required("observe", kind::duration(second), second),
            gate: table.or("gate", kind::choice(&gate), GateScope::First),
            indicator,
            min: table.optional("min", bound),
            max: table.optional("max", bound),
            min_attempts: table.or("min_attempts", kind::count(1..=1_000_000), 100),
            max_restarts: table.or("max_restarts", kind::count(0..=1_000_000), 0),
            on_stop: table.list("on_stop", action),
        };
        match (canary.min, canary.max) {
            (None, None) if !table.has("min") && !table.has("max") => match indicator {
                GateIndicator::SiteAsrVsOthers => canary.min = Some(AS_WELL_AS_OTHERS),
                _ => table.report_here("needs min or max, to say when the operation stops"),
            },
            (Some(min), Some(max)) if min > max => table.report("min", "must not exceed max"),
            _ => {}
        }
        canary
    }

    /// Whether this value of the indicator is inside of the bounds. What could not be measured is no pass.
    #[must_use]
    pub fn passes(&self, measured: Option<f64>) -> bool {
        measured.is_some_and(|measured| {
            !measured.is_nan()
                && self.min.is_none_or(|min| measured >= min)
                && self.max.is_none_or(|max| measured <= max)
        })
    }

    /// Whether the sites behind `site` may follow after what was seen of it.
    ///
    /// # Errors
    /// The reason why not.
    pub(crate) fn judge(&self, site: &str, seen: &Measured) -> Result<(), String> {
        let (indicator, restarts) = (self.indicator, seen.counts.restarts);
        if indicator != GateIndicator::Restarts && restarts > u64::from(self.max_restarts) {
            return Err(format!("{site} restarted {restarts} times while it was observed"));
        }
        let Some(value) = seen.value else {
            return Err(format!(
                "too little was measured of {indicator} after {site} to go on: fewer than {} calls",
                self.min_attempts
            ));
        };
        match (self.min, self.max) {
            _ if self.passes(Some(value)) => Ok(()),
            (Some(min), _) if value < min => {
                Err(format!("{indicator} after {site} was {value:.3}, below {min}"))
            }
            (_, max) => {
                let max = max.unwrap_or_default();
                Err(format!("{indicator} after {site} was {value:.3}, above {max}"))
            }
        }
    }
}

fn action(raw: Raw<'_>) -> Result<Action, String> {
    kind::text(raw)?.parse().map_err(|error: ParseActionError| error.to_string())
}
