//! The campaign file: good, bad, and together with its network.

use std::path::{Path, PathBuf};
use std::time::Duration;

use topology::reader::Document;
use topology::{Distribution, Layers, Problems};

use super::*;

fn parse(text: &str, layers: &Layers) -> Result<Campaign, Problems> {
    let path = Path::new("campaigns/peak.toml");
    let document = Document::parse("peak.toml", text, layers)?;
    let campaign = Campaign::read(&document, path);
    document.finish(campaign)
}

fn overrides(pairs: &[(&str, &str)]) -> Layers {
    let owned = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Layers::none().with_overrides(owned)
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/campaigns/demo.toml")
}

const GOOD: &str = r#"
network = "../networks/lab.toml"
[[phases]]
name = "a"
duration = "10s"
arrivals = { model = "constant", rate = 2.5 }
[[phases]]
name = "b"
duration = "1m"
arrivals = { model = "steps", from = 10, to = 30, steps = 3 }
[[mix]]
number = "15"
"#;

#[test]
fn a_short_file_is_filled_with_defaults() {
    let campaign = parse(GOOD, &Layers::none()).expect("a good file");
    assert_eq!(campaign.name, "peak");
    assert_eq!(campaign.network, Path::new("campaigns/../networks/lab.toml"));
    assert_eq!(campaign.phases[1].arrivals, Arrivals::Steps { from: 10.0, to: 30.0, steps: 3 });
    assert_eq!(campaign.duration(), Duration::from_secs(70));
    assert_eq!(campaign.expected_attempts(), 25.0 + 1_200.0);
    let mean = Duration::from_secs(49);
    assert_eq!(campaign.callers.patience, Some(Distribution::Exponential { mean }));
    assert!(campaign.thresholds.is_empty());
}

#[test]
fn environment_and_command_line_lie_over_the_file() {
    let environment = [
        ("TOCSIN_CAMPAIGN__SEED".to_owned(), "7".to_owned()),
        ("TOCSIN_CAMPAIGN__CALLERS__PATIENCE".to_owned(), "endless".to_owned()),
        ("TOCSIN__SITES__ALPHA__ADDRESS".to_owned(), "127.0.0.1:1".to_owned()),
    ];
    let layers = overrides(&[("seed", "8"), ("mix[0].communes", "59350,2A004")])
        .with_environment(ENVIRONMENT_PREFIX, environment);
    let campaign = parse(GOOD, &layers).expect("good layers");
    assert_eq!(campaign.seed, 8);
    assert_eq!(campaign.callers.patience, None);
    assert_eq!(campaign.mix[0].communes, ["59350", "2A004"]);
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = r#"seed = -1
drain_timeout = "soon"

[[phases]]
duration = "10s"
arrivals = { model = "ramp", from = 1, too = 5 }

[[mix]]
number = "0320445962"
communes = ["59"]
weight = 0

[callers]
caller_hangs_up = 50

[[thresholds]]
metric = "pdd_p99"
max = 0.5

[[thresholds]]
metric = "answered"

[[thresholds]]
metric = "answered_share"
min = 0.9
max = 0.8
"#;
    let problems = parse(text, &Layers::none()).expect_err("many mistakes");
    let found: Vec<_> = problems.0.iter().map(|p| (p.line, &p.key[..])).collect();
    let wanted = [
        (None, ""),
        (Some(1), "seed"),
        (Some(2), "drain_timeout"),
        (Some(4), "phases[0]"),
        (Some(6), "phases[0].arrivals"),
        (Some(6), "phases[0].arrivals"),
        (Some(9), "mix[0].number"),
        (Some(10), "mix[0].communes[0]"),
        (Some(11), "mix[0].weight"),
        (Some(14), "callers.caller_hangs_up"),
        (Some(18), "thresholds[0].max"),
        (Some(20), "thresholds[1]"),
        (Some(21), "thresholds[1].metric"),
        (Some(25), "thresholds[2].min"),
    ];
    assert_eq!(found, wanted, "{problems}");
    let text = problems.to_string();
    assert!(text.contains("peak.toml: needs the key \"network\""), "{text}");
    assert!(text.contains("unknown key \"too\"; did you mean \"to\"?"), "{text}");
}

#[test]
fn a_campaign_needs_phases_and_a_mix() {
    let problems = parse("network = \"n.toml\"", &Layers::none()).expect_err("empty");
    let text = problems.to_string();
    assert!(text.contains("at least one [[phases]]") && text.contains("at least one [[mix]]"));
}

