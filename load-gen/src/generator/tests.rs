//! A generator calls a scripted callee through real messages, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use sip_proto::message::{Method, Request};
use sip_proto::sdp::{self, Direction, LocalMedia, Session};
use sip_proto::timer::Timers;
use sip_proto::wall_clock::WallClock;
use telemetry::{CallerClass, Outcome, Party};

use super::*;
use crate::fixture::{self, entry, phase};
use crate::pacer::Shard;
use crate::ten_digits::TenDigits;
use campaign::{Arrivals, Callers, MixEntry, Redial};
use topology::{Distribution, Layers, Topology};

const GENERATOR: &str = "127.0.0.1:5070";
const TRUNK_GROUP: &str = "127.0.0.21:5060";
const UNIX: Duration = Duration::from_secs(1_622_645_100);

/// What the callee does with a call. Times are from the INVITE, except `talk`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Script {
    Answer {
        after: Duration,
        talk: Option<Duration>,
    },
    Reject {
        after: Duration,
        status: u16,
    },
    /// Rings until the caller gives up.
    Ring,
    /// Every packet is lost.
    Silence,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Accept { talk: Option<Duration> },
    Reject { status: u16 },
    HangUp,
    Hold,
    AskForOffer,
}

/// Plays trunk group, site and PSAP in one.
struct Callee {
    agent: UserAgent,
    scripts: Vec<Script>,
    offered: usize,
    agenda: BTreeMap<(Instant, LegId), Step>,
    invites: Vec<Request>,
    answers: Vec<Session>,
    hold_after: Option<Duration>,
    /// After a second of talk it asks for an offer by re-INVITE, and its ACK carries this.
    answers_offers_with: Option<Payload>,
}

