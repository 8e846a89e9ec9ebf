//! Planes that send each other datagrams in virtual time.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use proptest::prelude::*;
use sip_proto::sdp::{self, LocalMedia};

use super::*;
use crate::sound_check::SoundVerdict;
use crate::tone::{Melody, Singer};
use crate::{rtcp, rtp};

const MS: Duration = Duration::from_millis(1);

/// Planes by IP address, and what is between them.
struct Wire {
    planes: BTreeMap<IpAddr, Plane>,
    now: Instant,
    rng: StdRng,
    delay: Duration,
    loss: f64,
    lost: u64,
    sent: u64,
    flying: Vec<(Instant, SocketAddr, SocketAddr, Vec<u8>)>,
}

fn ip(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

impl Wire {
    fn new(count: u8) -> Self {
        let now = Instant::now();
        let plane = |last| {
            let settings = PlaneSettings {
                addresses: vec![ip(last)],
                ports: 4_000..=4_999,
                idle_after: Duration::from_secs(5),
                dated: true,
            };
            (ip(last), Plane::new(&settings, last.into(), now, Duration::from_secs(1_622_645_100)))
        };
        Self {
            planes: (1..=count).map(plane).collect(),
            now,
            rng: StdRng::seed_from_u64(7),
            delay: MS,
            loss: 0.0,
            lost: 0,
            sent: 0,
            flying: Vec::new(),
        }
    }

    fn plane(&mut self, last: u8) -> &mut Plane {
        self.planes.get_mut(&ip(last)).expect("a plane")
    }

    fn open(&mut self, last: u8) -> StreamId {
        let plane = self.plane(last);
        open_ports(plane);
        plane.open(ip(last)).expect("a port")
    }

    fn local(&mut self, last: u8, id: StreamId) -> SocketAddr {
        self.plane(last).local(id).expect("an open stream")
    }

    /// Sends what is due everywhere, and delivers what arrives, until `end`.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.deliver();
            self.transmit();
            self.now += MS;
        }
    }

    fn transmit(&mut self) {
        let mut out = Vec::new();
        for (ip, plane) in &mut self.planes {
            while let Some(forward) = plane.poll_transmit(self.now, &mut out) {
                let from = address_of(plane, *ip, forward.socket);
                self.flying.push((self.now + self.delay, from, forward.to, out.clone()));
            }
        }
    }

    fn deliver(&mut self) {
        let (arrived, flying) =
            std::mem::take(&mut self.flying).into_iter().partition(|(due, ..)| *due <= self.now);
        self.flying = flying;
        let arrived: Vec<_> = arrived;
        for (_, from, to, bytes) in arrived {
            let is_rtp = to.port() % 2 == 0;
            self.sent += u64::from(is_rtp);
            if is_rtp && self.rng.random_bool(self.loss) {
                self.lost += 1;
                continue;
            }
            let Some(plane) = self.planes.get_mut(&to.ip()) else { continue };
            let Some(socket) = socket_of(plane, to) else { continue };
            if let Some(forward) = plane.handle_datagram(self.now, socket, from, &bytes) {
                let from = address_of(plane, to.ip(), forward.socket);
                self.flying.push((self.now + self.delay, from, forward.to, bytes));
            }
        }
    }
}

fn open_ports(plane: &mut Plane) {
    while let Some(address) = plane.wanted_port() {
        plane.port_opened(address);
    }
}

fn socket_of(plane: &Plane, address: SocketAddr) -> Option<u32> {
    let port = address.port() & !1;
    let pair = plane.pairs.iter().position(|pair| pair.port == port)?;
    Some(2 * pair as u32 + u32::from(address.port() % 2))
}

fn address_of(plane: &Plane, ip: IpAddr, socket: u32) -> SocketAddr {
    let pair = &plane.pairs[socket as usize / 2];
    SocketAddr::new(ip, pair.port + (socket % 2) as u16)
}

/// What a telephone at `ours` agrees on with one at `theirs`.
fn agreement(ours: SocketAddr, theirs: SocketAddr) -> Agreement {
    let telephone = |at: SocketAddr| sdp::offer(&LocalMedia::telephone(1, at.ip(), at.port()));
    Agreement::between(&telephone(ours), &telephone(theirs)).expect("two telephones")
}

