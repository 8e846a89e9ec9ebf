//! Making compounds — RFC 3550 §6.4 to §6.6.

use super::{
    CNAME, GOODBYE, MOST_BLOCKS, RECEIVER_REPORT, ReportBlock, SENDER_REPORT, SOURCE_DESCRIPTION,
    SenderReport,
};

/// Longest text of an SDES item or a BYE reason: its length is one octet.
const LONGEST_TEXT: usize = 255;
/// Limits of the 24-bit count of lost packets.
const LOST: (i32, i32) = (-0x80_0000, 0x7f_ffff);

/// Appends a compound of `ssrc`: SR, or RR without `sender`, then SDES with `cname` (RFC 3550 §6.1).
///
/// More than 31 blocks go on in further receiver reports; a `cname` beyond 255 octets is cut.
pub fn write_report(
    out: &mut Vec<u8>,
    ssrc: u32,
    sender: Option<&SenderReport>,
    blocks: &[ReportBlock],
    cname: &str,
) {
    let (first, rest) = blocks.split_at(blocks.len().min(MOST_BLOCKS));
    let packet_type = if sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    write_packet(out, packet_type, first.len(), |out| {
        out.extend(ssrc.to_be_bytes());
        if let Some(sender) = sender {
            out.extend(sender.ntp.0.to_be_bytes());
            for word in [sender.rtp_timestamp, sender.packets, sender.octets] {
                out.extend(word.to_be_bytes());
            }
        }
        first.iter().for_each(|block| write_block(out, block));
    });
    for more in rest.chunks(MOST_BLOCKS) {
        write_packet(out, RECEIVER_REPORT, more.len(), |out| {
            out.extend(ssrc.to_be_bytes());
            more.iter().for_each(|block| write_block(out, block));
        });
    }
    write_packet(out, SOURCE_DESCRIPTION, 1, |out| {
        out.extend(ssrc.to_be_bytes());
        out.push(CNAME);
        write_text(out, cname);
        // The null octet that ends the items; what follows it to the boundary is null too (§6.5).
        out.push(0);
    });
}

/// Appends a BYE of `ssrc` to the compound in `out`; an empty `reason` is left out (RFC 3550 §6.6).
pub fn write_bye(out: &mut Vec<u8>, ssrc: u32, reason: &str) {
    write_packet(out, GOODBYE, 1, |out| {
        out.extend(ssrc.to_be_bytes());
        if !reason.is_empty() {
            write_text(out, reason);
        }
    });
}

/// Writes the header around `body`, fills to a multiple of four octets with zeros and enters the length.
fn write_packet(out: &mut Vec<u8>, packet_type: u8, count: usize, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    // `count` is at most 31 in every caller.
    out.extend([2 << 6 | count as u8, packet_type, 0, 0]);
    body(out);
    let octets = (out.len() - start).next_multiple_of(4);
    out.resize(start + octets, 0);
    // At most 31 blocks of 24 octets: the count of words has room in 16 bits.
    let words = (octets / 4 - 1) as u16;
    if let Some(length) = out.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

fn write_block(out: &mut Vec<u8>, block: &ReportBlock) {
    let lost = block.cumulative_lost.clamp(LOST.0, LOST.1) as u32 & 0xff_ffff;
    for word in [
        block.ssrc,
        u32::from(block.fraction_lost) << 24 | lost,
        block.highest_sequence,
        block.jitter,
        block.last_sr,
        block.delay_since_last_sr,
    ] {
        out.extend(word.to_be_bytes());
    }
}

/// Writes the length and `text`, cut between characters.
fn write_text(out: &mut Vec<u8>, text: &str) {
    let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
    out.push(text.len() as u8);
    out.extend(text.as_bytes());
}