impl Callee {
    fn handle_events(&mut self, now: Instant) {
        while let Some(event) = self.agent.poll_event() {
            match event {
                Event::Offered { leg, invite, .. } => {
                    self.agent.ring(now, leg, 180, &Payload::empty());
                    match self.scripts[self.offered % self.scripts.len()] {
                        Script::Answer { after, talk } => {
                            self.agenda.insert((now + after, leg), Step::Accept { talk });
                        }
                        Script::Reject { after, status } => {
                            self.agenda.insert((now + after, leg), Step::Reject { status });
                        }
                        Script::Ring | Script::Silence => {}
                    }
                    self.offered += 1;
                    self.invites.push(invite);
                }
                Event::Modified { leg, response } => {
                    self.answers.push(Session::parse(&response.body()).expect("an SDP answer"));
                    if let Some(payload) = &self.answers_offers_with {
                        self.agent.acknowledge(now, leg, payload);
                    }
                }
                _ => {}
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, leg), step) = entry.remove_entry();
            self.carry_out(now, leg, step);
        }
        self.handle_events(now);
    }

    fn carry_out(&mut self, now: Instant, leg: LegId, step: Step) {
        let local = LocalMedia::telephone(1, [127, 0, 0, 31].into(), 4_000);
        match step {
            Step::Accept { talk } => {
                let answer = sdp::offer(&local).to_string();
                self.agent.accept(now, leg, &Payload::sdp(answer));
                self.agenda.extend(talk.map(|talk| ((now + talk, leg), Step::HangUp)));
                self.agenda.extend(self.hold_after.map(|after| ((now + after, leg), Step::Hold)));
                let asks = self.answers_offers_with.is_some();
                self.agenda.extend(asks.then_some(((now + S1, leg), Step::AskForOffer)));
            }
            Step::Reject { status } => {
                let reason = Reason::q850(17, "User busy");
                let rejection = Rejection::new(status).with_reason(reason);
                self.agent.reject(now, leg, &rejection, &Payload::empty());
            }
            Step::HangUp => self.agent.hang_up(now, leg, Some(&Reason::q850(16, "Normal"))),
            Step::AskForOffer => {
                self.agent.modify(now, leg, Method::Invite, Payload::empty());
            }
            Step::Hold => {
                let hold = sdp::next_offer(&sdp::offer(&local), Direction::SendOnly).to_string();
                self.agent.modify(now, leg, Method::Invite, Payload::sdp(hold));
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let step = self.agenda.keys().next().map(|(due, _)| *due);
        self.agent.poll_timeout().into_iter().chain(step).min()
    }
}

/// Generator and callee on a wire without delay.
pub(super) struct Lab {
    pub(super) now: Instant,
    pub(super) generator: Generator,
    callee: Callee,
    pub(super) records: Vec<CallRecord>,
}

impl Lab {
    fn open_ports(&mut self) {
        let plane = self.generator.plane().expect("callers with media");
        while let Some(port) = plane.wanted_port() {
            plane.port_opened(port);
        }
    }

    pub(super) fn new(campaign: &Campaign, scripts: &[Script]) -> Self {
        let now = Instant::now();
        let address = |text: &str| text.parse().expect("an address");
        let config = Config {
            nonce: 1,
            name: "generator-0".to_owned(),
            address: address(GENERATOR),
            shard: Shard::WHOLE,
            timers: Timers::RFC3261,
            clock: WallClock::new(now, UNIX),
            media_ports: 16_384..=32_767,
            idle_after: Duration::from_secs(5),
            audit: Duration::from_secs(60),
            clips: BTreeMap::new(),
            trunk_groups: vec![("mobile".to_owned(), address(TRUNK_GROUP))],
            ten_digits: TenDigits::default(),
            request_uri: None,
        };
        let callee = Callee {
            agent: UserAgent::new(user_agent::Config::new(address(TRUNK_GROUP), 2)),
            scripts: scripts.to_vec(),
            offered: 0,
            agenda: BTreeMap::new(),
            invites: Vec::new(),
            answers: Vec::new(),
            hold_after: None,
            answers_offers_with: None,
        };
        let generator = Generator::new(config, campaign).expect("a good campaign");
        Self { now, generator, callee, records: Vec::new() }
    }

    /// Starts the campaign and runs it for `time`.
    fn started(campaign: &Campaign, scripts: &[Script], time: Duration) -> Self {
        let mut lab = Self::new(campaign, scripts);
        lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
        lab.run(time);
        lab
    }

    /// Moves from deadline to deadline.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.exchange();
        loop {
            let deadlines = [self.generator.poll_timeout(), self.callee.poll_timeout()];
            let Some(due) = deadlines.into_iter().flatten().min().filter(|due| *due <= end) else {
                break;
            };
            self.now = self.now.max(due);
            self.generator.handle_timeout(self.now);
            self.callee.handle_timeout(self.now);
            self.exchange();
        }
        self.now = end;
    }

    /// Carries packets until nobody has one, then checks that the counts add up.
    fn exchange(&mut self) {
        let silent = self.callee.scripts.iter().any(|script| matches!(script, Script::Silence));
        let from = |peer: &str, packet: Packet| Packet {
            peer: peer.parse().expect("an address"),
            ..packet
        };
        loop {
            let mut idle = true;
            while let Some(packet) = self.generator.poll_transmit() {
                idle = false;
                if !silent {
                    self.callee.agent.handle_packet(self.now, from(GENERATOR, packet));
                    self.callee.handle_events(self.now);
                }
            }
            while let Some(packet) = self.callee.agent.poll_transmit() {
                idle = false;
                self.generator.handle_packet(self.now, from(TRUNK_GROUP, packet));
            }
            if idle {
                break;
            }
        }
        self.records.extend(std::iter::from_fn(|| self.generator.poll_event()));
        self.check_sum();
    }

    /// At every instant, each attempt is in exactly one place.
    fn check_sum(&self) {
        let s = self.generator.snapshot();
        let ended = s.answered + s.rejected + s.abandoned + s.timed_out + s.lost;
        assert_eq!(s.offered, ended + s.in_progress, "{s:?}");
        assert_eq!(ended, self.records.len() as u64);
        assert!(s.talking <= s.in_progress);
    }

    fn only(&self) -> &CallRecord {
        assert_eq!(self.records.len(), 1, "{:?}", self.records);
        &self.records[0]
    }
}

/// One call; the caller waits 20 s, and talks 60 s if `hangs_up`.
pub(super) fn one_call(hangs_up: bool) -> Campaign {
    let seconds = |seconds| Distribution::Fixed(Duration::from_secs(seconds));
    Campaign {
        phases: vec![phase(1, Arrivals::Constant { rate: 1.0 })],
        callers: Callers {
            talk: seconds(60),
            patience: Some(seconds(20)),
            caller_hangs_up: f64::from(u8::from(hangs_up)),
            ..fixture::campaign().callers
        },
        ..fixture::campaign()
    }
}