const ATTEMPT: u128 = 0xabcd;

fn melody(singer: Singer) -> Melody {
    Melody::of(ATTEMPT, singer)
}

/// A caller at plane 1 and a PSAP at plane 2, who talk to each other through a relay at plane 3, or directly.
fn call(wire: &mut Wire, relayed: bool) -> (StreamId, StreamId, Option<(StreamId, StreamId)>) {
    let (caller, psap) = (wire.open(1), wire.open(2));
    let (at_caller, at_psap) = (wire.local(1, caller), wire.local(2, psap));
    let now = wire.now;
    let relay = relayed.then(|| {
        let (a, b) = (wire.open(3), wire.open(3));
        wire.plane(3).join(a, b);
        for (id, peer) in [(a, at_caller), (b, at_psap)] {
            let rtcp = SocketAddr::new(peer.ip(), peer.port() + 1);
            wire.plane(3).set_peer(id, Some(peer), Some(rtcp));
            wire.plane(3).expect(now, id, true);
        }
        (a, b)
    });
    let (to_caller, to_psap) = match relay {
        Some((a, b)) => (wire.local(3, b), wire.local(3, a)),
        None => (at_caller, at_psap),
    };
    for (last, id, ours, theirs, sings, hears) in [
        (1, caller, at_caller, to_psap, Singer::Caller, Singer::Psap),
        (2, psap, at_psap, to_caller, Singer::Psap, Singer::Caller),
    ] {
        let plane = wire.plane(last);
        plane.talk(now, id, &agreement(ours, theirs));
        plane.set_voice(id, Voice::Melody(melody(sings)));
        plane.listen(id, ExpectedSound::Melody(melody(hears)));
    }
    (caller, psap, relay)
}

fn close(wire: &mut Wire, last: u8, id: StreamId) -> StreamReport {
    let now = wire.now;
    wire.plane(last).close(now, id).expect("it was open")
}

#[test]
fn two_ends_hear_each_other_and_measure_the_way() {
    let mut wire = Wire::new(2);
    wire.delay = 10 * MS;
    let (caller, psap, _) = call(&mut wire, false);
    wire.run(Duration::from_secs(20));
    for (last, id) in [(1, caller), (2, psap)] {
        let report = close(&mut wire, last, id);
        assert_eq!(report.verdict, Some(SoundVerdict::Heard));
        assert!((996..=1_001).contains(&report.received), "{}", report.received);
        assert_eq!((report.lost, report.discarded, report.mean_jitter_us), (0, 0, 0));
        // RFC 3550 §6.4.1: 10 ms each way, and the millisecond in which the wire turns.
        let round_trip = report.round_trip_us.expect("reports were exchanged");
        assert!((19_000..=22_000).contains(&round_trip), "{round_trip}");
        assert!(report.mos.expect("received") > 4.3);
        assert_eq!(report.stopped_us, None);
    }
}

#[test]
fn a_relay_carries_rtp_and_rtcp_both_ways_and_counts_them() {
    let mut wire = Wire::new(3);
    let (caller, psap, relay) = call(&mut wire, true);
    wire.run(Duration::from_secs(10));
    let (a, b) = relay.expect("relayed");
    let at_caller = close(&mut wire, 1, caller);
    let at_psap = close(&mut wire, 2, psap);
    wire.run(10 * MS);
    let (from_caller, from_psap) = (close(&mut wire, 3, a), close(&mut wire, 3, b));
    assert_eq!(
        (at_caller.verdict, at_psap.verdict),
        (Some(SoundVerdict::Heard), Some(SoundVerdict::Heard))
    );
    assert!(at_caller.round_trip_us.is_some() && at_psap.round_trip_us.is_some());
    assert_eq!(from_caller.received, at_caller.sent);
    assert_eq!((from_caller.received, from_psap.received), (from_psap.sent, from_caller.sent));
    assert_eq!(from_caller.verdict, None, "a relay hears nothing");
    assert_eq!(wire.plane(3).counts().streams, 0);
}

