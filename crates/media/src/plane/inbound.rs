//! A datagram arrives: counted, heard, sent on.

use std::net::SocketAddr;
use std::time::Instant;

use super::sights::report_port;
use super::{Forward, MediaEvent, Plane, StreamEvent};
use crate::receiver::PacketArrival;
use crate::rtcp;
use crate::rtp::Packet;
use crate::stream::{Role, StreamId};
use crate::voice::Voice;

impl Plane {
    /// Takes a datagram that arrived at `socket`, at the time that the kernel says if it does. A relay's datagram
    /// is to be sent on as it is, as told.
    pub fn handle_datagram(
        &mut self,
        arrived: Instant,
        socket: u32,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Option<Forward> {
        let holder = self.pairs.get(socket as usize / 2).and_then(|pair| pair.stream);
        let Some(id) = holder else {
            // The peer cannot know yet that the call is over; nor can it know before the call begins.
            self.counts.stray += 1;
            return None;
        };
        let on_rtp_port = socket.is_multiple_of(2);
        if !on_rtp_port || rtcp::is_rtcp(bytes) {
            return self.handle_rtcp(arrived, id, on_rtp_port, from, bytes);
        }
        self.handle_rtp(arrived, id, from, bytes)
    }

    fn handle_rtp(
        &mut self,
        arrived: Instant,
        id: StreamId,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Option<Forward> {
        let stream = self.streams.get_mut(id)?;
        let Some(packet) = Packet::parse(bytes) else {
            self.counts.malformed += 1;
            return None;
        };
        let before = self.sights.is_some().then(|| stream.rtp.source());
        if !stream.rtp.admits(arrived, from, packet.header.ssrc) {
            self.counts.strangers += 1;
            return None;
        }
        let heard = stream.rtp.source();
        if let (Some(sights), Some(peer)) = (&mut self.sights, heard)
            && before.is_some_and(|before| before != heard)
        {
            sights.note(arrived, id, stream.local, MediaEvent::Latched(peer));
        }
        self.counts.received += 1;
        if let Some(sights) = self.sights.as_mut().filter(|sights| sights.with_packets) {
            let what = MediaEvent::PacketReceived { from, bytes: bytes.to_vec() };
            sights.note(arrived, id, stream.local, what);
        }
        // Whoever is only heard so far earns nothing for the address that was announced.
        if stream.rtp.source() == Some(from) {
            stream.note_arrival();
        }
        if stream.watch.wakes() {
            self.events.push_back(StreamEvent::Resumed(id));
            if let Some(sights) = &mut self.sights {
                sights.note(arrived, id, stream.local, MediaEvent::Resumed);
            }
        }
        let payload_type = packet.header.payload_type;
        let paced = Some(payload_type) != stream.formats.events;
        let arrival = stream.receiver.receive(arrived, &packet.header, paced);
        let (formats, own) = (stream.formats, stream.socket());
        match &mut stream.role {
            Role::Open => None,
            Role::Relay { partner } => {
                let id = *partner;
                let partner = self.streams.get_mut(id)?;
                let to = partner.rtp.target().filter(|_| partner.may_send())?;
                partner.sent += 1;
                self.counts.forwarded += 1;
                let socket = partner.socket();
                self.see_packet_sent(arrived, id, 0, to, bytes);
                Some(Forward { socket, to })
            }
            Role::Terminal(terminal) => {
                if arrival == PacketArrival::InTime {
                    terminal.hear(arrived, &formats, &packet);
                    let is_voice = formats.law(payload_type).is_some();
                    if terminal.voice == Voice::Echo && is_voice && terminal.may_echo(arrived) {
                        let mut out = Vec::with_capacity(bytes.len());
                        terminal.echo(arrived, &formats, &packet, &mut out);
                        let to = stream.rtp.target().filter(|_| stream.may_send())?;
                        self.counts.sent += 1;
                        self.see_packet_sent(arrived, id, 0, to, &out);
                        self.ready.push_back((own, to, out));
                    }
                }
                None
            }
        }
    }

    /// RTCP on its own port, or on that of RTP (RFC 5761).
    fn handle_rtcp(
        &mut self,
        arrived: Instant,
        id: StreamId,
        is_multiplexed: bool,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Option<Forward> {
        let ntp = self.ntp(arrived);
        let stream = self.streams.get_mut(id)?;
        let Some(ssrc) = rtcp::sender_of(bytes).filter(|_| rtcp::is_rtcp(bytes)) else {
            self.counts.malformed += 1;
            return None;
        };
        let admitted = match is_multiplexed {
            true => stream.rtp.admits_muxed_report(arrived, from, ssrc),
            false => stream.rtcp.admits_report(arrived, from, ssrc, &stream.rtp),
        };
        if !admitted {
            self.counts.strangers += 1;
            return None;
        }
        if let Some(sights) = &mut self.sights {
            let what = MediaEvent::ReportReceived { from, bytes: bytes.to_vec() };
            sights.note(arrived, id, report_port(stream.local, is_multiplexed), what);
        }
        match &mut stream.role {
            Role::Open => None,
            Role::Relay { partner } => {
                let id = *partner;
                let partner = self.streams.get_mut(id)?;
                let (latch, above) =
                    if is_multiplexed { (&partner.rtp, 0) } else { (&partner.rtcp, 1) };
                let to = latch.target()?;
                let socket = partner.socket() + u32::from(above);
                if !partner.may_send() {
                    return None;
                }
                self.see_packet_sent(arrived, id, above, to, bytes);
                Some(Forward { socket, to })
            }
            Role::Terminal(terminal) => {
                let understood = terminal.hear_report(arrived, ntp, bytes);
                self.counts.malformed += u64::from(!understood);
                None
            }
        }
    }
}
