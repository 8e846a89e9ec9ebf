//! Procedures with sites that answer, refuse, are late and are silent.

use super::*;
use crate::gate_measure::GateCounts;
use crate::log::OrderResult;
use crate::tests::{operation, pool};

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Carries `text` out over the first `sites` sites. `answer` decides what becomes of an order: how
/// long its answer takes, or `None` for silence. Gives when each order went out.
fn carry_out(
    text: &str,
    sites: usize,
    answer: impl Fn(&DueOrder) -> Option<(Duration, Result<String, String>)>,
    measured: Option<f64>,
) -> (Procedure, Vec<String>) {
    let mut procedure = Procedure::new(&operation(text), &pool()[..sites]);
    let (mut given, mut answers) = (Vec::new(), Vec::new());
    let mut at = Duration::ZERO;
    loop {
        procedure.advance(at);
        while let Some(order) = procedure.poll_order(at) {
            given.push(format!("{} {} {}", at.as_secs_f64(), order.site, order.action));
            answers.extend(answer(&order).map(|(delay, answer)| (at + delay, order.id, answer)));
        }
        if procedure.is_over() {
            break;
        }
        if procedure.awaits_gate().is_some() {
            procedure.gate(at, measured);
            continue;
        }
        let first = answers.iter().map(|(due, ..)| *due).min();
        let due = procedure.next_due().into_iter().chain(first).min();
        at = due.unwrap_or_else(|| panic!("stuck at {at:?}: {procedure:?}"));
        let due = answers.extract_if(.., |(due, ..)| *due <= at).collect::<Vec<_>>();
        for (_, id, answer) in due {
            procedure.answered(at, id, answer);
        }
    }
    (procedure, given)
}

fn at_once(_: &DueOrder) -> Option<(Duration, Result<String, String>)> {
    Some((Duration::ZERO, Ok("done".to_owned())))
}

fn after_2s(_: &DueOrder) -> Option<(Duration, Result<String, String>)> {
    Some((s(2), Ok("done".to_owned())))
}

const BASE: &str = "at = \"10s\"\nsites = \"all\"\ncommands = [\"lock\", \"unlock\"]\n";

#[test]
fn serial_by_site_keeps_both_intervals() {
    let text = format!("{BASE}interval = \"60s\"\ncommand_interval = \"5s\"");
    let (procedure, given) = carry_out(&text, 2, at_once, None);
    assert_eq!(given, ["10 alpha lock", "15 alpha unlock", "75 beta lock", "80 beta unlock"]);
    assert!(procedure.log().iter().all(|e| e.result == OrderResult::Done("done".to_owned())));
    assert_eq!(procedure.stopped(), None);
}

#[test]
fn serial_by_command_goes_round() {
    let text =
        format!("{BASE}order = \"by-command\"\ninterval = \"1s\"\ncommand_interval = \"5s\"");
    let (_, given) = carry_out(&text, 2, at_once, None);
    assert_eq!(given, ["10 alpha lock", "11 beta lock", "16 alpha unlock", "17 beta unlock"]);
}

#[test]
fn a_site_gets_its_next_command_once_the_last_one_is_answered() {
    let (_, given) = carry_out(BASE, 2, after_2s, None);
    // Beta need not wait for the last answer of alpha.
    assert_eq!(given, ["10 alpha lock", "12 alpha unlock", "12 beta lock", "14 beta unlock"]);
    let text = format!("{BASE}wait_for = \"ready\"\ninterval = \"60s\"");
    let (_, given) = carry_out(&text, 2, after_2s, None);
    assert_eq!(given, ["10 alpha lock", "12 alpha unlock", "74 beta lock", "76 beta unlock"]);
}