const S1: Duration = Duration::from_secs(1);
pub(super) const SOON: Script = Script::Answer { after: S1, talk: None };
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn deadlines_of_calls_that_are_over_are_gone() {
    // The callers would talk for an hour; the callee hangs up at once.
    let campaign = Campaign {
        phases: vec![phase(40, Arrivals::Constant { rate: 100.0 })],
        callers: Callers { talk: Distribution::Fixed(HOUR), ..one_call(true).callers },
        ..one_call(true)
    };
    let at_once = Script::Answer { after: Duration::ZERO, talk: Some(Duration::ZERO) };
    let lab = Lab::started(&campaign, &[at_once], Duration::from_secs(45));
    assert_eq!(lab.records.len(), 4_000);
    assert_eq!(lab.generator.deadlines.len(), 0, "deadlines for no call");
}

#[test]
fn a_caller_talks_and_hangs_up() {
    let lab = Lab::started(&one_call(true), &[SOON], HOUR);
    let record = lab.only();
    assert_eq!((record.outcome, record.ended_by), (Outcome::Answered, Some(Party::Caller)));
    let start = UNIX.as_micros() as u64;
    assert_eq!((record.intended_us, record.start_us), (Some(start), start));
    assert_eq!(record.ring_us, Some(start));
    assert_eq!(record.answer_us, Some(start + 1_000_000));
    assert_eq!(record.end_us, start + 61_000_000);
    assert_eq!(record.trunk_group.as_deref(), Some("mobile"));
    assert!(lab.generator.snapshot().finished);
}

#[test]
fn the_call_taker_may_hang_up_first() {
    let script = Script::Answer { after: S1, talk: Some(Duration::from_secs(9)) };
    for hangs_up in [true, false] {
        let lab = Lab::started(&one_call(hangs_up), &[script], HOUR);
        let record = lab.only();
        assert_eq!((record.outcome, record.ended_by), (Outcome::Answered, Some(Party::Callee)));
        assert_eq!((record.cause, record.end_us - record.start_us), (Some(16), 10_000_000));
    }
}

#[test]
fn a_call_that_nobody_ends_is_ended_after_an_hour() {
    let mut lab = Lab::started(&one_call(false), &[SOON], HOUR);
    assert!(lab.records.is_empty());
    lab.run(S1);
    assert_eq!(lab.only().ended_by, Some(Party::Caller));
}

#[test]
fn a_caller_out_of_patience_cancels() {
    let lab = Lab::started(&one_call(true), &[Script::Ring], HOUR);
    let record = lab.only();
    assert_eq!((record.outcome, record.status), (Outcome::Abandoned, Some(487)));
    assert_eq!(record.end_us - record.start_us, 20_000_000);
}

#[test]
fn a_refusal_keeps_its_status_and_cause() {
    let script = Script::Reject { after: S1, status: 486 };
    let lab = Lab::started(&one_call(true), &[script], HOUR);
    let record = lab.only();
    assert_eq!((record.outcome, record.status), (Outcome::Rejected, Some(486)));
    assert_eq!((record.cause, record.ended_by), (Some(17), Some(Party::Callee)));
}

// RFC 3261 §17.1.1.2: Timer B is 64·T1, 32 s. A caller who gives up earlier learns nothing more.
#[test]
fn a_silent_network_is_a_timeout() {
    let mut patient = one_call(true);
    patient.callers.patience = None;
    let lab = Lab::started(&patient, &[Script::Silence], HOUR);
    assert_eq!(lab.only().outcome, Outcome::TimedOut);
    assert_eq!(lab.only().end_us - lab.only().start_us, 32_000_000);

    let lab = Lab::started(&one_call(true), &[Script::Silence], HOUR);
    assert_eq!(lab.only().outcome, Outcome::TimedOut);
}

#[test]
fn the_invite_says_who_calls_from_where() {
    let lab = Lab::started(&one_call(true), &[SOON], S1);
    let invite = &lab.callee.invites[0];
    assert_eq!(invite.uri().as_str(), "sip:15@127.0.0.21:5060");
    let place = "GSTN;operator-specific-GI=\"555935000\";network-provided";
    assert_eq!(invite.header_named("P-Access-Network-Info"), Some(place));
    let mut lab = lab;
    lab.run(HOUR);
    let session_id = lab.callee.invites[0].session_id().expect("a Session-ID");
    assert_eq!(session_id.local(), lab.only().attempt);
    assert_eq!(lab.callee.invites[0].call_id(), lab.only().call_id);
}

