use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

const SSRC: u32 = 7;

fn header(sequence: u32) -> Header {
    Header {
        marker: false,
        payload_type: 8,
        sequence: sequence as u16,
        timestamp: sequence.wrapping_mul(160),
        ssrc: SSRC,
    }
}

/// Packets of 20 ms with these numbers, each as early as it can be.
fn receive(numbers: impl IntoIterator<Item = u32>) -> Receiver {
    let mut receiver = Receiver::new(8_000);
    let start = Instant::now();
    let mut first = None;
    for number in numbers {
        let earliest = number.saturating_sub(100);
        let since = number - *first.get_or_insert(earliest);
        receiver.receive(start + Duration::from_millis(20) * since, &header(number), true);
    }
    receiver
}

// RFC 3550 A.3: lost is expected less received.
#[test]
fn what_is_missing_is_lost_once() {
    let mut receiver = receive((1_000..2_000).filter(|number| number % 10 != 5));
    let report = receiver.report().expect("a source");
    assert_eq!((report.cumulative_lost, report.highest_sequence), (100, 1_999));
    assert_eq!(report.fraction_lost, 25, "a tenth of 256");
    let counts = receiver.finish();
    assert_eq!((counts.expected, counts.received, counts.lost), (1_000, 900, 100));
    assert!((counts.loss() - 0.1).abs() < 1e-9);
}

// RFC 3550 §6.4.1: the fraction is of the time since the last report.
#[test]
fn each_report_speaks_of_its_own_time() {
    let mut receiver = receive((0..100).filter(|number| number % 4 != 1));
    assert_eq!(receiver.report().expect("a source").fraction_lost, 64);
    let start = Instant::now();
    for number in 100..200 {
        receiver.receive(start, &header(number), true);
    }
    let report = receiver.report().expect("a source");
    assert_eq!((report.fraction_lost, report.cumulative_lost), (0, 25));
}

#[test]
fn numbers_wrap_without_loss() {
    let counts = receive(65_000..66_500).finish();
    assert_eq!((counts.expected, counts.lost, counts.reordered), (1_500, 0, 0));
    let mut receiver = receive(65_530..65_540);
    assert_eq!(receiver.report().expect("a source").highest_sequence, 65_539);
}

#[test]
fn an_overtaken_packet_is_not_lost_and_a_second_copy_counts_once() {
    let counts = receive([100, 101, 104, 103, 102, 105, 105, 101]).finish();
    assert_eq!((counts.expected, counts.lost), (6, 0));
    assert_eq!((counts.reordered, counts.duplicates), (2, 2));
    // The very first packet was overtaken.
    let counts = receive([101, 100, 102]).finish();
    assert_eq!((counts.expected, counts.lost), (3, 0));
}

#[test]
fn a_packet_that_comes_after_sixty_four_others_is_lost() {
    let late = (0..200).filter(|number| *number != 50).chain([50]);
    let counts = receive(late).finish();
    assert_eq!((counts.expected, counts.lost), (200, 1));
}

// RFC 3550 A.1: a large step forward is believed when a second packet confirms it.
#[test]
fn a_source_that_restarts_loses_nothing() {
    let mut receiver = receive(0..100);
    let start = Instant::now();
    for number in [30_000, 40_000, 40_001, 40_002] {
        receiver.receive(start, &header(number), true);
    }
    let counts = receiver.finish();
    assert_eq!((counts.expected, counts.lost), (102, 0));
}

#[test]
fn a_long_break_is_all_lost() {
    let counts = receive((0..100).chain(1_100..1_200)).finish();
    assert_eq!((counts.expected, counts.lost, counts.longest_loss), (1_200, 1_000, 1_000));
}

#[test]
fn another_ssrc_begins_a_stream_of_its_own() {
    let mut receiver = receive(0..100);
    let start = Instant::now();
    for number in 5_000..5_100 {
        receiver.receive(start, &Header { ssrc: 8, ..header(number) }, true);
    }
    assert_eq!(receiver.report().expect("a source").ssrc, 8);
    let counts = receiver.finish();
    assert_eq!((counts.expected, counts.received, counts.lost), (200, 200, 0));
}

