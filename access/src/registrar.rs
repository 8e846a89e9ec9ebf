//! The registrar: what a REGISTER binds, changes and removes (RFC 3261 §10.3, RFC 5626 §6, RFC 3327 §5.3).

use std::time::{Duration, Instant};

use sip_proto::Rejection;
use sip_proto::digest::Asker;
use sip_proto::message::{Name, Request};
use sip_proto::registration::{Binding, Registration};
use sip_proto::transaction::ServerId;

use crate::accounts::AccountId;
use crate::authentication::Known;
use crate::bindings::{Bound, PhoneFlow};
use crate::{AccessNode, AccessNotice, Wake, secured};

/// Extensions that a REGISTER may require.
const OPTIONS: [&str; 2] = ["path", "outbound"];

impl AccessNode {
    pub(crate) fn register(
        &mut self,
        now: Instant,
        id: ServerId,
        request: &Request,
        from: PhoneFlow,
    ) {
        self.counts.registers += 1;
        let answer = self.registered(now, request, from).unwrap_or_else(|rejection| {
            self.counts.registers_refused += u64::from(rejection.status != 401);
            rejection
        });
        self.transactions.reject(now, id, &answer);
    }

    /// The steps of RFC 3261 §10.3; all of it is done, or nothing.
    fn registered(
        &mut self,
        now: Instant,
        request: &Request,
        from: PhoneFlow,
    ) -> Result<Rejection, Rejection> {
        let uri = request.uri();
        if !self.is_us(uri.host(), uri.ip()) {
            let realm = &self.settings.realm;
            return Err(
                Rejection::new(404).with_warning(format!("this is the registrar of {realm}"))
            );
        }
        inspect_require(request)?;
        let account = self.known_registrant(now, request, from)?;
        let wanted = Registration::of(request)?;
        let changed = self.change(now, account, request, from, &wanted)?;
        if let Some(bound) = changed {
            self.bind(now, account, bound, from);
        }
        Ok(self.bound_now(now, account, request))
    }

    /// Steps 3 and 4: who it is, and that it speaks for itself.
    fn known_registrant(
        &mut self,
        now: Instant,
        request: &Request,
        from: PhoneFlow,
    ) -> Result<AccountId, Rejection> {
        let known =
            self.authentication.check(now, request, from.peer.ip(), &self.accounts, Asker::Server);
        let Known::As(account) = known else {
            self.count_unknown(known, request, from);
            return Err(self.authentication.refuse(now, known, Asker::Server));
        };
        let to = request.to().uri();
        let speaks_for = to.user().and_then(|user| self.accounts.of_user(user));
        if speaks_for != Some(account) || !self.is_us(to.host(), to.ip()) {
            return Err(Rejection::new(403)
                .with_warning("the user of the credentials is not the one in To".to_owned()));
        }
        Ok(account)
    }

    pub(crate) fn count_unknown(&mut self, known: Known, request: &Request, from: PhoneFlow) {
        match known {
            Known::Wrong => {
                self.counts.wrong_passwords += 1;
                let user = request.from().uri().user().unwrap_or_default();
                self.tell(AccessNotice::WrongPassword { account: user.into(), from: from.peer });
            }
            Known::Stale => self.counts.stale_nonces += 1,
            Known::Paused(_) => self.counts.paused += 1,
            Known::As(_) | Known::Nobody => {}
        }
    }

    /// What the user has bound after this REGISTER; `None`: it only asks.
    fn change(
        &mut self,
        now: Instant,
        account: AccountId,
        request: &Request,
        from: PhoneFlow,
        wanted: &Registration,
    ) -> Result<Option<Vec<Bound>>, Rejection> {
        let mut bound: Vec<Bound> = self.bindings.of(account, now).cloned().collect();
        let sequence = request.cseq().0;
        // Steps 6 and 7: a request that was overtaken by a later one changes nothing.
        let is_overtaken =
            |one: &Bound| &*one.call_id == request.call_id() && one.sequence >= sequence;
        let bindings = match wanted {
            Registration::Query => return Ok(None),
            Registration::RemoveAll if bound.iter().any(is_overtaken) => return Err(overtaken()),
            Registration::RemoveAll => return Ok(Some(Vec::new())),
            Registration::Bind(bindings) => bindings,
        };
        let path: Box<str> = request.list(Name::Path).collect::<Vec<_>>().join(", ").into();
        for binding in bindings {
            secured::inspect_contact(request, &binding.uri, from)?;
            let seconds = self.granted(binding)?;
            let new = Bound {
                uri: binding.uri.clone(),
                preference: binding.preference,
                instance: binding.instance.clone(),
                reg_id: binding.reg_id,
                call_id: request.call_id().into(),
                sequence,
                until: now + Duration::from_secs(seconds),
                path: path.clone(),
                flow: from,
                age: self.bindings.next_age(),
            };
            if bound.iter().any(|one| one.is_replaced_by(&new) && is_overtaken(one)) {
                return Err(overtaken());
            }
            bound.retain(|one| !one.is_replaced_by(&new));
            if seconds > 0 {
                bound.push(new);
            }
        }
        let most = self.settings.contacts as usize;
        if bound.len() > most {
            return Err(Rejection::new(403).with_warning(format!(
                "a user has at most {most} contacts (access.{}.contacts)",
                self.settings.name
            )));
        }
        Ok(Some(bound))
    }

