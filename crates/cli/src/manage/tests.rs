//! The management plane over real HTTP, with sites that only pretend.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::{CallServerSnapshot, CallsWanted, DirectoryEntry, EffectEnd, NodeKind, Reply};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use operations::{Action, OrderResult};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{
    Canaries, CommandLog, CommandNote, HttpListener, Intervention, Listening, LiveFeed,
    ManagedCallServer, ManagedSites, NetworkView, SitePlace, Token,
};

/// Only a failing test waits for so long.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// Two sites, the second with two call servers. `beta.b` is starting; nobody may lock `alpha`, and its drain takes for
/// ever.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) network: NetworkView,
    pub(super) feed: LiveFeed,
    pub(super) canaries: Canaries,
    command_log: CommandLog,
    pub(super) interventions: Mutex<Vec<Intervention>>,
    commands: Mutex<Vec<String>>,
    notes: Mutex<Vec<CommandNote>>,
    /// Told when nobody waits for the end of the drain any more.
    left: Arc<Notify>,
}

struct Waiting(Arc<Notify>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn three_calls() -> CallServerSnapshot {
    CallServerSnapshot { calls: 3, ..CallServerSnapshot::default() }
}

impl ManagedSites for Fake {
    fn members(&self) -> Vec<ManagedCallServer> {
        let member =
            |(name, site): (&str, &str)| ManagedCallServer { name: name.into(), site: site.into() };
        [("alpha", "alpha"), ("beta.a", "beta"), ("beta.b", "beta")].map(member).into()
    }

    fn boxes(&self) -> BTreeMap<String, DirectoryEntry> {
        let listening = |kind| DirectoryEntry::listening(kind, ([127, 0, 0, 1], 5060).into());
        let mut alpha = listening(NodeKind::CallServer);
        alpha.snapshot = Some(three_calls().into());
        let mobile = listening(NodeKind::TrunkGroup);
        [("alpha".to_owned(), alpha), ("mobile".to_owned(), mobile)].into()
    }

    fn command(&self, name: &str, action: &Action) -> BoxFuture<'static, Reply> {
        self.commands.lock().unwrap().push(format!("{name}: {action}"));
        let reply = match (name, action) {
            ("alpha", Action::Drain) => {
                let waiting = Waiting(Arc::clone(&self.left));
                return async move {
                    let _waiting = waiting;
                    std::future::pending().await
                }
                .boxed();
            }
            ("alpha", Action::Lock) => Reply::Refused("it is in use".to_owned()),
            ("beta.b", _) => Reply::Silent,
            (_, Action::Restart { .. }) => {
                Reply::Accepted { ticket: 7, text: "within 40s".to_owned() }
            }
            _ => Reply::Done("as you wish".to_owned()),
        };
        std::future::ready(reply).boxed()
    }

    fn show_calls(&self, name: &str, wanted: CallsWanted) -> BoxFuture<'static, Reply> {
        super::calls_tests::shown(name, &wanted)
    }

    fn effect(&self, name: &str, ticket: u64) -> BoxFuture<'static, EffectEnd> {
        let end = match name {
            "alpha" => EffectEnd::Done(format!("in service {ticket}")),
            _ => EffectEnd::Aborted("it restarted".to_owned()),
        };
        std::future::ready(end).boxed()
    }

    fn note(&self, note: CommandNote) {
        self.notes.lock().unwrap().push(note);
    }

    fn network(&self) -> &NetworkView {
        &self.network
    }

    fn feed(&self) -> &LiveFeed {
        &self.feed
    }

    fn canaries(&self) -> &Canaries {
        &self.canaries
    }

    fn command_log(&self) -> &CommandLog {
        &self.command_log
    }

    fn intervene(&self, what: Intervention) -> BoxFuture<'static, Result<String, String>> {
        let done = what.what.to_string();
        let refused = what.by == "nobody";
        self.interventions.lock().unwrap().push(what);
        let answer = if refused { Err("not by nobody".to_owned()) } else { Ok(done) };
        std::future::ready(answer).boxed()
    }
}

