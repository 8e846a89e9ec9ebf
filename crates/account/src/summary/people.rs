//! The people behind the attempts, followed through the records of their calls.

use std::time::Duration;

use hashbrown::HashMap;
use operations::supervision::department;
use telemetry::{Attempt, AttemptReader, CallerClass, Entry, Unreached};

use super::tally::UNREACHED;

/// Follows people through the records of their calls, which may come in any order.
#[derive(Debug, Default)]
pub struct People {
    /// By their ids, so many together: a person is called after their first call, so most numbers are those of people.
    pages: HashMap<u64, Box<Page>>,
    words: Words,
}

/// People of a page.
const PAGE: usize = 64;

type Page = [Option<Person>; PAGE];

/// As small as can be: a long campaign has a million of them.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) class: CallerClass,
    pub(super) attempts: u32,
    /// Intended start of the first call, Unix microseconds.
    pub(super) first_us: u64,
    /// Answer of the first call that reached somebody.
    pub(super) reached_us: Option<u64>,
    /// The network cut a conversation.
    was_cut: bool,
    /// Of the first call.
    trunk_group: Word,
    number: Word,
    department: Word,
}

/// A person and what is known of their first call.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    person: &'a Person,
    words: &'a Words,
}

/// Names that come again and again, each kept once.
#[derive(Debug, Default)]
struct Words {
    texts: Vec<Box<str>>,
    places: HashMap<Box<str>, Word>,
}

type Word = u32;

impl People {
    /// Everybody, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Person> {
        self.pages.values().flat_map(|page| page.iter().flatten())
    }

    /// Those whose first call was to an emergency number, in no order.
    pub fn emergency(&self) -> impl Iterator<Item = Caller<'_>> {
        let is_emergency = |person: &&Person| person.class == CallerClass::Emergency;
        self.all().filter(is_emergency).map(|person| Caller { person, words: &self.words })
    }
}

impl AttemptReader for People {
    /// One whose caller names no person counts for none.
    fn add(&mut self, attempt: &Attempt<'_>) {
        let Some(record) = attempt.caller() else { return };
        let (Some(caller), Some(class)) = (record.caller, record.class) else { return };
        let due = record.due_us();
        let page = self
            .pages
            .entry(caller / PAGE as u64)
            .or_insert_with(|| Box::new([const { None }; PAGE]));
        let person = page[(caller % PAGE as u64) as usize].get_or_insert(Person {
            class,
            attempts: 0,
            first_us: u64::MAX,
            reached_us: None,
            was_cut: false,
            trunk_group: 0,
            number: 0,
            department: 0,
        });
        person.attempts += 1;
        if due < person.first_us {
            person.begin(due, record, &mut self.words);
        }
        let unreached = Unreached::of(record);
        person.was_cut |= unreached == Some(Unreached::Cut);
        if let Some(answer) = record.answer_us.filter(|_| unreached.is_none()) {
            let earlier = person.reached_us.unwrap_or(answer);
            person.reached_us = Some(earlier.min(answer));
        }
    }
}

impl Person {
    /// Takes the earliest call so far.
    fn begin(&mut self, due_us: u64, record: &Entry<'_>, words: &mut Words) {
        self.first_us = due_us;
        self.trunk_group = words.place(record.trunk_group.as_deref().unwrap_or(UNREACHED));
        self.number = words.place(&record.number);
        self.department = words.place(department(record.commune.as_deref()));
    }

    /// From the moment at which the first call was due to the answer of the one that reached somebody; `None`: none did.
    pub(super) fn waited(&self) -> Option<Duration> {
        let reached = self.reached_us?;
        Some(Duration::from_micros(reached.saturating_sub(self.first_us)))
    }
}

impl Caller<'_> {
    /// When their first call was due, Unix microseconds.
    #[must_use]
    pub const fn first_us(&self) -> u64 {
        self.person.first_us
    }

    /// How long it took them to reach somebody; `None`: they never did.
    #[must_use]
    pub fn waited(&self) -> Option<Duration> {
        self.person.waited()
    }

    /// Whether the network cut a conversation of theirs.
    #[must_use]
    pub const fn was_cut(&self) -> bool {
        self.person.was_cut
    }

    #[must_use]
    pub fn trunk_group(&self) -> &str {
        self.words.text(self.person.trunk_group)
    }

    /// The number that they dialled first.
    #[must_use]
    pub fn number(&self) -> &str {
        self.words.text(self.person.number)
    }

    #[must_use]
    pub fn department(&self) -> &str {
        self.words.text(self.person.department)
    }
}

impl Words {
    fn place(&mut self, text: &str) -> Word {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = Word::try_from(self.texts.len()).expect("fewer names than attempts");
        self.texts.push(text.into());
        self.places.insert(text.into(), place);
        place
    }

    fn text(&self, place: Word) -> &str {
        self.texts.get(place as usize).map_or("", |text| text)
    }
}
