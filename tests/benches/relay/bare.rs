//! The floor: `bare.c`, compiled when it is needed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use system_tests::built::target_folder;
use system_tests::machine;
use system_tests::process::Process;

use crate::relay::Relay;
use crate::session::{FIRST_PORT, PHONE_A, PHONE_B, Ports, SOCKETS};

const HOST: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 10);
const SHARED_HOST: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 11);

/// A running `bare`.
#[derive(Debug)]
pub(crate) struct Bare {
    process: Process,
    host: Ipv4Addr,
    ports: Vec<Ports>,
}

impl Bare {
    /// Starts it, with a socket for each side of a call or with one that all share.
    pub(crate) fn start(shared: bool) -> anyhow::Result<Self> {
        let (mode, host) = if shared { ("shared", SHARED_HOST) } else { ("sockets", HOST) };
        let mut command = machine::pinned(machine::MEASURED, &compiled()?);
        command.arg(mode).arg(host.to_string());
        command.arg(FIRST_PORT.to_string()).args([PHONE_A, PHONE_B].map(|host| host.to_string()));
        command.arg(FIRST_PORT.to_string()).arg(SOCKETS.to_string());
        let mut process = Process::start("bare", &mut command);
        process.write("0");
        process.until("ready");
        Ok(Self { process, host, ports: Vec::new() })
    }
}

impl Relay for Bare {
    fn process(&self) -> u32 {
        self.process.id()
    }

    fn host(&self) -> Ipv4Addr {
        self.host
    }

    fn grow(&mut self, calls: usize) -> anyhow::Result<&[Ports]> {
        if calls > self.ports.len() {
            self.process.write(&calls.to_string());
            self.process.until("ready");
        }
        for call in self.ports.len()..calls {
            let offset = if self.host == SHARED_HOST { [0, 0] } else { [call * 2, call * 2 + 1] };
            let port = |offset: usize| SocketAddr::from((self.host, FIRST_PORT + offset as u16));
            self.ports.push(offset.map(port));
        }
        Ok(&self.ports[..calls])
    }

    fn end(self: Box<Self>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The program, compiled by the C compiler of this machine.
fn compiled() -> anyhow::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/relay/bare.c");
    let program = target_folder()?.join("bare-relay");
    let mut command = Command::new("cc");
    command.args(["-O2", "-Wall", "-Wextra", "-o"]).arg(&program).arg(source);
    let status = command.status().context("cannot start the C compiler cc")?;
    ensure!(status.success(), "cc cannot compile bare.c: {status}");
    Ok(program)
}