/// The sites of [`Fake`], as their file would say them.
fn network() -> NetworkView {
    let site = |name: &str, call_servers: &[&str]| SitePlace {
        name: name.to_owned(),
        in_pool: true,
        call_servers: call_servers.iter().map(|&one| one.to_owned()).collect(),
        release: "sound".to_owned(),
    };
    let sites = vec![site("alpha", &["alpha"]), site("beta", &["beta.a", "beta.b"])];
    NetworkView { name: "lab".to_owned(), sites, detection_s: 6.0, ..NetworkView::default() }
}

pub(super) struct Plane {
    pub(super) address: std::net::SocketAddr,
    pub(super) token: Token,
    pub(super) sites: Arc<Fake>,
    _listening: Listening,
}

impl Plane {
    pub(super) fn new() -> Self {
        Self::with_patience(LIMIT)
    }

    /// The same over TLS, and the fingerprint of its certificate.
    pub(super) fn secured(folder: &std::path::Path, patience: Duration) -> (Self, String) {
        let beyond = ([192, 0, 2, 1], 0).into();
        let identity = crate::TlsArgs::default().identity(beyond, &folder.join("kept.pem"));
        let identity = identity.unwrap().expect("TLS");
        let fingerprint = identity.fingerprint().to_owned();
        (Self::begin(patience, Some(identity)), fingerprint)
    }

    fn with_patience(patience: Duration) -> Self {
        Self::begin(patience, None)
    }

    /// Another socket of the same network.
    pub(super) fn beside(&self) -> Self {
        Self::of(Arc::clone(&self.sites), LIMIT, None)
    }

    fn begin(patience: Duration, identity: Option<crate::ServerIdentity>) -> Self {
        let sites = Fake { network: network(), ..Fake::default() };
        Self::of(Arc::new(sites), patience, identity)
    }

    fn of(sites: Arc<Fake>, patience: Duration, identity: Option<crate::ServerIdentity>) -> Self {
        let listener = HttpListener::bind(([127, 0, 0, 1], 0).into(), "management").unwrap();
        let mut listener = listener.secured(identity);
        listener.patience = patience;
        let (address, token) = (listener.address(), Token::draw().unwrap());
        let listening = listener.serve(Arc::clone(&sites) as Arc<dyn ManagedSites>, token.clone());
        Self { address, token, sites, _listening: listening.unwrap() }
    }

    /// Sends these octets, and returns all that comes back.
    pub(super) async fn send(&self, octets: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // It may answer, and close, before it has read everything.
        let _ = stream.write_all(octets).await;
        let mut answer = Vec::new();
        let read = timeout(LIMIT, stream.read_to_end(&mut answer)).await;
        let _ = read.expect("the connection ends");
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(super) async fn request(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n",
            self.token.credentials(),
            body.len()
        );
        parsed(&self.send(format!("{head}{body}").as_bytes()).await)
    }

    async fn order(&self, order: Value) -> (u16, Value) {
        self.request("POST", "/v1/commands", &order.to_string()).await
    }

    fn commands(&self) -> Vec<String> {
        self.sites.commands.lock().unwrap().clone()
    }
}

fn parsed(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    (status.unwrap_or_else(|| panic!("{answer:?}")), body)
}

/// Name, result and text of each outcome.
fn outcomes(results: &Value) -> Vec<[&str; 3]> {
    let outcomes = results["results"].as_array().expect("results").iter();
    outcomes
        .map(|one| ["name", "result", "text"].map(|key| one[key].as_str().expect("a text")))
        .collect()
}

#[tokio::test]
async fn sites_and_boxes_are_shown() {
    let plane = Plane::new();
    let (status, shown) = plane.request("GET", "/v1/sites", "").await;
    let unseen = |name| json!({"name": name, "site": "beta", "state": "unknown", "snapshot": null});
    let snapshot = json!(three_calls());
    assert_eq!((&snapshot["calls"], &snapshot["offered"]), (&json!(3), &json!(0)));
    let alpha =
        json!({"name": "alpha", "site": "alpha", "state": "running", "snapshot": &snapshot});
    assert_eq!(
        (status, shown),
        (200, json!({"sites": [&alpha, &unseen("beta.a"), &unseen("beta.b")]}))
    );
    let (status, shown) = plane.request("GET", "/v1/boxes", "").await;
    let boxes = &shown["boxes"];
    assert_eq!((status, &boxes["mobile"]["kind"]), (200, &json!("trunk group")));
    assert_eq!(boxes["mobile"]["snapshot"], Value::Null);
    let alpha = &boxes["alpha"];
    assert_eq!((&alpha["kind"], &alpha["state"]), (&json!("call server"), &json!("running")));
    assert_eq!((&alpha["snapshot"], &alpha["address"]), (&snapshot, &json!("127.0.0.1:5060")));
    assert_eq!(alpha["sockets"]["udp_received"], 0);
}

