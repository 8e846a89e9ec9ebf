//! `junit.xml`: the verdict of a run as CI systems show it.
//!
//! ```text
//!   a threshold                     failure when it does not hold, skipped when it is not judged; one that is skipped
//!                                   where no bounds were set
//!   the ledger                      failure when it does not balance
//!   the generator                   error when it could not keep up
//!   the processes                   an error for each that was lost
//!   the verdict                     failure or error with every reason: red whenever the exit code is not 0
//! ```
//!
//! An error is a test that could not be made, a failure one that was made and says no.

use std::time::Duration;

use crate::summary::{RunVerdict, Summary, ThresholdResult};
use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Writes the file.
pub fn junit(summary: &Summary) -> anyhow::Result<String> {
    let length = Duration::try_from_secs_f64(summary.duration_s).unwrap_or_default();
    let mut suite = TestSuite::new(&summary.campaign);
    suite.set_time(length);
    for (name, value) in [
        ("network", summary.network.clone()),
        ("seed", summary.seed.to_string()),
        ("started_at", summary.started_at.clone()),
        ("verdict", summary.headline().to_owned()),
        ("exit_code", summary.exit_code().to_string()),
    ] {
        suite.add_property((name, &value[..]));
    }
    let mut add = |group: &str, name: &str, status: TestCaseStatus| {
        let mut case = TestCase::new(name, status);
        case.set_classname(format!("tocsin.{}.{group}", summary.campaign));
        suite.add_test_case(case);
    };
    for result in &summary.thresholds {
        add("thresholds", &format!("{} {}", result.subject(), result.bounds()), threshold(result));
    }
    if summary.has_no_bounds() {
        let mut skipped = TestCaseStatus::skipped();
        skipped.set_message("no bounds were set: the campaign demands nothing of its figures");
        add("thresholds", "no bounds were set", skipped);
    }
    add("ledger", "the ledger balances", ledger(summary));
    add("generator", "the generator kept up", generator(summary));
    for sentence in &summary.degraded {
        add("processes", sentence, not_made(NonSuccessKind::Error, sentence, ""));
    }
    if summary.degraded.is_empty() {
        add("processes", "every process was there to the end", TestCaseStatus::success());
    }
    add("verdict", "the run passes", verdict(summary));
    let mut report = Report::new("tocsin");
    report.set_time(length);
    report.add_test_suite(suite);
    report.to_string().context("cannot write JUnit XML")
}

fn threshold(result: &ThresholdResult) -> TestCaseStatus {
    match (result.holds, result.breach()) {
        (None, _) => {
            let mut skipped = TestCaseStatus::skipped();
            let why = result.reason.as_deref().unwrap_or("the run did not come to its end");
            skipped.set_message(format!("not judged: {why}"));
            skipped
        }
        (Some(_), Some(breach)) => not_made(NonSuccessKind::Failure, &breach, ""),
        (Some(_), None) => TestCaseStatus::success(),
    }
}

fn ledger(summary: &Summary) -> TestCaseStatus {
    let ledger = &summary.ledger;
    if ledger.balanced {
        return TestCaseStatus::success();
    }
    let message = format!(
        "{} offered = {}, {} without a record, {} contradictions",
        ledger.offered,
        ledger.sum_in_words(),
        ledger.in_progress,
        ledger.fault_count
    );
    not_made(NonSuccessKind::Failure, &message, &ledger.faults.join("\n"))
}

/// The reasons against the generator come first, and only an invalid run has any.
fn generator(summary: &Summary) -> TestCaseStatus {
    if summary.verdict != RunVerdict::Invalid {
        return TestCaseStatus::success();
    }
    let first = summary.reasons.first().map_or("the run is invalid", String::as_str);
    not_made(NonSuccessKind::Error, first, &summary.reasons.join("\n"))
}

fn verdict(summary: &Summary) -> TestCaseStatus {
    let kind = match summary.verdict {
        RunVerdict::Pass => return TestCaseStatus::success(),
        RunVerdict::Fail => NonSuccessKind::Failure,
        RunVerdict::Invalid
        | RunVerdict::Degraded
        | RunVerdict::Unsteady
        | RunVerdict::Interrupted => NonSuccessKind::Error,
    };
    let message = format!(
        "{}, exit code {}: {}",
        summary.verdict.as_str(),
        summary.exit_code(),
        summary.reasons.first().map_or("the run was interrupted before its end", String::as_str)
    );
    not_made(kind, &message, &summary.reasons.join("\n"))
}

