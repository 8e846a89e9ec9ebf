//! Impairments of the ways between boxes: what a bad network does to packets.
//!
//! ```text
//!   [[faults]] ─► Impairment ─► ImpairmentOrder ─► a box ─► Impairments ─► the fate of each packet
//!                 (settings)    (to whom, seed)             (decision.rs)   carried out by sockets or by virtual time
//! ```
//!
//! Whoever moves packets asks `Impairments` about each, and does what it says. So both worlds mean the same.

mod decision;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::format_duration;
use topology::reader::{Table, kind};

pub use self::decision::{Direction, Fate, Impairments};

/// The longest delay and jitter: beyond it every transaction has ended.
const LONGEST: Duration = Duration::from_secs(60);

/// A share of packets, in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(u32);

impl Share {
    /// The nearest share to `share`, which is between 0 and 1.
    #[must_use]
    pub fn of(share: f64) -> Self {
        // At most a million.
        Self((share.clamp(0.0, 1.0) * 1e6).round() as u32)
    }

    /// Whether a draw that is even over all numbers falls into this share.
    fn has(self, draw: u64) -> bool {
        draw % 1_000_000 < u64::from(self.0)
    }
}

/// In per cent.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 1e4)
    }
}

/// What happens to packets on a way, in each direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impairment {
    /// Of the datagrams: they vanish. A message on a connection comes late instead, as TCP sends it again.
    pub loss: Share,
    /// Each packet takes so much longer.
    pub delay: Duration,
    /// And between nothing and so much longer again, each as chance has it: datagrams overtake each other, messages on a
    /// connection wait for those before them.
    pub jitter: Duration,
    /// Of the datagrams: they arrive twice. TCP drops second copies.
    pub duplicate: Share,
    /// Of the datagrams: they are held back for [`HELD_BACK`](Self::HELD_BACK), so that later ones overtake them. TCP puts
    /// them in order.
    pub reorder: Share,
    /// Nothing passes. A connection on which a message would have to cross breaks.
    pub cut: bool,
}

impl Impairment {
    /// How long a datagram is held back that is put out of order: two packets of a voice stream pass it.
    pub const HELD_BACK: Duration = Duration::from_millis(50);
    /// How long TCP waits at least until it sends again what was lost: what Linux takes for RFC 6298's second.
    pub const SENT_AGAIN: Duration = Duration::from_millis(200);

    /// The keys of a table of `[[faults]]` that impair.
    pub(crate) const KEYS: [&str; 6] = ["loss", "delay", "jitter", "duplicate", "reorder", "cut"];

    pub(crate) fn read(table: &Table<'_>) -> Self {
        let share = |key| Share::of(table.or(key, kind::share, 0.0));
        let time = |key| {
            let time = table.or(key, kind::duration(Duration::ZERO), Duration::ZERO);
            if time > LONGEST {
                table.report(key, format!("must be at most {}", format_duration(LONGEST)));
            }
            time
        };
        let impairment = Self {
            loss: share("loss"),
            delay: time("delay"),
            jitter: time("jitter"),
            duplicate: share("duplicate"),
            reorder: share("reorder"),
            cut: table.or("cut", kind::flag, false),
        };
        let others = Self { cut: false, ..impairment };
        if impairment == Self::default() {
            table.report_here(
                "impairs nothing; set one of loss, delay, jitter, duplicate, reorder, or cut = true",
            );
        } else if impairment.cut && others != Self::default() {
            table.report("cut", "nothing passes then; remove it, or the other impairments");
        }
        impairment
    }
}

impl fmt::Display for Impairment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { loss, delay, jitter, duplicate, reorder, cut } = self;
        let share = |share: &Share, what: &str| {
            (*share != Share::default()).then(|| format!("{share} {what}"))
        };
        let time = |time: &Duration, what: &str| {
            (!time.is_zero()).then(|| format!("{} {what}", format_duration(*time)))
        };
        let parts = [
            cut.then(|| "cut".to_owned()),
            share(loss, "lost"),
            time(delay, "delay"),
            time(jitter, "jitter"),
            share(duplicate, "twice"),
            share(reorder, "out of order"),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// What a box is told of an impairment: it applies it to what it sends and to what it receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpairmentOrder {
    /// Which impairment of the campaign.
    pub id: u32,
    /// Chance follows from it.
    pub seed: u64,
    /// Only packets to and from these; none: all packets.
    pub peers: Option<Vec<IpAddr>>,
    /// `None`: it ends.
    pub what: Option<Impairment>,
}

impl ImpairmentOrder {
    /// The seed of the box `name` in a campaign with this one: no two boxes lose the same packets.
    #[must_use]
    pub fn seed_of(seed: u64, name: &str) -> u64 {
        // FNV-1a: the same on every machine.
        seed.to_le_bytes()
            .into_iter()
            .chain(name.bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    }
}
