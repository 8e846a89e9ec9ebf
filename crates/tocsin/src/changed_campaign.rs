//! A campaign and its network from their files, with what the command line says of single keys and of the load as a whole.

use std::process::ExitCode;

use campaign::{Campaign, ENVIRONMENT_PREFIX, LoadChange};
use clap::Args;
use cli::FileArgs;
use topology::{Problems, Topology};

/// What the command line says of the load as a whole.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LoadArgs {
    /// Seed of every random draw, in place of the file's
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// How long all phases last together; each keeps its share
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<std::time::Duration>,
    /// The highest rate of the campaign, in calls per second; the others keep their proportion to it
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) rate: Option<f64>,
}

/// What was read, and all that lies over its file.
#[derive(Debug)]
pub(crate) struct ChangedCampaign {
    pub(crate) file: FileArgs,
    pub(crate) campaign: Campaign,
    pub(crate) topology: Topology,
}

/// Why a campaign cannot be read.
#[derive(Debug)]
pub(crate) enum Mistake {
    OfFiles(Problems),
    /// What the command line says of the load as a whole.
    OfChange(String),
}

impl LoadArgs {
    pub(crate) const fn change(&self) -> LoadChange {
        let &Self { seed, duration, rate } = self;
        LoadChange { seed, duration, rate }
    }
}

impl ChangedCampaign {
    /// Reads `file` with `change` over it. What is wrong has been told when this fails.
    pub(crate) fn load(file: &FileArgs, change: LoadChange) -> Result<Self, ExitCode> {
        Self::read(file, change).map_err(|mistake| match mistake {
            Mistake::OfFiles(problems) => cli::refuse(&problems),
            Mistake::OfChange(sentence) => cli::fail(&anyhow::anyhow!(sentence), cli::USAGE),
        })
    }

    /// The same, and nothing is told.
    pub(crate) fn read(file: &FileArgs, change: LoadChange) -> Result<Self, Mistake> {
        let read = |file: FileArgs| {
            let (layers, network_layers) = file.campaign_and_network_layers(ENVIRONMENT_PREFIX);
            Campaign::load_with_network(&file.file, &layers, &network_layers)
                .map(|(campaign, topology)| Self { file, campaign, topology })
                .map_err(Mistake::OfFiles)
        };
        let plain = read(file.clone())?;
        let keys = change.keys(&plain.campaign).map_err(Mistake::OfChange)?;
        if keys.is_empty() {
            return Ok(plain);
        }
        let set = [file.set.clone(), keys].concat();
        read(FileArgs { file: file.file.clone(), set })
    }
}

pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let duration = topology::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("must be above 0".to_owned()) } else { Ok(duration) }
}

pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "must be a number of calls per second".to_owned())?;
    let sane = rate > 0.0 && rate <= 100_000.0;
    if sane { Ok(rate) } else { Err("must be above 0, and at most 100000".to_owned()) }
}
