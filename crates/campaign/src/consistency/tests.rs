//! Campaigns that cannot mean what they say, and the models with settings of their own.

use std::collections::HashSet;
use std::time::Duration;

use tempfile::TempDir;
use topology::{Distribution, Layers, Problems};

use super::*;
use crate::{Clusters, FeedOrder, Mmpp};

/// A folder with a recording of three calls, a feed of five people, and the campaign that is read from it.
fn read(phases: &str) -> Result<Campaign, Problems> {
    read_with(phases, "", &Layers::none())
}

fn read_with(phases: &str, rest: &str, layers: &Layers) -> Result<Campaign, Problems> {
    let folder: TempDir = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a writable folder");
    };
    write("calls.csv", "at,trunk_group\n20,rtc\n80,mobile\n90,\n");
    write("people.csv", "number\n15\n17\n18\n112\n15\n");
    let text = format!("network = \"n.toml\"\n[[mix]]\nnumber = \"15\"\n{phases}\n{rest}");
    write("peak.toml", &text);
    Campaign::load(&folder.path().join("peak.toml"), layers)
}

fn phase(arrivals: &str) -> String {
    format!("[[phases]]\nname = \"a\"\nduration = \"1m\"\n[phases.arrivals]\n{arrivals}\n")
}

/// What is wrong with one phase of these arrivals, without the folder.
fn mistake(arrivals: &str) -> String {
    let problems = read(&phase(arrivals)).expect_err(arrivals).to_string();
    let told =
        problems.lines().map(|line| line.split_once("peak.toml").map_or(line, |(_, rest)| rest));
    told.collect::<Vec<_>>().join("\n")
}

fn arrivals(text: &str) -> Arrivals {
    read(&phase(text)).unwrap_or_else(|problems| panic!("{problems}")).phases[0].arrivals.clone()
}

#[test]
fn every_model_is_read() {
    let s = Duration::from_secs;
    let bursts = Mmpp { rates: [1.0, 20.0], mean_sojourn: [s(60), s(5)] };
    assert_eq!(
        arrivals("model = \"mmpp\"\nrates = [1, 20]\nmean_sojourn = [\"60s\", \"5s\"]"),
        Arrivals::Mmpp(bursts)
    );
    let clusters = Clusters {
        background: 0.0,
        incidents: 12.0,
        calls: 8.0,
        spread: Distribution::Exponential { mean: s(60) },
    };
    assert_eq!(
        arrivals("model = \"clusters\"\nincidents = 12\ncalls = 8"),
        Arrivals::Clusters(clusters)
    );
    let Arrivals::Surge(surge) = arrivals(
        "model = \"surge\"\nrate = 1\npeak = 5\nrise = \"0s\"\nfall = \"1m\"\ncommunes = [\"59350\"]",
    ) else {
        panic!("no surge");
    };
    assert_eq!((surge.at, surge.communes[0].as_str()), (Duration::ZERO, "59350"));
    let Arrivals::Replay(replay) = arrivals("model = \"replay\"\nfile = \"calls.csv\"\nspeed = 2")
    else {
        panic!("no replay");
    };
    assert_eq!((replay.rows.len(), replay.count(s(45)), replay.count(s(40))), (3, 2, 1));
}

// A day that begins with the campaign: the second phase goes on where the first one ends.
#[test]
fn a_day_begins_when_the_campaign_does() {
    let day = phase("model = \"diurnal\"\npoints = [\"06:00 0\", \"18:00 12\"]\npeak = 24");
    let days = format!("{day}{}", day.replace("\"a\"", "\"b\""));
    let layers = Layers::none().with_overrides([("begins".to_owned(), "11:59".to_owned())]);
    let campaign = read_with(&days, "", &layers).unwrap_or_else(|problems| panic!("{problems}"));
    let rate = |index: usize| match &campaign.phases[index].arrivals {
        Arrivals::Diurnal(day) => day.rate(0.0),
        other => panic!("no day: {other:?}"),
    };
    assert!((rate(0) - (12.0 - 1.0 / 30.0)).abs() < 1e-9 && (rate(1) - 12.0).abs() < 1e-9);
    let hourly = (0..24).map(|hour| hour.to_string()).collect::<Vec<_>>().join(", ");
    let Arrivals::Diurnal(day) = arrivals(&format!("model = \"diurnal\"\ncurve = [{hourly}]"))
    else {
        panic!("no day");
    };
    assert!((day.rate(3_600.0 * 12.5) - 12.5).abs() < 1e-9);
    assert!((day.rate(3_600.0 * 23.5) - 11.5).abs() < 1e-9, "down to midnight");
}

