//! The flight recorder of one box.
//!
//! ```text
//!   in progress ──record──► over ──nobody wants it for LINGER──► forgotten
//!        │                   │ it ended badly here, or was wanted by another box, or was chosen
//!        └──(wanted)──record─┴──► due ──LATE_MESSAGES──► kept
//! ```

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use media::{MediaEvent, MediaSight};
use sip_proto::{Packet, Transport};
use telemetry::CallRecord;

use crate::call_key::CallKey;
use crate::entry::{Direction, KeptCall, TracedBox};
use crate::hub::Hub;
use crate::keep::{Keep, ended_badly};
use crate::media_memory::{MediaMemory, merge};
use crate::notes::Notes;
use crate::ring::{Ring, Sighting};

/// How long a call that is over may still be wanted: the caller may learn 64·T1 later than all others how it ended.
const LINGER: Duration = Duration::from_secs(40);
/// How long a call that is to be kept waits for its last messages: an ACK, a retransmission.
const LATE_MESSAGES: Duration = Duration::from_secs(4);

/// One moment, as boxes see it and as people do.
#[derive(Debug, Clone, Copy)]
pub struct DatedStart {
    pub instant: Instant,
    pub unix_us: u64,
}

/// While a call is to be kept, so many messages are joined to their calls with each new one: the recorder has caught up with its
/// memory before LATE_MESSAGES are over, and no moment has all the work.
const JOINED_AT_ONCE: usize = 4;

/// The record of a call is not older than its first message by more than this, in microseconds.
const AT_ONCE_US: u64 = 100_000;

/// A call that is over.
#[derive(Debug)]
struct Over {
    calls: Vec<CallKey>,
    /// When it began.
    start_us: u64,
}

/// Keeps the last messages of each call of a box.
#[derive(Debug)]
pub struct Recorder {
    hub: Hub,
    seen_by: TracedBox,
    start: DatedStart,
    ring: Ring,
    /// `None`: packets of media are not kept.
    media: Option<MediaMemory>,
    /// Calls that are over, and may yet be wanted.
    over: HashMap<u128, Over>,
    /// When each of these is forgotten.
    forgotten: VecDeque<(Instant, u128)>,
    /// Calls to be kept, and when.
    due: VecDeque<(Instant, u128, Over)>,
    /// How far it has looked into what the hub wants.
    seen: u64,
}

impl Recorder {
    /// The recorder of a box; `None` when nothing is to be kept.
    #[must_use]
    pub fn new(hub: &Hub, seen_by: TracedBox, start: DatedStart) -> Option<Self> {
        (hub.keep() != Keep::Off).then(|| Self {
            hub: hub.clone(),
            seen_by,
            start,
            ring: Ring::new(hub.memory().messages),
            media: Some(hub.memory().media).filter(|it| *it > 0).map(MediaMemory::new),
            over: HashMap::new(),
            forgotten: VecDeque::new(),
            due: VecDeque::new(),
            seen: 0,
        })
    }

    /// Whether it wants to see the packets of media too.
    #[must_use]
    pub const fn keeps_media(&self) -> bool {
        self.media.is_some()
    }

    /// The box received it.
    pub fn received(&mut self, now: Instant, packet: &Packet) {
        self.message(now, Direction::Received, packet.transport, packet.peer, &packet.bytes);
    }

    /// The box sent it.
    pub fn sent(&mut self, now: Instant, packet: &Packet) {
        self.message(now, Direction::Sent, packet.transport, packet.peer, &packet.bytes);
    }

    fn message(
        &mut self,
        now: Instant,
        direction: Direction,
        transport: Transport,
        peer: SocketAddr,
        bytes: &[u8],
    ) {
        let at_us = self.date(now);
        self.put(None, at_us, Sighting::Message { direction, transport, peer, bytes });
    }

    fn put(&mut self, call: Option<CallKey>, at_us: u64, sighting: Sighting<'_>) {
        self.ring.push(call, at_us, sighting);
        if !self.due.is_empty() {
            self.ring.join(JOINED_AT_ONCE);
        }
    }

