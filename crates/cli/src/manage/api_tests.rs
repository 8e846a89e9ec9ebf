//! The document of the API and the API itself say the same; events reach those who watch, and hold nobody up.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ChronicleKind;
use super::open_api;
use super::routes::TABLE;
use super::tests::{LIMIT, Plane};

fn document() -> Value {
    serde_json::to_value(open_api::document()).expect("JSON")
}

/// A body that makes sense at this path.
fn body(path: &str) -> Value {
    match path {
        "/v1/commands" => json!({"command": "unlock", "sites": ["beta.a"]}),
        "/v1/blast-radius" => json!({"command": "restart", "sites": "all"}),
        "/v1/faults" => json!({"kill": "alpha"}),
        "/v1/load" => json!({"load": "pause"}),
        "/v1/faults/{number}" | "/v1/canaries/{id}/continue" | "/v1/canaries/{id}/abandon" => {
            json!({"by": "anna"})
        }
        "/v1/defects" => json!({"site": "beta.a", "defect": "silent-lock"}),
        other => panic!("no body for {other}"),
    }
}

#[tokio::test]
async fn every_path_of_the_document_answers_and_every_route_is_in_it() {
    let plane = Plane::new();
    let (status, served) = plane.request("GET", "/openapi.json", "").await;
    assert_eq!((status, &served), (200, &document()));
    let paths = served["paths"].as_object().expect("paths");
    let routes: BTreeSet<&str> = TABLE.iter().map(|(path, _)| *path).collect();
    let told: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(told, routes);
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            assert!(operation["summary"].as_str().is_some_and(|it| !it.is_empty()), "{path}");
            if path == "/v1/events" {
                continue; // it does not end: below
            }
            let body = if method == "get" { String::new() } else { body(path).to_string() };
            let mut asked = path.replace("{number}", "1");
            asked = asked.replace("{attempt}", &super::calls_tests::attempt(0));
            if path.contains("/{id}/") {
                let canary = json!({"command": "unlock", "sites": ["beta", "alpha"], "canary": true, "timeout": "1ms"});
                let (_, begun) = plane.request("POST", "/v1/commands", &canary.to_string()).await;
                asked = path.replace("{id}", &begun["canary"]["id"].to_string());
            }
            let (status, answer) = plane.request(&method.to_uppercase(), &asked, &body).await;
            assert_eq!(status, 200, "{method} {path}: {answer}");
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            keeps(&served, schema, &answer, path);
            let other = if method == "get" { "POST" } else { "GET" };
            assert_eq!(plane.request(other, &asked, "{}").await.0, 405, "{path}");
        }
    }
}

/// Whether a value has what its schema requires, all the way down.
fn keeps(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return keeps(document, &document["components"]["schemas"][name], value, place);
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        let key = required.as_str().unwrap_or_default();
        assert!(value.get(key).is_some(), "{place} lacks {key}: {value}");
        keeps(document, &schema["properties"][key], &value[key], &format!("{place}.{key}"));
    }
    for key in value.as_object().into_iter().flat_map(serde_json::Map::keys) {
        let known = schema["properties"].get(key);
        let is_open = schema["properties"].is_null();
        assert!(
            is_open || known.is_some(),
            "{place} has {key}, of which the document knows nothing"
        );
    }
    for one in value.as_array().into_iter().flatten() {
        keeps(document, &schema["items"], one, place);
    }
}

