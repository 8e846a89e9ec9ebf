//! When the next compound is due — RFC 3550 §6.2, §6.3 and A.7.
//!
//! The members of a session share 5 % of its bandwidth. With two members the minimum of five seconds rules:
//! the shares matter only when a peer invents sources.

use std::time::Duration;

use rand::RngExt as _;

/// Part of the session bandwidth that RTCP takes (§6.2).
const RTCP_SHARE: f64 = 0.05;
/// Part of that which senders get while they are at most this part of the members (§6.2).
const SENDER_SHARE: f64 = 0.25;
/// Shortest interval, before it is randomised, in seconds (§6.2); half of it before the first report.
const MINIMUM: f64 = 5.0;
/// e − 3/2: reconsideration makes intervals longer on average, this makes up for it (§6.3.1).
const COMPENSATION: f64 = std::f64::consts::E - 1.5;
/// How much a new packet counts in the average size (§6.3.3).
const SIZE_GAIN: f64 = 1.0 / 16.0;
/// Headers of IPv4 and UDP, which belong to the size of a packet (§6.2).
const LOWER_LAYERS: usize = 28;

/// Who takes part in the session, as we know it now (RFC 3550 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// All participants, ourselves included: two in a call.
    pub members: u32,
    /// Those that sent RTP since the report before the last.
    pub senders: u32,
    /// Whether we are among the senders.
    pub we_sent: bool,
}

/// The transmission interval of one participant.
///
/// The owner draws [`next`](Self::next) and waits; then it asks [`reconsider`](Self::reconsider), and either
/// waits again or sends, tells [`sent`](Self::sent) and draws anew.
#[derive(Debug, Clone)]
pub struct Interval {
    /// RTCP's share of the session in octets per second.
    bandwidth: f64,
    /// Average size of sent and received compounds in octets (`avg_rtcp_size`).
    average_size: f64,
    /// No report has been sent yet (`initial`).
    is_initial: bool,
}

impl Interval {
    /// Starts before the first report of a session of `session_bandwidth` octets per second.
    ///
    /// `first_size` is the probable size of the first compound in octets, without IP and UDP (§6.3.2).
    pub fn new(session_bandwidth: u32, first_size: usize) -> Self {
        Self {
            // A session without bandwidth would wait forever, which no `Duration` can say.
            bandwidth: f64::from(session_bandwidth.max(1)) * RTCP_SHARE,
            average_size: (first_size + LOWER_LAYERS) as f64,
            is_initial: true,
        }
    }

    /// Draws the time from the previous report, or from joining, to the next one (§6.3.1).
    pub fn next(&self, rng: &mut impl rand::Rng, membership: Membership) -> Duration {
        let seconds = self.deterministic(membership) * (rng.random::<f64>() + 0.5) / COMPENSATION;
        Duration::from_secs_f64(seconds)
    }

    /// Decides, when the drawn time is over, if a report may go (§6.3.6).
    ///
    /// `since_last` is the time since the previous report. Nothing means now; otherwise the session has
    /// grown, or chance says so, and the answer is how much longer to wait before asking again.
    pub fn reconsider(
        &self,
        rng: &mut impl rand::Rng,
        membership: Membership,
        since_last: Duration,
    ) -> Option<Duration> {
        let wait = self.next(rng, membership).saturating_sub(since_last);
        (!wait.is_zero()).then_some(wait)
    }

    /// Notes that we sent a compound of `octets`, without IP and UDP: from now on Tmin is 5 s (§6.3.6).
    pub fn sent(&mut self, octets: usize) {
        self.average(octets);
        self.is_initial = false;
    }

    /// Notes that a compound of `octets`, without IP and UDP, came (§6.3.3).
    pub fn received(&mut self, octets: usize) {
        self.average(octets);
    }

    fn average(&mut self, octets: usize) {
        self.average_size += ((octets + LOWER_LAYERS) as f64 - self.average_size) * SIZE_GAIN;
    }