#[test]
fn hold_by_the_call_taker_is_answered() {
    let callers = Callers { media: 1.0, ..one_call(true).callers };
    let mut lab = Lab::new(&Campaign { callers, ..one_call(true) }, &[SOON]);
    lab.open_ports();
    lab.callee.hold_after = Some(S1);
    lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
    lab.run(HOUR);
    let answer = &lab.callee.answers[0];
    let audio = answer.audio().expect("an audio stream");
    assert_eq!(answer.direction_of(audio), Direction::RecvOnly);
    assert_eq!(lab.only().outcome, Outcome::Answered);
}

// RFC 3261 §13.2.1: the 200 makes the offer, and the ACK carries its answer.
#[test]
fn an_answer_in_an_ack_must_fit_the_offer_or_ends_the_call() {
    let callers = Callers { media: 1.0, ..one_call(true).callers };
    let campaign = Campaign { callers, ..one_call(true) };
    let answer = sdp::offer(&LocalMedia::telephone(1, [127, 0, 0, 31].into(), 4_000)).to_string();
    let held = answer.replace("a=sendrecv", "a=sendonly");
    let video = answer.clone() + "m=video 40002 RTP/AVP 31\r\n";
    for (payload, failure) in [
        (Payload::sdp(answer), None),
        (Payload::sdp(held), None),
        (Payload::empty(), Some("media failure: ")),
        (Payload::sdp(video), Some("media failure: ")),
        (Payload::sdp("nonsense"), Some("media failure: ")),
    ] {
        let mut lab = Lab::new(&campaign, &[SOON]);
        lab.open_ports();
        lab.callee.answers_offers_with = Some(payload.clone());
        lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
        lab.run(HOUR);
        assert_eq!(lab.callee.answers.len(), 1, "it was asked for an offer");
        let record = lab.only();
        let why = record.reason.as_deref().unwrap_or_default();
        assert_eq!(
            failure.is_some(),
            why.starts_with("media failure: "),
            "{payload:?}: {record:?}"
        );
        let lasted = record.end_us - record.answer_us.expect("it was answered");
        assert_eq!(failure.is_some(), lasted < 10_000_000, "{payload:?}: {record:?}");
    }
}

#[test]
fn a_generator_that_wakes_late_starts_all_that_was_due_and_owns_up_to_it() {
    let campaign =
        Campaign { phases: vec![phase(10, Arrivals::Constant { rate: 2.0 })], ..one_call(true) };
    let mut lab = Lab::new(&campaign, &[SOON]);
    lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
    lab.generator.handle_timeout(lab.now);
    lab.now += Duration::from_secs(5);
    lab.generator.handle_timeout(lab.now);
    let snapshot = lab.generator.snapshot();
    assert_eq!((snapshot.offered, snapshot.late_starts), (11, 9));
    assert_eq!(snapshot.lag_quantiles().max, Some(4_500_000));
    lab.run(HOUR);
    let intended: BTreeSet<u64> = lab.records.iter().filter_map(|r| r.intended_us).collect();
    let start = UNIX.as_micros() as u64;
    assert!(intended.into_iter().eq((0..20).map(|n| start + n * 500_000)));
}

#[test]
fn calls_beyond_the_limit_are_counted_and_not_made() {
    let campaign = Campaign {
        phases: vec![phase(10, Arrivals::Constant { rate: 10.0 })],
        max_in_progress: 5,
        ..one_call(true)
    };
    let lab = Lab::started(&campaign, &[SOON], HOUR);
    let snapshot = lab.generator.snapshot();
    assert_eq!((snapshot.offered, snapshot.not_started), (5, 95));
    assert!(snapshot.finished);
}

