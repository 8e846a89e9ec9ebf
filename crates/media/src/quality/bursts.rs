//! Whether losses come alone or together — ITU-T G.107 §7.5 (BurstR) and RFC 3611 §4.7.2.
//!
//! ```text
//!   received .  lost x   ...x....xx.x.....................x.......
//!   runs of losses          1    2  1                     1          burst_ratio
//!   Gmin = 16            gap└─burst─┘gap, its loss alone             burst_density, gap_density
//! ```

/// So many packets received in a row end a burst (RFC 3611 §4.7.2).
const GMIN: u64 = 16;

/// Counts a stream packet by packet, in the order of sequence numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bursts {
    total: u64,
    lost: u64,
    /// Runs of consecutive losses.
    runs: u64,
    /// Length of the run that the last packet belongs to; zero when that was received.
    run: u64,
    longest_run: u64,
    cluster: Option<Cluster>,
    /// Bursts that are over, the packets in them and the losses among those.
    bursts: u64,
    burst_packets: u64,
    burst_lost: u64,
}

/// Losses with fewer than Gmin packets received between each and the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cluster {
    /// From the first loss to the last.
    packets: u64,
    lost: u64,
    /// Received since the last loss.
    received: u64,
}

impl Bursts {
    /// Takes a packet that was received and played.
    pub fn received(&mut self) {
        self.total += 1;
        self.run = 0;
        if let Some(cluster) = &mut self.cluster {
            cluster.received += 1;
            if cluster.received >= GMIN {
                self.close();
            }
        }
    }

    /// Takes `count` packets in succession that did not come, or came too late to be played.
    pub fn lost(&mut self, count: u32) {
        let count = u64::from(count);
        if count == 0 {
            return;
        }
        self.total += count;
        self.lost += count;
        self.runs += u64::from(self.run == 0);
        self.run += count;
        self.longest_run = self.longest_run.max(self.run);
        let cluster = self.cluster.get_or_insert(Cluster { packets: 0, lost: 0, received: 0 });
        cluster.packets += cluster.received + count;
        cluster.lost += count;
        cluster.received = 0;
    }

    /// Packets so far, received or not.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Packets lost so far.
    pub const fn total_lost(&self) -> u64 {
        self.lost
    }

    /// Runs of consecutive losses so far.
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// Most packets lost in succession.
    pub const fn longest_run(&self) -> u64 {
        self.longest_run
    }

    /// Part of all packets that was lost, 0 to 1.
    pub fn loss(&self) -> f64 {
        ratio(self.lost, self.total)
    }

    /// Mean length of a run of losses against that of random loss at the same rate, at least 1 (G.107 §7.5).
    pub fn burst_ratio(&self) -> f64 {
        (ratio(self.lost, self.runs) * (1.0 - self.loss())).max(1.0)
    }

    /// Bursts so far: two losses or more with fewer than Gmin received packets between (RFC 3611 §4.7.2).
    pub fn bursts(&self) -> u64 {
        self.closed().bursts
    }

    /// Part of the packets in bursts that was lost, 0 to 1 (RFC 3611 §4.7.2).
    pub fn burst_density(&self) -> f64 {
        let closed = self.closed();
        ratio(closed.burst_lost, closed.burst_packets)
    }

    /// Part of the packets outside bursts that was lost, 0 to 1 (RFC 3611 §4.7.2).
    pub fn gap_density(&self) -> f64 {
        let closed = self.closed();
        ratio(closed.lost - closed.burst_lost, closed.total - closed.burst_packets)
    }

    /// Reads as if Gmin packets were received after the last one, which RFC 3611 §4.7.2 assumes.
    fn closed(mut self) -> Self {
        self.close();
        self
    }

    /// Ends the cluster: a burst, unless it is one loss alone, which is part of a gap.
    fn close(&mut self) {
        if let Some(cluster) = self.cluster.take()
            && cluster.lost > 1
        {
            self.bursts += 1;
            self.burst_packets += cluster.packets;
            self.burst_lost += cluster.lost;
        }
    }
}

