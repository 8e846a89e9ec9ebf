//! The program `switch`: serves access nodes, trunk groups, call servers and the pool monitor of a network.

mod access_nodes;
mod no_command;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use cli::manage::{ManageArgs, ManagedCallServer, NetworkView};
use cli::{BoxArgs, FileArgs, KeyFile, RecordKeeper, RecordSink, ToServe};
use contract::{BoxOrder, NodeKind, StoredDisk};
use node::clock::WallStart;
use node::{Label, NodeSpec};
use operations::Action;
use sip_proto::wall_clock::WallClock;
use topology::{Access, Topology};

pub use access_nodes::access_node_spec;
use no_command::no_command;
use switch::call_server::CallServerNotice;
use switch::pool::Change;
use switch::{CallServer, PoolMonitor, TrunkGroup, trunk_group};

/// Serves the call servers, trunk groups and access nodes of a network: all, or those that are named
#[derive(Debug, Args)]
pub struct SwitchArgs {
    #[command(flatten)]
    pub network: FileArgs,
    /// Serve only the call servers of this site; may be given several times
    #[arg(long, value_name = "NAME")]
    pub site: Vec<String>,
    /// Serve only the trunk groups, the access nodes and the pool monitor
    #[arg(long, conflicts_with = "site")]
    pub trunks: bool,
    /// Serve only the access nodes
    #[arg(long, conflicts_with_all = ["site", "trunks"])]
    pub access: bool,
    /// Write the secrets of TLS connections of telephones to this file, for Wireshark [the one that SSLKEYLOGFILE names, if it does]
    #[arg(long, value_name = "FILE")]
    pub tls_keys: Option<PathBuf>,
    /// Start the call servers as machines that get power back, with what this file says is on their disks
    #[arg(long, value_name = "FILE", hide = true)]
    pub power_on: Option<PathBuf>,
    #[command(flatten)]
    pub manage: ManageArgs,
    #[command(flatten)]
    pub serve: BoxArgs,
}

/// Runs the program to its end; its records go where the command line says.
#[must_use]
pub fn run(args: &SwitchArgs) -> ExitCode {
    run_kept(args, &|_| args.serve.record_file())
}

/// Runs the program to its end; its records go to `keeper`.
#[must_use]
pub fn run_kept(args: &SwitchArgs, keeper: RecordKeeper<'_>) -> ExitCode {
    let topology = match Topology::load(&args.network.file, &args.network.network_layers()) {
        Ok(topology) => Arc::new(topology),
        Err(problems) => return cli::refuse(&problems),
    };
    if let Some(unknown) =
        args.site.iter().find(|name| topology.sites.iter().all(|site| site.name != **name))
    {
        let names: Vec<_> = topology.sites.iter().map(|site| site.name.as_str()).collect();
        cli::complain!("error: --site {unknown}: no such site; the sites are {}", names.join(", "));
        return ExitCode::from(cli::USAGE);
    }
    args.serve.set_clock();
    if let Err(error) = args.serve.log.init() {
        return cli::fail(&error, cli::USAGE);
    }
    let to_serve = ToServe {
        program: "switch",
        file: &args.network.file,
        topology: &topology,
        boxes: boxes(args, &topology),
    };
    let opened = args.manage.open().and_then(|management| Ok((keeper(&to_serve)?, management)));
    match opened {
        Ok((records, management)) => {
            let specs = match specs(args, &topology, &records) {
                Ok(specs) => specs,
                Err(error) => return cli::fail(&error, cli::USAGE),
            };
            let management = management.map(|management| {
                (management, members(args, &topology), NetworkView::of(&topology))
            });
            let limits = cli::socket_limits(&topology.tcp);
            cli::serve_managed(&args.serve, &records, specs, None, limits, management)
        }
        Err(error) => cli::fail(&error, cli::USAGE),
    }
}

/// The call servers that are served here, for whoever manages them.
fn members(args: &SwitchArgs, topology: &Topology) -> Vec<ManagedCallServer> {
    served(args, topology)
        .map(|one| ManagedCallServer { name: one.name.clone(), site: one.site.clone() })
        .collect()
}

/// The boxes of the network that are served here, by name.
fn boxes(args: &SwitchArgs, topology: &Topology) -> Vec<String> {
    let mut names: Vec<_> = served(args, topology).map(|one| one.name.clone()).collect();
    if serves_trunks(args) {
        names.extend(topology.trunk_groups.iter().map(|group| group.name.clone()));
    }
    if serves_access(args) {
        names.extend(topology.access.iter().map(|access| access.name.clone()));
    }
    names
}

fn served<'a>(
    args: &SwitchArgs,
    topology: &'a Topology,
) -> impl Iterator<Item = &'a topology::CallServer> {
    let all = args.site.is_empty() && !args.trunks && !args.access;
    topology.call_servers().filter(move |one| all || args.site.contains(&one.site))
}

fn specs(
    args: &SwitchArgs,
    topology: &Arc<Topology>,
    records: &RecordSink,
) -> anyhow::Result<Vec<NodeSpec>> {
    let seed = args.serve.seed();
    let mut disks = args.power_on.as_deref().map(disks).transpose()?;
    let mut specs: Vec<_> = served(args, topology)
        .map(|one| {
            let disk = disks.as_mut().map(|disks| disks.remove(&one.name).unwrap_or_default());
            call_server_spec(one, topology, seed, records.clone(), disk)
        })
        .collect();
    if serves_trunks(args) {
        for trunk_group in &topology.trunk_groups {
            specs.push(trunk_group_spec(trunk_group, topology, seed, records.clone()));
        }
        specs.push(monitor_spec(topology, seed));
    }
    if serves_access(args) {
        let keys = key_file(args, topology)?;
        for access in &topology.access {
            specs.push(access_node_spec(access, topology, seed, keys.as_ref())?);
        }
    }
    Ok(specs)
}

