//! What a link does to packets: latency, jitter, loss, duplication, partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

/// The quality of a link, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// One way.
    pub latency: Duration,
    /// Added to the latency, evenly between nothing and this much: later packets overtake earlier
    /// ones.
    pub jitter: Duration,
    /// Share of UDP packets that vanish.
    pub loss: f64,
    /// Share of UDP packets that arrive twice.
    pub duplication: f64,
}

impl Link {
    /// One millisecond, nothing lost.
    pub const CLEAN: Self = Self {
        latency: Duration::from_millis(1),
        jitter: Duration::ZERO,
        loss: 0.0,
        duplication: 0.0,
    };

    /// Five per cent lost, two per cent twice, and packets overtake each other.
    pub const BAD: Self = Self {
        latency: Duration::from_millis(5),
        jitter: Duration::from_millis(20),
        loss: 0.05,
        duplication: 0.02,
    };

    /// How long one packet travels.
    pub(crate) fn delay(&self, rng: &mut StdRng) -> Duration {
        if self.jitter.is_zero() {
            return self.latency;
        }
        self.latency + self.jitter.mul_f64(rng.random::<f64>())
    }

    /// How many copies of a UDP packet arrive.
    pub(crate) fn copies(&self, rng: &mut StdRng) -> usize {
        if self.loss > 0.0 && rng.random_bool(self.loss) {
            return 0;
        }
        if self.duplication > 0.0 && rng.random_bool(self.duplication) { 2 } else { 1 }
    }
}

/// All links of a network.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    default: Link,
    between: BTreeMap<(SocketAddr, SocketAddr), Link>,
    cut: BTreeSet<(SocketAddr, SocketAddr)>,
    isolated: BTreeSet<SocketAddr>,
}

impl Links {
    pub(crate) const fn new(default: Link) -> Self {
        Self { default, between: BTreeMap::new(), cut: BTreeSet::new(), isolated: BTreeSet::new() }
    }

    pub(crate) fn set_default(&mut self, link: Link) {
        self.default = link;
    }

    pub(crate) fn set(&mut self, a: SocketAddr, b: SocketAddr, link: Link) {
        self.between.insert(pair(a, b), link);
    }

    pub(crate) fn get(&self, a: SocketAddr, b: SocketAddr) -> Link {
        let between = if self.between.is_empty() { None } else { self.between.get(&pair(a, b)) };
        between.copied().unwrap_or(self.default)
    }

    pub(crate) fn cut(&mut self, a: SocketAddr, b: SocketAddr) {
        self.cut.insert(pair(a, b));
    }

    pub(crate) fn isolate(&mut self, a: SocketAddr) {
        self.isolated.insert(a);
    }

    /// Ends every partition that `a` is in.
    pub(crate) fn heal(&mut self, a: SocketAddr) {
        self.isolated.remove(&a);
        self.cut.retain(|(one, other)| *one != a && *other != a);
    }

    pub(crate) fn is_open(&self, a: SocketAddr, b: SocketAddr) -> bool {
        (self.isolated.is_empty() || !self.isolated.contains(&a) && !self.isolated.contains(&b))
            && (self.cut.is_empty() || !self.cut.contains(&pair(a, b)))
    }
}

fn pair(a: SocketAddr, b: SocketAddr) -> (SocketAddr, SocketAddr) {
    if a <= b { (a, b) } else { (b, a) }
}
