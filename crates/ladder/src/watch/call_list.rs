//! Messages sorted into calls: all legs of an attempt are one, where something joins them.

use std::collections::HashMap;

use crate::capture::WireMessage;
use crate::glance::Glance;
use crate::told::NamedAddress;
use crate::watch::call_row::CallRow;

/// The same message seen at both ends, by two agents, comes within this time; again by its sender only later.
const TWICE_US: u64 = 100_000;
/// Messages that are kept of one call.
const MOST_MESSAGES: usize = 2_000;

/// Calls in the order in which they began.
#[derive(Debug, Default)]
pub struct CallList {
    names: Vec<NamedAddress>,
    calls: Vec<Option<Call>>,
    /// By Call-ID, half of a Session-ID, or what a capture agent says: which call.
    known: HashMap<String, usize>,
    first: usize,
    most: usize,
    held: usize,
}

#[derive(Debug)]
struct Call {
    row: CallRow,
    messages: Vec<WireMessage>,
    keys: Vec<String>,
}

impl CallList {
    /// A list of at most so many calls: the oldest go.
    #[must_use]
    pub fn new(names: Vec<NamedAddress>, most: usize) -> Self {
        Self { names, most: most.max(1), ..Self::default() }
    }

    /// Takes a message; `correlation` is what a capture agent says of the call that it belongs to. Returns the number of its call.
    pub fn take(&mut self, message: WireMessage, correlation: Option<&str>) -> Option<usize> {
        let glance = Glance::of(&message.bytes)?;
        let mut keys = vec![format!("i {}", glance.call_id())];
        keys.extend(
            glance
                .session_halves()
                .into_iter()
                .filter(|half| !is_nil(half))
                .map(|half| format!("s {half}")),
        );
        keys.extend(correlation.map(|correlation| format!("c {correlation}")));
        let number = match keys.iter().find_map(|key| self.known.get(key)) {
            Some(number) => *number,
            None => self.begin(message.at_us),
        };
        for key in keys {
            match self.known.get(&key) {
                Some(other) if *other != number => self.merge(*other, number),
                Some(_) => continue,
                None => {}
            }
            if let Some(call) = self.calls.get_mut(number - self.first).and_then(Option::as_mut) {
                call.keys.push(key.clone());
                self.known.insert(key, number);
            }
        }
        let call = self.calls.get_mut(number - self.first)?.as_mut()?;
        let is_twice = call.messages.iter().rev().take(16).any(|known| {
            known.bytes == message.bytes
                && (known.from, known.to) == (message.from, message.to)
                && known.at_us.abs_diff(message.at_us) < TWICE_US
        });
        if !is_twice {
            call.row.take(&message, &glance, &self.names);
            if call.messages.len() < MOST_MESSAGES {
                call.messages.push(message);
            }
        }
        Some(number)
    }

    fn begin(&mut self, at_us: u64) -> usize {
        while self.held >= self.most {
            match self.calls.first_mut().and_then(Option::take) {
                Some(call) => self.forget(&call),
                None if self.calls.is_empty() => break,
                None => {}
            }
            self.calls.remove(0);
            self.first += 1;
        }
        self.calls.push(Some(Call {
            row: CallRow::new(at_us),
            messages: Vec::new(),
            keys: Vec::new(),
        }));
        self.held += 1;
        self.first + self.calls.len() - 1
    }

    fn forget(&mut self, call: &Call) {
        self.held -= 1;
        for key in &call.keys {
            self.known.remove(key);
        }
    }

    /// Two calls turn out to be one.
    fn merge(&mut self, from: usize, into: usize) {
        let taken = from
            .checked_sub(self.first)
            .and_then(|at| self.calls.get_mut(at))
            .and_then(Option::take);
        let Some(mut other) = taken else { return };
        self.forget(&other);
        let Some(call) = self.calls.get_mut(into - self.first).and_then(Option::as_mut) else {
            return;
        };
        call.messages.append(&mut other.messages);
        call.messages.sort_by_key(|message| message.at_us);
        call.messages.truncate(MOST_MESSAGES);
        call.row = CallRow::new(call.row.start_us.min(other.row.start_us));
        for message in &call.messages {
            if let Some(glance) = Glance::of(&message.bytes) {
                call.row.take(message, &glance, &self.names);
            }
        }
        for key in other.keys {
            self.known.insert(key.clone(), into);
            call.keys.push(key);
        }
    }

    /// The calls with their numbers, in the order in which they began.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &CallRow)> {
        let calls = self.calls.iter().enumerate();
        calls.filter_map(|(at, call)| Some((self.first + at, &call.as_ref()?.row)))
    }

    /// One call.
    #[must_use]
    pub fn row(&self, number: usize) -> Option<&CallRow> {
        Some(&self.call(number)?.row)
    }

    /// Its messages, as they came.
    #[must_use]
    pub fn messages(&self, number: usize) -> &[WireMessage] {
        self.call(number).map_or(&[], |call| &call.messages)
    }

    fn call(&self, number: usize) -> Option<&Call> {
        self.calls.get(number.checked_sub(self.first)?)?.as_ref()
    }

    /// Who has which address.
    #[must_use]
    pub fn names(&self) -> &[NamedAddress] {
        &self.names
    }

    /// Forgets all calls.
    pub fn clear(&mut self) {
        self.first += self.calls.len();
        self.calls.clear();
        self.known.clear();
        self.held = 0;
    }
}

/// The nil UUID of RFC 7989 §5: nobody yet.
fn is_nil(half: &str) -> bool {
    half.bytes().all(|digit| digit == b'0')
}
