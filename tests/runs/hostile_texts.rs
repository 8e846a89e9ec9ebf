//! What peers write into a run: nothing that it leaves or says holds markup, formulas or escapes of theirs.

use std::fs;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::CampaignFolder;
use crate::history::tell;
use crate::serving::{LIMIT, Lab};

/// Reason phrases that would run, colour or break something, one for each call in turn. RFC 3261 §25.1 lets a phrase hold all of
/// these octets but the controls, which a careless peer sends all the same.
const PHRASES: [&str; 8] = [
    "=cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+2-1,\"quoted\";=1",
    "<script>alert(1)</script>",
    "</td><img src=x onerror=alert(1)>",
    "]]></failure><testcase name=\"x\">",
    "\u{1b}]0;owned\u{7}\u{1b}[2J",
    "\u{202e}SSAP\u{2028}PASS",
];

/// A SIP server that refuses every call with the next phrase, and says that it is as hostile itself.
struct Refuser {
    address: std::net::SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Refuser {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        // How often it looks whether the test is over.
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
        let address = socket.local_addr().expect("bound");
        let ended = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 65_535];
            let mut refused = 0;
            while !is_over.load(Ordering::Relaxed) {
                let Ok((length, peer)) = socket.recv_from(&mut buffer) else { continue };
                let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let status = match request.split(' ').next() {
                    Some("INVITE") => {
                        refused += 1;
                        format!("486 {}", PHRASES[refused % PHRASES.len()])
                    }
                    Some("ACK") => continue,
                    _ => "200 OK".to_owned(),
                };
                let copied = ["via:", "from:", "call-id:", "cseq:"];
                let mut answer = format!("SIP/2.0 {status}\r\n");
                for line in request.lines() {
                    let name = line.to_ascii_lowercase();
                    if copied.iter().any(|field| name.starts_with(field)) {
                        answer += &format!("{line}\r\n");
                    } else if name.starts_with("to:") {
                        answer += &format!("{line};tag=x\r\n");
                    }
                }
                answer += "Server: <b>=1+1</b>\r\nReason: Q.850;cause=17;text=\"=1+1<script>\"\r\nContent-Length: 0\r\n\r\n";
                let _ = socket.send_to(answer.as_bytes(), peer);
            }
        });
        Self { address, ended, thread: Some(thread) }
    }
}

impl Drop for Refuser {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Controls that a terminal obeys, and characters that turn the direction of writing.
fn hidden(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || matches!(c, '\u{2028}'..='\u{202e}')
    })
}

/// What these commands say to a terminal has nothing hidden.
fn tells_nothing_hidden(workspace: &CampaignFolder, commands: &[&[&str]]) {
    for words in commands {
        let output = tell(workspace, words);
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8_lossy(&text).into_owned();
            assert_eq!(hidden(&text), None, "{words:?}: {text}");
        }
    }
}

/// A spreadsheet finds no formula in `calls.csv`. Gives the fields that are marked as texts.
fn calculates_nothing(workspace: &CampaignFolder) -> Vec<String> {
    let path = workspace.path("runs/latest/calls.csv");
    let mut table = csv::Reader::from_path(path).expect("the table");
    let records = table.records().map(|record| record.expect("a line"));
    let fields: Vec<String> =
        records.flat_map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>()).collect();
    for field in &fields {
        let number = field.strip_prefix(['+', '-']).unwrap_or("x");
        let is_number = number.bytes().all(|octet| octet.is_ascii_digit());
        assert!(!field.starts_with(['=', '@', '+', '-', '\t', '\r']) || is_number, "{field}");
    }
    fields.into_iter().filter(|field| field.starts_with('\'')).collect()
}

