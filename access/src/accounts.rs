//! Who may register here, and by which numbers they are called.

use hashbrown::HashMap;
use sip_proto::digest::Secret;

/// One user of an access node.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user part of its address of record, and its user name in credentials.
    pub name: Box<str>,
    /// The number by which others know it, if it has one.
    pub number: Option<Box<str>>,
    pub secret: Secret,
}

/// Where an account stands in [`Accounts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AccountId(u32);

/// All accounts of an access node.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    all: Vec<Account>,
    by_user: HashMap<Box<str>, AccountId>,
}

impl Accounts {
    pub(crate) fn new(all: Vec<Account>) -> Self {
        let mut by_user = HashMap::new();
        for (place, account) in (0..).zip(&all) {
            let users = [Some(&account.name), account.number.as_ref()].into_iter().flatten();
            by_user.extend(users.map(|user| (user.clone(), AccountId(place))));
        }
        Self { all, by_user }
    }

    pub(crate) fn get(&self, id: AccountId) -> Option<&Account> {
        self.all.get(id.0 as usize)
    }

    /// The account that this user part of a URI means: its name or its number.
    pub(crate) fn of_user(&self, user: &str) -> Option<AccountId> {
        self.by_user.get(user).copied()
    }

    /// The account of this name.
    pub(crate) fn named(&self, name: &str) -> Option<AccountId> {
        self.of_user(name).filter(|id| self.get(*id).is_some_and(|account| &*account.name == name))
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}
