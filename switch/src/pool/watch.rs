//! The state of one member of the pool, which follows from probes and calls.
//!
//! ```text
//!        suspect_after silences          down_after silences
//!    Up ───────────────────────► Suspect ───────────────────► Down
//!    ▲ ◄──────── any sign of life ──┘                          │
//!    └──────────────── up_after answered probes in a row ──────┘
//!
//!    OPTIONS answered 503: Draining (alive, but wants no new calls) until it is answered otherwise
//! ```

use std::time::{Duration, Instant};

use contract::MemberState;
use topology::Pool;

/// What is known of one member.
#[derive(Debug, Clone)]
pub struct Watch {
    state: MemberState,
    limits: Limits,
    /// Silences since the last sign of life.
    silences: u32,
    /// Answered probes in a row.
    answers: u32,
    /// The last sign of life, or the start of the watch.
    last_sign: Instant,
    /// When it was found up again after a fall.
    back_since: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    suspect_after: u32,
    down_after: u32,
    up_after: u32,
    readmit_over: Duration,
}

impl Watch {
    /// A member is taken to be up until it shows otherwise.
    #[must_use]
    pub fn new(pool: &Pool, now: Instant) -> Self {
        let limits = Limits {
            suspect_after: pool.suspect_after,
            down_after: pool.down_after,
            up_after: pool.up_after,
            readmit_over: pool.readmit_over,
        };
        let state = MemberState::Up;
        Self { state, limits, silences: 0, answers: 0, last_sign: now, back_since: None }
    }

    #[must_use]
    pub const fn state(&self) -> MemberState {
        self.state
    }

    /// How long it has shown no sign of life.
    #[must_use]
    pub fn silent_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_sign)
    }

    /// The share of its usual new calls that it should get: less than one while it is readmitted.
    #[must_use]
    pub fn share(&self, now: Instant) -> f64 {
        let Some(since) = self.back_since else { return 1.0 };
        let (elapsed, all) = (now.saturating_duration_since(since), self.limits.readmit_over);
        if elapsed >= all { 1.0 } else { elapsed.as_secs_f64() / all.as_secs_f64() }
    }

    /// A probe was answered with `status`. 503 says "alive, but no new calls"; any other answer is a plain sign of life.
    pub fn probe_answered(&mut self, now: Instant, status: u16) {
        self.silences = 0;
        self.answers += 1;
        self.last_sign = now;
        let before = self.state;
        self.state = match (self.state, status) {
            (MemberState::Down, _) if self.answers < self.limits.up_after => MemberState::Down,
            (_, 503) => MemberState::Draining,
            _ => MemberState::Up,
        };
        let is_back = matches!(before, MemberState::Down | MemberState::Draining);
        if is_back && self.state == MemberState::Up {
            self.back_since = Some(now);
        }
    }

    /// A probe or a call got no response at all.
    pub fn silent(&mut self) {
        self.answers = 0;
        self.silences += 1;
        if self.silences >= self.limits.down_after {
            self.state = MemberState::Down;
        } else if self.silences >= self.limits.suspect_after && self.state != MemberState::Down {
            self.state = MemberState::Suspect;
        }
    }

    /// A call got a response: as good as a probe, but it does not bring a member back that is down.
    pub fn call_answered(&mut self, now: Instant) {
        self.silences = 0;
        self.last_sign = now;
        if self.state == MemberState::Suspect {
            self.state = MemberState::Up;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch::new(
            &Pool {
                probe_interval: Duration::from_secs(2),
                probe_timeout: Duration::from_secs(1),
                suspect_after: 1,
                down_after: 3,
                up_after: 2,
                readmit_over: Duration::from_secs(10),
                ..Pool::default()
            },
            Instant::now(),
        )
    }

    #[test]
    fn silences_lead_through_suspect_to_down() {
        let mut watch = watch();
        let states: Vec<_> = (0..3)
            .map(|_| {
                watch.silent();
                watch.state()
            })
            .collect();
        assert_eq!(states, [MemberState::Suspect, MemberState::Suspect, MemberState::Down]);
    }

    #[test]
    fn one_sign_of_life_ends_suspicion_but_not_a_fall() {
        let mut watch = watch();
        watch.silent();
        watch.call_answered(Instant::now());
        assert_eq!(watch.state(), MemberState::Up);
        (0..3).for_each(|_| watch.silent());
        watch.call_answered(Instant::now());
        watch.probe_answered(Instant::now(), 200);
        assert_eq!(watch.state(), MemberState::Down);
        watch.probe_answered(Instant::now(), 200);
        assert_eq!(watch.state(), MemberState::Up);
    }

    #[test]
    fn a_busy_member_is_draining_and_not_dead() {
        let mut watch = watch();
        watch.probe_answered(Instant::now(), 503);
        assert_eq!(watch.state(), MemberState::Draining);
        watch.probe_answered(Instant::now(), 200);
        assert_eq!(watch.state(), MemberState::Up);
    }

    #[test]
    fn a_member_that_was_down_gets_its_share_back_little_by_little() {
        let mut watch = watch();
        let now = Instant::now();
        (0..3).for_each(|_| watch.silent());
        assert_eq!(watch.state(), MemberState::Down);
        watch.probe_answered(now, 200);
        watch.probe_answered(now, 200);
        let share = |after| watch.share(now + Duration::from_secs(after));
        assert_eq!([share(0), share(5), share(10), share(60)], [0.0, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn a_watch_knows_how_long_a_member_has_been_silent() {
        let mut watch = watch();
        let now = Instant::now();
        watch.probe_answered(now, 200);
        watch.silent();
        assert_eq!(watch.silent_for(now + Duration::from_secs(7)), Duration::from_secs(7));
    }
}
