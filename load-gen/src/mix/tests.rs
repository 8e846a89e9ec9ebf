//! Who calls, by the mix alone and by what is given.

use std::collections::{HashMap, HashSet};

use topology::Distribution;

use super::*;
use crate::fixture::{self, entry};

fn campaign(seed: u64) -> Campaign {
    Campaign {
        seed,
        mix: vec![
            entry("15", &["59350", "75056"], 3.0, None),
            entry("112", &[], 1.0, Some("fixe")),
        ],
        callers: Callers {
            talk: Distribution::Exponential { mean: Duration::from_secs(5) },
            patience: Some(Distribution::Exponential { mean: Duration::from_secs(30) }),
            caller_hangs_up: 0.25,
            ..fixture::campaign().callers
        },
        ..fixture::campaign()
    }
}

fn mix(seed: u64) -> Mix {
    Mix::new(&campaign(seed), &["mobile", "fixe", "rtc"], 0).expect("a good mix")
}

fn callers(seed: u64) -> Vec<Caller> {
    let mix = mix(seed);
    (0..20_000).map(|index| mix.caller(index, None).expect("no feed")).collect()
}

fn share(callers: &[Caller], of: impl Fn(&Caller) -> bool) -> f64 {
    callers.iter().filter(|caller| of(caller)).count() as f64 / callers.len() as f64
}

#[test]
fn shares_follow_the_weights() {
    let all = callers(1);
    let near = |actual: f64, wanted: f64| (actual - wanted).abs() < 0.015;
    assert!(near(share(&all, |c| c.number == "15"), 0.75));
    assert!(near(share(&all, |c| c.commune.as_deref() == Some("59350")), 0.375));
    assert!(near(share(&all, |c| c.talk.is_some()), 0.25));
    // Of exponential patience with mean 30 s, e^-2 is longer than the limit of 60 s.
    let limit = Duration::from_secs(60);
    assert!(near(share(&all, |c| c.patience == limit), (-2.0_f64).exp()));
    assert!(all.iter().all(|c| c.patience <= limit));
    assert!(all.iter().all(|c| c.number == "15" || (c.commune.is_none() && c.trunk_group == 1)));
    let mut trunk_groups = HashMap::<usize, u32>::new();
    all.iter().for_each(|c| *trunk_groups.entry(c.trunk_group).or_default() += 1);
    assert_eq!(trunk_groups.len(), 3, "without a name, calls spread over all trunk groups");
}

#[test]
fn a_call_is_the_same_in_every_run_and_no_two_are_alike() {
    assert_eq!(callers(1)[77], mix(1).caller(77, None).expect("no feed"));
    let ids: HashSet<u128> = callers(1).iter().map(|caller| caller.attempt).collect();
    assert_eq!(ids.len(), 20_000);
    assert!(callers(2).iter().all(|caller| !ids.contains(&caller.attempt)));
}

#[test]
fn another_run_has_the_same_callers_with_other_attempts() {
    let again = Mix::new(&campaign(1), &["mobile", "fixe", "rtc"], 9).expect("a good mix");
    for (index, first) in (0..).zip(callers(1)) {
        let second = again.caller(index, None).expect("no feed");
        assert_ne!(first.attempt, second.attempt);
        assert_eq!(Caller { attempt: first.attempt, ..second }, first);
    }
}

#[test]
fn an_unknown_trunk_group_is_named_with_the_known_ones() {
    let error = Mix::new(&campaign(1), &["mobile", "rtc"], 0).expect_err("fixe does not exist");
    let text = r#"mix: no trunk group is called "fixe"; the trunk groups are mobile, rtc"#;
    assert_eq!(error.to_string(), text);
}

const PEOPLE: &str =
    "number,commune,trunk_group,talk,patience\n15,59350,rtc,30,600\n0199001234,,,,\n,2A004,,,20\n";

fn fed(order: &str) -> Mix {
    let campaign = Campaign { feed: Some(fixture::feed(PEOPLE, order)), ..campaign(1) };
    Mix::new(&campaign, &["mobile", "fixe", "rtc"], 0).expect("a good mix")
}

