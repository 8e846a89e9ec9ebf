use proptest::prelude::*;

use super::*;

const SSRC: u32 = 0x1234_5678;
const BLOCK: ReportBlock = ReportBlock {
    ssrc: 0x9abc_def0,
    fraction_lost: 26,
    cumulative_lost: -3,
    highest_sequence: 0x0001_ffff,
    jitter: 51,
    last_sr: 0xb705_2000,
    delay_since_last_sr: 0x0005_4000,
};
const SENDER: SenderReport = SenderReport {
    ntp: NtpTime(0xb44d_b705_2000_0000),
    rtp_timestamp: 160,
    packets: 5,
    octets: 800,
};

fn report(blocks: &[ReportBlock], cname: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_report(&mut out, SSRC, Some(&SENDER), blocks, cname);
    out
}

/// What [`Packet`] says, with its iterators read out.
fn reports(bytes: &[u8]) -> Vec<(u32, Option<SenderReport>, Vec<ReportBlock>)> {
    let packets = parse(bytes).unwrap();
    let reports = packets.filter_map(|packet| match packet {
        Packet::Report { ssrc, sender, blocks } => Some((ssrc, sender, blocks.collect())),
        _ => None,
    });
    reports.collect()
}

/// The example of RFC 3550 §6.4.1, figure 2.
#[test]
fn round_trip_of_the_standard_is_six_seconds_and_an_eighth() {
    let now = NtpTime(0xb44d_b710_8000_0000);
    assert_eq!(now.middle(), 0xb710_8000);
    assert_eq!(BLOCK.round_trip(now), Some(Duration::from_millis(6_125)));
}

#[test]
fn impossible_round_trips_are_nothing() {
    let now = NtpTime(0xb44d_b710_8000_0000);
    assert_eq!(ReportBlock { last_sr: 0, ..BLOCK }.round_trip(now), None);
    let waited_longer = ReportBlock { delay_since_last_sr: 0x000c_0000, ..BLOCK };
    assert_eq!(waited_longer.round_trip(now), None);
    let two_minutes = ReportBlock { last_sr: 0xb690_0000, ..BLOCK };
    assert_eq!(two_minutes.round_trip(now), None);
    // The middle bits wrap: a report of 0xffff:0000 echoed two seconds later.
    let wrapped = ReportBlock { last_sr: 0xffff_0000, delay_since_last_sr: 0x8000, ..BLOCK };
    assert_eq!(wrapped.round_trip(NtpTime(0x1_0001_0000_0000)), Some(Duration::from_millis(1_500)));
}

/// NTP counts "in seconds relative to 0h UTC on 1 January 1900" — RFC 3550 §4.
#[test]
fn unix_time_becomes_ntp_time() {
    assert_eq!(NtpTime::from_unix(Duration::ZERO), NtpTime(0x83aa_7e80_0000_0000));
    let half = Duration::new(1, 500_000_000);
    assert_eq!(NtpTime::from_unix(half), NtpTime(0x83aa_7e81_8000_0000));
    // The era ends on 7 February 2036 at 06:28:16 UTC.
    assert_eq!(NtpTime::from_unix(Duration::from_secs(2_085_978_496)), NtpTime(0));
}

/// The layout of RFC 3550 §6.4.1 and §6.5, octet by octet.
#[test]
fn compound_has_the_octets_of_the_standard() {
    let expected = [
        0x81, 200, 0, 12, 0x12, 0x34, 0x56, 0x78, // one block, 13 words
        0xb4, 0x4d, 0xb7, 0x05, 0x20, 0, 0, 0, // NTP
        0, 0, 0, 160, 0, 0, 0, 5, 0, 0, 3, 0x20, // RTP timestamp, packets, octets
        0x9a, 0xbc, 0xde, 0xf0, 26, 0xff, 0xff, 0xfd, // source, fraction, -3 in 24 bits
        0, 1, 0xff, 0xff, 0, 0, 0, 51, 0xb7, 0x05, 0x20, 0, 0, 5, 0x40, 0, //
        0x81, 202, 0, 3, 0x12, 0x34, 0x56, 0x78, 1, 3, b'a', b'@', b'b', 0, 0, 0, // CNAME a@b
        0x81, 203, 0, 3, 0x12, 0x34, 0x56, 0x78, 4, b'd', b'o', b'n', b'e', 0, 0, 0, // BYE
    ];
    let mut out = report(&[BLOCK], "a@b");
    write_bye(&mut out, SSRC, "done");
    assert_eq!(out, expected);
    let read: Vec<_> = parse(&out).unwrap().collect();
    assert_eq!(read.len(), 3);
    assert_eq!(reports(&out), [(SSRC, Some(SENDER), vec![BLOCK])]);
    assert_eq!(read[1], Packet::Description { ssrc: SSRC, cname: Some("a@b") });
    let Packet::Bye { ssrcs, reason } = &read[2] else { panic!("{:?}", read[2]) };
    assert_eq!(ssrcs.clone().collect::<Vec<_>>(), [SSRC]);
    assert_eq!(*reason, Some("done"));
}