#[test]
fn settings_that_no_model_can_have_are_one_sentence_each() {
    for (arrivals, told) in [
        (
            "model = \"mmpp\"\nrates = [1]\nmean_sojourn = [\"60s\", \"soon\"]",
            ":9: phases[0].arrivals.rates: must have 2 elements, got 1\n\
             :10: phases[0].arrivals.mean_sojourn[1]: must be a duration such as \"500ms\", \"2s\", \
             \"10m\" or \"2h\", got \"soon\"",
        ),
        (
            "model = \"clusters\"\nincidents = 100000\ncalls = 100000",
            ":10: phases[0].arrivals.calls: incidents and calls come to 2777778 calls per second; at \
             most 100000 can be placed",
        ),
        (
            "model = \"clusters\"\nincidents = 36000\ncalls = 100\nspread = \"uniform 0s 10h\"",
            ":11: phases[0].arrivals.spread: reaches back 10 hours, in which too many calls happened to \
             be drawn; shorten it",
        ),
        (
            "model = \"diurnal\"",
            ":7: phases[0].arrivals: needs curve, 24 hourly rates, or points such as [\"18:00 2.5\"]",
        ),
        (
            "model = \"diurnal\"\npoints = [\"18:00 1\", \"06:00 2\"]",
            ":9: phases[0].arrivals.points: must rise from 00:00 to 23:59, and 06:00 does not come \
             after the point before it",
        ),
        (
            "model = \"diurnal\"\npoints = [\"6 pm 1\"]",
            ":9: phases[0].arrivals.points[0]: must be a time of day and a rate, such as \"18:00 2.5\", \
             got \"6 pm 1\"",
        ),
        (
            "model = \"diurnal\"\npoints = [\"18:00 0\"]\npeak = 5",
            ":7: phases[0].arrivals: has no calls; for a pause write model = \"constant\" and rate = 0\n\
             :10: phases[0].arrivals.peak: cannot be reached: every rate of the curve is 0",
        ),
        (
            "model = \"surge\"\nrate = 5\npeak = 1\nrise = \"1s\"\nfall = \"1s\"\nat = \"1m\"",
            ":10: phases[0].arrivals.peak: must not be below rate; a surge rises\n\
             :13: phases[0].arrivals.at: would begin after the end of the phase, which lasts 1m",
        ),
        (
            "model = \"mmpp\"\nrates = [1, 2]\nmean_sojourn = [\"1s\", \"1s\"]\nspread = \"1s\"",
            ":11: phases[0].arrivals: unknown key \"spread\"; the keys here are model, rates, mean_sojourn",
        ),
    ] {
        assert_eq!(mistake(arrivals), told, "{arrivals}");
    }
}

#[test]
fn a_phase_in_which_nobody_calls_must_say_so() {
    let told =
        ":7: phases[0].arrivals: has no calls; for a pause write model = \"constant\" and rate = 0";
    for silent in [
        "model = \"steps\"\nfrom = 0\nto = 0\nsteps = 4",
        "model = \"ramp\"\nfrom = 0\nto = 0",
        "model = \"mmpp\"\nrates = [0, 0]\nmean_sojourn = [\"1s\", \"1s\"]",
        "model = \"clusters\"\nincidents = 0\ncalls = 5",
        "model = \"surge\"\nrate = 0\npeak = 0\nrise = \"1s\"\nfall = \"1s\"",
    ] {
        assert_eq!(mistake(silent), told, "{silent}");
    }
    let pause = phase("model = \"constant\"\nrate = 0");
    let calls = phase("model = \"constant\"\nrate = 1").replace("\"a\"", "\"b\"");
    assert!(read(&format!("{pause}{calls}")).is_ok(), "a pause before calls");
    assert_eq!(
        mistake("model = \"constant\"\nrate = 0"),
        ":4: phases: no phase has calls; give one of them a rate above 0"
    );
    let missing = mistake("model = \"replay\"\nfile = \"none.csv\"");
    assert!(missing.starts_with(":9: phases[0].arrivals.file: ") && missing.lines().count() == 1);
    assert_eq!(
        mistake("model = \"replay\"\nfile = \"calls.csv\"\nspeed = 0.1"),
        ":6: phases[0].duration: lasts 1m, and the first call of the recording comes after 200s; make \
         it longer"
    );
}

#[test]
fn phases_are_told_apart_by_their_names() {
    let twice = phase("model = \"constant\"\nrate = 1").repeat(2);
    let problems = read(&twice).expect_err("two phases called a").to_string();
    assert!(
        problems
            .ends_with("phases[1].name: another phase is called \"a\" already; rename one of them"),
        "{problems}"
    );
}

#[test]
fn a_feed_that_will_be_used_up_is_refused() {
    let feed = |rate: f64, order: &str| {
        let rest = format!("[feed]\nfile = \"people.csv\"\norder = \"{order}\"\n");
        read_with(&phase(&format!("model = \"constant\"\nrate = {rate:?}")), &rest, &Layers::none())
    };
    let campaign = feed(5.0 / 60.0, "once").unwrap_or_else(|problems| panic!("{problems}"));
    let feed_of = campaign.feed.as_ref().expect("a feed");
    assert_eq!((feed_of.order, feed_of.most_callers()), (FeedOrder::Once, Some(5)));
    assert!(campaign.row_paths()[0].1.ends_with("people.csv"));
    assert!(feed(1.0, "sequential").is_ok() && feed(1.0, "random").is_ok());
    let problems = feed(1.0, "once").expect_err("60 calls").to_string();
    assert!(
        problems.contains(
            "feed.order: each of the 5 rows is used once, and the phases start about 60 calls; add \
             rows, or write order = \"sequential\""
        ),
        "{problems}"
    );
}

#[test]
fn the_example_has_every_model_and_fits_its_network() {
    let example =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/campaigns/arrivals.toml");
    let none = Layers::none();
    let (campaign, _) = Campaign::load_with_network(&example, &none, &none)
        .unwrap_or_else(|problems| panic!("{problems}"));
    let models: HashSet<_> =
        campaign.phases.iter().map(|phase| std::mem::discriminant(&phase.arrivals)).collect();
    assert_eq!(models.len(), 9);
    assert_eq!(campaign.numbers().into_iter().collect::<Vec<_>>(), ["112", "15", "17", "18"]);
    let communes = ["59178", "59183", "59350", "59512", "59606", "75056"];
    assert_eq!(campaign.communes().into_iter().collect::<Vec<_>>(), communes);
    // A trunk group in a row is one of the network.
    let other = Layers::none()
        .with_overrides([("network".to_owned(), "../networks/overload.toml".to_owned())]);
    let problems =
        Campaign::load_with_network(&example, &other, &none).expect_err("another network");
    let text = problems.to_string();
    assert!(
        text.contains("pile-up.csv:14: trunk_group: no trunk group is called \"rtc\""),
        "{text}"
    );
}
