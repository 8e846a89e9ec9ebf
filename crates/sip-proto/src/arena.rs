//! Values in slots, each under a name of its own.
//!
//! ```text
//!   insert ──► Key { slot, nonce } ──► get, get_mut, remove    only while the value is there
//!                                 └──► text ──► parse          across the wire, inside a tag or a branch
//! ```
//!
//! A slot is used again; a name is not: every look-up compares the nonce, so the name of what is over never
//! matches what is new.

use std::marker::PhantomData;

use slab::Slab;

use crate::id::{parse_hex, write_hex};

/// Names one value of an arena, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    slot: u32,
    nonce: u64,
}

impl Key {
    /// The least of all names.
    pub(crate) const FIRST: Self = Self { slot: 0, nonce: 0 };
    /// The greatest of all names.
    pub(crate) const LAST: Self = Self { slot: u32::MAX, nonce: u64::MAX };
    /// The length of every text of a name.
    pub(crate) const TEXT_LEN: usize = 33;

    /// A name that no arena gives.
    pub(crate) const fn of_nothing(nonce: u64) -> Self {
        Self { slot: u32::MAX, nonce }
    }

    pub(crate) const fn nonce(self) -> u64 {
        self.nonce
    }

    /// Where the value stands: the whole name of what is known to be there.
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// Writes the name as two numbers of 16 digits and a dot, into as many bytes as that has.
    pub(crate) fn write_text(self, out: &mut [u8]) {
        let dot = Self::TEXT_LEN / 2;
        if let Some((slot, [middle, nonce @ ..])) = out.split_at_mut_checked(dot) {
            *middle = b'.';
            write_hex(slot, self.slot.into());
            write_hex(nonce, self.nonce);
        }
    }

    /// Adds the same.
    pub(crate) fn push_text(self, out: &mut String) {
        let mut text = [0; Self::TEXT_LEN];
        self.write_text(&mut text);
        out.push_str(str::from_utf8(&text).unwrap_or_default());
    }

    /// Reads what [`push_text`](Self::push_text) has written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Where the dot stands in every text that is ours.
        let dot = Self::TEXT_LEN / 2;
        let (slot, nonce) = match text.as_bytes().get(dot) {
            Some(b'.') => (text.get(..dot)?, text.get(dot + 1..)?),
            _ => text.split_once('.')?,
        };
        Some(Self { slot: parse_hex(slot)?.try_into().ok()?, nonce: parse_hex(nonce)? })
    }
}

