//! `tocsin check FILE…`: is a file right, and what does it mean?

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use campaign::Variant;
use clap::Args;
use cli::FileArgs;
use topology::reader::Document;
use topology::{Layers, Topology, format_duration, picture};

use crate::changed_campaign::{ChangedCampaign, LoadArgs, Mistake};

/// Checks network and campaign files and shows what they mean
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Network or campaign files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change one key of each file, for example callers.talk=3s
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = cli::key_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    load: LoadArgs,
    /// Only check: show nothing of files that are right
    #[arg(long)]
    quiet: bool,
}

/// Checks every file before it ends: 0 if all are right, 2 otherwise.
pub(crate) fn check(args: &CheckArgs) -> ExitCode {
    let mut right = true;
    for file in &args.files {
        match describe(file, args) {
            Ok(text) if !args.quiet => cli::say!("{text}"),
            Ok(_) => {}
            Err(error) => {
                right = false;
                cli::complain!("{error:#}");
            }
        }
    }
    if right { ExitCode::SUCCESS } else { ExitCode::from(cli::USAGE) }
}

fn describe(file: &Path, args: &CheckArgs) -> anyhow::Result<String> {
    let file = FileArgs { file: file.to_owned(), set: args.set.clone() };
    // Only a campaign names a network.
    if !Document::load(&file.file, &Layers::none())?.has("network") {
        let topology = Topology::load(&file.file, &file.network_layers())?;
        cli::load_clips(&topology.media)?;
        return Ok(picture(&topology));
    }
    let read = ChangedCampaign::read(&file, args.load.change()).map_err(|mistake| match mistake {
        Mistake::OfFiles(problems) => anyhow::Error::from(problems),
        Mistake::OfChange(sentence) => anyhow::anyhow!(sentence),
    });
    let ChangedCampaign { campaign, topology, .. } = read?;
    cli::load_clips(&topology.media)?;
    let attempts = campaign.expected_attempts();
    let variants: String = campaign.variants.iter().map(variant_line).collect();
    let faults = campaign.operations.faults.iter();
    let faults: String = faults.map(|fault| format!("  fault {fault}\n")).collect();
    Ok(format!(
        "campaign {}: about {attempts:.0} calls in {}, seed {}, on network {}\n{variants}{faults}\n{}",
        campaign.name,
        format_duration(campaign.duration()),
        campaign.seed,
        topology.name,
        picture(&topology)
    ))
}

/// What a variant changes, counted.
fn variant_line(variant: &Variant) -> String {
    let things = variant.things();
    let count = match things.len() {
        1 => "1 thing".to_owned(),
        count => format!("{count} things"),
    };
    format!(
        "  variant {}: {}; changes {count}: {}\n",
        variant.name,
        variant.title,
        things.join(", ")
    )
}
