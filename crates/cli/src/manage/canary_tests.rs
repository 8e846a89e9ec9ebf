//! A command that goes to one site first, and what becomes of it.

use serde_json::{Value, json};

use super::InterventionKind;
use super::tests::Plane;

/// What stands in the record of the run so far.
fn remarks(plane: &Plane) -> Vec<String> {
    let told = plane.sites.interventions.lock().expect("a list");
    let remark = |one: &super::Intervention| match &one.what {
        InterventionKind::Remark { site, text } => Some(format!("{} {site}: {text}", one.by)),
        _ => None,
    };
    told.iter().filter_map(remark).collect()
}

async fn post(plane: &Plane, path: &str, body: Value) -> (u16, Value) {
    plane.request("POST", path, &body.to_string()).await
}

/// Sends a command as a canary: its number.
async fn begin(plane: &Plane, more: Value) -> u64 {
    let mut body = json!({
        "command": "unlock", "sites": ["beta.a", "alpha", "beta.b"], "canary": true,
        "by": "anna: the drill", "timeout": "1ms",
    });
    body.as_object_mut().expect("keys").extend(more.as_object().expect("keys").clone());
    let (status, answer) = post(plane, "/v1/commands", body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["results"].as_array().map(Vec::len), Some(1), "the first alone: {answer}");
    assert_eq!(answer["results"][0]["name"], "beta.a");
    assert_eq!(answer["canary"]["waits"], json!(["alpha", "beta"]));
    answer["canary"]["id"].as_u64().expect("a number")
}

#[tokio::test]
async fn the_others_wait_until_somebody_says_so_and_get_it_once() {
    let plane = Plane::new();
    let id = begin(&plane, json!({})).await;
    // Who watches sees it too, and may continue it.
    let (_, state) = plane.request("GET", "/v1/state", "").await;
    let seen = &state["canaries"][0];
    assert_eq!((&seen["id"], &seen["command"]), (&json!(id), &json!("unlock")));
    assert_eq!(seen["by"], "anna: the drill");
    assert!(seen["lapses_in_s"].as_f64().is_some_and(|left| left > 500.0 && left <= 600.0));
    let path = format!("/v1/canaries/{id}/continue");
    let both = tokio::join!(
        post(&plane, &path, json!({"by": "bert"})),
        post(&plane, &path, json!({"by": "bert"}))
    );
    let (won, lost) = if both.0.0 == 200 { both } else { (both.1, both.0) };
    let names = |answer: &Value| {
        let all = answer["results"].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!((won.0, names(&won.1)), (200, vec!["alpha".to_owned(), "beta.b".to_owned()]));
    assert_eq!(lost.0, 409);
    assert!(lost.1["error"].as_str().is_some_and(|it| it.contains("was continued by bert")));
    let (_, state) = plane.request("GET", "/v1/state", "").await;
    assert_eq!(state["canaries"], json!([]));
    let (_, log) = plane.request("GET", "/v1/command-log", "").await;
    let by: Vec<_> =
        log["commands"].as_array().into_iter().flatten().map(|one| &one["by"]).collect();
    assert_eq!(by, ["anna: the drill", "bert", "bert"]);
    let told = remarks(&plane);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains(
        "anna: the drill beta: canary 1: beta.a has got unlock; the word for alpha, beta is awaited"
    ));
    assert!(told[1].contains("bert beta: canary 1 is continued: unlock goes to alpha, beta"));
}

#[tokio::test]
async fn it_can_be_abandoned_and_lapses_if_nobody_says_anything() {
    let plane = Plane::new();
    let id = begin(&plane, json!({})).await;
    let (status, answer) = post(&plane, &format!("/v1/canaries/{id}/abandon"), json!({})).await;
    assert_eq!(status, 200, "{answer}");
    assert!(
        answer["done"].as_str().is_some_and(|it| it.contains("unlock never goes to alpha, beta"))
    );
    let (status, answer) = plane.request("POST", &format!("/v1/canaries/{id}/continue"), "").await;
    assert_eq!(status, 409, "{answer}");
    assert!(
        answer["error"].as_str().is_some_and(|it| it.contains("was abandoned by management API"))
    );

    let id = begin(&plane, json!({"lapses_after": "1ms"})).await;
    let gone = async {
        while !plane.request("GET", "/v1/state", "").await.1["canaries"]
            .as_array()
            .is_some_and(Vec::is_empty)
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::tests::LIMIT, gone).await.expect("it lapses");
    let (status, answer) = post(&plane, &format!("/v1/canaries/{id}/continue"), json!({})).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer["error"].as_str().is_some_and(|it| it.contains("lapsed after 1ms")), "{answer}");
    assert!(
        remarks(&plane)
            .iter()
            .any(|it| it.contains("canary 2 lapsed after 1ms: unlock never goes to"))
    );
    let (_, log) = plane.request("GET", "/v1/command-log", "").await;
    assert_eq!(log["commands"].as_array().map(Vec::len), Some(2), "the first site, twice: {log}");
}

#[tokio::test]
async fn one_that_makes_no_sense_is_refused() {
    let plane = Plane::new();
    for (path, body, wanted, sentence) in [
        (
            "/v1/commands",
            json!({"command": "unlock", "sites": ["beta"], "canary": true}),
            400,
            "needs two sites",
        ),
        (
            "/v1/commands",
            json!({"command": "unlock", "sites": "all", "canary": true, "lapses_after": "999h"}),
            400,
            "lapses_after is too long",
        ),
        ("/v1/canaries/7/continue", json!({}), 404, "there is no canary 7; none waits"),
        ("/v1/canaries/x/abandon", json!({}), 404, "\"x\" is no number"),
        ("/v1/canaries/1/abandon", json!({"why": "x"}), 400, "unknown field `why`"),
    ] {
        let (status, answer) = post(&plane, path, body.clone()).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == wanted && error.contains(sentence), "{path} {body}: {status} {answer}");
    }
    for _ in 0..16 {
        begin(&plane, json!({})).await;
    }
    let more = json!({"command": "unlock", "sites": ["beta.a", "alpha"], "canary": true});
    let (status, answer) = post(&plane, "/v1/commands", more).await;
    assert!(
        status == 409 && answer["error"].as_str().is_some_and(|it| it.contains("16 canaries wait"))
    );
}
