//! Each fault is found, and a run without contradictions balances.

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::record::tests::answered;
use crate::record::{CallRecord, Entry, LegRecord};
use crate::terms::{BoxKind, NO_ACK, Outcome};

/// What the four boxes write of one answered attempt.
fn chain(attempt: u128) -> Vec<CallRecord> {
    let name = |name: &str| Some(name.to_owned());
    let generator = CallRecord {
        trunk_group: name("mobile"),
        intended_us: Some(990_000),
        bye_us: Some(11_900_000),
        ..answered(BoxKind::Generator, "generator-0", attempt)
    };
    let trunk_group = CallRecord {
        trunk_group: name("mobile"),
        site: name("alpha"),
        tried: vec!["alpha".to_owned()],
        ..answered(BoxKind::TrunkGroup, "mobile", attempt)
    };
    let call_server = CallRecord {
        site: name("alpha"),
        psap: name("samu-59"),
        tried: vec!["samu-59".to_owned()],
        legs: vec![leg(&format!("{attempt:x}@samu-59"), 12_000_000, 200)],
        ..answered(BoxKind::CallServer, "alpha", attempt)
    };
    let psap = CallRecord { psap: name("samu-59"), ..answered(BoxKind::Psap, "samu-59", attempt) };
    vec![generator, trunk_group, call_server, psap]
}

/// A call that a call server placed at the start, and that was over at `end_us`.
fn leg(call_id: &str, end_us: u64, status: u16) -> LegRecord {
    let call_id = call_id.to_owned();
    LegRecord { call_id, start_us: 1_000_000, end_us: Some(end_us), status: Some(status) }
}

/// The same, but nobody answered: `outcome` everywhere.
fn unanswered(attempt: u128, outcome: Outcome, status: u16) -> Vec<CallRecord> {
    let mut records = chain(attempt);
    for record in &mut records {
        (record.outcome, record.answer_us, record.status) = (outcome, None, Some(status));
        record.bye_us = None;
        record.legs.iter_mut().for_each(|leg| leg.status = Some(status));
    }
    records
}

fn lost_node(kind: BoxKind, node: &str) -> LostNode {
    LostNode { kind, node: node.to_owned(), why: "killed by an operator command".to_owned() }
}

fn audit(records: &[CallRecord], started: u64, lost: &[LostNode]) -> Ledger {
    audit_with(Rules::default(), records, started, lost)
}

fn audit_with(rules: Rules, records: &[CallRecord], started: u64, lost: &[LostNode]) -> Ledger {
    let mut audit = Audit::new(rules);
    records.iter().for_each(|record| audit.add(record));
    audit.close(started, lost).ledger()
}

/// Audits one attempt and expects exactly one fault that contains `part`.
#[track_caller]
fn assert_fault(records: &[CallRecord], part: &str) {
    let ledger = audit(records, 1, &[]);
    assert!(!ledger.balanced);
    assert_eq!(ledger.fault_count, 1, "{:?}", ledger.faults);
    assert!(ledger.faults[0].contains(part), "{:?}", ledger.faults);
}

#[test]
fn a_run_without_contradictions_balances_and_names_each_destination() {
    let mut records = chain(1);
    records.extend(unanswered(2, Outcome::Rejected, 486));
    records.extend(unanswered(3, Outcome::Abandoned, 487));
    // Never reached any box.
    records.push(unanswered(4, Outcome::TimedOut, 408).swap_remove(0));
    records[12].ring_us = None;
    records.reverse();

    let mut audit = Audit::new(Rules::default());
    records.iter().for_each(|record| audit.add(record));
    let mut told = Told::default();
    let ledger = audit.close(4, &[]).read(&mut [&mut told]);
    assert!(ledger.balanced, "{:?}", ledger.faults);
    let counts = [ledger.answered, ledger.rejected, ledger.abandoned, ledger.timed_out];
    assert_eq!((ledger.offered, counts), (4, [1; 4]));
    let reached: Vec<&str> = told.0.iter().map(|(_, told)| &told[..]).collect();
    let found = r#"Destination { site: Some("alpha"), psap: Some("samu-59") }"#;
    assert!(reached[0].starts_with(found), "{reached:?}");
    assert!(reached[3].starts_with("Destination { site: None, psap: None }"), "{reached:?}");
    assert!(told.0.iter().map(|(key, _)| *key).eq(1..=4));
}

