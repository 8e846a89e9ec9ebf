//! All phones in one thread: each sends 172 bytes every 20 ms to its relay port and reads what the relay forwards.
//!
//! It is a process of its own, on a core of its own, and leaner than what it measures: nothing wakes it but its clock.
//! A phone reads when it sends. The two of a call send 10 ms apart, so a packet has 10 ms for its way before the other
//! phone looks for it.

use std::io::{self, BufRead as _, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use std::{process, thread};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use system_tests::machine;

use crate::session::{PHONE_A, PHONE_B, SOCKETS, phone};

/// One tick is a millisecond; each phone has one tick of a round in which it sends and reads.
const TICK: Duration = Duration::from_millis(1);
const TICKS_PER_ROUND: u64 = SOCKETS as u64;

/// An RTP header and 20 ms of G.711.
const PACKET: usize = 12 + 160;

/// A packet that took more ticks than this is as bad as lost: no jitter buffer waits for so long.
const TOO_OLD: u64 = 100;

/// What the phones are told: lengths in rounds of 20 ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub warm_up: u64,
    pub measured: u64,
    /// Sequence number of the first packet, so that a stream goes on from one run to the next.
    pub first: u16,
    /// Stop at the first packet that is missing or too old.
    pub strict: bool,
}

impl Plan {
    /// The arguments of the process; [`run`] reads them.
    pub(crate) fn arguments(self) -> [String; 5] {
        let Self { warm_up, measured, first, strict } = self;
        let numbers = [warm_up, measured, first.into(), strict.into()].map(|n| n.to_string());
        let [warm_up, measured, first, strict] = numbers;
        ["blast".to_owned(), warm_up, measured, first, strict]
    }

    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let numbers = arguments.iter().map(|argument| argument.parse::<u64>());
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
        let [warm_up, measured, first, strict] = numbers[..] else {
            anyhow::bail!("four numbers are needed");
        };
        Ok(Self { warm_up, measured, first: u16::try_from(first)?, strict: strict != 0 })
    }
}

/// One phone: where it sends, and what it has heard from the other one of its call.
#[derive(Debug)]
struct Phone {
    relay: SocketAddr,
    /// The round of the next packet from the other phone.
    next: u64,
}

/// Counters of the measured rounds, but for those of what must never happen.
#[derive(Debug, Default)]
struct Counters {
    sent: u64,
    received: u64,
    too_old: u64,
    /// Sequence numbers that were skipped.
    gaps: u64,
    oldest_ticks: u64,
    /// Not from the other phone of the call, or not what it sent.
    strange: u64,
    repeated: u64,
    unsent: u64,
    /// By how much the latest tick was late.
    latest_tick: Duration,
    /// CPU of this process in the measured rounds.
    cpu: Duration,
}

struct Blaster {
    plan: Plan,
    /// By side and tick.
    sockets: [Vec<UdpSocket>; 2],
    phones: Vec<Phone>,
    counters: Counters,
}

/// The process: reads the relay's ports, a line for each call, up to an empty line; says `measuring` and `measured`,
/// and then what it has counted, as JSON.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let plan = Plan::read(arguments)?;
    let mut phones = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let Some((a, b)) = line.split_once(' ') else { break };
        let next = plan.warm_up;
        phones.push(Phone { relay: a.parse()?, next });
        phones.push(Phone { relay: b.parse()?, next });
    }
    ensure!(!phones.is_empty(), "no calls");
    let sockets = [sockets_of(PHONE_A)?, sockets_of(PHONE_B)?];
    let mut blaster = Blaster { plan, sockets, phones, counters: Counters::default() };
    let finished = blaster.talk()?;
    println!("{}", blaster.report(finished)?);
    Ok(())
}

