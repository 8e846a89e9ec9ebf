//! What a latent defect wants to know, as options of `tocsin ctl arm`.

use clap::Args;

/// The keys of a defect; `tocsin defects --why` tells which of them each has.
#[derive(Debug, Clone, Args)]
pub(super) struct DefectWords {
    /// The number that triggers it
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// The numbers that it counts, with commas between them
    #[arg(long, value_name = "NUMBERS")]
    numbers: Option<String>,
    /// So many calls must be in progress
    #[arg(long, value_name = "CALLS")]
    busy: Option<u32>,
    /// So many calls are served
    #[arg(long, value_name = "CALLS")]
    ceiling: Option<u32>,
    /// Messages so close to each other trigger it
    #[arg(long, value_name = "DURATION")]
    window: Option<String>,
}

impl DefectWords {
    /// Those that are given, as `number=112`.
    pub(super) fn words(&self) -> Vec<String> {
        let Self { number, numbers, busy, ceiling, window } = self;
        let given = [
            ("number", number.clone()),
            ("numbers", numbers.clone()),
            ("busy", busy.map(|busy| busy.to_string())),
            ("ceiling", ceiling.map(|ceiling| ceiling.to_string())),
            ("window", window.clone()),
        ];
        let word = |(key, value): (&str, Option<String>)| Some(format!("{key}={}", value?));
        given.into_iter().filter_map(word).collect()
    }
}