/// "The list of items in each chunk MUST be terminated by one or more null octets" — RFC 3550 §6.5.
#[test]
fn name_of_every_length_is_read_back() {
    for length in 0..=255 {
        let name = "n".repeat(length);
        let mut out = Vec::new();
        write_report(&mut out, SSRC, None, &[], &name);
        write_bye(&mut out, SSRC, "");
        assert_eq!(out.len() % 4, 0);
        assert_eq!(out[out.len() - 8 - 1], 0, "no null octet after a name of {length}");
        let read: Vec<_> = parse(&out).unwrap().collect();
        assert_eq!(read[1], Packet::Description { ssrc: SSRC, cname: Some(&name) });
        assert!(matches!(read[2], Packet::Bye { reason: None, .. }));
    }
}

#[test]
fn long_name_is_cut_between_characters() {
    let name = "ä".repeat(200);
    let out = report(&[], &name);
    let read: Vec<_> = parse(&out).unwrap().collect();
    assert_eq!(read[1], Packet::Description { ssrc: SSRC, cname: Some(&name[..254]) });
}

/// "If the number of sources … exceeds 31, …, then additional RR packets SHOULD follow" — RFC 3550 §6.1.
#[test]
fn more_than_thirty_one_blocks_go_on_in_a_receiver_report() {
    let blocks: Vec<_> = (0..70).map(|ssrc| ReportBlock { ssrc, ..BLOCK }).collect();
    let read = reports(&report(&blocks, "a"));
    let lengths: Vec<_> =
        read.iter().map(|(_, sender, blocks)| (sender.is_some(), blocks.len())).collect();
    assert_eq!(lengths, [(true, 31), (false, 31), (false, 8)]);
    assert_eq!(read.into_iter().flat_map(|(_, _, blocks)| blocks).collect::<Vec<_>>(), blocks);
}

/// "clamped at 0x7fffff for positive loss or 0x800000 for negative loss rather than wrapping" — RFC 3550 A.3.
#[test]
fn lost_packets_are_clamped_to_24_bits() {
    for (lost, written) in [(i32::MAX, 0x7f_ffff), (i32::MIN, -0x80_0000), (-1, -1), (7, 7)] {
        let read = reports(&report(&[ReportBlock { cumulative_lost: lost, ..BLOCK }], "a"));
        assert_eq!(read[0].2[0].cumulative_lost, written);
    }
}

/// The checks of RFC 3550 A.2, one by one.
#[test]
fn malformed_compounds_are_refused() {
    let good = report(&[BLOCK], "a@b");
    let broken = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        parse(&bytes).map(|_| ()).unwrap_err()
    };
    let description = 52;
    assert_eq!(broken(0, 0x41), Malformed::Version(1));
    assert_eq!(broken(0, 0xa1), Malformed::FirstPadded);
    assert_eq!(broken(1, 202), Malformed::NotReport(202));
    assert_eq!(broken(0, 0x82), Malformed::Content(200));
    assert_eq!(broken(3, 13), Malformed::Version(0));
    assert_eq!(broken(description + 3, 4), Malformed::Truncated);
    assert_eq!(broken(description + 3, 2), Malformed::Content(202));
    assert_eq!(broken(description, 0x41), Malformed::Version(1));
    assert_eq!(broken(description, 0xa1), Malformed::Padding(0));
    assert_eq!(broken(description, 0x82), Malformed::Content(202));
    assert_eq!(broken(description + 9, 200), Malformed::Content(202));
    for length in 0..good.len() {
        // Without its description it is still a compound of this parser.
        assert_eq!(parse(&good[..length]).is_ok(), length == description, "{length}");
    }
}