#[tokio::test]
async fn each_call_server_has_its_own_result() {
    let plane = Plane::new();
    let order = json!({"command": "lock", "sites": "all", "timeout": "50ms"});
    let (status, results) = plane.order(order).await;
    assert_eq!(status, 200, "{results}");
    let expected = [
        ["alpha", "refused", "it is in use"],
        ["beta.a", "done", "as you wish"],
        // What is starting says nothing, and is not asked again.
        ["beta.b", "timed_out", "no answer within 50ms"],
    ];
    assert_eq!(outcomes(&results), expected);
    let last = &results["results"][2];
    assert!(last["site"] == "beta" && last["ms"].as_u64() >= Some(50), "{last}");
    assert_eq!(plane.commands(), ["alpha: lock", "beta.a: lock", "beta.b: lock"]);
}

/// `tocsin ctl` has parsed the command already, and sends what it is.
#[tokio::test]
async fn a_program_sends_a_command_as_an_object() {
    let plane = Plane::new();
    let restart = json!({"restart": {"clean": true}});
    let order = json!({"command": restart, "sites": ["alpha"], "timeout": "1ms"});
    let (status, results) = plane.order(order).await;
    assert_eq!(
        (status, plane.commands()),
        (200, vec!["alpha: restart clean".to_owned()]),
        "{results}"
    );
    for command in [
        json!({"load_release": {"release": "../../etc"}}),
        json!({"disconnect": {"trunk_group": "Mobile"}}),
        json!({"explode": {}}),
        json!({"restart": {"clean": 1}}),
    ] {
        let (status, answer) = plane.order(json!({"command": command, "sites": "all"})).await;
        assert_eq!(status, 400, "{answer}");
    }
    assert_eq!(plane.commands().len(), 1);
}

#[tokio::test]
async fn in_series_one_site_follows_the_other_as_named() {
    let plane = Plane::new();
    let order = json!({
        "command": "restart  clean", "sites": ["beta", "alpha", "beta.a"], "manner": "serial",
        "interval": "1ms", "timeout": "1ms"
    });
    let (status, results) = plane.order(order).await;
    assert_eq!(status, 200, "{results}");
    let names: Vec<_> = outcomes(&results).iter().map(|outcome| outcome[0]).collect();
    assert_eq!(names, ["beta.a", "beta.b", "alpha"], "each once");
    let commands = ["beta.a: restart clean", "beta.b: restart clean", "alpha: restart clean"];
    assert_eq!(plane.commands(), commands);
}

#[tokio::test]
async fn orders_that_make_no_sense_are_answered_with_a_sentence() {
    let plane = Plane::new();
    for (order, sentence) in [
        (json!({"command": "unlok", "sites": "all"}), "did you mean \"unlock\"?"),
        (
            json!({"command": "lock", "sites": ["gamma"]}),
            "no site \"gamma\"; the sites are alpha, beta",
        ),
        (json!({"command": "lock", "sites": ["alpha", "gamma"]}), "no site \"gamma\""),
        (json!({"command": "lock", "sites": []}), "sites is empty"),
        (json!({"command": "lock", "sites": "alpha"}), "write \"all\", or a list"),
        (json!({"command": "lock", "sites": 6}), "the body is no order"),
        (json!({"command": "lock", "sites": "all", "timeout": "1h"}), "timeout is too long"),
        (json!({"command": "lock", "sites": "all", "timeout": "soon"}), "soon"),
        (json!({"command": "lock", "sites": "all", "how": "now"}), "unknown field `how`"),
        (json!(["lock"]), "the body is no order"),
    ] {
        let (status, answer) = plane.order(order.clone()).await;
        assert_eq!(status, 400, "{order}");
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.contains(sentence), "{order}: {error}");
    }
    let (status, answer) = plane.request("POST", "/v1/commands", "{").await;
    assert_eq!(status, 400, "{answer}");
    assert_eq!(plane.request("GET", "/", "").await.0, 404);
    assert_eq!(plane.request("GET", "/v1/commands", "").await.0, 405);
    assert_eq!(plane.request("POST", "/v1/command-log", "{}").await.0, 405);
    assert_eq!(plane.commands(), [""; 0]);
}