#[test]
fn the_demo_fits_its_network() {
    let none = Layers::none();
    let (campaign, network) = Campaign::load_with_network(&demo(), &none, &none)
        .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(campaign.duration(), Duration::from_secs(20));
    assert_eq!(network.sites.len(), 6);
    for entry in &campaign.mix {
        let communes = entry.communes.iter().map(|code| Some(&code[..])).chain([None]);
        for commune in communes {
            assert!(network.routes.find(&entry.number, commune).is_some(), "{entry:?}");
        }
    }
}

#[test]
fn strangers_may_call_unless_the_campaign_says_no() {
    assert!(parse(GOOD, &Layers::none()).expect("a good file").rules().foreign_callers);
    let text = format!("{GOOD}[ledger]\nforeign_callers = false\nunrecorded = [\"samu-59\"]\n");
    let rules = parse(&text, &Layers::none()).expect("a good file").rules();
    assert!(!rules.foreign_callers);
    assert_eq!(rules.unrecorded, ["samu-59"]);
    // No key excuses a contradiction by the time that it lasted.
    let patient = overrides(&[("ledger.crossing", "20s")]);
    assert!(parse(&text, &patient).is_err());
    let layers = overrides(&[("ledger.foreign_callers", "true")]);
    assert!(parse(&text, &layers).expect("a good layer").foreign_callers);

    let none = Layers::none();
    let unknown = overrides(&[("ledger.unrecorded", "samu")]);
    let problems = Campaign::load_with_network(&demo(), &unknown, &none).expect_err("no such PSAP");
    assert!(
        problems.to_string().contains("no PSAP is called \"samu\"; the PSAPs are "),
        "{problems}"
    );
}

#[test]
fn the_network_must_have_what_the_campaign_asks_for() {
    let none = Layers::none();
    let campaign = overrides(&[
        ("mix[0].trunk_group", "mobil"),
        ("callers.redial.ten_digit_trunk_group", "rct"),
    ]);
    let network = overrides(&[("psaps.samu-59.talk", "never")]);
    let problems = Campaign::load_with_network(&demo(), &campaign, &network)
        .expect_err("two mistakes")
        .to_string();
    assert!(problems.contains(
        "--set: mix[0].trunk_group: no trunk group is called \"mobil\"; \
         the trunk groups are mobile, fixe, rtc"
    ));
    let of_ten_digits = "callers.redial.ten_digit_trunk_group: no trunk group is called \"rct\"";
    assert!(problems.contains(of_ten_digits), "{problems}");
    assert!(problems.contains("callers.caller_hangs_up: nobody would end some calls to PSAP"));

    let both = Campaign::load_with_network(
        &demo(),
        &overrides(&[("seed", "x")]),
        &overrides(&[("pool.up_after", "0")]),
    );
    let both = both.expect_err("a mistake in each file").to_string();
    assert!(both.contains("seed: ") && both.contains("pool.up_after: "), "{both}");

    let missing = overrides(&[("network", "none.toml")]);
    let missing = Campaign::load_with_network(&demo(), &missing, &none).expect_err("no file");
    assert!(missing.to_string().contains("none.toml: cannot read the file: "), "{missing}");
}

#[test]
fn people_redial_only_where_the_campaign_says_so() {
    let campaign = parse(GOOD, &Layers::none()).expect("a good file");
    assert_eq!(campaign.callers.redial, None);
    assert!(campaign.mix[0].redial && campaign.mix[0].talk.is_none());
    let text = GOOD.replace("[[mix]]\n", "[[mix]]\ntalk = \"9s\"\nredial = false\n");
    let text = format!("{text}[callers.redial]\nsilence_patience = \"uniform 10s 20s\"\n");
    let campaign = parse(&text, &Layers::none()).expect("a good file");
    let redial = campaign.callers.redial.expect("redialling");
    let (from, to) = (Duration::from_secs(10), Duration::from_secs(20));
    let silence_patience = Some(Distribution::Uniform { from, to });
    assert_eq!(redial, Redial { silence_patience, ..Redial::default() });
    assert_eq!(campaign.mix[0].talk, Some(Distribution::Fixed(Duration::from_secs(9))));
    assert!(!campaign.mix[0].redial);
    let layers = overrides(&[("callers.redial.numbers", "18,112")]);
    let redial = parse(GOOD, &layers).expect("a good layer").callers.redial;
    assert_eq!(redial.expect("redialling").numbers, ["18", "112"]);
}

