//! What a bad line does to three seconds of speech, as a capture file that SIPp plays.

use media::Law;

use crate::sound;

/// Packets of 20 ms that were sent.
const SENT: u16 = 150;

/// Sequence numbers of those that did not come through: alone, in pairs, and in a longer run.
const LOST: [u16; 9] = [11, 30, 31, 55, 80, 81, 82, 83, 120];

/// How many are missing.
pub(crate) const MISSING: u64 = LOST.len() as u64;

/// How many come.
pub(crate) const LEFT: u64 = SENT as u64 - MISSING;

/// By how many milliseconds three packets of every 25 are late. The first of them is overtaken; and so short a
/// disturbance shows how fast a measure of jitter follows.
const DELAYS: [u32; 3] = [25, 2, 18];

/// The packets as they come out of the line.
pub(crate) fn capture() -> Vec<u8> {
    let arrival = |number: u16| {
        let delay = DELAYS.get(usize::from((number + 5) % 25)).unwrap_or(&0);
        20_000 * u32::from(number) + 1_000 * delay
    };
    let mut left: Vec<u16> = (0..SENT).filter(|number| !LOST.contains(number)).collect();
    left.sort_by_key(|number| arrival(*number));
    let speech: Vec<u8> = sound::tone(425.0, 3).into_iter().map(|one| Law::A.encode(one)).collect();

    // pcap 2.4: magic number, version, time zone, accuracy, longest packet, Ethernet.
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    file.extend([0, 0, 65_535, 1].into_iter().flat_map(u32::to_le_bytes));
    for number in left {
        let at = 160 * usize::from(number);
        let frame = frame(number, &speech[at..at + 160]);
        let (time, length) = (arrival(number), frame.len() as u32);
        for word in [1 + time / 1_000_000, time % 1_000_000, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

/// Ethernet, IPv4, UDP and RTP with A-law. SIPp puts addresses and ports of its own in place of these.
fn frame(number: u16, sound: &[u8]) -> Vec<u8> {
    const RTP: u16 = 12;
    let datagram = 8 + RTP + sound.len() as u16;
    let mut frame = vec![0; 12];
    frame.extend([0x08, 0x00]);
    frame.extend([0x45, 0]);
    frame.extend((20 + datagram).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend([127, 0, 0, 1, 127, 0, 0, 1]);
    frame.extend([6_000, 6_000, datagram, 0].into_iter().flat_map(u16::to_be_bytes));
    // Version 2; the first packet has the marker (RFC 3551 §4.1).
    frame.extend([0x80, if number == 0 { 0x88 } else { 0x08 }]);
    // Both wrap on the way (RFC 3550 A.1).
    frame.extend(65_500_u16.wrapping_add(number).to_be_bytes());
    frame.extend((u32::MAX - 8_000).wrapping_add(160 * u32::from(number)).to_be_bytes());
    frame.extend(0x1234_5678_u32.to_be_bytes());
    frame.extend(sound);
    frame
}
