//! The records of boxes as they come in, compact. Pages that were filled apart are put together.

use super::audit::Faults;
use super::slip::{NOTHING, Names, Slip};
use crate::entry::{Entry, Heard};
use crate::record::{BoxKind, CallerClass, Outcome};

/// Slips are kept in so many piles, by the first bits of the attempt: each grows and is sorted by itself.
const PILES: usize = 64;
/// Bytes of a usual record in its file, rather too few: room that is not used costs nothing.
const RECORD: u64 = 400;
/// A file may have holes, and its length say nothing.
const MOST_EXPECTED: u64 = 16_000_000;

/// Records, compact.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) piles: Vec<Vec<Slip>>,
    pub(super) names: Names,
    pub(super) callers: Vec<Caller>,
    pub(super) sounds: Vec<Sound>,
    /// Numbers, communes and Call-IDs of callers, one after the other.
    pub(super) texts: String,
    pub(super) faults: Faults,
}

/// What only the record of a caller says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    intended_us: Option<u64>,
    bye_us: Option<u64>,
    caller: Option<u64>,
    nth: Option<u32>,
    class: Option<CallerClass>,
    /// Where its texts begin, and how long each of them is.
    text: usize,
    number: u32,
    commune: Option<u32>,
    call_id: u32,
    /// What the caller heard.
    sound: u32,
}

/// A stream at its end, as small as it can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sound {
    verdict: Option<media::Verdict>,
    /// In hundredths.
    mos: Option<u16>,
    received: u32,
    expected: u32,
    lost: u32,
    discarded: u32,
    jitter_us: u32,
    round_trip_us: Option<u32>,
    stopped_us: Option<u32>,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self {
            piles: vec![Vec::new(); PILES],
            names: Names::new(),
            callers: Vec::new(),
            sounds: Vec::new(),
            texts: String::new(),
            faults: Faults::default(),
        }
    }

    /// Takes one record of any box.
    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        let at = |what: &str| {
            let Entry { attempt, kind, node, .. } = entry;
            format!("record of attempt {} in {kind} {}: {what}", &**attempt, &**node)
        };
        let Some(key) = entry.attempt_key() else {
            self.faults.add(|| at("the attempt id is not 32 hexadecimal digits"));
            return;
        };
        if let Some((later, earlier)) = disorder(entry) {
            self.faults.add(|| at(&format!("{later} is before {earlier}")));
        }
        if entry.outcome == Outcome::Answered && entry.answer_us.is_none() {
            self.faults.add(|| at("it is answered but has no answer time"));
        }
        let mut slip = Slip::new(key, entry, &mut self.names);
        match entry.kind {
            BoxKind::Generator => slip.rest = self.keep_caller(entry),
            BoxKind::Psap => slip.rest = self.keep_sound(entry.heard.as_ref()),
            BoxKind::TrunkGroup | BoxKind::CallServer => {}
        }
        self.piles[pile(key)].push(slip);
    }

    fn keep_caller(&mut self, entry: &Entry<'_>) -> u32 {
        let commune = entry.commune.as_deref();
        let caller = Caller {
            intended_us: entry.intended_us,
            bye_us: entry.bye_us,
            caller: entry.caller,
            nth: entry.attempt_of_caller,
            class: entry.class,
            text: self.texts.len(),
            number: length(&entry.number),
            commune: commune.map(length),
            call_id: length(&entry.call_id),
            sound: self.keep_sound(entry.heard.as_ref()),
        };
        for text in [&*entry.number, commune.unwrap_or_default(), &*entry.call_id] {
            self.texts.push_str(text);
        }
        self.callers.push(caller);
        place_of_last(&self.callers)
    }

    fn keep_sound(&mut self, heard: Option<&Heard>) -> u32 {
        let Some(heard) = heard else { return NOTHING };
        self.sounds.push(Sound::from(heard));
        place_of_last(&self.sounds)
    }

    /// Makes room for the records of so many bytes of files, which saves moving them again and again.
    pub(super) fn expect(&mut self, bytes: u64) {
        let records = (bytes / RECORD).min(MOST_EXPECTED) as usize;
        self.piles.iter_mut().for_each(|pile| pile.reserve(records / PILES));
        self.callers.reserve(records / 4);
        self.sounds.reserve(records / 2);
        self.texts.reserve(records / 4 * 64);
    }

    /// Takes all that `other` has, which is empty then and keeps its memory.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        let renamed = self.names.take_in(&other.names);
        other.names.clear();
        let shift = |base: usize, place: &mut u32| {
            if *place != NOTHING {
                *place = u32::try_from(base + *place as usize).unwrap_or(NOTHING);
            }
        };
        let (callers, sounds) = (self.callers.len(), self.sounds.len());
        for (pile, others) in self.piles.iter_mut().zip(&mut other.piles) {
            pile.extend(others.drain(..).map(|mut slip| {
                slip.rename(|name| renamed.place(name));
                let is_caller = slip.kind == BoxKind::Generator;
                shift(if is_caller { callers } else { sounds }, &mut slip.rest);
                slip
            }));
        }
        let text = self.texts.len();
        self.callers.extend(other.callers.drain(..).map(|mut caller| {
            shift(sounds, &mut caller.sound);
            caller.text += text;
            caller
        }));
        self.sounds.append(&mut other.sounds);
        self.texts.push_str(&other.texts);
        other.texts.clear();
        self.faults.absorb(std::mem::take(&mut other.faults));
    }

    /// Brings the slips in order, with all processors.
    pub(super) fn sort(&mut self) {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let few = self.piles.iter().map(Vec::len).sum::<usize>() < 10_000;
        if few || threads == 1 {
            return self.piles.iter_mut().for_each(|pile| pile.sort_unstable());
        }
        std::thread::scope(|scope| {
            for piles in self.piles.chunks_mut(PILES.div_ceil(threads)) {
                scope.spawn(|| piles.iter_mut().for_each(|pile| pile.sort_unstable()));
            }
        });
    }

    /// The record behind a slip, as far as it was kept.
    pub(super) fn entry(&self, slip: &Slip) -> Entry<'_> {
        let mut entry = slip.entry(&self.names);
        let sound = |place: u32| self.sounds.get(place as usize).map(Heard::from);
        match slip.kind {
            BoxKind::Psap => entry.heard = sound(slip.rest),
            BoxKind::Generator => {
                let Some(caller) = self.callers.get(slip.rest as usize) else { return entry };
                entry.intended_us = caller.intended_us;
                entry.bye_us = caller.bye_us;
                entry.caller = caller.caller;
                entry.attempt_of_caller = caller.nth;
                entry.class = caller.class;
                entry.heard = sound(caller.sound);
                let mut rest = &self.texts[caller.text..];
                let mut text = |length: u32| {
                    let (text, after) = rest.split_at(length as usize);
                    rest = after;
                    text
                };
                entry.number = text(caller.number).into();
                entry.commune = caller.commune.map(|length| text(length).into());
                entry.call_id = text(caller.call_id).into();
            }
            BoxKind::TrunkGroup | BoxKind::CallServer => {}
        }
        entry
    }
}

