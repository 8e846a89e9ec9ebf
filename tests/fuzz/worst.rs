//! Inputs of 64 KiB that cost a careless reader most: what is counted, nested, repeated or searched for, as often as it finds room.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use campaign::Campaign;
use cli::manage::{CommandPlan, ManagedCallServer};
use media::rtcp;
use operations::Action;
use sip_proto::digest::{Asker, Credentials, Secret};
use sip_proto::message::{Request, parse};
use sip_proto::reason::Reason;
use sip_proto::sdp::{LocalMedia, Session, answer, find, relocate, replace};
use sip_proto::stream_framer::StreamFramer;
use sip_proto::{Packet, Transport};
use system_tests::network::Network;
use topology::{Layers, Topology};
use world::Link;

use crate::worst_captures;

/// One of each box, with room for all.
const NETWORK: &str = r#"
[sites.alpha]
address = "127.0.0.11:5060"
[trunk_groups.mobile]
address = "127.0.0.21:5060"
circuits = 10000
[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0199000015"
positions = 10000
[[routes]]
numbers = ["15"]
psaps = ["samu-59"]
"#;

/// Octets of each input.
const LENGTH: usize = 64 * 1024;

/// One input at one reader.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Gives it to the reader.
    pub(crate) refuse: Box<dyn FnMut()>,
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    at_boxes(&mut all);
    credentials(&mut all);
    descriptions(&mut all);
    streams(&mut all);
    reports(&mut all);
    orders(&mut all);
    files(&mut all);
    for (name, refuse) in worst_captures::inputs() {
        all.push(Case { name, refuse });
    }
    all
}

fn case(all: &mut Vec<Case>, name: impl Into<String>, refuse: impl FnMut() + 'static) {
    all.push(Case { name: name.into(), refuse: Box::new(refuse) });
}

/// `head`, as many of `piece` as there is room for, and `tail`.
fn filled(head: &str, piece: &str, tail: &str) -> String {
    let count = LENGTH.saturating_sub(head.len() + tail.len()) / piece.len();
    [head, &piece.repeat(count), tail].concat()
}

/// The same, where each piece is unlike the others.
fn counted(head: &str, piece: impl Fn(usize) -> String, tail: &str) -> String {
    let mut text = head.to_owned();
    for number in 0.. {
        let next = piece(number);
        if text.len() + next.len() + tail.len() > LENGTH {
            break;
        }
        text += &next;
    }
    text + tail
}

const HEAD: &str = "INVITE sip:15@127.0.0.21:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bKa;rport\r\n\
                    Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:15@127.0.0.21>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\
                    Contact: <sip:127.0.0.1:5999>\r\n";

/// Lines, each filled to the end by what stands second in it, and closed by what stands third.
const LINES: &[(&str, &str, &str)] = &[
    ("Contact: ", ",", ""),
    ("Contact: ", "<sip:a@h>,", "<sip:a@h>"),
    ("Contact: \"", "\\\"", "\" <sip:a@h>"),
    ("Contact: \"", "\\", ""),
    ("Contact: ", "\"", ""),
    ("Contact: ", "<", ""),
    ("Contact: <sip:a@h>", ";a=b", ""),
    ("Contact: <sip:a@h", ";a=b", ">"),
    ("Contact: <sip:a@h?", "a=b&", ">"),
    ("Contact: <sip:", "%41", "@h>"),
    ("Contact: <sip:a@", "[", "]>"),
    ("Contact: <sip:a@", "a.", "h>"),
    ("Route: ", "<sip:127.0.0.21:5060;lr>,", "<sip:h>"),
    ("Route: ", "<sip:a;lr>,\r\n ", "<sip:h>"),
    ("Record-Route: ", "<sip:h>,", "<sip:h>"),
    ("Via: SIP/2.0/UDP h;branch=z9hG4bKb", ";a=b", ""),
    ("Via: ", "SIP/2.0/UDP h,", "SIP/2.0/UDP h"),
    ("Via: SIP/2.0/UDP h;received=", ":", ""),
    ("Subject: ", "(", ""),
    ("Subject: ", "()", ""),
    ("Subject:", "\r\n ", "x"),
    ("Subject:", "\r\n\t\t\t\t\t\t", "x"),
    ("Require: ", "a,", "a"),
    ("Require: ", "100rel,", "a"),
    ("Proxy-Require: ", "a,", "a"),
    ("Supported: ", "a,", "a"),
    ("Allow: ", "INVITE,", "BYE"),
    ("Content-Encoding: ", "identity,", "identity"),
    ("Accept: ", "a/b,", "application/sdp"),
    ("Reason: ", "Q.850;cause=16,", "SIP;cause=200"),
    ("Reason: Q.850;cause=1;text=\"", "\\\"", "\""),
    ("Warning: ", "399 h \"", "\""),
    ("P-Access-Network-Info: ", "GSTN;operator-specific-GI=\"x\",", "GSTN"),
    ("P-Access-Network-Info: GSTN", ";a=\"b\"", ""),
    ("Session-ID: ab30317f1a784dc48ff824d0d3715d86", ";remote=a", ""),
    ("Resource-Priority: ", "esnet.1,", "q735.0"),
    ("Session-Expires: 90", ";refresher=uac", ""),
    ("Geolocation: ", "<cid:a@h>,", "<cid:a@h>"),
    ("Content-Type: multipart/mixed;boundary=", "a", ""),
    ("Content-Type: application/sdp", ";a=\"b\"", ""),
    ("Content-Length: ", "0", ""),
    ("From: ", "\"", ""),
    ("Call-ID: ", "a@", "a"),
    ("Max-Forwards: ", "0", "7"),
    ("CSeq: ", "1", " INVITE"),
];