#[test]
fn draining_ends_each_call_and_starts_no_more() {
    let scripts = [SOON, Script::Ring];
    let campaign =
        Campaign { phases: vec![phase(100, Arrivals::Constant { rate: 10.0 })], ..one_call(true) };
    let mut lab = Lab::started(&campaign, &scripts, Duration::from_secs(10));
    let offered = lab.generator.snapshot().offered;
    assert!(!lab.generator.is_drained());
    lab.generator.handle_drain(lab.now);
    lab.run(Duration::from_secs(40));
    assert!(lab.generator.is_drained());
    let snapshot = lab.generator.snapshot();
    assert_eq!((snapshot.offered, snapshot.in_progress), (offered, 0));
    assert!(snapshot.answered > 0 && snapshot.abandoned > 0, "{snapshot:?}");
    assert!(snapshot.finished);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The sum is checked after every exchange; at the end nothing is left.
    #[test]
    fn every_attempt_ends_in_exactly_one_outcome(
        picks in prop::collection::vec(
            (0..3_u8, 0..30_000_u64, prop::option::of(0..90_000_u64)), 1..6,
        ),
        seed: u64,
        rate in 0.5..20.0_f64,
        urn: bool,
        redial: bool,
    ) {
        let scripts: Vec<Script> = picks
            .iter()
            .map(|(kind, after, talk)| {
                let after = Duration::from_millis(*after);
                match kind {
                    0 => Script::Answer { after, talk: talk.map(Duration::from_millis) },
                    1 => Script::Reject { after, status: 503 },
                    _ => Script::Ring,
                }
            })
            .collect();
        let number = if urn { "urn:service:sos.fire" } else { "112" };
        let mix: Vec<MixEntry> = vec![entry(number, &[], 1.0, None)];
        let arrivals = Arrivals::Poisson { rate };
        let mut campaign =
            Campaign { seed, mix, phases: vec![phase(5, arrivals)], ..one_call(true) };
        campaign.callers.redial = redial.then(Redial::default);
        let lab = Lab::started(&campaign, &scripts, HOUR);
        let snapshot = lab.generator.snapshot();
        prop_assert!(snapshot.finished);
        prop_assert_eq!(snapshot.lost + snapshot.timed_out, 0);
        let attempts: BTreeSet<&str> = lab.records.iter().map(|r| &r.attempt[..]).collect();
        prop_assert_eq!(attempts.len() as u64, snapshot.offered);
        let people: BTreeSet<(Option<u64>, Option<u32>)> =
            lab.records.iter().map(|r| (r.caller, r.attempt_of_caller)).collect();
        prop_assert_eq!(people.len(), attempts.len(), "each call of a person has its own number");
        prop_assert_eq!(snapshot.callers + snapshot.redials, snapshot.offered);
        for record in &lab.records {
            prop_assert!(record.start_us <= record.end_us);
            prop_assert_eq!(record.outcome == Outcome::Answered, record.answer_us.is_some());
        }
    }
}

/// As [`one_call`], but whoever fails calls again, after a gap of 5 s or, once cut, of 3 s.
fn redialling(change: impl FnOnce(&mut Redial)) -> Campaign {
    let seconds = |seconds| Distribution::Fixed(Duration::from_secs(seconds));
    let mut redial = Redial {
        after_refusal: 1.0,
        after_silence: 1.0,
        after_no_answer: 1.0,
        after_cut: 1.0,
        gap: seconds(5),
        gap_after_cut: seconds(3),
        stop: 0.0,
        ..Redial::default()
    };
    change(&mut redial);
    let callers = Callers { redial: Some(redial), ..one_call(true).callers };
    Campaign { callers, ..one_call(true) }
}

/// Start, end and intended start of each record, in seconds since the campaign began.
fn times(lab: &Lab) -> Vec<(u64, u64, u64)> {
    let since = |us: u64| (us - UNIX.as_micros() as u64 + 500_000) / 1_000_000;
    let of = |r: &CallRecord| (since(r.start_us), since(r.end_us), since(r.intended_us.unwrap()));
    lab.records.iter().map(of).collect()
}