/// The sockets of a side, with all the memory that the kernel gives.
fn sockets_of(host: Ipv4Addr) -> anyhow::Result<Vec<UdpSocket>> {
    let open = |index| -> anyhow::Result<UdpSocket> {
        let own = phone(host, index);
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        socket.set_recv_buffer_size(4 << 20)?;
        socket.bind(&own.into()).with_context(|| format!("cannot bind {own}"))?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    (0..SOCKETS).map(open).collect()
}

/// The tick within a round in which a phone sends: spread evenly over calls, 10 ms from the other phone of the call.
const fn tick_of(phone: usize) -> u64 {
    let (call, side) = (phone as u64 / 2, phone as u64 % 2);
    (call + side * TICKS_PER_ROUND / 2) % TICKS_PER_ROUND
}

/// The SSRC of a phone is its place.
const SSRC: u32 = 0x7000_0000;

/// RFC 3550 §5.1: version 2, payload type 8, sequence number, timestamp, SSRC; and silence.
fn packet(phone: usize, sequence: u16) -> [u8; PACKET] {
    let mut packet = [0xd5; PACKET];
    packet[..2].copy_from_slice(&[0x80, 8]);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    packet[8..12].copy_from_slice(&(SSRC | phone as u32).to_be_bytes());
    packet
}

impl Blaster {
    /// Runs all rounds. False when it stopped before their end.
    fn talk(&mut self) -> anyhow::Result<bool> {
        let first_measured = self.plan.warm_up * TICKS_PER_ROUND;
        let end = first_measured + self.plan.measured * TICKS_PER_ROUND;
        let start = Instant::now();
        for tick in 0..end + 2 * TOO_OLD {
            let lag = wait_until(start + TICK * u32::try_from(tick).expect("a short run"));
            if tick == first_measured {
                println!("measuring");
                self.counters.cpu = machine::cpu_time(process::id())?;
            } else if tick == end {
                println!("measured");
                self.counters.cpu = machine::cpu_time(process::id())? - self.counters.cpu;
            }
            if tick >= first_measured && tick < end {
                self.counters.latest_tick = self.counters.latest_tick.max(lag);
            }
            self.serve(tick, end);
            if self.plan.strict && self.counters.gaps + self.counters.too_old > 0 {
                if tick < end {
                    println!("measured");
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads and sends for the phones whose tick this is; after `end` they only read.
    fn serve(&mut self, tick: u64, end: u64) {
        let round = tick / TICKS_PER_ROUND;
        let sequence = self.plan.first.wrapping_add(round as u16);
        for side in 0..2 {
            // Calls 0, 20, 40… have their A side in tick 0 and their B side in tick 10.
            let socket = (tick as usize + side * SOCKETS / 2) % SOCKETS;
            self.read(side, socket, tick);
            if tick >= end {
                continue;
            }
            for phone in (socket * 2 + side..self.phones.len()).step_by(SOCKETS * 2) {
                let packet = packet(phone, sequence);
                let sent = self.sockets[side][socket].send_to(&packet, self.phones[phone].relay);
                self.counters.unsent += u64::from(sent.is_err());
                self.counters.sent += u64::from(round >= self.plan.warm_up);
            }
        }
    }

    /// Reads all that has come to a socket.
    fn read(&mut self, side: usize, socket: usize, tick: u64) {
        let mut packet = [0; PACKET + 1];
        loop {
            match self.sockets[side][socket].recv_from(&mut packet) {
                Ok((length, source)) => {
                    let heard = self.count(side, tick, &packet[..length], source);
                    self.counters.strange += u64::from(heard.is_none());
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => return,
            }
        }
    }

    /// Counts a packet that came to a side. `None` when no phone there can expect it.
    fn count(&mut self, side: usize, tick: u64, packet: &[u8], source: SocketAddr) -> Option<()> {
        let ssrc = u32::from_be_bytes(packet.get(8..12)?.try_into().ok()?);
        let peer = (ssrc ^ SSRC) as usize;
        let phone = self.phones.get_mut(peer ^ 1)?;
        if packet.len() != PACKET || source != phone.relay || peer % 2 == side {
            return None;
        }
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let round = u64::from(sequence.wrapping_sub(self.plan.first));
        let age = tick.checked_sub(round * TICKS_PER_ROUND + tick_of(peer))?;
        let counters = &mut self.counters;
        if round < self.plan.warm_up {
            return Some(());
        }
        if round < phone.next {
            counters.repeated += 1;
        } else {
            counters.received += 1;
            counters.gaps += round - phone.next;
            phone.next = round + 1;
        }
        counters.oldest_ticks = counters.oldest_ticks.max(age);
        counters.too_old += u64::from(age > TOO_OLD);
        Some(())
    }

    fn report(&self, finished: bool) -> anyhow::Result<Value> {
        let Counters { sent, received, too_old, strange, repeated, unsent, .. } = self.counters;
        // What is still on its way when the phones stop early is not lost.
        let lost = if finished { sent.saturating_sub(received) } else { self.counters.gaps };
        let own_drops = machine::drops(PHONE_A)? + machine::drops(PHONE_B)?;
        let lag = self.counters.latest_tick.as_secs_f64() * 1e3;
        Ok(json!({
            "finished": finished, "sent": sent, "received": received, "lost": lost, "too_old": too_old,
            "oldest_ms": self.counters.oldest_ticks, "strange": strange, "repeated": repeated,
            "unsent": unsent, "own_drops": own_drops, "latest_tick_ms": lag,
            "cpu_s": finished.then_some(self.counters.cpu.as_secs_f64()),
        }))
    }
}

/// Sleeps until `due`, and returns by how much it has been missed.
fn wait_until(due: Instant) -> Duration {
    let wait = due.saturating_duration_since(Instant::now());
    if !wait.is_zero() {
        thread::sleep(wait);
    }
    Instant::now().saturating_duration_since(due)
}
