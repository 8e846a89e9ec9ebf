//! Datagrams in and out of one box.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use nix::libc;
use sip_proto::Packet;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::Tally;
use super::batch::{Arena, BATCH, Outgoing};

/// Datagrams as they come, in batches.
///
/// Attached to an actor as a stream: while the actor is busy nothing is read, the kernel's buffer
/// fills, and the kernel drops and counts, as an overloaded box does.
pub(crate) struct UdpReceiver {
    socket: Rc<UdpSocket>,
    arena: Arena,
    tally: Tally,
}

impl UdpReceiver {
    pub(super) fn new(socket: Rc<UdpSocket>, tally: Tally) -> Self {
        Self { socket, arena: Arena::new(), tally }
    }

    /// What waits, and whether the call to receive failed.
    fn receive(&mut self) -> (Vec<Packet>, bool) {
        let mut packets = Vec::new();
        let mut failed = false;
        // "Would block" makes tokio wait for a new event. A batch that is not full has emptied the
        // socket, and what comes later makes a new event: no need to hear it from another call.
        let _ = self.socket.try_io(Interest::READABLE, || {
            let outcome = self.arena.receive(&self.socket, &mut packets);
            failed = matches!(&outcome, Err(error) if error.kind() != io::ErrorKind::WouldBlock);
            let is_empty = outcome.unwrap_or(!failed);
            if is_empty { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        self.tally.update(|counts| {
            counts.udp_received += packets.len() as u64;
            counts.udp_kernel_drops = u64::from(self.arena.kernel_drops());
            counts.udp_receive_errors += u64::from(failed);
        });
        (packets, failed)
    }
}

impl Stream for UdpReceiver {
    type Item = Vec<Packet>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<Packet>>> {
        let this = self.get_mut();
        loop {
            if ready!(this.socket.poll_recv_ready(cx)).is_err() {
                return Poll::Ready(None); // the reactor is gone
            }
            let (packets, failed) = this.receive();
            // After an error the batch may have no packets: the actor gets its turn all the same.
            if failed || !packets.is_empty() {
                return Poll::Ready(Some(packets));
            }
        }
    }
}

/// Sends datagrams; keeps a bounded number while the kernel's send buffer is full.
pub(crate) struct UdpSender {
    socket: Rc<UdpSocket>,
    outgoing: Outgoing,
    waiting: VecDeque<Packet>,
    limit: usize,
    tally: Tally,
}

/// Whether every datagram has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    All,
    /// Some wait: flush again when [`UdpSender::writable`] has completed.
    Waiting,
}

impl UdpSender {
    pub(super) fn new(socket: Rc<UdpSocket>, limit: usize, tally: Tally) -> Self {
        Self { socket, outgoing: Outgoing::new(), waiting: VecDeque::new(), limit, tally }
    }

    /// Sends all of `packets`, in order and after those that wait, and leaves `packets` empty.
    pub(crate) fn send(&mut self, packets: &mut Vec<Packet>) -> Flushed {
        if !self.waiting.is_empty() {
            self.keep(packets.drain(..));
            return Flushed::Waiting;
        }
        let sent = self.send_now(packets);
        if sent < packets.len() {
            self.keep(packets.drain(sent..));
        }
        packets.clear();
        if self.waiting.is_empty() { Flushed::All } else { Flushed::Waiting }
    }

    /// Sends what waited.
    pub(crate) fn flush(&mut self) -> Flushed {
        let mut packets: Vec<_> = std::mem::take(&mut self.waiting).into();
        let sent = self.send_now(&packets);
        self.waiting = packets.split_off(sent).into();
        if self.waiting.is_empty() { Flushed::All } else { Flushed::Waiting }
    }

    /// Completes when the kernel has room again.
    pub(crate) fn writable(&self) -> impl Future<Output = ()> + use<> {
        let socket = Rc::clone(&self.socket);
        async move {
            // An error means that the reactor is gone, and the actor with it.
            let _ = socket.writable().await;
        }
    }

    /// Sends or gives up each of `packets` until the kernel has no more room; returns how many.
    fn send_now(&mut self, packets: &[Packet]) -> usize {
        let mut done = 0;
        while done < packets.len() {
            let batch = &packets[done..packets.len().min(done + BATCH)];
            match self.outgoing.send(&self.socket, batch) {
                Ok(sent) => {
                    done += sent;
                    self.tally.update(|counts| counts.udp_sent += sent as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.forget_writable();
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.count_failure(&batch[0], &error);
                    done += 1; // UDP may lose; the transaction sends again
                }
            }
        }
        done
    }

    fn keep(&mut self, packets: impl Iterator<Item = Packet>) {
        for packet in packets {
            if self.waiting.len() < self.limit {
                self.waiting.push_back(packet);
                self.tally.update(|counts| counts.udp_delayed += 1);
            } else {
                self.tally.update(|counts| counts.udp_dropped += 1);
            }
        }
    }

    /// Makes the next [`writable`](Self::writable) wait for a new event of the kernel.
    fn forget_writable(&self) {
        let would_block = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.socket.try_io(Interest::WRITABLE, would_block);
    }

    fn count_failure(&self, packet: &Packet, error: &io::Error) {
        let oversize = error.raw_os_error() == Some(libc::EMSGSIZE);
        self.tally.update(|counts| {
            if oversize {
                counts.udp_oversize += 1;
            } else {
                counts.udp_send_errors += 1;
            }
        });
        let (peer, bytes) = (packet.peer, packet.bytes.len());
        tracing::debug!(%peer, bytes, %error, "datagram not sent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use sip_proto::Transport;

    // The loopback never fills a send buffer, so the tests begin where the kernel has said no.
    #[test]
    fn datagrams_wait_in_order_up_to_the_limit() {
        crate::run(async {
            let receiver = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
            let peer = receiver.local_addr().expect("bound");
            let packet = |number: u8| Packet {
                transport: Transport::Udp,
                peer,
                bytes: Bytes::copy_from_slice(&[number]),
            };
            let tally = Tally::new(0, 0);
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
            let mut sender = UdpSender::new(Rc::new(socket), 3, tally.clone());

            sender.keep([packet(1), packet(2)].into_iter());
            assert_eq!(sender.send(&mut vec![packet(3), packet(4)]), Flushed::Waiting);
            assert_eq!(sender.flush(), Flushed::All);
            assert_eq!(sender.send(&mut vec![packet(5)]), Flushed::All);
            for expected in [1, 2, 3, 5] {
                let mut buffer = [0; 2];
                assert_eq!(receiver.recv(&mut buffer).await.expect("received"), 1);
                assert_eq!(buffer[0], expected);
            }
            let counts = tally.read();
            assert_eq!((counts.udp_delayed, counts.udp_dropped, counts.udp_sent), (3, 1, 4));
        });
    }

    #[test]
    fn one_bad_datagram_does_not_stop_the_others() {
        crate::run(async {
            let receiver = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
            let peer = receiver.local_addr().expect("bound");
            let packet =
                |bytes: Vec<u8>| Packet { transport: Transport::Udp, peer, bytes: bytes.into() };
            let tally = Tally::new(0, 0);
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
            let mut sender = UdpSender::new(Rc::new(socket), 3, tally.clone());

            let mut packets = vec![packet(vec![1]), packet(vec![0; 65_536]), packet(vec![2])];
            assert_eq!(sender.send(&mut packets), Flushed::All);
            for expected in [1, 2] {
                let mut buffer = [0; 2];
                assert_eq!(receiver.recv(&mut buffer).await.expect("received"), 1);
                assert_eq!(buffer[0], expected);
            }
            assert_eq!((tally.read().udp_oversize, tally.read().udp_sent), (1, 2));
        });
    }
}