/// Whole messages with a limit on nothing but their length.
fn messages() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (start, piece, end) in LINES {
        // A second Contact where there is one already is one more element.
        let start = format!("{HEAD}{start}");
        let text = filled(&start, piece, &format!("{end}\r\nContent-Length: 0\r\n\r\n"));
        all.push((format!("{} {piece:?}", start.rsplit("\r\n").next().unwrap()), text));
    }
    let end = "Content-Length: 0\r\n\r\n";
    all.push(("lines a: b".to_owned(), filled(HEAD, "a: b\r\n", end)));
    all.push(("lines a:".to_owned(), filled(HEAD, "a:\r\n", end)));
    all.push(("lines without colon".to_owned(), filled(HEAD, "a\r\n", end)));
    all.push(("lines v".to_owned(), filled(HEAD, "v: SIP/2.0/UDP h\r\n", end)));
    all.push(("lines m".to_owned(), filled(HEAD, "m: <sip:h>\r\n", end)));
    all.push(("lines l".to_owned(), filled(HEAD, "l: 0\r\n", end)));
    all.push(("lines bare LF".to_owned(), filled(HEAD, "\n", end)));
    all.push(("lines CR".to_owned(), filled(HEAD, "\r", end)));
    all.push(("empty lines".to_owned(), filled("", "\r\n", HEAD)));
    all.push(("no line end".to_owned(), filled("INVITE ", "a", "")));
    all.push(("spaces".to_owned(), filled("INVITE", " ", "sip:15@h SIP/2.0\r\n\r\n")));
    all.push((
        "uri".to_owned(),
        filled("INVITE sip:", "%31", "@127.0.0.21 SIP/2.0\r\n")
            .replace("SIP/2.0\r\n", &HEAD[HEAD.find("SIP/2.0").unwrap()..])
            + end,
    ));
    all.push((
        "uri parameters".to_owned(),
        HEAD.replacen("5060 ", &format!("5060{} ", ";a=b".repeat(15_000)), 1) + end,
    ));
    for (name, kind, body) in bodies() {
        let length = LENGTH - HEAD.len() - 100;
        let body = body.get(..length).unwrap_or(&body);
        let text =
            format!("{HEAD}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        all.push((format!("body {name}"), text));
    }
    all
}

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";

