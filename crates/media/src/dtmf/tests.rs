use proptest::prelude::*;

use super::*;

const fn packet(step: Step) -> Option<EventPacket> {
    match step {
        Step::Event(packet) => Some(packet),
        Step::Pause => None,
    }
}

const PTIME: u32 = 160;

/// Every step of a sequence whose stream is at `start`.
fn steps(mut sequence: DigitSequence, start: u32) -> Vec<Step> {
    let timestamps = (0..).map(|packet: u32| start.wrapping_add(packet * PTIME));
    timestamps.map_while(|timestamp| sequence.next_packet(timestamp)).collect()
}

fn packets(digits: &str, start: u32) -> Vec<EventPacket> {
    steps(DigitSequence::new(digits, PTIME).unwrap(), start)
        .into_iter()
        .filter_map(packet)
        .collect()
}

fn decoded(packets: impl IntoIterator<Item = EventPacket>) -> String {
    let mut decoder = Decoder::default();
    let mut told = 0;
    for packet in packets {
        told += usize::from(
            decoder.receive(packet.timestamp, packet.marker, &packet.payload).is_some(),
        );
    }
    let digits: String = decoder.digits().collect();
    assert_eq!(told, digits.len());
    digits
}

fn is_end(packet: &EventPacket) -> bool {
    TelephoneEvent::parse(&packet.payload).unwrap().end
}

/// The layout of RFC 4733 §2.3.
#[test]
fn payload_has_the_octets_of_the_standard() {
    let event = TelephoneEvent { event: 11, end: true, volume: 10, duration: 0x0320 };
    assert_eq!(event.write(), [11, 0x8a, 0x03, 0x20]);
    assert_eq!(TelephoneEvent::parse(&[11, 0x8a, 0x03, 0x20]), Some(event));
    // The reserved bit is ignored, as is what follows.
    let more = TelephoneEvent { end: false, ..event };
    assert_eq!(TelephoneEvent::parse(&[11, 0x4a, 0x03, 0x20, 0xff]), Some(more));
    assert_eq!(TelephoneEvent::parse(&[11, 0x8a, 0x03]), None);
    assert_eq!(TelephoneEvent { volume: 200, ..event }.write()[1], 0xbf);
}

/// The codes of RFC 4733 §3.2.
#[test]
fn digits_have_their_codes() {
    for (code, key) in "0123456789*#ABCD".chars().enumerate() {
        assert_eq!(event_of(key), Some(code as u8));
        assert_eq!(digit(code as u8), Some(key));
    }
    assert_eq!(event_of('d'), Some(15));
    assert_eq!(event_of('E'), None);
    // A hook flash is an event, but no digit.
    assert_eq!(digit(16), None);
    assert_eq!(DigitSequence::new("12,3", PTIME).unwrap_err(), NotADigit(','));
}

/// One timestamp for the whole event, the marker on its first packet, the last packet three times —
/// RFC 4733 §2.5.1.2 to §2.5.1.4.
#[test]
fn digit_is_seven_packets_of_one_timestamp() {
    let start = u32::MAX - 200;
    let sent = packets("5", start);
    let durations = [160, 320, 480, 640, 800, 800, 800];
    let expected = (0..7).map(|index| EventPacket {
        payload: TelephoneEvent {
            event: 5,
            end: index >= 4,
            volume: 10,
            duration: durations[index],
        }
        .write(),
        timestamp: start,
        marker: index == 0,
    });
    assert_eq!(sent, expected.collect::<Vec<_>>());
}

#[test]
fn two_digits_are_apart_by_at_least_forty_milliseconds() {
    let steps = steps(DigitSequence::new("55", PTIME).unwrap(), 0);
    let packets = steps.iter().copied().filter_map(packet);
    let starts: Vec<_> = packets.filter(|packet| packet.marker).collect();
    let [first, second] = starts[..] else { panic!("{starts:?}") };
    assert!(second.timestamp - (first.timestamp + 800) >= 320, "{starts:?}");
    // 140 ms of packets and 40 ms of audio, then 140 ms of packets: nothing after the last digit.
    assert_eq!(steps.len(), 7 + 2 + 7);
    assert_eq!(steps[7..9], [Step::Pause; 2]);
}