#[tokio::test]
async fn before_a_command_is_given_it_says_what_it_would_touch() {
    let plane = Plane::new();
    let ask = async |path: &str, body: Value| {
        let (status, answer) = plane.request("POST", path, &body.to_string()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let all = ask("/v1/blast-radius", json!({"command": "restart", "sites": "all"})).await;
    assert_eq!((&all["touched"], &all["of"]), (&json!(2), &json!(2)));
    let told = all["against"].to_string();
    assert!(told.contains("touches 2/2 sites within 0.0 s, inside one detection window"), "{told}");
    assert!(told.contains("no canary"), "{told}");
    let one = ask("/v1/blast-radius", json!({"command": "restart", "sites": ["beta.a"]})).await;
    assert_eq!((&one["touched"], &one["against"]), (&json!(1), &json!([])));
    let slow = json!({"command": "restart", "sites": "all", "manner": "serial", "interval": "30s"});
    let told = ask("/v1/blast-radius?canary=true", slow).await;
    assert_eq!(told["against"], json!([]), "one after the other, each seen before the next");
    let harmless = ask("/v1/blast-radius", json!({"command": "show", "sites": "all"})).await;
    assert_eq!(harmless["against"], json!([]));
    let (status, _) = plane.request("POST", "/v1/blast-radius?canary=maybe", "{}").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_what_cannot_be_done_now_too() {
    let plane = Plane::new();
    for (path, body, wanted, sentence) in [
        ("/v1/faults", json!({"kill": "gamma"}), 400, "no site or PSAP is called \"gamma\""),
        ("/v1/faults", json!([]), 400, "the body is no fault"),
        ("/v1/load", json!({"load": "rate"}), 400, "rate needs a factor"),
        ("/v1/load", json!({"load": "faster"}), 400, "unknown variant `faster`"),
        (
            "/v1/load",
            json!({"load": "surge", "communes": ["59350"], "factor": 2.0, "for": "1s"}),
            400,
            "give its mix some",
        ),
        (
            "/v1/defects",
            json!({"site": "beta", "defect": "silnt-lock"}),
            400,
            "did you mean \"silent-lock\"? the defects are context-leak, ",
        ),
        (
            "/v1/defects",
            json!({"site": "gamma", "defect": "silent-lock"}),
            400,
            "there is no site \"gamma\"",
        ),
        ("/v1/defects", json!({"defect": "silent-lock"}), 400, "name a site, or sites"),
        (
            "/v1/defects",
            json!({"site": "beta", "sites": "all", "defect": "silent-lock"}),
            400,
            "one of them only",
        ),
        (
            "/v1/defects",
            json!({"site": "beta", "defect": "poison-call"}),
            400,
            "poison-call needs the key \"number\"",
        ),
        (
            "/v1/defects",
            json!({"site": "beta", "defect": "silent-lock", "number": "112"}),
            400,
            "number",
        ),
        ("/v1/load", json!({"load": "pause", "by": "nobody"}), 409, "not by nobody"),
    ] {
        let (status, answer) = plane.request("POST", path, &body.to_string()).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == wanted && error.contains(sentence), "{path} {body}: {status} {answer}");
    }
    let long = format!("{{\"load\": \"pause\", \"by\": \"{}\"}}", "x".repeat(20_000));
    assert_eq!(plane.request("POST", "/v1/load", &long).await.0, 413);
}

/// Asks for events, and hands over the connection.
async fn watch(plane: &Plane, query: &str) -> TcpStream {
    let mut stream = TcpStream::connect(plane.address).await.expect("a connection");
    let credentials = plane.token.credentials();
    let head = format!(
        "GET /v1/events{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credentials}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("a request");
    stream
}

/// Reads until `wanted` has come.
async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut seen = Vec::new();
    let read = timeout(LIMIT, async {
        let mut piece = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains(wanted) {
            let length = stream.read(&mut piece).await.expect("more");
            assert!(length > 0, "it ended: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&piece[..length]);
        }
    });
    read.await.unwrap_or_else(|_| panic!("no {wanted}"));
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn whoever_watches_is_told_what_happens_as_it_happens() {
    let plane = Plane::new();
    plane.sites.feed.tell(ChronicleKind::Fault, Some(1.5), "before anybody watched");
    let mut watcher = watch(&plane, "").await;
    let head = until(&mut watcher, "before anybody watched").await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    let state = until(&mut watcher, "event: state").await;
    assert!(!state.contains("event: missed"), "{state}");
    let order = json!({"command": "unlock", "sites": ["beta.a"], "by": "anna: for the drill"});
    plane.request("POST", "/v1/commands", &order.to_string()).await;
    let told = until(&mut watcher, "unlock: as you wish").await;
    assert!(told.contains("anna: for the drill: beta.a: unlock: given"), "{told}");
    assert!(told.contains("id: 2\n"), "{told}");
    // Who comes again goes on where it was.
    let mut again = watch(&plane, "?after=2").await;
    let told = until(&mut again, "as you wish").await;
    assert!(!told.contains("before anybody") && !told.contains("given"), "{told}");
    plane.sites.feed.end("the run is over").await;
    let told = until(&mut watcher, "event: end").await;
    assert!(told.contains("the run is over"), "{told}");
    let (status, _) = plane.request("GET", "/v1/events?after=x", "").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn who_watches_and_does_not_read_holds_nobody_up() {
    let plane = Plane::new();
    let mut watchers = Vec::new();
    for _ in 0..16 {
        watchers.push(watch(&plane, "").await);
    }
    for watcher in &mut watchers {
        until(watcher, "event: state").await;
    }
    let (status, answer) = plane.request("GET", "/v1/events", "").await;
    assert_eq!(status, 503, "{answer}");
    // None of them reads. What happens is told all the same, at once.
    for number in 0..20_000 {
        plane.sites.feed.tell(ChronicleKind::Note, None, &format!("{number} {}", "x".repeat(500)));
    }
    assert_eq!(plane.request("GET", "/v1/sites", "").await.0, 200);
    let mut slow = watchers.pop().expect("a watcher");
    let told = until(&mut slow, "event: missed").await;
    assert!(told.contains("\"lines\":"), "{told}");
    // Places are given back.
    drop((watchers, slow));
    let free = timeout(LIMIT, async {
        loop {
            let mut watcher = watch(&plane, "").await;
            let mut head = [0; 12];
            watcher.read_exact(&mut head).await.expect("a status");
            if &head == b"HTTP/1.1 200" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    free.await.expect("a place");
}
