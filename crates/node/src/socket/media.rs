//! The RTP and RTCP sockets of one box: many sockets, one stream of wake-ups, no task for any of them.
//!
//! ```text
//!   Arrivals: which sockets have datagrams ──► receive ──► Plane ──► send on, or keep
//!                                              transmit ◄── schedule of the Plane
//! ```
//!
//! Sockets are opened ahead of need, as the plane asks for them, and a port is used by many calls, one after the other. What
//! the plane keeps beyond a reserve is closed.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use media::{Forward, Plane};
use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::Tally;
use super::arrivals::{Arrivals, MediaWaiting};
use crate::clock;
use crate::impaired::{Admission, Impaired, InTransit};

/// Bytes of the kernel for datagrams of one stream that wait: two seconds of G.711.
const BUFFER: usize = 128 * 1024;
/// Rounds of reading in one turn: then SIP has its turn.
const ROUNDS: usize = 4;

/// The sockets of a plane, by its numbers; `None` where one was closed.
pub(crate) struct MediaSockets {
    sockets: Vec<Option<UdpSocket>>,
    arrivals: Arrivals,
    out: Vec<u8>,
    tally: Tally,
}

impl MediaSockets {
    /// No socket yet, and the stream that wakes the box when there is something to read. `dated`: datagrams carry the
    /// kernel's time of arrival, where it tells.
    pub(crate) fn new(dated: bool, tally: Tally) -> io::Result<(Self, MediaWaiting)> {
        let (arrivals, waiting) = Arrivals::new(dated)?;
        Ok((Self { sockets: Vec::new(), arrivals, out: Vec::new(), tally }, waiting))
    }

    /// Opens the ports that the plane wants.
    pub(crate) fn provide(&mut self, plane: &mut Plane) {
        while let Some(rtp) = plane.wanted_port() {
            match self.open_pair(rtp, plane.next_number()) {
                Ok(()) => _ = plane.port_opened(rtp),
                Err(error) if is_about_port(&error) => plane.port_taken(rtp),
                Err(error) => {
                    tracing::warn!(%rtp, %error, "cannot open further RTP sockets");
                    plane.port_refused(rtp, &error.to_string());
                }
            }
        }
    }

    /// Closes what the plane needs no more.
    pub(crate) fn give_back(&mut self, plane: &mut Plane) {
        while let Some(first) = plane.surplus_port() {
            for number in [first, first + 1] {
                self.arrivals.forget(number);
                if let Some(socket) = self.sockets.get_mut(number as usize) {
                    *socket = None;
                }
            }
        }
    }

    fn open_pair(&mut self, rtp: SocketAddr, first: u32) -> io::Result<()> {
        // RFC 3550 §11: RTCP on the next higher port.
        let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1);
        for (number, socket) in (first..).zip([open(rtp)?, open(rtcp)?]) {
            self.arrivals.watch(&socket, number)?;
            let place = number as usize;
            if self.sockets.len() <= place {
                self.sockets.resize_with(place + 1, || None);
            }
            self.sockets[place] = Some(socket);
        }
        Ok(())
    }

    /// Gives the plane what has arrived, and sends on what it relays.
    pub(crate) fn receive(&mut self, plane: &mut Plane, mut impaired: Option<&mut Impaired>) {
        let Self { sockets, arrivals, tally, .. } = self;
        for _ in 0..ROUNDS {
            let more = arrivals.read(sockets, |at, number, from, bytes| {
                if let Some(impaired) = &mut impaired {
                    let what = InTransit::MediaReceived { number, from, bytes: bytes.to_vec() };
                    if !matches!(impaired.admit(clock::now(), what), Admission::Passes(_)) {
                        return;
                    }
                }
                if let Some(forward) = plane.handle_datagram(at, number, from, bytes) {
                    send_on(sockets, forward, bytes, tally, impaired.as_deref_mut());
                }
            });
            if !more {
                break;
            }
        }
        let drops = arrivals.kernel_drops();
        tally.update(|counts| counts.media_kernel_drops = drops);
    }

    /// Sends what is due.
    pub(crate) fn transmit(
        &mut self,
        now: Instant,
        plane: &mut Plane,
        mut impaired: Option<&mut Impaired>,
    ) {
        while let Some(forward) = plane.poll_transmit(now, &mut self.out) {
            send_on(&self.sockets, forward, &self.out, &self.tally, impaired.as_deref_mut());
        }
    }

    /// A datagram goes on that impairments have put off until `at`.
    pub(crate) fn go_on(
        &self,
        at: Instant,
        what: InTransit,
        plane: &mut Plane,
        impaired: Option<&mut Impaired>,
    ) {
        match what {
            InTransit::MediaReceived { number, from, bytes } => {
                if let Some(forward) = plane.handle_datagram(at, number, from, &bytes) {
                    send_on(&self.sockets, forward, &bytes, &self.tally, impaired);
                }
            }
            InTransit::MediaToSend { forward, bytes } => {
                send(&self.sockets, forward, &bytes, &self.tally);
            }
            InTransit::Received(_) | InTransit::ToSend(_) => {}
        }
    }
}

/// Sends a datagram, if impairments let it pass now.
fn send_on(
    sockets: &[Option<UdpSocket>],
    forward: Forward,
    bytes: &[u8],
    tally: &Tally,
    impaired: Option<&mut Impaired>,
) {
    if let Some(impaired) = impaired {
        let what = InTransit::MediaToSend { forward, bytes: bytes.to_vec() };
        if !matches!(impaired.admit(clock::now(), what), Admission::Passes(_)) {
            return;
        }
    }
    send(sockets, forward, bytes, tally);
}

/// RTP is never sent again, so what does not go is counted and forgotten.
fn send(sockets: &[Option<UdpSocket>], forward: Forward, bytes: &[u8], tally: &Tally) {
    let Some(Some(socket)) = sockets.get(forward.socket as usize) else { return };
    if let Err(error) = socket.send_to(bytes, forward.to) {
        tally.update(|counts| counts.media_unsent += 1);
        tracing::debug!(to = %forward.to, %error, "media not sent");
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.bind(&address.into())?;
    // The kernel may grant less; its default is enough for a stream.
    let _ = socket.set_recv_buffer_size(BUFFER);
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Whether another port may be had where this one cannot.
fn is_about_port(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(code, Some(Errno::EADDRINUSE | Errno::EACCES | Errno::EADDRNOTAVAIL))
}

#[cfg(test)]
mod tests;
