//! SIPVicious, the scanner that every SIP server on the Internet meets: it finds what is no secret, and nothing else.
//!
//! What it may find: that somebody speaks SIP, the kind of box, and the emergency numbers of the network, which everybody may dial.
//! No extension, no realm, no password, no version of ours.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::loopback;
use crate::network::Network;

/// Runs a program of SIPVicious against `target`, and gives all that it said.
fn scan(program: &str, target: SocketAddr, options: &[&str]) -> String {
    // It keeps its sessions at home.
    let home = TempDir::new().expect("a temporary folder");
    let output = Command::new(program)
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .args(["-b", &loopback::host().to_string(), "-p", &target.port().to_string()])
        .args(options)
        .arg(target.ip().to_string())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; run tests/install-peers.sh"));
    [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
}

/// The rows of the table that it draws, without its head: first and second column.
fn found(said: &str) -> Vec<(String, String)> {
    let rows = said.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let cells = rows.filter_map(|row| row.split_once('|'));
    let rows = cells.map(|(one, two)| (one.trim().to_owned(), two.trim().to_owned()));
    rows.filter(|(one, _)| !matches!(&one[..], "SIP Device" | "Extension")).collect()
}

#[test]
fn a_scan_for_devices_learns_kinds_of_boxes_and_no_version() {
    let network = Network::start();
    for (name, agent) in
        [("mobile", "unknown"), ("alpha", "Tocsin call server alpha"), ("first", "Tocsin PSAP")]
    {
        let at = network.at(name);
        let said = scan("svmap", at, &["-v"]);
        assert_eq!(found(&said), [(at.to_string(), agent.to_owned())], "{said}");
        assert!(!said.contains(env!("CARGO_PKG_VERSION")), "{said}");
        assert!(!said.to_ascii_lowercase().contains("authenticate"), "{said}");
    }
    network.stop();
}

// A network of emergency calls registers nobody: there is no extension, and nothing to guess a password for.
#[test]
fn a_war_on_extensions_finds_none() {
    let network = Network::start();
    let at = network.at("mobile");
    for method in ["REGISTER", "OPTIONS"] {
        let said = scan("svwar", at, &["-m", method, "-e", "10-25,100-125,1000-1010"]);
        assert_eq!(found(&said), [], "{method}: {said}");
    }
    network.stop();
}

// Who dials finds the numbers that have routes, as anybody who dials them does, and that no password is asked for.
#[test]
fn a_war_by_invite_finds_the_emergency_numbers_alone() {
    let network = Network::start();
    let at = network.at("mobile");
    let said = scan("svwar", at, &["-m", "INVITE", "--force", "-e", "10-20,105-115"]);
    let mut numbers: Vec<String> = found(&said).into_iter().map(|(number, _)| number).collect();
    numbers.sort();
    assert!(!numbers.is_empty(), "{said}");
    assert!(numbers.iter().all(|number| matches!(&number[..], "15" | "112")), "{said}");
    assert!(!said.contains("reqauth"), "{said}");
    // It acknowledges with fields that nobody can read, so the network does not count as one that understood all.
    drop(network);
}
