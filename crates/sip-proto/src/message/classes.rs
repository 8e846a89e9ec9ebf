//! Classes of bytes, and how far a run of them goes.

use wide::u8x16;

/// Bytes of `token`.
pub(crate) const TOKEN: u8 = 1;
/// Bytes of a host name, with the underscore that some peers have in theirs.
pub(crate) const HOST: u8 = 1 << 1;
/// Bytes of a `gen-value` without quotes: a token or a host. A host may be an IPv6 reference, and RFC 5118 §4.5 asks to
/// tolerate an IPv6 address without brackets.
pub(super) const VALUE: u8 = 1 << 2;
/// Bytes of a URI that are to be looked at: what may not stand in it, and what divides it.
pub(crate) const URI_MARK: u8 = 1 << 3;
/// All others.
pub(crate) const URI_PLAIN: u8 = 1 << 4;

/// Which of these a byte is. Looked up for every byte of every value, so a table.
const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() {
            table[at] = TOKEN | HOST | VALUE;
        }
        if byte <= b' ' || byte == 0x7f {
            table[at] = URI_MARK;
        }
        at += 1;
    }
    let groups: [(&[u8], u8); 4] =
        [(b"-.!%*_+`'~", TOKEN | VALUE), (b"-._", HOST), (b"[]:", VALUE), (b"<>\"%@", URI_MARK)];
    let mut group = 0;
    while group < groups.len() {
        let (bytes, class) = groups[group];
        let mut at = 0;
        while at < bytes.len() {
            table[bytes[at] as usize] |= class;
            at += 1;
        }
        group += 1;
    }
    let mut at = 0;
    while at < 256 {
        if table[at] & URI_MARK == 0 {
            table[at] |= URI_PLAIN;
        }
        at += 1;
    }
    table
};

#[inline]
pub(crate) const fn is_in(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// `token` of RFC 3261 §25.1.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    is_in(byte, TOKEN)
}

/// Where the run of bytes of `class` ends that begins at `at`.
#[inline]
pub(crate) fn run_end(bytes: &[u8], at: usize, class: u8) -> usize {
    let mut at = at;
    // Eight at a time, so that nothing is counted or compared between them.
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        for (ahead, byte) in eight.iter().enumerate() {
            if !is_in(*byte, class) {
                return at + ahead;
            }
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| is_in(*byte, class)) {
        at += 1;
    }
    at
}

/// The same of a run that is mostly long, and mostly of letters, digits, dots and dashes, which are of every class but that
/// of marks: sixteen of them at once.
#[inline]
pub(crate) fn long_run_end(bytes: &[u8], at: usize, class: u8) -> usize {
    let mut at = at;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        match others(u8x16::new(*chunk)) {
            0 => at += 16,
            others => {
                at += others.trailing_zeros() as usize;
                if !bytes.get(at).is_some_and(|byte| is_in(*byte, class)) {
                    return at;
                }
                at += 1;
            }
        }
    }
    run_end(bytes, at, class)
}

/// A bit for each byte that is no letter, digit, dot or dash.
#[inline]
fn others(chunk: u8x16) -> u32 {
    let is_within = |from: u8, count: u8, chunk: u8x16| {
        let ahead = chunk - u8x16::splat(from);
        ahead.min(u8x16::splat(count - 1)).simd_eq(ahead)
    };
    let letters = is_within(b'a', 26, chunk | u8x16::splat(0x20));
    let digits = is_within(b'0', 10, chunk);
    // They stand side by side.
    let marks = is_within(b'-', 2, chunk);
    !(letters | digits | marks).to_bitmask() & 0xffff
}

#[cfg(test)]
mod tests {
    use super::*;

    // Each byte in each place of a chunk and behind the last one.
    #[test]
    fn a_run_ends_before_the_first_byte_of_another_class() {
        for (at, byte) in (0..21).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
            let mut text = *b"aZ09.-zAmQ5-.xy8Aa1.-";
            text[at] = byte;
            for class in [TOKEN, HOST, VALUE, URI_PLAIN] {
                let wanted = if is_in(byte, class) { text.len() } else { at };
                for run_end in [run_end, long_run_end] {
                    assert_eq!(run_end(&text, 0, class), wanted, "{byte}");
                    assert_eq!(run_end(&text, at, class), wanted, "{byte}");
                }
            }
        }
        for run_end in [run_end, long_run_end] {
            assert_eq!((run_end(b"", 0, TOKEN), run_end(b"a", 2, TOKEN)), (0, 2));
        }
    }
}