/// What an attempt is told as, by its key.
#[derive(Default)]
struct Told(Vec<(u128, String)>);

impl AttemptReader for Told {
    fn add(&mut self, attempt: &Attempt<'_>) {
        let records: Vec<_> = attempt.records().collect();
        let (reached, counted) = (attempt.reached(), attempt.counted());
        self.0.push((attempt.key(), format!("{reached:?} {counted:?} {records:?}")));
    }
}

#[test]
fn a_failed_attempt_is_in_one_bucket_by_how_far_it_got() {
    let lost = |attempt, caller_answered: bool, why: &str| {
        let mut records = chain(attempt);
        for record in &mut records {
            (record.outcome, record.reason) = (Outcome::Lost, Some(why.to_owned()));
        }
        if !caller_answered {
            (records[0].outcome, records[0].answer_us) = (Outcome::TimedOut, None);
        }
        records
    };
    let mut never_seen = unanswered(1, Outcome::Rejected, 503);
    never_seen.truncate(3);
    let mut records = never_seen;
    records.extend(lost(2, false, NO_ACK));
    records.extend(lost(3, true, NO_ACK));
    records.extend(lost(4, true, "the BYE got no response"));
    records.extend(unanswered(5, Outcome::Rejected, 486));
    // Neither is a failure.
    records.extend(chain(6));
    records.extend(unanswered(7, Outcome::Abandoned, 487));
    let failures = audit(&records, 7, &[]).failures;
    let wanted = Failures {
        callee_never_saw_invite: 1,
        answered_without_ack: 1,
        ack_not_seen: 1,
        lifecycle_timeout: 1,
        refused_by_callee: 1,
        unknown: 0,
    };
    assert_eq!(failures, wanted);
    // A PSAP that writes no records may have seen it.
    let rules = Rules { unrecorded: vec!["samu-59".to_owned()], ..Rules::default() };
    let failures = audit_with(rules, &records[..3], 1, &[]).failures;
    assert_eq!((failures.unknown, failures.sum()), (1, 1));
    // But a busy callee has spoken for itself, as every target does that is no network of ours.
    for (status, refused) in [(480, 1), (486, 1), (600, 1), (603, 1), (503, 0), (404, 0)] {
        let rules = Rules { unrecorded: vec!["mobile".to_owned()], ..Rules::default() };
        let caller = unanswered(1, Outcome::Rejected, status).swap_remove(0);
        let failures = audit_with(rules, &[caller], 1, &[]).failures;
        let found = (failures.refused_by_callee, failures.unknown, failures.sum());
        assert_eq!(found, (refused, 1 - refused, 1), "{status}");
    }
}

#[test]
fn each_box_that_forgot_an_answered_attempt_is_named() {
    for (forgets, sentence) in [
        (1, "was answered for the caller but trunk group mobile has no record of it"),
        (2, "was answered for the caller but call server alpha has no record of it"),
        (3, "was answered for the caller but PSAP samu-59 has no record of it"),
    ] {
        let mut records = chain(1);
        records.remove(forgets);
        assert_fault(&records, sentence);
    }
}

#[test]
fn a_box_that_tells_another_story_is_named() {
    let mut records = chain(1);
    (records[3].outcome, records[3].answer_us) = (Outcome::Rejected, None);
    assert_fault(&records, "was answered for the caller but PSAP samu-59 says rejected");
}

