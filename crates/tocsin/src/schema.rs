//! `tocsin schema KIND`: what a file may hold, as a JSON Schema for editors and scripts.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use cli::say;

/// Prints the JSON Schema of a kind of file
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Which kind of file
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A campaign file
    Campaign,
    /// A network file
    Network,
    /// What a run leaves as `summary.json`
    Summary,
}

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::Campaign => include_str!("../../../docs/schema/campaign.schema.json"),
            Self::Network => include_str!("../../../docs/schema/network.schema.json"),
            Self::Summary => include_str!("../../../docs/schema/summary.schema.json"),
        }
    }
}

pub(crate) fn schema(args: &SchemaArgs) -> ExitCode {
    say(args.kind.text().trim_end());
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_json_and_says_of_what() {
        for kind in Kind::value_variants() {
            let schema: serde_json::Value = serde_json::from_str(kind.text()).expect("JSON");
            let title = schema["title"].as_str().expect("a title").to_lowercase();
            let name = kind.to_possible_value().expect("no kind is hidden");
            assert_eq!(title, format!("tocsin {}", name.get_name()));
            assert!(schema["properties"].is_object());
        }
    }
}
