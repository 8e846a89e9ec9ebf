//! The least that something between two legs can do: it scans each message for what must be another one on the other leg,
//! writes that, and sends it on. It keeps nothing, so the 13 datagrams of a call are all that it has: those of a proxy that
//! answers 100. It runs on the runtime of our programs, so what these take beyond it is their own work.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

use crate::place::{BETWEEN, CALLEE};
use crate::sipp::NUMBER;

/// Towards the callee.
const OUTSIDE: SocketAddr = SocketAddr::new(BETWEEN.ip(), BETWEEN.port() + 1);

/// The process.
pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (inside, outside) = (UdpSocket::bind(BETWEEN).await?, UdpSocket::bind(OUTSIDE).await?);
        let (mut buffer, mut out) = (vec![0; 65_535], Vec::new());
        loop {
            tokio::select! {
                ready = inside.readable() => ready?,
                ready = outside.readable() => ready?,
            }
            while let Some((message, from)) = read(&inside, &mut buffer)? {
                if message.starts_with(b"INVITE ") {
                    trying(message, &mut out);
                    send(&inside, &out, from);
                }
                request(message, &mut out);
                send(&outside, &out, CALLEE);
            }
            while let Some((message, _)) = read(&outside, &mut buffer)? {
                if let Some(to) = response(message, &mut out) {
                    send(&inside, &out, to);
                }
            }
        }
    })
}

fn read<'a>(
    socket: &UdpSocket,
    buffer: &'a mut [u8],
) -> anyhow::Result<Option<(&'a [u8], SocketAddr)>> {
    match socket.try_recv_from(buffer) {
        Ok((length, from)) => Ok(Some((&buffer[..length], from))),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What is lost here is sent again by who wants it.
fn send(socket: &UdpSocket, message: &[u8], to: SocketAddr) {
    let _ = socket.try_send_to(message, to);
}

/// The lines of a message up to its body, each with its end.
fn lines(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    message.split_inclusive(|byte| *byte == b'\n')
}

/// `SIP/2.0 100 Trying` with what makes it the answer to this request.
fn trying(request: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"SIP/2.0 100 Trying\r\n");
    for line in lines(request).skip(1).take_while(|line| *line != b"\r\n") {
        let names: [&[u8]; 5] = [b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:"];
        if names.iter().any(|name| line.starts_with(name)) {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}

/// The request as it goes to the callee: another target, a Via of ours with the caller's branch in it, and our Contact.
fn request(request: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut at = 0;
    let mut is_first_via = true;
    for (number, line) in lines(request).enumerate() {
        at += line.len();
        if number == 0 {
            let method = line.split(|byte| *byte == b' ').next().unwrap_or_default();
            out.extend_from_slice(method);
            out.extend_from_slice(format!(" sip:{NUMBER}@{CALLEE} SIP/2.0\r\n").as_bytes());
        } else if line == b"\r\n" {
            out.extend_from_slice(line);
            break;
        } else if line.starts_with(b"Contact:") {
            out.extend_from_slice(format!("Contact: <sip:{OUTSIDE}>\r\n").as_bytes());
        } else {
            if is_first_via && line.starts_with(b"Via:") {
                is_first_via = false;
                let branch = line.windows(7).position(|bytes| bytes == b"branch=");
                let branch = branch.map_or(&b"\r\n"[..], |at| &line[at + 7..]);
                out.extend_from_slice(format!("Via: SIP/2.0/UDP {OUTSIDE};branch=").as_bytes());
                out.extend_from_slice(branch);
            }
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(&request[at..]);
}

/// The response as it goes to the caller, whom the second Via names: without our Via, and with our Contact.
fn response(response: &[u8], out: &mut Vec<u8>) -> Option<SocketAddr> {
    out.clear();
    let (mut at, mut is_first_via, mut to) = (0, true, None);
    for line in lines(response) {
        at += line.len();
        if line.starts_with(b"Via:") {
            // SIPp writes all of them into one line.
            let others = match line.iter().position(|byte| *byte == b',') {
                _ if !is_first_via => line,
                Some(comma) => &line[comma + 1..],
                None => b"",
            };
            if is_first_via && !others.is_empty() {
                out.extend_from_slice(b"Via:");
            }
            is_first_via = false;
            to = to.or_else(|| sent_by(others));
            out.extend_from_slice(others);
        } else if line.starts_with(b"Contact:") {
            out.extend_from_slice(format!("Contact: <sip:{BETWEEN}>\r\n").as_bytes());
        } else {
            out.extend_from_slice(line);
        }
        if line == b"\r\n" {
            break;
        }
    }
    out.extend_from_slice(&response[at..]);
    to
}

/// The address in `SIP/2.0/UDP 127.78.0.2:5060;branch=…`.
fn sent_by(via: &[u8]) -> Option<SocketAddr> {
    let at = via.windows(4).position(|bytes| bytes == b"UDP ")?;
    let host = via[at + 4..].split(|byte| matches!(byte, b';' | b',' | b'\r')).next()?;
    std::str::from_utf8(host).ok()?.trim().parse().ok()
}