    /// The calculated interval Td in seconds (§6.3.1).
    fn deterministic(&self, Membership { members, senders, we_sent }: Membership) -> f64 {
        let (members, senders) = (f64::from(members.max(1)), f64::from(senders));
        let (sharing, bandwidth) = if senders > members * SENDER_SHARE {
            (members, self.bandwidth)
        } else if we_sent {
            (senders, self.bandwidth * SENDER_SHARE)
        } else {
            (members - senders, self.bandwidth * (1.0 - SENDER_SHARE))
        };
        let minimum = if self.is_initial { MINIMUM / 2.0 } else { MINIMUM };
        (self.average_size * sharing / bandwidth).max(minimum)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    /// A call of G.711 in packets of 20 ms: 200 octets with headers, 50 a second.
    const CALL: u32 = 10_000;
    const TWO: Membership = Membership { members: 2, senders: 2, we_sent: true };

    fn bounds(interval: &Interval, membership: Membership) -> (f64, f64) {
        let mut rng = StdRng::seed_from_u64(1);
        let drawn = (0..10_000).map(|_| interval.next(&mut rng, membership).as_secs_f64());
        drawn.fold((f64::MAX, 0.0), |(low, high), next| (low.min(next), high.max(next)))
    }

    fn assert_bounds(interval: &Interval, membership: Membership, deterministic: f64) {
        let (low, high) = bounds(interval, membership);
        let (least, most) = (deterministic * 0.5 / 1.21828, deterministic * 1.5 / 1.21828);
        assert!(low >= least - 1e-4 && low < least * 1.01, "{low} against {least}");
        assert!(high <= most + 1e-4 && high > most * 0.99, "{high} against {most}");
    }

    /// "If the participant has not yet sent an RTCP packet …, the constant Tmin is set to 2.5 seconds, else it
    /// is set to 5 seconds" — §6.3.1.
    #[test]
    fn first_report_comes_after_half_the_minimum() {
        let mut interval = Interval::new(CALL, 80);
        assert_bounds(&interval, TWO, 2.5);
        interval.received(80);
        assert_bounds(&interval, TWO, 2.5);
        interval.sent(80);
        assert_bounds(&interval, TWO, 5.0);
    }

    /// "If the number of senders is less than or equal to 25% of the membership" — §6.3.1.
    #[test]
    fn senders_have_a_quarter_of_the_share() {
        let mut interval = Interval::new(CALL, 100);
        interval.sent(100);
        let crowd = Membership { members: 1000, senders: 100, we_sent: true };
        // 128 octets × 100 senders ÷ (500 octets/s × 0.25).
        assert_bounds(&interval, crowd, 102.4);
        // 128 octets × 900 receivers ÷ (500 octets/s × 0.75).
        assert_bounds(&interval, Membership { we_sent: false, ..crowd }, 307.2);
        // Many senders share with all: 128 octets × 1000 ÷ 500 octets/s.
        assert_bounds(&interval, Membership { senders: 251, ..crowd }, 256.0);
    }

    /// "avg_rtcp_size = (1/16) * packet_size + (15/16) * avg_rtcp_size" — §6.3.3.
    #[test]
    fn sizes_are_averaged_with_a_gain_of_a_sixteenth() {
        let mut interval = Interval::new(CALL, 100);
        interval.received(260);
        assert!((interval.average_size - 138.0).abs() < 1e-9);
        interval.sent(110);
        assert!((interval.average_size - 138.0).abs() < 1e-9);
    }

    /// "If tp + T is less than or equal to tc, an RTCP packet is transmitted" — §6.3.6.
    #[test]
    fn grown_session_waits_again() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut interval = Interval::new(CALL, 100);
        interval.sent(100);
        let crowd = Membership { members: 1000, senders: 251, we_sent: true };
        let since_last = Duration::from_secs(6);
        // 256 s × 0.5 ÷ 1.218 is the least, of which six have passed.
        let wait = interval.reconsider(&mut rng, crowd, since_last).unwrap();
        assert!((99.0..310.0).contains(&wait.as_secs_f64()), "{wait:?}");
        // Five seconds × 1.5 ÷ 1.218 = 6.16 s is the most that two members may wait.
        assert_eq!(interval.reconsider(&mut rng, TWO, Duration::from_millis(6_160)), None);
    }

    #[test]
    fn no_number_is_too_large_or_too_small() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut interval = Interval::new(0, 0);
        interval.received(65_507);
        let most = Membership { members: u32::MAX, senders: 0, we_sent: false };
        assert!(interval.next(&mut rng, most) > Duration::from_secs(1_000_000));
        let wrong = Membership { members: 0, senders: u32::MAX, we_sent: true };
        assert!(interval.next(&mut rng, wrong) > Duration::from_secs(1));
    }
}
