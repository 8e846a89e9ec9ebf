//! Is anybody there? Asked before the first call, as a campaign against nobody says nothing.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use sip_proto::Transport;
use sip_proto::message::Response;

/// When the probe is sent again, counted from the one before: T1 doubles (RFC 3261 §17.1.2.2).
const WAITS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1_000), Duration::from_millis(2_000)];

/// Asks the server at `to` with OPTIONS whether it is there. Any response will do: a server that refuses the method is
/// alive (RFC 3261 §11.2). Over TCP, one that takes the connection is.
///
/// # Errors
/// A sentence about a server that says nothing, or refuses.
pub fn probe(from: SocketAddr, to: SocketAddr, transport: Option<Transport>) -> Result<(), String> {
    if transport == Some(Transport::Tcp) {
        return match TcpStream::connect_timeout(&to, WAITS.iter().sum()) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!(
                "nobody takes a TCP connection at {to}: {error}; start it first, or say --no-probe"
            )),
        };
    }
    let trouble = |error| format!("cannot send from {} to {to}: {error}", from.ip());
    let socket = UdpSocket::bind(from).map_err(trouble)?;
    socket.connect(to).map_err(trouble)?;
    let own = socket.local_addr().map_err(trouble)?;
    let call_id = format!("probe-{}-{}", std::process::id(), own.port());
    let request = options(own, to, &call_id);
    let mut misread = None;
    for wait in WAITS {
        // A refusal of the datagram before comes with this one (ICMP, RFC 1122 §4.1.3.3).
        let answered = socket.send(request.as_bytes());
        match answered.and_then(|_| is_answered(&socket, wait, &call_id, &mut misread)) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) => {
                return Err(format!(
                    "nobody is at {to}: {error}; start it first, or say --no-probe"
                ));
            }
        }
    }
    if let Some(why) = misread {
        return Err(format!(
            "{to} answers OPTIONS, but its response cannot be read: {why}; what takes calls there does not speak SIP as RFC 3261 \
             has it; --no-probe calls it all the same"
        ));
    }
    Err(format!(
        "{to} does not answer OPTIONS within 3.5 s: is it running? For a server that takes calls and answers no OPTIONS, \
         such as sipp -sn uas, say --no-probe"
    ))
}

/// Waits for a response to the probe; whatever else comes is passed over, but for why a response cannot be read.
fn is_answered(
    socket: &UdpSocket,
    wait: Duration,
    call_id: &str,
    misread: &mut Option<String>,
) -> std::io::Result<bool> {
    let (mut buffer, end) = (vec![0; 65_536], Instant::now() + wait);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        socket.set_read_timeout(Some(left))?;
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(false);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        let is_response = bytes.starts_with(b"SIP/");
        match Response::parse(bytes.into()) {
            Ok(response) if response.call_id() == call_id => return Ok(true),
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
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    fn localhost() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    #[test]
    fn any_response_to_the_probe_shows_that_somebody_is_there() {
        let peer = UdpSocket::bind(localhost()).expect("a free port");
        let to = peer.local_addr().expect("an address");
        let answers = std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            let (length, from) = peer.recv_from(&mut buffer).expect("the probe");
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
            peer.send_to(b"no SIP at all", from).expect("sent");
            peer.send_to(response.as_bytes(), from).expect("sent");
        });
        probe(localhost(), to, None).expect("a response of 405 is a response");
        answers.join().expect("the peer ended well");
    }

    #[test]
    fn a_response_that_cannot_be_read_is_told_as_such() {
        let peer = UdpSocket::bind(localhost()).expect("a free port");
        let to = peer.local_addr().expect("an address");
        let answers = std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            // The probe is sent three times.
            for _ in WAITS {
                let (_, from) = peer.recv_from(&mut buffer).expect("the probe");
                peer.send_to(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", from).expect("sent");
            }
        });
        let refusal = probe(localhost(), to, None).expect_err("no Via, no CSeq");
        answers.join().expect("the peer ended well");
        let sentence = format!("{to} answers OPTIONS, but its response cannot be read: ");
        assert!(refusal.starts_with(&sentence), "{refusal}");
    }

    #[test]
    fn a_port_where_nobody_listens_is_refused_at_once() {
        let free = UdpSocket::bind(localhost()).expect("a free port");
        let to = free.local_addr().expect("an address");
        drop(free);
        for transport in [None, Some(Transport::Tcp)] {
            let refusal = probe(localhost(), to, transport).expect_err("nobody is there");
            assert!(
                refusal.contains(&to.to_string()) && refusal.contains("--no-probe"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn who_takes_a_connection_is_there() {
        let listener = TcpListener::bind(localhost()).expect("a free port");
        let to = listener.local_addr().expect("an address");
        assert_eq!(probe(localhost(), to, Some(Transport::Tcp)), Ok(()));
    }
}
