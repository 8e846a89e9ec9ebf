//! Supervision of attempts, arrivals and restarts.

use super::attempt::UNKNOWN;
use super::*;
use crate::tests::settings;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn attempt(number: &str, answered: bool) -> ObservedAttempt<'_> {
    ObservedAttempt {
        number,
        department: "59",
        trunk_group: Some("mobile"),
        site: Some("alpha"),
        emergency: number.len() < 10,
        answered,
        lost: !answered,
    }
}

/// Supervision with a window of a minute, steps of 10 s, a baseline of 5 min and these `rules`.
fn supervision(rules: &str) -> Supervision {
    let head = "[supervision]\nwindow = \"1m\"\nstep = \"10s\"\nbaseline = \"5m\"\n";
    let settings = settings(&format!("{head}rules = [{rules}]"));
    let settings = settings.unwrap_or_else(|problems| panic!("{problems}"));
    Supervision::new(&settings.supervision.expect("the section is there"))
}

/// Changes so far, as `at state labels: sentence`.
fn changes(supervision: &mut Supervision) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(alarm) = supervision.poll_change() {
        let labels: Vec<String> = alarm.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        told.push(format!("{} {:?} {}", alarm.at.as_secs(), alarm.state, labels.join(" ")));
        assert_eq!(alarm.is_raised(), alarm.at == alarm.raised_at);
    }
    told
}

#[test]
fn an_alarm_is_raised_after_its_time_and_cleared_when_all_is_well() {
    let mut seen = supervision(
        r#"{ name = "asr", indicator = "asr", below = 0.9, min_attempts = 5, for = "20s" }"#,
    );
    // One attempt each second; from 100 s to 130 s none is answered.
    for second in 0..300 {
        let answered = !(100..130).contains(&second);
        seen.attempt_ended(s(second), &attempt("15", answered));
    }
    seen.advance(s(300));
    let mut alarms: Vec<Alarm> = std::iter::from_fn(|| seen.poll_change()).collect();
    assert_eq!(alarms.len(), 2, "{alarms:#?}");
    let (cleared, raised) = (alarms.remove(1), alarms.remove(0));
    // At 110 s the window has 10 of 60 unanswered, an ASR of 0.83; 20 s later it is an alarm.
    assert_eq!((raised.at, raised.state), (s(130), AlarmState::Raised));
    assert_eq!((raised.value, raised.threshold), (0.5, 0.9));
    assert_eq!(raised.sentence, "the network: asr 0.500 of 60 attempts in 1m, below 0.9");
    // The window of 190 s begins at 130 s.
    assert_eq!((cleared.at, cleared.raised_at), (s(190), s(130)));
    let sentence = "the network: asr 1.000 of 60 attempts in 1m, within bounds again";
    assert_eq!(cleared.sentence, sentence);
    let json = serde_json::to_value(&cleared).expect("plain JSON");
    assert_eq!((&json["at_s"], &json["state"]), (&190.0.into(), &"cleared".into()));
    assert_eq!(json["severity"], "warning");
}

#[test]
fn a_short_dip_is_no_alarm_and_silence_clears_none() {
    let rule = r#"{ name = "asr", indicator = "asr", below = 0.5, min_attempts = 5, for = "60s" }"#;
    let mut seen = supervision(rule);
    for second in 0..10 {
        seen.attempt_ended(s(second), &attempt("15", false));
    }
    // Out of bounds from 10 s on, forgotten at 70 s: there is nothing left to judge by.
    seen.advance(s(500));
    assert_eq!(changes(&mut seen), Vec::<String>::new());

    let mut seen = supervision(&rule.replace("60s", "10s"));
    for second in 0..10 {
        seen.attempt_ended(s(second), &attempt("15", false));
    }
    seen.advance(s(5_000));
    assert_eq!(changes(&mut seen), ["20 Raised "], "it stays until attempts are answered");
    for second in 5_000..5_010 {
        seen.attempt_ended(s(second), &attempt("15", true));
    }
    seen.advance(s(5_010));
    assert_eq!(changes(&mut seen), ["5010 Cleared "]);
}

#[test]
fn figures_are_told_apart_by_number_department_site_and_trunk_group() {
    let rule = |by: &str| {
        format!(
            r#"{{ name = "{by}", indicator = "asr", by = "{}", below = 0.9, for = "0s",
               min_attempts = 2, labels = ["rule={by}"] }}"#,
            by.replace('-', "_")
        )
        .replace('\n', "")
    };
    let all = ["number-department", "department", "number", "site", "trunk-group"];
    let mut seen = supervision(&all.map(rule).join(", "));
    for (number, commune, site, trunk_group, answered) in [
        ("15", Some("59350"), Some("alpha"), Some("mobile"), false),
        ("15", Some("75056"), Some("beta"), Some("fixe"), true),
        ("18", Some("59009"), Some("beta"), Some("fixe"), true),
        ("18", Some("2A004"), Some("gamma"), Some("fixe"), true),
        ("17", None, None, None, false),
    ] {
        for _ in 0..2 {
            let base = attempt(number, answered);
            let attempt =
                ObservedAttempt { department: department(commune), site, trunk_group, ..base };
            seen.attempt_ended(s(1), &attempt);
        }
    }
    seen.advance(s(10));
    let wanted = [
        "10 Raised department=59 number=15 rule=number-department",
        "10 Raised department=unknown number=17 rule=number-department",
        "10 Raised department=59 rule=department",
        "10 Raised department=unknown rule=department",
        "10 Raised number=15 rule=number",
        "10 Raised number=17 rule=number",
        "10 Raised rule=site site=alpha",
        "10 Raised rule=trunk-group trunk_group=mobile",
    ];
    assert_eq!(changes(&mut seen), wanted);
}