/// The file for secrets of TLS, where somebody wants them and there is TLS.
fn key_file(args: &SwitchArgs, topology: &Topology) -> anyhow::Result<Option<Arc<KeyFile>>> {
    let named = || std::env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty());
    let path = args.tls_keys.clone().or_else(|| named().map(PathBuf::from));
    let Some(path) = path.filter(|_| topology.access.iter().any(Access::speaks_tls)) else {
        return Ok(None);
    };
    let keys = KeyFile::open(&path)?;
    cli::complain!(
        "the keys of TLS connections go to {}: whoever has that file can read them",
        path.display()
    );
    Ok(Some(keys))
}

fn serves_trunks(args: &SwitchArgs) -> bool {
    args.site.is_empty() && !args.access
}

fn serves_access(args: &SwitchArgs) -> bool {
    args.site.is_empty()
}

/// What is on the disks of machines that get power back, by their names.
fn disks(file: &Path) -> anyhow::Result<BTreeMap<String, StoredDisk>> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} holds no disks", file.display()))
}

/// A call server as a box to run. With a `disk` it boots first, as a machine that gets power back.
#[must_use]
pub fn call_server_spec(
    settings: &topology::CallServer,
    topology: &Arc<Topology>,
    seed: u64,
    records: RecordSink,
    disk: Option<StoredDisk>,
) -> NodeSpec {
    let label = Label {
        name: settings.name.clone(),
        kind: NodeKind::CallServer,
        address: settings.address,
        setting: settings.address_path(),
    };
    let (settings, topology) = (settings.clone(), Arc::clone(topology));
    let (name, seed) = (settings.name.clone(), BoxArgs::seed_of(seed, &settings.name));
    let build = move |address, start: WallStart| {
        let wall = WallClock::new(start.now, start.unix);
        let machine = CallServer::new(settings, topology, address, seed, wall, start.now);
        match disk {
            Some(disk) => machine.powered_on(start.now, &disk),
            None => machine,
        }
    };
    NodeSpec::new(label, build, operate, move |notice| match notice {
        CallServerNotice::Record(record) => records.write(&record),
        CallServerNotice::Hanging { why } => {
            tracing::warn!(call_server = name, why, "the software of the call server hangs")
        }
        CallServerNotice::Restarting { why } => {
            tracing::warn!(call_server = name, why, "the call server restarts")
        }
        CallServerNotice::InService => {
            tracing::warn!(call_server = name, "the call server is in service again")
        }
    })
}

fn operate(order: BoxOrder) -> Result<Action, String> {
    match order {
        BoxOrder::Operate(action) => Ok(action),
        _ => Err("a call server takes the commands of operators".to_owned()),
    }
}

/// A trunk group as a box to run.
#[must_use]
pub fn trunk_group_spec(
    settings: &topology::TrunkGroup,
    topology: &Arc<Topology>,
    seed: u64,
    records: RecordSink,
) -> NodeSpec {
    let label = Label {
        name: settings.name.clone(),
        kind: NodeKind::TrunkGroup,
        address: settings.address,
        setting: format!("trunk_groups.{}.address", settings.name),
    };
    let (settings, topology) = (settings.clone(), Arc::clone(topology));
    let seed = BoxArgs::seed_of(seed, &settings.name);
    let build = move |address, start: WallStart| {
        let wall = WallClock::new(start.now, start.unix);
        TrunkGroup::new(settings, &topology, address, seed, wall, start.now)
    };
    NodeSpec::new(label, build, no_command, move |notice| match notice {
        trunk_group::TrunkGroupNotice::Record(record) => records.write(&record),
        trunk_group::TrunkGroupNotice::Change(change) => log_change(&change),
    })
}

/// The pool monitor as a box to run. It asks, and nobody calls it: any port of the first trunk group's address will do.
#[must_use]
pub fn monitor_spec(topology: &Arc<Topology>, seed: u64) -> NodeSpec {
    let host = topology.trunk_groups.first().map(|group| group.address.ip());
    let host = host.or_else(|| topology.call_servers().next().map(|one| one.address.ip()));
    let label = Label {
        name: "pool-monitor".to_owned(),
        kind: NodeKind::PoolMonitor,
        address: SocketAddr::new(host.unwrap_or_else(|| [127, 0, 0, 1].into()), 0),
        setting: "the address of the first trunk group".to_owned(),
    };
    let topology = Arc::clone(topology);
    let seed = BoxArgs::seed_of(seed, &label.name);
    let build =
        move |address, start: WallStart| PoolMonitor::new(&topology, address, seed, start.now);
    NodeSpec::new(label, build, no_command, |change| log_change(&change))
}

fn log_change(change: &Change) {
    let Change { seen_by, silent_for, call_server, site, from, to } = change;
    tracing::warn!(
        seen_by,
        ?silent_for,
        call_server,
        site,
        ?from,
        ?to,
        "a call server changed its state"
    );
}
