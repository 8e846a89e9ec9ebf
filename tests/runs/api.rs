//! The management API of a run that goes on: what it shows, what happens, and what is done to it by hand.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::manage::ctl;
use crate::outcomes::wait_for_calls;
use crate::{CampaignFolder, balanced};

/// Only a failing test waits for so long.
const LIMIT: Duration = Duration::from_secs(60);

/// The way to an API.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    address: SocketAddr,
    token: String,
}

impl Api {
    /// As `manage.json` says.
    pub(crate) fn of_file(file: &Path) -> Self {
        let text = fs::read_to_string(file).expect("a file that says where");
        let access: Value = serde_json::from_str(&text).expect("JSON");
        let address = access["address"].as_str().and_then(|it| it.parse().ok());
        let token = access["token"].as_str().expect("a token").to_owned();
        Self { address: address.expect("an address"), token }
    }

    /// As a link says: `http://ADDRESS/#token=TOKEN`.
    pub(crate) fn of_link(link: &str) -> Self {
        let link = link.trim();
        let (address, token) = link.split_once("/#token=").unwrap_or_else(|| panic!("{link}"));
        let address = address.rsplit('/').next().and_then(|it| it.parse().ok());
        Self { address: address.expect("an address"), token: token.to_owned() }
    }

    /// The same for somebody who does not know the token.
    pub(crate) fn without_token(&self) -> Self {
        Self { token: "0".repeat(32), ..self.clone() }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    fn begin(&self, method: &str, path: &str, fields: &str, body: &str) -> TcpStream {
        let Self { address, token } = self;
        let mut stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n{fields}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("a request");
        stream
    }

    /// Asks, and returns status and body.
    pub(crate) fn text(&self, method: &str, path: &str, fields: &str, body: &str) -> (u16, String) {
        let mut answer = Vec::new();
        let mut stream = self.begin(method, path, fields, body);
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), body.to_owned())
    }

    fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, text) = self.text(method, path, "", body);
        let value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"));
        (status, value)
    }

    /// What is there.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, answer) = self.json("GET", path, "");
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Asks for something to be done.
    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.json("POST", path, &body.to_string())
    }

    /// Asks for something to be taken away.
    pub(crate) fn delete(&self, path: &str, body: &Value) -> (u16, Value) {
        self.json("DELETE", path, &body.to_string())
    }

    /// Looks again and again until what is there is as `wanted`.
    pub(crate) fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LIMIT;
        loop {
            let seen = self.get(path);
            if wanted(&seen) {
                return seen;
            }
            assert!(Instant::now() < end, "{path} is still {seen:#}");
        }
    }

    /// The events of a network, one after the other.
    pub(crate) fn events(&self) -> Events {
        let stream = self.begin("GET", "/v1/events", "", "");
        Events(BufReader::new(stream))
    }
}

/// Events that come.
#[derive(Debug)]
pub(crate) struct Events(BufReader<TcpStream>);

impl Events {
    /// Waits for an event of this name whose data has these words.
    pub(crate) fn until(&mut self, name: &str, words: &str) -> Value {
        let end = Instant::now() + LIMIT;
        let mut event = String::new();
        loop {
            let mut line = String::new();
            let length = self.0.read_line(&mut line).expect("an event");
            assert!(length > 0 && Instant::now() < end, "no {name} with {words:?}");
            if let Some(name) = line.strip_prefix("event: ") {
                name.trim().clone_into(&mut event);
            }
            if let Some(data) = line.strip_prefix("data: ")
                && event == name
                && data.contains(words)
            {
                return serde_json::from_str(data).expect("JSON");
            }
        }
    }
}

fn offered(state: &Value) -> u64 {
    state["run"]["counts"]["offered"].as_u64().unwrap_or_default()
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let list = list.as_array().expect("a list");
    list.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {list:?}"))
}