#[test]
fn a_department_is_the_beginning_of_a_commune() {
    for (commune, wanted) in [
        (Some("59350"), "59"),
        (Some("01004"), "01"),
        (Some("2A004"), "2A"),
        (Some("2B033"), "2B"),
        (Some("97411"), "974"),
        (Some("98818"), "988"),
        (Some("éé"), UNKNOWN),
        (Some("59"), UNKNOWN),
        (Some(""), UNKNOWN),
        (None, UNKNOWN),
    ] {
        assert_eq!(department(commune), wanted, "{commune:?}");
    }
}

#[test]
fn emergency_and_ordinary_calls_have_figures_of_their_own() {
    let mut seen = supervision("");
    for (number, answered) in [("15", false), ("112", true), ("0199001234", true)] {
        seen.attempt_ended(s(5), &attempt(number, answered));
    }
    let of = |indicator, least| seen.indicator(indicator, Some("alpha"), least);
    assert_eq!(of(Indicator::EmergencyAsr, 2), Some(0.5));
    assert_eq!(of(Indicator::EmergencyAsr, 3), None);
    assert_eq!(of(Indicator::OrdinaryAsr, 0), Some(1.0));
    assert_eq!(of(Indicator::Asr, 3), Some(2.0 / 3.0));
    assert_eq!(of(Indicator::SiteAsr, 3), Some(2.0 / 3.0));
    assert_eq!(seen.indicator(Indicator::SiteAsr, Some("beta"), 1), None);
    assert_eq!(seen.indicator(Indicator::SiteAsr, None, 1), None);
    assert_eq!(of(Indicator::Arrivals, 1), None);
    assert_eq!(of(Indicator::Restarts, 1), Some(0.0));
    seen.site_restarted(s(6), "alpha");
    assert_eq!(seen.indicator(Indicator::Restarts, Some("alpha"), 1), Some(1.0));
    seen.advance(s(70));
    assert_eq!(seen.indicator(Indicator::Asr, None, 1), None, "the window has passed");
}

#[test]
fn missing_arrivals_are_found_against_the_own_baseline() {
    let rule = r#"{ name = "missing", indicator = "arrivals", below = 0.5, min_attempts = 10, chance = 1, for = "0s" }"#;
    let mut seen = supervision(rule);
    // samu-94 has one call each 2 s, and one each 10 s from 600 s to 3600 s; samu-59 stays as it is.
    // Codis has too few to be judged.
    for second in 0..4_200 {
        let missing = (600..3_600).contains(&second);
        if second % if missing { 10 } else { 2 } == 0 {
            seen.arrived(s(second), "samu-94");
        }
        if second % 2 == 0 {
            seen.arrived(s(second), "samu-59");
        }
        if second < 600 && second % 20 == 0 {
            seen.arrived(s(second), "codis");
        }
    }
    let alarms: Vec<Alarm> = std::iter::from_fn(|| seen.poll_change()).collect();
    let told: Vec<_> =
        alarms.iter().map(|a| (a.at.as_secs(), a.state, &a.labels["psap"][..])).collect();
    // However long it lasts, what is missing does not become usual.
    let wanted = [(640, AlarmState::Raised, "samu-94"), (3_630, AlarmState::Cleared, "samu-94")];
    assert_eq!(told, wanted);
    let sentence = "psap samu-94: 14 arrivals in 1m, usual are 30, below 0.5 times that";
    assert_eq!(alarms[0].sentence, sentence);
}

#[test]
fn too_short_a_history_says_nothing_of_arrivals() {
    let rule = r#"{ name = "missing", indicator = "arrivals", below = 0.5, min_attempts = 1, for = "0s" }"#;
    let mut seen = supervision(rule);
    for second in 0..300 {
        seen.arrived(s(second), "samu-94");
    }
    seen.advance(s(350));
    // 290 s of history at 350 s, 300 s at 360 s.
    assert_eq!(changes(&mut seen), Vec::<String>::new());
    seen.advance(s(400));
    assert_eq!(changes(&mut seen), ["360 Raised psap=samu-94"]);
}

#[test]
fn restarts_in_a_loop_raise_an_alarm() {
    let mut seen = supervision(
        r#"{ name = "loop", indicator = "restarts", above = 1, for = "0s", severity = "critical" }"#,
    );
    seen.site_restarted(s(1), "beta");
    seen.site_restarted(s(5), "alpha");
    seen.site_restarted(s(25), "alpha");
    seen.advance(s(200));
    let alarm = seen.poll_change().expect("two restarts");
    assert_eq!(alarm.at, s(30));
    assert_eq!(alarm.sentence, "site alpha: 2 restarts in 1m, above 1");
    assert_eq!(changes(&mut seen), ["70 Cleared site=alpha"]);
}

