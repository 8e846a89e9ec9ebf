//! Files that people write: networks, campaigns, and rows of callers.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use campaign::Campaign;
use tempfile::TempDir;
use topology::{Layers, Problems, Topology, picture};

use crate::seeds::assert_sentence;

/// Where the files lie that a campaign names.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// Every mistake is a sentence with its place, and a network that can be read is the same the next time.
pub(crate) fn network(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    match Topology::parse("network.toml", text, &Layers::none()) {
        Err(problems) => all_told(&problems, text),
        Ok(network) => {
            assert_eq!(
                Topology::parse("network.toml", text, &Layers::none()).as_ref(),
                Ok(&network)
            );
            assert!(Topology::known_keys(text).is_ok());
            for number in ["15", "112", "urn:service:sos", "0199000015"] {
                let route = network.routes.find(number, Some("59350"));
                let psaps = route.iter().flat_map(|route| &route.psaps);
                assert!(psaps.into_iter().all(|name| network.psap(name).is_some()));
            }
            let _ = picture(&network);
        }
    }
}

/// The same of a campaign; what its phases promise can be counted.
pub(crate) fn campaign(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    // The files that campaigns name lie here.
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/campaign/tests/schema/campaign.toml");
    match Campaign::parse(&path, text, &Layers::none()) {
        Err(problems) => all_told(&problems, text),
        Ok(campaign) => {
            assert_eq!(Campaign::parse(&path, text, &Layers::none()).as_ref(), Ok(&campaign));
            assert!(campaign.expected_attempts() >= 0.0);
            let levels = campaign.levels();
            assert!(!campaign.phases.is_empty() && !campaign.mix.is_empty() && !levels.is_empty());
        }
    }
}

/// Rows are refused line by line, or each has what it says.
pub(crate) fn rows(input: &[u8]) {
    let folder = FOLDER.path();
    fs::write(folder.join("rows.csv"), input).expect("a file");
    let mut read = 0;
    for arrivals in [
        "{ model = \"constant\", rate = 1 }\n[feed]\nfile = \"rows.csv\"",
        "{ model = \"replay\", file = \"rows.csv\" }",
        "{ model = \"constant\", rate = 1 }\n[supervision.usual]\narrivals = \"rows.csv\"",
    ] {
        let text = format!(
            "network = \"n.toml\"\n[[mix]]\nnumber = \"15\"\n[[phases]]\nname = \"p\"\nduration = \"10s\"\narrivals = {arrivals}\n"
        );
        match Campaign::parse(&folder.join("campaign.toml"), &text, &Layers::none()) {
            Err(problems) => all_told(&problems, &String::from_utf8_lossy(input)),
            Ok(campaign) => {
                read += 1;
                let Some(feed) = campaign.feed else { continue };
                assert!(!feed.rows.is_empty());
                for index in 0..feed.rows.len() {
                    let row = feed.rows.row(index);
                    assert!(row.number.is_none_or(|number| !number.contains(char::is_control)));
                    assert!(row.commune.is_none_or(|commune| commune.as_str().len() == 5));
                }
            }
        }
    }
    assert!(read <= 2, "the columns of a feed and of a usual day have no name in common");
}

fn all_told(problems: &Problems, text: &str) {
    assert!(!problems.0.is_empty());
    for problem in &problems.0 {
        assert_sentence(&problem.message);
        assert_sentence(&problem.to_string());
        let lines = text.split('\n').count().max(1);
        assert!(problem.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{problem:?}");
    }
}
