//! Where the users of an access node are: the location service of its registrar (RFC 3261 §10.2, RFC 5626 §6).

use std::net::SocketAddr;
use std::time::Instant;

use hashbrown::HashMap;
use sip_proto::Transport;

use crate::accounts::AccountId;

/// The way of a telephone's own messages: the connection, or where its datagrams come from. Whatever it writes of itself, this is
/// how it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PhoneFlow {
    pub(crate) peer: SocketAddr,
    pub(crate) transport: Transport,
}

/// One contact of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) uri: Box<str>,
    /// In thousandths.
    pub(crate) preference: u16,
    pub(crate) instance: Option<Box<str>>,
    pub(crate) reg_id: Option<u32>,
    pub(crate) call_id: Box<str>,
    pub(crate) sequence: u32,
    pub(crate) until: Instant,
    /// The Path of its REGISTER, from us to it (RFC 3327 §5.3).
    pub(crate) path: Box<str>,
    pub(crate) flow: PhoneFlow,
    /// Counted at each REGISTER: the newest of several flows of one telephone is tried first (RFC 5626 §5.3).
    pub(crate) age: u64,
}

impl Bound {
    /// Whether a new contact takes the place of this one: it is the same flow of the same telephone, whatever its address is now
    /// (RFC 5626 §6), or the same address.
    pub(crate) fn is_replaced_by(&self, other: &Self) -> bool {
        match (&self.instance, self.reg_id, &other.instance, other.reg_id) {
            (Some(instance), Some(id), Some(others), Some(others_id)) => {
                instance == others && id == others_id
            }
            _ => self.uri == other.uri,
        }
    }

    /// Whole seconds that it has left.
    pub(crate) fn seconds_left(&self, now: Instant) -> u64 {
        self.until.saturating_duration_since(now).as_millis().div_ceil(1_000) as u64
    }
}

/// All contacts of all users.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    of: HashMap<AccountId, Vec<Bound>>,
    registered: u64,
}

impl Bindings {
    /// Those of one user that are not over.
    pub(crate) fn of(&self, account: AccountId, now: Instant) -> impl Iterator<Item = &Bound> {
        self.of.get(&account).into_iter().flatten().filter(move |bound| bound.until > now)
    }

    /// The number of the next REGISTER.
    pub(crate) fn next_age(&mut self) -> u64 {
        self.registered += 1;
        self.registered
    }

    /// Puts these in the place of all that the user has.
    pub(crate) fn replace(&mut self, account: AccountId, bound: Vec<Bound>) {
        if bound.is_empty() {
            self.of.remove(&account);
        } else {
            self.of.insert(account, bound);
        }
    }

    /// Forgets a flow that is dead; tells whether there was one.
    pub(crate) fn forget_flow(&mut self, flow: PhoneFlow) -> bool {
        let before = self.len();
        self.retain(|bound| bound.flow != flow);
        before != self.len()
    }

    /// Forgets what is over of one user, and returns how many that were.
    pub(crate) fn forget_over_of(&mut self, account: AccountId, now: Instant) -> usize {
        let Some(bounds) = self.of.get_mut(&account) else { return 0 };
        let before = bounds.len();
        bounds.retain(|bound| bound.until > now);
        let forgotten = before - bounds.len();
        if bounds.is_empty() {
            self.of.remove(&account);
        }
        forgotten
    }

    fn retain(&mut self, keep: impl Fn(&Bound) -> bool) {
        for bounds in self.of.values_mut() {
            bounds.retain(&keep);
        }
        self.of.retain(|_, bounds| !bounds.is_empty());
    }

    /// Contacts in all.
    pub(crate) fn len(&self) -> usize {
        self.of.values().map(Vec::len).sum()
    }

    /// Users with a contact.
    pub(crate) fn users(&self) -> usize {
        self.of.len()
    }

    /// Where to try a call for this user: each telephone once, by its newest flow first; telephones by preference.
    pub(crate) fn targets(&self, account: AccountId, now: Instant) -> Vec<Vec<Bound>> {
        let mut telephones: Vec<Vec<Bound>> = Vec::new();
        for bound in self.of(account, now) {
            let same = |flows: &&mut Vec<Bound>| {
                bound.instance.is_some()
                    && flows.first().is_some_and(|one| one.instance == bound.instance)
            };
            match telephones.iter_mut().find(same) {
                Some(flows) => flows.push(bound.clone()),
                None => telephones.push(vec![bound.clone()]),
            }
        }
        for flows in &mut telephones {
            // The last one is tried first.
            flows.sort_by_key(|bound| bound.age);
        }
        telephones.sort_by_key(|flows| std::cmp::Reverse(flows.last().map(|it| it.preference)));
        telephones
    }
}