/// An INVITE whose every text would run, colour or break something. All octets of it are allowed by RFC 3261 §25.1.
fn hostile_invite(peer: std::net::SocketAddr, own: std::net::SocketAddr, call_id: &str) -> String {
    format!(
        "INVITE sip:=1+1@{peer} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{call_id}\r\n\
         From: \"\u{9b}2J\u{202e}<script>alert(1)</script>\" <sip:=1+1@{own}>;tag=a\r\nTo: <sip:=1+1@{peer}>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@{own}>\r\n\
         User-Agent: \u{9d}0;owned\u{9c} <img src=x onerror=alert(1)> =1+1\r\nSubject: @SUM(1)\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn callers_of_a_network_that_is_served_inject_nothing_either() {
    let lab = Lab::new();
    let (psap, mut switch) = (lab.serve("psap"), lab.serve("switch"));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(LIMIT)).expect("a limit");
    let own = socket.local_addr().expect("bound");
    // The characters of a word, RFC 3261 §25.1: a Call-ID can be a formula.
    let call_ids = ["-1+1", "+1-cmd", "plain"];
    for call_id in call_ids {
        let invite = hostile_invite(lab.trunk_group, own, call_id);
        socket.send_to(invite.as_bytes(), lab.trunk_group).expect("a way out");
        let mut buffer = [0; 4096];
        loop {
            let (length, _) = socket.recv_from(&mut buffer).expect("a response");
            let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let is_final = !answer.starts_with("SIP/2.0 1");
            if is_final && answer.contains(&format!("Call-ID: {call_id}\r\n")) {
                let to = answer.lines().find_map(|line| line.strip_prefix("To: ")).expect("a To");
                let via = format!("SIP/2.0/UDP {own};branch=z9hG4bK{call_id}");
                let ack = format!(
                    "ACK sip:=1+1@{0} SIP/2.0\r\nVia: {via}\r\nFrom: <sip:=1+1@{own}>;tag=a\r\nTo: {to}\r\n\
                     Call-ID: {call_id}\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                    lab.trunk_group
                );
                socket.send_to(ack.as_bytes(), lab.trunk_group).expect("a way out");
                break;
            }
        }
    }
    let list = lab.told(&["show", "latest"], "3 calls over");
    assert_eq!(hidden(&list), None, "{list}");
    let call = lab.told(&["show", "latest", "plain"], "client");
    assert!(hidden(&call).is_none() && call.contains("\\u009d0;owned"), "{call}");
    for call_id in call_ids {
        tells_nothing_hidden(&lab.workspace, &[&["show", "latest", "--", call_id]]);
    }
    tells_nothing_hidden(&lab.workspace, &[&["report", "latest"], &["runs"], &["runs", "--json"]]);
    let marked = calculates_nothing(&lab.workspace);
    assert!(marked.iter().any(|field| field == "'-1+1"), "{marked:?}");
    switch.interrupt();
    switch.finish();
    assert_eq!(hidden(&switch.words()), None, "{}", switch.words());
    drop(psap);
}

#[test]
fn nothing_that_a_peer_writes_is_markup_formula_or_escape_in_what_a_run_leaves() {
    let refuser = Refuser::start();
    let workspace = CampaignFolder::new(2, "1s");
    let target = refuser.address.to_string();
    let words =
        ["run", "campaign.toml", "--target", &target, "--set", "callers.media=0", "--no-screen"];
    let output = tell(&workspace, &words);
    let said = [&output.stdout[..], &output.stderr[..]]
        .map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(workspace.summary()["ledger"]["rejected"].as_u64() > Some(20), "{said:?}");
    let last = workspace.path("runs/latest");

    // What reaches a terminal.
    for text in said {
        assert_eq!(hidden(&text), None, "{text}");
    }
    tells_nothing_hidden(&workspace, &[&["show"], &["show", "latest", "--failed"], &["runs"]]);
    calculates_nothing(&workspace);

    // Files that are markup, and those that are lines or values.
    let page = fs::read_to_string(last.join("report.html")).expect("the page");
    assert!(
        !page.contains("<script>alert") && !page.contains("<img src=x"),
        "the page holds markup of a peer"
    );
    let junit = fs::read_to_string(last.join("junit.xml")).expect("the XML");
    assert!(!junit.contains("<testcase name=\"x\">") && hidden(&junit).is_none(), "{junit}");
    for name in ["summary.json", "state.json"] {
        let text = fs::read_to_string(last.join(name)).expect("a file");
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for entry in fs::read_dir(last.join("records")).expect("records") {
        let text = fs::read_to_string(entry.expect("a file").path()).expect("text");
        for line in text.lines() {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    }
    for entry in fs::read_dir(last.join("logs")).expect("logs") {
        let text = fs::read_to_string(entry.expect("a file").path()).expect("text");
        assert_eq!(hidden(&text), None, "{text}");
    }
}
