//! A box that is driven alone does what it does among the others: what is counted of it is its whole work.

use std::time::Instant;

use system_tests::counted::boxes::{LoneBox, packets_among_others};
use system_tests::counted::evening::Evening;
use system_tests::counted::media::{Listening, Relay};
use system_tests::counted::messages;

#[test]
fn a_box_alone_sends_what_it_sends_among_the_others() {
    for name in ["generator", "trunk", "one", "centre"] {
        let (alone, among) = (LoneBox::warm(name).packets(), packets_among_others(name));
        assert!(alone.len() > 50, "{name} sends only {}", alone.len());
        assert_eq!(alone, among, "{name}");
    }
}

#[test]
fn a_box_alone_records_each_counted_call() {
    for name in ["generator", "trunk", "one", "centre"] {
        LoneBox::warm(name).run();
    }
}

#[test]
fn counted_media_and_messages_arrive() {
    let now = Instant::now();
    Relay::warm(now).run();
    Listening::warm(now).run();
    [messages::invite(), messages::ok(), messages::bye()].iter().for_each(messages::read);
}

#[test]
fn there_are_calls_in_the_counted_second_of_the_evening() {
    let mut evening = Evening::begun();
    let before = evening.offered();
    evening.run();
    assert!(evening.offered() > before, "{before} attempts before it and after it");
}