#[test]
fn names_along_the_chain_must_agree() {
    let mut records = chain(1);
    records[2].node = "beta".to_owned();
    records[2].site = Some("beta".to_owned());
    assert_fault(&records, "call server alpha has no record of it");

    let mut records = chain(1);
    records[3].node = "samu-75".to_owned();
    assert_fault(&records, "PSAP samu-59 has no record of it");

    let mut records = chain(1);
    records[1].site = None;
    assert_fault(&records, "trunk group mobile names no site");
}

#[test]
fn a_rejected_attempt_must_be_known_to_its_trunk_group() {
    let records = unanswered(1, Outcome::Rejected, 503);
    assert!(audit(&records[..2], 1, &[]).balanced);
    assert_fault(&records[..1], "was rejected for the caller but trunk group mobile has no record");
}

// RFC 3261 §9.1: "CANCEL has no effect on a request that has already generated a final response".
#[test]
fn an_answer_that_is_heard_late_is_normal_but_a_call_that_goes_on_is_not() {
    let mut records = unanswered(1, Outcome::Abandoned, 487);
    records[0].bye_us = Some(11_900_000);
    records[2].legs[0].status = Some(200);
    for record in &mut records[1..] {
        record.outcome = Outcome::Answered;
        record.answer_us = Some(record.end_us - 20_000);
    }
    assert!(audit(&records, 1, &[]).balanced);

    // The PSAP has answered long before the call server heard of it, for however long.
    records[3].answer_us = Some(records[3].end_us - 9_500_000);
    assert!(audit(&records, 1, &[]).balanced);
    // But it cannot have talked with a call server that had not heard of it.
    records[3].ack_us = records[3].answer_us;
    let sentence =
        "lasted 9.500 s in PSAP samu-59 but was over for call server alpha after 0.020 s";
    assert_fault(&records, sentence);
    // The call server between them was lost, so nobody could tell the PSAP.
    records.remove(2);
    assert!(audit(&records, 1, &[lost_node(BoxKind::CallServer, "alpha")]).balanced);
}

// The PSAP has answered the call server's BYE or CANCEL, so it knew.
#[test]
fn nobody_goes_on_after_saying_that_it_is_over() {
    let mut records = chain(1);
    records[3].end_us += 1;
    assert_fault(&records, "in PSAP samu-59 but was over for call server alpha after 11.000 s");
    // Its BYE never arrived.
    records[2].legs[0].end_us = None;
    assert!(audit(&records, 1, &[]).balanced);

    let mut records = chain(1);
    records[1].end_us += 2_000_000;
    assert_fault(&records, "lasted 13.000 s in trunk group mobile but was over for the caller");
    let mut records = chain(1);
    records[2].end_us += 2_000_000;
    records[2].legs[0].end_us = Some(14_000_000);
    assert_fault(&records, "lasted 13.000 s in call server alpha but was over for the caller");
}

#[test]
fn nobody_hears_what_nobody_said() {
    let mut records = chain(1);
    records[0].bye_us = None;
    assert_fault(&records, "was hung up by the caller as trunk group mobile says");
    let mut records = chain(1);
    records[2].ended_by = Some(crate::Party::Callee);
    assert_fault(&records, "was hung up by PSAP samu-59 as call server alpha says");
    let mut records = chain(1);
    records[3].answer_us = Some(2_000_001);
    assert_fault(&records, "before PSAP samu-59 answered it");
    let mut records = unanswered(1, Outcome::Rejected, 503);
    records[0].status = Some(486);
    assert_fault(
        &records,
        "was rejected for the caller with 486 but trunk group mobile says rejected",
    );
    let mut records = unanswered(1, Outcome::Abandoned, 487);
    records[3].ring_us = None;
    assert_fault(&records, "rang in call server alpha but at no PSAP");
    let mut records = unanswered(1, Outcome::Abandoned, 487);
    records[2].legs.clear();
    records[2].psap = None;
    assert_fault(&records, "PSAP samu-59 has a call of attempt");
}

