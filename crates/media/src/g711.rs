//! G.711, the two companding laws of telephony — ITU-T G.711.
//!
//! One octet is a sign, three bits of segment and four of step. Linear samples have 16 bits, of which A-law
//! uses the upper 13 and µ-law the upper 14.

/// A companding law: µ in North America and Japan, A elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Law {
    A,
    Mu,
}

/// Every code of A-law as a linear sample.
static A_DECODED: [i16; 256] = decoded(Law::A);
/// Every code of µ-law as a linear sample.
static MU_DECODED: [i16; 256] = decoded(Law::Mu);

/// On the wire A-law codes have every second bit inverted, against long runs of zeros (G.711 table 1a).
const A_INVERTED: u8 = 0x55;
/// What µ-law adds to a magnitude, so that each segment begins at a power of two: 33 in 14 bits.
const MU_BIAS: u32 = 33 << 2;
/// The largest magnitude that µ-law can tell: 8159 in 14 bits, less the one that would overflow.
const MU_LIMIT: u32 = (8159 << 2) - 1;

impl Law {
    /// The static RTP payload type (RFC 3551 §6).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::A => 8,
            Self::Mu => 0,
        }
    }

    /// Compresses a linear sample.
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Self::A => encode_a(sample),
            Self::Mu => encode_mu(sample),
        }
    }

    /// Expands a code to the middle of its quantising interval.
    pub fn decode(self, code: u8) -> i16 {
        let table = match self {
            Self::A => &A_DECODED,
            Self::Mu => &MU_DECODED,
        };
        table[usize::from(code)]
    }

    /// The code of the sample zero.
    pub const fn silence(self) -> u8 {
        self.encode(0)
    }
}

const fn encode_a(sample: i16) -> u8 {
    // The negative intervals mirror the positive ones around −½, hence the complement.
    let (sign, magnitude) = if sample < 0 { (0, !sample) } else { (0x80, sample) };
    // In units of the smallest step; the two lowest segments share that step.
    let magnitude = (magnitude >> 4) as u32;
    let (segment, shift) = match magnitude.checked_ilog2() {
        Some(top) if top >= 4 => (top - 3, top - 4),
        _ => (0, 0),
    };
    (sign | (segment << 4) as u8 | (magnitude >> shift & 0xf) as u8) ^ A_INVERTED
}

const fn encode_mu(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs() as u32;
    let magnitude = if magnitude > MU_LIMIT { MU_LIMIT } else { magnitude } + MU_BIAS;
    // The bias makes the top bit at least the eighth.
    let segment = magnitude.ilog2() - 7;
    !(sign | (segment << 4) as u8 | (magnitude >> (segment + 3) & 0xf) as u8)
}

const fn decoded(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = match law {
            Law::A => decode_a(code as u8),
            Law::Mu => decode_mu(code as u8),
        };
        code += 1;
    }
    table
}

const fn decode_a(code: u8) -> i16 {
    let code = code ^ A_INVERTED;
    let (segment, step) = (code >> 4 & 7, (code & 0xf) as i16);
    // The half step takes the middle of the interval.
    let magnitude = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

const fn decode_mu(code: u8) -> i16 {
    let code = !code;
    let (segment, step) = (code >> 4 & 7, (code & 0xf) as i32);
    let magnitude = (((step << 3) + MU_BIAS as i32) << segment) - MU_BIAS as i32;
    (if code & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [Law; 2] = [Law::A, Law::Mu];

    /// Power in dB of a repeated sequence against a sine of the amplitude `full_scale`.
    fn level(law: Law, codes: [u8; 8], full_scale: f64) -> f64 {
        let sum: f64 = codes.iter().map(|&code| f64::from(law.decode(code)).powi(2)).sum();
        10.0 * (sum / 8.0 / (full_scale.powi(2) / 2.0)).log10()
    }

    #[test]
    fn published_codes_have_their_values() {
        assert_eq!(Law::Mu.decode(0x80), 32_124);
        assert_eq!(Law::Mu.decode(0x00), -32_124);
        assert_eq!(Law::Mu.decode(0xff), 0);
        assert_eq!(Law::A.decode(0xaa), 32_256);
        assert_eq!(Law::A.decode(0x2a), -32_256);
        assert_eq!(Law::A.decode(0xd5), 8);
        assert_eq!(Law::A.decode(0x55), -8);
        assert_eq!((Law::A.silence(), Law::Mu.silence()), (0xd5, 0xff));
        assert_eq!((Law::A.payload_type(), Law::Mu.payload_type()), (8, 0));
    }

    #[test]
    fn every_code_survives_the_linear_form() {
        for law in LAWS {
            for code in 0..=255 {
                // µ-law's negative zero is linear zero, whose code is the positive one.
                let expected = if (law, code) == (Law::Mu, 0x7f) { 0xff } else { code };
                assert_eq!(law.encode(law.decode(code)), expected, "{law:?} {code:#x}");
            }
        }
    }

    /// The sequences of tables 5 and 6 are 1 kHz at 0 dBm0; the theoretical load capacity is +3.14 dBm0 for
    /// A-law and +3.17 dBm0 for µ-law — G.711 §4.
    #[test]
    fn digital_milliwatt_is_below_full_scale_as_published() {
        let a = [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4];
        let mu = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e];
        // The virtual decision values: 4096 in 13 bits, 8159 in 14 bits.
        assert_eq!(format!("{:.2}", level(Law::A, a, 4096.0 * 8.0)), "-3.14");
        assert_eq!(format!("{:.2}", level(Law::Mu, mu, 8159.0 * 4.0)), "-3.17");
    }

    #[test]
    fn every_sample_comes_back_within_half_a_step() {
        for law in LAWS {
            let mut last = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let decoded = law.decode(law.encode(sample));
                assert!(decoded >= last, "{law:?} falls at {sample}");
                last = decoded;
                let magnitude = f64::from(sample.unsigned_abs());
                // The smallest steps are 16 and 8, and a step is never more than 1/16 of the magnitude.
                let half_step = match law {
                    Law::A => f64::max(8.0, magnitude / 32.0),
                    Law::Mu => f64::max(4.0, (magnitude + 132.0) / 32.0),
                };
                let clipped = magnitude > 32_635.0 && law == Law::Mu;
                let error = (f64::from(decoded) - f64::from(sample)).abs();
                assert!(error <= half_step || clipped, "{law:?} {sample} → {decoded}");
            }
        }
    }
}