/// Bodies with their types.
fn bodies() -> Vec<(&'static str, String, String)> {
    let audio = format!("{SDP}m=audio 4000 RTP/AVP 8\r\n");
    let sdp = |name, text| (name, "application/sdp".to_owned(), text);
    let mixed = |name, text| (name, "multipart/mixed;boundary=a".to_owned(), text);
    let nested = |depth: usize| {
        let open = |level: usize| {
            format!("--b{level}\r\nContent-Type: multipart/mixed;boundary=b{}\r\n\r\n", level + 1)
        };
        (0..depth).map(open).collect::<String>()
    };
    vec![
        sdp("m lines", filled(SDP, "m=audio 4000 RTP/AVP 8 0\r\n", "")),
        sdp("m lines off", filled(SDP, "m=audio 0 RTP/AVP 8\r\n", "")),
        sdp("m and c lines", filled(SDP, "m=audio 4000 RTP/AVP 8\r\nc=IN IP4 127.0.0.1\r\n", "")),
        sdp("formats", filled(&format!("{SDP}m=audio 4000 RTP/AVP 8"), " 0", "\r\n")),
        sdp(
            "different formats",
            counted(&format!("{SDP}m=audio 4000 RTP/AVP 8"), |number| format!(" {number}"), "\r\n"),
        ),
        sdp("rtpmap lines", filled(&audio, "a=rtpmap:8 PCMA/8000\r\n", "")),
        sdp(
            "formats and rtpmap lines",
            filled(
                &filled(&format!("{SDP}m=audio 4000 RTP/AVP"), " 9", "\r\n")[..LENGTH / 2],
                "\r\na=rtpmap:8 X/1",
                "",
            ),
        ),
        sdp("fmtp", filled(&format!("{audio}a=fmtp:8 "), "0-15,", "\r\n")),
        sdp("a lines", filled(&audio, "a=a\r\n", "")),
        sdp("a lines of the session", filled(SDP, "a=a\r\n", "")),
        sdp("candidates", filled(&audio, "a=candidate:1\r\n", "")),
        sdp("c lines", filled(&audio, "c=IN IP4 1.1.1.1\r\n", "")),
        sdp("o line", filled("v=0\r\no=", "- ", "\r\ns=-\r\n")),
        sdp("empty lines", filled(&audio, "\r\n", "")),
        sdp("LF", filled(&audio, "\n", "")),
        sdp("attribute", filled(&format!("{audio}a="), ":", "\r\n")),
        mixed("parts", filled("", "--a\r\n\r\n", "--a--\r\n")),
        mixed("borders", filled("", "--a\r\n", "--a--\r\n")),
        mixed("dashes", filled("", "-", "")),
        mixed("almost borders", filled("--a\r\n\r\n", "\r\n--b", "\r\n--a--\r\n")),
        mixed("part headers", filled("--a\r\n", "Content-Type: a\r\n", "\r\nx\r\n--a--\r\n")),
        mixed("part folds", filled("--a\r\nContent-Type:", "\r\n ", "a\r\n\r\nx\r\n--a--\r\n")),
        mixed(
            "parts in parts",
            filled("--a\r\n", "Content-Type: multipart/mixed;boundary=a\r\n\r\n--a\r\n", ""),
        ),
        ("nested parts", "multipart/mixed;boundary=b0".to_owned(), nested(1_000)),
        (
            "long border",
            format!("multipart/mixed;boundary=\"{}\"", "a".repeat(4_000)),
            filled(
                "",
                "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
                "",
            ),
        ),
    ]
}

/// Every message at a trunk group and whoever it calls, and some at the others too.
fn at_boxes(all: &mut Vec<Case>) {
    let network = Rc::new(RefCell::new(Network::new(NETWORK, Link::CLEAN, 1)));
    network.borrow_mut().net.stop_trace();
    network.borrow_mut().run_for(Duration::from_millis(100));
    for (number, (name, text)) in messages().into_iter().enumerate() {
        for to in ["mobile", "alpha", "samu-59"] {
            // All boxes read with the same eyes; what they do with bodies is their own.
            if to != "mobile" && !name.starts_with("body") {
                continue;
            }
            let network = Rc::clone(&network);
            // A stranger of its own for each, so that nobody is barred for what others did.
            let from =
                SocketAddr::from(([127, 1, (number / 250) as u8, (number % 250) as u8], 5999));
            let peer = network.borrow().at(to);
            let bytes =
                Bytes::from(text.replacen("Call-ID: a", &format!("Call-ID: {to}{number}"), 1));
            case(all, format!("{to}: {name}"), move || {
                let packet = Packet { transport: Transport::Tcp, peer, bytes: bytes.clone() };
                network.borrow_mut().net.inject(from, packet);
                // It takes a millisecond to this box, and one more to the next.
                network.borrow_mut().run_for(Duration::from_micros(1_500));
            });
        }
        let response = text.replacen("INVITE sip:15@127.0.0.21:5060 SIP/2.0", "SIP/2.0 200 OK", 1);
        let bytes = Bytes::from(response);
        case(all, format!("as response: {name}"), move || drop(parse(bytes.clone())));
    }
}

fn credentials(all: &mut Vec<Case>) {
    for piece in ["a=b,", "\"", "realm=\"example.com\",", ",", "username=\"\\\"\",", "a=\"\\\\\","]
    {
        let text = filled(&format!("{HEAD}Authorization: Digest "), piece, "x\r\n\r\n");
        case(all, format!("credentials {piece:?}"), move || {
            if let Ok(request) = Request::parse(text.clone().into()) {
                let _ = Credentials::of(&request, "example.com", Asker::Server)
                    .map(|one| one.verify("REGISTER", &Secret::of("a", "example.com", "x")));
            }
        });
    }
    let text = filled(HEAD, "Authorization: Digest a=b\r\n", "\r\n");
    case(all, "credentials, line by line", move || {
        if let Ok(request) = Request::parse(text.clone().into()) {
            let _ = (Credentials::of(&request, "example.com", Asker::Server), Reason::of(&request));
        }
    });
}