#[test]
fn mistakes_about_redialling_are_one_sentence_each() {
    let text = format!(
        r#"{GOOD}talk = "long"
redial = "no"
[callers.redial]
after_refusal = 85
gap = "soon"
most_attempts = 0
numbers = ["15", "0199001234"]
stop = 0.9
silent_patience = "5s"
"#
    );
    let problems = parse(&text, &Layers::none()).expect_err("many mistakes").to_string();
    for part in [
        "mix[0].talk: must be a distribution",
        "mix[0].redial: must be true or false, got \"no\"",
        "callers.redial.after_refusal: must be a share, 0..=1 (0.25 is a quarter), got 85",
        "callers.redial.gap: must be a distribution",
        "callers.redial.most_attempts: must be 1..=1000, got 0",
        "numbers[1]: must be an emergency number, such as \"112\", got \"0199001234\"",
        "stop add up to 1.700; they must not exceed 1",
        "unknown key \"silent_patience\"; did you mean \"silence_patience\"?",
    ] {
        assert!(problems.contains(part), "{part:?} is missing in\n{problems}");
    }
}

#[test]
fn operations_are_read_and_fit_the_network() {
    let section =
        "[operations.reconnection]\nat = \"1m\"\ncommands = [\"lock\"]\nsites = \"all\"\n";
    let campaign = parse(&format!("{GOOD}{section}"), &Layers::none()).expect("a good file");
    assert_eq!(campaign.operations.operations[0].commands, [operations::Action::Lock]);
    assert_eq!(parse(GOOD, &Layers::none()).expect("a good file").operations, Default::default());

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("peak.toml");
    let network = demo().with_file_name("../networks/six-sites.toml");
    let text = GOOD.replace("../networks/lab.toml", &network.to_string_lossy());
    let late = section
        .replace("1m", "2h")
        .replace("\"all\"", "[\"omega\"]")
        .replace("lock", "disconnect mobil");
    std::fs::write(&path, format!("{text}{late}")).expect("a writable folder");
    let none = Layers::none();
    let problems = Campaign::load_with_network(&path, &none, &none).expect_err("three mistakes");
    let text = problems.to_string();
    assert_eq!(problems.0.len(), 3, "{text}");
    assert!(text.contains(
        "operations.reconnection.at: would begin after the end of the campaign, which lasts 70s"
    ));
    assert!(
        text.contains(
            "operations.reconnection.sites[0]: no site is called \"omega\"; the sites are "
        )
    );
    assert!(
        text.contains("operations.reconnection.commands[0]: no trunk group is called \"mobil\"")
    );
}

#[test]
fn conditions_and_faults_that_cannot_be_are_refused() {
    let text = format!(
        r#"{GOOD}
[[thresholds]]
metric = "mos_p5"
min = 4
abort = true

[[thresholds]]
metric = "asr"
min = 0.9
delay = "5s"

[[thresholds]]
metric = "rejected_share"
site = "alpha"
psap = "samu-59"
max = 0.1

[[steady_state]]
metric = "scr"
min = 0.9
abort = true

[[faults]]
at = "5s"
kill = "alpha"
for = "5s"

[[faults]]
at = "5s"
freeze = "alpha"

[[faults]]
at = "5s"

[[faults]]
at = "5s"
of = "alpha"
between = ["alpha", "beta"]
loss = 0.1

[[faults]]
at = "5s"
between = ["alpha", "alpha"]
delay = "2m"

[[faults]]
at = "5s"
of = "alpha"

[[faults]]
at = "5s"
of = "alpha"
cut = true
loss = 1.5

[[faults]]
at = "5s"
of = "alpha"
cut = true
jitter = "5ms"

[[faults]]
at = "5s"
kill = "alpha"
loss = 0.5
"#
    );
    let problems = parse(&text, &Layers::none()).expect_err("many mistakes").to_string();
    for part in [
        "thresholds[0].abort: only the shares, asr, pdd_…",
        "thresholds[1].delay: needs abort = true",
        "thresholds[2].psap: a threshold is of one site",
        "thresholds[2].site: rejected_share is only measured of all attempts",
        "steady_state[0].metric: is not known while the calls run",
        "steady_state[0]: unknown key \"abort\"",
        "faults[0].for: belongs to freeze, of and between",
        "faults[1]: needs the key \"for\"",
        "faults[2]: needs kill, restart, freeze, of or between",
        "faults[3]: needs kill, restart, freeze, of or between, and one of them only",
        "faults[4].between: must name two boxes",
        "faults[4].delay: must be at most 1m",
        "faults[5]: impairs nothing; set one of loss",
        "faults[6].loss: must be a share",
        "faults[7].cut: nothing passes then",
        "faults[8].loss: impairs the ways of a box; name it with of",
    ] {
        assert!(problems.contains(part), "{part:?} is missing in\n{problems}");
    }
}

