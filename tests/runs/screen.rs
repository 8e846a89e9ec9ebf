//! The screen of a run, on a pseudo-terminal that `script` of util-linux makes.

use std::process::Command;

use system_tests::process::{Process, installed, signal};
use system_tests::program::tocsin;

use crate::CampaignFolder;
use crate::outcomes::child;

/// What takes the whole terminal and gives it back: DECSET and DECRST 1049 of xterm.
const TAKEN: &str = "\u{1b}[?1049h";
const GIVEN_BACK: &str = "\u{1b}[?1049l";

/// Starts `tocsin run` as somebody at a terminal of 80 columns does.
fn run(workspace: &CampaignFolder, options: &str) -> Process {
    let line = format!("stty rows 24 cols 80; exec \"$TOCSIN\" run campaign.toml {options}");
    let mut command = Command::new(installed("script", "bsdutils"));
    command.current_dir(workspace.path("")).args(["-qec", &line, "/dev/null"]);
    command.env("TOCSIN", tocsin()).env("TERM", "xterm-256color");
    command.env_remove("CI").env_remove("NO_COLOR");
    Process::start("tocsin run on a terminal", &mut command)
}

#[test]
fn the_terminal_is_given_back_before_the_report() {
    let workspace = CampaignFolder::new(2, "200ms");
    let mut run = run(&workspace, "");
    run.finish();
    let said = run.said().concat();
    let place = |what: &str| said.rfind(what).unwrap_or_else(|| panic!("no {what:?} in {said:?}"));
    assert!(place(TAKEN) < place(GIVEN_BACK), "{said:?}");
    assert!(place(GIVEN_BACK) < place("run folder: "), "{said:?}");
    assert!(
        said.contains("in progress") && said.contains("samu-59"),
        "nothing was shown: {said:?}"
    );
}

#[test]
fn q_drains_the_run() {
    let workspace = CampaignFolder::new(60, "60s");
    let mut run = run(&workspace, "");
    // A key that is pressed early waits for the screen.
    run.write("q");
    assert_eq!(run.finish().code(), Some(130), "{}", run.words());
    let said = run.said().concat();
    assert!(said.contains(GIVEN_BACK) && said.contains("INTERRUPTED  campaign"), "{said:?}");
    assert_eq!(workspace.summary()["interrupted"], true);
}

#[test]
fn a_question_mark_tells_keys_and_q_ends_the_run_from_there() {
    let workspace = CampaignFolder::new(60, "60s");
    let mut run = run(&workspace, "");
    // Each key is seen before the next one is read.
    run.write("p?q");
    assert_eq!(run.finish().code(), Some(130), "{}", run.words());
    let said = run.said().concat();
    // Letters that stood there before are not drawn again.
    let words = ["Home", "PgDn,", "arrows,", "leads", "records"];
    assert!(words.iter().any(|word| said.contains(word)), "no help: {said:?}");
    assert!(said.contains("PAUSED") && said.contains(GIVEN_BACK), "{said:?}");
}

#[test]
fn sigterm_gives_the_terminal_back_too() {
    let workspace = CampaignFolder::new(60, "60s");
    let mut run = run(&workspace, "");
    // It is managed from just before the screen is shown until the end.
    while !workspace.path("runs/latest/manage.json").exists() {
        std::thread::yield_now();
    }
    signal("TERM", child(run.id(), &["run", "campaign.toml"]));
    run.finish();
    let said = run.said().concat();
    let place = |what: &str| said.rfind(what).unwrap_or_else(|| panic!("no {what:?} in {said:?}"));
    assert!(place(TAKEN) < place(GIVEN_BACK), "{said:?}");
    assert!(place(GIVEN_BACK) < place("run folder: "), "{said:?}");
}

#[test]
fn a_terminal_can_do_without_the_screen() {
    let workspace = CampaignFolder::new(1, "100ms");
    let mut run = run(&workspace, "--no-screen");
    run.finish();
    let said = run.said().concat();
    assert!(!said.contains(TAKEN) && said.contains("calls/s  in progress"), "{said:?}");
}

/// As after `tocsin run … | head`, or when the window of a terminal is closed.
#[test]
fn a_reader_that_goes_away_ends_no_run() {
    let workspace = CampaignFolder::new(1, "100ms");
    let mut command = Command::new("sh");
    command.current_dir(workspace.path("")).env("TOCSIN", tocsin());
    command.args(["-c", "\"$TOCSIN\" run campaign.toml | head -n 1"]);
    let mut run = Process::start("tocsin run into head", &mut command);
    run.finish();
    assert!(!run.words().contains("panicked"), "{}", run.words());
    crate::balanced(&workspace.summary());
}
