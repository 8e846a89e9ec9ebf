//! Which processes a network is made of, and how each is started.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use campaign::Campaign;
use run_folder::Folder;
use telemetry::BoxKind;
use topology::AddressRange;
use trace::Keep;

use super::prepared::Prepared;

/// A generator of a run, as it calls itself in its records; the first is 1.
pub(super) fn generator(number: u32) -> String {
    format!("load-{number}")
}

/// One process to start.
#[derive(Debug, Clone)]
pub(crate) struct PlannedProcess {
    /// Unique; names its log and record files.
    pub(crate) name: String,
    pub(crate) tier: Tier,
    /// The boxes inside it whose records are lost if it dies.
    pub(crate) boxes: Vec<(BoxKind, String)>,
    /// Leaves the processors to others first: to the callers that measure it.
    pub(crate) yields: bool,
    subcommand: &'static str,
    choice: Vec<OsString>,
}

/// Started in this order, each when the one before is ready; drained in the opposite order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    Psaps,
    Sites,
    Trunks,
    Load,
}

impl Tier {
    pub(crate) const ALL: [Self; 4] = [Self::Psaps, Self::Sites, Self::Trunks, Self::Load];
}

/// The network and its callers.
pub(crate) fn processes(prepared: &Prepared) -> Vec<PlannedProcess> {
    network(prepared)
        .into_iter()
        .chain([callers("load", prepared.args.shards, prepared.args.only)])
        .collect()
}

/// The callers: so many generators in one process; or one, for the calls of `only` this caller.
pub(crate) fn callers(name: &str, shards: u32, only: Option<u32>) -> PlannedProcess {
    let (option, number) = only.map_or(("--shards", shards), |caller| ("--only", caller));
    PlannedProcess {
        name: name.to_owned(),
        tier: Tier::Load,
        boxes: (1..=shards).map(|number| (BoxKind::Generator, generator(number))).collect(),
        yields: false,
        subcommand: "load",
        choice: vec!["--begin-on-command".into(), option.into(), number.to_string().into()],
    }
}

/// Every PSAP and every site is a process of its own, so that each can be killed alone; the trunk groups share one. A
/// network that runs already needs none.
pub(crate) fn network(prepared: &Prepared) -> Vec<PlannedProcess> {
    if prepared.target.is_some() {
        return Vec::new();
    }
    let topology = &prepared.topology;
    let psaps = topology.psaps.iter().map(|psap| PlannedProcess {
        name: format!("psap-{}", psap.name),
        tier: Tier::Psaps,
        boxes: vec![(BoxKind::Psap, psap.name.clone())],
        yields: false,
        subcommand: "psap",
        choice: vec!["--psap".into(), psap.name.clone().into()],
    });
    let sites = topology.sites.iter().map(|site| PlannedProcess {
        name: format!("site-{}", site.name),
        tier: Tier::Sites,
        boxes: site
            .call_servers
            .iter()
            .map(|one| (BoxKind::CallServer, one.name.clone()))
            .collect(),
        yields: false,
        subcommand: "switch",
        choice: vec!["--site".into(), site.name.clone().into()],
    });
    let trunks = PlannedProcess {
        name: "trunks".to_owned(),
        tier: Tier::Trunks,
        boxes: topology
            .trunk_groups
            .iter()
            .map(|group| (BoxKind::TrunkGroup, group.name.clone()))
            .collect(),
        yields: false,
        subcommand: "switch",
        choice: vec!["--trunks".into()],
    };
    psaps.chain(sites).chain([trunks]).collect()
}

/// What is shown each half second must not be a second old, nor, by a fast clock, a minute. More often than five times a
/// second would cost more than it shows.
fn snapshot_interval(campaign: &Campaign) -> Duration {
    let (shortest, longest) = (Duration::from_millis(200), Duration::from_secs(1));
    let ten_seconds = Duration::from_secs(10).div_f64(campaign.compression);
    campaign.progress_interval.min(ten_seconds).clamp(shortest, longest)
}

/// The callers of a run are peers of each trunk group: their calls are those of many people.
fn peers(prepared: &Prepared) -> Vec<String> {
    let groups = &prepared.topology.trunk_groups;
    let addresses: Vec<_> =
        groups.iter().map(|group| (group.name.clone(), group.address)).collect();
    let callers = AddressRange::from(load_program::address_towards(&addresses));
    let setting = |group: &topology::TrunkGroup| {
        let all: Vec<_> =
            group.sources.peers.iter().chain([&callers]).map(ToString::to_string).collect();
        format!("trunk_groups.{}.peers={}", group.name, all.join(","))
    };
    groups.iter().map(setting).collect()
}