    /// Takes what the box has noted.
    pub fn noted(&mut self, now: Instant, notes: &mut Notes) {
        let at_us = self.date(now);
        for note in notes.take() {
            self.put(Some(note.call), at_us, Sighting::Note(&note.text));
        }
    }

    /// Takes what was seen of the media of calls.
    pub fn media(&mut self, sights: &[MediaSight]) {
        for sight in sights {
            let (call, at_us) = (CallKey::of_number(sight.call), self.date(sight.at));
            let local = sight.local;
            let (direction, peer, bytes) = match &sight.what {
                MediaEvent::ReportReceived { from, bytes } => (Direction::Received, *from, bytes),
                MediaEvent::ReportSent { to, bytes } => (Direction::Sent, *to, bytes),
                MediaEvent::PacketReceived { from, bytes } => {
                    self.packet(call, at_us, (Direction::Received, local, *from), bytes);
                    continue;
                }
                MediaEvent::PacketSent { to, bytes } => {
                    self.packet(call, at_us, (Direction::Sent, local, *to), bytes);
                    continue;
                }
                event => {
                    let text = media_note(event, local);
                    self.put(Some(call), at_us, Sighting::Note(&text));
                    continue;
                }
            };
            self.put(Some(call), at_us, Sighting::Report { direction, local, peer, bytes });
        }
    }

    fn packet(
        &mut self,
        call: CallKey,
        at_us: u64,
        (direction, local, peer): (Direction, SocketAddr, SocketAddr),
        bytes: &[u8],
    ) {
        if let Some(media) = &mut self.media {
            media.push(call, at_us, Sighting::Media { direction, local, peer, bytes });
        }
    }

    /// The box has written the record of a call that is over.
    pub fn ended(&mut self, now: Instant, record: &CallRecord) {
        let legs = record.legs.iter().map(|leg| &leg.call_id);
        let call_ids = std::iter::once(&record.call_id).chain(legs);
        let calls: Vec<CallKey> =
            call_ids.filter(|id| !id.is_empty()).map(|id| CallKey::of(id)).collect();
        let Some(attempt) = record.attempt_key() else {
            return self.forget(&calls);
        };
        // A record with a dialog is of a telephone that nobody emulates.
        if ended_badly(record) || record.dialog.is_some() {
            self.hub.saw_bad_end(attempt);
        }
        let over = Over { calls, start_us: record.start_us };
        if self.hub.keep().chooses(attempt) || self.hub.is_wanted(attempt) {
            return self.due.push_back((now + LATE_MESSAGES, attempt, over));
        }
        match self.over.entry(attempt) {
            // It came by twice, as after a failover.
            Entry::Occupied(entry) => entry.into_mut().calls.extend(over.calls),
            Entry::Vacant(entry) => {
                entry.insert(over);
                self.forgotten.push_back((now + LINGER, attempt));
            }
        }
    }

    /// What the box has seen of an attempt so far: of one in progress by the Call-IDs of its dialogs, of one that is over without
    /// them, as long as it is not forgotten. Nothing is taken away.
    #[must_use]
    pub fn so_far(&mut self, attempt: u128, call_ids: &[String]) -> Option<KeptCall> {
        let waiting = || self.due.iter().find(|(_, id, _)| *id == attempt).map(|(.., over)| over);
        let over = self.over.get(&attempt).or_else(waiting);
        let named = call_ids.iter().map(|id| CallKey::of(id));
        let mut calls: Vec<CallKey> =
            named.chain(over.into_iter().flat_map(|over| over.calls.iter().copied())).collect();
        calls.sort_unstable();
        calls.dedup();
        let (entries, is_cut) = self.ring.look(&calls);
        let seen_by = self.seen_by.clone();
        (!entries.is_empty()).then_some(KeptCall { attempt, seen_by, is_cut, entries })
    }