#[test]
fn a_row_of_the_feed_stands_in_place_of_the_mix() {
    let mix = fed("sequential");
    for round in 0..20 {
        let caller = |row: u64| mix.caller(3 * round + row, None).expect("rows go round");
        let first = caller(0);
        assert_eq!((&first.number[..], first.commune.as_deref()), ("15", Some("59350")));
        assert_eq!((first.trunk_group, first.talk), (2, Some(Duration::from_secs(30))));
        assert_eq!(first.patience, Duration::from_secs(60), "nobody waits longer than the limit");
        assert_eq!(first.class, CallerClass::Emergency);
        let second = caller(1);
        assert_eq!((&second.number[..], second.class), ("0199001234", CallerClass::Ordinary));
        // What is not given is as it would have been without the feed.
        let third = caller(2);
        let plain = self::mix(1).caller(3 * round + 2, None).expect("no feed");
        assert_eq!((third.talk, third.attempt), (plain.talk, plain.attempt));
        assert_eq!(third.commune.as_deref(), Some("2A004"));
        assert_eq!(third.patience, Duration::from_secs(20));
    }
}

#[test]
fn rows_are_used_in_turn_or_by_chance_or_once() {
    let number = |mix: &Mix, index| mix.caller(index, None).map(|caller| caller.number);
    let once = fed("once");
    assert_eq!(number(&once, 1).as_deref(), Some("0199001234"));
    assert_eq!((number(&once, 3), number(&once, u64::MAX)), (None, None));
    let random = fed("random");
    let drawn: Vec<_> = (0..3_000).filter_map(|index| number(&random, index)).collect();
    let ordinary = drawn.iter().filter(|number| *number == "0199001234").count() as f64;
    assert!((ordinary / 3_000.0 - 1.0 / 3.0).abs() < 0.04, "{ordinary}");
    assert_eq!(drawn[77], number(&fed("random"), 77).expect("rows do not end"));
}

#[test]
fn people_keep_what_was_given_to_them_when_they_call_again() {
    let redial = Redial { after_refusal: 1.0, ..Default::default() };
    let base = campaign(1);
    let callers = Callers { redial: Some(redial), ..base.callers.clone() };
    let campaign = Campaign { feed: Some(fixture::feed(PEOPLE, "sequential")), callers, ..base };
    let mix = Mix::new(&campaign, &["mobile", "fixe", "rtc"], 0).expect("a good mix");
    let first = mix.caller(0, None).expect("rows go round");
    let (again, _) = mix
        .again(first.clone(), Unreached::Refused, Announced::default(), &TenDigits::default())
        .expect("everybody calls again");
    assert_eq!((again.talk, again.patience), (first.talk, first.patience));
    assert_eq!((again.nth, &again.number[..]), (2, "15"));
}

#[test]
fn at_a_place_people_are_who_they_are_there() {
    let entries = vec![
        entry("15", &["59350", "75056"], 3.0, None),
        entry("17", &["59350"], 1.0, None),
        entry("112", &[], 20.0, Some("fixe")),
    ];
    let campaign = Campaign { mix: entries, ..campaign(1) };
    let mix = Mix::new(&campaign, &["mobile", "fixe", "rtc"], 0).expect("a good mix");
    let at = |code: &str| -> Vec<Caller> {
        let hint = code.parse().ok().map(Hint::Commune);
        (0..5_000).filter_map(|index| mix.caller(index, hint)).collect()
    };
    // Of the calls from Lille, 1.5 in 2.5 are for 15; nobody there calls 112.
    let lille = at("59350");
    assert!(lille.iter().all(|caller| caller.commune.as_deref() == Some("59350")));
    assert!((share(&lille, |caller| caller.number == "15") - 0.6).abs() < 0.03);
    assert!(at("75056").iter().all(|caller| caller.number == "15"));
    // Where the mix has nobody, anybody may be.
    let ajaccio = at("2A004");
    assert!(ajaccio.iter().all(|caller| caller.commune.as_deref() == Some("2A004")));
    assert!((share(&ajaccio, |caller| caller.number == "112") - 20.0 / 24.0).abs() < 0.03);
}

#[test]
fn a_trunk_group_of_a_row_must_exist() {
    let campaign = Campaign { feed: Some(fixture::feed(PEOPLE, "once")), ..campaign(1) };
    let error = Mix::new(&campaign, &["mobile", "fixe"], 0).expect_err("rtc does not exist");
    assert!(error.to_string().contains("no trunk group is called \"rtc\""), "{error}");
}
