//! Calls in progress over real HTTP, of boxes that only pretend.

use contract::{CallPicker, CallStage, CallsWanted, OpenCall, OpenCalls, Reply};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use telemetry::BoxKind;
use trace::{Direction, Entry, KeptCall, Seen, TracedBox};

use super::tests::Plane;

/// Calls at the trunk group that pretends.
const CALLS: u32 = 1_500;

/// The id of its call with this number.
pub(super) fn attempt(number: u32) -> String {
    format!("{number:032x}")
}

fn call(number: u32) -> OpenCall {
    OpenCall {
        attempt: attempt(number),
        call_ids: vec![format!("{number}@x")],
        caller: Some(format!("caller {number}")),
        number: "112".to_owned(),
        commune: (number == 7).then(|| "59350".to_owned()),
        trunk_group: Some("mobile".to_owned()),
        site: None,
        psap: None,
        stage: CallStage::Ringing,
        start_us: u64::from(number) * 1_000_000,
        since_us: u64::from(number) * 1_000_000 + 5,
    }
}

/// `mobile` has calls, and an attempt that is over and not forgotten; `alpha` is mute.
pub(super) fn shown(name: &str, wanted: &CallsWanted) -> BoxFuture<'static, Reply> {
    if name != "mobile" {
        return std::future::pending().boxed();
    }
    let mut picker = CallPicker::new(wanted.clone());
    for number in 0..CALLS {
        picker.show(&attempt(number), u64::from(number) * 1_000_000, || call(number));
    }
    let shown = picker.finish();
    let is_known = matches!(wanted, CallsWanted::One(one) if !shown.calls.is_empty() || *one == attempt(9_999));
    let seen = is_known.then(|| KeptCall {
        attempt: 0,
        seen_by: TracedBox {
            kind: BoxKind::TrunkGroup,
            name: name.to_owned(),
            address: ([127, 0, 0, 1], 5060).into(),
        },
        is_cut: false,
        entries: vec![Entry {
            at_us: 1_000_000,
            seen: Seen::Message {
                direction: Direction::Received,
                transport: sip_proto::Transport::Udp,
                peer: ([127, 0, 0, 9], 5060).into(),
                bytes: "INVITE sip:112@x SIP/2.0\r\nCall-ID: 0@x\r\nCSeq: 1 INVITE\r\n\r\n".into(),
            },
        }],
    });
    let reply = Reply::Calls(Box::new(OpenCalls { seen, ..shown }));
    std::future::ready(reply).boxed()
}

#[tokio::test]
async fn the_newest_and_the_oldest_calls_are_listed_and_all_are_counted() {
    let plane = Plane::new();
    let (status, newest) = plane.request("GET", "/v1/calls", "").await;
    assert_eq!(status, 200, "{newest}");
    let calls = newest["calls"].as_array().expect("calls");
    assert_eq!((calls.len(), &newest["total"]), (200, &json!(CALLS)));
    assert_eq!(calls[0]["attempt"], attempt(CALLS - 1));
    assert_eq!(
        (&calls[0]["state"], &calls[0]["caller"]),
        (&json!("ringing"), &json!("caller 1499"))
    );
    assert_eq!(newest["silent"], json!(["alpha"]), "it does not answer, and holds nobody up");
    let (_, oldest) = plane.request("GET", "/v1/calls?order=oldest", "").await;
    assert_eq!(oldest["calls"][0]["attempt"], attempt(0));
    // A search looks at more than a list has.
    let (_, found) = plane.request("GET", "/v1/calls?search=59350", "").await;
    assert_eq!(
        (&found["calls"][0]["attempt"], &found["searched"]),
        (&json!(attempt(7)), &json!(CALLS))
    );
    assert_eq!(found["calls"].as_array().map(Vec::len), Some(1));
    for wrong in ["order=best", "most=7", &format!("search={}", "x".repeat(300))] {
        let (status, answer) = plane.request("GET", &format!("/v1/calls?{wrong}"), "").await;
        assert_eq!(status, 400, "{wrong}: {answer}");
    }
}

#[tokio::test]
async fn a_call_is_shown_with_its_messages_so_far_and_one_that_is_over_says_so() {
    let plane = Plane::new();
    let ask = async |id: &str| plane.request("GET", &format!("/v1/calls/{id}"), "").await;
    let (status, going_on) = ask(&attempt(3)).await;
    assert_eq!((status, &going_on["call"]["state"]), (200, &json!("ringing")), "{going_on}");
    assert_eq!(going_on["text"], "It is in progress: ringing at mobile");
    let drawn = going_on["ladder"]["text"].as_str().unwrap_or_default();
    assert!(drawn.contains("INVITE") && drawn.contains("mobile"), "{drawn}");
    assert!(going_on["ladder"]["messages"][0]["text"].to_string().contains("Call-ID: 0@x"));
    let (status, over) = ask(&attempt(9_999)).await;
    assert_eq!((status, &over["call"]), (200, &json!(null)), "{over}");
    assert!(over["text"].to_string().contains("It is over"), "{over}");
    let (status, gone) = ask(&attempt(5_000)).await;
    assert!(status == 404 && gone["error"].to_string().contains("it is over"), "{gone}");
    for wrong in ["x", "12", "..%2Fsites"] {
        assert_eq!(ask(wrong).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_box_that_never_answers_is_not_asked_for_ever() {
    let plane = Plane::new();
    let ask = || plane.request("GET", "/v1/calls", "");
    let all = futures_util::future::join_all((0..20).map(|_| ask())).await;
    assert!(
        all.iter().all(|(status, answer)| *status == 200 && answer["silent"] == json!(["alpha"]))
    );
    let (status, answer) = ask().await;
    assert_eq!((status, &answer["silent"]), (200, &json!(["alpha"])));
}