#[test]
fn a_refused_caller_calls_again_after_the_gap_and_is_the_same_person() {
    let busy = Script::Reject { after: S1, status: 486 };
    let lab = Lab::started(&redialling(|_| {}), &[busy, SOON], HOUR);
    assert_eq!(times(&lab), [(0, 1, 0), (6, 67, 6)]);
    let [first, second] = &lab.records[..] else { panic!("two calls: {:?}", lab.records) };
    assert_eq!((first.outcome, second.outcome), (Outcome::Rejected, Outcome::Answered));
    assert_eq!((first.caller, first.attempt_of_caller), (Some(0), Some(1)));
    assert_eq!((second.caller, second.attempt_of_caller), (Some(0), Some(2)));
    assert_eq!((&first.number, &first.commune), (&second.number, &second.commune));
    assert_eq!(second.class, Some(CallerClass::Emergency));
    assert!(first.attempt != second.attempt && first.call_id != second.call_id);
    let identity = |invite: &Request| invite.header_named("P-Asserted-Identity").map(str::to_owned);
    assert_eq!(identity(&lab.callee.invites[0]), identity(&lab.callee.invites[1]));
    let now = lab.generator.snapshot();
    assert_eq!((now.offered, now.callers, now.redials, now.gave_up), (2, 1, 1, 0));
    assert!(now.finished && now.late_starts == 0, "{now:?}");
}

#[test]
fn a_campaign_is_not_over_while_somebody_is_about_to_call_again() {
    let busy = Script::Reject { after: S1, status: 486 };
    let mut lab = Lab::started(&redialling(|_| {}), &[busy, SOON], Duration::from_secs(3));
    let now = lab.generator.snapshot();
    assert_eq!((now.in_progress, now.about_to_redial, now.finished), (0, 1, false));
    lab.generator.handle_drain(lab.now);
    lab.run(HOUR);
    let now = lab.generator.snapshot();
    assert!(now.finished && lab.generator.is_drained());
    assert_eq!((now.offered, now.gave_up), (1, 0), "the end of the campaign is not a choice");
}

#[test]
fn nobody_redials_whose_entry_of_the_mix_says_so() {
    let busy = Script::Reject { after: S1, status: 486 };
    let mut campaign = redialling(|_| {});
    campaign.mix[0].redial = false;
    campaign.mix[0].talk = Some(Distribution::Fixed(Duration::from_secs(7)));
    let lab = Lab::started(&campaign, &[busy], HOUR);
    assert_eq!((lab.records.len(), lab.generator.snapshot().gave_up), (1, 1));
    let lab = Lab::started(&campaign, &[SOON], HOUR);
    assert_eq!(times(&lab), [(0, 8, 0)], "and they talk as long as their entry says");
}

#[test]
fn silence_is_borne_for_less_time_than_ringing() {
    let seconds = |seconds| Some(Distribution::Fixed(Duration::from_secs(seconds)));
    let campaign = redialling(|redial| {
        (redial.silence_patience, redial.most_attempts) = (seconds(12), 2);
    });
    // Nothing at all comes back, so each call is over only when its CANCEL has timed out.
    let lab = Lab::started(&campaign, &[Script::Silence], HOUR);
    let starts: Vec<u64> = times(&lab).iter().map(|(start, ..)| *start).collect();
    assert_eq!((lab.records.len(), starts[0]), (2, 0));
    assert!((17..60).contains(&starts[1]), "{starts:?}");
    assert_eq!(lab.generator.snapshot().gave_up, 1);

    // A ring at once, and the patience of 20 s counts.
    let lab = Lab::started(&campaign, &[Script::Ring], HOUR);
    assert_eq!(times(&lab), [(0, 20, 0), (25, 45, 25)]);
}

#[test]
fn a_person_changes_number_after_three_failures_and_dials_ten_digits_once_published() {
    let busy = Script::Reject { after: S1, status: 503 };
    let numbers = |lab: &Lab| -> Vec<String> {
        lab.callee.invites.iter().filter_map(|invite| invite.uri().dialled()).collect()
    };
    let next = redialling(|redial| {
        (redial.other_network, redial.other_number, redial.ten_digit) = (0.0, 1.0, 0.0);
        redial.most_attempts = 5;
    });
    let lab = Lab::started(&next, &[busy], HOUR);
    assert_eq!(numbers(&lab), ["15", "15", "15", "18", "112"]);
    assert_eq!(lab.generator.snapshot().switched_number, 2);
    assert!(lab.records.iter().all(|record| record.class == Some(CallerClass::Emergency)));

    let digits = redialling(|redial| {
        (redial.other_network, redial.other_number, redial.ten_digit) = (0.0, 0.0, 1.0);
        redial.most_attempts = 6;
    });
    let mut lab = Lab::new(&digits, &[busy]);
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/networks/six-sites.toml");
    let network = Topology::load(&network, &Layers::none()).expect("a good network");
    lab.generator.config.ten_digits = TenDigits::of(&network);
    let psap = &network.routes.find("15", Some("59350")).expect("a route").psaps[0];
    let known = network.psap(psap).expect("a PSAP").number.clone();
    lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
    // The fourth call has begun, and is refused after a second.
    lab.run(Duration::from_millis(18_500));
    assert_eq!(numbers(&lab), ["15"; 4], "nobody has published anything");
    lab.generator.handle_command(lab.now, Command::PublishTenDigits);
    lab.run(HOUR);
    assert_eq!(numbers(&lab), ["15", "15", "15", "15", &known, &known]);
    assert_eq!(lab.generator.snapshot().ten_digit, 1);
}