/// Zero of zero is zero: nothing was lost of nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    /// Reads a drawing: `x` is lost, `.` received, a space nothing.
    fn counted(drawing: &str) -> Bursts {
        let mut bursts = Bursts::default();
        for packet in drawing.chars() {
            match packet {
                'x' => bursts.lost(1),
                '.' => bursts.received(),
                _ => {}
            }
        }
        bursts
    }

    /// A Gilbert channel that turns bad with probability `p` and good with `q`.
    fn gilbert(p: f64, q: f64) -> Bursts {
        let mut rng = StdRng::seed_from_u64(7);
        let (mut bursts, mut is_bad) = (Bursts::default(), false);
        for _ in 0..1_000_000 {
            is_bad = if is_bad { !rng.random_bool(q) } else { rng.random_bool(p) };
            if is_bad { bursts.lost(1) } else { bursts.received() }
        }
        bursts
    }

    fn assert_near(value: f64, expected: f64, tolerance: f64) {
        assert!((value - expected).abs() <= tolerance, "{value} against {expected}");
    }

    #[test]
    fn nothing_lost_is_nothing() {
        for bursts in [Bursts::default(), counted("........")] {
            assert_eq!((bursts.total_lost(), bursts.runs(), bursts.bursts()), (0, 0, 0));
            assert_eq!((bursts.loss(), bursts.burst_ratio()), (0.0, 1.0));
            assert_eq!((bursts.burst_density(), bursts.gap_density()), (0.0, 0.0));
        }
    }

    /// The drawing above: a burst of 9 packets, 4 lost, and 32 others of which one was lost.
    #[test]
    fn drawing_has_one_burst_and_one_loss_alone() {
        let bursts = counted("... x....xx.x ..................... x .......");
        assert_eq!((bursts.total(), bursts.total_lost(), bursts.runs()), (41, 5, 4));
        assert_eq!((bursts.bursts(), bursts.longest_run()), (1, 2));
        assert_eq!(bursts.burst_density(), 4.0 / 9.0);
        assert_eq!(bursts.gap_density(), 1.0 / 32.0);
        // 5/4 × 36/41.
        assert_near(bursts.burst_ratio(), 1.25 * 36.0 / 41.0, 1e-12);
    }

    /// A burst has no Gmin or more received packets in a row — RFC 3611 §4.7.2.
    #[test]
    fn sixteen_packets_end_a_burst_and_fifteen_do_not() {
        let fifteen = counted("x ............... x");
        assert_eq!((fifteen.bursts(), fifteen.burst_density()), (1, 2.0 / 17.0));
        assert_eq!(fifteen.gap_density(), 0.0);
        let sixteen = counted("x ................ x");
        assert_eq!((sixteen.bursts(), sixteen.burst_density()), (0, 0.0));
        assert_eq!(sixteen.gap_density(), 2.0 / 18.0);
    }

    #[test]
    fn one_run_of_four_in_twenty_has_the_ratio_of_its_length() {
        let bursts = counted("........ xxxx ........");
        assert_eq!((bursts.runs(), bursts.longest_run()), (1, 4));
        assert_near(bursts.burst_ratio(), 4.0 * 0.8, 1e-12);
        assert_eq!((bursts.bursts(), bursts.burst_density()), (1, 1.0));
        assert_eq!(bursts.gap_density(), 0.0);
    }

    #[test]
    fn losses_reported_together_or_apart_are_the_same() {
        let mut together = counted("..");
        together.lost(2);
        together.lost(0);
        together.lost(1);
        together.received();
        assert_eq!(together, counted(".. xxx ."));
    }

    #[test]
    fn reading_in_the_middle_of_a_burst_changes_nothing() {
        let mut read = counted("xx..");
        assert_eq!((read.bursts(), read.burst_density()), (1, 1.0));
        read.lost(1);
        assert_eq!((read.bursts(), read.burst_density()), (1, 3.0 / 5.0));
    }

    #[test]
    fn everything_lost_is_bounded() {
        let mut bursts = Bursts::default();
        for _ in 0..3 {
            bursts.lost(u32::MAX);
        }
        assert_eq!((bursts.longest_run(), bursts.loss()), (3 * u64::from(u32::MAX), 1.0));
        assert_eq!((bursts.burst_ratio(), bursts.burst_density()), (1.0, 1.0));
    }

    /// BurstR is 1 when losses are independent — G.107 §7.5.
    #[test]
    fn random_loss_has_the_ratio_one() {
        let bursts = gilbert(0.05, 0.95);
        assert_near(bursts.loss(), 0.05, 0.001);
        assert_near(bursts.burst_ratio(), 1.0, 0.01);
    }

    /// BurstR is 1/(p + q) for a two-state Markov model — G.107 §7.5.
    #[test]
    fn markov_loss_has_the_ratio_of_its_transitions() {
        let bursts = gilbert(0.02, 0.25);
        assert_near(bursts.loss(), 0.02 / 0.27, 0.002);
        assert_near(bursts.burst_ratio(), 1.0 / 0.27, 0.05);
    }
}