#[tokio::test]
async fn without_the_token_nothing_is_told() {
    let plane = Plane::new();
    let other = Token::draw().unwrap().credentials();
    for path in ["/v1/sites", "/v1/boxes", "/v1/commands", "/", "/../.."] {
        for shown in ["", "Authorization: Bearer \r\n", &format!("Authorization: {other}\r\n")] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{shown}\r\n");
            let (status, answer) = parsed(&plane.send(request.as_bytes()).await);
            assert_eq!(status, 401, "{path} {shown:?}: {answer}");
            assert_eq!(answer.as_object().map(serde_json::Map::len), Some(1), "{answer}");
        }
    }
    let order = r#"{"command":"lock","sites":"all"}"#;
    let head =
        format!("POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}", order.len());
    let (status, _) = parsed(&plane.send(format!("{head}\r\n\r\n{order}").as_bytes()).await);
    assert_eq!(status, 401);
    assert_eq!(plane.commands(), [""; 0]);
}

// A page that a browser shows may ask 127.0.0.1 by a name of its own (DNS rebinding), or across origins.
#[tokio::test]
async fn pages_in_browsers_are_refused_even_with_the_token() {
    let plane = Plane::new();
    let token = plane.token.credentials();
    let order = r#"{"command":"lock","sites":"all"}"#;
    for fields in [
        "Host: evil.example",
        "Host: evil.example:80",
        "X: y",
        "Host: localhost\r\nOrigin: http://evil.example",
        "Host: localhost\r\nOrigin: null",
        "Host: localhost\r\nHost: evil.example",
    ] {
        for (method, path) in
            [("GET", "/v1/sites"), ("POST", "/v1/commands"), ("OPTIONS", "/v1/commands")]
        {
            let length = order.len();
            let head = format!(
                "{method} {path} HTTP/1.1\r\n{fields}\r\nAuthorization: {token}\r\nContent-Length: {length}"
            );
            let answer = plane.send(format!("{head}\r\n\r\n{order}").as_bytes()).await;
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(matches!(status, "421" | "400"), "{method} {fields:?}: {answer}");
            assert!(!answer.to_ascii_lowercase().contains("access-control-allow"), "{answer}");
        }
    }
    assert_eq!(plane.commands(), [""; 0]);
}