#[test]
fn who_asks_for_packets_sees_each_at_both_ends_of_its_way() {
    for with_packets in [false, true] {
        let mut wire = Wire::new(3);
        (1..=3).for_each(|last| drop(wire.plane(last).take_sights(with_packets)));
        let (caller, psap, relay) = call(&mut wire, true);
        let (a, b) = relay.expect("a relay");
        let now = wire.now;
        for (last, id) in [(1, caller), (2, psap), (3, a), (3, b)] {
            wire.plane(last).name_call(now, id, || 7);
        }
        wire.run(1_000 * MS);
        let mut ways: BTreeMap<(SocketAddr, SocketAddr), [usize; 2]> = BTreeMap::new();
        for sight in (1..=3).flat_map(|last| wire.plane(last).take_sights(with_packets)) {
            let (way, end) = match sight.what {
                MediaEvent::PacketSent { to, .. } => ((sight.local, to), 0),
                MediaEvent::PacketReceived { from, .. } => ((from, sight.local), 1),
                _ => continue,
            };
            ways.entry(way).or_default()[end] += 1;
        }
        ways.retain(|way, _| way.0.port() % 2 == 0);
        assert_eq!(ways.len(), if with_packets { 4 } else { 0 }, "{ways:?}");
        let fits = |[sent, received]: [usize; 2]| received > 40 && sent - received <= 1;
        assert!(ways.values().all(|way| fits(*way)), "{ways:?}");
    }
}

#[test]
fn measured_loss_is_injected_loss() {
    let mut wire = Wire::new(2);
    wire.loss = 0.03;
    let (caller, psap, _) = call(&mut wire, false);
    wire.run(Duration::from_secs(100));
    let reports = [close(&mut wire, 1, caller), close(&mut wire, 2, psap)];
    let measured: u64 = reports.iter().map(|report| report.lost).sum();
    // The first and the last packets of a stream may be lost without a trace.
    assert!(wire.lost > 250 && wire.lost.abs_diff(measured) <= 4, "{} of {}", measured, wire.lost);
    assert!(reports.iter().all(|report| report.verdict == Some(SoundVerdict::Heard)));
    assert!(reports.iter().all(|report| report.r.is_some_and(|r| (70.0..90.0).contains(&r))));
}

#[test]
fn a_mute_end_is_silent_and_its_media_counts_as_stopped() {
    let mut wire = Wire::new(3);
    let (caller, psap, relay) = call(&mut wire, true);
    wire.plane(2).set_voice(psap, Voice::Mute);
    wire.run(Duration::from_secs(8));
    let (_, b) = relay.expect("relayed");
    assert_eq!(wire.plane(3).poll_event(), Some(StreamEvent::Idle(b)));
    assert_eq!(wire.plane(3).poll_event(), None, "told once");
    let report = close(&mut wire, 1, caller);
    assert_eq!(report.verdict, Some(SoundVerdict::Silent));
    assert!(report.stopped_us.is_some_and(|stopped| stopped >= 7_900_000));
    assert_eq!((report.mos, report.received), (None, 0));
    assert_eq!(close(&mut wire, 2, psap).verdict, Some(SoundVerdict::Heard));
}

#[test]
fn idle_media_that_comes_back_is_told_too() {
    let mut wire = Wire::new(3);
    let (_, psap, relay) = call(&mut wire, true);
    let (_, b) = relay.expect("relayed");
    wire.run(Duration::from_secs(1));
    wire.plane(2).set_voice(psap, Voice::Mute);
    wire.run(Duration::from_secs(8));
    wire.plane(2).set_voice(psap, Voice::Melody(melody(Singer::Psap)));
    wire.run(Duration::from_secs(1));
    let events: Vec<_> = std::iter::from_fn(|| wire.plane(3).poll_event()).collect();
    assert_eq!(events, [StreamEvent::Idle(b), StreamEvent::Resumed(b)]);
    assert_eq!(close(&mut wire, 3, b).stopped_us, None);
}

// RFC 4733: events cross a relay as they are.
#[test]
fn digits_are_sent_relayed_and_decoded() {
    let mut wire = Wire::new(3);
    wire.loss = 0.05;
    let (caller, psap, _) = call(&mut wire, true);
    wire.run(500 * MS);
    wire.plane(1).dial(caller, "112#A");
    wire.run(Duration::from_secs(3));
    let report = close(&mut wire, 2, psap);
    assert_eq!((&report.digits[..], report.verdict), ("112#A", Some(SoundVerdict::Heard)));
}

