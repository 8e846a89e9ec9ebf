//! Our whole network on real sockets: two PSAPs, one call server, one trunk group, each tier a process of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::loopback;
use crate::records::Records;
use crate::sound;
use system_tests::program::Program;

/// The calls of `campaign.toml`.
pub(crate) const CAMPAIGN_CALLS: usize = 20;

/// A running network.
#[derive(Debug)]
pub(crate) struct Network {
    /// In the order in which they are drained: trunk groups, sites, PSAPs.
    programs: Vec<Program>,
    addresses: BTreeMap<String, SocketAddr>,
    settings: Settings,
    folder: TempDir,
}

/// Changes to `network.toml` and `campaign.toml`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    keys: Vec<(String, String)>,
    campaign_keys: Vec<(String, String)>,
    clips: Vec<(String, Vec<i16>)>,
    foreign_psap: bool,
}

impl Settings {
    /// Sets one key.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.keys.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Has a program that is not ours as the PSAP `first`.
    pub(crate) fn with_first_psap_at(mut self, address: SocketAddr) -> Self {
        self.foreign_psap = true;
        self.with("psaps.first.address", &address.to_string())
    }

    /// Sets one key of `campaign.toml`.
    pub(crate) fn with_campaign(mut self, key: &str, value: &str) -> Self {
        self.campaign_keys.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds a recording that PSAPs and callers may play.
    pub(crate) fn with_clip(mut self, name: &str, samples: Vec<i16>) -> Self {
        self.clips.push((name.to_owned(), samples));
        self
    }

    /// Writes the files that the programs read.
    fn write(&self, folder: &Path) {
        let mut network = include_str!("network.toml").to_owned();
        for (name, samples) in &self.clips {
            network.push_str(&format!("\n[media.clips.{name}]\nfile = \"{name}.wav\"\n"));
            sound::write(&folder.join(format!("{name}.wav")), samples);
        }
        let write = |name, text: &str| {
            fs::write(folder.join(name), text).expect("a file in a temporary folder");
        };
        write("network.toml", &network);
        write("campaign.toml", include_str!("campaign.toml"));
    }

    fn arguments<'a>(
        subcommand: &str,
        file: PathBuf,
        keys: impl Iterator<Item = &'a (String, String)>,
    ) -> Vec<OsString> {
        let mut arguments = vec![OsString::from(subcommand), file.into()];
        for (key, value) in keys {
            arguments.extend(["--set".into(), format!("{key}={value}").into()]);
        }
        arguments
    }
}

impl Network {
    /// Starts the network as the file describes it.
    pub(crate) fn start() -> Self {
        Self::with(Settings::default())
    }

    /// Starts it with changes, tier by tier: each must know where the one before it listens.
    pub(crate) fn with(mut settings: Settings) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        for box_name in ["psaps.first", "psaps.second", "sites.alpha", "trunk_groups.mobile"] {
            let key = format!("{box_name}.address");
            if settings.keys.iter().all(|(have, _)| *have != key) {
                settings.keys.push((key, SocketAddr::new(loopback::host(), 0).to_string()));
            }
        }
        settings.write(folder.path());
        let mut network =
            Self { programs: Vec::new(), addresses: BTreeMap::new(), settings, folder };
        let psaps: &[_] = if network.settings.foreign_psap { &["--psap", "second"] } else { &[] };
        network.start_tier("psap", psaps, "psaps");
        network.start_tier("switch", &["--site", "alpha"], "sites");
        network.start_tier("switch", &["--trunks"], "trunk_groups");
        network
    }

    fn start_tier(&mut self, subcommand: &str, choice: &[&str], table: &str) {
        let file = self.folder.path().join("network.toml");
        let mut arguments = Settings::arguments(subcommand, file, self.settings.keys.iter());
        arguments.extend(choice.iter().map(OsString::from));
        if subcommand == "psap" {
            arguments.extend(["--recordings".into(), Records::recordings_in(&self.folder).into()]);
        }
        let mut program = Program::start(table, arguments, &self.records(table));
        for (name, address) in program.addresses() {
            if name != "pool-monitor" {
                let key = format!("{table}.{name}.address");
                self.settings.keys.retain(|(have, _)| *have != key);
                self.settings.keys.push((key, address.to_string()));
            }
            self.addresses.insert(name, address);
        }
        self.programs.insert(0, program);
    }

    /// Where a box listens.
    pub(crate) fn at(&self, name: &str) -> SocketAddr {
        *self.addresses.get(name).unwrap_or_else(|| panic!("no box is called {name}"))
    }

    /// Lets our callers place the calls of `campaign.toml`, and waits for their end. Returns where they were.
    pub(crate) fn carry_campaign(&self) -> IpAddr {
        let file = self.folder.path().join("campaign.toml");
        let keys = self.settings.keys.iter().chain(&self.settings.campaign_keys);
        let mut arguments = Settings::arguments("load", file, keys);
        let caller = SocketAddr::new(loopback::host(), 0);
        arguments.extend(["--address".into(), caller.to_string().into()]);
        Program::start("load", arguments, &self.records("load")).end();
        caller.ip()
    }

    /// Drains all programs, which fails if one of them still has a call; then returns what they wrote.
    pub(crate) fn stop(self) -> Records {
        self.programs.into_iter().for_each(Program::drain);
        Records::read(self.folder)
    }

    fn records(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.jsonl"))
    }
}
