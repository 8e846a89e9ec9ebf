//! A network that `tocsin switch` and `tocsin psap` serve by hand: its calls are listed and told, while it is served and
//! afterwards, however its programs end.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use system_tests::process::{Process, signal};
use system_tests::program::tocsin;

use crate::CampaignFolder;
use crate::history::{said, tell};

pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n\
    a=rtpmap:101 telephone-event/8000\r\n";

/// A folder with a network of one box of each kind.
pub(crate) struct Lab {
    pub(crate) workspace: CampaignFolder,
    pub(crate) trunk_group: SocketAddr,
    pub(crate) call_server: SocketAddr,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With further sections of the network file.
    pub(crate) fn with(sections: &str) -> Self {
        let workspace = CampaignFolder::new(1, "1s");
        let [alpha, mobile, samu] = [free(), free(), free()];
        let network = format!(
            "[sites.alpha]\naddress = \"{alpha}\"\n[trunk_groups.mobile]\naddress = \"{mobile}\"\ncircuits = 20\n\
             [psaps.samu-59]\naddress = \"{samu}\"\nnumber = \"0353010015\"\npositions = 5\nring = \"10ms\"\n\
             [[routes]]\nnumbers = [\"15\", \"18\", \"112\", \"urn:service:sos\"]\npsaps = [\"samu-59\"]\n{sections}"
        );
        workspace.write("lab.toml", &network);
        Self { workspace, trunk_group: mobile, call_server: alpha }
    }

    pub(crate) fn start(&self, program: &str, options: &[&str]) -> Process {
        let mut command = Command::new(tocsin());
        command.current_dir(self.workspace.path("")).args([program, "lab.toml"]).args(options);
        Process::start(program, &mut command)
    }

    pub(crate) fn serve(&self, program: &str) -> Process {
        let mut process = self.start(program, &[]);
        process.until("each call is written to");
        process
    }

    /// Asks until the answer has `wanted` in it.
    pub(crate) fn told(&self, words: &[&str], wanted: &str) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            let text = said(&self.workspace, words);
            if text.contains(wanted) || Instant::now() > end {
                assert!(text.contains(wanted), "no {wanted:?} in {text}");
                return text;
            }
        }
    }

    fn newest(&self) -> Value {
        let runs = said(&self.workspace, &["runs", "--json"]);
        serde_json::from_str::<Value>(&runs).expect("JSON")[0].clone()
    }
}