#[test]
fn duplicates_are_found_but_a_second_call_of_one_attempt_is_none() {
    for twice in 0..4 {
        let mut records = chain(1);
        records.push(records[twice].clone());
        assert_fault(&records, "has two records in");
    }
    // The first site failed the call after its PSAP had rung; the second site reached the PSAP
    // again.
    let mut records = chain(1);
    records[1].tried.insert(0, "beta".to_owned());
    let mut first = unanswered(1, Outcome::Abandoned, 487).split_off(2);
    (first[0].node, first[0].site) = ("beta".to_owned(), Some("beta".to_owned()));
    first[0].legs[0].call_id = "another".to_owned();
    first[1].call_id = "another".to_owned();
    records.extend(first);
    assert!(audit(&records, 1, &[]).balanced);
    // It is told of both, and the story of the one is not that of the other.
    records[5].outcome = Outcome::Answered;
    records[5].answer_us = Some(2_000_000);
    assert_fault(&records, "was refused by PSAP samu-59 as call server beta says");
    records.truncate(4);
    (records[3].outcome, records[3].answer_us) = (Outcome::Abandoned, None);
    assert_fault(&records, "was answered for the caller but PSAP samu-59 says abandoned");
}

// The site that fell says lost if it restarted, and nothing if it lost power. The one that took the call over says answered.
#[test]
fn a_call_that_was_taken_over_is_answered() {
    let mut records = chain(1);
    records[1].tried = vec!["alpha".to_owned(), "beta".to_owned()];
    records[1].site = Some("beta".to_owned());
    let mut heir = records[2].clone();
    (heir.node, heir.site) = ("beta".to_owned(), Some("beta".to_owned()));
    heir.reason = Some("taken over from alpha".to_owned());
    let fell = &mut records[2];
    (fell.outcome, fell.reason) = (Outcome::Lost, Some("restarted by command".to_owned()));
    records.push(heir.clone());
    let ledger = audit(&records, 1, &[]);
    assert!(ledger.balanced && ledger.answered == 1 && ledger.lost == 0, "{ledger:?}");

    // It came back to where it was.
    let mut again = records.clone();
    again[1].tried.push("alpha".to_owned());
    again[1].site = Some("alpha".to_owned());
    let mut back = again[2].clone();
    (back.outcome, back.reason) = (heir.outcome, heir.reason.clone());
    again.push(back);
    let last = again.len() - 2;
    (again[last].outcome, again[last].reason) = (Outcome::Lost, Some("fell too".to_owned()));
    let ledger = audit(&again, 1, &[]);
    assert!(ledger.balanced && ledger.answered == 1, "{ledger:?}");

    records.remove(2);
    let ledger = audit(&records, 1, &[lost_node(BoxKind::CallServer, "alpha")]);
    assert!(ledger.balanced && ledger.answered == 1 && ledger.lost == 0, "{ledger:?}");
    // Nobody took it over, whatever the trunk group believes.
    records.pop();
    assert_fault(&records, "call server beta has no record of it");
}

#[test]
fn a_second_call_taker_must_be_let_go_when_told() {
    let mut records = chain(1);
    // The first PSAP was given up, and answered all the same.
    records[2].legs.insert(0, LegRecord { status: None, ..leg("first", 3_000_000, 0) });
    records[2].tried.insert(0, "samu-75".to_owned());
    let mut first = records[3].clone();
    (first.node, first.call_id) = ("samu-75".to_owned(), "first".to_owned());
    (first.answer_us, first.end_us) = (Some(2_990_000), 2_995_000);
    records.push(first);
    assert!(audit(&records, 1, &[]).balanced);

    records[4].end_us = 12_000_000;
    assert_fault(&records, "lasted 11.000 s in PSAP samu-75 but was over for call server alpha");
    records[4].call_id = "nobody's".to_owned();
    records[2].legs.remove(0);
    assert_fault(&records, "PSAP samu-75 has a call of attempt");
}

