//! Pictures of scenes, and what keys mean. `tests/runs` has a run on a real terminal.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use telemetry::Quantiles;

use super::*;
use crate::screen::history::{CallCounts, Moment};
use crate::screen::scene::ThresholdRow;
use crate::screen::view::Page;

fn counts() -> CallCounts {
    CallCounts {
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
        pdd: Quantiles { count: 598, p50: Some(3_100), p99: Some(21_400), ..Quantiles::default() },
        setup: Quantiles { count: 541, p99: Some(4_031_000), ..Quantiles::default() },
        lag_p99: Some(420),
        late: 0,
        not_started: 0,
    }
}

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
        counts: counts(),
        against: Vec::new(),
        thresholds: thresholds(),
        history: history(),
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

fn thresholds() -> Vec<ThresholdRow> {
    let row = |subject: &str, measured: Option<&str>, bounds: &str, holds| ThresholdRow {
        subject: subject.to_owned(),
        measured: measured.map(str::to_owned),
        bounds: bounds.to_owned(),
        holds,
        is_live: subject != "heard_share",
    };
    vec![
        row("answered_share", Some("98.5 %"), "at least 95 %", Some(true)),
        row("lost_share", Some("0.5 %"), "at most 0 %", Some(false)),
        row("pdd_p99", Some("21.4 ms"), "at most 500 ms", Some(true)),
        row("answer_delay_p99", None, "at most 10,000 ms", None),
        row("heard_share", None, "at least 100 %", None),
    ]
}

/// A ramp, a stretch in which less is answered and everything takes longer, and a second in which nothing was known.
fn history() -> Vec<Moment> {
    let moment = |second: u64| {
        let is_bad = (60..75).contains(&second);
        Moment {
            offered: second.min(50) + second % 7,
            asr: (second % 40 != 39).then_some(if is_bad { 0.4 } else { 0.98 }),
            delay: (second % 40 != 39).then_some(if is_bad { 90_000 } else { 20_000 }),
        }
    };
    (0..110).map(moment).collect()
}

fn picture(scene: &Scene, width: u16, height: u16) -> String {
    seen(scene, &mut View::default(), width, height)
}

fn seen(scene: &Scene, view: &mut View, width: u16, height: u16) -> String {
    let mut terminal =
        Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
    terminal.draw(|frame| draw::draw(frame, scene, view)).expect("a picture");
    terminal.backend().to_string()
}

#[test]
fn a_run_on_the_smallest_usual_terminal() {
    insta::assert_snapshot!(picture(&scene(), 80, 24));
}

#[test]
fn a_run_on_a_narrow_terminal() {
    insta::assert_snapshot!(picture(&scene(), 60, 24));
}

#[test]
fn a_run_on_a_wide_and_high_terminal() {
    insta::assert_snapshot!(picture(&scene(), 120, 40));
}