/// Padding counts itself, is a multiple of four, and never stands in the first packet — RFC 3550 §6.4.1, A.2.
#[test]
fn padding_of_the_last_packet_is_removed() {
    let mut out = report(&[], "a");
    out.extend([0xa0 | 1, 203, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4]);
    let last = parse(&out).unwrap().last().unwrap();
    let Packet::Bye { mut ssrcs, reason: None } = last else { panic!("{last:?}") };
    assert_eq!((ssrcs.next(), ssrcs.next()), (Some(9), None));
    *out.last_mut().unwrap() = 12;
    assert_eq!(parse(&out).unwrap_err(), Malformed::Padding(12));
    *out.last_mut().unwrap() = 3;
    assert_eq!(parse(&out).unwrap_err(), Malformed::Padding(3));
}

/// "Each chunk starts on a 32-bit boundary" — RFC 3550 §6.5.
#[test]
fn every_chunk_of_a_description_is_read() {
    let mut out = Vec::new();
    write_report(&mut out, SSRC, None, &[], "first");
    // Nobody, then two chunks: a tool and a name that is not UTF-8; a name without a null octet.
    out.extend([0x80, 202, 0, 0, 0x82, 202, 0, 6, 0, 0, 0, 1, 6, 1, b't', 1, 1, 0xff, 0, 0]);
    out.extend([0, 0, 0, 2, 1, 2, b'm', b'x', 0x80, 204, 0, 0]);
    // The length of the second packet counts its body: two chunks of 12 and 8 octets and no more.
    let second = out.len() - 4 - 20 - 4;
    out[second + 3] = 5;
    let read: Vec<_> = parse(&out).unwrap().skip(2).collect();
    let expected = [
        Packet::Description { ssrc: 1, cname: None },
        Packet::Description { ssrc: 2, cname: Some("mx") },
        Packet::Other { packet_type: 204 },
    ];
    assert_eq!(read, expected);
}

/// Types 192 to 223 are what RTP with a marker and a payload type of 64 to 95 would be — RFC 5761 §4.
#[test]
fn rtcp_is_told_from_rtp_by_its_second_octet() {
    assert!(is_rtcp(&report(&[], "a")));
    for (second, expected) in
        [(191, false), (192, true), (223, true), (224, false), (0x80 | 8, false)]
    {
        assert_eq!(is_rtcp(&[0x80, second, 0, 0]), expected, "{second}");
    }
    assert!(!is_rtcp(&[0x40, 200]));
    assert!(!is_rtcp(&[0x80]));
}

prop_compose! {
    fn any_block()(
        ssrc: u32, fraction_lost: u8, cumulative_lost in -0x80_0000..0x80_0000_i32,
        highest_sequence: u32, jitter: u32, last_sr: u32, delay_since_last_sr: u32,
    ) -> ReportBlock {
        ReportBlock {
            ssrc, fraction_lost, cumulative_lost, highest_sequence, jitter, last_sr, delay_since_last_sr,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        ssrc: u32, ntp: u64, rtp_timestamp: u32, packets: u32, octets: u32,
        blocks in prop::collection::vec(any_block(), 0..31), name in "\\PC{0,60}", reason in "\\PC{1,60}",
    ) {
        let sender = SenderReport { ntp: NtpTime(ntp), rtp_timestamp, packets, octets };
        let mut out = Vec::new();
        write_report(&mut out, ssrc, Some(&sender), &blocks, &name);
        write_bye(&mut out, ssrc, &reason);
        prop_assert!(is_rtcp(&out));
        prop_assert_eq!(reports(&out), [(ssrc, Some(sender), blocks)]);
        let read: Vec<_> = parse(&out).unwrap().collect();
        prop_assert_eq!(&read[1], &Packet::Description { ssrc, cname: Some(&name) });
        let Packet::Bye { reason: read, .. } = &read[2] else { panic!("{read:?}") };
        prop_assert_eq!(*read, Some(&*reason));
    }

    #[test]
    fn no_octets_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = is_rtcp(&bytes);
        if let Ok(packets) = parse(&bytes) {
            prop_assert!(packets.count() <= bytes.len());
        }
    }

    /// Random octets rarely pass the first check: these are nearly right.
    #[test]
    fn no_damage_to_a_compound_panics(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let mut bytes = report(&[BLOCK; 3], "someone@example.org");
        write_bye(&mut bytes, SSRC, "tired");
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(packets) = parse(bytes) {
                let mut counted = 0;
                for packet in packets {
                    counted += match packet {
                        Packet::Report { blocks, .. } => 1 + blocks.count(),
                        Packet::Bye { ssrcs, .. } => 1 + ssrcs.count(),
                        Packet::Description { .. } | Packet::Other { .. } => 1,
                    };
                }
                prop_assert!((1..=bytes.len()).contains(&counted));
            }
        }
    }
}
