//! The same interface as `media_linux.rs`: every socket is asked every few milliseconds, whatever it has.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_util::Stream;
use tokio::time::{Interval, MissedTickBehavior, interval};

const TURN: Duration = Duration::from_millis(5);
const LONGEST: usize = 65_535;

/// Room for one datagram.
pub(super) struct Arrivals {
    buffer: Box<[u8]>,
}

impl Arrivals {
    pub(super) fn new(_dated: bool) -> io::Result<(Self, MediaWaiting)> {
        let mut turns = interval(TURN);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Ok((Self { buffer: vec![0; LONGEST].into() }, MediaWaiting(turns)))
    }

    pub(super) fn watch(&self, _socket: &UdpSocket, _number: u32) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn forget(&mut self, _number: u32) {}

    /// Reads a datagram of each socket that has one; false when none has.
    pub(super) fn read(
        &mut self,
        sockets: &[Option<UdpSocket>],
        mut take: impl FnMut(Instant, u32, SocketAddr, &[u8]),
    ) -> bool {
        let now = Instant::now();
        let mut found = false;
        for (number, socket) in (0..).zip(sockets) {
            let Some(socket) = socket else { continue };
            if let Ok((length, peer)) = socket.recv_from(&mut self.buffer) {
                found = true;
                take(now, number, peer, self.buffer.get(..length).unwrap_or_default());
            }
        }
        found
    }

    /// Only Linux tells.
    pub(super) fn kernel_drops(&self) -> u64 {
        0
    }
}

/// Wakes the box when it is time to look.
pub(crate) struct MediaWaiting(Interval);

/// There may be media to be read.
#[derive(Debug)]
pub(crate) struct MediaArrived;

impl Stream for MediaWaiting {
    type Item = MediaArrived;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<MediaArrived>> {
        ready!(self.0.poll_tick(cx));
        Poll::Ready(Some(MediaArrived))
    }
}
