//! Usual days: files good and bad, and what a campaign lets expect.

use std::fs;
use std::path::Path;
use std::time::Duration;

use operations::supervision::UsualDay;
use topology::{Layers, Topology};

use crate::campaign::Campaign;

const CAMPAIGN: &str = r#"
network = "network.toml"
begins = "16:40"
[[phases]]
name = "rise"
duration = "10m"
arrivals = { model = "ramp", from = 0, to = 6 }
[[phases]]
name = "flat"
duration = "90s"
arrivals = { model = "poisson", rate = 4 }
[[mix]]
number = "15"
communes = ["59350", "75056"]
weight = 3
[[mix]]
number = "18"
communes = ["59350"]
weight = 1
[callers]
talk = "30s"
[supervision.usual]
arrivals = "ARRIVALS"
"#;

fn load(arrivals: &str, csv: &str) -> Result<(Campaign, Topology), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("a file");
    };
    let networks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/networks");
    let network = fs::read_to_string(networks.join("six-sites.toml")).expect("a network");
    write("network.toml", &network);
    write("usual.csv", csv);
    let path = folder.path().join("campaign.toml");
    fs::write(&path, CAMPAIGN.replace("ARRIVALS", arrivals)).expect("a file");
    let none = Layers::none();
    let loaded = Campaign::load_with_network(&path, &none, &none);
    loaded.map_err(|problems| {
        problems.to_string().replace(&format!("{}/", folder.path().display()), "")
    })
}

fn day(campaign: &Campaign) -> &UsualDay {
    let supervision = campaign.operations.supervision.as_ref().expect("the section");
    supervision.usual_day.as_ref().expect("a usual day")
}

#[test]
fn a_file_tells_of_half_hours_from_the_beginning_of_the_campaign_on() {
    let csv = "# a quiet day\ntime,psap,arrivals\n16:30,samu-59,300\n17:00, samu-59, 60.0\n";
    let (campaign, _) = load("usual.csv", csv).expect("a good file");
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let expected = |from, to| day(&campaign).expected("samu-59", minutes(from), minutes(to));
    assert_eq!(expected(0, 20), Some(200.0));
    assert_eq!(expected(20, 50), Some(60.0));
    assert!(campaign.row_paths()[0].1.ends_with("usual.csv"), "it is kept beside the run");
}

#[test]
fn a_hostile_file_is_refused_with_its_lines() {
    for (csv, wanted) in [
        ("", "usual.csv:1: the first line must be \"time,psap,arrivals\""),
        ("a,b\n", "the first line must be \"time,psap,arrivals\""),
        ("time,psap,arrivals\n", "has no row below its first line"),
        (
            "time,psap,arrivals\n16:30,samu-59,1\n\n# x\n16:31,samu-59,1\n",
            "usual.csv:5: time: must be the beginning of a half hour such as \"16:30\", got \"16:31\"",
        ),
        ("time,psap,arrivals\n24:00,samu-59,1\n", "usual.csv:2: time: must be"),
        ("time,psap,arrivals\n16:30,,1\n", "usual.csv:2: psap: must be the name of a PSAP"),
        (
            "time,psap,arrivals\n16:30,samu-59,NaN\n16:30,samu-59,-1\n17:00,samu-59,inf\n",
            "usual.csv:4: arrivals: must be a number from 0 to 10000000, got \"inf\"",
        ),
        ("time,psap,arrivals\n16:30,samu-59\n", "usual.csv:2: has 2 fields"),
        (
            "time,psap,arrivals\n16:30,samu-59,1\n16:30,samu-59,2\n",
            "usual.csv:3: samu-59 has a row for 16:30 already",
        ),
        (
            "time,psap,arrivals\n16:30,samu-5,1\n",
            "the file tells of \"samu-5\", and no PSAP is called so",
        ),
    ] {
        let refusal = load("usual.csv", csv).err().unwrap_or_default();
        assert!(refusal.contains(wanted), "{csv:?}: {refusal}");
    }
    let endless = format!("time,psap,arrivals\n{}", "x,y,z\n".repeat(200_000));
    let refusal = load("usual.csv", &endless).expect_err("nonsense");
    assert!(refusal.lines().count() < 30, "{}", refusal.lines().count());
    assert!(load("other.csv", "").expect_err("none").contains("there is no such file"));
    assert!(load("usual", "").expect_err("no name").contains("must be \"computed\" or the name"));
}

#[test]
fn what_is_computed_follows_phases_mix_and_routes() {
    let (campaign, network) = load("computed", "").expect("a good file");
    let seconds = Duration::from_secs;
    let expected = |psap: &str, from, to| {
        day(&campaign).expected(psap, seconds(from), seconds(to)).expect("it is known")
    };
    let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-6, "{one} {other}");
    let of = |number, commune: &str| {
        let route = network.routes.find(number, Some(commune)).expect("a route");
        route.psaps[0].clone()
    };
    let (north, fire) = (of("15", "59350"), of("18", "59350"));
    // Of four calls three are to 15, half of them from Lille; one is to 18, from Lille.
    close(expected(&north, 0, 600), 1_800.0 * 3.0 / 8.0);
    close(expected(&fire, 0, 600), 1_800.0 / 4.0);
    close(expected(&fire, 300, 360), (3.0 + 3.6) / 2.0 * 60.0 / 4.0);
    // The last half minute of the slot has no call.
    close(expected(&fire, 600, 660), 60.0);
    close(expected(&fire, 660, 720), 30.0);
    let all = day(&campaign).expected_everywhere(seconds(0), seconds(720)).expect("all");
    close(all, campaign.expected_attempts());
    assert!(campaign.row_paths().is_empty());
}

#[test]
fn steps_are_expected_one_by_one() {
    let text = CAMPAIGN.replace(
        "model = \"ramp\", from = 0, to = 6",
        "model = \"steps\", from = 1, to = 4, steps = 4",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("campaign.toml");
    fs::write(&path, text.replace("ARRIVALS", "computed")).expect("a file");
    let campaign = Campaign::load(&path, &Layers::none()).expect("a campaign");
    let phase = &campaign.phases[0];
    for (time, wanted) in [(0, 0.0), (75, 75.0), (150, 150.0), (225, 300.0), (600, 1_500.0)] {
        let expected = phase.expected_until(Duration::from_secs(time));
        assert!((expected - wanted).abs() < 1e-6, "{time}: {expected}");
    }
}
