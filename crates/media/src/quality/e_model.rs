//! The E-model: from delay and loss to an opinion score — ITU-T G.107 (2015), narrow band.
//!
//! `R = Ro − Is − Id − Ie,eff + A`, where 93.2 is a perfect telephone line, 70 still satisfies most users and
//! below 50 nearly all are dissatisfied. Symbols and section numbers are those of the recommendation.

use std::time::Duration;

/// What a codec takes from the quality (G.113 Appendix I).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impairment {
    /// Equipment impairment factor Ie, without loss.
    pub ie: f64,
    /// Packet-loss robustness factor Bpl.
    pub bpl: f64,
}

impl Impairment {
    /// G.711 that plays silence for a lost packet (G.113 Appendix I).
    pub const G711: Self = Self { ie: 0.0, bpl: 4.3 };
    /// G.711 with the concealment of its Appendix I (G.113 Appendix I).
    pub const G711_CONCEALED: Self = Self { ie: 0.0, bpl: 25.1 };
    /// G.729A with voice activity detection, at 20 ms per packet (G.113 Appendix I).
    pub const G729A: Self = Self { ie: 11.0, bpl: 19.0 };
    /// G.722. An assumption: the narrow-band model has no value for a wide-band codec. It is taken for G.711
    /// without concealment, so its advantage is not seen.
    pub const G722_ASSUMED: Self = Self::G711;
    /// Opus. An assumption like that for G.722, with concealment, which every Opus decoder has.
    pub const OPUS_ASSUMED: Self = Self::G711_CONCEALED;
}

/// What one direction of a call went through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Connection {
    /// From mouth to ear; the T and the Ta of the model.
    pub one_way_delay: Duration,
    /// Around the four-wire loop: the Tr of the model.
    pub round_trip: Duration,
    /// Part of the packets that was not played, 0 to 1: Ppl.
    pub loss: f64,
    /// How much the losses come together, at least 1: BurstR.
    pub burst_ratio: f64,
    pub codec: Impairment,
}

/// What the recommendation presumes of telephones, rooms and lines (§7.7); levels in dB, dBm0p and dB(A).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Send loudness rating SLR.
    pub slr: f64,
    /// Receive loudness rating RLR.
    pub rlr: f64,
    /// Sidetone masking rating STMR.
    pub stmr: f64,
    /// D-value of the telephone at the sender, Ds.
    pub ds: f64,
    /// D-value of the telephone at the receiver, Dr.
    pub dr: f64,
    /// Talker echo loudness rating TELR.
    pub telr: f64,
    /// Weighted echo path loss WEPL.
    pub wepl: f64,
    /// Quantizing distortion units qdu.
    pub qdu: f64,
    /// Circuit noise Nc at the 0 dBr point, in dBm0p.
    pub nc: f64,
    /// Noise floor at the receiver Nfor, in dBmp.
    pub nfor: f64,
    /// Room noise at the sender Ps, in dB(A).
    pub ps: f64,
    /// Room noise at the receiver Pr, in dB(A).
    pub pr: f64,
    /// Advantage factor A: what users forgive for the convenience.
    pub advantage: f64,
    /// Delay sensitivity sT (§7.4).
    pub delay_sensitivity: f64,
    /// Minimum perceivable delay mT in milliseconds (§7.4).
    pub perceivable_delay: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            slr: 8.0,
            rlr: 2.0,
            stmr: 15.0,
            ds: 3.0,
            dr: 3.0,
            telr: 65.0,
            wepl: 110.0,
            qdu: 1.0,
            nc: -70.0,
            nfor: -64.0,
            ps: 35.0,
            pr: 35.0,
            advantage: 0.0,
            delay_sensitivity: 1.0,
            perceivable_delay: 100.0,
        }
    }
}

/// The transmission rating R with the default [`Parameters`]: at most 93.2, and negative when all is lost.
pub fn r_factor(connection: &Connection) -> f64 {
    Parameters::default().r_factor(connection)
}

/// The mean opinion score of a rating, 1 to 4.5 (Annex B).
pub fn mos(r: f64) -> f64 {
    // The cubic holds from 0 to 100 only, and up to 6.5 it falls below the worst score that there is.
    let r = r.clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
}

impl Parameters {
    /// The transmission rating R (§7.1).
    pub fn r_factor(&self, connection: &Connection) -> f64 {
        let delay = milliseconds(connection.one_way_delay);
        self.signal_to_noise()
            - self.simultaneous(delay)
            - self.delay(delay, milliseconds(connection.round_trip))
            - equipment(connection)
            + self.advantage
    }

    /// Basic signal-to-noise ratio Ro (§7.2).
    fn signal_to_noise(&self) -> f64 {
        15.0 - 1.5 * (self.slr + self.noise())
    }