// RFC 3264 §8.4. The packets of a held end would come twice as fast if the schedule had two entries for it.
#[test]
fn hold_and_resume_leave_one_packet_every_twenty_milliseconds() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    let (at_caller, at_psap) = (wire.local(1, caller), wire.local(2, psap));
    let talking = agreement(at_caller, at_psap);
    let held = Agreement { sends: false, receives: false, ..talking.clone() };
    wire.run(Duration::from_secs(1));
    for pause in [3 * MS, Duration::from_secs(6)] {
        let now = wire.now;
        wire.plane(1).talk(now, caller, &held);
        wire.run(pause);
        let now = wire.now;
        wire.plane(1).talk(now, caller, &talking);
        wire.run(Duration::from_secs(1));
    }
    let report = close(&mut wire, 2, psap);
    assert!((148..=153).contains(&report.received), "{}", report.received);
    assert_eq!((report.lost, report.verdict), (0, Some(SoundVerdict::Heard)));
    let report = close(&mut wire, 1, caller);
    assert_eq!((report.stopped_us, report.verdict), (None, Some(SoundVerdict::Heard)));
}

#[test]
fn an_echo_sends_back_what_it_hears() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    wire.plane(2).set_voice(psap, Voice::Echo);
    wire.plane(1).listen(caller, ExpectedSound::Melody(melody(Singer::Caller)));
    wire.run(Duration::from_secs(2));
    let report = close(&mut wire, 1, caller);
    assert_eq!((report.verdict, report.lost), (Some(SoundVerdict::Heard), 0));
    assert!(report.received > 95);
}

// Whatever comes first, two echoes would throw it to and fro as fast as the way allows.
#[test]
fn two_echoes_do_not_keep_each_other_busy() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    wire.plane(1).set_voice(caller, Voice::Echo);
    wire.plane(2).set_voice(psap, Voice::Echo);
    let (from, to) = (wire.local(1, caller), wire.local(2, psap));
    let socket = socket_of(wire.plane(2), to).expect("open");
    for payload_type in [8, 101] {
        for number in 0..50_u16 {
            let header = rtp::Header {
                marker: false,
                payload_type,
                sequence: number,
                timestamp: 0,
                ssrc: 9,
            };
            let mut packet = Vec::new();
            rtp::write(&header, &[0x55; 160], &mut packet);
            let now = wire.now;
            let _ = wire.plane(2).handle_datagram(now, socket, from, &packet);
        }
    }
    wire.run(Duration::from_secs(10));
    let sent = close(&mut wire, 1, caller).sent + close(&mut wire, 2, psap).sent;
    assert!(sent <= 2 * 10 * 200, "{sent}");
}

#[test]
fn an_echo_is_silent_on_hold() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    let (at_caller, at_psap) = (wire.local(1, caller), wire.local(2, psap));
    wire.plane(2).set_voice(psap, Voice::Echo);
    let now = wire.now;
    let held = Agreement { sends: false, ..agreement(at_psap, at_caller) };
    wire.plane(2).talk(now, psap, &held);
    wire.run(Duration::from_secs(1));
    assert_eq!(close(&mut wire, 2, psap).sent, 0);
}

// RFC 3264 §8.2: a stream that is taken out of the session gets nothing more, and owes nothing.
#[test]
fn a_stream_without_agreement_is_hushed() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    wire.run(Duration::from_secs(1));
    let now = wire.now;
    wire.plane(1).hush(now, caller);
    wire.run(Duration::from_secs(7));
    assert!((48..=52).contains(&close(&mut wire, 2, psap).received));
    assert_eq!(close(&mut wire, 1, caller).stopped_us, None);
}