#[tokio::test]
async fn hostile_input_neither_hangs_nor_ends_it() {
    let plane = Plane::with_patience(Duration::from_millis(100));
    let admitted = format!("Host: localhost\r\nAuthorization: {}\r\n", plane.token.credentials());
    let post = |rest: &str| format!("POST /v1/commands HTTP/1.1\r\n{admitted}{rest}").into_bytes();
    let nested = "[".repeat(10_000);
    let long = "x".repeat(20_000);
    for hostile in [
        b"\r\n\r\n".to_vec(),
        vec![0xff; 100_000],
        b"GET /v1/sites HTTP/1.1\r\nHost:".to_vec(), // and no more
        b"".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        post("Content-Length: 100\r\n\r\n{"), // and no more
        post(&format!("Content-Length: 20000\r\n\r\n{long}")),
        post("Content-Length: 18446744073709551615\r\n\r\n"),
        post("Content-Length: -1\r\n\r\n"),
        post(&format!("Content-Length: {}\r\n\r\n{nested}", nested.len())),
        post("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
        post(&format!("X: {long}\r\n\r\n")),
        b"GET /v1/sites HTTP/1.1\r\nAuthorization: \xff\xfe\r\n\r\n".to_vec(),
    ] {
        let answer = plane.send(&hostile).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{:?}", String::from_utf8_lossy(&hostile));
    }
    let (status, _) = plane.request("GET", "/v1/sites", "").await;
    assert_eq!(status, 200);
    assert_eq!(plane.commands(), [""; 0]);
}

#[tokio::test]
async fn whoever_hangs_up_commands_no_further_site() {
    let plane = Plane::new();
    let order =
        r#"{"command":"drain","sites":["alpha","beta.a"],"manner":"serial","timeout":"10m"}"#;
    let head = format!(
        "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n",
        plane.token.credentials(),
        order.len()
    );
    let mut stream = TcpStream::connect(plane.address).await.unwrap();
    stream.write_all(format!("{head}{order}").as_bytes()).await.unwrap();
    while plane.commands().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(stream);
    timeout(LIMIT, plane.sites.left.notified()).await.expect("the order is dropped");
    assert_eq!(plane.commands(), ["alpha: drain"]);
    let notes = plane.sites.notes.lock().unwrap();
    let results: Vec<_> = notes.iter().map(|note| note.result.clone()).collect();
    assert_eq!(results, [None, Some(OrderResult::TimedOut)], "nobody waited for its answer");
}

/// Who gave it, to whom, what, and what became of it: of commands that are refused or not answered too.
#[tokio::test]
async fn every_command_is_noted_as_it_goes_out_and_once_it_is_over() {
    let plane = Plane::new();
    let lock = json!({"command": "lock", "sites": "all", "by": "drill", "manner": "serial", "timeout": "50ms"});
    assert_eq!(plane.order(lock).await.0, 200);
    assert_eq!(plane.order(json!({"command": "unlock", "sites": ["beta.a"]})).await.0, 200);
    let notes = std::mem::take(&mut *plane.sites.notes.lock().unwrap());
    let (given, over): (Vec<_>, Vec<_>) = notes.iter().partition(|note| note.result.is_none());
    let names: Vec<_> = given.iter().map(|note| (&*note.by, &*note.name)).collect();
    let drill = ["alpha", "beta.a", "beta.b"].map(|name| ("drill", name));
    assert_eq!(names, [&drill[..], &[("management API", "beta.a")]].concat());
    for note in &given {
        let place = over.iter().position(|other| other.id == note.id);
        assert_eq!(over[place.expect("each is over")].name, note.name);
    }
    let of = |name: &str| over.iter().find(|note| note.name == name).unwrap().result.clone();
    assert_eq!(of("alpha"), Some(OrderResult::Refused("it is in use".to_owned())));
    assert_eq!(of("beta.a"), Some(OrderResult::Done("as you wish".to_owned())));
    assert_eq!(of("beta.b"), Some(OrderResult::TimedOut));
    for by in ["", "two\nlines", &"long".repeat(40)] {
        let (status, said) =
            plane.order(json!({"command": "lock", "sites": "all", "by": by})).await;
        assert_eq!(status, 400, "{said}");
    }
    assert!(plane.sites.notes.lock().unwrap().is_empty(), "nothing went out");
}

/// A restart is accepted, and over when the site is in service, or when something has cut it short.
#[tokio::test]
async fn what_takes_its_time_is_waited_for_and_noted_twice() {
    let plane = Plane::new();
    let restart = json!({"command": "restart", "sites": ["alpha", "beta.a"]});
    let (status, results) = plane.order(restart).await;
    assert_eq!(status, 200, "{results}");
    let expected = [["alpha", "done", "in service 7"], ["beta.a", "aborted", "it restarted"]];
    assert_eq!(outcomes(&results), expected);
    let of = |name: &str| -> Vec<_> {
        let notes = plane.sites.notes.lock().unwrap();
        let of_it = notes.iter().filter(|note| note.name == name);
        of_it.filter_map(|note| note.result.clone()).collect()
    };
    let accepted = || OrderResult::Accepted("within 40s".to_owned());
    assert_eq!(of("alpha"), [accepted(), OrderResult::Done("in service 7".to_owned())]);
    assert_eq!(of("beta.a"), [accepted(), OrderResult::Aborted("it restarted".to_owned())]);
    let restart = json!({"command": "restart", "sites": ["alpha"], "wait": false});
    let (_, results) = plane.order(restart).await;
    assert_eq!(outcomes(&results), [["alpha", "accepted", "within 40s"]]);
    // How it ended is noted all the same.
    while of("alpha").len() < 4 {
        tokio::task::yield_now().await;
    }
    let endless = json!({"command": "restart", "sites": ["alpha"], "effect_timeout": "25h"});
    let (status, said) = plane.order(endless).await;
    assert_eq!(
        (status, said["error"].as_str()),
        (400, Some("effect_timeout is too long; at most 24h"))
    );
}

/// Holds so many connections, each with half a head, or a body that does not come.
async fn held(plane: &Plane, count: usize) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for number in 0..count {
        let mut stream = TcpStream::connect(plane.address).await.unwrap();
        let half = ["", "GET /v1/sites HTTP/1.1\r\nHost:", "POST /v1/commands HTTP/1.1\r\nX: a"];
        stream.write_all(half[number % half.len()].as_bytes()).await.unwrap();
        held.push(stream);
    }
    held
}

