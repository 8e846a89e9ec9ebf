//! Each thing that a person may do next, and how often they do it.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use topology::{Distribution, Layers, Topology};

use super::*;
use crate::fixture;

const NETWORK: &str = r#"
    [sites.alpha]
    address = "127.0.0.11:5060"
    [trunk_groups.mobile]
    address = "127.0.0.21:5060"
    [psaps.samu-59]
    address = "127.0.0.31:5060"
    number = "0353010015"
    positions = 4
    [psaps.samu-75]
    address = "127.0.0.32:5060"
    number = "0199000015"
    positions = 4
    [[routes]]
    numbers = ["15", "112"]
    communes = ["59"]
    psaps = ["samu-59"]
    [[routes]]
    numbers = ["15", "112"]
    communes = ["75"]
    psaps = ["samu-75"]
    [[routes]]
    numbers = ["0353010015", "0199000015", "0199001234"]
    psaps = ["samu-75"]
"#;

fn ten_digits() -> TenDigits {
    let network = Topology::parse("lab.toml", NETWORK, &Layers::none());
    TenDigits::of(&network.unwrap_or_else(|problems| panic!("{problems}")))
}

/// Gaps that tell what they follow.
fn redial() -> Redial {
    Redial {
        gap: Distribution::Fixed(Duration::from_secs(5)),
        gap_after_cut: Distribution::Fixed(Duration::from_secs(3)),
        ..Redial::default()
    }
}

fn caller(nth: u32) -> Caller {
    Caller { nth, commune: Some("59350".to_owned()), ..fixture::caller() }
}

/// How often each next step came up in many draws; `"stop"` for none.
fn steps(
    redial: &Redial,
    announced: Announced,
    caller: &Caller,
    fate: Unreached,
) -> BTreeMap<String, f64> {
    const DRAWS: u32 = 20_000;
    let ten_digits = ten_digits();
    let rules = RedialRules {
        redial,
        trunk_groups: 3,
        ten_digits: &ten_digits,
        ten_digit_trunk_group: None,
        announced,
    };
    let mut rng = StdRng::seed_from_u64(1);
    let mut steps = BTreeMap::new();
    for _ in 0..DRAWS {
        let step = match rules.next(caller, fate, &mut rng).map(|next| next.way) {
            None => "stop".to_owned(),
            Some(CallChange::AsBefore) => "as before".to_owned(),
            Some(CallChange::OtherNetwork(place)) => format!("network {place}"),
            Some(CallChange::OtherNumber(number)) => number,
            Some(CallChange::TenDigits(call)) => call.digits,
        };
        *steps.entry(step).or_default() += 1.0 / f64::from(DRAWS);
    }
    steps
}

fn assert_shares(steps: &BTreeMap<String, f64>, wanted: &[(&str, f64)]) {
    let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    assert!(steps.keys().eq(names.iter()), "{steps:?}, wanted {names:?}");
    for (name, share) in wanted {
        assert!((steps[*name] - share).abs() < 0.015, "{name}: {steps:?}");
    }
}

const NOTHING_ANNOUNCED: Announced = Announced { to_redial: false, ten_digits: false };

#[test]
fn how_often_people_redial_depends_on_how_the_call_failed() {
    for (fate, share) in [
        (Unreached::Refused, 0.85),
        (Unreached::Silence, 0.85),
        (Unreached::NoAnswer, 0.5),
        (Unreached::Cut, 0.95),
    ] {
        for nth in [1, 2] {
            let steps = steps(&redial(), NOTHING_ANNOUNCED, &caller(nth), fate);
            assert_shares(&steps, &[("as before", share), ("stop", 1.0 - share)]);
        }
    }
}

#[test]
fn a_call_that_was_cut_is_redialled_sooner() {
    let (redial, ten_digits) =
        (Redial { after_refusal: 1.0, after_cut: 1.0, ..redial() }, ten_digits());
    let rules = RedialRules {
        redial: &redial,
        trunk_groups: 1,
        ten_digits: &ten_digits,
        ten_digit_trunk_group: None,
        announced: NOTHING_ANNOUNCED,
    };
    let gap = |fate| {
        let next = rules.next(&caller(1), fate, &mut StdRng::seed_from_u64(1));
        next.expect("everybody redials").gap
    };
    assert_eq!(gap(Unreached::Refused), Duration::from_secs(5));
    assert_eq!(gap(Unreached::Cut), Duration::from_secs(3));
}

