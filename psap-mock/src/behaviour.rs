//! How a PSAP behaves towards a call: a behaviour is drawn by its share, and is then a plan. To add a fault, add a row to
//! [`Plan::of`].

use std::time::Duration;

use rand::{Rng, RngExt};
use topology::{Behaviour, BehaviourShare};

/// Behaviours, each with its share of the calls; the rest of the calls get [`Behaviour::Normal`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Behaviours(Vec<BehaviourShare>);

impl Behaviours {
    pub(crate) const fn new(shares: Vec<BehaviourShare>) -> Self {
        Self(shares)
    }

    /// Draws the behaviour of one call.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> Behaviour {
        let mut point: f64 = rng.random();
        for row in &self.0 {
            if point < row.share {
                return row.behaviour;
            }
            point -= row.share;
        }
        Behaviour::Normal
    }
}

/// How one call goes, from the first response to the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    pub(crate) reception: Reception,
    /// Whether the call taker picks up at all.
    pub(crate) answers: bool,
    /// Multiplies the time to answer.
    pub(crate) slowness: f64,
    /// Replaces the talk time.
    pub(crate) drops_after: Option<Duration>,
    /// Whether the call taker is heard. A mute one negotiates like any other and sends no media, which only the media
    /// shows.
    pub(crate) speaks: bool,
}

/// What happens to an INVITE at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reception {
    /// 180, and a place in the queue.
    Ring,
    Refuse(u16),
    /// No response of ours. The caller still sees 100 Trying: the INVITE server transaction sends
    /// it by itself after 200 ms (RFC 3261 §17.2.1). So does a PSAP whose front end works and whose
    /// call distribution does not.
    Ignore,
}

impl Plan {
    pub(crate) const fn of(behaviour: Behaviour) -> Self {
        let normal = Self {
            reception: Reception::Ring,
            answers: true,
            slowness: 1.0,
            drops_after: None,
            speaks: true,
        };
        match behaviour {
            Behaviour::Normal => normal,
            Behaviour::NoAnswer => Self { answers: false, ..normal },
            Behaviour::AnswerThenDrop { after } => Self { drops_after: Some(after), ..normal },
            Behaviour::Mute => Self { speaks: false, ..normal },
            Behaviour::Slow { factor } => Self { slowness: factor, ..normal },
            Behaviour::Reject { status } => Self { reception: Reception::Refuse(status), ..normal },
            Behaviour::Silent => Self { reception: Reception::Ignore, ..normal },
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn behaviours_come_up_in_their_shares() {
        let row = |share, behaviour| BehaviourShare { share, behaviour };
        let behaviours =
            Behaviours::new(vec![row(0.1, Behaviour::NoAnswer), row(0.3, Behaviour::Mute)]);
        let mut rng = StdRng::seed_from_u64(3);
        let drawn: Vec<Behaviour> = (0..10_000).map(|_| behaviours.draw(&mut rng)).collect();
        for (behaviour, expected) in [
            (Behaviour::NoAnswer, 1_000_usize),
            (Behaviour::Mute, 3_000),
            (Behaviour::Normal, 6_000),
        ] {
            let count = drawn.iter().filter(|b| **b == behaviour).count();
            assert!(count.abs_diff(expected) < 200, "{behaviour:?}: {count}");
        }
    }

    #[test]
    fn share_of_one_leaves_nothing_to_chance() {
        let silent =
            Behaviours::new(vec![BehaviourShare { share: 1.0, behaviour: Behaviour::Silent }]);
        let mut rng = StdRng::seed_from_u64(3);
        assert!((0..1_000).all(|_| silent.draw(&mut rng) == Behaviour::Silent));
        assert_eq!(Behaviours::default().draw(&mut rng), Behaviour::Normal);
    }
}
