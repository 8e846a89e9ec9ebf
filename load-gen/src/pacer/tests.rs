//! What every pacer promises, and the shape of each.

use proptest::prelude::*;
use rand::SeedableRng;
use topology::{Distribution, Layers};

use super::*;
use crate::fixture::{entry, phase};
use campaign::{Campaign, Clusters, Diurnal, Mmpp, Surge};

/// Checks what holds for every pacer, and returns how many calls it starts.
fn count(pacer: impl Iterator<Item = Duration>, duration: Duration) -> usize {
    let starts: Vec<Duration> = pacer.collect();
    assert!(starts.is_sorted());
    assert!(starts.iter().all(|start| *start < duration));
    starts.len()
}

fn secs(pacer: impl Iterator<Item = Duration>) -> Vec<f64> {
    pacer.map(|start| (start.as_secs_f64() * 1_000.0).round() / 1_000.0).collect()
}

const S10: Duration = Duration::from_secs(10);

#[test]
fn starts_in_seconds() {
    let s2 = Duration::from_secs(2);
    assert_eq!(secs(Constant::new(2.5, s2)), [0.0, 0.4, 0.8, 1.2, 1.6]);
    // N(t) = t², so call n starts at √n.
    assert_eq!(secs(Ramp::new(0.0, 4.0, s2)), [0.0, 1.0, 1.414, 1.732]);
    // N(t) = 4t - t², from 4 calls/s down to none.
    assert_eq!(secs(Ramp::new(4.0, 0.0, s2)), [0.0, 0.268, 0.586, 1.0]);
    // 1 call/s for one second, then 3.
    assert_eq!(secs(Steps::new(1.0, 3.0, 2, s2)), [0.0, 1.0, 1.333, 1.667]);
}

#[test]
fn totals_are_the_area_under_the_rate() {
    for (rate, calls) in [(0.0, 0), (0.05, 1), (1.0, 10), (50.0, 500), (10_000.0, 100_000)] {
        assert_eq!(count(Constant::new(rate, S10), S10), calls, "{rate}");
    }
    for (from, to, calls) in [(0.0, 100.0, 500), (100.0, 0.0, 500), (50.0, 50.0, 500)] {
        assert_eq!(count(Ramp::new(from, to, S10), S10), calls, "{from}..{to}");
    }
    // 10, 20, 30, 40 and 50 calls/s for two seconds each.
    assert_eq!(count(Steps::new(10.0, 50.0, 5, S10), S10), 300);
    // Half a call in each step: nothing is lost at the edges.
    assert_eq!(count(Steps::new(0.5, 0.5, 10, S10), S10), 5);
}

#[test]
fn nothing_starts_in_no_time_or_at_no_rate() {
    assert_eq!(Constant::new(100.0, Duration::ZERO).count(), 0);
    assert_eq!(Ramp::new(0.0, 0.0, S10).count(), 0);
    assert_eq!(Ramp::new(5.0, 9.0, Duration::ZERO).count(), 0);
    assert_eq!(Steps::new(0.0, 0.0, 3, S10).count(), 0);
    assert_eq!(Poisson::new(0.0, S10, StdRng::seed_from_u64(1)).count(), 0);
}

// The count over a time T has mean and variance λT; gaps are exponential, so 1/e of them
// exceed 1/λ.
#[test]
fn poisson_has_the_mean_and_the_gaps_of_a_poisson_process() {
    let hour = Duration::from_secs(3_600);
    let starts: Vec<f64> = Poisson::new(20.0, hour, StdRng::seed_from_u64(7))
        .map(|start| start.as_secs_f64())
        .collect();
    let expected = 72_000.0_f64;
    let off = (starts.len() as f64 - expected).abs();
    assert!(off < 4.0 * expected.sqrt(), "{} calls", starts.len());
    let long = starts.windows(2).filter(|pair| pair[1] - pair[0] > 0.05).count();
    let share = long as f64 / starts.len() as f64;
    assert!((share - (-1.0_f64).exp()).abs() < 0.01, "{share}");
}

#[test]
fn poisson_repeats_with_its_seed() {
    let starts = |seed| Poisson::new(9.0, S10, StdRng::seed_from_u64(seed)).collect::<Vec<_>>();
    assert_eq!(starts(1), starts(1));
    assert_ne!(starts(1), starts(2));
}