#[test]
fn parallel_sites_do_not_wait_for_each_other_unless_by_command() {
    let slow_beta = |order: &DueOrder| {
        let delay = if order.site == "beta" { s(7) } else { s(2) };
        Some((delay, Ok(String::new())))
    };
    let text = format!("{BASE}manner = \"parallel\"");
    let (_, given) = carry_out(&text, 2, slow_beta, None);
    assert_eq!(given, ["10 alpha lock", "10 beta lock", "12 alpha unlock", "17 beta unlock"]);
    let text = format!("{BASE}manner = \"parallel\"\norder = \"by-command\"");
    let (_, given) = carry_out(&text, 2, slow_beta, None);
    assert_eq!(given, ["10 alpha lock", "10 beta lock", "17 alpha unlock", "17 beta unlock"]);
}

#[test]
fn the_list_gives_the_order_of_sites() {
    let text = "at = \"0\"\nsites = [\"beta\", \"alpha\"]\ncommands = [\"show\"]";
    let (_, given) = carry_out(text, 6, at_once, None);
    assert_eq!(given, ["0 beta show", "0 alpha show"]);
}

/// The log as `at site action: result`.
fn lines(procedure: &Procedure) -> Vec<String> {
    procedure.log().iter().map(|entry| format!("{} {entry}", entry.at.as_secs_f64())).collect()
}

#[test]
fn silence_times_out_and_is_tried_again() {
    let text = "at = \"0\"\nsites = \"all\"\ncommands = [\"restart\", \"unlock\"]\n\
                timeout = \"30s\"\nretry = 2\nretry_interval = \"10s\"";
    let silent = |order: &DueOrder| (order.site != "alpha").then(|| (s(1), Ok("done".to_owned())));
    let (procedure, given) = carry_out(text, 1, silent, None);
    let wanted = ["0 alpha restart", "40 alpha restart", "80 alpha restart", "110 alpha unlock"];
    assert_eq!(given[..4], wanted);
    assert_eq!(procedure.log().len(), 6);
    assert_eq!(lines(&procedure)[2], "110 alpha: restart: no answer");
    assert_eq!(procedure.log()[1].given_at, Some(s(40)));

    let third = |order: &DueOrder| (order.id >= 3).then(|| (s(1), Ok("up".to_owned())));
    let (procedure, _) = carry_out(text, 1, third, None);
    let wanted = [
        "30 alpha: restart: no answer",
        "70 alpha: restart: no answer",
        "81 alpha: restart: up",
        "82 alpha: unlock: up",
    ];
    assert_eq!(lines(&procedure), wanted);
}

#[test]
fn an_answer_in_the_last_moment_is_in_time_and_a_later_one_is_not() {
    let text = "at = \"0\"\nsites = \"all\"\ncommands = [\"restart\"]\ntimeout = \"30s\"";
    for (delay, result) in
        [(s(30), OrderResult::Done("up".to_owned())), (s(31), OrderResult::TimedOut)]
    {
        let mut procedure = Procedure::new(&operation(text), &pool()[..1]);
        let order = procedure.poll_order(Duration::ZERO).expect("it is due");
        procedure.answered(delay, order.id, Ok("up".to_owned()));
        procedure.answered(delay, order.id, Err("twice".to_owned()));
        procedure.answered(delay, 77, Ok("never asked".to_owned()));
        assert!(procedure.is_over());
        assert_eq!(procedure.log().len(), 1);
        assert_eq!(procedure.log()[0].result, result);
    }
}

#[test]
fn a_site_that_never_gets_ready_ends_a_serial_recovery() {
    let text = "at = \"0\"\nsites = \"all\"\ncommands = [\"restart clean\"]\nwait_for = \"ready\"";
    let silent = |order: &DueOrder| (order.site != "beta").then(|| (s(5), Ok("up".to_owned())));
    let (procedure, given) = carry_out(text, 4, silent, None);
    assert_eq!(given, ["0 alpha restart clean", "5 beta restart clean"]);
    assert_eq!(procedure.stopped(), Some("beta did not answer restart clean"));
    let wanted = [
        "5 alpha: restart clean: up",
        "35 beta: restart clean: no answer",
        "35 gamma: restart clean: not given, beta did not answer restart clean",
        "35 delta: restart clean: not given, beta did not answer restart clean",
    ];
    assert_eq!(lines(&procedure), wanted);
}