#[test]
fn a_run_is_seen_and_harmed_by_http_and_its_report_says_by_whom() {
    let workspace = CampaignFolder::new(120, "300ms");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    let api = Api::of_file(&workspace.path("runs/latest/manage.json"));

    // What a map is drawn from is the network of the file.
    let network = api.get("/v1/network");
    assert_eq!(network["sites"].as_array().map(Vec::len), Some(2), "{network:#}");
    assert_eq!(network["links"].as_array().map(Vec::len), Some(4), "{network:#}");
    assert_eq!(named(&network["psaps"], "samu-59")["positions"], 200);
    let state = api.until("/v1/state", |state| offered(state) > 20);
    assert_eq!(named(&state["sites"], "alpha")["state"], "up");
    assert_eq!(state["run"]["status"], "running", "{state:#}");
    assert!(state["links"].as_array().is_some_and(|links| links.len() == 4), "{state:#}");
    api.until("/v1/history", |it| it["moments"].as_array().is_some_and(|all| all.len() > 2));

    // The load stops, goes on, and is doubled.
    let mut events = api.events();
    events.until("state", "\"running\"");
    let (status, done) = api.post("/v1/load", &json!({"load": "pause", "by": "anna: breathe"}));
    assert_eq!(status, 200, "{done}");
    events.until("chronicle", "anna: breathe: nobody calls any more");
    let quiet = api.until("/v1/state", |state| state["run"]["counts"]["held_back"] != 0);
    let later = api.until("/v1/history", |it| {
        let last = it["moments"].as_array().and_then(|all| all.last());
        last.is_some_and(|one| one["offered"] == 0.0 && one["answered"] == 0.0)
    });
    assert!(!later.is_null());
    assert!(offered(&api.get("/v1/state")) <= offered(&quiet) + 60, "nobody calls");
    let (status, done) = api.post("/v1/load", &json!({"load": "rate", "factor": 2.0}));
    assert_eq!(status, 200, "{done}");
    api.until("/v1/history", |it| {
        let moments = it["moments"].as_array().into_iter().flatten();
        moments.filter(|one| one["offered"].as_f64() > Some(60.0)).count() > 1
    });

    // A machine stands still, another dies: it is seen, and everybody hears who did it.
    let freeze = json!({"freeze": "alpha", "for": "300ms", "by": "anna: hiccup"});
    assert_eq!(api.post("/v1/faults", &freeze).0, 200);
    events.until("chronicle", "fault: anna: hiccup: freeze alpha");
    events.until("chronicle", "fault: thaw alpha");
    let (status, answer) = api.post("/v1/faults", &json!({"kill": "beta", "by": "anna: now"}));
    assert_eq!((status, &answer["done"]), (200, &"beta loses power".into()));
    events.until("chronicle", "fault: anna: now: kill beta");
    api.until("/v1/state", |state| named(&state["sites"], "beta")["state"] == "gone");
    let (status, answer) = api.post("/v1/faults", &json!({"kill": "beta"}));
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(status == 409 && error.contains("was gone already"), "{answer}");

    let (status, answer) = api.post("/v1/load", &json!({"load": "drain", "by": "anna: enough"}));
    assert_eq!(status, 200, "{answer}");
    events.until("end", "the calls are over");
    run.finish();
    let summary = workspace.summary();
    balanced(&summary);
    let note = summary["notes"].to_string();
    for words in ["by hand", "anna: breathe: nobody calls", "anna: hiccup: freeze alpha"] {
        assert!(note.contains(words), "{words}: {note}");
    }
    // The campaign itself had no command and no fault: what was done by hand is a story all the same.
    let text = fs::read_to_string(workspace.path("runs/latest/chronicle.json"));
    let chronicle: Value = serde_json::from_str(&text.expect("a chronicle")).expect("JSON");
    assert_eq!(chronicle["commands"], json!([]));
    let faults = chronicle["faults"].as_array().map(Vec::len);
    assert_eq!(faults, Some(3), "freeze, thaw, kill: {chronicle:#}");
    let notes = chronicle["notes"].to_string();
    assert!(notes.contains("nobody calls any more"), "{notes}");
    let report = fs::read_to_string(workspace.path("runs/latest/report.txt")).expect("a report");
    assert!(report.contains("what happened, h:min:s since the start"), "{report}");
}