#[test]
fn from_the_third_failure_on_people_look_for_another_way() {
    for nth in [3, 4, 19] {
        let steps = steps(&redial(), NOTHING_ANNOUNCED, &caller(nth), Unreached::NoAnswer);
        // Nobody has published ten digits: those who would dial them dial as before.
        let wanted = [
            ("18", 0.25),
            ("as before", 0.15),
            ("network 1", 0.20),
            ("network 2", 0.20),
            ("stop", 0.20),
        ];
        assert_shares(&steps, &wanted);
    }
}

#[test]
fn ten_digits_are_dialled_once_they_are_published() {
    let announced = Announced { ten_digits: true, ..NOTHING_ANNOUNCED };
    let only =
        Redial { other_network: 0.0, other_number: 0.0, ten_digit: 1.0, stop: 0.0, ..redial() };
    let next = |caller: &Caller| steps(&only, announced, caller, Unreached::Refused);
    assert_shares(&next(&caller(3)), &[("0353010015", 1.0)]);
    let paris = Caller { commune: Some("75056".to_owned()), ..caller(3) };
    assert_shares(&next(&paris), &[("0199000015", 1.0)]);
    // Nobody answers to 17 in this network, so nobody's ten digits are known for it.
    let police = Caller { number: "17".to_owned(), ..caller(3) };
    assert_shares(&next(&police), &[("as before", 1.0)]);
    assert_shares(&next(&caller(2)), &[("as before", 0.85), ("stop", 0.15)]);
    assert_shares(
        &steps(&only, NOTHING_ANNOUNCED, &caller(3), Unreached::Refused),
        &[("as before", 1.0)],
    );
}

fn ten_digit_call(digits: &str, trunk_group: Option<usize>) -> CallChange {
    CallChange::TenDigits(TenDigitCall { digits: digits.to_owned(), trunk_group })
}

// A line on the switched network has ten digits only.
#[test]
fn ten_digits_go_by_their_own_trunk_group_and_short_numbers_by_the_callers() {
    let mut caller = Caller { trunk_group: 1, ..caller(3) };
    caller.turn_to(&ten_digit_call("0353010015", Some(2)));
    caller.turn_to(&ten_digit_call("0199000015", Some(2)));
    assert_eq!((&caller.number[..], caller.trunk_group), ("0199000015", 2));
    caller.turn_to(&CallChange::OtherNumber("18".to_owned()));
    assert_eq!((&caller.number[..], caller.trunk_group), ("18", 1));
    caller.turn_to(&ten_digit_call("0353010015", Some(2)));
    caller.turn_to(&CallChange::OtherNetwork(0));
    caller.turn_to(&CallChange::OtherNumber("15".to_owned()));
    assert_eq!((&caller.number[..], caller.trunk_group), ("15", 0), "they have left the other");
}

#[test]
fn some_dial_ten_digits_at_once_when_these_are_published() {
    let ten_digits = ten_digits();
    let redial = Redial { ten_digit_at_once: 0.3, ..redial() };
    let share = |caller: &Caller, ten_digits_published| {
        let rules = RedialRules {
            redial: &redial,
            trunk_groups: 3,
            ten_digits: &ten_digits,
            ten_digit_trunk_group: Some(2),
            announced: Announced { to_redial: false, ten_digits: ten_digits_published },
        };
        let mut rng = StdRng::seed_from_u64(1);
        let ways = (0..10_000).map(|_| rules.first_way(caller, &mut rng));
        let wanted = ten_digit_call("0353010015", Some(2));
        ways.filter(|way| *way == wanted).count() as f64 / 10_000.0
    };
    assert!((share(&caller(1), true) - 0.3).abs() < 0.02);
    assert_eq!(share(&caller(1), false), 0.0, "nobody knows them before");
    let ordinary = Caller { class: CallerClass::Ordinary, ..caller(1) };
    assert_eq!(share(&ordinary, true), 0.0);
}

