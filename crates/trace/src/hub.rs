//! What the recorders of a process tell each other: which attempts ended badly, and what is kept.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use crate::entry::KeptCall;
use crate::keep::Keep;

/// Attempts that are remembered as wanted: a recorder that has not looked for longer misses the oldest.
const MOST_WANTED: usize = 65_536;

/// MiB for packets of media for each that a recorder has for messages.
const FOR_MEDIA: u32 = 4;

/// Bytes that each recorder of a process may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecorderMemory {
    pub messages: usize,
    /// With none, packets of media are not kept.
    pub media: usize,
}

impl RecorderMemory {
    /// So many MiB for messages, and, if packets of media are kept too, four times as much for them.
    #[must_use]
    pub const fn of_mib(mib: u32, keeps_media: bool) -> Self {
        let media = if keeps_media { FOR_MEDIA * mib } else { 0 };
        Self { messages: (mib as usize) << 20, media: (media as usize) << 20 }
    }
}

/// Joins the recorders of a process; cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    keep: Keep,
    memory: RecorderMemory,
    /// How many attempts have been wanted so far, to be looked at without a lock.
    wanted_so_far: AtomicU64,
    wanted: Mutex<Wanted>,
    kept: Mutex<Box<dyn FnMut(KeptCall) -> bool + Send>>,
    tally: KeptTally,
}

#[derive(Default)]
struct Wanted {
    /// In the order in which they were wanted; the last is number `wanted_so_far - 1`.
    attempts: VecDeque<u128>,
    known: HashSet<u128>,
    /// Those that a box of this process saw end badly, and that other processes have not been told of.
    to_tell: Vec<u128>,
}

/// What has become of calls so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeptCounts {
    /// Parts of calls that were kept, one for each box.
    pub kept: u64,
    /// Of these, the parts whose beginning was gone.
    pub cut: u64,
    /// Parts that found no room where they were to go.
    pub dropped: u64,
    /// Nothing is kept any more: the place where it was to go takes no more, as a disk that is full.
    #[serde(default)]
    pub stopped: bool,
    /// Packets of media that were not kept of calls that were: there were too many, or there was no room.
    #[serde(default)]
    pub media_dropped: u64,
}

/// The counts of a hub, for whoever writes what is kept; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct KeptTally(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    counts: KeptCounts,
    /// Parts that were taken, and of which whoever writes them has not spoken yet.
    unwritten: u64,
}

impl KeptTally {
    /// From now on nothing is kept; of what was taken, so many parts did not come to where they were to go.
    pub fn note_stopped(&self, unwritten: u64) {
        let mut counted = lock(&self.0);
        counted.unwritten = 0;
        let counts = &mut counted.counts;
        counts.stopped = true;
        counts.kept = counts.kept.saturating_sub(unwritten);
        counts.dropped += unwritten;
    }

    /// So many parts have come to where they were to go.
    pub fn note_written(&self, parts: u64) {
        let mut counted = lock(&self.0);
        counted.unwritten = counted.unwritten.saturating_sub(parts);
    }

    /// So many packets of media of calls that are kept are not.
    pub fn note_media_dropped(&self, packets: u64) {
        if packets > 0 {
            lock(&self.0).counts.media_dropped += packets;
        }
    }

    /// The counts so far.
    #[must_use]
    pub fn read(&self) -> KeptCounts {
        lock(&self.0).counts
    }

    fn count(&self, is_taken: bool, is_cut: bool) {
        let mut counted = lock(&self.0);
        counted.unwritten += u64::from(is_taken);
        let counts = &mut counted.counts;
        counts.kept += u64::from(is_taken);
        counts.cut += u64::from(is_taken && is_cut);
        counts.dropped += u64::from(!is_taken);
    }
}

