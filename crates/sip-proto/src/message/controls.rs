//! Where the control characters of a message stand, its line ends among them.

use wide::u8x16;

/// The bytes below a space, one after the other: sixteen are looked at at once, and each once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Controls<'a> {
    bytes: &'a [u8],
    /// Where the bytes begin that have not been looked at.
    ahead: usize,
    /// Those among the sixteen before them that have not been told, a bit each.
    found: u32,
    /// What is to be told of the next sixteen.
    wanted: u32,
}

/// How many are looked at at once.
const LANES: usize = 16;

impl<'a> Controls<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, ahead: 0, found: 0, wanted: u32::MAX }
    }

    /// Passes over the next byte, which is such a one and follows the one that was told last.
    #[inline]
    pub(super) const fn pass(&mut self) {
        match self.found {
            0 => self.wanted = !1,
            found => self.found = found & (found - 1),
        }
    }
}

impl Iterator for Controls<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let rest = self.bytes.get(self.ahead..).filter(|rest| !rest.is_empty())?;
            let chunk = rest.first_chunk::<LANES>().copied().unwrap_or_else(|| padded(rest));
            let chunk = u8x16::new(chunk);
            self.found = chunk.min(u8x16::splat(0x1f)).simd_eq(chunk).to_bitmask() & self.wanted;
            self.wanted = u32::MAX;
            self.ahead += LANES;
        }
        let lane = self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(self.ahead - LANES + lane)
    }
}

/// The last bytes, and spaces behind them.
fn padded(rest: &[u8]) -> [u8; LANES] {
    let mut chunk = [b' '; LANES];
    for (to, from) in chunk.iter_mut().zip(rest) {
        *to = *from;
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_character_is_found_wherever_it_stands() {
        for length in 0..50 {
            let mut bytes = vec![b' '; length];
            assert_eq!(Controls::of(&bytes).next(), None);
            for at in 0..length {
                for byte in [0, 0x1f] {
                    bytes[at] = byte;
                    assert_eq!(Controls::of(&bytes).collect::<Vec<_>>(), [at]);
                }
                bytes[at] = 0xff;
            }
        }
        let text =
            b"\x20\x1f\x20\x20\x20\x20\x20\x20\x20\x1f\x20\x20\x20\x20\x20\x20\x0d\x0a\x20\x0d";
        assert_eq!(Controls::of(text).collect::<Vec<_>>(), [1, 9, 16, 17, 19]);
        for before in 0..20 {
            let text = [&b" ".repeat(before), "\r\n \r\n".as_bytes()].concat();
            let mut controls = Controls::of(&text);
            for end in [before, before + 3] {
                assert_eq!(controls.next(), Some(end));
                controls.pass();
            }
            assert_eq!(controls.next(), None);
        }
    }
}
