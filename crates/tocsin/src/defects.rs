//! `tocsin defects`: the catalogue of latent defects that a release may carry.

use std::process::ExitCode;

use clap::Args;
use switch::latent_defects::CATALOGUE;

/// Lists the latent defects that a software release may carry
#[derive(Debug, Args)]
pub(crate) struct DefectsArgs {
    /// Say what each copies, what triggers it, and what cures it
    #[arg(long)]
    why: bool,
}

pub(crate) fn defects(args: &DefectsArgs) -> ExitCode {
    for defect in CATALOGUE {
        cli::say!("{:<16} {}", defect.name, defect.incident);
        if args.why {
            let lines = [
                ("trigger", defect.trigger),
                ("effect", defect.effect),
                ("near miss", defect.near_miss),
                ("cure", defect.cure),
                ("keys", defect.keys),
                ("source", defect.source),
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
