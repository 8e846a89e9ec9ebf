//! Requests that begin something: a telephone calls an emergency number or another telephone, or somebody calls a telephone.
//!
//! | who asks | for | what happens |
//! |---|---|---|
//! | a registered user, by its credentials | an emergency number | it goes to the trunk group, with the user's number asserted |
//! | anybody | an emergency number | the same without a number, where `anonymous_emergency` says so: also with a wrong password, as a caller in need must not fail for it |
//! | a registered user, or a box of the network | a user of this node | all telephones of that user ring |
//! | anybody else | anything | 407, or 404 for what is nobody's number |

use std::time::Instant;

use sip_proto::digest::Asker;
use sip_proto::message::{Forward, Method, Name, Request, host_port};
use sip_proto::transaction::{ClientId, ServerId, Target};
use sip_proto::{Rejection, Transport};

use crate::accounts::AccountId;
use crate::authentication::Known;
use crate::bindings::{Bound, PhoneFlow};
use crate::fork::Way;
use crate::{AccessNode, Owner, secured};

/// What was for us, and what only we may say.
const WITHOUT: [Name; 2] = [Name::ProxyAuthorization, Name::PAssertedIdentity];

/// Whom a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Called {
    Emergency,
    User(AccountId),
    Nobody,
}

impl AccessNode {
    pub(crate) fn begin(&mut self, now: Instant, id: ServerId, request: &Request, from: PhoneFlow) {
        let called = self.called(request);
        let is_from_core = self.core.contains(&from.peer.ip());
        if let (Called::User(account), true) = (called, is_from_core) {
            return self.ring(now, id, request, from, account, None);
        }
        let known =
            self.authentication.check(now, request, from.peer.ip(), &self.accounts, Asker::Proxy);
        self.count_unknown(known, request, from);
        match (called, known) {
            (Called::Emergency, Known::As(caller)) => {
                self.counts.emergencies += 1;
                self.send_to_trunk_group(now, id, request, from, Some(caller));
            }
            (Called::Emergency, _) if self.settings.anonymous_emergency => {
                self.counts.emergencies_anonymous += 1;
                self.send_to_trunk_group(now, id, request, from, None);
            }
            (Called::User(account), Known::As(caller)) => {
                self.ring(now, id, request, from, account, Some(caller));
            }
            (Called::Nobody, Known::As(_)) => {
                let refusal = Rejection::new(404).with_warning(
                    "neither an emergency number of this network nor a user of this access node"
                        .to_owned(),
                );
                self.transactions.reject(now, id, &refusal);
            }
            _ => {
                self.counts.challenged += 1;
                let refusal = self.authentication.refuse(now, known, Asker::Proxy);
                self.transactions.reject(now, id, &refusal);
            }
        }
    }

    fn called(&self, request: &Request) -> Called {
        let uri = request.uri();
        let number = uri.dialled();
        let routes = &self.topology.routes;
        let commune = request.commune();
        let is_emergency = |number: &String| {
            routes.find(number, commune).is_some()
                || routes.iter().any(|route| route.numbers.contains(number))
        };
        if number.as_ref().is_some_and(is_emergency) {
            return Called::Emergency;
        }
        let user = uri.user().and_then(|user| self.accounts.of_user(user));
        let user = user.or_else(|| self.accounts.of_user(number.as_deref()?));
        let is_here = !uri.is_sip() || self.is_us(uri.host(), uri.ip());
        user.filter(|_| is_here).map_or(Called::Nobody, Called::User)
    }

    /// What we say of a caller whom we know (RFC 3325 §5).
    fn asserted(&self, caller: Option<AccountId>) -> String {
        let Some(account) = caller.and_then(|id| self.accounts.get(id)) else {
            return String::new();
        };
        let user = account.number.as_ref().unwrap_or(&account.name);
        format!("P-Asserted-Identity: <sip:{user}@{}>\r\n", self.settings.realm)
    }

    /// Our Record-Route: the upper value leads to `above`, which gets the request, the lower one back (RFC 5658 §5). `None` is the
    /// network, which is reached by our name.
    fn record_route(
        &self,
        above: Option<PhoneFlow>,
        below: Option<PhoneFlow>,
        is_sips: bool,
    ) -> String {
        let value = |flow: Option<PhoneFlow>| match flow {
            None => self.names.record_route(&self.settings.name, Transport::Udp, is_sips),
            Some(flow) => self.names.record_route(&self.tokens.make(flow), flow.transport, is_sips),
        };
        format!("{}, {}", value(above), value(below))
    }

