//! The arithmetic of benches: medians, ratios, and what peers say of themselves.

use system_tests::sipp_statistics::SippCounts;
use system_tests::spread::{median, quantile, ratio};

#[test]
fn a_median_is_in_the_middle_and_nothing_has_none() {
    assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
    assert_eq!(median(&[4.0, 1.0, 9.0, 2.0]), Some(3.0));
    assert_eq!((median(&[]), median(&[1.0, f64::NAN])), (None, None));
}

/// The machine was slow in the second turn: both were, so their ratio is what it is.
#[test]
fn ratios_are_those_of_turns() {
    assert_eq!(ratio(&[20.0, 40.0, 21.0], &[80.0, 160.0, 70.0]), Some(0.25));
    assert_eq!(ratio(&[1.0], &[1.0, 2.0]), None);
    assert_eq!(ratio(&[1.0], &[0.0]), None, "no number");
}

#[test]
fn quantiles_are_values_that_were_measured() {
    let values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
    assert_eq!(
        [0.0, 0.5, 0.99, 1.0].map(|share| quantile(&values, share)),
        [Some(0.0), Some(50.0), Some(99.0), Some(100.0)]
    );
    assert_eq!(quantile(&[], 0.5), None);
}

#[test]
fn counts_of_sipp_are_those_of_its_last_line() {
    let text = "StartTime;CurrentCall;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);Retransmissions(C);\n\
                x;2;5;5;0;1;\nx;1;2;7;1;3;\n";
    let counts = SippCounts { current: 1, successful: 7, failed: 1, retransmissions: 3 };
    assert_eq!(SippCounts::read(text), Some(counts));
    assert_eq!(SippCounts::read(&format!("{text}x;1;3;9")), Some(counts), "a line half written");
    assert_eq!(SippCounts::read("StartTime;SuccessfulCall(C)\nx;5\n"), None);
    assert_eq!(SippCounts::read(""), None);
}
