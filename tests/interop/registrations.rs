//! Telephones that register: baresip and SIPp at an access node before the network.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::baresip::{Baresip, TONE};
use crate::loopback;
use crate::network::Network;
use crate::sound;
use system_tests::program::{Program, tocsin};

pub(crate) const REALM: &str = "lab.example";
pub(crate) const PASSWORD: &str = "a-good-password";

/// An access node before a network; it lives as long as its program.
pub(crate) struct Access {
    pub(crate) program: Program,
    address: SocketAddr,
    /// Where it takes TLS, if it does.
    pub(crate) tls: SocketAddr,
    folder: TempDir,
}

impl Access {
    /// Starts it before `network`, with these further keys. baresip registers nowhere where SHA-256 is offered.
    fn start(network: &Network, keys: &str) -> Self {
        Self::with(network, keys, false, &[])
    }

    /// Starts it with TLS, a certificate of an authority that was made for it, and these further options.
    pub(crate) fn secured(network: &Network, options: &[OsString]) -> Self {
        Self::with(network, "", true, options)
    }

    fn with(network: &Network, keys: &str, speaks_tls: bool, options: &[OsString]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let trunk = network.at("mobile");
        let mut text = include_str!("network.toml").to_owned();
        let host = loopback::host();
        let at_tls = loopback::free_port(host);
        let tls = if speaks_tls { format!("tls = \"{at_tls}\"\n") } else { String::new() };
        text += &format!(
            "\n[access.lab]\naddress = \"{host}:0\"\ntrunk_group = \"mobile\"\nrealm = \"{REALM}\"\nalgorithms = [\"MD5\"]\n{tls}{keys}\n"
        );
        for user in ["anna", "bert"] {
            text += &account(user);
        }
        let file = folder.path().join("network.toml");
        std::fs::write(&file, text).expect("a file in a temporary folder");
        if speaks_tls {
            certificates(&file);
        }
        let arguments = ["switch".into(), file.into(), "--access".into(), "--set".into()];
        let arguments =
            arguments.into_iter().chain([format!("trunk_groups.mobile.address={trunk}").into()]);
        let arguments = arguments.chain(options.iter().cloned());
        let mut program =
            Program::start("access", arguments.collect(), &folder.path().join("access.jsonl"));
        let address =
            program.addresses().into_iter().find(|(name, _)| name == "lab").expect("it listens").1;
        Self { program, address, tls: at_tls, folder }
    }

    /// Where it takes UDP and TCP.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The authority that signed its certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("certificates/lab.ca.pem")
    }
}

/// Makes an authority and certificates for a network, beside its file.
pub(crate) fn certificates(file: &Path) {
    let made = Command::new(tocsin()).arg("certificates").arg(file).output().expect("tocsin");
    let told = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{told}");
}

/// The lines of a network file that `tocsin account` prints.
fn account(user: &str) -> String {
    let mut child = Command::new(tocsin())
        .args(["account", user, REALM, "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tocsin");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(PASSWORD.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text").replace("access.ACCESS.", "access.lab.")
}

#[test]
fn a_softphone_registers_and_calls_for_help() {
    for transport in ["udp", "tcp"] {
        let network = Network::start();
        let access = Access::start(&network, "anonymous_emergency = false");
        let mut phone = Baresip::registered("anna", access.address, PASSWORD, transport, false);
        phone.until_registered();
        phone.dial(&format!("sip:112@{REALM}"));
        phone.until_established();
        phone.hang_up();
        phone.quit();
        access.program.drain();
        let records = network.stop();
        records.expect_on_path("answered", 1).expect_each_on_path("ended_by", "caller");
    }
}

/// The password is wrong, the caller is heard all the same; for anything else the password counts.
#[test]
fn a_softphone_with_a_wrong_password_may_only_call_for_help() {
    let network = Network::start();
    let access = Access::start(&network, "");
    let mut phone = Baresip::registered("anna", access.address, "another-one", "udp", false);
    phone.until_refused();
    phone.dial(&format!("sip:112@{REALM}"));
    phone.until_established();
    phone.hang_up();
    phone.quit();
    access.program.drain();
    network.stop().expect_on_path("answered", 1);
}

#[test]
fn two_registered_softphones_talk_to_each_other() {
    let network = Network::start();
    let access = Access::start(&network, "");
    let mut bert = Baresip::registered("bert", access.address, PASSWORD, "tcp", true);
    bert.until_registered();
    let mut anna = Baresip::registered("anna", access.address, PASSWORD, "udp", false);
    anna.until_registered();
    anna.dial(&format!("sip:bert@{REALM}"));
    anna.until_established();
    bert.until_established();
    // Keys pass both ways, and with them some time to listen.
    for digit in ['1', '2', '3'] {
        anna.press(digit);
        bert.until_digit(digit);
        bert.press(digit);
        anna.until_digit(digit);
    }
    anna.hang_up();
    bert.until_closed();
    for (name, heard) in [("anna", anna.quit_with_sound()), ("bert", bert.quit_with_sound())] {
        let tone = sound::duration_of(TONE, &heard);
        assert!(tone > Duration::from_millis(100), "{name} heard {tone:?} of the other one");
    }
    access.program.drain();
    network.stop();
}
