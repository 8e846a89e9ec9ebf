//! Many datagrams in one system call: `recvmmsg` and `sendmmsg`.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsRawFd;

use bytes::Bytes;
use nix::cmsg_space;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage,
    recvmmsg, sendmmsg,
};
use sip_proto::{Packet, Transport};
use socket2::SockRef;
use tokio::net::UdpSocket;

use super::address::socket_address;

/// Most datagrams in one call.
pub(super) const BATCH: usize = 32;
/// So many are asked for first. Room for each costs something, and mostly there are one or two.
const FEW: usize = 4;
/// The longest UDP datagram there is.
const SLOT: usize = 65_535;

/// Reusable room for one batch. The kernel backs only the pages that datagrams have touched.
pub(super) struct Arena {
    slots: Box<[u8]>,
    headers: MultiHeaders<SockaddrStorage>,
    /// Datagrams that the kernel dropped on this socket so far, as it last told.
    kernel_drops: u32,
}

impl Arena {
    pub(super) fn new() -> Self {
        let slots = vec![0; BATCH * SLOT].into_boxed_slice();
        Self { slots, headers: fresh_headers(), kernel_drops: 0 }
    }

    /// Appends what waits on `socket`, some [`BATCH`] datagrams at most; true when that was all.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        packets: &mut Vec<Packet>,
    ) -> io::Result<bool> {
        if self.receive_up_to::<FEW>(socket, packets)? < FEW {
            return Ok(true);
        }
        match self.receive_up_to::<BATCH>(socket, packets) {
            Ok(found) => Ok(found < BATCH),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn receive_up_to<const ROOM: usize>(
        &mut self,
        socket: &UdpSocket,
        packets: &mut Vec<Packet>,
    ) -> io::Result<usize> {
        let mut drops_untold = false;
        let mut found = 0;
        {
            let mut free = self.slots.chunks_exact_mut(SLOT);
            let mut slots: [_; ROOM] =
                std::array::from_fn(|_| [IoSliceMut::new(free.next().unwrap_or_default())]);
            let received = recvmmsg(
                socket.as_raw_fd(),
                &mut self.headers,
                slots.iter_mut(),
                MsgFlags::MSG_DONTWAIT,
                None,
            )?;
            for message in received {
                found += 1;
                packets.extend(packet(&message));
                match message.cmsgs() {
                    Ok(mut extras) => {
                        self.kernel_drops = drops(&mut extras).unwrap_or(self.kernel_drops)
                    }
                    Err(_) => drops_untold = true,
                }
            }
        }
        if drops_untold {
            // The kernel shortened the control buffers to what it used before, and nix does not
            // lengthen them again. The drop counter is cumulative, so the next datagram tells it.
            self.headers = fresh_headers();
        }
        Ok(found)
    }

    pub(super) fn kernel_drops(&self) -> u32 {
        self.kernel_drops
    }
}

fn fresh_headers() -> MultiHeaders<SockaddrStorage> {
    MultiHeaders::preallocate(BATCH, Some(cmsg_space!(u32)))
}

fn packet(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<Packet> {
    let peer = message.address.as_ref().and_then(socket_address)?;
    let bytes = Bytes::copy_from_slice(message.iovs().next().unwrap_or_default());
    Some(Packet { transport: Transport::Udp, peer, bytes })
}

fn drops(extras: &mut impl Iterator<Item = ControlMessageOwned>) -> Option<u32> {
    extras.find_map(|extra| match extra {
        ControlMessageOwned::RxqOvfl(drops) => Some(drops),
        _ => None,
    })
}

/// Reusable headers for one batch of datagrams to send.
pub(super) struct Outgoing(MultiHeaders<SockaddrStorage>);

impl Outgoing {
    pub(super) fn new() -> Self {
        Self(MultiHeaders::preallocate(BATCH, None))
    }

    /// Sends the first datagrams of `packets`, at most [`BATCH`], and returns how many went.
    ///
    /// # Errors
    /// The first datagram did not go.
    pub(super) fn send(&mut self, socket: &UdpSocket, packets: &[Packet]) -> io::Result<usize> {
        if let [packet] = packets {
            return SockRef::from(socket).send_to(&packet.bytes, &packet.peer.into()).map(|_| 1);
        }
        let bytes: [_; BATCH] = std::array::from_fn(|index| {
            [IoSlice::new(packets.get(index).map_or(&[][..], |packet| &packet.bytes))]
        });
        let peers: [_; BATCH] =
            std::array::from_fn(|index| packets.get(index).map(|packet| packet.peer.into()));
        let sent = sendmmsg(
            socket.as_raw_fd(),
            &mut self.0,
            bytes.iter().take(packets.len()),
            peers,
            [] as [ControlMessage<'_>; 0],
            MsgFlags::MSG_DONTWAIT,
        )?;
        Ok(sent.count())
    }
}