#[test]
fn what_a_threshold_or_fault_names_must_be_there() {
    let of_demo = |section: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("peak.toml");
        let network = demo().with_file_name("../networks/six-sites.toml");
        let text = GOOD.replace("../networks/lab.toml", &network.to_string_lossy());
        std::fs::write(&path, format!("{text}{section}")).expect("a writable folder");
        let none = Layers::none();
        Campaign::load_with_network(&path, &none, &none).map(|(campaign, _)| campaign)
    };
    let threshold = |key: &str| format!("[[thresholds]]\nmetric = \"asr\"\nmin = 0.9\n{key}\n");
    let good =
        ["site = \"alpha\"", "trunk_group = \"mobile\"", "number = \"15\"", "psap = \"samu-59\""];
    for key in good {
        of_demo(&threshold(key)).unwrap_or_else(|problems| panic!("{problems}"));
    }
    for (section, sentence) in [
        (
            threshold("site = \"alpa\""),
            "thresholds[0].site: this campaign has no site \"alpa\"; did you mean \"alpha\"?",
        ),
        (threshold("number = \"18\""), "thresholds[0].number: this campaign has no number \"18\""),
        (
            threshold("department = \"75\""),
            "thresholds[0].department: this campaign has no department",
        ),
        (
            "[[faults]]\nat = \"5s\"\nkill = \"samu-58\"\n".to_owned(),
            "faults[0].kill: no site or PSAP is called \"samu-58\"; did you mean \"samu-59\"?",
        ),
        (
            "[[faults]]\nat = \"5s\"\nbetween = [\"mobile\", \"alpa\"]\ncut = true\n".to_owned(),
            "faults[0].between: no site, trunk group or PSAP is called \"alpa\"; did you mean \"alpha\"?",
        ),
        (
            "[[faults]]\nat = \"5s\"\nrestart = \"mobile\"\n".to_owned(),
            "faults[0].restart: no site or PSAP is called \"mobile\"",
        ),
        (
            "[[faults]]\nat = \"5h\"\nkill = \"samu-59\"\n".to_owned(),
            "faults[0].at: would come after the end of the campaign",
        ),
    ] {
        let problems = of_demo(&section).expect_err("no such thing").to_string();
        assert!(problems.contains(sentence), "{sentence:?} is missing in\n{problems}");
    }
}

#[test]
fn only_spans_of_one_rate_are_levels() {
    let levels = parse(GOOD, &Layers::none()).expect("a good file").levels();
    let told: Vec<(&str, u64, u64)> = levels
        .iter()
        .map(|level| (&level.name[..], level.from.as_secs(), level.to.as_secs()))
        .collect();
    assert_eq!(told, [("a", 0, 10), ("b.1", 10, 30), ("b.2", 30, 50), ("b.3", 50, 70)]);
    let levels = |arrivals: &str| {
        let text = GOOD.replace("\"constant\", rate = 2.5", arrivals);
        parse(&text, &Layers::none()).expect("a good file").levels()
    };
    assert_eq!(levels("\"constant\", rate = 0")[0].from, Duration::from_secs(10));
    assert_eq!(levels("\"ramp\", from = 1, to = 2").len(), 3);
    assert_eq!(levels("\"steps\", from = 0, to = 2, steps = 2")[0].name, "a.2");
}

#[test]
fn operations_are_drawn_unless_the_campaign_says_no() {
    let plots = |text: &str| parse(text, &Layers::none()).expect("a good file").plots;
    let operation =
        "[operations.reconnection]\nat = \"5s\"\ncommands = [\"lock\"]\nsites = \"all\"\n";
    assert_eq!(plots(GOOD), []);
    assert_eq!(plots(&format!("{GOOD}{operation}")), [PlotKind::Timeline]);
    assert_eq!(plots(&format!("{GOOD}{operation}enabled = false\n")), []);
    assert_eq!(plots(&format!("plots = []\n{GOOD}{operation}")), []);
    let both = [PlotKind::Goodput, PlotKind::Timeline];
    assert_eq!(plots(&format!("plots = [\"goodput\", \"timeline\"]\n{GOOD}")), both);

    let text = format!("plots = [\"pie\"]\n{GOOD}");
    let problems = parse(&text, &Layers::none()).expect_err("no such plot").to_string();
    assert!(problems.contains("plots[0]: must be \"timeline\" or \"goodput\""), "{problems}");
    let ramp = "arrivals = { model = \"ramp\", from = 1, to = 2 }\n[[mix]]\nnumber = \"15\"\n";
    let text = format!(
        "plots = [\"goodput\"]\nnetwork = \"n.toml\"\n[[phases]]\nname = \"a\"\nduration = \"9s\"\n{ramp}"
    );
    let problems = parse(&text, &Layers::none()).expect_err("no level").to_string();
    assert!(problems.contains("plots: \"goodput\" needs a phase whose model is"), "{problems}");
}
