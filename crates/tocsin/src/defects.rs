//! `tocsin defects`: the catalogue of latent defects that a release may carry.

use std::process::ExitCode;

use clap::Args;
use switch::defects::STORIES;

/// Lists the latent defects that a software release may carry
#[derive(Debug, Args)]
pub(crate) struct DefectsArgs {
    /// Say what each copies, what triggers it, and what cures it
    #[arg(long)]
    why: bool,
}

pub(crate) fn defects(args: &DefectsArgs) -> ExitCode {
    for story in STORIES {
        cli::say!("{:<16} {}", story.name, story.incident);
        if args.why {
            let lines = [
                ("trigger", story.trigger),
                ("effect", story.effect),
                ("near miss", story.near_miss),
                ("cure", story.cure),
                ("keys", story.keys),
                ("source", story.source),
            ];
            for (head, text) in lines {
                cli::say!("  {head:<10} {text}");
            }
            cli::say!("");
        }
    }
    if !args.why {
        cli::say!(
            "\n`tocsin defects --why` tells more; [releases.NAME.defects.…] of a network file arms them"
        );
    }
    ExitCode::SUCCESS
}