// RFC 3550 §6.4.1: each report tells the loss of the time since the one before.
#[test]
fn reports_tell_the_loss_of_their_own_interval() {
    let mut wire = Wire::new(2);
    wire.loss = 0.25;
    call(&mut wire, false);
    let mut fractions = Vec::new();
    for _ in 0..60_000 {
        wire.transmit();
        for (_, _, _, bytes) in &wire.flying {
            for packet in rtcp::parse(bytes).into_iter().flatten() {
                let rtcp::Packet::Report { blocks, .. } = packet else { continue };
                fractions.extend(blocks.map(|block| block.fraction_lost));
            }
        }
        let end = wire.now + MS;
        wire.deliver();
        wire.now = end;
    }
    // A packet is a millisecond on its way, so each report is seen once.
    assert!(fractions.len() > 16, "{}", fractions.len());
    // 150 packets or more in each interval: a quarter of 256, give or take four standard deviations.
    let far = fractions.iter().filter(|fraction| fraction.abs_diff(64) > 36).count();
    assert_eq!(far, 0, "{fractions:?}");
}

#[test]
fn crossed_lines_are_heard_as_the_wrong_party() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    wire.plane(2).set_voice(psap, Voice::Melody(Melody::of(ATTEMPT + 1, Singer::Psap)));
    wire.run(Duration::from_secs(2));
    assert_eq!(close(&mut wire, 1, caller).verdict, Some(SoundVerdict::WrongParty));
}

#[test]
fn a_stranger_is_neither_heard_nor_relayed() {
    let mut wire = Wire::new(3);
    let (caller, psap, relay) = call(&mut wire, true);
    wire.run(Duration::from_secs(1));
    let (a, _) = relay.expect("relayed");
    let target = wire.local(3, a);
    let socket = socket_of(wire.plane(3), target).expect("open");
    let mut noise = Vec::new();
    let header = rtp::Header { marker: false, payload_type: 8, sequence: 9, timestamp: 9, ssrc: 9 };
    rtp::write(&header, &[0x55; 160], &mut noise);
    let now = wire.now;
    for _ in 0..100 {
        let stranger = SocketAddr::new(ip(66), 6_666);
        assert_eq!(wire.plane(3).handle_datagram(now, socket, stranger, &noise), None);
    }
    wire.run(Duration::from_secs(1));
    assert_eq!(close(&mut wire, 3, a).strangers, 100);
    assert_eq!(close(&mut wire, 1, caller).verdict, Some(SoundVerdict::Heard));
    assert_eq!(close(&mut wire, 2, psap).verdict, Some(SoundVerdict::Heard));
}

#[test]
fn ports_run_out_with_a_sentence_and_come_back() {
    let settings =
        PlaneSettings { addresses: vec![ip(1)], ports: 4_000..=4_003, idle_after: MS, dated: true };
    let now = Instant::now();
    let mut plane = Plane::new(&settings, 1, now, Duration::ZERO);
    open_ports(&mut plane);
    let first = plane.open(ip(1)).expect("a port");
    plane.open(ip(1)).expect("another");
    let shortage = plane.open(ip(1)).expect_err("two pairs");
    assert!(shortage.to_string().contains("in use"), "{shortage}");
    assert_eq!(plane.open("::1".parse().expect("an address")), Err(Shortage::Family));
    assert_eq!((plane.counts().refused, plane.counts().streams), (2, 2));
    plane.close(now, first).expect("it was open");
    assert_eq!(plane.close(now, first), None, "only once");
    plane.open(ip(1)).expect("the port of the first");
}

#[test]
fn a_recording_has_both_sides() {
    let mut wire = Wire::new(2);
    let (_, psap, _) = call(&mut wire, false);
    let now = wire.now;
    wire.plane(2).record(now, psap);
    wire.run(Duration::from_secs(2));
    let recording = wire.plane(2).take_recording(psap).expect("recorded");
    for side in [&recording.heard, &recording.said] {
        assert!((15_500..=16_200).contains(&side.len()), "{}", side.len());
        assert!(side.iter().filter(|sample| sample.abs() > 1_000).count() > 10_000);
    }
}

#[test]
fn a_recording_of_an_echo_has_both_sides() {
    let mut wire = Wire::new(2);
    let (_, psap, _) = call(&mut wire, false);
    let now = wire.now;
    wire.plane(2).set_voice(psap, Voice::Echo);
    wire.plane(2).record(now, psap);
    wire.run(Duration::from_secs(2));
    let recording = wire.plane(2).take_recording(psap).expect("recorded");
    assert_eq!(recording.heard, recording.said);
    assert!(recording.said.iter().filter(|sample| sample.abs() > 1_000).count() > 10_000);
}