#[test]
fn advice_reaches_those_who_would_not_redial() {
    let busy = Script::Reject { after: S1, status: 503 };
    let campaign = redialling(|redial| (redial.after_refusal, redial.advised) = (0.0, 1.0));
    assert_eq!(Lab::started(&campaign, &[busy, SOON], HOUR).records.len(), 1);
    let mut lab = Lab::new(&campaign, &[busy, SOON]);
    lab.generator.handle_command(lab.now, Command::Advise);
    lab.generator.handle_command(lab.now, Command::Start { at: lab.now });
    lab.run(HOUR);
    assert_eq!(lab.records.len(), 2);
}

#[test]
fn redials_keep_to_the_limit_of_calls_in_progress() {
    let busy = Script::Reject { after: S1, status: 503 };
    // The first caller is refused; when they call again, the second talks.
    let campaign = Campaign {
        phases: vec![phase(4, Arrivals::Constant { rate: 0.5 })],
        max_in_progress: 1,
        ..redialling(|_| {})
    };
    let lab = Lab::started(&campaign, &[busy, SOON], HOUR);
    let now = lab.generator.snapshot();
    assert_eq!((now.offered, now.redials, now.not_started), (2, 0, 1));
    assert!(now.finished);
}

#[test]
fn a_campaign_with_redials_is_the_same_every_time() {
    let scripts = [
        Script::Reject { after: S1, status: 503 },
        Script::Ring,
        Script::Answer { after: S1, talk: Some(S1) },
    ];
    let campaign = Campaign {
        phases: vec![phase(30, Arrivals::Poisson { rate: 5.0 })],
        ..redialling(|redial| {
            *redial = Redial { most_attempts: 9, ..Redial::default() };
        })
    };
    let run = |seed| {
        let campaign = Campaign { seed, ..campaign.clone() };
        let lab = Lab::started(&campaign, &scripts, HOUR);
        assert!(lab.generator.snapshot().redials > 50);
        lab.records.into_iter().map(|r| CallRecord { call_id: String::new(), ..r }).collect()
    };
    let (first, again, other): (Vec<_>, Vec<_>, Vec<_>) = (run(1), run(1), run(2));
    assert!(first == again && first != other);
    // First calls come when they would come if nobody redialled, and from the same people.
    let alone =
        Campaign { callers: one_call(true).callers, ..Campaign { seed: 1, ..campaign.clone() } };
    let alone = Lab::started(&alone, &scripts, HOUR);
    let firsts = |records: &[CallRecord]| -> BTreeSet<(Option<u64>, String, Option<u64>)> {
        let firsts = records.iter().filter(|record| record.attempt_of_caller == Some(1));
        firsts.map(|r| (r.caller, r.attempt.clone(), r.intended_us)).collect()
    };
    assert_eq!(firsts(&alone.records), firsts(&first));
}

#[test]
fn calls_for_which_the_feed_has_no_row_are_counted_and_not_placed() {
    let campaign = Campaign {
        phases: vec![phase(10, Arrivals::Constant { rate: 1.0 })],
        feed: Some(fixture::feed("talk\n2\n3\n4\n", "once")),
        ..one_call(false)
    };
    let lab = Lab::started(&campaign, &[SOON], HOUR);
    let snapshot = lab.generator.snapshot();
    assert!(snapshot.finished);
    assert_eq!((snapshot.offered, snapshot.feed_exhausted, snapshot.not_started), (3, 7, 0));
    // Nobody hangs up by the mix; who has a talk time of their own does.
    let talked: Vec<_> = lab.records.iter().map(|record| record.ended_by).collect();
    assert_eq!(talked, [Some(Party::Caller); 3]);
}
