//! Our call server as a relay: `tocsin switch`, and phones that call through it.

use std::fs;
use std::net::Ipv4Addr;

use anyhow::{Context as _, bail};
use contract::{PipeMessage as _, ProcessReport};
use system_tests::built::release;
use system_tests::machine;
use system_tests::process::Process;

use crate::phones::{Phones, Sockets};
use crate::relay::Relay;
use crate::session::Ports;

const HOST: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 13);

/// One site relays; `PSAP` is where the phones of the B side listen.
const NETWORK: &str = r#"
name = "relay"
[sites.one]
address = "HOST:0"
max_calls = 100000
[psaps.centre]
address = "PSAP"
number = "0199000015"
positions = 10000
queue = 10000
[[routes]]
numbers = ["15"]
psaps = ["centre"]
"#;

/// A running call server, and the phones.
#[derive(Debug)]
pub(crate) struct Ours {
    process: Process,
    phones: Phones,
    ports: Vec<Ports>,
    _folder: tempfile::TempDir,
}

impl Ours {
    /// Starts the release build that stands beside this program.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let program = release()?;
        let sockets = Sockets::bind()?;
        let folder = tempfile::tempdir()?;
        let network = folder.path().join("relay.toml");
        let text = NETWORK.replace("HOST", &HOST.to_string());
        fs::write(&network, text.replace("PSAP", &sockets.psap()?.to_string()))?;
        let mut command = machine::pinned(machine::MEASURED, &program);
        command.arg("switch").arg(&network).args(["--site", "one", "--supervised"]);
        command.args(["--log-filter", "warn"]);
        let mut process = Process::start("tocsin switch", &mut command);
        let ready = ProcessReport::from_line(&process.until(r#"{"ready":"#))?;
        let Some(ProcessReport::Ready { boxes }) = ready else { bail!("{ready:?}") };
        let server = boxes.into_values().next().context("a call server")?.address;
        let phones = Phones::start(sockets, server)?;
        Ok(Self { process, phones, ports: Vec::new(), _folder: folder })
    }
}

impl Relay for Ours {
    fn process(&self) -> u32 {
        self.process.id()
    }

    fn host(&self) -> Ipv4Addr {
        HOST
    }

    fn grow(&mut self, calls: usize) -> anyhow::Result<&[Ports]> {
        self.ports = self.phones.hold(self.ports.len().max(calls))?;
        Ok(&self.ports[..calls])
    }

    fn end(self: Box<Self>) -> anyhow::Result<()> {
        self.phones.hang_up()
    }
}