// Digits by INFO stand between those of RTP, in the order in which they came; an event goes on meanwhile.
#[test]
fn digits_by_other_means_take_their_place() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    wire.plane(1).dial(caller, "12");
    wire.run(Duration::from_millis(100));
    wire.plane(2).note_digits(psap, "*#");
    wire.run(Duration::from_secs(1));
    wire.plane(2).note_digits(psap, "9");
    assert_eq!(close(&mut wire, 2, psap).digits, "1*#29");
}

// A box that was stopped for a second does not make up for it in a burst.
#[test]
fn a_late_schedule_skips_and_says_so() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    wire.run(Duration::from_secs(1));
    wire.now += Duration::from_secs(1);
    wire.run(Duration::from_secs(1));
    assert!(wire.plane(1).counts().skipped >= 45);
    let report = close(&mut wire, 2, psap);
    assert!((98..=104).contains(&report.received), "{}", report.received);
    assert_eq!(close(&mut wire, 1, caller).verdict, Some(SoundVerdict::Heard));
}

// RFC 3389: in a pause only a packet of comfort noise comes now and then. It is no sound, and no packet of it is missing.
#[test]
fn comfort_noise_is_neither_sound_nor_loss() {
    let mut wire = Wire::new(2);
    let (caller, psap, _) = call(&mut wire, false);
    wire.plane(2).set_voice(psap, Voice::Mute);
    let (from, to) = (wire.local(2, psap), wire.local(1, caller));
    let socket = socket_of(wire.plane(1), to).expect("open");
    for number in 0..20_u16 {
        wire.run(200 * MS);
        let header = rtp::Header {
            marker: false,
            payload_type: 13,
            sequence: number,
            timestamp: 1_600 * u32::from(number),
            ssrc: 9,
        };
        let mut noise = Vec::new();
        rtp::write(&header, &[40], &mut noise);
        let now = wire.now;
        assert_eq!(wire.plane(1).handle_datagram(now, socket, from, &noise), None);
    }
    let report = close(&mut wire, 1, caller);
    assert_eq!((report.received, report.lost, report.discarded), (20, 0, 0));
    assert_eq!((report.verdict, report.max_jitter_us), (Some(SoundVerdict::Silent), 0));
}