#[test]
fn sequence_is_over_after_its_last_packet() {
    let mut sequence = DigitSequence::new("5", PTIME).unwrap();
    for packet in 0..7 {
        assert!(!sequence.is_over());
        assert!(sequence.next_packet(packet * PTIME).is_some());
    }
    assert!(sequence.is_over());
    assert_eq!(sequence.next_packet(7 * PTIME), None);
    assert!(DigitSequence::new("", PTIME).unwrap().is_over());
}

#[test]
fn duration_need_not_be_a_multiple_of_the_packet_time() {
    let sequence = DigitSequence::new("1", 240).unwrap().with_duration(Duration::from_millis(70));
    let mut sequence = sequence;
    let durations: Vec<_> = (0..)
        .map_while(|packet| sequence.next_packet(packet * 240))
        .filter_map(packet)
        .map(|packet| TelephoneEvent::parse(&packet.payload).unwrap().duration)
        .collect();
    assert_eq!(durations, [240, 480, 560, 560, 560]);
}

#[test]
fn endless_digit_is_as_long_as_one_event_can_say() {
    let sequence = DigitSequence::new("1", PTIME).unwrap().with_duration(Duration::MAX);
    let last = steps(sequence, 0).pop().and_then(packet).unwrap();
    assert_eq!(TelephoneEvent::parse(&last.payload).unwrap().duration, 0xffff);
}

#[test]
fn digits_are_heard_once_each() {
    assert_eq!(decoded(packets("911", 0)), "911");
    assert_eq!(decoded(packets("*42#ABCD", u32::MAX - 5_000)), "*42#ABCD");
}

#[test]
fn digit_without_its_end_counts() {
    let sent = packets("77", 0).into_iter().filter(|packet| !is_end(packet));
    assert_eq!(decoded(sent), "77");
}

#[test]
fn digit_of_which_one_end_came_counts() {
    let sent = packets("77", 0).into_iter().filter(is_end).step_by(3);
    assert_eq!(decoded(sent), "77");
}

#[test]
fn late_digit_takes_its_place() {
    let mut sent = packets("123", 0);
    // All of the second digit after all of the third.
    sent[7..].rotate_left(7);
    assert_eq!(decoded(sent), "123");
}

#[test]
fn other_events_are_no_digits() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.receive(0, false, &[16, 0, 0, 160]), None);
    assert_eq!(decoder.receive(0, false, &[1, 0]), None);
    assert_eq!(decoder.receive(0, false, &[1, 0, 0, 160]), Some('1'));
    assert_eq!(decoder.receive(0, false, &[2, 0, 0, 160]), None);
}

/// A peer that sends digits without end costs no memory, and an old one is not heard twice.
#[test]
fn sixty_four_digits_are_kept() {
    let mut decoder = Decoder::default();
    for number in 0..100_000_u32 {
        let event = (number % 10) as u8;
        assert_eq!(decoder.receive(number * 10, false, &[event, 0, 0, 1]), digit(event));
        assert!(decoder.digits.len() <= MOST_DIGITS);
    }
    assert_eq!(decoder.receive(0, false, &[0, 0, 0, 1]), None);
    assert_eq!(decoder.digits().collect::<String>(), "6789".to_owned() + &"0123456789".repeat(6));
}

/// The packets of a key that is held for `length` units from `start`, in segments of `segment` (RFC 4733 §2.5.1.3).
fn held(event: u8, start: u32, length: u32, segment: u32) -> Vec<EventPacket> {
    let mut packets = Vec::new();
    for time in (PTIME..=length).step_by(PTIME as usize) {
        let begin = (time - 1) / segment * segment;
        // The packet in which a segment ends is the last report of it as well.
        let end = time == length;
        let payload =
            TelephoneEvent { event, end, volume: 10, duration: (time - begin) as u16 }.write();
        let timestamp = start.wrapping_add(begin);
        packets.push(EventPacket { payload, timestamp, marker: time == PTIME });
    }
    packets
}

