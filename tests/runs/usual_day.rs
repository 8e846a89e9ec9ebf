//! A quiet day: what is computed of it, what it leaves behind, and that it raises no alarm.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use campaign::Campaign;
use topology::Layers;

use crate::CampaignFolder;
use crate::replay::{chronicle, run, workspace};

/// Figures of a minute with some 100 calls, so that chance alone takes them out of these bounds again and again.
const QUIET: &str = r#"
network = "network.toml"
time = "virtual"
begins = "16:40"

[[phases]]
name = "quiet"
duration = "90m"
arrivals = { model = "poisson", rate = 4 }

[[mix]]
number = "15"
communes = ["59350"]

[[mix]]
number = "112"

[callers]
talk = "20s"
patience = "30s"
caller_hangs_up = 1.0
media = 0

[callers.redial]

[supervision]
window = "1m"
rules = [
    { name = "missing", indicator = "arrivals", below = 0.9, for = "0s" },
    { name = "more", indicator = "arrivals", above = 1.1, for = "0s" },
]

[supervision.usual]
arrivals = "computed"
"#;

/// Runs the quiet day, and gives the number of its alarms.
fn alarms(workspace: &CampaignFolder, set: &[&str]) -> usize {
    let set = set.iter().flat_map(|set| ["--set", set]);
    let options: Vec<&str> = ["--variant", "base", "--quiet"].into_iter().chain(set).collect();
    run(workspace, &options);
    let told = chronicle(workspace, "chronicle.json")["alarms"].clone();
    told.as_array().expect("alarms").iter().filter(|one| one["state"] == "raised").count()
}

/// The sums of `arrivals.csv`, by PSAP, and how many rows it has.
fn arrivals(workspace: &CampaignFolder) -> (BTreeMap<String, f64>, usize) {
    let path = workspace.path("runs/latest/arrivals.csv");
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let (mut sums, mut rows) = (BTreeMap::<String, f64>::new(), 0);
    for row in reader.records().map(|row| row.expect("a row")) {
        *sums.entry(row[1].to_owned()).or_default() += row[2].parse::<f64>().expect("a number");
        rows += 1;
    }
    (sums, rows)
}

#[test]
fn a_quiet_day_is_as_it_is_computed_and_raises_no_alarm() {
    let workspace = workspace();
    workspace.write("outage.toml", QUIET);
    let sharp = ["supervision.rules[0].chance=1", "supervision.rules[1].chance=1"];
    assert!(alarms(&workspace, &sharp) > 10, "by chance alone");
    let seeds = ["seed=1", "seed=2", "seed=3"];
    let raised: usize = seeds.iter().map(|seed| alarms(&workspace, &[seed])).sum();
    assert_eq!(raised, 0, "in nine hours of a PSAP");

    let none = Layers::none();
    let path = workspace.path("outage.toml");
    let (campaign, network) = Campaign::load_with_network(&path, &none, &none).expect("a campaign");
    let day = campaign.expected_day(&network);
    let (seen, rows) = arrivals(&workspace);
    // From 16:40 to 18:10: 16:30 and 18:00 are made up to whole half hours.
    assert_eq!(rows, 2 * 4);
    let expected = |psap: &String| day.expected(psap, Duration::ZERO, campaign.duration());
    for (psap, seen) in &seen {
        let expected = expected(psap).expect("all of it") * 120.0 / 90.0;
        assert!((seen / expected - 1.0).abs() < 0.05, "{psap}: {seen}, expected {expected}");
    }
    assert_eq!(seen.len(), 2);

    let csv = workspace.path("runs/latest/arrivals.csv");
    fs::copy(csv, workspace.path("usual.csv")).expect("a copy");
    let usual = "supervision.usual.arrivals=usual.csv";
    assert_eq!(alarms(&workspace, &[usual, "seed=9"]), 0, "against the day before");
    let kept = workspace.path("runs/latest/rows-1.csv");
    assert!(kept.exists(), "the usual day is kept with the run");
}
