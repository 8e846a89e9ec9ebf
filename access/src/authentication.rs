//! Who sent a request: digest authentication (RFC 7616, RFC 8760, RFC 3261 §22).

use std::net::IpAddr;
use std::time::{Duration, Instant};

use sip_proto::Rejection;
use sip_proto::digest::{Algorithm, Asker, Challenge, Credentials};
use sip_proto::message::Request;

use crate::accounts::{AccountId, Accounts};
use crate::failures::Failures;
use crate::nonces::{Nonces, Verdict};

/// What is needed to know somebody.
#[derive(Debug)]
pub(crate) struct Authentication {
    nonces: Nonces,
    failures: Failures,
    realm: Box<str>,
    offered: Vec<Algorithm>,
}

/// What became of the credentials of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// This user has sent it.
    As(AccountId),
    /// There are no credentials for this realm.
    Nobody,
    /// They are right, with a nonce that is too old or was counted before.
    Stale,
    /// They are wrong, or of a user whom nobody knows: both look the same from outside.
    Wrong,
    /// They are not looked at: too many were wrong.
    Paused(Duration),
}

impl Authentication {
    pub(crate) fn new(realm: &str, secret: &str, offered: Vec<Algorithm>, now: Instant) -> Self {
        Self {
            nonces: Nonces::new(&["nonce:", secret].concat(), now),
            failures: Failures::default(),
            realm: realm.into(),
            offered,
        }
    }

    pub(crate) fn check(
        &mut self,
        now: Instant,
        request: &Request,
        ip: IpAddr,
        accounts: &Accounts,
        asker: Asker,
    ) -> Known {
        let Some(credentials) = Credentials::of(request, &self.realm, asker) else {
            return Known::Nobody;
        };
        let name = credentials.username();
        if let Some(pause) = self.failures.pause(now, ip, name) {
            return Known::Paused(pause);
        }
        let account = accounts.named(name);
        let secret = account.and_then(|id| accounts.get(id)).map(|account| &account.secret);
        let is_right =
            secret.is_some_and(|secret| credentials.verify(request.method_text(), secret));
        // A password that was right for a nonce of somebody else was overheard elsewhere.
        let verdict = match is_right {
            true => self.nonces.check(now, credentials.nonce(), credentials.nonce_count()),
            false => Verdict::Foreign,
        };
        match (account, verdict) {
            (Some(account), Verdict::Good) => {
                self.failures.right(ip, name);
                Known::As(account)
            }
            (Some(_), Verdict::Stale) => Known::Stale,
            // A nonce from before our last start says nothing of the password.
            (Some(_), Verdict::Foreign) if is_right => Known::Stale,
            _ => {
                self.failures.wrong(now, ip, name);
                Known::Wrong
            }
        }
    }

    /// What whoever is not known hears: what to prove, or that it is too early to try again.
    pub(crate) fn refuse(&mut self, now: Instant, known: Known, asker: Asker) -> Rejection {
        let challenge = Challenge::new(&self.realm, &self.nonces.make(now));
        match known {
            Known::Paused(pause) => {
                let seconds = pause.as_millis().div_ceil(1_000);
                Rejection::new(403).with_header("Retry-After", &seconds.to_string()).with_warning(
                    format!("too many wrong passwords; the next one is looked at in {seconds} s"),
                )
            }
            Known::Stale => challenge.stale().rejection(asker, &self.offered),
            Known::As(_) | Known::Nobody | Known::Wrong => {
                challenge.rejection(asker, &self.offered)
            }
        }
    }
}
