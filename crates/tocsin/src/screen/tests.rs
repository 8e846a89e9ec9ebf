//! Pictures of scenes, and what keys mean. `tests/runs` has a run on a real terminal.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use telemetry::Quantiles;

use super::*;
use crate::screen::scene::CallCounts;

fn scene() -> Scene {
    let site = |name: &str, state, calls, offered, restarts| SiteRow {
        name: name.to_owned(),
        state,
        calls,
        offered,
        restarts,
    };
    let psap = |name: &str, waiting, busy| PsapRow {
        name: name.to_owned(),
        waiting,
        busy,
        positions: 100,
        answered: 170,
    };
    let at = Duration::from_secs;
    Scene {
        title: "demo on six-sites".to_owned(),
        phase: "steady".to_owned(),
        elapsed: at(12),
        length: at(20),
        ending: RunStatus::Running,
        counts: CallCounts {
            offered: 600,
            offered_rate: 49.8,
            answered: 541,
            answered_rate: 45.0,
            failed: 3,
            failed_rate: 0.2,
            abandoned: 5,
            in_progress: 54,
            talking: 40,
            asr: Some(0.985),
            pdd: Quantiles {
                count: 598,
                p50: Some(3_100),
                p99: Some(21_400),
                ..Quantiles::default()
            },
            setup: Quantiles { count: 541, p99: Some(4_031_000), ..Quantiles::default() },
            lag_p99: Some(420),
            late: 0,
            not_started: 0,
        },
        against: Vec::new(),
        history: vec![10, 18, 25, 33, 44, 50, 47, 52, 49, 51, 48, 50],
        sites: vec![
            site("alpha", "up", 9, 102, 0),
            site("beta", "up", 11, 99, 0),
            site("gamma", "starting", 0, 60, 1),
            site("delta", "up", 10, 110, 0),
            site("epsilon", "locked", 4, 80, 0),
            site("zeta", "gone", 0, 149, 0),
        ],
        psaps: vec![psap("samu-59", 0, 38), psap("cta-59", 3, 100)],
        notes: vec![
            (at(5), "reconnect: gamma: restart: no answer".to_owned()),
            (at(7), "ALARM answered: answered share is 0.62, below 0.9".to_owned()),
            (at(9), "process site-zeta was lost: signal: 9 (SIGKILL)".to_owned()),
        ],
    }
}

fn picture(scene: &Scene, width: u16, height: u16) -> String {
    let mut terminal =
        Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
    terminal.draw(|frame| draw::draw(frame, scene)).expect("a picture");
    terminal.backend().to_string()
}

#[test]
fn a_run_on_the_smallest_usual_terminal() {
    insta::assert_snapshot!(picture(&scene(), 80, 24));
}

#[test]
fn a_run_that_accuses_itself_and_ends() {
    let against = ["the generator started calls late: lag p99 is 61.2 ms", "a process was lost"];
    let scene = Scene {
        ending: RunStatus::Draining,
        against: against.map(str::to_owned).into(),
        sites: Vec::new(),
        psaps: Vec::new(),
        ..scene()
    };
    insta::assert_snapshot!(picture(&scene, 100, 16));
}

#[test]
fn no_size_and_no_scene_is_too_small() {
    for (width, height) in [(1, 1), (5, 3), (20, 6), (80, 5), (400, 100)] {
        picture(&scene(), width, height);
        picture(&Scene::default(), width, height);
    }
}

#[test]
fn rates_follow_what_was_counted_in_between() {
    let mut rates = Rates::default();
    let now =
        |offered, answered| contract::GeneratorSnapshot { offered, answered, ..Default::default() };
    let at = Duration::from_millis;
    assert_eq!(rates.update(at(250), &now(20, 0)).asr, None);
    let counts = rates.update(at(2_000), &now(100, 80));
    assert!((counts.offered_rate - 50.0).abs() < 1e-9 && counts.asr == Some(1.0), "{counts:?}");
    // Within a second there is nothing new to go by.
    assert!((rates.update(at(2_250), &now(100, 80)).offered_rate - 50.0).abs() < 1e-9);
    assert_eq!(rates.history(), [50]);
}

#[test]
fn keys_that_end_a_run() {
    let key = |code, modifiers| meaning(KeyEvent::new(code, modifiers));
    assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), Some(Key::Interrupt));
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Interrupt));
    assert_eq!(key(KeyCode::Char('Q'), KeyModifiers::SHIFT), Some(Key::Stop));
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
    assert_eq!(key(KeyCode::Esc, KeyModifiers::NONE), None);
}

#[test]
fn a_screen_is_for_people_at_a_terminal() {
    let with = |name: &'static str, value: &'static str| {
        is_welcome(move |asked| match asked {
            asked if asked == name => Some(value.to_owned()),
            "TERM" => Some("xterm".to_owned()),
            _ => None,
        })
    };
    assert!(with("LANG", "C") && with("NO_COLOR", ""));
    assert!(!with("NO_COLOR", "1") && !with("CI", "true"));
    assert!(!with("TERM", "dumb") && !with("TERM", ""));
    assert!(!is_welcome(|_| None));
}