proptest! {
    #[test]
    fn any_phase_starts_as_many_calls_as_the_campaign_expects(
        from in 0.0..300.0_f64, to in 0.0..300.0_f64, steps in 2..20_u32, secs in 0.5..30.0_f64,
    ) {
        let duration = Duration::from_secs_f64(secs);
        for arrivals in [
            Arrivals::Constant { rate: from },
            Arrivals::Ramp { from, to },
            Arrivals::Steps { from, to, steps },
        ] {
            let phase = Phase { name: "any".to_owned(), duration, arrivals };
            let starts = pacer(&phase, 0, &Places::default(), StdRng::seed_from_u64(1));
            let calls = count(starts.map(|arrival| arrival.at), duration) as f64;
            let expected = phase.expected_attempts();
            prop_assert!((calls - expected).abs() <= 1.0, "{calls} calls, {expected} expected");
        }
    }

    #[test]
    fn any_poisson_rises_within_its_phase(
        rate in 0.0..300.0_f64, secs in 0.1..30.0_f64, seed: u64,
    ) {
        let duration = Duration::from_secs_f64(secs);
        count(Poisson::new(rate, duration, StdRng::seed_from_u64(seed)), duration);
    }
}

/// A shape for each of the models that draw their calls, with a mean of some calls per second.
fn by_chance(seconds: u64) -> Vec<(&'static str, Phase)> {
    let s = Duration::from_secs;
    let exponential = |mean| Distribution::Exponential { mean: s(mean) };
    let clusters = |spread| Clusters { background: 2.0, incidents: 360.0, calls: 20.0, spread };
    let surge = Surge {
        rate: 3.0,
        peak: 30.0,
        at: s(60),
        rise: s(120),
        fall: s(300),
        communes: vec!["59350".parse().expect("a commune"), "59512".parse().expect("a commune")],
    };
    let points = [(s(6 * 3_600), 2.0), (s(18 * 3_600), 9.0)];
    let day = Diurnal::new(&points).beginning(s(17 * 3_600));
    let bursts = Mmpp { rates: [2.0, 40.0], mean_sojourn: [s(60), s(5)] };
    let lognormal = Distribution::LogNormal { median: s(60), sigma: 0.8 };
    [
        ("mmpp", Arrivals::Mmpp(bursts)),
        ("clusters", Arrivals::Clusters(clusters(exponential(60)))),
        ("clusters, late", Arrivals::Clusters(clusters(lognormal))),
        ("clusters, at once", Arrivals::Clusters(clusters(Distribution::Fixed(s(0))))),
        ("diurnal", Arrivals::Diurnal(day)),
        ("surge", Arrivals::Surge(surge)),
    ]
    .map(|(name, arrivals)| (name, phase(seconds, arrivals)))
    .to_vec()
}

fn places() -> Places {
    Places::of(&[entry("15", &["59350", "75056"], 1.0, None)])
}

fn arrivals(phase: &Phase, seed: u64) -> Vec<Arrival> {
    pacer(phase, 0, &places(), StdRng::seed_from_u64(seed)).collect()
}

fn seconds_of(phase: &Phase, seed: u64) -> Vec<f64> {
    arrivals(phase, seed).iter().map(|arrival| arrival.at.as_secs_f64()).collect()
}

/// Variance over mean of the calls in each of these many seconds: 1 for a Poisson process, more when calls come together.
fn dispersion(starts: &[f64], seconds: usize, width: f64) -> f64 {
    let mut counts = vec![0.0_f64; (seconds as f64 / width) as usize];
    for start in starts {
        if let Some(count) = counts.get_mut((start / width) as usize) {
            *count += 1.0;
        }
    }
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
}

// Over many runs the mean count is what the campaign expects, from the first second on: no edge of the phase is left out.
#[test]
fn the_mean_count_is_what_the_campaign_expects() {
    for length in [30, 1_200] {
        for (name, phase) in by_chance(length) {
            let runs = if length < 100 { 1_500 } else { 60 };
            let counts: Vec<f64> =
                (0..runs).map(|seed| arrivals(&phase, seed).len() as f64).collect();
            let mean = counts.iter().sum::<f64>() / runs as f64;
            let variance =
                counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / runs as f64;
            let expected = phase.expected_attempts();
            // Four deviations of a mean of so many runs.
            let off = 4.0 * (variance / runs as f64).sqrt();
            assert!((mean - expected).abs() < off, "{name}, {length} s: {mean}, not {expected}");
        }
    }
}