fn not_made(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    if !description.is_empty() {
        status.set_description(description);
    }
    status
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;
    use crate::fixture::{judged, threshold};

    /// Names of the test cases with what became of each: `ok`, or the word of the element inside.
    fn cases(summary: &Summary) -> Vec<(String, String)> {
        let xml = junit(summary).expect("XML");
        let document = Document::parse(&xml).expect("well-formed XML");
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let told = cases.map(|case| {
            let inside = case.children().find(|node| node.is_element());
            let word = inside.map_or("ok", |node| node.tag_name().name());
            (case.attribute("name").unwrap_or_default().to_owned(), word.to_owned())
        });
        told.collect()
    }

    fn word<'a>(cases: &'a [(String, String)], name: &str) -> &'a str {
        let case = cases.iter().find(|(known, _)| known.starts_with(name));
        &case.unwrap_or_else(|| panic!("no {name} in {cases:?}")).1
    }

    #[test]
    fn a_threshold_is_a_test() {
        let summary = judged(vec![threshold(Some(0.5), None), threshold(Some(0.9), None)], |_| {});
        let cases = cases(&summary);
        assert_eq!(word(&cases, "answered_share at least 0.5"), "ok");
        assert_eq!(word(&cases, "answered_share at least 0.9"), "failure");
        assert_eq!(word(&cases, "the run passes"), "failure");
        for name in ["the ledger", "the generator", "every process"] {
            assert_eq!(word(&cases, name), "ok", "{name}");
        }
        let xml = junit(&summary).expect("XML");
        assert!(xml.contains("answered_share is 0.7500, must be at least 0.9"), "{xml}");
        assert!(xml.contains("tests=\"6\"") && xml.contains("failures=\"2\""), "{xml}");
    }

    #[test]
    fn a_run_without_bounds_does_not_look_like_one_that_kept_them() {
        let told = cases(&judged(Vec::new(), |_| {}));
        assert_eq!(word(&told, "no bounds were set"), "skipped");
        let xml = junit(&judged(Vec::new(), |_| {})).expect("XML");
        assert!(xml.contains("value=\"NO BOUNDS\"") && !xml.contains("PASS"), "{xml}");
        let told = cases(&judged(vec![threshold(Some(0.5), None)], |_| {}));
        assert!(told.iter().all(|(name, _)| name != "no bounds were set"), "{told:?}");
    }

    #[test]
    fn what_could_not_be_tested_is_an_error_and_what_was_not_is_skipped() {
        let interrupted = judged(vec![threshold(Some(1.0), None)], |run| run.interrupted = true);
        let told = cases(&interrupted);
        assert_eq!(
            (word(&told, "answered_share"), word(&told, "the run passes")),
            ("skipped", "error")
        );
        let xml = junit(&interrupted).expect("XML");
        assert!(xml.contains("not judged: the run was interrupted before its end"), "{xml}");
        assert!(xml.contains("INTERRUPTED, exit code 130"), "{xml}");

        let degraded = judged(Vec::new(), |run| {
            run.degraded = vec!["process <site> was lost: \u{7}signal".to_owned()];
        });
        let told = cases(&degraded);
        assert_eq!(
            (word(&told, "process <site>"), word(&told, "the run passes")),
            ("error", "error")
        );

        let threshold = threshold(Some(1.0), None);
        let invalid = judged(vec![threshold], |run| run.generators.not_started = 3);
        let told = cases(&invalid);
        assert_eq!(word(&told, "answered_share"), "skipped");
        let xml = junit(&invalid).expect("XML");
        let why = "not judged: the run is INVALID: the generator did not start 3 calls";
        assert!(xml.contains(why), "{xml}");
        assert_eq!(
            (word(&told, "the generator"), word(&told, "the run passes")),
            ("error", "error")
        );

        let unbalanced = judged(Vec::new(), |run| run.generators.offered = 9);
        let told = cases(&unbalanced);
        assert_eq!(
            (word(&told, "the ledger"), word(&told, "the run passes")),
            ("failure", "failure")
        );
    }
}
