//! `--target`: the callers of a run call a network that runs already, ours or any SIP server.
//!
//! Only the generator's process is started then. No other box writes records here, so the ledger is what the callers
//! themselves saw, and says so.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use campaign::Campaign;
use clap::Args;
use load_program::{TargetArgs, address_towards};
use sip_proto::message::Response;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use topology::Topology;

/// When the probe is sent again, counted from the one before: T1 doubles (RFC 3261 §17.1.2.2).
const PROBE_WAITS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1_000), Duration::from_millis(2_000)];

/// What a program that drives load says about where it goes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DriveArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// With --target: do not ask first whether anybody is there, with OPTIONS
    #[arg(long, requires = "target")]
    pub(crate) no_probe: bool,
}

/// A network that is not started here.
#[derive(Debug, Clone)]
pub(crate) struct TargetNetwork {
    /// Name and address of each trunk group, as callers call it.
    pub(crate) trunk_groups: Vec<(String, SocketAddr)>,
    pub(crate) request_uri: Option<String>,
    /// Where the callers are.
    pub(crate) from: SocketAddr,
}

impl DriveArgs {
    /// Where the callers go, if not to a network that is started for them.
    ///
    /// # Errors
    /// A sentence about targets that do not fit the network.
    pub(crate) fn target_network(
        &self,
        topology: &Topology,
    ) -> Result<Option<TargetNetwork>, String> {
        if !self.target.is_given() {
            return match &self.target.request_uri {
                Some(_) => Err("--request-uri is for another network: say --target too".to_owned()),
                None => Ok(None),
            };
        }
        let trunk_groups = self.target.trunk_groups(topology)?;
        let from = SocketAddr::new(address_towards(&trunk_groups), 0);
        let request_uri = self.target.request_uri.as_ref().map(ToString::to_string);
        Ok(Some(TargetNetwork { trunk_groups, request_uri, from }))
    }
}