impl Hub {
    /// A hub whose recorders have so much memory each; `kept` takes what they keep, and says whether it could.
    #[must_use]
    pub fn new(
        keep: Keep,
        memory: RecorderMemory,
        kept: impl FnMut(KeptCall) -> bool + Send + 'static,
    ) -> Self {
        Self::counting(keep, memory, KeptTally::default(), kept)
    }

    /// The same, for whose `kept` counts too.
    #[must_use]
    pub fn counting(
        keep: Keep,
        memory: RecorderMemory,
        tally: KeptTally,
        kept: impl FnMut(KeptCall) -> bool + Send + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            keep,
            memory,
            wanted_so_far: AtomicU64::new(0),
            wanted: Mutex::default(),
            kept: Mutex::new(Box::new(kept)),
            tally,
        }))
    }

    /// Which calls are kept.
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.0.keep
    }

    pub(crate) fn memory(&self) -> RecorderMemory {
        self.0.memory
    }

    /// These attempts ended badly, as another process says.
    pub fn want(&self, attempts: impl IntoIterator<Item = u128>) {
        let mut wanted = lock(&self.0.wanted);
        for attempt in attempts {
            self.add(&mut wanted, attempt);
        }
    }

    /// A box of this process saw it end badly.
    pub(crate) fn saw_bad_end(&self, attempt: u128) {
        let mut wanted = lock(&self.0.wanted);
        if self.add(&mut wanted, attempt) && wanted.to_tell.len() < MOST_WANTED {
            wanted.to_tell.push(attempt);
        }
    }

    fn add(&self, wanted: &mut Wanted, attempt: u128) -> bool {
        if !wanted.known.insert(attempt) {
            return false;
        }
        wanted.attempts.push_back(attempt);
        if wanted.attempts.len() > MOST_WANTED
            && let Some(oldest) = wanted.attempts.pop_front()
        {
            wanted.known.remove(&oldest);
        }
        self.0.wanted_so_far.fetch_add(1, Ordering::Release);
        true
    }

    /// The attempts that ended badly here and of which other processes have not been told.
    #[must_use]
    pub fn take_bad_ends(&self) -> Vec<u128> {
        std::mem::take(&mut lock(&self.0.wanted).to_tell)
    }

    /// What was wanted since `seen`, which is then brought up to date.
    pub(crate) fn wanted_since(&self, seen: &mut u64) -> Vec<u128> {
        if self.0.wanted_so_far.load(Ordering::Acquire) == *seen {
            return Vec::new();
        }
        let wanted = lock(&self.0.wanted);
        let so_far = self.0.wanted_so_far.load(Ordering::Acquire);
        let new = usize::try_from(so_far - *seen).unwrap_or(usize::MAX);
        *seen = so_far;
        let old = wanted.attempts.len().saturating_sub(new);
        wanted.attempts.iter().skip(old).copied().collect()
    }

    pub(crate) fn is_wanted(&self, attempt: u128) -> bool {
        // As long as nothing goes wrong nobody waits for the lock.
        self.0.wanted_so_far.load(Ordering::Acquire) > 0
            && lock(&self.0.wanted).known.contains(&attempt)
    }

    pub(crate) fn keep_call(&self, call: KeptCall) {
        let is_cut = call.is_cut;
        let is_taken = (lock(&self.0.kept))(call);
        self.0.tally.count(is_taken, is_cut);
    }

    /// Its counts, without what makes it keep.
    #[must_use]
    pub fn tally(&self) -> KeptTally {
        self.0.tally.clone()
    }

    /// What has become of calls so far.
    #[must_use]
    pub fn counts(&self) -> KeptCounts {
        self.0.tally.read()
    }

    /// True if a writer of its own has something to write, which may still find no room. Of a hub whose `kept` writes at once it
    /// means nothing.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        let counted = lock(&self.0.tally.0);
        counted.unwritten > 0 && !counted.counts.stopped
    }
}

/// A panic in one box leaves no half of anything here.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("keep", &self.0.keep).finish_non_exhaustive()
    }
}