#[test]
fn a_person_who_dials_ten_digits_may_come_back_to_the_next_short_number() {
    let mut caller = caller(3);
    caller.turn_to(&ten_digit_call("0353010015", None));
    assert_eq!((&caller.number[..], caller.asks_for()), ("0353010015", "15"));
    let announced = Announced { ten_digits: true, ..NOTHING_ANNOUNCED };
    let steps = steps(&redial(), announced, &caller, Unreached::Refused);
    assert_eq!(steps.get("0353010015"), None, "no change of number");
    assert!(steps.contains_key("18"), "{steps:?}");
    caller.turn_to(&CallChange::OtherNumber("18".to_owned()));
    assert_eq!((&caller.number[..], caller.asks_for()), ("18", "18"));
    caller.turn_to(&CallChange::OtherNetwork(2));
    assert_eq!((&caller.number[..], caller.trunk_group), ("18", 2));
}

#[test]
fn short_numbers_go_round() {
    let only =
        Redial { other_network: 0.0, other_number: 1.0, ten_digit: 0.0, stop: 0.0, ..redial() };
    let from = |redial: &Redial, number: &str| {
        let caller = Caller { number: number.to_owned(), ..caller(3) };
        steps(redial, NOTHING_ANNOUNCED, &caller, Unreached::Refused)
            .into_keys()
            .next()
            .expect("a step")
    };
    for (number, next) in [("15", "18"), ("18", "112"), ("112", "15"), ("urn:service:sos", "15")] {
        assert_eq!(from(&only, number), next);
    }
    let one = Redial { numbers: vec!["15".to_owned()], ..only };
    assert_eq!(from(&one, "15"), "as before");
}

#[test]
fn who_wanted_no_help_never_dials_for_help() {
    let announced = Announced { to_redial: false, ten_digits: true };
    let ordinary =
        Caller { class: CallerClass::Ordinary, number: "0199001234".to_owned(), ..caller(3) };
    let wanted = [("as before", 0.40), ("network 1", 0.20), ("network 2", 0.20), ("stop", 0.20)];
    assert_shares(&steps(&redial(), announced, &ordinary, Unreached::Refused), &wanted);
}

#[test]
fn where_there_is_one_network_nobody_finds_another() {
    let only =
        Redial { other_network: 1.0, other_number: 0.0, ten_digit: 0.0, stop: 0.0, ..redial() };
    let ten_digits = TenDigits::default();
    let rules = RedialRules {
        redial: &only,
        trunk_groups: 1,
        ten_digits: &ten_digits,
        ten_digit_trunk_group: None,
        announced: NOTHING_ANNOUNCED,
    };
    let next = rules.next(&caller(3), Unreached::Refused, &mut StdRng::seed_from_u64(1));
    assert_eq!(next.map(|next| next.way), Some(CallChange::AsBefore));
}

#[test]
fn advice_to_redial_takes_the_place_of_every_share_of_those_who_do() {
    let announced = Announced { to_redial: true, ten_digits: false };
    for fate in [Unreached::Refused, Unreached::Silence, Unreached::NoAnswer, Unreached::Cut] {
        let steps = steps(&redial(), announced, &caller(1), fate);
        assert_shares(&steps, &[("as before", 0.95), ("stop", 0.05)]);
    }
    // The ways keep their proportions among those who go on.
    let steps = steps(&redial(), announced, &caller(3), Unreached::NoAnswer);
    let share = |of: f64| of / 0.8 * 0.95;
    let wanted = [
        ("18", share(0.25)),
        ("as before", share(0.15)),
        ("network 1", share(0.20)),
        ("network 2", share(0.20)),
        ("stop", 0.05),
    ];
    assert_shares(&steps, &wanted);
}

#[test]
fn nobody_calls_more_often_than_the_most_attempts() {
    let announced = Announced { to_redial: true, ten_digits: true };
    let always = Redial { advised: 1.0, most_attempts: 7, ..redial() };
    let stops =
        |nth| steps(&always, announced, &caller(nth), Unreached::Refused).contains_key("stop");
    assert!(!stops(6) && stops(7) && stops(8));
}
