//! Where messages come from.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use ladder::capture::{WireMessage, is_sip, packets, read};
use ladder::hep::{HepKind, decode};
use ladder::{NamedAddress, Told, join};
use run_folder::{kept_calls, locate, named_addresses};
use trace::KeptCall;

/// Messages that wait to be taken. Beyond that the kernel drops what comes by HEP, as it does for any collector.
const MOST_WAITING: usize = 16_384;
/// A datagram is not longer.
const LONGEST: usize = 65_535;

/// What comes.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A message; and which call it belongs to, if somebody says so.
    Message(WireMessage, Option<String>),
    /// What could not be read, in a sentence.
    Remark(String),
}

/// From where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    File(PathBuf),
    Run(PathBuf),
    Hep(SocketAddr),
}

impl Origin {
    /// A file that is there, or a run.
    pub(super) fn of(word: &str, runs: &Path) -> anyhow::Result<Self> {
        let path = Path::new(word);
        if path.is_file() {
            return Ok(Self::File(path.to_owned()));
        }
        let looks_like_file = path.extension().is_some_and(|ending| {
            ["pcap", "pcapng", "cap"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        });
        if looks_like_file {
            bail!("there is no file {word}");
        }
        Ok(Self::Run(locate(runs, word)?))
    }

    /// Whether more may come for as long as somebody looks.
    pub(super) const fn is_live(&self) -> bool {
        matches!(self, Self::Hep(_))
    }

    /// Opens it: who has which address there, and what comes. A thread reads.
    pub(super) fn open(&self) -> anyhow::Result<(Vec<NamedAddress>, Receiver<Arrival>)> {
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let names = match self {
            Self::File(path) => {
                let bytes = std::fs::read(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let reading =
                    read(&bytes).with_context(|| format!("{} is no capture", path.display()))?;
                let nothing = reading.messages.is_empty().then(|| {
                    format!(
                        "of {} packets none holds a SIP message that is not encrypted",
                        reading.packets
                    )
                });
                let remarks = reading.remarks.into_iter().chain(nothing).map(Arrival::Remark);
                let messages = reading.messages.into_iter().map(|it| Arrival::Message(it, None));
                send(sender, remarks.chain(messages).collect());
                Vec::new()
            }
            Self::Run(folder) => {
                let mut names = named_addresses(folder);
                send(sender, of_run(folder, &mut names)?);
                names
            }
            Self::Hep(address) => {
                let socket = UdpSocket::bind(address).with_context(|| {
                    format!("cannot listen at {address}; give another address with --hep")
                })?;
                thread::spawn(move || listen(&socket, &sender));
                Vec::new()
            }
        };
        Ok((names, receiver))
    }
}

fn send(sender: SyncSender<Arrival>, arrivals: Vec<Arrival>) {
    thread::spawn(move || {
        // Whoever looked has seen enough when nobody takes them any more.
        let _ = arrivals.into_iter().all(|arrival| sender.send(arrival).is_ok());
    });
}

/// All that was kept of a run, with the attempt as what joins the legs. Boxes that the network file does not name, such as
/// generators, add their names.
fn of_run(folder: &Path, names: &mut Vec<NamedAddress>) -> anyhow::Result<Vec<Arrival>> {
    let mut calls: BTreeMap<u128, Vec<KeptCall>> = BTreeMap::new();
    for part in kept_calls(folder, |_| true)? {
        calls.entry(part.attempt).or_default().push(part);
    }
    let told = Told { names: names.clone(), ..Told::default() };
    let mut arrivals: Vec<(u64, Arrival)> = Vec::new();
    for parts in calls.values() {
        let story = join(parts, &told);
        for part in parts {
            let by = &part.seen_by;
            if !names.iter().any(|named| named.address == by.address) {
                let (name, kind) = (by.name.clone(), by.kind);
                names.push(NamedAddress { address: by.address, name, kind });
            }
        }
        for packet in packets(&story) {
            let message = WireMessage {
                at_us: packet.at_us,
                from: packet.from,
                to: packet.to,
                transport: packet.transport,
                bytes: packet.bytes,
            };
            let attempt = Some(story.attempt.clone());
            arrivals.push((message.at_us, Arrival::Message(message, attempt)));
        }
    }
    arrivals.sort_by_key(|(at_us, _)| *at_us);
    Ok(arrivals.into_iter().map(|(_, arrival)| arrival).collect())
}

fn listen(socket: &UdpSocket, sender: &SyncSender<Arrival>) {
    let mut buffer = vec![0; LONGEST];
    let mut refused = 0_u64;
    loop {
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            // An ICMP error of somebody who was never asked.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => continue,
            Err(error) => {
                let _ = sender.send(Arrival::Remark(format!("nothing more is received: {error}")));
                return;
            }
        };
        let arrival = match decode(&Bytes::copy_from_slice(&buffer[..length])) {
            Ok(packet) if packet.kind == HepKind::SIP && is_sip(&packet.payload) => {
                let message = WireMessage {
                    at_us: packet.at_us,
                    from: packet.from,
                    to: packet.to,
                    transport: packet.transport,
                    bytes: packet.payload,
                };
                Arrival::Message(message, packet.correlation_id)
            }
            Ok(_) => continue,
            Err(error) => {
                refused += 1;
                // One of many says enough.
                if !refused.is_power_of_two() {
                    continue;
                }
                Arrival::Remark(format!("{refused} packets were no HEP: {error}"))
            }
        };
        if sender.send(arrival).is_err() {
            return;
        }
    }
}
