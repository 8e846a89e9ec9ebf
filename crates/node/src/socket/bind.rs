//! Taking a UDP and a TCP port with the same number.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::listener::{Entry, Listener};
use crate::label::Label;

/// Room for about 4,000 INVITEs that wait, against 200 in the usual default of 208 KiB.
const BUFFER: usize = 4 * 1024 * 1024;
const BACKLOG: i32 = 1_024;
/// How often to look for a number that is free for both protocols, when any number will do.
const ATTEMPTS: usize = 16;

/// Sockets that own their port and belong to no reactor yet.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: TcpListener,
    pub(crate) address: SocketAddr,
    /// Further places where connections come in.
    pub(crate) listeners: Vec<(TcpListener, Entry)>,
    pub(crate) receive_buffer: usize,
    pub(crate) send_buffer: usize,
}

/// A box cannot have its address. The text names the box, the address and the fix.
#[derive(Debug)]
pub struct BindError {
    label: Label,
    error: io::Error,
}

/// Binds the address of `label`; port 0 takes any number that both protocols have free. Then those of `listeners`.
pub(crate) fn bind(label: &Label, listeners: &[Listener]) -> Result<Bound, BindError> {
    let mut outcome = bind_pair(label.address);
    for _ in 1..ATTEMPTS {
        let taken = matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::AddrInUse);
        if label.address.port() != 0 || !taken {
            break;
        }
        outcome = bind_pair(label.address);
    }
    let mut bound = outcome.map_err(|error| BindError { label: label.clone(), error })?;
    for Listener { entry, address, setting } in listeners {
        let listener = listen(*address).map_err(|error| {
            let label = Label { address: *address, setting: setting.clone(), ..label.clone() };
            BindError { label, error }
        })?;
        bound.listeners.push((listener, entry.clone()));
    }
    Ok(bound)
}

fn bind_pair(address: SocketAddr) -> io::Result<Bound> {
    let udp = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // No SO_REUSEADDR, no SO_REUSEPORT: a second run must fail, not share the calls of the first.
    udp.bind(&address.into())?;
    widen_buffers(&udp)?;
    udp.set_nonblocking(true)?;
    let (receive_buffer, send_buffer) = (udp.recv_buffer_size()?, udp.send_buffer_size()?);
    if receive_buffer < BUFFER {
        tracing::debug!(%address, receive_buffer, wanted = BUFFER, "net.core.rmem_max is small");
    }
    let udp = UdpSocket::from(udp);

    let address = udp.local_addr()?;
    let tcp = listen(address)?;
    Ok(Bound { udp, tcp, address, listeners: Vec::new(), receive_buffer, send_buffer })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let tcp = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On a listener it only allows a port whose old connections are in TIME_WAIT.
    tcp.set_reuse_address(true)?;
    tcp.bind(&address.into())?;
    tcp.listen(BACKLOG)?;
    tcp.set_nonblocking(true)?;
    Ok(tcp.into())
}

/// The receive and send buffers that the kernel grants a box on loopback, in bytes.
///
/// # Errors
/// No socket could be made.
pub fn udp_buffers() -> io::Result<(usize, usize)> {
    let Bound { receive_buffer, send_buffer, .. } = bind_pair(([127, 0, 0, 1], 0).into())?;
    Ok((receive_buffer, send_buffer))
}

/// Asks for [`BUFFER`] bytes each way. The kernel may grant less.
fn widen_buffers(udp: &Socket) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::socket::{setsockopt, sockopt};
        // Beyond net.core.rmem_max, where the process has CAP_NET_ADMIN. Most have not.
        let forced = setsockopt(udp, sockopt::RcvBufForce, &BUFFER)
            .and_then(|()| setsockopt(udp, sockopt::SndBufForce, &BUFFER));
        setsockopt(udp, sockopt::RxqOvfl, &1)?;
        if forced.is_ok() {
            return Ok(());
        }
    }
    udp.set_recv_buffer_size(BUFFER)?;
    udp.set_send_buffer_size(BUFFER)
}

/// Whether the process, or the system, has no file descriptor left.
fn is_without_file(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(code, Some(Errno::EMFILE | Errno::ENFILE))
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Label { name, kind, address, setting } = &self.label;
        write!(f, "{kind} \"{name}\": cannot listen on {address}: ")?;
        if is_without_file(&self.error) {
            return write!(f, "{}; raise the limit of open files (ulimit -n)", self.error);
        }
        match self.error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "address in use; another program (or another run) has this port: \
                 stop it or change {setting}"
            ),
            io::ErrorKind::AddrNotAvailable => write!(
                f,
                "this machine has no such address; change {setting} or add the address \
                 (Linux: ip address add, macOS: ifconfig lo0 alias)"
            ),
            io::ErrorKind::PermissionDenied => {
                write!(f, "permission denied; ports below 1024 need privileges: change {setting}")
            }
            _ => write!(f, "{}; see {setting}", self.error),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(address: &str) -> Label {
        Label {
            name: "alpha".to_owned(),
            kind: contract::NodeKind::CallServer,
            address: address.parse().expect("an address"),
            setting: "sites.alpha.address".to_owned(),
        }
    }

    #[test]
    fn both_protocols_have_the_same_port() {
        let bound = bind(&label("127.0.0.1:0"), &[]).expect("a free port");
        assert_eq!(bound.tcp.local_addr().expect("bound"), bound.address);
        assert_eq!(bound.udp.local_addr().expect("bound"), bound.address);
        assert!(bound.receive_buffer > 0 && bound.send_buffer > 0);
    }

    #[test]
    fn port_in_use_is_a_sentence_that_names_the_box_and_the_fix() {
        let first = bind(&label("127.0.0.1:0"), &[]).expect("a free port");
        let address = first.address.to_string();
        let error = bind(&label(&address), &[]).expect_err("the port is taken");
        assert_eq!(
            error.to_string(),
            format!(
                "call server \"alpha\": cannot listen on {address}: address in use; another \
                 program (or another run) has this port: stop it or change sites.alpha.address"
            )
        );
    }

    #[test]
    fn few_open_files_are_told_as_that() {
        let error = io::Error::from_raw_os_error(Errno::EMFILE as i32);
        let error = BindError { label: label("127.0.0.1:5060"), error }.to_string();
        assert!(error.contains("Too many open files") && error.contains("(ulimit -n)"), "{error}");
    }

    #[test]
    fn foreign_address_is_a_sentence_of_its_own() {
        let error = bind(&label("192.0.2.1:5060"), &[]).expect_err("TEST-NET-1 is nobody's");
        assert!(error.to_string().contains("this machine has no such address"), "{error}");
    }
}