fn descriptions(all: &mut Vec<Case>) {
    for (name, kind, text) in bodies() {
        let body = Bytes::from(text);
        case(all, format!("find {name}"), {
            let (kind, body) = (kind.clone(), body.clone());
            move || drop(find(&kind, &body))
        });
        case(all, format!("replace {name}"), {
            let body = body.clone();
            move || drop(replace(&kind, &body, b"v=0\r\n"))
        });
        case(all, format!("parse {name}"), {
            let body = body.clone();
            move || drop(Session::parse(&body))
        });
        if let Ok(session) = Session::parse(&body) {
            let local = LocalMedia::telephone(1, IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);
            let places = vec![Some(SocketAddr::from(([127, 0, 0, 9], 4000))); session.media.len()];
            let kept = session.clone();
            case(all, format!("answer {name}"), move || drop(answer(&kept, &local)));
            case(all, format!("relocate {name}"), move || drop(relocate(&body, &session, &places)));
        }
    }
}

fn streams(all: &mut Vec<Case>) {
    let texts = [
        ("no end", filled(HEAD, "a: b\r\n", "")),
        ("pings", filled("", "\r\n", "")),
        ("lengths", filled(HEAD, "l: 0\r\n", "\r\n")),
        ("folds", filled(&format!("{HEAD}l:"), "\r\n ", "0\r\n\r\n")),
        ("messages", filled("", "OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n", "")),
        ("length", filled(&format!("{HEAD}l: "), "9", "\r\n\r\n")),
    ];
    for (name, text) in texts {
        for piece in [1, 1_460, LENGTH] {
            let text = text.clone();
            case(all, format!("stream of {name} in pieces of {piece}"), move || {
                let mut framer = StreamFramer::new(LENGTH);
                for piece in text.as_bytes().chunks(piece) {
                    framer.push(piece);
                    while let Ok(Some(_)) = framer.next_frame() {}
                }
            });
        }
    }
}

fn reports(all: &mut Vec<Case>) {
    let first = [0x80, 201, 0, 1, 0, 0, 0, 7];
    for (name, piece) in [
        ("empty packets", &[0x80, 204, 0, 0][..]),
        ("reports", &first[..]),
        ("descriptions", &[0x81, 202, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0]),
        ("nobody", &[0x80, 202, 0, 0]),
        ("byes", &[0x81, 203, 0, 1, 0, 0, 0, 7]),
    ] {
        let bytes = [&first[..], &piece.repeat((LENGTH - first.len()) / piece.len())].concat();
        case(all, format!("RTCP of {name}"), move || {
            let _ = rtcp::parse(&bytes).map(Iterator::count);
        });
    }
}

/// The management plane takes no longer body.
const LONGEST_ORDER: usize = 16 * 1024;

fn orders(all: &mut Vec<Case>) {
    let members = || {
        let member = |number: usize| ManagedCallServer {
            name: format!("s{number}.a"),
            site: format!("s{number}"),
        };
        (0..20).map(member).collect::<Vec<_>>()
    };
    for (name, text) in [
        ("brackets", filled("", "[", "")),
        ("braces", filled("", "{\"command\":", "")),
        ("consoles", filled("{\"command\":", "{\"console\":", "")),
        ("names", filled("{\"command\":\"show\",\"sites\":[", "\"s1\",", "\"s2\"]}")),
        ("strange names", filled("{\"command\":\"show\",\"sites\":[", "\"x\",", "\"y\"]}")),
        ("words", filled("{\"command\":\"", "show ", "\",\"sites\":\"all\"}")),
        ("escapes", filled("{\"command\":\"", "\\u0041", "\",\"sites\":\"all\"}")),
        ("keys", filled("{", "\"by\":\"a\",", "\"x\":1}")),
        ("by", filled("{\"command\":\"show\",\"sites\":\"all\",\"by\":\"", "a", "\"}")),
        ("time", filled("{\"command\":\"show\",\"sites\":\"all\",\"timeout\":\"", "1s ", "\"}")),
    ] {
        let text = text.get(..LONGEST_ORDER).unwrap_or(&text).to_owned();
        case(all, format!("order with {name}"), move || {
            drop(CommandPlan::read(text.as_bytes(), members()))
        });
    }
    for piece in ["console ", "a", "show ", "\u{202e}"] {
        let text = filled("", piece, "");
        case(all, format!("words {piece:?}"), move || drop(text.parse::<Action>()));
    }
}

