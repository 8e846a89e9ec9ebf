//! SIPp, as caller or as answering point, with a scenario of `sipp/` or one that is part of it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::loopback;
use system_tests::process::{Process, installed};
use system_tests::sipp_statistics::SippCounts;

/// A command line for SIPp.
#[derive(Debug)]
pub(crate) struct Sipp {
    name: String,
    command: Command,
    /// SIPp wants it after the settings that it uses.
    scenario: [OsString; 2],
    address: SocketAddr,
    calls_out: bool,
    request_uri: Option<String>,
    folder: TempDir,
}

/// A SIPp that runs.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    folder: TempDir,
}

impl Sipp {
    /// Callers that call `to` as `sipp/NAME.xml` says.
    pub(crate) fn caller(name: &str, to: SocketAddr) -> Self {
        Self::own(name).calling(to)
    }

    /// Callers with a scenario that is part of SIPp.
    pub(crate) fn built_in_caller(name: &str, to: SocketAddr) -> Self {
        Self::built_in(name).calling(to)
    }

    /// An answering point that behaves as `sipp/NAME.xml` says.
    pub(crate) fn own(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/sipp");
        Self::new(name, ["-sf".into(), folder.join(format!("{name}.xml")).into()])
    }

    /// An answering point with a scenario that is part of SIPp.
    pub(crate) fn built_in(name: &str) -> Self {
        Self::new(name, ["-sn".into(), name.into()])
    }

    fn new(name: &str, scenario: [OsString; 2]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let address = loopback::free_port(loopback::host());
        let mut command = Command::new(installed("sipp", "sip-tester"));
        command.current_dir(folder.path()).env("TERM", "dumb");
        let port = address.port().to_string();
        let host = address.ip().to_string();
        command.args(["-i", &host, "-p", &port, "-mi", &host, "-ci", &host, "-nostdin"]);
        command.args(["-trace_stat", "-stf", "statistics.csv"]);
        command.args(["-trace_err", "-error_file", "errors.log"]);
        // It ends by itself if a test ends without it.
        command.args(["-timeout", "45s", "-timeout_error"]);
        Self {
            name: name.to_owned(),
            command,
            scenario,
            address,
            calls_out: false,
            request_uri: None,
            folder,
        }
    }

    fn calling(mut self, to: SocketAddr) -> Self {
        self.calls_out = true;
        self.command.arg(to.to_string());
        self.with(&["-s", "112"]).dialling(&format!("sip:112@{to}"))
    }

    /// What the callers of `sipp/` dial, instead of 112.
    pub(crate) fn dialling(self, uri: &str) -> Self {
        Self { request_uri: Some(uri.to_owned()), ..self }
    }

    /// How many calls it places or takes, and then ends.
    pub(crate) fn calls(self, count: usize) -> Self {
        self.with(&["-m", &count.to_string()])
    }

    /// Adds options as they are.
    pub(crate) fn with(mut self, options: &[&str]) -> Self {
        self.command.args(options);
        self
    }

    /// Sets what `[name]` is in the scenario.
    pub(crate) fn setting(self, name: &str, value: &str) -> Self {
        self.with(&["-key", name, value])
    }

    /// Puts a file where the scenario finds it.
    pub(crate) fn with_file(self, name: &str, content: &[u8]) -> Self {
        let written = std::fs::write(self.folder.path().join(name), content);
        written.expect("a file in a temporary folder");
        self
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it; as an answering point it listens when this returns.
    pub(crate) fn start(mut self) -> Running {
        if let Some(uri) = &self.request_uri {
            self.command.args(["-key", "request_uri", uri]);
        }
        self.command.args(&self.scenario);
        let mut process = Process::start(&format!("SIPp ({})", self.name), &mut self.command);
        if !self.calls_out {
            process.until_listening(self.address);
        }
        Running { process, folder: self.folder }
    }

    /// Runs it to its end; all its calls must succeed.
    pub(crate) fn run(self) -> SippCounts {
        self.start().succeed()
    }
}

impl Running {
    /// Waits until all its calls have ended.
    ///
    /// # Panics
    /// When a call failed, with SIPp's own words about it.
    pub(crate) fn succeed(mut self) -> SippCounts {
        let status = self.process.finish();
        let errors = std::fs::read_to_string(self.folder.path().join("errors.log"));
        let errors = errors.unwrap_or_default();
        assert!(status.success(), "{status}; {}\n{errors}", self.process.words());
        let counts = self.counts();
        assert_eq!(counts.failed, 0, "{}\n{errors}", self.process.words());
        counts
    }

    fn counts(&self) -> SippCounts {
        let text = std::fs::read_to_string(self.folder.path().join("statistics.csv"));
        let text = text.expect("the statistics of SIPp");
        SippCounts::read(&text).unwrap_or_else(|| panic!("no counts of SIPp:\n{text}"))
    }
}
