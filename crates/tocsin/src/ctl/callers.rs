//! `tocsin ctl callers …`: more, fewer or no calls than the campaign has, while it runs.

use clap::{Args, Subcommand};
use cli::manage::{LoadAction, LoadRequest};

/// What is done to the callers.
#[derive(Debug, Subcommand)]
pub(super) enum CallersCommand {
    /// Nobody calls until resume
    Pause,
    /// As many calls as the campaign has; surges end
    Resume,
    /// So many times as many calls as the campaign has, from 0 to 10
    Rate {
        /// Such as 2 or 0.5
        factor: f64,
    },
    /// People in some communes call more often for a while
    Surge(SurgeArgs),
    /// End the campaign: nobody calls any more, and calls in progress are hung up
    End,
}

#[derive(Debug, Args)]
pub(super) struct SurgeArgs {
    /// INSEE codes of communes, such as 59350, or of departments, such as 59
    #[arg(required = true, value_name = "COMMUNE")]
    communes: Vec<String>,
    /// So many times as many calls as the campaign has from there
    #[arg(long, value_name = "TIMES", conflicts_with = "rate", required_unless_present = "rate")]
    factor: Option<f64>,
    /// So many more calls per second from there
    #[arg(long, value_name = "PER-SECOND")]
    rate: Option<f64>,
    /// How long it goes on, such as 60s
    #[arg(long = "for", value_name = "DURATION")]
    lasts: String,
}

impl CallersCommand {
    /// What the API is asked for.
    pub(super) fn request(&self, by: String) -> LoadRequest {
        let mut asked = LoadRequest { by: Some(by), ..LoadRequest::default() };
        match self {
            Self::Pause => asked.load = LoadAction::Pause,
            Self::Resume => asked.load = LoadAction::Resume,
            Self::Rate { factor } => {
                (asked.load, asked.factor) = (LoadAction::Rate, Some(*factor));
            }
            Self::Surge(SurgeArgs { communes, factor, rate, lasts }) => {
                asked.load = LoadAction::Surge;
                asked.communes.clone_from(communes);
                (asked.factor, asked.rate, asked.lasts) = (*factor, *rate, Some(lasts.clone()));
            }
            Self::End => asked.load = LoadAction::Drain,
        }
        asked
    }
}