    /// Goes on with what waits. To be called now and then: about once a second is enough.
    pub fn look(&mut self, now: Instant) {
        for attempt in self.hub.wanted_since(&mut self.seen) {
            if let Some(over) = self.over.remove(&attempt) {
                self.due.push_back((now + LATE_MESSAGES, attempt, over));
            }
        }
        while let Some((_, attempt)) = self.forgotten.pop_front_if(|(at, _)| *at <= now) {
            if let Some(over) = self.over.remove(&attempt) {
                self.forget(&over.calls);
            }
        }
        while let Some((_, attempt, over)) = self.due.pop_front_if(|(at, ..)| *at <= now) {
            self.keep(attempt, &over);
        }
    }

    /// Keeps at once what is to be kept: the box ends.
    fn finish(&mut self) {
        for attempt in self.hub.wanted_since(&mut self.seen) {
            if let Some(over) = self.over.remove(&attempt) {
                self.keep(attempt, &over);
            }
        }
        while let Some((_, attempt, over)) = self.due.pop_front() {
            self.keep(attempt, &over);
        }
    }

    fn keep(&mut self, attempt: u128, over: &Over) {
        let (mut entries, is_cut) = self.ring.take(&over.calls);
        if let Some(media) = &mut self.media {
            let (packets, gone) = media.take(&over.calls);
            merge(&mut entries, packets, gone);
            self.hub.tally().note_media_dropped(gone);
        }
        if let Some(first) = entries.first() {
            let is_cut = is_cut || first.at_us > over.start_us.saturating_add(AT_ONCE_US);
            let seen_by = self.seen_by.clone();
            self.hub.keep_call(KeptCall { attempt, seen_by, is_cut, entries });
        }
    }

    fn forget(&mut self, calls: &[CallKey]) {
        calls.iter().for_each(|call| self.ring.forget(*call));
        if let Some(media) = &mut self.media {
            media.forget(calls);
        }
    }

    fn date(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start.instant).as_micros();
        self.start.unix_us.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}

