//! Media: a relay between two telephones, and a caller whom an answering point hears.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use media::{
    Agreement, ExpectedSound, Forward, Melody, Plane, PlaneSettings, Singer, StreamId, Voice,
};
use sip_proto::sdp::{self, LocalMedia};

/// Between two packets of a stream.
const STEP: Duration = Duration::from_millis(20);
/// Before the counted packets: sources are believed, and the first second is over.
const WARM: u64 = 100;
/// Packets of each counted stream: five seconds.
pub const PACKETS: u64 = 250;

/// A plane, and its ports that are open.
#[derive(Debug)]
struct Party {
    plane: Plane,
    ip: IpAddr,
    /// RTP ports with the numbers of their sockets.
    ports: Vec<(SocketAddr, u32)>,
}

impl Party {
    fn new(last: u8, now: Instant) -> Self {
        let ip = Ipv4Addr::new(127, 0, 0, last).into();
        let settings = PlaneSettings {
            addresses: vec![ip],
            ports: 4_000..=4_099,
            idle_after: Duration::from_secs(5),
            dated: true,
        };
        let unix = Duration::from_secs(1_622_645_100);
        Self { plane: Plane::new(&settings, last.into(), now, unix), ip, ports: Vec::new() }
    }

    /// A stream, its address, and the number of its socket.
    fn open(&mut self) -> (StreamId, SocketAddr, u32) {
        while let Some(rtp) = self.plane.wanted_port() {
            self.ports.push((rtp, self.plane.port_opened(rtp)));
        }
        let id = self.plane.open(self.ip).expect("a port");
        let local = self.plane.local(id).expect("an open stream");
        let number = self.ports.iter().find(|(rtp, _)| *rtp == local);
        (id, local, number.expect("one of the open ports").1)
    }
}

/// A relay of one call, and the packets of its two ends.
#[derive(Debug)]
pub struct Relay {
    party: Party,
    now: Instant,
    sockets: [u32; 2],
    peers: [SocketAddr; 2],
    sequence: u16,
}

impl Relay {
    /// A relay that both ends already speak through; `now` is any instant.
    ///
    /// # Panics
    /// When it does not relay.
    #[must_use]
    pub fn warm(now: Instant) -> Self {
        let mut party = Party::new(3, now);
        let peers = [1, 2].map(|last| SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 5_000)));
        let (a, _, socket_a) = party.open();
        let (b, _, socket_b) = party.open();
        party.plane.join(a, b);
        for (id, peer) in [(a, peers[0]), (b, peers[1])] {
            party.plane.set_peer(id, Some(peer), None);
            party.plane.expect(now, id, true);
        }
        let mut relay = Self { party, now, sockets: [socket_a, socket_b], peers, sequence: 0 };
        relay.pass(WARM);
        relay
    }

    /// Relays [`PACKETS`] of each end.
    ///
    /// # Panics
    /// When one does not go on.
    pub fn run(&mut self) {
        self.pass(PACKETS);
    }

    fn pass(&mut self, packets: u64) {
        for _ in 0..packets {
            self.now += STEP;
            self.sequence = self.sequence.wrapping_add(1);
            for side in 0..2 {
                let packet = rtp(self.sequence, side as u8);
                let (socket, peer) = (self.sockets[side], self.peers[side]);
                let plane = &mut self.party.plane;
                let forward = plane.handle_datagram(self.now, socket, peer, &packet);
                let to = self.peers[1 - side];
                let expected = Forward { socket: self.sockets[1 - side], to };
                assert_eq!(forward, Some(expected), "the other end gets it");
            }
        }
    }
}

/// RFC 3550 §5.1: version 2, payload type 8, sequence number, timestamp, SSRC; and silence.
fn rtp(sequence: u16, source: u8) -> [u8; 172] {
    let mut packet = [0xd5; 172];
    packet[..2].copy_from_slice(&[0x80, 8]);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    packet[8..12].copy_from_slice(&[0x70, 0, 0, source]);
    packet
}

/// A caller who sings, and an answering point that listens.
#[derive(Debug)]
pub struct Listening {
    caller: Party,
    psap: Party,
    now: Instant,
    from: SocketAddr,
    socket: u32,
    heard: u64,
}

impl Listening {
    /// A call that has begun; `now` is any instant.
    ///
    /// # Panics
    /// When nothing is heard.
    #[must_use]
    pub fn warm(now: Instant) -> Self {
        let (mut caller, mut psap) = (Party::new(1, now), Party::new(2, now));
        let (singing, at_caller, _) = caller.open();
        let (listening, at_psap, socket) = psap.open();
        caller.plane.talk(now, singing, &agreement(at_caller, at_psap));
        psap.plane.talk(now, listening, &agreement(at_psap, at_caller));
        let melody = Melody::of(0xabcd, Singer::Caller);
        caller.plane.set_voice(singing, Voice::Melody(melody));
        psap.plane.listen(listening, ExpectedSound::Melody(melody));
        let mut call = Self { caller, psap, now, from: at_caller, socket, heard: 0 };
        call.pass(WARM);
        call
    }

    /// Makes [`PACKETS`] and judges them.
    ///
    /// # Panics
    /// When the caller does not send one each 20 ms.
    pub fn run(&mut self) {
        let before = self.heard;
        self.pass(PACKETS);
        assert_eq!(self.heard - before, PACKETS, "one each 20 ms");
    }

    fn pass(&mut self, packets: u64) {
        let mut out = Vec::new();
        for _ in 0..packets {
            self.now += STEP;
            while let Some(forward) = self.caller.plane.poll_transmit(self.now, &mut out) {
                // RTCP goes from the socket above that of RTP.
                let is_rtp = forward.socket.is_multiple_of(2);
                let port = self.from.port() + u16::from(!is_rtp);
                let (from, socket) =
                    (SocketAddr::new(self.from.ip(), port), self.socket + u32::from(!is_rtp));
                self.psap.plane.handle_datagram(self.now, socket, from, &out);
                self.heard += u64::from(is_rtp);
            }
            while self.psap.plane.poll_event().is_some() {}
        }
    }
}

/// What a telephone at `ours` agrees on with one at `theirs`.
fn agreement(ours: SocketAddr, theirs: SocketAddr) -> Agreement {
    let telephone = |at: SocketAddr| sdp::offer(&LocalMedia::telephone(1, at.ip(), at.port()));
    Agreement::between(&telephone(ours), &telephone(theirs)).expect("two telephones")
}