/// The pile of an attempt.
pub(super) const fn pile(attempt: u128) -> usize {
    (attempt >> 122) as usize
}

fn place_of_last<T>(rows: &[T]) -> u32 {
    u32::try_from(rows.len() - 1).unwrap_or(NOTHING)
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).expect("a line of a record file is shorter than 4 GiB")
}

/// The first pair of times that is in the wrong order, as (later, earlier).
fn disorder(entry: &Entry<'_>) -> Option<(&'static str, &'static str)> {
    let times = [
        ("the intended start", entry.intended_us),
        ("the start", Some(entry.start_us)),
        ("ringing", entry.ring_us),
        ("the answer", entry.answer_us),
        ("the end", Some(entry.end_us)),
    ];
    let mut earlier: Option<(&str, u64)> = None;
    for (name, at) in times.into_iter().filter_map(|(name, at)| Some((name, at?))) {
        if let Some((before, limit)) = earlier
            && at < limit
        {
            return Some((name, before));
        }
        earlier = Some((name, at));
    }
    None
}

impl From<&Heard> for Sound {
    fn from(heard: &Heard) -> Self {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            verdict: heard.verdict,
            mos: heard.mos.map(|mos| (mos * 100.0).round() as u16),
            received: small(heard.received),
            expected: small(heard.expected),
            lost: small(heard.lost),
            discarded: small(heard.discarded),
            jitter_us: small(heard.mean_jitter_us),
            round_trip_us: heard.round_trip_us.map(small),
            stopped_us: heard.stopped_us.map(small),
        }
    }
}

impl From<&Sound> for Heard {
    fn from(sound: &Sound) -> Self {
        Self {
            verdict: sound.verdict,
            received: sound.received.into(),
            expected: sound.expected.into(),
            lost: sound.lost.into(),
            discarded: sound.discarded.into(),
            mean_jitter_us: sound.jitter_us.into(),
            round_trip_us: sound.round_trip_us.map(u64::from),
            mos: sound.mos.map(|mos| f64::from(mos) / 100.0),
            stopped_us: sound.stopped_us.map(u64::from),
        }
    }
}
