//! Counted instructions against those on record: what is borne, what fails, and how it is told.

use system_tests::counted::record::{Change, Counts, collected, compare};

fn counts(counts: &[(&str, u64)]) -> Counts {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn changes(recorded: &[(&str, u64)], counted: &[(&str, u64)]) -> Vec<(String, Change)> {
    let compared = compare(&counts(recorded), &counts(counted)).into_iter();
    compared.map(|one| (one.name, one.change)).collect()
}

#[test]
fn a_rise_of_more_than_a_tenth_is_seen_and_a_tenth_is_borne() {
    for (counted, change) in
        [(1_100, Change::Kept), (1_101, Change::Risen), (900, Change::Kept), (899, Change::Fallen)]
    {
        let found = changes(&[("call", 1_000)], &[("call", counted)]);
        assert_eq!(found, [("call".to_owned(), change)], "{counted}");
        assert_eq!(change.is_passable(), counted <= 1_100);
    }
}

#[test]
fn what_is_on_one_side_only_has_to_be_recorded() {
    let found = changes(&[("old", 5)], &[("new", 7)]);
    assert_eq!(found, [("new".to_owned(), Change::Unrecorded), ("old".to_owned(), Change::Gone)]);
    assert!(!Change::Unrecorded.is_passable() && !Change::Gone.is_passable());
}

#[test]
fn differences_are_told_with_their_sign() {
    let of = |counted| {
        compare(&counts(&[("call", 1_000)]), &counts(&[("call", counted)]))[0].difference()
    };
    assert_eq!([of(1_125), of(875), of(1_000)], ["+12.5 %", "-12.5 %", "+0.0 %"]);
}

#[test]
fn the_count_is_found_among_the_words_of_callgrind() {
    let words = "==7== Callgrind\n==7== Events    : Ir\n==7== Collected : 4711\n==7== \n";
    assert_eq!(collected(words), Some(4_711));
    assert_eq!(collected("==7== Collected : many"), None);
    assert_eq!(collected("valgrind: no such program"), None);
}