#[test]
fn a_call_that_no_generator_made_is_an_orphan_unless_others_may_call() {
    let records = &chain(1)[1..];
    let ledger = audit(records, 0, &[]);
    assert_eq!(ledger.fault_count, 1);
    assert!(ledger.faults[0].ends_with("which no generator made"), "{:?}", ledger.faults);

    let rules = Rules { foreign_callers: true, ..Rules::default() };
    let ledger = audit_with(rules, records, 0, &[]);
    assert!(ledger.balanced);
    assert_eq!((ledger.foreign, ledger.offered), (1, 0));
}

#[test]
fn a_box_that_writes_no_records_is_not_asked() {
    let rules = Rules { unrecorded: vec!["samu-59".to_owned()], ..Rules::default() };
    assert!(audit_with(rules, &chain(1)[..3], 1, &[]).balanced);
}

#[test]
fn what_a_lost_box_held_is_lost_there_and_why() {
    let mut records = chain(1);
    records.remove(2);
    for record in &mut records {
        record.outcome = Outcome::Lost;
        record.reason = Some("the BYE got no response".to_owned());
    }
    let ledger = audit(&records, 1, &[lost_node(BoxKind::CallServer, "alpha")]);
    assert!(ledger.balanced, "{:?}", ledger.faults);
    let why = "killed by an operator command".to_owned();
    assert_eq!(ledger.lost_at, [LostAt { node: "alpha".to_owned(), why, attempts: 1 }]);

    // No box was lost: the PSAP was the last one to hold the call.
    let ledger = audit(&records, 1, &[]);
    let why = "the BYE got no response".to_owned();
    assert_eq!(ledger.lost_at, [LostAt { node: "samu-59".to_owned(), why, attempts: 1 }]);
}

#[test]
fn a_lost_attempt_that_nobody_explains_is_a_fault() {
    let mut records = chain(1);
    records[0].outcome = Outcome::Lost;
    assert_fault(&records, "was lost and no box says why");
}

#[test]
fn a_lost_call_server_excuses_its_own_silence_only() {
    let mut records = chain(1);
    records.remove(2);
    let alpha = [lost_node(BoxKind::CallServer, "alpha")];
    assert!(audit(&records, 1, &alpha).balanced);
    let beta = [lost_node(BoxKind::CallServer, "beta")];
    assert_eq!(audit(&records, 1, &beta).fault_count, 1);
}

#[test]
fn attempts_of_a_lost_generator_are_lost_with_it() {
    let ledger = audit(&chain(1)[1..], 0, &[lost_node(BoxKind::Generator, "generator-0")]);
    assert!(ledger.balanced, "{:?}", ledger.faults);
    assert_eq!((ledger.lost, ledger.lost_at[0].node.as_str()), (1, "generator-0"));
}

#[test]
fn an_attempt_without_a_record_is_still_in_progress() {
    let ledger = audit(&chain(1), 2, &[]);
    assert_eq!((ledger.offered, ledger.answered, ledger.in_progress), (2, 1, 1));
    assert!(!ledger.balanced);
    assert!(!audit(&chain(1), 0, &[]).balanced, "more records than starts");
}

#[test]
fn times_must_be_in_order_and_complete() {
    let mut records = chain(1);
    records[3].end_us = 1_500_000;
    assert_fault(&records, "in PSAP samu-59: the end is before the answer");

    let mut records = chain(1);
    records[0].answer_us = None;
    assert_fault(&records, "it is answered but has no answer time");
}

#[test]
fn only_the_first_faults_are_kept() {
    let records: Vec<_> = (0..100).map(|attempt| chain(attempt).swap_remove(0)).collect();
    let ledger = audit(&records, 100, &[]);
    assert_eq!((ledger.fault_count, ledger.faults.len()), (100, 20));
}