/// §2.5.1.3: "the event duration ... exceeds the maximum expressible": one digit, whatever is lost of it.
#[test]
fn a_key_that_is_held_for_long_is_one_digit() {
    // Half a minute: four segments.
    for (start, segment) in [(0, 0xffa0), (u32::MAX - 100_000, 65_440), (9, 0xff00)] {
        let sent = held(5, start, 240_000, segment);
        assert!(sent.iter().any(|packet| packet.timestamp != start));
        assert_eq!(decoded(sent.iter().copied()), "5");
        // The last reports of each segment are lost.
        let cut = sent.iter().filter(|packet| {
            u32::from(TelephoneEvent::parse(&packet.payload).unwrap().duration) + 800 < segment
        });
        assert_eq!(decoded(cut.copied()), "5");
        let mut late = sent.clone();
        late.rotate_left(500);
        assert_eq!(decoded(late), "5");
        // The same key again, and another one.
        let next = start.wrapping_add(240_000 + 640);
        let more = held(5, next, 800, segment).into_iter().chain(held(
            6,
            next.wrapping_add(1_600),
            800,
            segment,
        ));
        assert_eq!(decoded(sent.into_iter().chain(more)), "556");
    }
}

/// A key that is pressed again is another digit, though its end was lost.
#[test]
fn a_key_that_is_pressed_again_after_eight_seconds_is_another_digit() {
    let first = held(5, 0, 0xfa00, 0xffa0).into_iter().filter(|packet| !is_end(packet));
    let second = held(5, 0xfb00, 800, 0xffa0);
    assert_eq!(decoded(first.chain(second)), "55");
}

#[test]
fn digits_by_info_are_read() {
    for (kind, body, digits) in [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
        ("Application/DTMF-Relay; x=y", "duration = 100\nsignal = * \n", "*"),
        ("application/dtmf-relay", "Signal=11\r\n", "#"),
        ("application/dtmf-relay", "Signal=d", "D"),
        ("application/dtmf-relay", "Signal=16", "16"),
        ("application/dtmf-relay", "5", ""),
        ("application/dtmf", " 5\r\n", "5"),
        ("application/dtmf", "10", "*"),
        ("application/dtmf", "Signal=7", "7"),
        ("application/dtmf", "", ""),
        ("application/dtmf", "\u{7}\u{ff}!", ""),
        ("text/plain", "5", ""),
    ] {
        assert_eq!(digits_of_info(kind, body.as_bytes()), digits, "{kind} {body:?}");
    }
    assert!(digits_of_info("application/dtmf", &[b'1'; 9_000]).len() <= MOST_DIGITS);
}

proptest! {
    /// Whatever is lost, repeated or overtaken: a digit of which one packet comes is heard, once.
    #[test]
    fn one_packet_of_each_digit_is_enough(
        digits in "[0-9*#A-D]{1,20}",
        start: u32,
        kept in prop::collection::vec(0..7_usize, 20),
        copies in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        order in Just(()).prop_perturb(|(), rng| rng),
    ) {
        let sent = packets(&digits, start);
        let mut received: Vec<_> =
            sent.chunks(7).zip(&kept).map(|(event, &kept)| event[kept]).collect();
        received.extend(copies.iter().map(|copy| *copy.get(&sent)));
        let mut order = order;
        for last in (1..received.len()).rev() {
            received.swap(last, order.random_range(0..=last));
        }
        prop_assert_eq!(decoded(received), digits);
    }

    #[test]
    fn no_payload_panics(
        received in prop::collection::vec((any::<u32>(), prop::collection::vec(any::<u8>(), 0..6)), 0..200),
    ) {
        let mut decoder = Decoder::default();
        for (timestamp, payload) in received {
            decoder.receive(timestamp, timestamp % 2 == 0, &payload);
        }
        prop_assert!(decoder.digits().count() <= MOST_DIGITS);
    }
}
