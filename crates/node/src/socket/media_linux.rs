//! Which of many sockets have datagrams, by epoll, and when the kernel received each.
//!
//! The kernel's time of arrival is what jitter is measured by: a box that reads late must not blame the network.

use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::Stream;
use nix::cmsg_space;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::address::socket_address;

/// Without dates, one round of so many asks the kernel what it dropped: that costs a twentieth of a relay.
const ASK_EVERY: u32 = 16;

/// Sockets that are looked at in one round.
const ROUND: usize = 256;
/// The longest UDP datagram there is.
const LONGEST: usize = 65_535;

/// The sockets that are watched, and room for one datagram.
pub(super) struct Arrivals {
    epoll: Rc<AsyncFd<Watched>>,
    /// Whether every datagram is asked for its time.
    dated: bool,
    /// Rounds so far.
    rounds: u32,
    ready: Vec<EpollEvent>,
    buffer: Box<[u8]>,
    control: Vec<u8>,
    /// Drops of each open socket so far, as the kernel last told: only of sockets that dropped something.
    drops: BTreeMap<u32, u32>,
    /// Drops of sockets that are closed.
    past_drops: u64,
}

/// The epoll that the box and its stream of wake-ups share.
struct Watched(Epoll);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0.0.as_raw_fd()
    }
}

impl Arrivals {
    pub(super) fn new(dated: bool) -> io::Result<(Self, MediaWaiting)> {
        let epoll = Watched(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?);
        // Tokio cannot know that `Watched` always names the same open file. It does: it owns it.
        #[allow(
            deprecated,
            reason = "the successor is unsafe to call, which this workspace forbids"
        )]
        let epoll = Rc::new(AsyncFd::with_interest(epoll, Interest::READABLE)?);
        let waiting = MediaWaiting { epoll: Rc::clone(&epoll), has_told: false };
        let arrivals = Self {
            epoll,
            dated,
            rounds: 0,
            ready: vec![EpollEvent::empty(); ROUND],
            buffer: vec![0; LONGEST].into(),
            control: cmsg_space!(TimeSpec, u32),
            drops: BTreeMap::new(),
            past_drops: 0,
        };
        Ok((arrivals, waiting))
    }

    /// Watches a socket under a number.
    pub(super) fn watch(&self, socket: &UdpSocket, number: u32) -> io::Result<()> {
        if self.dated {
            setsockopt(socket, sockopt::ReceiveTimestampns, &true)?;
        }
        setsockopt(socket, sockopt::RxqOvfl, &1)?;
        self.epoll.get_ref().0.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, number.into()))?;
        Ok(())
    }

    /// The socket of this number is being closed, which ends the watch; another one may get the number.
    pub(super) fn forget(&mut self, number: u32) {
        self.past_drops += self.drops.remove(&number).map_or(0, u64::from);
    }

    /// Reads a datagram of each socket that has one; false when none has. Sockets that have several come up again in
    /// the next round.
    pub(super) fn read(
        &mut self,
        sockets: &[Option<UdpSocket>],
        mut take: impl FnMut(Instant, u32, SocketAddr, &[u8]),
    ) -> bool {
        // "Would block" makes tokio wait for a new event, which the next datagram makes.
        let found = self.epoll.try_io(Interest::READABLE, |epoll| {
            match epoll.0.wait(&mut self.ready, EpollTimeout::ZERO)? {
                0 => Err(io::ErrorKind::WouldBlock.into()),
                found => Ok(found),
            }
        });
        let found = found.unwrap_or(0);
        // The count of drops is cumulative, so it is enough to ask for it now and then.
        self.rounds = self.rounds.wrapping_add(1);
        let is_plain = !self.dated && !self.rounds.is_multiple_of(ASK_EVERY);
        let clock = Clocks::read();
        for event in self.ready.iter().take(found) {
            let number = event.data() as u32;
            let Some(Some(socket)) = sockets.get(number as usize) else { continue };
            if is_plain {
                if let Ok((length, peer)) = socket.recv_from(&mut self.buffer) {
                    take(clock.now, number, peer, self.buffer.get(..length).unwrap_or_default());
                }
                continue;
            }
            let mut slices = [IoSliceMut::new(&mut self.buffer)];
            let received = recvmsg::<SockaddrStorage>(
                socket.as_raw_fd(),
                &mut slices,
                Some(&mut self.control),
                MsgFlags::MSG_DONTWAIT,
            );
            // Nothing after all, or an error that an earlier datagram caused: there is nothing to take.
            let Ok(message) = received else { continue };
            let (length, peer) = (message.bytes, message.address.as_ref().and_then(socket_address));
            let mut arrived = clock.now;
            for extra in message.cmsgs().into_iter().flatten() {
                match extra {
                    ControlMessageOwned::ScmTimestampns(at) => arrived = clock.instant_of(at),
                    ControlMessageOwned::RxqOvfl(drops) => _ = self.drops.insert(number, drops),
                    _ => {}
                }
            }
            if let Some(peer) = peer {
                take(arrived, number, peer, self.buffer.get(..length).unwrap_or_default());
            }
        }
        found > 0
    }

    /// Datagrams that the kernel dropped unread.
    pub(super) fn kernel_drops(&self) -> u64 {
        self.past_drops + self.drops.values().map(|drops| u64::from(*drops)).sum::<u64>()
    }
}

/// One moment on both clocks: the kernel stamps datagrams with the wall clock.
struct Clocks {
    now: Instant,
    unix: Duration,
}

/// Two clocks that were read within this show the same moment.
const SAME_MOMENT: Duration = Duration::from_micros(50);

/// Waits that are believed. A wall clock that is set must not throw a datagram into the past.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Clocks {
    fn read() -> Self {
        // Between two readings the process may lose its core; then they are of two moments.
        let mut clocks = Self::read_once();
        for _ in 0..2 {
            if clocks.now.elapsed() < SAME_MOMENT {
                break;
            }
            clocks = Self::read_once();
        }
        clocks
    }

    fn read_once() -> Self {
        let now = Instant::now();
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { now, unix }
    }

    fn instant_of(&self, at: TimeSpec) -> Instant {
        let at = Duration::from(at);
        let waited = self.unix.checked_sub(at).filter(|waited| *waited < LONGEST_WAIT);
        waited.and_then(|waited| self.now.checked_sub(waited)).unwrap_or(self.now)
    }
}

/// Wakes the box when at least one socket has a datagram.
///
/// After each time it lets the other inputs of the box come first: actix would otherwise poll this one many times in a row.
pub(crate) struct MediaWaiting {
    epoll: Rc<AsyncFd<Watched>>,
    has_told: bool,
}

/// There is media to be read.
#[derive(Debug)]
pub(crate) struct MediaArrived;

impl Stream for MediaWaiting {
    type Item = MediaArrived;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<MediaArrived>> {
        if std::mem::take(&mut self.has_told) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // Fails only when the reactor is gone.
        let ready = ready!(self.epoll.poll_read_ready(cx)).is_ok();
        self.has_told = true;
        Poll::Ready(ready.then_some(MediaArrived))
    }
}