impl PlannedProcess {
    /// The site or PSAP that it is.
    pub(crate) fn target(&self) -> Option<&str> {
        let name = self.name.split_once('-')?.1;
        matches!(self.tier, Tier::Sites | Tier::Psaps).then_some(name)
    }

    /// Whether the box of this name is in it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.boxes.iter().any(|(_, one)| one == name)
    }

    /// The same, but it lets others have the processors first.
    pub(crate) fn yielding(self) -> Self {
        Self { yields: true, ..self }
    }

    /// The name of its files: each start has files of its own. The first start is 1.
    pub(crate) fn file_name(&self, start: u32) -> String {
        match start {
            1 => self.name.clone(),
            _ => format!("{}-{start}", self.name),
        }
    }

    /// The command line of a start; `addresses` are the keys of boxes that listen, or have listened, already.
    pub(crate) fn arguments(
        &self,
        prepared: &Prepared,
        folder: &Folder,
        addresses: &[(String, String)],
        start: u32,
    ) -> Vec<OsString> {
        let file: &Path = match self.tier {
            Tier::Load => &prepared.args.campaign_file,
            _ => &prepared.campaign.network,
        };
        let mut arguments = vec![self.subcommand.into(), file.into()];
        arguments.extend(self.choice.iter().cloned());
        arguments.extend(["--supervised".into(), "--records".into()]);
        arguments.push(folder.records(&self.file_name(start)).into());
        arguments.extend(["--disk-limit".into(), prepared.args.disk_limit.to_string().into()]);
        let trace = prepared.campaign.trace;
        if trace.keep != Keep::Off {
            let file = folder.trace(&self.file_name(start));
            arguments.extend(["--trace".into(), file.into()]);
            arguments.extend(["--trace-keep".into(), trace.keep.to_string().into()]);
            arguments.extend(["--trace-memory".into(), trace.memory.to_string().into()]);
            if trace.media {
                arguments.push("--trace-media".into());
            }
        }
        if let Some(collector) = prepared.args.hep {
            arguments.extend(["--hep".into(), collector.to_string().into()]);
        }
        let interval = snapshot_interval(&prepared.campaign).as_millis();
        arguments.extend(["--snapshot-interval".into(), format!("{interval}ms").into()]);
        if self.tier == Tier::Psaps {
            arguments.extend([
                "--recordings".into(),
                folder.path().join(media::recordings::FOLDER).into(),
            ]);
        }
        // The campaign's seed decides who calls when; the identifiers of a run are its own.
        if self.tier != Tier::Load {
            // No identifier is used again after a start.
            let seed = prepared.campaign.seed.wrapping_add(u64::from(start - 1) << 32);
            arguments.extend(["--seed".into(), seed.to_string().into()]);
        }
        if prepared.campaign.compression > 1.0 {
            let (factor, since) = (prepared.campaign.compression, prepared.since_us);
            arguments.extend(["--clock".into(), format!("{factor}@{since}").into()]);
        }
        let format = match prepared.args.log {
            telemetry::LogFormat::Human => "human",
            telemetry::LogFormat::Json => "json",
        };
        arguments.extend(["--log".into(), format.into()]);
        if let Some(target) = prepared.target.as_ref().filter(|_| self.tier == Tier::Load) {
            arguments.extend(target.arguments().into_iter().map(OsString::from));
        }
        // Each program refuses keys of the other kind of file.
        let ours = |key: &str| self.tier == Tier::Load || topology::is_network_key(key);
        let set = prepared.args.set.iter().filter(|(key, _)| ours(key));
        for (key, value) in set.chain(addresses) {
            arguments.extend(["--set".into(), format!("{key}={value}").into()]);
        }
        if self.tier == Tier::Trunks {
            for peers in peers(prepared) {
                arguments.extend(["--set".into(), peers.into()]);
            }
        }
        arguments
    }

    /// The configuration key of the address of the box `name` in this process.
    pub(crate) fn address_key(&self, prepared: &Prepared, name: &str) -> Option<String> {
        match self.tier {
            Tier::Psaps => Some(format!("psaps.{name}.address")),
            Tier::Sites => {
                let one = prepared.topology.call_servers().find(|one| one.name == name)?;
                Some(one.address_path())
            }
            Tier::Trunks => {
                prepared.topology.trunk_group(name).map(|_| format!("trunk_groups.{name}.address"))
            }
            Tier::Load => None,
        }
    }
}
