//! Telephones on TLS: baresip registers and calls, openssl and tshark look at what is said and who says it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::baresip::{Baresip, TONE};
use crate::capture::Capture;
use crate::network::Network;
use crate::registrations::{Access, PASSWORD, REALM, certificates};
use crate::sound;
use system_tests::process::installed;

#[test]
fn a_softphone_registers_over_tls_and_calls_for_help() {
    let network = Network::start();
    let access = Access::secured(&network, &[]);
    let mut phone = Baresip::secured("anna", access.tls, PASSWORD, &access.authority(), false);
    phone.until_registered();
    phone.dial(&format!("sip:112@{REALM}"));
    phone.until_established();
    phone.hang_up();
    phone.quit();
    access.program.drain();
    let records = network.stop();
    records.expect_on_path("answered", 1).expect_each_on_path("ended_by", "caller");
}

#[test]
fn a_softphone_on_tls_and_one_on_udp_hear_each_other() {
    let network = Network::start();
    let access = Access::secured(&network, &[]);
    let mut bert = Baresip::secured("bert", access.tls, PASSWORD, &access.authority(), true);
    bert.until_registered();
    let mut anna = Baresip::registered("anna", access.address(), PASSWORD, "udp", false);
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
    bert.hang_up();
    anna.until_closed();
    for (name, heard) in [("anna", anna.quit_with_sound()), ("bert", bert.quit_with_sound())] {
        let tone = sound::duration_of(TONE, &heard);
        assert!(tone > Duration::from_millis(100), "{name} heard {tone:?} of the other one");
    }
    access.program.drain();
    network.stop();
}

/// What openssl makes of the certificate of whoever listens at `at`, if it trusts `authority`.
fn verified(at: SocketAddr, authority: &Path, options: &[&str]) -> Output {
    let mut openssl = Command::new(installed("openssl", "openssl"));
    openssl.args(["s_client", "-brief", "-verify_return_error", "-CAfile"]).arg(authority);
    openssl.args(["-connect", &at.to_string(), "-verify_ip", &at.ip().to_string()]);
    openssl.args(options).stdin(Stdio::null()).output().expect("openssl")
}

#[test]
fn whoever_trusts_the_authority_of_the_lab_knows_the_access_node_and_nobody_else_does() {
    let network = Network::start();
    let access = Access::secured(&network, &[]);
    let authority = access.authority();
    for version in ["-tls1_2", "-tls1_3"] {
        let output = verified(access.tls, &authority, &[version, "-verify_hostname", REALM]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains("Verification: OK"), "{version}: {told}");
    }
    let other_name = verified(access.tls, &authority, &["-verify_hostname", "other.example"]);
    assert!(!other_name.status.success(), "{other_name:?}");
    // RFC 8996.
    let old = verified(access.tls, &authority, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    assert!(!old.status.success(), "{old:?}");
    // Another lab has another authority. (baresip 1.0 would not mind: it looks at no certificate.)
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("network.toml");
    std::fs::write(&file, include_str!("network.toml")).expect("a file in a temporary folder");
    certificates(&file);
    let foreign = folder.path().join("certificates/lab.ca.pem");
    let output = verified(access.tls, &foreign, &[]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("verif"), "{told}");
    access.program.drain();
    network.stop();
}

#[test]
fn tshark_reads_a_capture_of_tls_with_the_keys_and_not_without() {
    let network = Network::start();
    let folder = TempDir::new().expect("a temporary folder");
    let keys = folder.path().join("keys.txt");
    let access = Access::secured(&network, &["--tls-keys".into(), keys.clone().into()]);
    // Without its port, which would have tshark take TLS for SIP.
    let capture = Capture::start(vec![SocketAddr::new(access.tls.ip(), 0)]);
    let mut phone = Baresip::secured("anna", access.tls, PASSWORD, &access.authority(), false);
    phone.until_registered();
    phone.quit();
    let packets = capture.stop();
    let port = access.tls.port();
    let (tls, sip) = (format!("tcp.port=={port},tls"), format!("tls.port=={port},sip"));
    let keys = format!("tls.keylog_file:{}", keys.display());
    let dissected = ["-d", &tls, "-d", &sip, "-Y", "sip.Method == \"REGISTER\""];
    assert_eq!(packets.read(&dissected), [""; 0]);
    let read = packets.read(&[&["-o", &keys], &dissected[..]].concat());
    assert!(!read.is_empty(), "tshark sees no REGISTER");
    access.program.drain();
    network.stop();
}