// RFC 6716, RFC 3551 §4.5.2: what the relay does not understand passes all the same, octet for octet.
#[test]
fn opus_and_g722_pass_the_relay_unread() {
    let mut wire = Wire::new(3);
    let (caller, psap, relay) = call(&mut wire, true);
    let (a, _) = relay.expect("relayed");
    let (from, to) = (wire.local(1, caller), wire.local(3, a));
    let there = wire.local(2, psap);
    let socket = socket_of(wire.plane(3), to).expect("open");
    for (payload_type, clock_rate, step) in [(96, 48_000, 960), (9, 8_000, 160)] {
        wire.plane(3).set_formats(a, Formats { clock_rate, ..Formats::default() });
        for number in 0..10_u16 {
            wire.now += 20 * MS;
            let header = rtp::Header {
                marker: false,
                payload_type,
                sequence: number,
                timestamp: step * u32::from(number),
                ssrc: payload_type.into(),
            };
            let mut packet = Vec::new();
            rtp::write(&header, &[0xf8, 1, 2, 3], &mut packet);
            let now = wire.now;
            let forward = wire.plane(3).handle_datagram(now, socket, from, &packet);
            assert_eq!(forward.map(|forward| forward.to), Some(there));
        }
    }
    let report = close(&mut wire, 3, a);
    assert_eq!((report.received, report.lost, report.max_jitter_us), (20, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_datagram_panics(datagrams in proptest::collection::vec(
        (any::<bool>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..80)), 1..60))
    {
        let mut wire = Wire::new(3);
        let (caller, psap, relay) = call(&mut wire, true);
        let (a, _) = relay.expect("relayed");
        let targets = [(1, caller), (3, a)];
        for (count, (rtcp, valid, mut bytes)) in datagrams.into_iter().enumerate() {
            let (last, id) = targets[count % 2];
            let local = wire.local(last, id);
            let socket = socket_of(wire.plane(last), local).expect("open") + u32::from(rtcp);
            if valid && let Some(first) = bytes.first_mut() {
                *first = 0x80 | *first & 0x3f;
            }
            // From the peer itself, so that the latch lets it pass.
            let peer = wire.planes.get(&ip(last)).expect("a plane").streams.get(id).and_then(|one| one.rtp.target());
            let from = peer.expect("a peer");
            let now = wire.now;
            let _ = wire.plane(last).handle_datagram(now, socket, from, &bytes);
            wire.run(5 * MS);
        }
        close(&mut wire, 1, caller);
        close(&mut wire, 2, psap);
    }
}

/// How many RTP packets a plane sends on or by itself in this time, with nothing but silence from the peer.
fn sent_to(wire: &mut Wire, to: SocketAddr, time: Duration) -> usize {
    let end = wire.now + time;
    let mut count = 0;
    while wire.now < end {
        wire.deliver();
        let before = wire.flying.len();
        wire.transmit();
        count += wire.flying[before..].iter().filter(|(_, _, peer, _)| *peer == to).count();
        wire.now += MS;
    }
    count
}

// Whoever offers media may name the address of somebody else.
#[test]
fn an_address_that_nobody_has_shown_to_be_his_gets_a_second_of_media() {
    let mut wire = Wire::new(2);
    let psap = wire.open(2);
    let at_psap = wire.local(2, psap);
    let victim: SocketAddr = (ip(9), 4_000).into();
    let now = wire.now;
    wire.plane(2).hold_back(psap);
    wire.plane(2).talk(now, psap, &agreement(at_psap, victim));
    wire.plane(2).set_voice(psap, Voice::Melody(melody(Singer::Psap)));
    assert_eq!(sent_to(&mut wire, victim, Duration::from_secs(32)), 50);
    wire.plane(2).confirm(psap);
    assert_eq!(sent_to(&mut wire, victim, Duration::from_secs(1)), 50);
    assert_eq!(close(&mut wire, 2, psap).sent, 100);
}

#[test]
fn packets_from_elsewhere_bring_an_unproven_address_no_more_media() {
    let mut wire = Wire::new(2);
    let psap = wire.open(2);
    let at_psap = wire.local(2, psap);
    let victim: SocketAddr = (ip(9), 4_000).into();
    let now = wire.now;
    wire.plane(2).hold_back(psap);
    wire.plane(2).talk(now, psap, &agreement(at_psap, victim));
    wire.plane(2).set_voice(psap, Voice::Melody(melody(Singer::Psap)));
    let socket = socket_of(wire.plane(2), at_psap).expect("open");
    let mut sent = 0;
    // Never long enough to be taken for the peer.
    for ssrc in 0..100 {
        for sequence in 0..5 {
            let header =
                rtp::Header { marker: false, payload_type: 8, sequence, timestamp: 9, ssrc };
            let mut noise = Vec::new();
            rtp::write(&header, &[0x55; 160], &mut noise);
            let now = wire.now;
            wire.plane(2).handle_datagram(now, socket, (ip(66), 6_666).into(), &noise);
        }
        sent += sent_to(&mut wire, victim, Duration::from_millis(100));
    }
    assert_eq!(sent, 50);
}

#[test]
fn who_speaks_before_he_acknowledges_is_spoken_to() {
    let mut wire = Wire::new(3);
    let (caller, psap, relay) = call(&mut wire, true);
    let (a, b) = relay.expect("relayed");
    for (last, id) in [(2, psap), (3, a), (3, b)] {
        wire.plane(last).hold_back(id);
    }
    wire.run(Duration::from_secs(20));
    let heard = [close(&mut wire, 1, caller).verdict, close(&mut wire, 2, psap).verdict];
    assert_eq!(heard, [Some(SoundVerdict::Heard); 2]);
}

#[test]
fn a_relay_holds_back_what_is_for_somebody_who_says_nothing() {
    let mut wire = Wire::new(3);
    let (caller, _, relay) = call(&mut wire, true);
    let (a, _) = relay.expect("relayed");
    wire.plane(3).hold_back(a);
    let now = wire.now;
    wire.plane(1).hush(now, caller);
    wire.run(Duration::from_secs(20));
    let heard = close(&mut wire, 1, caller).received;
    assert!((49..=50).contains(&heard), "{heard}");
}