#[test]
fn files_and_records_in_memory_give_the_same_ledger() {
    let spread = |n: u128| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let mut records: Vec<CallRecord> = (1..200).map(spread).flat_map(chain).collect();
    records.extend(unanswered(spread(200), Outcome::Rejected, 486));
    for (number, record) in records.iter_mut().enumerate() {
        record.reason = (number % 3 == 0).then(|| format!("reason \"{}\"", number % 7));
        record.caller = (record.kind == BoxKind::Generator).then_some(number as u64);
    }
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..3).map(|file| folder.path().join(format!("{file}.jsonl"))).collect();
    let mut one = Audit::new(Rules::default());
    for (file, part) in files.iter().zip(records.chunks(records.len().div_ceil(3))) {
        let mut writer = crate::RecordWriter::create(file).unwrap();
        part.iter().for_each(|record| writer.write(record));
        part.iter().for_each(|record| one.add(record));
    }
    let mut other = Audit::new(Rules::default());
    let misread = other.read(&files);
    assert!(misread.sentences.is_empty() && misread.truncated == 0, "{misread:?}");
    assert_eq!(other.callers(), 200);
    let (mut told, mut same) = (Told::default(), Told::default());
    let ledger = one.close(200, &[]).read(&mut [&mut told]);
    assert_eq!(ledger, other.close(200, &[]).read(&mut [&mut same]));
    assert_eq!(told.0, same.0);
    // What was kept is what was written, but for what no summary asks for.
    let first = told.0.iter().find(|(key, _)| *key == spread(1)).expect("the first one");
    let record = format!("{:?}", Entry::from(&records[0]));
    assert!(first.1.contains(&record), "{record} is not in {}", first.1);
}

proptest! {
    /// offered = answered + rejected + abandoned + timed out + lost + in progress, whatever the
    /// records say.
    #[test]
    fn the_sum_holds_for_any_records(
        picks in prop::collection::vec((0_u128..20, 0_usize..4, 0_u8..5), 0..80),
        started in 0_u64..40,
    ) {
        let outcomes = [
            Outcome::Answered,
            Outcome::Rejected,
            Outcome::Abandoned,
            Outcome::TimedOut,
            Outcome::Lost,
        ];
        let records: Vec<_> = picks
            .into_iter()
            .map(|(attempt, place, outcome)| CallRecord {
                outcome: outcomes[usize::from(outcome)],
                ..chain(attempt).swap_remove(place)
            })
            .collect();
        let ledger = audit(&records, started, &[]);
        let sum = ledger.answered + ledger.rejected + ledger.abandoned + ledger.timed_out
            + ledger.lost + ledger.in_progress;
        prop_assert_eq!(ledger.offered, sum);
        prop_assert!(ledger.offered >= started);
    }
}

// The scale of a day's flood. Run it with `--release -- --ignored --nocapture` to see the time.
#[test]
#[ignore = "a measurement of scale, not a check"]
fn a_million_attempts() {
    let start = Instant::now();
    let mut audit = Audit::new(Rules::default());
    for attempt in 0..1_000_000_u128 {
        // Spread like random ids.
        let id = attempt.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        chain(id).iter().for_each(|record| audit.add(record));
    }
    let ledger = audit.close(1_000_000, &[]).ledger();
    assert!(ledger.balanced, "{:?}", ledger.faults);
    println!("one million attempts in {:?}", start.elapsed());
}

// A disk was full, and took no record of the callers.
#[test]
fn calls_whose_callers_left_no_record_are_no_strangers() {
    let rules = || Rules { foreign_callers: true, ..Rules::default() };
    let mut audit = Audit::new(rules());
    for attempt in 1..=5 {
        audit.add(&answered(BoxKind::Psap, "samu-59", attempt));
    }
    let ledger = audit.close(3, &[]).ledger();
    assert_eq!((ledger.in_progress, ledger.foreign, ledger.balanced), (3, 2, false));
}