#[test]
fn people_in_one_commune_call_more_often_for_a_while() {
    let workspace = CampaignFolder::new(120, "300ms");
    let mut run = workspace.run(&["--shards", "2"]);
    wait_for_calls(&mut run);
    let api = Api::of_file(&workspace.path("runs/latest/manage.json"));
    assert_eq!(api.get("/v1/network")["communes"], json!(["59350"]));
    for (asked, sentence) in [
        (json!({"communes": ["59351"], "factor": 3.0}), "near it are 59350"),
        (json!({"communes": ["Lille"], "factor": 3.0}), "people call from 59350"),
        (json!({"communes": ["59350"]}), "one of them only"),
    ] {
        let mut body = json!({"load": "surge", "for": "60s"});
        body.as_object_mut().expect("a body").extend(asked.as_object().expect("keys").clone());
        let (status, answer) = api.post("/v1/load", &body);
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == 400 && error.contains(sentence), "{body}: {status} {answer}");
    }
    let mut events = api.events();
    let surge = json!({
        "load": "surge", "communes": ["59"], "rate": 200.0, "for": "1s", "by": "anna: a storm",
    });
    let (status, done) = api.post("/v1/load", &surge);
    let told = "surge: 200 more calls a second from 59 for 1s";
    assert_eq!((status, &done["done"]), (200, &told.into()));
    events.until("chronicle", &format!("anna: a storm: {told} (surge 1)"));
    events.until("chronicle", "anna: a storm: surge 1 is over");
    let surged = |state: &Value| state["run"]["counts"]["surged"].as_u64().unwrap_or_default();
    let seen =
        api.until("/v1/state", |state| surged(state) > 100 && state["run"]["load"] == json!([]));
    let first = surged(&seen);
    assert!((100..400).contains(&first), "{first}");
    // By its words at the command line, and ended before its time.
    let (code, said) =
        ctl(&workspace, &["callers", "surge", "59350", "--factor", "5", "--for", "1h"]);
    assert!(code == Some(0) && said.contains("surge: 5 times as many calls from 59350"), "{said}");
    api.until("/v1/state", |state| surged(state) > first + 20);
    assert!(
        api.get("/v1/state")["run"]["load"][0].as_str().is_some_and(|it| it.contains("by ctl"))
    );
    let (code, said) =
        ctl(&workspace, &["callers", "surge", "75056", "--rate", "5", "--for", "1h"]);
    assert!(code == Some(2) && said.contains("nobody in this campaign calls from 75056"), "{said}");
    assert_eq!(ctl(&workspace, &["callers", "resume"]).0, Some(0));
    api.until("/v1/state", |state| state["run"]["load"] == json!([]));
    assert_eq!(ctl(&workspace, &["callers", "end"]).0, Some(0));
    run.finish();
    let summary = workspace.summary();
    balanced(&summary);
    let notes = summary["notes"].to_string();
    for words in ["by hand", "anna: a storm: surge: 200 more calls", "surge 1 is over", "(surge 2)"]
    {
        assert!(notes.contains(words), "{words}: {notes}");
    }
}