fn files(all: &mut Vec<Case>) {
    let texts = [
        ("brackets", filled("a = ", "[", "")),
        ("braces", filled("a = ", "{a=", "")),
        ("dots", filled("", "a.", "a = 1\n")),
        ("dotted tables", filled("[", "a.", "a]\n")),
        ("quotes", filled("a = ", "\"", "")),
        ("escapes", filled("a = \"", "\\\\", "\"\n")),
        ("escaped sign", filled("name = \"", "\\u0041", "\"\n")),
        ("lines", filled("", "\n", "")),
        ("comments", filled("", "#\n", "")),
        ("keys", counted("", |number| format!("k{number} = 1\n"), "")),
        ("the same key", filled("", "a = 1\n", "")),
        ("tables", counted("", |number| format!("[sites.s{number}]\n"), "")),
        (
            "addresses",
            counted("", |number| format!("[sites.s{number}]\naddress = \"127.0.0.1:5060\"\n"), ""),
        ),
        (
            "groups",
            counted(
                "",
                |number| format!("[trunk_groups.t{number}]\naddress = \"127.0.0.1:5060\"\n"),
                "",
            ),
        ),
        ("psaps", counted("", |number| format!("[psaps.p{number}]\n"), "")),
        (
            "psaps and other psaps",
            counted(
                "",
                |number| format!("[psaps.p{number}]\n[[routes]]\npsaps = [\"q{number}\"]\n"),
                "",
            ),
        ),
        ("releases", counted("", |number| format!("[releases.r{number}]\n"), "")),
        ("routes", filled("", "[[routes]]\n", "")),
        ("routes to nobody", filled("", "[[routes]]\nnumbers = [\"15\"]\npsaps = [\"x\"]\n", "")),
        ("numbers", filled("[[routes]]\nnumbers = [", "\"15\",", "]\npsaps = [\"x\"]\n")),
        ("psaps of a route", filled("[[routes]]\nnumbers = [\"15\"]\npsaps = [", "\"x\",", "]\n")),
        ("phases", filled("network = \"n\"\n", "[[phases]]\n", "")),
        ("mix", filled("network = \"n\"\n", "[[mix]]\nnumber = \"15\"\n", "")),
        (
            "communes",
            filled("network = \"n\"\n[[mix]]\nnumber = \"15\"\ncommunes = [", "\"59350\",", "]\n"),
        ),
        (
            "thresholds",
            filled("network = \"n\"\n", "[[thresholds]]\nmetric = \"answered_share\"\n", ""),
        ),
        ("variants", filled("network = \"n\"\n", "[[variants]]\nname = \"a\"\n", "")),
        ("one long number", filled("seed = ", "9", "\n")),
        ("one long word", filled("name = \"", "a", "\"\n")),
    ];
    for (name, text) in texts {
        let (network, campaign) = (text.clone(), text);
        case(all, format!("file: network of {name}"), move || {
            drop(Topology::parse("n.toml", &network, &Layers::none()))
        });
        case(all, format!("file: campaign of {name}"), move || {
            drop(Campaign::parse(Path::new("no-such-folder/c.toml"), &campaign, &Layers::none()));
        });
    }
    rows(all);
}

fn rows(all: &mut Vec<Case>) {
    for (name, text) in [
        ("commas", filled("number,commune\n", ",", "\n")),
        ("quotes", filled("number,commune\n", "\"", "\n")),
        ("doubled quotes", filled("number,commune\n\"", "\"\"", "\",59350\n")),
        ("lines", filled("number\n", "\n", "")),
        ("rows", filled("number,commune\n", "15,59350\n", "")),
        ("bad rows", filled("number,commune\n", "x,y\n", "")),
        ("words", counted("number\n", |number| format!("0199{:06}\n", number % 10_000), "")),
        ("columns", filled("number", ",number", "\n15\n")),
        ("comments", filled("number\n", "#\n", "15\n")),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("rows.csv"), text).expect("a file");
        let text = "network = \"n.toml\"\n[[mix]]\nnumber = \"15\"\n[[phases]]\nname = \"p\"\nduration = \"1s\"\n\
                    arrivals = { model = \"constant\", rate = 1 }\n[feed]\nfile = \"rows.csv\"\n";
        case(all, format!("file: feed of {name}"), move || {
            drop(Campaign::parse(&folder.path().join("c.toml"), text, &Layers::none()));
        });
    }
}
