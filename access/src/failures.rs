//! Whoever tries passwords is slowed: for a telephone that has a wrong one this is a pause, for a program that tries many the end.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

/// Wrong passwords in a row that cost nothing: somebody is typing.
const FREE: u32 = 5;
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(64);
/// What nobody has tried again for so long is forgotten.
const MEMORY: Duration = Duration::from_secs(600);
/// Pairs of source and user that are remembered.
const MOST: usize = 10_000;
/// Wrong passwords from one source for any users that cost nothing.
const FREE_OF_SOURCE: u32 = 50;

/// Wrong passwords of late: of a source for one user, and of a source for all users, which is the pair with the empty name.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    pairs: HashMap<(IpAddr, Box<str>), Tries>,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u32,
    last: Instant,
    pause_until: Option<Instant>,
}

impl Failures {
    /// How long `ip` must wait before credentials for `user` are looked at; `None`: they are.
    pub(crate) fn pause(&self, now: Instant, ip: IpAddr, user: &str) -> Option<Duration> {
        let until = |user: &str| self.pairs.get(&(ip, user.into()))?.pause_until;
        let until = until(user).max(until(""))?;
        (until > now).then(|| until - now)
    }

    /// A wrong password.
    pub(crate) fn wrong(&mut self, now: Instant, ip: IpAddr, user: &str) {
        for (user, free) in [(user, FREE), ("", FREE_OF_SOURCE)] {
            self.make_room(now);
            let tries = self.pairs.entry((ip, user.into())).or_insert(Tries {
                wrong: 0,
                last: now,
                pause_until: None,
            });
            tries.wrong += 1;
            tries.last = now;
            if let Some(beyond) = tries.wrong.checked_sub(free) {
                let pause = Duration::from_secs(1 << beyond.min(6)).min(LONGEST);
                tries.pause_until = Some(now + pause);
            }
        }
    }

    /// A right one: the user is not to blame any more.
    pub(crate) fn right(&mut self, ip: IpAddr, user: &str) {
        if !self.pairs.is_empty() {
            self.pairs.remove(&(ip, user.into()));
        }
    }

    fn make_room(&mut self, now: Instant) {
        if self.pairs.len() >= MOST {
            self.pairs.retain(|_, tries| now.saturating_duration_since(tries.last) < MEMORY);
        }
        if self.pairs.len() >= MOST {
            // Those of the sources stay: who tries so many users is one of few.
            self.pairs.retain(|(_, user), _| user.is_empty());
        }
        if self.pairs.len() >= MOST {
            self.pairs.clear();
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test begins at any instant")]
mod tests {
    use super::*;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn pauses_grow_and_end_with_the_right_password() {
        let now = Instant::now();
        let mut failures = Failures::default();
        for _ in 1..FREE {
            failures.wrong(now, IP, "anna");
        }
        assert_eq!(failures.pause(now, IP, "anna"), None);
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64] {
            failures.wrong(now, IP, "anna");
            assert_eq!(failures.pause(now, IP, "anna"), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(failures.pause(now, IP, "bert"), None, "another user of the same telephone");
        assert_eq!(failures.pause(now + LONGEST, IP, "anna"), None);
        failures.right(IP, "anna");
        failures.wrong(now, IP, "anna");
        assert_eq!(failures.pause(now, IP, "anna"), None);
    }

    #[test]
    fn who_tries_many_users_is_slowed_for_all_of_them() {
        let now = Instant::now();
        let mut failures = Failures::default();
        for number in 0..FREE_OF_SOURCE {
            failures.wrong(now, IP, &format!("user{number}"));
        }
        assert!(failures.pause(now, IP, "anna").is_some());
        let elsewhere = IpAddr::from([127, 0, 0, 2]);
        assert_eq!(failures.pause(now, elsewhere, "anna"), None);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut failures = Failures::default();
        let now = Instant::now();
        for number in 0..3 * u32::try_from(MOST).unwrap() {
            failures.wrong(now, IP, &format!("user{number}"));
            assert!(failures.pairs.len() <= MOST);
        }
        assert!(failures.pause(now, IP, "anna").is_some(), "of the source enough is known");
    }
}