// RFC 3550 A.8: J += (|D| - J) / 16. A step of |D| = 80 for 16 packets gives 80·(1 − (15/16)^16) = 51.514.
#[test]
fn jitter_follows_the_formula() {
    let mut receiver = Receiver::new(8_000);
    let start = Instant::now();
    for number in 0..17 {
        // Each packet 10 ms (80 units) later than its timestamp says, compared with the one before.
        let arrived = start + Duration::from_millis(30) * number;
        receiver.receive(arrived, &header(number), true);
    }
    let jitter = receiver.heard.as_ref().expect("packets").jitter.current();
    assert!((jitter - 51.514).abs() < 0.001, "{jitter}");
    assert_eq!(receiver.report().expect("a source").jitter, 51);
}

#[test]
fn alternating_delay_of_ten_milliseconds_is_a_jitter_of_ten() {
    let mut receiver = Receiver::new(8_000);
    let start = Instant::now();
    for number in 0..500 {
        let delay = Duration::from_millis(if number % 2 == 0 { 0 } else { 10 });
        receiver.receive(start + Duration::from_millis(20) * number + delay, &header(number), true);
    }
    assert!((receiver.heard.as_ref().expect("packets").jitter.current() - 80.0).abs() < 0.01);
    let counts = receiver.finish();
    assert!((counts.max_jitter.as_secs_f64() - 0.010).abs() < 1e-5);
    assert_eq!(counts.discarded, 0);
}

// A DTMF event repeats its timestamp while time goes on.
#[test]
fn events_make_no_jitter() {
    let mut receiver = Receiver::new(8_000);
    let start = Instant::now();
    for number in 0..20 {
        let event = Header { timestamp: 0, ..header(number) };
        receiver.receive(start + Duration::from_millis(20) * number, &event, false);
    }
    assert_eq!(receiver.finish().max_jitter, Duration::ZERO);
}

#[test]
fn what_comes_too_late_to_be_played_is_discarded() {
    let mut receiver = Receiver::new(8_000);
    let start = Instant::now();
    for number in 0..100_u32 {
        let delay = Duration::from_millis(if number == 50 { 90 } else { 5 });
        let arrived = start + Duration::from_millis(20) * number + delay;
        let arrival = receiver.receive(arrived, &header(number), true);
        assert_eq!(arrival, if number == 50 { PacketArrival::Late } else { PacketArrival::InTime });
    }
    let counts = receiver.finish();
    assert_eq!((counts.discarded, counts.lost), (1, 0));
    assert!((counts.loss() - 0.01).abs() < 1e-9);
}

// A clock that is 100 ppm slow drifts by 60 ms in ten minutes; nothing may be discarded for that.
#[test]
fn drifting_clocks_discard_nothing() {
    let mut receiver = Receiver::new(8_000);
    let start = Instant::now();
    for number in 0..60_000_u32 {
        let arrived = start + Duration::from_micros(20_002) * number;
        receiver.receive(arrived, &header(number), true);
    }
    assert_eq!(receiver.finish().discarded, 0);
}

#[test]
fn random_loss_is_measured_as_it_was_injected() {
    let mut rng = StdRng::seed_from_u64(11);
    let mut injected = 0;
    let kept: Vec<u32> = (0..50_000)
        .filter(|number| {
            let lost = *number > 0 && *number < 49_999 && rng.random_bool(0.05);
            injected += u64::from(lost);
            !lost
        })
        .collect();
    let counts = receive(kept).finish();
    assert_eq!(counts.lost, injected);
    assert!((counts.burst_ratio - 1.0).abs() < 0.05, "{}", counts.burst_ratio);
}

// 65,536 cycles and more: two weeks of a call, or seconds of somebody who counts in large steps.
#[test]
fn large_steps_overflow_nothing() {
    let mut receiver = Receiver::new(8_000);
    let start = Instant::now();
    for number in 0..1_500_000_u32 {
        receiver.receive(start, &header(number.wrapping_mul(2_999)), false);
    }
    assert!(receiver.report().is_some());
    let counts = receiver.finish();
    assert_eq!(counts.expected, 1_499_999 * 2_999 + 1);
    assert_eq!(counts.lost, counts.expected - 1_500_000);
}

#[test]
fn a_pause_that_the_timestamps_leave_out_is_no_delay() {
    let mut receiver = Receiver::new(8_000);
    let start = Instant::now();
    for number in 0..200_u32 {
        let pause = Duration::from_secs(if number < 100 { 0 } else { 10 });
        let arrived = start + Duration::from_millis(20) * number + pause;
        assert_eq!(receiver.receive(arrived, &header(number), true), PacketArrival::InTime);
    }
    let counts = receiver.finish();
    assert_eq!((counts.discarded, counts.max_jitter), (0, Duration::ZERO));
}