#[test]
fn every_model_repeats_with_its_seed_and_keeps_within_its_phase() {
    for (name, phase) in by_chance(300) {
        let all = arrivals(&phase, 1);
        assert_eq!(all, arrivals(&phase, 1), "{name}");
        assert_ne!(all, arrivals(&phase, 2), "{name}");
        assert!(all.is_sorted_by_key(|arrival| arrival.at), "{name}");
        assert!(all.iter().all(|arrival| arrival.at < phase.duration), "{name}");
    }
}

// With means far apart, calls come at the busy rate or at the calm one, and are busy for the share of the time that the
// sojourns say.
#[test]
fn busy_spells_are_as_long_and_as_dense_as_they_should_be() {
    let s = Duration::from_secs;
    let bursts = Mmpp { rates: [0.0, 50.0], mean_sojourn: [s(30), s(10)] };
    let phase = phase(40_000, Arrivals::Mmpp(bursts));
    let starts = seconds_of(&phase, 5);
    // A gap of more than a second has probability e^-50 when busy, so it separates two spells.
    let mut spells = vec![vec![starts[0]]];
    for pair in starts.windows(2) {
        if pair[1] - pair[0] > 1.0 {
            spells.push(Vec::new());
        }
        spells.last_mut().expect("one spell").push(pair[1]);
    }
    let lengths: Vec<f64> = spells.iter().map(|spell| spell[spell.len() - 1] - spell[0]).collect();
    let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
    // Calm spells of less than a second, one in thirty, are not seen; each joins two busy ones.
    assert!((9.0..12.0).contains(&mean), "{mean} s");
    let longer = lengths.iter().filter(|length| **length > mean).count() as f64;
    let share = longer / lengths.len() as f64;
    assert!((share - (-1.0_f64).exp()).abs() < 0.06, "{share} are longer than the mean");
    let density = starts.len() as f64 / lengths.iter().sum::<f64>();
    assert!((density / 50.0 - 1.0).abs() < 0.05, "{density} calls/s");
}

// A Poisson cluster process with all calls at once has dispersion E[K²]/E[K] = 2m - 1 for geometric K with mean m, far above
// that of a Poisson number.
#[test]
fn calls_of_an_incident_come_together_and_from_one_place() {
    let at_once = Clusters {
        background: 0.0,
        incidents: 360.0,
        calls: 10.0,
        spread: Distribution::Fixed(Duration::from_secs(1)),
    };
    let phase = phase(40_000, Arrivals::Clusters(at_once));
    let all = arrivals(&phase, 3);
    let starts: Vec<f64> = all.iter().map(|arrival| arrival.at.as_secs_f64()).collect();
    let dispersion = dispersion(&starts, 40_000, 50.0);
    assert!((dispersion / 19.0 - 1.0).abs() < 0.2, "{dispersion}");
    // Calls of the same instant are of the same incident here.
    let mut incidents = 0.0;
    let mut lille = 0.0;
    for calls in all.chunk_by(|a, b| a.at == b.at) {
        assert!(calls.iter().all(|call| call.hint == calls[0].hint && call.hint.is_some()));
        incidents += 1.0;
        let here = Hint::Commune("59350".parse().expect("a commune"));
        lille += f64::from(u8::from(calls[0].hint == Some(here)));
    }
    let wanted: f64 = 4_000.0;
    assert!((incidents - wanted).abs() < 4.0 * wanted.sqrt(), "{incidents} incidents");
    assert!((lille / incidents - 0.5).abs() < 0.05, "half of the people are in Lille: {lille}");
}

#[test]
fn without_communes_an_incident_is_nowhere() {
    let incidents = Clusters {
        background: 0.0,
        incidents: 3_600.0,
        calls: 1.0,
        spread: Distribution::Fixed(Duration::ZERO),
    };
    let phase = phase(100, Arrivals::Clusters(incidents));
    let all: Vec<Arrival> =
        pacer(&phase, 0, &Places::default(), StdRng::seed_from_u64(1)).collect();
    assert!(all.len() > 50 && all.iter().all(|arrival| arrival.hint.is_none()));
}