/// Declares a type for the names of one kind of value, so that none is looked up among those of another kind.
#[macro_export]
macro_rules! key_type {
    ($(#[$attribute:meta])* $visibility:vis struct $Name:ident;) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility struct $Name($crate::arena::Key);

        impl From<$crate::arena::Key> for $Name {
            fn from(key: $crate::arena::Key) -> Self {
                Self(key)
            }
        }

        impl From<$Name> for $crate::arena::Key {
            fn from(name: $Name) -> Self {
                name.0
            }
        }
    };
}

/// See the module's picture. `K` is declared with [`key_type!`](crate::key_type).
#[derive(Debug)]
pub struct Arena<K, T> {
    slots: Slab<(u64, T)>,
    /// The last nonce that the arena has counted itself.
    counted: u64,
    keys: PhantomData<K>,
}

impl<K, T> Default for Arena<K, T> {
    fn default() -> Self {
        Self { slots: Slab::new(), counted: 0, keys: PhantomData }
    }
}

impl<K: From<Key> + Into<Key>, T> Arena<K, T> {
    /// Adds a value under a name that is counted.
    pub fn insert(&mut self, value: T) -> K {
        self.counted += 1;
        self.insert_with(self.counted, |_| value)
    }

    /// Adds the value that `make` makes of its name, for which the caller has drawn `nonce`. It must not have been the
    /// nonce of this slot before: 64 random bits are not.
    pub fn insert_with(&mut self, nonce: u64, make: impl FnOnce(K) -> T) -> K {
        let place = self.slots.vacant_entry();
        let slot = u32::try_from(place.key()).expect("memory ends before 2^32 values");
        let key = Key { slot, nonce };
        place.insert((nonce, make(key.into())));
        key.into()
    }

    #[must_use]
    pub fn get(&self, key: K) -> Option<&T> {
        let Key { slot, nonce } = key.into();
        self.slots.get(slot as usize).filter(|(have, _)| *have == nonce).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let Key { slot, nonce } = key.into();
        self.slots.get_mut(slot as usize).filter(|(have, _)| *have == nonce).map(|(_, value)| value)
    }

    /// The value in a slot, with its name.
    #[must_use]
    pub fn at(&self, slot: u32) -> Option<(K, &T)> {
        self.slots.get(slot as usize).map(|(nonce, value)| (name(slot as usize, *nonce), value))
    }

    /// Takes a value out. Its name matches nothing from now on.
    pub fn remove(&mut self, key: K) -> Option<T> {
        let Key { slot, nonce } = key.into();
        self.slots.get(slot as usize).filter(|(have, _)| *have == nonce)?;
        self.slots.try_remove(slot as usize).map(|(_, value)| value)
    }

    /// All names with their values, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.slots.iter().map(|(slot, (nonce, value))| (name(slot, *nonce), value))
    }

    /// The same, and the values may be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (K, &mut T)> {
        self.slots.iter_mut().map(|(slot, (nonce, value))| (name(slot, *nonce), value))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

fn name<K: From<Key>>(slot: usize, nonce: u64) -> K {
    Key { slot: slot as u32, nonce }.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_name_of_what_is_over_never_matches_what_is_new() {
        let mut arena: Arena<Key, char> = Arena::default();
        let old = arena.insert('a');
        assert_eq!(arena.remove(old), Some('a'));
        let new = arena.insert('b');
        assert_eq!((new.slot, old.slot), (0, 0), "the slot is used again");
        assert_eq!(arena.get(old), None);
        assert_eq!(arena.get_mut(old), None);
        assert_eq!(arena.remove(old), None);
        assert_eq!(arena.get(new), Some(&'b'));
    }

    #[test]
    fn a_value_may_know_its_name() {
        let mut arena: Arena<Key, Key> = Arena::default();
        let key = arena.insert_with(7, |key| key);
        assert_eq!(arena.get(key), Some(&key));
        assert_eq!(key.nonce(), 7);
    }

    #[test]
    fn names_cross_the_wire() {
        let key = Key { slot: 0xab, nonce: u64::MAX - 1 };
        let mut text = String::new();
        key.push_text(&mut text);
        assert_eq!(text, "00000000000000ab.fffffffffffffffe");
        assert_eq!((Key::parse(&text), text.len()), (Some(key), Key::TEXT_LEN));
        for text in ["", ".", "1", "1.", "x.1", "1.x", "+1.1", "100000000.1", "1.00000000000000001"]
        {
            assert_eq!(Key::parse(text), None, "{text:?}");
        }
        assert_eq!(Arena::<Key, ()>::default().get(Key::of_nothing(1)), None);
    }

    proptest! {
        // Whatever is inserted and removed in whatever order, an arena is a map that never uses a name twice.
        #[test]
        fn an_arena_is_a_map_with_names_of_its_own(steps in prop::collection::vec(any::<(bool, u8)>(), 0..200)) {
            let (mut arena, mut model): (Arena<Key, usize>, _) = (Arena::default(), BTreeMap::new());
            let mut given = Vec::new();
            for (at, (inserts, which)) in steps.into_iter().enumerate() {
                if inserts || given.is_empty() {
                    let key = arena.insert(at);
                    prop_assert!(!given.contains(&key), "{key:?} names two values");
                    given.push(key);
                    model.insert(key, at);
                } else {
                    // Live or dead.
                    let key = given[usize::from(which) % given.len()];
                    prop_assert_eq!(arena.remove(key), model.remove(&key));
                }
                for key in &given {
                    prop_assert_eq!(arena.get(*key), model.get(key));
                }
                prop_assert_eq!(arena.len(), model.len());
                prop_assert!(arena.iter().eq(model.iter().map(|(key, value)| (*key, value))));
            }
        }
    }
}
