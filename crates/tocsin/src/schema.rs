//! `tocsin schema KIND`: what a file may hold, as a JSON Schema for editors and scripts; and the management API, as OpenAPI.

use std::borrow::Cow;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use cli::say;
use serde_json::json;

/// Prints the JSON Schema of a kind of file, or the OpenAPI document of the management API
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
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
    /// The management API of a network that runs, and of the console
    Openapi,
}

impl Kind {
    fn text(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Campaign => include_str!("../../../docs/schema/campaign.schema.json"),
            Self::Network => include_str!("../../../docs/schema/network.schema.json"),
            Self::Summary => include_str!("../../../docs/schema/summary.schema.json"),
            Self::Openapi => return Cow::Owned(format!("{:#}", json!(console::document()))),
        })
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
        for kind in [Kind::Campaign, Kind::Network, Kind::Summary] {
            let schema: serde_json::Value = serde_json::from_str(&kind.text()).expect("JSON");
            let title = schema["title"].as_str().expect("a title").to_lowercase();
            let name = kind.to_possible_value().expect("no kind is hidden");
            assert_eq!(title, format!("tocsin {}", name.get_name()));
            assert!(schema["properties"].is_object());
        }
        let api: serde_json::Value = serde_json::from_str(&Kind::Openapi.text()).expect("JSON");
        assert!(api["openapi"].as_str().is_some_and(|it| it.starts_with("3.")), "{api}");
        assert!(api["paths"]["/v1/commands"]["post"].is_object(), "{api}");
    }
}