    /// The sum of all noises No in dBm0p (§7.2).
    fn noise(&self) -> f64 {
        let olr = self.slr + self.rlr;
        let nos =
            self.ps - self.slr - self.ds - 100.0 + 0.004 * (self.ps - olr - self.ds - 14.0).powi(2);
        let lstr = self.stmr + self.dr;
        let pre = self.pr + decibels(1.0 + power((10.0 - lstr) / 10.0));
        let nor = self.rlr - 121.0 + pre + 0.008 * (pre - 35.0).powi(2);
        let nfo = self.nfor + self.rlr;
        decibels([self.nc, nos, nor, nfo].into_iter().map(|level| power(level / 10.0)).sum())
    }

    /// What impairs along with the voice: Is = Iolr + Ist + Iq (§7.3).
    fn simultaneous(&self, delay: f64) -> f64 {
        let xolr = self.slr + self.rlr + 0.2 * (64.0 + self.noise() - self.rlr);
        let iolr = 20.0 * (root(xolr / 8.0, 8.0) - xolr / 8.0);

        let q = 37.0 - 15.0 * self.qdu.log10();
        let g = 1.07 + 0.258 * q + 0.0602 * q * q;
        let y = (self.signal_to_noise() - 100.0) / 15.0 + 46.0 / 8.4 - g / 9.0;
        let z = 46.0 / 30.0 - g / 40.0;
        let iq = 15.0 * (1.0 + power(y) + power(z)).log10();

        iolr + self.sidetone(delay) + iq
    }

    /// Impairment by a sidetone that is not right: Ist (§7.3).
    fn sidetone(&self, delay: f64) -> f64 {
        let stmro =
            -decibels(power(-self.stmr / 10.0) + (-delay / 4.0).exp() * power(-self.telr / 10.0));
        12.0 * root((stmro - 13.0) / 6.0, 8.0)
            - 28.0 * root((stmro + 1.0) / 19.4, 35.0)
            - 13.0 * root((stmro - 3.0) / 33.0, 13.0)
            + 29.0
    }

    /// What comes later than the voice: Id = Idte + Idle + Idd (§7.4), of T and Tr in milliseconds.
    fn delay(&self, delay: f64, round_trip: f64) -> f64 {
        let ro = self.signal_to_noise();
        let rle = 10.5 * (self.wepl + 7.0) * (round_trip + 1.0).powf(-0.25);
        let idle = (ro - rle) / 2.0 + ((ro - rle).powi(2) / 4.0 + 169.0).sqrt();
        self.talker_echo(delay) + idle + self.pure_delay(delay)
    }

    /// Impairment by one's own echo, Idte, with its two cases for sidetones out of range (§7.4).
    fn talker_echo(&self, delay: f64) -> f64 {
        let mut terv = self.telr - 40.0 * ((1.0 + delay / 10.0) / (1.0 + delay / 150.0)).log10()
            + 6.0 * (-0.3 * delay * delay).exp();
        if self.stmr < 9.0 {
            terv += self.sidetone(delay) / 2.0;
        }
        let re = 80.0 + 2.5 * (terv - 14.0);
        let roe = -1.5 * (self.noise() - self.rlr);
        let difference = roe - re;
        let idte = (difference / 2.0 + (difference.powi(2) / 4.0 + 100.0).sqrt() - 1.0)
            * (1.0 - (-delay).exp());
        if self.stmr > 20.0 { idte.hypot(self.sidetone(delay)) } else { idte }
    }

    /// Impairment by delay alone, Idd: nothing up to mT (§7.4).
    fn pure_delay(&self, delay: f64) -> f64 {
        if delay <= self.perceivable_delay {
            return 0.0;
        }
        let x = (delay / self.perceivable_delay).log2();
        let exponent = 6.0 * self.delay_sensitivity;
        25.0 * (root(x, exponent) - 3.0 * root(x / 3.0, exponent) + 2.0)
    }
}