#[test]
fn each_minute_has_its_sample() {
    let mut seen = supervision("");
    for (at, number, answered) in
        [(0, "15", true), (59, "15", false), (61, "0199001234", true), (200, "18", false)]
    {
        seen.attempt_ended(s(at), &attempt(number, answered));
    }
    // A report that comes late still counts in its own minute.
    seen.attempt_ended(s(61), &attempt("112", true));
    seen.site_restarted(s(200), "alpha");
    let samples: Vec<&Sample> = seen.series().collect();
    let minutes: Vec<u64> = samples.iter().map(|sample| sample.minute).collect();
    assert_eq!(minutes, [0, 1, 3]);
    assert_eq!(samples[0].emergency, SampleCounts { attempts: 2, answered: 1, lost: 1 });
    assert_eq!((samples[1].ordinary.answered, samples[1].emergency.answered), (1, 1));
    let json = serde_json::to_value(samples[2]).expect("plain JSON");
    let wanted = serde_json::json!({
        "minute": 3, "restarts": 1,
        "emergency": {"attempts": 1, "answered": 0, "lost": 1},
        "ordinary": {"attempts": 0, "answered": 0, "lost": 0},
    });
    assert_eq!(json, wanted);
}

#[test]
fn the_next_look_is_at_the_end_of_the_step() {
    let mut seen = supervision("");
    assert_eq!(seen.next_due(), Some(s(10)));
    seen.attempt_ended(Duration::from_millis(25_500), &attempt("15", true));
    assert_eq!(seen.next_due(), Some(s(30)));
    seen.advance(s(30));
    assert_eq!(seen.next_due(), Some(s(40)));
}

#[test]
fn a_million_attempts_of_any_number_are_counted_the_same_each_time() {
    let rule = |name: &str, by: &str| {
        format!(r#"{{ name = "{name}", indicator = "asr", by = "{by}", below = 0.5, for = "0s" }}"#)
    };
    let rules = [rule("a", "number_department"), rule("b", "number"), rule("c", "site")].join(", ");
    let run = || {
        let mut seen = supervision(&rules);
        let communes = ["59350", "75056", "2A004", "97411"];
        for n in 0..1_000_000_u64 {
            // Each hundredth dials something of its own; multiplying spreads the fates.
            let odd = n.wrapping_mul(2_654_435_761) % 97;
            let number = if n % 100 == 0 { n.to_string() } else { "15".to_owned() };
            let base = attempt(&number, odd > 45);
            let department = department(Some(communes[(odd % 4) as usize]));
            seen.attempt_ended(
                Duration::from_millis(25 * n),
                &ObservedAttempt { department, ..base },
            );
        }
        let keys: usize = seen.views.iter().map(|view| view.windows.iter().count()).sum();
        (changes(&mut seen), keys)
    };
    let (told, keys) = run();
    assert!(keys < 10_000, "{keys} keys are remembered");
    assert!(!told.is_empty());
    assert_eq!((told, keys), run());
}

#[test]
fn with_a_usual_day_arrivals_are_missed_from_the_first_window_on() {
    let rule = r#"{ name = "missing", indicator = "arrivals", below = 0.5, for = "0s" },
        { name = "everywhere", indicator = "arrivals", by = "all", below = 0.5, for = "0s" }"#
        .replace('\n', "");
    let mut settings = settings(&format!(
        "[supervision]\nwindow = \"1m\"\nstep = \"10s\"\nbaseline = \"5m\"\nrules = [{rule}]"
    ))
    .unwrap_or_else(|problems| panic!("{problems}"))
    .supervision
    .expect("the section is there");
    let mut day = UsualDay::of_campaign(s(60));
    for minute in 0..20 {
        day.add("samu-59", minute, 60.0);
        day.add("samu-94", minute, 60.0);
        day.add("codis", minute, 3.0);
    }
    settings.usual_day = Some(day);
    let mut seen = Supervision::new(&settings);
    // samu-94 never gets a call; samu-59 gets what is usual until 300 s, and then a third of it.
    for second in (0..300).chain((300..600).step_by(3)) {
        seen.arrived(s(second), "samu-59");
    }
    seen.advance(s(600));
    let alarms: Vec<Alarm> = std::iter::from_fn(|| seen.poll_change()).collect();
    let told: Vec<_> = alarms
        .iter()
        .map(|a| (a.at.as_secs(), &a.rule[..], a.labels.get("psap").map(String::as_str)))
        .collect();
    assert_eq!(
        told,
        [
            (60, "missing", Some("samu-94")),
            (60, "everywhere", None),
            (360, "missing", Some("samu-59")),
        ],
        "codis has too few to be judged: {alarms:#?}"
    );
    let sentence = "psap samu-94: 0 arrivals in 1m, usual are 60, below 0.5 times that";
    assert_eq!(alarms[0].sentence, sentence);
}
