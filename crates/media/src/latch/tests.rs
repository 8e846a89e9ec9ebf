//! The peer, those who are taken for it, and strangers.

use super::*;

const PEER: u32 = 7;
const STRANGER: u32 = 666;
const TICK: Duration = Duration::from_millis(20);

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn elsewhere(port: u16) -> SocketAddr {
    ([127, 0, 0, 66], port).into()
}

/// A latch, and a clock that goes on by a packet time with each packet.
struct Line {
    latch: Latch,
    now: Instant,
}

impl Line {
    fn announced(port: u16) -> Self {
        let mut latch = Latch::default();
        latch.announce(Some(address(port)));
        Self { latch, now: Instant::now() }
    }

    fn translated(port: u16) -> Self {
        let mut line = Self::announced(port);
        line.latch.expect_from(Some(address(0).ip()));
        line
    }

    fn hears(&mut self, from: SocketAddr, ssrc: u32) -> bool {
        self.now += TICK;
        self.latch.admits(self.now, from, ssrc)
    }

    /// How many packets of a row are needed until what is for the peer goes to their source.
    fn needs(&mut self, from: SocketAddr, ssrc: u32) -> Option<usize> {
        (1..=1_000).find(|_| {
            self.hears(from, ssrc);
            self.latch.source() == Some(from)
        })
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}

#[test]
fn the_announced_address_is_taken_at_its_first_packet() {
    let mut line = Line { latch: Latch::default(), now: Instant::now() };
    assert_eq!(line.latch.target(), None);
    line.latch.announce(Some(address(4_000)));
    assert_eq!((line.latch.target(), line.latch.source()), (Some(address(4_000)), None));
    assert!(line.hears(address(4_000), PEER));
    assert_eq!(line.latch.source(), Some(address(4_000)));
}

// RFC 7362 §4: a peer behind a NAT sends from an address that it does not know itself.
#[test]
fn a_translated_peer_is_taken_after_three_packets_in_a_row() {
    let mut line = Line::translated(4_000);
    let heard = [5_000, 6_000, 5_000, 5_000, 5_000].map(|port| line.hears(address(port), PEER));
    assert_eq!(heard, [false, false, false, false, true]);
    assert_eq!(line.latch.target(), Some(address(5_000)));
    assert_eq!(line.latch.refused(), 2, "the first of 5000, and that of 6000");
}

// A telephone that sends from another port than it receives at, without a translator.
#[test]
fn any_other_source_has_to_go_on_before_it_is_spoken_to() {
    let mut line = Line::announced(4_000);
    assert_eq!(line.needs(address(5_000), PEER), Some(36));
    assert_eq!((line.latch.target(), line.latch.refused()), (Some(address(5_000)), 0));
    // Speed does not help.
    let mut line = Line::announced(4_000);
    for _ in 0..1_000 {
        line.latch.admits(line.now, elsewhere(6_666), STRANGER);
    }
    assert_eq!(line.latch.target(), Some(address(4_000)));
}

// Digits that are typed at once, on a telephone that announces another of its addresses.
#[test]
fn a_source_is_heard_before_it_is_spoken_to_while_nobody_else_speaks() {
    let mut line = Line::announced(4_000);
    let heard = [(); 5].map(|()| line.hears(elsewhere(5_000), PEER));
    assert_eq!(heard, [false, false, true, true, true]);
    assert_eq!(line.latch.target(), Some(address(4_000)));
    assert!(line.hears(address(4_000), PEER));
    assert!((0..1_000).all(|_| !line.hears(elsewhere(5_000), STRANGER)));
    assert_eq!(line.latch.target(), Some(address(4_000)));
}

#[test]
fn a_stranger_who_speaks_first_gets_nothing() {
    for (mut line, is_translated) in
        [(Line::announced(4_000), false), (Line::translated(4_000), true)]
    {
        for _ in 0..30 {
            let is_heard = line.hears(elsewhere(6_666), STRANGER);
            assert!(!(is_heard && is_translated), "the peer is known to be elsewhere");
            assert_eq!(line.latch.target(), Some(address(4_000)));
        }
        assert!(line.hears(address(4_000), PEER));
        assert!((0..1_000).all(|_| !line.hears(elsewhere(6_666), STRANGER)));
        assert_eq!(line.latch.target(), Some(address(4_000)));
    }
}

#[test]
fn a_stranger_does_not_keep_a_translated_peer_from_proving_itself() {
    let mut line = Line::translated(4_000);
    for _ in 0..2 {
        assert!(!line.hears(elsewhere(6_666), STRANGER));
        assert!(!line.hears(address(5_000), PEER));
    }
    assert!(!line.hears(elsewhere(6_666), STRANGER));
    assert!(line.hears(address(5_000), PEER));
    assert_eq!(line.latch.target(), Some(address(5_000)));
}

// The attack known as RTPBleed: whoever sends to the port gets the audio.
#[test]
fn a_stranger_steals_no_stream_that_is_latched() {
    let mut line = Line::announced(4_000);
    assert!(line.hears(address(4_000), PEER));
    for from in [address(6_666), elsewhere(6_666)] {
        assert!((0..1_000).all(|_| !line.hears(from, STRANGER)));
    }
    assert_eq!((line.latch.target(), line.latch.refused()), (Some(address(4_000)), 2_000));
}

#[test]
fn the_peer_pushes_out_whoever_was_first() {
    let mut line = Line::announced(4_000);
    assert!(line.needs(elsewhere(6_666), STRANGER).is_some());
    assert_eq!(line.latch.target(), Some(elsewhere(6_666)));
    assert!(line.hears(address(4_000), PEER));
    assert!(!line.hears(elsewhere(6_666), STRANGER));
    assert_eq!(line.latch.target(), Some(address(4_000)));

    let mut line = Line::translated(4_000);
    assert!(line.needs(elsewhere(6_666), STRANGER).is_some());
    assert_eq!(line.needs(address(5_000), PEER), Some(3));
    assert!((0..1_000).all(|_| !line.hears(elsewhere(6_666), STRANGER)));
}

#[test]
fn nobody_is_heard_before_an_announcement() {
    let mut line = Line { latch: Latch::default(), now: Instant::now() };
    assert!((0..1_000).all(|_| !line.hears(address(6_666), STRANGER)));
}

// A translator forgets a way that was not used, or starts again, and gives the peer another port.
#[test]
fn the_same_ssrc_is_taken_from_elsewhere_once_the_old_source_is_silent() {
    let mut line = Line::translated(4_000);
    assert!(line.needs(address(5_000), PEER).is_some());
    // Both at once are no peer that has moved.
    for _ in 0..100 {
        assert!(line.hears(address(5_000), PEER));
        assert!(!line.hears(address(5_002), PEER));
    }
    assert_eq!(
        line.needs(address(5_002), PEER),
        Some(24),
        "half a second after the last of the old one"
    );
    assert_eq!(line.latch.target(), Some(address(5_002)));
    // Another host, as when a mobile telephone changes its network.
    line.pass(SILENCE);
    assert!(line.hears(elsewhere(7_000), PEER));
    line.pass(Duration::from_secs(60));
    assert!((0..1_000).all(|_| !line.hears(elsewhere(6_666), STRANGER)));
}

// A re-INVITE or an UPDATE is the peer's word that something has changed, and a new stream may have a new SSRC.
#[test]
fn a_request_of_the_peer_lets_it_move() {
    let mut line = Line::translated(4_000);
    assert!(line.needs(address(5_000), PEER).is_some());
    assert!((0..10).all(|_| !line.hears(address(5_002), 8)));
    line.latch.open(line.now);
    assert!((0..2).all(|_| !line.hears(address(5_002), 8)));
    assert!(line.hears(address(5_000), PEER), "it is still there");
    assert_eq!(line.needs(address(5_002), 8), Some(3));
    assert!((0..100).all(|_| !line.hears(address(5_000), PEER)), "and has moved now");
    // Not for ever, and not at once for a stranger.
    line.latch.open(line.now);
    line.pass(OPEN_FOR);
    assert!((0..1_000).all(|_| !line.hears(address(5_004), 9)));
    line.latch.open(line.now);
    for _ in 0..200 {
        assert!(!line.hears(elsewhere(6_666), STRANGER));
        assert!(line.hears(address(5_002), 8));
    }
}

// RFC 3264 §8.3.1: a new description may move the media; §8.4: 0.0.0.0 is hold.
#[test]
fn a_new_description_moves_the_stream_and_the_same_one_does_not() {
    let mut line = Line::translated(4_000);
    assert!(line.needs(address(5_000), PEER).is_some());
    line.latch.announce(Some(address(4_000)));
    assert_eq!(line.latch.target(), Some(address(5_000)), "a refresh changes nothing");
    line.latch.announce(None);
    assert_eq!(line.latch.target(), None);
    line.latch.announce(Some(address(4_002)));
    assert_eq!(line.latch.target(), Some(address(4_002)));
    assert!(line.hears(address(4_002), PEER));
}

// RFC 3550 §11: on the next port, unless a translator has another one for it.
#[test]
fn reports_come_from_the_host_and_the_ssrc_of_the_media() {
    let mut line = Line::translated(4_000);
    let mut reports = Latch::default();
    reports.announce(Some(address(4_001)));
    let now = line.now;
    assert!(!reports.admits_report(now, address(5_001), PEER, &line.latch));
    assert!(line.needs(address(5_000), PEER).is_some());
    for (from, ssrc, admitted) in [
        (address(6_667), STRANGER, false),
        (elsewhere(5_001), PEER, false),
        (address(5_001), PEER, true),
        // The translator changes its port too.
        (address(5_003), PEER, true),
        (address(6_667), STRANGER, false),
        // It is where it has said.
        (address(4_001), STRANGER, true),
    ] {
        let latch = &line.latch;
        assert_eq!(reports.admits_report(now, from, ssrc, latch), admitted, "{from} {ssrc}");
    }
    assert_eq!(reports.target(), Some(address(4_001)));
}