#[test]
fn a_fault_acts_until_somebody_ends_it() {
    let workspace = CampaignFolder::new(120, "300ms");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    let api = Api::of_file(&workspace.path("runs/latest/manage.json"));
    let mut events = api.events();
    let acting = |state: &Value| state["run"]["impaired"].as_array().map_or(0, Vec::len);

    // A cut, a machine that stands still, and a dead one: each is ended before its time.
    for fault in [
        json!({"between": ["mobile", "alpha"], "cut": true, "by": "anna: dig"}),
        json!({"freeze": "alpha", "for": "1h", "by": "anna: dig"}),
        json!({"kill": "samu-59", "by": "anna: dig"}),
    ] {
        let (status, answer) = api.post("/v1/faults", &fault);
        assert_eq!(status, 200, "{answer}");
    }
    let state = api.until("/v1/state", |state| acting(state) == 3);
    let mut kinds: Vec<_> = state["run"]["impaired"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (one["number"].as_u64(), one["kind"].as_str()))
        .collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [(Some(1), Some("impaired")), (Some(2), Some("frozen")), (Some(3), Some("killed"))]
    );
    let (status, answer) = api.delete("/v1/faults/1", &json!({"by": "bert: filled in"}));
    assert_eq!((status, &answer["done"]), (200, &"fault 1 is over: heal mobile and alpha".into()));
    events.until("chronicle", "fault: bert: filled in: heal mobile and alpha");
    let (code, said) = ctl(&workspace, &["faults"]);
    assert!(code == Some(0) && said.contains("stands still") && said.contains("samu-59"), "{said}");
    assert_eq!(
        ctl(&workspace, &["heal", "2"]),
        (Some(0), "fault 2 is over: thaw alpha\n".to_owned())
    );
    let (code, said) = ctl(&workspace, &["heal", "2"]);
    assert!(
        code == Some(2) && said.contains("fault 2 does not act; those that act now are 3"),
        "{said}"
    );
    assert_eq!(api.delete("/v1/faults/3", &json!({})).0, 200);
    api.until("/v1/state", |state| acting(state) == 0);
    api.until("/v1/state", |state| named(&state["psaps"], "samu-59")["state"] == "up");
    assert_eq!(ctl(&workspace, &["faults"]), (Some(0), "no fault acts now\n".to_owned()));

    // Calls to each PSAP are known by site.
    let state =
        api.until("/v1/state", |state| state["psap_links"].as_array().map_or(0, Vec::len) == 4);
    let links = state["psap_links"].as_array().into_iter().flatten();
    assert!(
        links.clone().all(|link| link["offered"].as_u64() >= link["answered"].as_u64()),
        "{state:#}"
    );

    run.interrupt();
    run.finish();
    let summary = workspace.summary();
    balanced(&summary);
    let notes = summary["notes"].to_string();
    assert!(notes.contains("bert: filled in: heal mobile and alpha"), "{notes}");
}