    /// For how many seconds a contact is bound, of those that it asks for.
    fn granted(&self, binding: &Binding) -> Result<u64, Rejection> {
        let (least, most) = (self.settings.least.as_secs(), self.settings.most.as_secs());
        match binding.expires {
            None => Ok(self.settings.usual.as_secs()),
            Some(0) => Ok(0),
            Some(seconds) if u64::from(seconds) < least => {
                // RFC 3261 §20.23.
                Err(Rejection::new(423).with_header("Min-Expires", &least.to_string()))
            }
            Some(seconds) => Ok(u64::from(seconds).min(most)),
        }
    }

    fn bind(&mut self, now: Instant, account: AccountId, bound: Vec<Bound>, from: PhoneFlow) {
        let name = self.accounts.get(account).map(|it| it.name.clone()).unwrap_or_default();
        let before = self.bindings.of(account, now).count();
        match bound.iter().max_by_key(|one| one.age) {
            Some(newest) if newest.flow == from => {
                let notice = AccessNotice::Registered {
                    account: name,
                    contact: newest.uri.clone(),
                    from: from.peer,
                    transport: from.transport,
                    seconds: newest.seconds_left(now),
                };
                self.tell(notice);
            }
            _ => self.tell(AccessNotice::Gone {
                account: name,
                contacts: before.saturating_sub(bound.len()),
            }),
        }
        self.bindings.replace(account, bound);
        self.arm(now, account);
    }

    fn arm(&mut self, now: Instant, account: AccountId) {
        let next = self.bindings.of(account, now).map(|bound| bound.until).min();
        match next {
            Some(due) => self.deadlines.set(Wake::Account(account), due),
            None => self.deadlines.clear(Wake::Account(account)),
        }
    }

    /// The time of some contacts of this user is over.
    pub(crate) fn forget_over(&mut self, now: Instant, account: AccountId) {
        let contacts = self.bindings.forget_over_of(account, now);
        if contacts > 0 {
            self.counts.expired += contacts as u64;
            let name = self.accounts.get(account).map(|it| it.name.clone()).unwrap_or_default();
            self.tell(AccessNotice::Gone { account: name, contacts });
        }
        self.arm(now, account);
    }

    /// Step 8: 200 with all that is bound now.
    fn bound_now(&self, now: Instant, account: AccountId, request: &Request) -> Rejection {
        let mut answer = Rejection::new(200);
        let mut is_outbound = false;
        for bound in self.bindings.of(account, now) {
            let mut value = format!("<{}>;expires={}", bound.uri, bound.seconds_left(now));
            if bound.preference < 1_000 {
                value += &format!(";q=0.{:03}", bound.preference);
            }
            if let Some(instance) = &bound.instance {
                value += &format!(";+sip.instance=\"{instance}\"");
            }
            if let Some(id) = bound.reg_id {
                value += &format!(";reg-id={id}");
                is_outbound = true;
            }
            answer = answer.with_header("Contact", &value);
        }
        let has_path = request.list(Name::Path).next().is_some();
        if has_path {
            let path = request.list(Name::Path).collect::<Vec<_>>().join(", ");
            answer = answer.with_header("Path", &path);
        }
        // RFC 5626 §6: the telephone learns that its flows are kept; §4.4: how often to show that it is there.
        if is_outbound && lists(request, Name::Supported, "outbound") {
            let seconds = self.settings.flow_timer.as_secs().to_string();
            answer = answer.with_header("Require", "outbound").with_header("Flow-Timer", &seconds);
        }
        answer.with_header("Supported", "path, outbound")
    }
}

fn overtaken() -> Rejection {
    Rejection::new(500).with_warning(
        "a REGISTER with this Call-ID and a CSeq as high or higher was here before".to_owned(),
    )
}

fn lists(request: &Request, name: Name, tag: &str) -> bool {
    request.list(name).any(|one| one.trim().eq_ignore_ascii_case(tag))
}

/// Step 2, and RFC 3327 §5.3: a Path is kept only for who can be told of it.
fn inspect_require(request: &Request) -> Result<(), Rejection> {
    let unknown: Vec<&str> = request
        .list(Name::Require)
        .filter(|tag| !OPTIONS.iter().any(|known| known.eq_ignore_ascii_case(tag.trim())))
        .collect();
    if !unknown.is_empty() {
        return Err(Rejection::new(420).with_header("Unsupported", &unknown.join(", ")));
    }
    let has_path = request.list(Name::Path).next().is_some();
    if has_path
        && !lists(request, Name::Supported, "path")
        && !lists(request, Name::Require, "path")
    {
        return Err(Rejection::new(420).with_header("Unsupported", "path").with_warning(
            "this REGISTER came by a proxy that wants to stay in the path, which its telephone does not know".to_owned(),
        ));
    }
    Ok(())
}