    fn send_to_trunk_group(
        &mut self,
        now: Instant,
        id: ServerId,
        request: &Request,
        from: PhoneFlow,
        caller: Option<AccountId>,
    ) {
        let Some(group) = self.topology.trunk_group(&self.settings.trunk_group) else {
            return self.transactions.reject(now, id, &Rejection::new(500));
        };
        if secured::is_sips(request) {
            let refusal = self.sips_not_allowed("the network behind this access node has no TLS");
            return self.transactions.reject(now, id, &refusal);
        }
        let place = host_port(group.address);
        let target = Target::to(group.address);
        let (uri, route) = match request.uri().user().filter(|_| request.uri().is_sip()) {
            Some(user) => (Some(format!("sip:{user}@{place}")), None),
            None => (None, Some(format!("<sip:{place};lr>"))),
        };
        let record_route = self.record_route(None, Some(from), false);
        let lines = self.asserted(caller);
        let forward = Forward {
            source: from.peer,
            uri: uri.as_deref(),
            record_route: makes_dialog(request).then_some(&record_route),
            pop_routes: request.own_routes(self.names.addresses()),
            push_route: route.as_deref(),
            lines: lines.as_bytes(),
            without: &WITHOUT,
        };
        if request.method() == Method::Invite {
            let fork = self.open_fork(now, id, request, from);
            let owner = Owner::Fork(fork);
            let client = self.transactions.forward(now, request, &forward, target, owner);
            self.add_branch(fork, client, None);
        } else {
            let owner = Owner::Forwarded(id, None);
            self.transactions.forward(now, request, &forward, target, owner);
        }
    }

    /// All telephones of a user get the request.
    fn ring(
        &mut self,
        now: Instant,
        id: ServerId,
        request: &Request,
        from: PhoneFlow,
        account: AccountId,
        caller: Option<AccountId>,
    ) {
        let mut telephones = self.bindings.targets(account, now);
        if telephones.is_empty() {
            let name = self.accounts.get(account).map(|it| it.name.clone()).unwrap_or_default();
            let why = format!("no telephone of {name} is registered");
            self.transactions.reject(now, id, &Rejection::new(480).with_warning(why));
            return;
        }
        if secured::is_sips(request) {
            telephones.iter_mut().for_each(|flows| flows.retain(secured::takes_sips));
            telephones.retain(|flows| !flows.is_empty());
            if telephones.is_empty() {
                let refusal = self.sips_not_allowed("no telephone of the user takes it");
                return self.transactions.reject(now, id, &refusal);
            }
        }
        if request.method() == Method::Invite {
            let fork = self.open_fork(now, id, request, from);
            for flows in telephones {
                self.try_telephone(now, fork, Way { flows, caller });
            }
        } else if let Some(bound) = telephones.swap_remove(0).pop() {
            let owner = Owner::Forwarded(id, Some(bound.flow));
            self.send_to(now, request, from, &bound, caller, owner);
        }
    }

    /// Sends a request to a contact, by its flow. `caller` is the user whose telephone asks, and none for the network.
    pub(crate) fn send_to(
        &mut self,
        now: Instant,
        request: &Request,
        from: PhoneFlow,
        bound: &Bound,
        caller: Option<AccountId>,
        owner: Owner,
    ) -> ClientId {
        // A telephone that calls is reached by its own flow, the network by our name.
        let is_sips = secured::is_sips(request);
        let record_route = self.record_route(Some(bound.flow), caller.map(|_| from), is_sips);
        let uri = secured::called_as(&bound.uri, is_sips);
        let lines = self.asserted(caller);
        let forward = Forward {
            source: from.peer,
            uri: Some(&uri),
            record_route: makes_dialog(request).then_some(&record_route),
            pop_routes: request.own_routes(self.names.addresses()),
            push_route: Some(&*bound.path).filter(|path| !path.is_empty()),
            lines: lines.as_bytes(),
            without: if caller.is_some() { &WITHOUT } else { &WITHOUT[..1] },
        };
        self.transactions.forward(now, request, &forward, bound.flow.target(), owner)
    }
}

impl PhoneFlow {
    /// That way, and no other: whoever is behind a translator is nowhere else.
    pub(crate) const fn target(self) -> Target {
        Target { peer: self.peer, transport: Some(self.transport), otherwise: None }
    }
}

/// Requests after which others follow inside a dialog (RFC 3261 §16.6 item 4).
fn makes_dialog(request: &Request) -> bool {
    matches!(request.method(), Method::Invite | Method::Subscribe | Method::Refer)
}