// Through the hours the calls follow the curve.
#[test]
fn a_day_follows_its_curve() {
    let hour = Duration::from_secs(3_600);
    let day = Diurnal::new(&[(hour * 4, 1.0), (hour * 16, 7.0)]).beginning(hour * 22);
    let phase = phase(86_400, Arrivals::Diurnal(day.clone()));
    let starts = seconds_of(&phase, 11);
    for place in 0..24 {
        let (from, to) = (f64::from(place) * 3_600.0, f64::from(place + 1) * 3_600.0);
        let calls = starts.iter().filter(|start| (from..to).contains(start)).count() as f64;
        let expected = day.expected(to) - day.expected(from);
        assert!(
            (calls - expected).abs() < 4.5 * expected.sqrt(),
            "{place}: {calls}, not {expected}"
        );
    }
}

#[test]
fn only_the_calls_above_the_usual_ones_are_of_the_region() {
    let (_, phase) = by_chance(1_200).pop().expect("the surge is the last");
    let Arrivals::Surge(surge) = &phase.arrivals else { panic!("no surge: {phase:?}") };
    let all = arrivals(&phase, 4);
    let (usual, region): (Vec<&Arrival>, Vec<&Arrival>) =
        all.iter().partition(|arrival| arrival.hint.is_none());
    let near =
        |count: usize, expected: f64| (count as f64 - expected).abs() < 4.0 * expected.sqrt();
    assert!(near(usual.len(), 3.0 * 1_200.0), "{}", usual.len());
    assert!(near(region.len(), surge.expected(1_200.0) - 3.0 * 1_200.0), "{}", region.len());
    assert!(region.iter().all(|arrival| arrival.at >= surge.at));
    let second = Hint::Commune(surge.communes[1]);
    let there = region.iter().filter(|arrival| arrival.hint == Some(second)).count();
    assert!(near(there, region.len() as f64 / 2.0), "{there}");
}

#[test]
fn a_recording_is_cut_by_its_phase_and_may_go_faster() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("calls.csv"), "at\n0\n1.5\n3\n9.999\n10\n").expect("a file");
    let replay = |speed: f64, seconds: u64| {
        let text = format!(
            "network = \"n.toml\"\n[[mix]]\nnumber = \"15\"\n[[phases]]\nname = \"a\"\n\
             duration = \"{seconds}s\"\n\
             arrivals = {{ model = \"replay\", file = \"calls.csv\", speed = {speed:?} }}\n"
        );
        let path = folder.path().join("campaign.toml");
        std::fs::write(&path, text).expect("a file");
        let campaign = Campaign::load(&path, &Layers::none()).expect("a good campaign");
        let starts = arrivals(&campaign.phases[0], 1);
        assert_eq!(starts.len() as f64, campaign.expected_attempts());
        starts.iter().map(|start| start.at.as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(replay(1.0, 10), [0, 1_500, 3_000, 9_999]);
    assert_eq!(replay(1.0, 3), [0, 1_500]);
    assert_eq!(replay(2.0, 20), [0, 750, 1_500, 4_999, 5_000]);
    assert_eq!(replay(0.5, 4), [0, 3_000]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_bursts_and_clusters_rise_within_their_phase(
        calm in 0.0..50.0_f64, busy in 0.0..300.0_f64, stay in 0.05..20.0_f64, calls in 1.0..40.0_f64,
        incidents in 0.0..4_000.0_f64, secs in 0.1..60.0_f64, seed: u64,
    ) {
        let duration = Duration::from_secs_f64(secs);
        let stay = Duration::from_secs_f64(stay);
        let bursts = Mmpp { rates: [calm, busy], mean_sojourn: [stay * 3, stay] };
        let spread = Distribution::Exponential { mean: stay };
        let clusters = Clusters { background: calm, incidents, calls, spread };
        for arrivals in [Arrivals::Mmpp(bursts), Arrivals::Clusters(clusters)] {
            let phase = Phase { name: "any".to_owned(), duration, arrivals };
            let starts = pacer(&phase, 0, &places(), StdRng::seed_from_u64(seed));
            count(starts.map(|arrival| arrival.at), duration);
        }
    }
}