/// An address that nobody has.
pub(crate) fn free() -> SocketAddr {
    loop {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("its address");
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// A telephone that writes its messages by hand.
pub(crate) struct Phone {
    socket: UdpSocket,
    peer: SocketAddr,
    call_id: &'static str,
    seq: u32,
    to: String,
    contact: String,
}

impl Phone {
    pub(crate) fn new(peer: SocketAddr, call_id: &'static str, number: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.set_read_timeout(Some(LIMIT)).expect("a limit");
        let to = format!("<sip:{number}@{peer}>");
        let contact = format!("sip:{number}@{peer}");
        Self { socket, peer, call_id, seq: 0, to, contact }
    }

    pub(crate) fn send(&mut self, method: &str, kind: &str, body: &str) {
        if method != "ACK" {
            self.seq += 1;
        }
        let (own, seq, call_id) = (self.local(), self.seq, self.call_id);
        let branch = format!("z9hG4bK{method}{seq}{}", call_id.replace('@', ""));
        let (to, uri) = (&self.to, &self.contact);
        let route = if to.contains("tag=") {
            format!("Route: <sip:mobile@{};lr>\r\n", self.peer)
        } else {
            String::new()
        };
        let message = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch={branch}\r\n{route}\
             From: \"Anna\" <sip:anna@{own}>;tag=a\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {seq} {method}\r\n\
             Max-Forwards: 70\r\nContact: <sip:anna@{own}>\r\nUser-Agent: Hardphone \u{202e}9\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket.send_to(message.as_bytes(), self.peer).expect("a way out");
    }

    fn local(&self) -> SocketAddr {
        self.socket.local_addr().expect("its address")
    }

    /// The final response to the last request.
    pub(crate) fn answer(&mut self) -> u16 {
        let mut bytes = [0; 4096];
        loop {
            let (length, _) = self.socket.recv_from(&mut bytes).expect("a response");
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
            let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
            let is_ours = line("CSeq: ").is_some_and(|cseq| {
                cseq.split(' ').next().and_then(|seq| seq.parse().ok()) == Some(self.seq)
            });
            let Some(status @ 200..) = status.filter(|_| is_ours) else { continue };
            if let (200..300, Some(to)) = (status, line("To: ")) {
                self.to = to.to_owned();
                if let Some(contact) = line("Contact: <") {
                    self.contact = contact.split('>').next().unwrap_or_default().to_owned();
                }
            }
            return status;
        }
    }

    pub(crate) fn invite(&mut self, offer: &str) -> u16 {
        self.send("INVITE", "application/sdp", offer);
        let status = self.answer();
        self.send("ACK", "application/sdp", "");
        status
    }
}

#[test]
fn calls_of_a_network_that_is_served_by_hand_are_told_at_once_and_afterwards() {
    let lab = Lab::new();
    let (psap, switch) = (lab.serve("psap"), lab.serve("switch"));
    let mut phone = Phone::new(lab.trunk_group, "one@lab", "112");
    assert_eq!(phone.invite(OFFER), 200);
    assert_eq!(phone.invite(&format!("{OFFER}a=sendonly\r\n")), 200);
    phone.send("INFO", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
    assert_eq!(phone.answer(), 200);
    phone.send("BYE", "text/plain", "");
    assert_eq!(phone.answer(), 200);
    assert_eq!(Phone::new(lab.trunk_group, "two@lab", "999").invite(OFFER), 404);

    let list = lab.told(&["show", "latest"], "2 calls over: 1 answered, 1 rejected");
    assert!(list.contains("tocsin psap: samu-59") && list.contains("tocsin switch: alpha, mobile"));
    let call = lab.told(&["show", "latest", "one@lab"], "DTMF     5");
    for wanted in [
        "From     \"Anna\" <sip:anna@127.0.0.1:",
        "client   Hardphone \\u202e9",
        &format!("source   {} over UDP", phone.local()),
        "offered  audio PCMA telephone-event",
        "answered audio PCMA telephone-event",
        "the caller sends re-INVITE: audio PCMA telephone-event, hold (sendonly)",
        "the other side answers re-INVITE with 200",
        "the caller sends INFO",
        "the caller sends BYE",
        "answered by samu-59 through site alpha",
    ] {
        assert!(call.contains(wanted), "no {wanted:?} in {call}");
    }
    let refused = said(&lab.workspace, &["show", "latest", "two@lab"]);
    assert!(refused.contains("rejected with 404 by call server alpha"), "{refused}");
    let failed = said(&lab.workspace, &["show", "latest", "--failed"]);
    assert!(failed.contains("404") && !failed.contains("112"), "{failed}");
    let newest = lab.newest();
    assert_eq!((&newest["verdict"], &newest["attempts"]), (&"serving".into(), &2.into()));
    let report = said(&lab.workspace, &["report", "latest"]);
    assert!(report.contains("2 calls over") && !report.contains("PASS"), "{report}");
    let csv = lab.workspace.path("runs/latest/calls.csv");
    let csv = std::fs::read_to_string(csv).expect("the calls");
    assert!(csv.lines().count() == 3 && csv.contains("one@lab"), "{csv}");
    let asked = tell(&lab.workspace, &["show", "latest", "--where", "true"]);
    let why = String::from_utf8_lossy(&asked.stderr);
    assert!(asked.status.code() == Some(2) && why.contains("calls.csv"), "{why}");

    signal("KILL", switch.id());
    assert_eq!(lab.newest()["verdict"], "serving", "the PSAP still is");
    signal("KILL", psap.id());
    drop((switch, psap));
    let newest = lab.newest();
    assert_eq!((&newest["verdict"], &newest["attempts"]), (&"ended".into(), &2.into()));
    assert!(said(&lab.workspace, &["show", "latest"]).contains("until its programs were killed"));
    assert!(said(&lab.workspace, &["show", "latest", "one@lab"]).contains("Hardphone"));
}

#[test]
fn a_second_ctrl_c_ends_a_call_and_its_record_stands() {
    let lab = Lab::new();
    let (mut psap, mut switch) = (lab.serve("psap"), lab.serve("switch"));
    let mut phone = Phone::new(lab.trunk_group, "over@lab", "15");
    assert_eq!(phone.invite(OFFER), 200);
    phone.send("BYE", "text/plain", "");
    assert_eq!(phone.answer(), 200);
    let mut phone = Phone::new(lab.trunk_group, "open@lab", "15");
    assert_eq!(phone.invite(OFFER), 200);
    switch.interrupt();
    switch.until("draining");
    switch.interrupt();
    switch.finish();
    psap.interrupt();
    psap.until("draining");
    psap.interrupt();
    psap.finish();
    let list = said(&lab.workspace, &["show", "latest"]);
    assert!(list.contains("was served for"), "{list}");
    assert!(said(&lab.workspace, &["show", "latest", "over@lab"]).contains("answered by samu-59"));
    assert_eq!(lab.newest()["verdict"], "ended");
}

#[test]
fn a_place_that_takes_no_file_is_refused_at_once() {
    let lab = Lab::new();
    for place in ["lab.toml", "/proc/runs"] {
        let mut refused = lab.start("switch", &["--runs", place]);
        assert_eq!(refused.finish().code(), Some(2), "{}", refused.words());
        let wanted = "give another folder with --runs, or say --no-records";
        assert!(refused.words().contains(wanted), "{}", refused.words());
    }
    let mut served = lab.start("switch", &["--no-records"]);
    served.until("mobile listens on");
    assert!(!lab.workspace.path("runs").exists());
}

#[test]
fn what_does_not_start_leaves_no_folder() {
    let lab = Lab::new();
    let _psap = lab.serve("psap");
    let latest = |lab: &Lab| lab.workspace.path("runs/latest").canonicalize().ok();
    let former = latest(&lab);
    let _taken = UdpSocket::bind(lab.trunk_group).expect("a free port");
    // Alone, and in another folder than that of the PSAP.
    let other = format!("sites.alpha.address={}", free());
    for options in [vec![], vec!["--set", &other]] {
        let mut refused = lab.start("switch", &options);
        assert_eq!(refused.finish().code(), Some(2), "{}", refused.words());
        assert_eq!(latest(&lab), former);
        let is_run = |path: &Path| path.is_dir() && !path.is_symlink();
        let entries = std::fs::read_dir(lab.workspace.path("runs")).expect("runs");
        let runs = entries.filter_map(Result::ok).filter(|entry| is_run(&entry.path())).count();
        assert_eq!(runs, 1, "{options:?}");
    }
}