#[test]
fn a_canary_waits_for_whoever_says_the_word() {
    let workspace = CampaignFolder::new(120, "300ms");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    let api = Api::of_file(&workspace.path("runs/latest/manage.json"));
    let mut events = api.events();
    let (code, said) = ctl(&workspace, &["shed", "ordinary", "alpha", "beta", "--canary"]);
    assert!(code == Some(0) && said.contains("canary 1: shed ordinary waits for beta"), "{said}");
    let state = api.get("/v1/state");
    assert_eq!(state["canaries"][0]["waits"], json!(["beta"]), "{state:#}");
    events
        .until("chronicle", "canary 1: alpha has got shed ordinary; the word for beta is awaited");
    assert!(ctl(&workspace, &["show"]).1.contains("canary 1: shed ordinary waits for beta"));
    let (status, answer) = api.post("/v1/canaries/1/continue", &json!({"by": "bert: it is well"}));
    assert_eq!((status, &answer["results"][0]["name"]), (200, &"beta".into()), "{answer}");
    events.until("chronicle", "bert: it is well: canary 1 is continued");
    let (code, said) =
        ctl(&workspace, &["shed", "nothing", "--all", "--canary", "--lapses-after", "1h"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = ctl(&workspace, &["abandon", "2"]);
    assert!(code == Some(0) && said.contains("shed nothing never goes to beta"), "{said}");
    let (code, said) = ctl(&workspace, &["continue", "2"]);
    assert!(code == Some(2) && said.contains("canary 2 was abandoned by ctl"), "{said}");
    let shedding = api.until("/v1/state", |state| named(&state["sites"], "alpha")["state"] == "up");
    assert_eq!(named(&shedding["sites"], "beta")["state"], "shedding");

    run.interrupt();
    run.finish();
    balanced(&workspace.summary());
    let path = workspace.path("runs/latest/chronicle.json");
    let text = fs::read_to_string(path).expect("a chronicle");
    for words in ["canary 1 is continued", "canary 2 is abandoned", "shed ordinary"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_latent_defect_is_armed_directly_and_taken_out() {
    let workspace = CampaignFolder::new(120, "300ms");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    let api = Api::of_file(&workspace.path("runs/latest/manage.json"));
    let mut events = api.events();
    // It shows nothing until its trigger comes.
    let armed = json!({"site": "beta", "defect": "counter-ceiling", "numbers": ["112"], "ceiling": 0, "by": "anna: Intrado"});
    let (status, answer) = api.post("/v1/defects", &armed);
    assert_eq!(
        (status, &answer["touched"], &answer["of"]),
        (200, &json!(1), &json!(2)),
        "{answer}"
    );
    events.until(
        "chronicle",
        "anna: Intrado: beta: arm counter-ceiling numbers=112 ceiling=0: counter-ceiling sleeps",
    );
    let state = api.until("/v1/state", |state| {
        named(&state["sites"], "beta")["defects"] == json!(["counter-ceiling"])
    });
    let before = named(&state["sites"], "beta")["rejected"].as_u64();
    api.until("/v1/state", |state| named(&state["sites"], "beta")["rejected"].as_u64() > before);
    let (code, said) = ctl(&workspace, &["arm", "poison-cal", "alpha"]);
    assert!(
        code == Some(2)
            && said.contains("did you mean \"poison-call\"? the defects are context-leak"),
        "{said}"
    );
    let (code, said) =
        ctl(&workspace, &["arm", "poison-call", "alpha", "--number", "18", "--busy", "9000"]);
    assert!(code == Some(0) && said.contains("poison-call sleeps in its software"), "{said}");
    assert_eq!(ctl(&workspace, &["disarm", "poison-call", "alpha"]).0, Some(0));
    let (code, said) = ctl(&workspace, &["disarm", "poison-call", "alpha"]);
    assert!(code == Some(1) && said.contains("poison-call is not in its software"), "{said}");
    let (status, answer) =
        api.delete("/v1/defects", &json!({"sites": ["beta"], "defect": "counter-ceiling"}));
    assert_eq!((status, &answer["results"][0]["result"]), (200, &"done".into()), "{answer}");

    run.interrupt();
    run.finish();
    balanced(&workspace.summary());
    let path = workspace.path("runs/latest/chronicle.json");
    let text = fs::read_to_string(path).expect("a chronicle");
    for words in ["arm counter-ceiling numbers=112 ceiling=0", "disarm poison-call"] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn the_calls_that_go_on_are_listed_and_each_is_shown_until_it_is_over() {
    let workspace = CampaignFolder::new(300, "3s");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    let api = Api::of_file(&workspace.path("runs/latest/manage.json"));
    let some = |list: &Value| list["calls"].as_array().is_some_and(|calls| !calls.is_empty());
    let list = api.until("/v1/calls?search=talking", some);
    let call = &list["calls"][0];
    for key in ["caller", "number", "trunk_group", "site", "psap"] {
        assert!(call[key].as_str().is_some_and(|it| !it.is_empty()), "{key}: {call:#}");
    }
    assert_eq!((&call["state"], &list["silent"]), (&json!("talking"), &json!([])), "{list:#}");
    assert!(list["total"].as_u64() >= Some(1), "{list:#}");

    // What its boxes have seen so far, one ladder over all of them.
    let path = format!("/v1/calls/{}", call["attempt"].as_str().expect("an id"));
    let shown = api.until(&path, |it| it["ladder"]["text"].to_string().contains("ACK"));
    let drawn = shown["ladder"]["text"].as_str().unwrap_or_default();
    for name in ["load-1", "INVITE", "200"] {
        assert!(drawn.contains(name), "{name}: {shown:#}");
    }
    for key in ["trunk_group", "site", "psap"] {
        assert!(drawn.contains(call[key].as_str().expect("a name")), "{key}: {drawn}");
    }
    let over = api.until(&path, |it| it["call"].is_null());
    assert!(over["text"].to_string().contains("It is over"), "{over:#}");
    assert!(over["ladder"]["text"].to_string().contains("BYE"), "{over:#}");

    // A machine that stands still is named, and holds nobody up.
    let freeze = json!({"freeze": "alpha", "for": "4s", "by": "anna: hiccup"});
    assert_eq!(api.post("/v1/faults", &freeze).0, 200);
    api.until("/v1/calls", |list| list["silent"] == json!(["alpha"]));
    api.until("/v1/calls", |list| list["silent"] == json!([]));
    run.interrupt();
    run.finish();
}