#[tokio::test]
async fn those_who_hold_connections_and_ask_nothing_keep_nobody_out() {
    let plane = Plane::new();
    let held = held(&plane, 260).await;
    let (status, _) = plane.request("GET", "/v1/sites", "").await;
    assert_eq!(status, 200);
    // A command that goes on keeps its place.
    let order = r#"{"command":"drain","sites":["alpha"],"timeout":"10m"}"#;
    let head = format!(
        "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n",
        plane.token.credentials(),
        order.len()
    );
    let mut commanding = TcpStream::connect(plane.address).await.unwrap();
    commanding.write_all(format!("{head}{order}").as_bytes()).await.unwrap();
    while plane.commands().is_empty() {
        tokio::task::yield_now().await;
    }
    drop((held, self::held(&plane, 260).await));
    let (status, _) = plane.request("GET", "/v1/sites", "").await;
    assert_eq!(status, 200);
    let left = timeout(Duration::from_millis(50), plane.sites.left.notified()).await;
    assert!(left.is_err(), "the command was dropped");
    drop(commanding);
    timeout(LIMIT, plane.sites.left.notified()).await.expect("the order is dropped");
}

#[tokio::test]
async fn a_head_or_a_body_that_trickles_ends_in_time() {
    let plane = Plane::with_patience(Duration::from_millis(100));
    let credentials = plane.token.credentials();
    for (head, byte) in [
        ("GET /v1/sites HTTP/1.1\r\nX: ".to_owned(), "x"),
        (
            format!(
                "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credentials}\r\n\
                 Content-Length: 9000\r\n\r\n"
            ),
            " ",
        ),
    ] {
        let mut stream = TcpStream::connect(plane.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let ended = timeout(LIMIT, async {
            let mut answer = [0; 1024];
            loop {
                match timeout(Duration::from_millis(2), stream.read(&mut answer)).await {
                    Ok(Ok(0) | Err(_)) => return,
                    Ok(Ok(_)) => {}
                    Err(_) => drop(stream.write_all(byte.as_bytes()).await),
                }
            }
        });
        ended.await.expect("it ends, however slowly bytes come");
    }
}

/// Whoever comes later hears of what was commanded, by whom, and what came of it.
#[tokio::test]
async fn the_network_tells_what_was_commanded() {
    let plane = Plane::new();
    let log = async || {
        let (status, answer) = plane.request("GET", "/v1/command-log", "").await;
        assert_eq!(status, 200, "{answer}");
        answer["commands"].as_array().expect("commands").clone()
    };
    assert_eq!(log().await, Vec::<Value>::new());
    let ordered = json!({"command": "lock", "sites": ["alpha", "beta.a"], "by": "an operator"});
    plane.request("POST", "/v1/commands", &ordered.to_string()).await;
    // The page of a run and `tocsin ctl` come by two sockets.
    let (_, beside) = plane.beside().request("GET", "/v1/command-log", "").await;
    assert_eq!(beside["commands"].as_array().map(Vec::len), Some(2), "{beside}");
    let told = log().await;
    let results: Vec<_> = told.iter().map(|one| (&one["name"], &one["result"])).collect();
    assert_eq!(
        results,
        [
            (&json!("alpha"), &json!(OrderResult::Refused("it is in use".to_owned()))),
            (&json!("beta.a"), &json!(OrderResult::Done("as you wish".to_owned()))),
        ]
    );
    for one in &told {
        assert_eq!((&one["by"], &one["action"]), (&json!("an operator"), &json!(Action::Lock)));
        let ago = |name: &str| one[name].as_u64().expect("a time");
        assert!(ago("given_ms_ago") >= ago("over_ms_ago"), "{one}");
    }
}