#[test]
fn a_refusal_goes_to_the_log_and_stops_only_when_asked() {
    let refusing = |order: &DueOrder| {
        let refused = order.site == "alpha" && order.action == crate::Action::Lock;
        let answer = if refused { Err("busy".to_owned()) } else { Ok(String::new()) };
        Some((s(1), answer))
    };
    let (procedure, given) = carry_out(BASE, 2, refusing, None);
    assert_eq!((given.len(), procedure.stopped()), (4, None));
    assert_eq!(lines(&procedure)[0], "11 alpha: lock: refused, busy");

    // In parallel the other site has its first order already; its answer still counts.
    let text = format!("{BASE}stop_on_refusal = true\nmanner = \"parallel\"");
    let (procedure, given) = carry_out(&text, 2, refusing, None);
    assert_eq!(given, ["10 alpha lock", "10 beta lock"]);
    let wanted = [
        "11 alpha: lock: refused, busy",
        "11 alpha: unlock: not given, alpha refused lock",
        "11 beta: unlock: not given, alpha refused lock",
        "11 beta: lock: done",
    ];
    assert_eq!(lines(&procedure), wanted);
}

const CANARY: &str = "at = \"0\"\nsites = \"all\"\nmanner = \"parallel\"\n\
                      commands = [\"lock\", \"unlock\"]\n\
                      canary = { observe = \"10m\", min = 0.9, on_stop = [\"rollback\", \"show\"] }";

#[test]
fn a_canary_that_passes_lets_the_others_follow() {
    let (procedure, given) = carry_out(CANARY, 3, after_2s, Some(0.9));
    let wanted = [
        "0 alpha lock",
        "2 alpha unlock",
        "604 beta lock",
        "604 gamma lock",
        "606 beta unlock",
        "606 gamma unlock",
    ];
    assert_eq!(given, wanted);
    assert_eq!(procedure.stopped(), None);
    assert_eq!(procedure.canary_site(), Some("alpha"));
}

#[test]
fn a_canary_that_fails_stops_the_operation_and_is_rolled_back() {
    let (procedure, given) = carry_out(CANARY, 2, after_2s, Some(0.72));
    let wanted = ["0 alpha lock", "2 alpha unlock", "604 alpha rollback", "606 alpha show"];
    assert_eq!(given, wanted);
    let reason = "site_asr_vs_others after alpha was 0.720, below 0.9";
    assert_eq!(procedure.stopped(), Some(reason));
    assert_eq!(lines(&procedure)[2], format!("604 beta: lock: not given, {reason}"));

    let (procedure, given) = carry_out(CANARY, 2, at_once, None);
    assert_eq!(given.len(), 4, "what was not measured is no pass");
    let reason =
        "too little was measured of site_asr_vs_others after alpha to go on: fewer than 100 calls";
    assert_eq!(procedure.stopped(), Some(reason));
    assert!(!operation(CANARY).canary.expect("it has one").passes(Some(f64::NAN)));
}

#[test]
fn a_canary_bounded_above_counts_restarts() {
    let text = CANARY.replace("min = 0.9", "indicator = \"restarts\", max = 0");
    let (procedure, _) = carry_out(&text, 2, at_once, Some(1.0));
    assert_eq!(procedure.stopped(), Some("restarts after alpha was 1.000, above 0"));
    assert_eq!(carry_out(&text, 2, at_once, Some(0.0)).0.stopped(), None);
}