/// Impairment by the codec and what it loses: Ie,eff (§7.5), of Ppl in per cent.
fn equipment(Connection { loss, burst_ratio, codec, .. }: &Connection) -> f64 {
    let loss = loss.clamp(0.0, 1.0) * 100.0;
    codec.ie + (95.0 - codec.ie) * loss / (loss / burst_ratio.max(1.0) + codec.bpl)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn decibels(power: f64) -> f64 {
    10.0 * power.log10()
}

fn power(exponent: f64) -> f64 {
    10_f64.powf(exponent)
}

/// `(1 + x^n)^(1/n)`, the knee that the recommendation bends its curves with.
fn root(x: f64, n: f64) -> f64 {
    (1.0 + x.powf(n)).powf(n.recip())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERFECT: Connection = Connection {
        one_way_delay: Duration::ZERO,
        round_trip: Duration::ZERO,
        loss: 0.0,
        burst_ratio: 1.0,
        codec: Impairment::G711,
    };

    fn delayed(milliseconds: u64) -> Connection {
        let one_way_delay = Duration::from_millis(milliseconds);
        Connection { one_way_delay, round_trip: one_way_delay * 2, ..PERFECT }
    }

    /// As printed: one decimal of R, two of MOS.
    fn assert_rating(connection: &Connection, r: &str, score: &str) {
        let rating = r_factor(connection);
        assert_eq!(
            (format!("{rating:.1}"), format!("{:.2}", mos(rating))),
            (r.into(), score.into())
        );
    }

    /// All parameters at their default give R = 93.2 — G.107 §7.7.
    #[test]
    fn defaults_have_the_published_rating() {
        assert_eq!(format!("{:.2}", Parameters::default().signal_to_noise()), "94.77");
        assert_rating(&PERFECT, "93.2", "4.41");
    }

    /// G.107 Annex B, table B.1.
    #[test]
    fn ratings_have_their_scores() {
        for (r, score) in [
            (100.0, "4.50"),
            (120.0, "4.50"),
            (90.0, "4.34"),
            (80.0, "4.02"),
            (70.0, "3.60"),
            (60.0, "3.10"),
            (50.0, "2.58"),
            (0.0, "1.00"),
            (-30.0, "1.00"),
            (3.0, "1.00"),
        ] {
            assert_eq!(format!("{:.2}", mos(r)), score, "R {r}");
        }
    }

    #[test]
    fn delay_has_the_published_ratings() {
        assert_rating(&delayed(150), "89.5", "4.33");
        assert_rating(&delayed(300), "72.7", "3.72");
    }

    #[test]
    fn loss_has_the_published_ratings() {
        let lossy = Connection { loss: 0.01, ..PERFECT };
        assert_rating(&lossy, "75.3", "3.83");
        assert_rating(&Connection { codec: Impairment::G711_CONCEALED, ..lossy }, "89.6", "4.33");
        // 11 + 84 × 1 / (1 + 19) = 15.2 below the default.
        assert_rating(&Connection { codec: Impairment::G729A, ..lossy }, "78.0", "3.95");
    }

    /// `Ie,eff = Ie + (95 − Ie) · Ppl / (Ppl/BurstR + Bpl)` — G.107 §7.5.
    #[test]
    fn losses_that_come_together_are_worse() {
        let connection = Connection { loss: 0.04, burst_ratio: 2.0, ..PERFECT };
        // 95 × 4 / (2 + 4.3).
        assert!((equipment(&connection) - 60.317_460).abs() < 1e-6);
        assert!(
            (equipment(&Connection { burst_ratio: 1.0, ..connection }) - 45.783_132).abs() < 1e-6
        );
        // A ratio below one is none.
        assert!(
            (equipment(&Connection { burst_ratio: 0.0, ..connection }) - 45.783_132).abs() < 1e-6
        );
    }

    #[test]
    fn more_delay_or_loss_is_never_better() {
        let mut last = f64::MAX;
        for delay in (0..2_000).step_by(10) {
            let rating = r_factor(&delayed(delay));
            assert!(rating <= last + 1e-9, "{delay} ms");
            last = rating;
        }
        let losses = (0..=100).map(|loss| Connection { loss: f64::from(loss) / 100.0, ..PERFECT });
        assert!(losses.map(|connection| r_factor(&connection)).is_sorted_by(|a, b| a > b));
    }

    /// TERV is 18.9 dB then, so Re 92.1 against Roe 94.8 and Idte 10.4 instead of 1.0 — G.107 §7.4.
    #[test]
    fn echo_of_a_two_wire_line_is_worse_with_delay() {
        let echo = Parameters { telr: 45.0, ..Parameters::default() };
        let loss = |delay| r_factor(&delayed(delay)) - echo.r_factor(&delayed(delay));
        assert!((loss(50) - 9.4).abs() < 0.1, "{}", loss(50));
        assert!(loss(0) < 0.1, "{}", loss(0));
    }

    #[test]
    fn impossible_numbers_have_a_score() {
        let longest =
            Connection { one_way_delay: Duration::MAX, round_trip: Duration::MAX, ..PERFECT };
        for connection in [
            longest,
            Connection { loss: 7.0, ..PERFECT },
            Connection { loss: -1.0, ..PERFECT },
            Connection { loss: f64::NAN, ..PERFECT },
            Connection { burst_ratio: f64::INFINITY, loss: 1.0, ..PERFECT },
        ] {
            let score = mos(r_factor(&connection));
            assert!((1.0..=4.5).contains(&score), "{connection:?} has {score}");
        }
    }
}
