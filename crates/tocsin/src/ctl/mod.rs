//! `tocsin ctl COMMAND SITE…`: what an operator does to a network that runs.
//!
//! Words without a dash are always names of sites, after the release of `load`, the class of `shed` and the like. So no site can
//! be mistaken for a part of a command.

mod callers;
pub(crate) mod client;
mod defect_words;
mod standing;
mod table;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use cli::manage::{
    CallServerView, CommandRequest, CommandResult, CommandResults, CommandStatus, RequestManner,
    RequestedCommand, SiteSelection,
};
use operations::{Action, ParseActionError, PowerSwitch};

use callers::CallersCommand;
use client::Client;
use defect_words::DefectWords;

/// Exit code when a site refused the command or did not answer.
const NOT_ALL: u8 = 1;

/// Commands the sites of a network that runs, or shows them
#[derive(Debug, Args)]
pub(crate) struct CtlArgs {
    #[command(subcommand)]
    command: Command,
    /// The file that says where the network is managed
    #[arg(long, global = true, value_name = "FILE", default_value = "runs/latest/manage.json")]
    manage: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the sites: all, or those that are named
    Show {
        #[arg(value_name = "SITE")]
        sites: Vec<String>,
    },
    /// Take no new calls; those in progress go on
    Lock(SiteArgs),
    /// Take calls again, after lock or drain
    Unlock(SiteArgs),
    /// Have new calls led elsewhere; those in progress go on
    Drain(SiteArgs),
    /// Cut the links towards the trunk groups, with the calls on them
    Disconnect {
        /// Only the links towards this trunk group
        #[arg(long = "from", value_name = "TRUNK-GROUP")]
        trunk_group: Option<String>,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Bring the links towards the trunk groups back
    Reconnect {
        /// Only the links towards this trunk group
        #[arg(long = "to", value_name = "TRUNK-GROUP")]
        trunk_group: Option<String>,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Start again: calls are lost
    Restart {
        /// Leave the stored configuration behind
        #[arg(long)]
        clean: bool,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Cut the site off from pool and trunk groups
    Isolate(SiteArgs),
    /// End an isolation
    Rejoin(SiteArgs),
    /// Load a software release, and start again with it
    Load {
        /// The name of the release in the network file
        release: String,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Go back to the release that ran before
    Rollback(SiteArgs),
    /// Refuse ordinary calls, or take all calls again
    Shed {
        /// The class of calls to refuse
        class: Class,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Refuse calls for a number
    Block {
        /// An emergency number, service URN or ten-digit number
        number: String,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Take calls for a number again
    Unblock {
        /// As it was blocked
        number: String,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Use the power switch: it works whatever the site does
    Power {
        /// What to do there
        switch: Switch,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Arm a latent defect in the software that runs; see tocsin defects
    Arm {
        /// The name of the defect
        defect: String,
        #[command(flatten)]
        keys: DefectWords,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Take a latent defect out of the software that runs
    Disarm {
        /// The name of the defect
        defect: String,
        #[command(flatten)]
        target: SiteArgs,
    },
    /// Have more, fewer or no calls than the campaign has
    Callers {
        #[command(subcommand)]
        what: CallersCommand,
    },
    /// Give a command that waits after its canary to the other sites
    Continue {
        /// The number that the canary has
        id: u64,
    },
    /// End a command that waits after its canary: the other sites never get it
    Abandon {
        /// The number that the canary has
        id: u64,
    },
    /// Show the faults that act now
    Faults,
    /// End a fault that acts: heal ways, let a frozen machine go on, give a killed one its power back
    Heal {
        /// The number that it has among the faults
        number: u64,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Switch {
    Off,
    On,
    Cycle,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Class {
    Ordinary,
    Nothing,
}

/// Which sites get a command, and how.
#[derive(Debug, Clone, Args)]
struct SiteArgs {
    /// Sites, or call servers of a site with several
    #[arg(value_name = "SITE", conflicts_with = "all")]
    sites: Vec<String>,
    /// A further site; may be given several times
    #[arg(long = "site", value_name = "SITE", conflicts_with = "all")]
    more: Vec<String>,
    /// All sites
    #[arg(long)]
    all: bool,
    /// One site after the other, each when the one before is done
    #[arg(long)]
    serial: bool,
    /// Wait so long between two sites
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration, requires = "serial")]
    interval: Duration,
    /// How long a site may take to answer
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// Give the command at the console of the machine: it works whatever the site does
    #[arg(long)]
    console: bool,
    /// Return as soon as a site has begun, without waiting for its effect
    #[arg(long)]
    no_wait: bool,
    /// How long the effect may take: service after a restart
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    effect_timeout: Duration,
    /// Give it to the first site alone; the others wait for continue or abandon
    #[arg(long)]
    canary: bool,
    /// How long they wait for that; then they never get it
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration, requires = "canary")]
    lapses_after: Duration,
    /// Command all sites at once without being asked
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(args: &CtlArgs) -> ExitCode {
    let done = match args.command.action() {
        Ok(None) => beside(args),
        Ok(Some((action, target))) => command(args, &action, target),
        // A slip is told before anybody is asked.
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOT_ALL),
        Err(error) => cli::fail(&error, cli::USAGE),
    }
}

/// What is no command to sites.
fn beside(args: &CtlArgs) -> anyhow::Result<bool> {
    let client = Client::open(&args.manage)?;
    match &args.command {
        Command::Callers { what } => {
            let done = client.load(&what.request(whoever_types()))?;
            cli::say(done.done);
            Ok(true)
        }
        Command::Continue { id } => Ok(tell(&client.go_on(*id, whoever_types())?)),
        Command::Abandon { id } => {
            cli::say(client.abandon(*id, whoever_types())?.done);
            Ok(true)
        }
        Command::Faults => {
            let run = client.state()?.run.unwrap_or_default();
            cli::say(standing::faults(&run.impaired).trim_end());
            Ok(true)
        }
        Command::Heal { number } => {
            cli::say(client.heal(*number, whoever_types())?.done);
            Ok(true)
        }
        Command::Show { sites } => show(&client, sites),
        _ => Ok(true),
    }
}

fn show(client: &Client, sites: &[String]) -> anyhow::Result<bool> {
    let views = client.sites()?;
    let chosen = if sites.is_empty() { views } else { chosen(&views, sites)? };
    cli::say(table::of(&chosen).trim_end());
    for canary in client.state()?.canaries {
        cli::say(standing::canary(&canary));
    }
    Ok(true)
}

/// True when every call server did what it was told, or began to if nobody waits.
fn command(args: &CtlArgs, action: &Action, target: &SiteArgs) -> anyhow::Result<bool> {
    let mut named = BTreeSet::new();
    let names = target.sites.iter().chain(&target.more).filter(|name| named.insert(*name));
    let names: Vec<String> = names.cloned().collect();
    if names.is_empty() && !target.all {
        bail!("name the sites, or say --all");
    }
    let client = Client::open(&args.manage)?;
    let views = client.sites()?;
    let names = if target.all { sites_of(&views) } else { names };
    let touched = sites_of(&chosen(&views, &names)?).len();
    let all = sites_of(&views).len();
    if touched == all && !target.serial && !target.canary && !target.yes {
        bail!("{action} touches {touched}/{all} sites at once; say --yes, --canary or --serial");
    }
    let request = |names: Vec<String>| CommandRequest {
        command: RequestedCommand::Action(action.clone()),
        sites: SiteSelection::Names(names),
        by: Some(whoever_types()),
        manner: if target.canary && target.serial {
            RequestManner::Serial
        } else {
            RequestManner::Parallel
        },
        interval: if target.canary { target.interval } else { Duration::ZERO },
        timeout: target.timeout,
        wait: !target.no_wait,
        effect_timeout: target.effect_timeout,
        canary: target.canary,
        lapses_after: target.lapses_after,
    };
    if !target.serial || target.canary {
        return Ok(tell(&client.command(&request(names))?));
    }
    // Site by site from here: the answer of each is told at once, and Ctrl-C spares those that are left.
    let mut all_done = true;
    for (number, name) in names.into_iter().enumerate() {
        if number > 0 {
            sleep(target.interval);
        }
        all_done &= tell(&client.command(&request(vec![name]))?);
    }
    Ok(all_done)
}

/// Who gives the commands: this program, and the user that the system knows.
fn whoever_types() -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let is_name =
        |user: &String| (1..=32).contains(&user.len()) && !user.contains(|c: char| c.is_control());
    user.filter(is_name).map_or_else(|| "ctl".to_owned(), |user| format!("ctl ({user})"))
}

fn tell(CommandResults { results, canary }: &CommandResults) -> bool {
    for CommandResult { name, result, text, ms, .. } in results {
        cli::say!("{name:<10} {result:<10} {text} ({ms} ms)");
    }
    if let Some(canary) = canary {
        cli::say(standing::canary(canary));
    }
    let is_well =
        |one: &CommandResult| matches!(one.result, CommandStatus::Done | CommandStatus::Accepted);
    results.iter().all(is_well)
}

/// The sites of these call servers, each once, in their order.
fn sites_of(views: &[CallServerView]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    views.iter().filter(|view| seen.insert(&view.site)).map(|view| view.site.clone()).collect()
}

/// The call servers that are named, by themselves or by their site.
fn chosen(views: &[CallServerView], names: &[String]) -> anyhow::Result<Vec<CallServerView>> {
    let is_meant = |view: &CallServerView, name: &String| view.name == *name || view.site == *name;
    if let Some(name) = names.iter().find(|name| !views.iter().any(|view| is_meant(view, name))) {
        bail!("there is no site {name:?}; the sites are {}", sites_of(views).join(", "));
    }
    let is_chosen = |view: &&CallServerView| names.iter().any(|name| is_meant(view, name));
    Ok(views.iter().filter(is_chosen).cloned().collect())
}

impl Command {
    /// What is to be done, and to whom; `None` for what is no command to sites.
    fn action(&self) -> Result<Option<(Action, &SiteArgs)>, ParseActionError> {
        let (action, target) = match self {
            Self::Show { .. }
            | Self::Callers { .. }
            | Self::Continue { .. }
            | Self::Abandon { .. }
            | Self::Faults
            | Self::Heal { .. } => return Ok(None),
            Self::Lock(target) => (Action::Lock, target),
            Self::Unlock(target) => (Action::Unlock, target),
            Self::Drain(target) => (Action::Drain, target),
            Self::Disconnect { trunk_group, target } => {
                (Action::disconnect(trunk_group.as_deref())?, target)
            }
            Self::Reconnect { trunk_group, target } => {
                (Action::reconnect(trunk_group.as_deref())?, target)
            }
            Self::Restart { clean, target } => (Action::Restart { clean: *clean }, target),
            Self::Isolate(target) => (Action::Isolate, target),
            Self::Rejoin(target) => (Action::Rejoin, target),
            Self::Load { release, target } => (Action::load_release(release)?, target),
            Self::Rollback(target) => (Action::Rollback, target),
            Self::Shed { class, target } => {
                (Action::Shed { on: matches!(class, Class::Ordinary) }, target)
            }
            Self::Block { number, target } => (Action::block(number)?, target),
            Self::Unblock { number, target } => (Action::unblock(number)?, target),
            Self::Arm { defect, keys, target } => {
                let words = keys.words();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                (Action::arm(defect, &words)?, target)
            }
            Self::Disarm { defect, target } => (Action::disarm(defect)?, target),
            Self::Power { switch, target } => {
                let switch = match switch {
                    Switch::Off => PowerSwitch::Off,
                    Switch::On => PowerSwitch::On,
                    Switch::Cycle => PowerSwitch::Cycle,
                };
                (Action::Power(switch), target)
            }
        };
        let action = if target.console { action.at_console()? } else { action };
        Ok(Some((action, target)))
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    topology::parse_duration(text).map_err(|error| error.to_string())
}