#[test]
fn a_silent_canary_stops_without_being_observed() {
    let silent = |order: &DueOrder| (order.id > 1).then(|| (s(1), Ok(String::new())));
    let (procedure, given) = carry_out(CANARY, 2, silent, Some(1.0));
    assert_eq!(given, ["0 alpha lock", "30 alpha rollback", "31 alpha show"]);
    assert_eq!(procedure.stopped(), Some("alpha did not answer lock"));
    let left: Vec<String> =
        lines(&procedure).into_iter().filter(|l| l.contains("not given")).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn an_operation_waits_for_its_milestone() {
    let mut operation = operation(BASE);
    operation.start = OperationStart::After { milestone: Milestone::Diagnosed, delay: s(60) };
    let mut procedure = Procedure::new(&operation, &pool());
    assert_eq!((procedure.next_due(), procedure.poll_order(s(9_999))), (None, None));
    procedure.milestone(s(10_000), &Milestone::Detected);
    procedure.milestone(s(10_000), &Milestone::Diagnosed);
    procedure.milestone(s(10_030), &Milestone::Diagnosed);
    assert_eq!(procedure.next_due(), Some(s(10_060)));
    assert_eq!(procedure.poll_order(s(10_059)), None);
    assert_eq!(procedure.poll_order(s(10_060)).map(|order| order.id), Some(1));
}

#[test]
fn what_is_disabled_or_has_no_site_is_over() {
    assert!(Procedure::new(&operation(BASE), &[]).is_over());
    let text = format!("{BASE}enabled = false");
    let mut procedure = Procedure::new(&operation(&text), &pool());
    assert!(procedure.is_over());
    assert_eq!((procedure.poll_order(s(99)), procedure.next_due()), (None, None));
    let (procedure, given) = carry_out(CANARY, 1, at_once, Some(1.0));
    assert!(procedure.is_over() && given.len() == 2, "a canary may be alone");
}

#[test]
fn the_driver_may_come_late_and_call_too_often() {
    let mut procedure = Procedure::new(&operation(BASE), &pool()[..1]);
    procedure.advance(s(500));
    let order = procedure.poll_order(s(500)).expect("it is long due");
    assert_eq!(procedure.poll_order(s(500)), None);
    procedure.gate(s(500), Some(0.0));
    procedure.answered(s(500), order.id, Ok(String::new()));
    assert!(procedure.poll_order(s(500)).is_some());
    assert_eq!(procedure.next_due(), Some(s(530)));
}

#[test]
fn what_puts_the_network_back_waits_for_the_end_and_the_rest_does_not_begin_any_more() {
    let text = BASE.replace("10s", "end");
    let mut back = Procedure::new(&operation(&text), &pool());
    let mut late = Procedure::new(&operation(BASE), &pool());
    assert_eq!((back.operation().start.clone(), back.next_due()), (OperationStart::End, None));
    for procedure in [&mut back, &mut late] {
        procedure.end(Duration::ZERO);
    }
    assert_eq!(back.poll_order(s(0)).map(|order| order.id), Some(1));
    assert!(!back.is_over() && late.is_over());
}

/// Sites that accept at once, and have done it, or not, so many seconds later.
fn carry_out_slowly(
    text: &str,
    sites: usize,
    effect: impl Fn(&DueOrder, usize) -> Option<(u64, OrderAnswer)>,
) -> (Procedure, Vec<String>) {
    let mut procedure = Procedure::new(&operation(text), &pool()[..sites]);
    let (mut given, mut ends) = (Vec::new(), Vec::<(Duration, u64, OrderAnswer)>::new());
    let mut at = Duration::ZERO;
    while !procedure.is_over() {
        procedure.advance(at);
        while let Some(order) = procedure.poll_order(at) {
            let end = effect(&order, given.len());
            given.push(format!("{} {} {}", at.as_secs_f64(), order.site, order.action));
            procedure.answered(at, order.id, OrderAnswer::Accepted("within 75s".to_owned()));
            ends.extend(end.map(|(delay, end)| (at + s(delay), order.id, end)));
        }
        let first = ends.iter().map(|(due, ..)| *due).min();
        let Some(due) = procedure.next_due().into_iter().chain(first).min() else { break };
        at = at.max(due);
        for (_, id, end) in ends.extract_if(.., |(due, ..)| *due <= at).collect::<Vec<_>>() {
            procedure.answered(at, id, end);
        }
    }
    (procedure, given)
}

fn in_service() -> OrderAnswer {
    OrderAnswer::Done("in service".to_owned())
}

fn cut_short() -> OrderAnswer {
    OrderAnswer::Aborted("the site restarted".to_owned())
}

const LOADS: &str = "at = \"0\"\nsites = \"all\"\ncommands = [\"load r8\", \"unlock\"]\n";

#[test]
fn an_order_is_done_when_its_effect_is_there() {
    let (procedure, given) = carry_out_slowly(LOADS, 1, |_, _| Some((90, in_service())));
    assert_eq!(given, ["0 alpha load r8", "0 alpha unlock"], "nothing waits unless it is asked to");
    let wanted = [
        "0 alpha: load r8: accepted: within 75s",
        "0 alpha: unlock: accepted: within 75s",
        "90 alpha: load r8: in service",
        "90 alpha: unlock: in service",
    ];
    assert_eq!(lines(&procedure), wanted);
    assert!(procedure.log().iter().all(|entry| entry.given_at == Some(s(0))));
    let text = format!("{LOADS}wait_for = \"ready\"\ninterval = \"10s\"");
    let (_, given) = carry_out_slowly(&text, 2, |_, _| Some((90, in_service())));
    let wanted = ["0 alpha load r8", "90 alpha unlock", "190 beta load r8", "280 beta unlock"];
    assert_eq!(given, wanted);
}

#[test]
fn who_waits_for_service_stops_when_an_order_is_cut_short_for_good() {
    let text = format!("{LOADS}wait_for = \"ready\"");
    let (procedure, given) = carry_out_slowly(&text, 2, |_, _| Some((20, cut_short())));
    assert_eq!(given, ["0 alpha load r8"]);
    let reason = "load r8 at alpha was aborted: the site restarted";
    assert_eq!(procedure.stopped(), Some(reason));
    assert_eq!(lines(&procedure)[1], "20 alpha: load r8: aborted: the site restarted");
    let text = format!("{text}\nretry = 1\nretry_interval = \"5s\"");
    let second_try = |_: &DueOrder, tries: usize| {
        Some((20, if tries == 0 { cut_short() } else { in_service() }))
    };
    let (procedure, given) = carry_out_slowly(&text, 1, second_try);
    assert_eq!(given, ["0 alpha load r8", "25 alpha load r8", "45 alpha unlock"]);
    assert_eq!(procedure.stopped(), None);
}

#[test]
fn an_effect_that_never_comes_counts_as_aborted() {
    for wait in ["", "wait_for = \"ready\"\n"] {
        let text = format!("{LOADS}{wait}effect_timeout = \"2m\"\ntimeout = \"1s\"");
        let (procedure, _) = carry_out_slowly(&text, 1, |_, _| None);
        assert!(procedure.is_over(), "{procedure:?}");
        let late = "120 alpha: load r8: aborted: its effect was not there within 2m";
        assert!(lines(&procedure).iter().any(|line| line == late), "{:?}", lines(&procedure));
    }
}

#[test]
fn a_canary_is_observed_from_its_effect_on() {
    let text =
        format!("{LOADS}canary = {{ observe = \"60s\", indicator = \"restarts\", max = 0 }}");
    let mut procedure = Procedure::new(&operation(&text), &pool()[..2]);
    let order = procedure.poll_order(s(0)).expect("an order");
    procedure.answered(s(0), order.id, OrderAnswer::Accepted(String::new()));
    assert_eq!(procedure.poll_order(s(80)), None, "it waits for service");
    procedure.answered(s(90), order.id, in_service());
    let order = procedure.poll_order(s(90)).expect("the next one");
    procedure.answered(s(90), order.id, in_service());
    procedure.advance(s(149));
    assert!(procedure.awaits_gate().is_none());
    procedure.advance(s(150));
    assert!(procedure.awaits_gate().is_some());
}

#[test]
fn behind_a_gate_at_each_site_one_follows_the_other_until_one_fails() {
    let each = CANARY.replace("parallel", "serial").replace("observe", "gate = \"each\", observe")
        + "\ninterval = \"5m\"";
    let (procedure, given) = carry_out(&each, 3, at_once, Some(1.0));
    let begun = given.iter().filter(|line| line.ends_with("unlock") || line.ends_with(" lock"));
    let wanted = [
        "0 alpha lock",
        "0 alpha unlock",
        "900 beta lock",
        "900 beta unlock",
        "1800 gamma lock",
        "1800 gamma unlock",
    ];
    assert_eq!(begun.collect::<Vec<_>>(), wanted.each_ref());
    assert!(procedure.stopped().is_none() && procedure.notes().len() == 3);

    // The second site fails: it alone is taken back, and the third is left alone.
    let mut procedure = Procedure::new(&operation(&each), &pool()[..3]);
    let mut given = Vec::new();
    let mut at = s(0);
    while !procedure.is_over() {
        while let Some(order) = procedure.poll_order(at) {
            given.push(format!("{} {} {}", at.as_secs(), order.site, order.action));
            procedure.answered(at, order.id, Ok(String::new()));
        }
        if procedure.awaits_gate().is_some() {
            let well = procedure.canary_site() == Some("alpha");
            procedure.gate(at, Some(if well { 0.99 } else { 0.5 }));
            continue;
        }
        at = procedure.next_due().unwrap_or(at);
    }
    assert_eq!(given[4..], ["1500 beta rollback", "1500 beta show"]);
    let notes: Vec<_> = procedure.notes().iter().map(|note| (&note.site, &note.text[..])).collect();
    assert_eq!(notes[0].1, "canary alpha: 0 calls, answered - (others -), 0 restarts: goes on");
    let reason = "site_asr_vs_others after beta was 0.500, below 0.9";
    assert_eq!(notes[1].0.as_deref(), Some("beta"));
    assert!(notes[1].1.ends_with(&format!(": stops, {reason}")), "{notes:?}");
    let left = lines(&procedure);
    assert!(left.contains(&format!("1500 gamma: lock: not given, {reason}")), "{left:?}");
}

#[test]
fn a_canary_that_restarts_by_itself_does_not_pass_whatever_is_measured() {
    let mut procedure = Procedure::new(&operation(CANARY), &pool()[..2]);
    let restarted = || {
        let counts = GateCounts { restarts: 1, ..GateCounts::default() };
        Measured { value: Some(1.0), counts }
    };
    let at_gate = |procedure: &mut Procedure| {
        while let Some(order) = procedure.poll_order(s(0)) {
            procedure.answered(s(0), order.id, Ok(String::new()));
        }
        procedure.advance(s(600));
        assert!(procedure.observed().is_some() && procedure.awaits_gate().is_some());
        procedure.gate(s(600), restarted());
    };
    at_gate(&mut procedure);
    assert_eq!(procedure.stopped(), Some("alpha restarted 1 times while it was observed"));
    let text = CANARY.replace("observe", "max_restarts = 1, observe");
    let mut procedure = Procedure::new(&operation(&text), &pool()[..2]);
    at_gate(&mut procedure);
    assert_eq!(procedure.stopped(), None);
}

#[test]
fn affected_sites_are_those_that_are_known_when_it_begins() {
    let text = BASE.replace("\"all\"", "\"affected\"");
    let affected = |sites: &[&str]| sites.iter().map(|site| (*site).to_owned()).collect::<Vec<_>>();
    let mut procedure = Procedure::new(&operation(&text), &pool());
    procedure.note_affected(&affected(&["gamma", "alpha"]));
    let first = procedure.poll_order(s(10)).expect("an order");
    procedure.note_affected(&affected(&["gamma", "alpha", "beta"]));
    let mut given = vec![first.site.clone()];
    procedure.answered(s(10), first.id, Ok(String::new()));
    while let Some(order) = procedure.poll_order(s(10)) {
        given.push(order.site.clone());
        procedure.answered(s(10), order.id, Ok(String::new()));
    }
    assert_eq!(given, ["alpha", "alpha", "gamma", "gamma"], "in the order of the network");
    assert_eq!(procedure.notes()[0].text, "affected so far: alpha, gamma");
    let mut none = Procedure::new(&operation(&text), &pool());
    assert!(!none.is_over(), "it is not known yet");
    assert_eq!(none.poll_order(s(10)), None);
    assert!(none.is_over());
    let nothing = "no site has restarted or been silent so far: nothing to do";
    assert_eq!(none.notes()[0].text, nothing);
}