/// What happened to the media of a call, as a phrase without its subject.
fn media_note(event: &MediaEvent, local: SocketAddr) -> String {
    match event {
        MediaEvent::Opened => format!("opens {local} for media"),
        MediaEvent::Latched(peer) => format!("hears {peer} at {local}, and answers there"),
        MediaEvent::Stopped => format!("hears nothing any more at {local}"),
        MediaEvent::Resumed => format!("hears media again at {local}"),
        MediaEvent::Closed => format!("closes {local}"),
        MediaEvent::ReportReceived { .. }
        | MediaEvent::ReportSent { .. }
        | MediaEvent::PacketReceived { .. }
        | MediaEvent::PacketSent { .. } => String::new(),
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use telemetry::{BoxKind, Outcome};

    use super::*;
    use crate::entry::{Entry, Seen};
    use crate::hub::RecorderMemory;

    type Kept = Arc<Mutex<Vec<KeptCall>>>;

    fn hub(keep: Keep) -> (Hub, Kept) {
        let kept = Kept::default();
        let into = Arc::clone(&kept);
        (
            Hub::new(keep, RecorderMemory::of_mib(1, true), move |call| {
                into.lock().expect("no panic").push(call);
                true
            }),
            kept,
        )
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do: only differences count")]
    fn start() -> DatedStart {
        DatedStart { instant: Instant::now(), unix_us: 1_000_000 }
    }

    fn recorder(hub: &Hub, name: &str, start: DatedStart) -> Recorder {
        let address = ([127, 0, 0, 1], 5060).into();
        let seen_by = TracedBox { kind: BoxKind::CallServer, name: name.to_owned(), address };
        Recorder::new(hub, seen_by, start).expect("something is kept")
    }

    fn packet(call_id: &str) -> Packet {
        let text = format!("BYE sip:a SIP/2.0\r\nCall-ID: {call_id}\r\n\r\n");
        let peer = ([127, 0, 0, 2], 5060).into();
        Packet { transport: Transport::Udp, peer, bytes: Bytes::from(text) }
    }

    fn record(attempt: u128, call_id: &str, outcome: Outcome) -> CallRecord {
        let id = format!("{attempt:032x}");
        let open = CallRecord::open(BoxKind::CallServer, "alpha", id, 1_000_000);
        CallRecord { call_id: call_id.to_owned(), outcome, ..open }
    }

    #[test]
    fn a_call_that_ends_badly_is_kept_with_its_late_messages_and_no_other() {
        let (hub, kept) = hub(Keep::Failed);
        let start = start();
        let mut alpha = recorder(&hub, "alpha", start);
        let at = |ms| start.instant + Duration::from_millis(ms);
        alpha.received(at(1), &packet("bad"));
        alpha.received(at(2), &packet("good"));
        alpha.sent(at(3), &packet("bad"));
        alpha.ended(at(4), &record(1, "bad", Outcome::Rejected));
        alpha.ended(at(5), &record(2, "good", Outcome::Answered));
        alpha.received(at(6), &packet("bad"));
        alpha.look(at(7));
        assert_eq!(kept.lock().expect("no panic").len(), 0);
        alpha.look(at(5_000));
        let kept = kept.lock().expect("no panic");
        let [call] = &kept[..] else { panic!("one call, not {kept:?}") };
        assert_eq!((call.attempt, call.is_cut, &call.seen_by.name[..]), (1, false, "alpha"));
        let at: Vec<u64> = call.entries.iter().map(|entry| entry.at_us).collect();
        assert_eq!(at, [1_001_000, 1_003_000, 1_006_000]);
        let Seen::Message { direction, bytes, .. } = &call.entries[1].seen else { panic!("sent") };
        assert_eq!((*direction, bytes), (Direction::Sent, &packet("bad").bytes));
    }

    #[test]
    fn what_one_box_saw_end_badly_is_kept_at_all() {
        let (hub, kept) = hub(Keep::Failed);
        let start = start();
        let (mut alpha, mut beta) = (recorder(&hub, "alpha", start), recorder(&hub, "beta", start));
        let at = |s| start.instant + Duration::from_secs(s);
        for recorder in [&mut alpha, &mut beta] {
            recorder.received(at(0), &packet("a"));
        }
        beta.ended(at(1), &record(7, "a", Outcome::Answered));
        // 32 s later the caller learns that nobody is there.
        alpha.ended(at(33), &record(7, "a", Outcome::Lost));
        assert_eq!(hub.take_bad_ends(), [7]);
        beta.look(at(34));
        alpha.finish();
        beta.finish();
        assert_eq!(kept.lock().expect("no panic").len(), 2);
        // Another process says it before the record is written.
        hub.want([8]);
        beta.received(at(40), &packet("b"));
        beta.ended(at(41), &record(8, "b", Outcome::Answered));
        beta.finish();
        assert_eq!(kept.lock().expect("no panic").len(), 3);
        assert_eq!(hub.take_bad_ends(), [0_u128; 0]);
    }

    #[test]
    fn a_call_is_forgotten_when_nobody_can_want_it_any_more() {
        let (hub, kept) = hub(Keep::Failed);
        let start = start();
        let mut alpha = recorder(&hub, "alpha", start);
        let at = |s| start.instant + Duration::from_secs(s);
        alpha.received(at(0), &packet("a"));
        alpha.ended(at(1), &record(7, "a", Outcome::Answered));
        alpha.look(at(42));
        hub.want([7]);
        alpha.finish();
        assert!(kept.lock().expect("no panic").is_empty());
        assert!(alpha.over.is_empty() && alpha.forgotten.is_empty());
    }

    #[test]
    fn what_was_seen_so_far_is_shown_and_stays() {
        let (hub, kept) = hub(Keep::Failed);
        let start = start();
        let mut alpha = recorder(&hub, "alpha", start);
        let at = |s| start.instant + Duration::from_secs(s);
        for call_id in ["a", "other", "b"] {
            alpha.received(at(0), &packet(call_id));
        }
        let call_ids = ["a", "b", "a"].map(str::to_owned);
        let seen = |alpha: &mut Recorder, ids: &[String]| {
            alpha.so_far(7, ids).map_or(0, |call| call.entries.len())
        };
        assert_eq!(seen(&mut alpha, &call_ids), 2);
        assert_eq!(seen(&mut alpha, &call_ids), 2, "nothing was taken away");
        assert_eq!(seen(&mut alpha, &[]), 0, "in progress it is found by its Call-IDs alone");
        // Over, it is found by its attempt until it is forgotten or kept.
        alpha.ended(at(1), &record(7, "a", Outcome::Answered));
        assert_eq!(seen(&mut alpha, &[]), 1);
        hub.want([7]);
        alpha.look(at(2));
        assert_eq!(seen(&mut alpha, &[]), 1, "it waits for its last messages");
        alpha.look(at(9));
        assert_eq!((seen(&mut alpha, &[]), kept.lock().expect("no panic").len()), (0, 1));
    }

    #[test]
    fn packets_of_media_are_kept_with_their_call() {
        let (hub, kept) = hub(Keep::Failed);
        let start = start();
        let mut alpha = recorder(&hub, "alpha", start);
        let at = |ms| start.instant + Duration::from_millis(ms);
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let mut sees = |ms, call_id: &str, what| {
            let (call, local) = (CallKey::of(call_id).number(), address(40_000));
            alpha.media(&[MediaSight { call, at: at(ms), local, what }]);
        };
        let (from, bytes) = (address(50_000), vec![0x80; 172]);
        sees(2, "bad", MediaEvent::PacketReceived { from, bytes: bytes.clone() });
        sees(4, "bad", MediaEvent::PacketSent { to: from, bytes: bytes.clone() });
        sees(5, "good", MediaEvent::PacketSent { to: from, bytes: bytes.clone() });
        for (ms, call_id) in [(1, "bad"), (3, "bad"), (3, "good")] {
            alpha.received(at(ms), &packet(call_id));
        }
        alpha.ended(at(6), &record(1, "bad", Outcome::Rejected));
        alpha.ended(at(6), &record(2, "good", Outcome::Answered));
        alpha.look(at(5_000));
        alpha.look(at(60_000));
        let kept = kept.lock().expect("no panic");
        let [call] = &kept[..] else { panic!("one call, not {kept:?}") };
        let is_media = |entry: &Entry| matches!(entry.seen, Seen::Media { .. });
        let seen: Vec<(u64, bool)> =
            call.entries.iter().map(|it| (it.at_us - 1_000_000, is_media(it))).collect();
        assert_eq!(seen, [(1_000, false), (2_000, true), (3_000, false), (4_000, true)]);
        let (local, direction, bytes) = (address(40_000), Direction::Received, Bytes::from(bytes));
        assert_eq!(call.entries[1].seen, Seen::Media { direction, local, peer: from, bytes });
        assert_eq!(hub.counts().media_dropped, 0);
    }

    #[test]
    fn all_means_all_and_off_means_none() {
        let (hub, kept) = hub(Keep::All);
        let start = start();
        let mut alpha = recorder(&hub, "alpha", start);
        let mut notes = Notes::default();
        alpha.noted(start.instant, &mut notes);
        notes.note("a", || "queues");
        alpha.noted(start.instant, &mut notes);
        alpha.ended(start.instant, &record(7, "a", Outcome::Answered));
        alpha.finish();
        let entries = kept.lock().expect("no panic")[0].entries.clone();
        assert_eq!(entries[0].seen, Seen::Note("queues".to_owned()));
        let (off, _) = self::hub(Keep::Off);
        let seen_by = alpha.seen_by.clone();
        assert!(Recorder::new(&off, seen_by, start).is_none());
    }
}