impl TargetNetwork {
    /// The addresses, each once.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let mut addresses: Vec<_> = self.trunk_groups.iter().map(|(_, address)| *address).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// What the generator's program is told.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--address".to_owned(), self.from.to_string()];
        for (name, address) in &self.trunk_groups {
            arguments.extend(["--target".to_owned(), format!("{name}={address}")]);
        }
        if let Some(uri) = &self.request_uri {
            arguments.extend(["--request-uri".to_owned(), uri.clone()]);
        }
        arguments
    }

    /// Checks that a campaign can be run on a network that nobody here commands.
    ///
    /// # Errors
    /// A sentence about what it asks for.
    pub(crate) fn check(campaign: &Campaign) -> Result<(), String> {
        if let Some(one) = campaign.operations.operations.iter().find(|one| one.enabled) {
            let name = &one.name;
            return Err(format!(
                "--target: operations.{name} commands sites, which only a network that tocsin run starts obeys; set \
                 operations.{name}.enabled=false"
            ));
        }
        if !campaign.operations.faults.is_empty() {
            return Err(
                "--target: [[faults]] are for processes of a network that tocsin run starts; take them out of the file"
                    .to_owned(),
            );
        }
        if campaign.compression > 1.0 {
            return Err(
                "--target: a network that runs already has its own clock; set compression=1"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The trunk groups of the file, which write no records here.
    pub(crate) fn unrecorded(&self) -> Vec<String> {
        self.trunk_groups.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The addresses in words.
    pub(crate) fn place(&self) -> String {
        self.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Asks every address with OPTIONS whether somebody is there. Any response will do: a server that refuses the
    /// method is alive (RFC 3261 §11.2).
    ///
    /// # Errors
    /// A sentence about the first address that says nothing, or refuses datagrams.
    pub(crate) async fn probe(&self) -> anyhow::Result<()> {
        for to in self.addresses() {
            probe(self.from, to).await?;
        }
        Ok(())
    }
}

async fn probe(from: SocketAddr, to: SocketAddr) -> anyhow::Result<()> {
    let place = || format!("cannot send from {} to {to}", from.ip());
    let socket = UdpSocket::bind(from).await.with_context(place)?;
    socket.connect(to).await.with_context(place)?;
    let own = socket.local_addr().with_context(place)?;
    let call_id = format!("probe-{}-{}", std::process::id(), own.port());
    let request = options(own, to, &call_id);
    let mut buffer = vec![0; 65_536];
    let mut misread = None;
    for wait in PROBE_WAITS {
        // A refusal of the datagram before comes with this one (ICMP, RFC 1122 §4.1.3.3).
        let sent = match socket.send(request.as_bytes()).await {
            Ok(_) => timeout(wait, answered(&socket, &mut buffer, &call_id, &mut misread)).await,
            Err(error) => Ok(Err(error)),
        };
        match sent {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => {
                bail!("nobody is at {to}: {error}; start it first, or say --no-probe")
            }
            Err(_) => {}
        }
    }
    if let Some(why) = misread {
        bail!(
            "{to} answers OPTIONS, but its response cannot be read: {why}; what takes calls there does not speak SIP as RFC 3261 \
             has it; --no-probe calls it all the same"
        );
    }
    bail!(
        "{to} does not answer OPTIONS within 3.5 s: is it running? For a server that takes calls and answers no OPTIONS, \
         such as sipp -sn uas, say --no-probe"
    )
}

/// Waits for a response to the probe; whatever else comes is passed over, but for why a response cannot be read.
async fn answered(
    socket: &UdpSocket,
    buffer: &mut [u8],
    call_id: &str,
    misread: &mut Option<String>,
) -> std::io::Result<()> {
    loop {
        let length = socket.recv(buffer).await?;
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        let is_response = bytes.starts_with(b"SIP/");
        match Response::parse(bytes.into()) {
            Ok(response) if response.call_id() == call_id => return Ok(()),
            Err(error) if is_response => *misread = Some(error.why.to_string()),
            _ => {}
        }
    }
}

/// RFC 3261 §11.1.
fn options(from: SocketAddr, to: SocketAddr, call_id: &str) -> String {
    format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{call_id};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:probe@{from}>;tag=probe\r\nTo: <sip:{to}>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n\
         Contact: <sip:probe@{from}>\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn localhost() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    #[tokio::test]
    async fn any_response_to_the_probe_shows_that_somebody_is_there() {
        let peer = UdpSocket::bind(localhost()).await.expect("a free port");
        let to = peer.local_addr().expect("an address");
        let answers = tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            let (length, from) = peer.recv_from(&mut buffer).await.expect("the probe");
            let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let fields = ["Via", "From", "To", "Call-ID", "CSeq"];
            let is_copied = |line: &&str| fields.iter().any(|field| line.starts_with(field));
            let copied: Vec<&str> = request.lines().filter(is_copied).collect();
            let response = format!(
                "SIP/2.0 405 Method Not Allowed\r\n{}\r\nContent-Length: 0\r\n\r\n",
                copied
                    .join("\r\n")
                    .replace(&format!("To: <sip:{to}>"), &format!("To: <sip:{to}>;tag=a"))
            );
            peer.send_to(b"no SIP at all", from).await.expect("sent");
            peer.send_to(response.as_bytes(), from).await.expect("sent");
        });
        probe(localhost(), to).await.expect("a response of 405 is a response");
        answers.await.expect("the peer ended well");
    }

    #[tokio::test]
    async fn a_response_that_cannot_be_read_is_told_as_such() {
        let peer = UdpSocket::bind(localhost()).await.expect("a free port");
        let to = peer.local_addr().expect("an address");
        let answers = tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            while let Ok((_, from)) = peer.recv_from(&mut buffer).await {
                let _ = peer.send_to(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", from).await;
            }
        });
        let refusal = probe(localhost(), to).await.expect_err("no Via, no CSeq").to_string();
        answers.abort();
        let sentence = format!("{to} answers OPTIONS, but its response cannot be read: ");
        assert!(refusal.starts_with(&sentence), "{refusal}");
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_refused_at_once() {
        let free = UdpSocket::bind(localhost()).await.expect("a free port");
        let to = free.local_addr().expect("an address");
        drop(free);
        let refusal = probe(localhost(), to).await.expect_err("nobody is there").to_string();
        assert!(refusal.contains(&to.to_string()) && refusal.contains("--no-probe"), "{refusal}");
    }
}