#[test]
fn a_run_on_a_low_terminal() {
    insta::assert_snapshot!(picture(&scene(), 80, 12));
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
fn help_tells_keys_and_words() {
    let mut view = View { page: Page::Help, ..View::default() };
    insta::assert_snapshot!(seen(&scene(), &mut view, 80, 24));
}

/// On a low terminal every line of the help can be come to, and none is beyond the last.
#[test]
fn help_that_does_not_fit_is_scrolled_to() {
    let mut view = View::default();
    let press =
        |view: &mut View, code| view.press(KeyEvent::new(code, KeyModifiers::NONE)).is_none();
    assert!(press(&mut view, KeyCode::Char('?')));
    let top = seen(&scene(), &mut view, 60, 10);
    assert!(top.contains("q, Ctrl-C") && top.contains("↓ more"), "{top}");
    assert!(!top.contains("positions"), "{top}");
    let mut all = top;
    for _ in 0..60 {
        assert!(press(&mut view, KeyCode::Down));
        all += &seen(&scene(), &mut view, 60, 10);
    }
    for word in ["thresholds", "PDD p95", "share", "queue", "positions"] {
        assert!(all.contains(word), "{word}: {all}");
    }
    let end = seen(&scene(), &mut view, 60, 10);
    assert!(end.contains("positions") && !end.contains("↓ more"), "{end}");
    assert!(press(&mut view, KeyCode::Home));
    assert!(seen(&scene(), &mut view, 60, 10).contains("q, Ctrl-C"));
    assert!(press(&mut view, KeyCode::End));
    assert_eq!(seen(&scene(), &mut view, 60, 10), end);
}

#[test]
fn the_log_tells_all_that_happened_in_whole_sentences() {
    let long = "reconnection: delta: restart: the call server was starting and did not answer within five seconds";
    let mut scene = scene();
    scene.notes.extend((10..40).map(|at| (Duration::from_secs(at), format!("{at} {long}"))));
    let mut view = View { page: Page::Log, ..View::default() };
    let last = seen(&scene, &mut view, 60, 10);
    assert!(last.contains("39 reconnection") && !last.contains("36 reconnection"), "{last}");
    assert!(last.contains("did not answer within five") && last.contains(" seconds"), "{last}");
    // The first line is at the bottom then, and further back there is nothing.
    view.back = usize::MAX;
    let first = seen(&scene, &mut view, 60, 10);
    assert!(first.contains("gamma: restart: no answer") && view.back < 40, "{first}");
}

/// Rows and figures are shown whole or not at all.
#[test]
fn columns_are_hidden_rather_than_cut() {
    for width in 40..=140 {
        let picture = picture(&scene(), width, 30);
        let header = picture.lines().find(|line| line.starts_with("\"site ")).expect("a header");
        let known = [
            "site",
            "state",
            "calls",
            "share",
            "restarts",
            "PSAP",
            "queue",
            "positions",
            "answered",
        ];
        let heads: Vec<&str> = header.trim_matches('"').split_whitespace().collect();
        assert!(heads.iter().all(|head| known.contains(head)), "{width}: {heads:?}");
        assert!(heads.contains(&"state") && heads.contains(&"PSAP"), "{width}: {heads:?}");
        if width >= 52 {
            for figure in ["600 (49.8/s)", "541 (45.0/s)", "98.5 %", "21.4 ms"] {
                assert!(picture.contains(figure), "{figure} at {width}: {picture}");
            }
        }
        assert!(picture.contains("0:12 of 0:20"), "{width}: {picture}");
        assert!(picture.contains("? help"), "{width}: {picture}");
    }
}

#[test]
fn figures_of_a_heavy_run_are_whole() {
    let heavy = CallCounts { offered: 12_345_678, offered_rate: 12_345.6, ..counts() };
    let shown = picture(&Scene { counts: heavy, ..scene() }, 80, 24);
    assert!(shown.contains("12345678 ") && !shown.contains("12345678 ("), "{shown}");
    assert!(shown.contains("answered    541 (45.0/s)"), "{shown}");
}

#[test]
fn sites_in_trouble_are_seen_where_not_all_fit() {
    let mut many = scene();
    let up = |number| SiteRow { name: format!("site-{number}"), state: "up", ..SiteRow::default() };
    many.sites = (0..40).map(up).chain(many.sites).collect();
    let picture = picture(&many, 80, 24);
    for trouble in ["gamma", "epsilon", "zeta"] {
        assert!(picture.contains(trouble), "{trouble}: {picture}");
    }
    assert!(picture.contains("more"), "{picture}");
}

#[test]
fn what_is_not_measured_is_a_dash() {
    let shown = picture(&Scene::default(), 80, 24);
    assert!(shown.contains("PDD p99     - ") && !shown.contains("0.0 ms"), "{shown}");
}

#[test]
fn no_size_and_no_scene_is_too_small() {
    for (width, height) in [(1, 1), (5, 3), (20, 6), (80, 5), (60, 9), (400, 100)] {
        for page in [Page::Run, Page::Help, Page::Log] {
            let mut view = View { page, ..View::default() };
            seen(&scene(), &mut view, width, height);
            seen(&Scene::default(), &mut view, width, height);
        }
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
    let offered: Vec<u64> = rates.history().iter().map(|one| one.offered).collect();
    assert_eq!(offered, [50]);
}

#[test]
fn each_second_stands_for_itself() {
    let mut rates = Rates::default();
    let mut now = contract::GeneratorSnapshot::default();
    let mut second = |number: u64, answered, rejected, delay_us| {
        now.answered += answered;
        now.rejected += rejected;
        now.offered = now.answered + now.rejected;
        (0..answered).for_each(|_| now.pdd.record_us(delay_us));
        rates.update(Duration::from_secs(number), &now);
    };
    second(1, 100, 0, 5_000);
    second(2, 10, 10, 80_000);
    second(3, 0, 0, 0);
    let history = rates.history();
    let ratios: Vec<Option<f64>> = history.iter().map(|one| one.asr).collect();
    assert_eq!(ratios, [Some(1.0), Some(0.5), None]);
    let millis: Vec<Option<u64>> =
        history.iter().map(|one| one.delay.map(|it| it / 1_000)).collect();
    assert!(
        millis[1].is_some_and(|it| (79..=81).contains(&it)),
        "not that of the whole run: {millis:?}"
    );
    assert_eq!((millis[0].map(|it| it.clamp(4, 5)), millis[2]), (millis[0], None));
}

#[test]
fn keys_that_end_a_run() {
    let key = |code, modifiers| View::default().press(KeyEvent::new(code, modifiers));
    assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), Some(Key::Interrupt));
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Interrupt));
    assert_eq!(key(KeyCode::Char('Q'), KeyModifiers::SHIFT), Some(Key::Stop));
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
    assert_eq!(key(KeyCode::Esc, KeyModifiers::NONE), None);
}

#[test]
fn keys_turn_pages_and_hold_the_picture_still() {
    let mut view = View::default();
    let press = |view: &mut View, code| view.press(KeyEvent::new(code, KeyModifiers::NONE));
    let page = |view: &mut View, code| {
        assert_eq!(press(view, code), None);
        view.page
    };
    assert_eq!(page(&mut view, KeyCode::Char('?')), Page::Help);
    assert_eq!(page(&mut view, KeyCode::Char('?')), Page::Run);
    assert_eq!(page(&mut view, KeyCode::Char('l')), Page::Log);
    page(&mut view, KeyCode::PageUp);
    page(&mut view, KeyCode::Up);
    page(&mut view, KeyCode::Down);
    assert_eq!(view.back, 10);
    page(&mut view, KeyCode::End);
    assert_eq!((view.back, page(&mut view, KeyCode::Esc)), (0, Page::Run));
    page(&mut view, KeyCode::Char('p'));
    assert!(view.is_paused);
    let held = seen(&scene(), &mut view, 80, 24);
    assert!(held.contains("PAUSED, the run goes on") && held.contains("p goes on"), "{held}");
    page(&mut view, KeyCode::Char(' '));
    assert!(!view.is_paused);
    // Whoever ends the run wants to see it end.
    page(&mut view, KeyCode::Char('p'));
    assert_eq!(press(&mut view, KeyCode::Char('q')), Some(Key::Interrupt));
    assert!(!view.is_paused);
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
