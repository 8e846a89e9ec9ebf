//! Calls of telephones that nobody emulates are kept though all went well: on a network that is served by hand, and beside the calls of a run.

use std::fs;

use telemetry::BoxKind;

use crate::history::{said, tell};
use crate::serving::{Lab, OFFER, Phone, free};
use crate::traces::kept;
use crate::{CampaignFolder, NETWORK, balanced};

/// A call that is answered, and over.
fn talk(phone: &mut Phone) {
    assert_eq!(phone.invite(OFFER), 200);
    phone.send("BYE", "text/plain", "");
    assert_eq!(phone.answer(), 200);
}

#[test]
fn calls_of_a_served_network_are_kept_unless_none_are() {
    for (keep, is_kept) in [("failed", true), ("0", true), ("off", false)] {
        let lab = Lab::new();
        let serve = |program: &str| {
            let mut process = lab.start(program, &["--trace-keep", keep]);
            process.until("each call is written to");
            process
        };
        let (mut psap, mut switch) = (serve("psap"), serve("switch"));
        talk(&mut Phone::new(lab.trunk_group, "fine@lab", "15"));
        for process in [&mut switch, &mut psap] {
            process.interrupt();
            process.finish();
        }
        let words = ["show", "latest", "fine@lab", "--ladder"];
        if is_kept {
            let ladder = said(&lab.workspace, &words);
            for part in ["seizes a circuit towards alpha", "picks up", " for media", "closes 127."]
            {
                assert!(ladder.contains(part), "{keep}: no {part:?} in {ladder}");
            }
            assert!(!ladder.contains("lost"), "{ladder}");
        } else {
            let refused = tell(&lab.workspace, &words);
            let why = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{why}");
            assert!(why.contains("--trace-keep"), "{why}");
        }
    }
}

#[test]
fn calls_beside_those_of_a_run_are_kept_too() {
    let workspace = CampaignFolder::new(6, "300ms");
    let group = free();
    let own = format!("[trunk_groups.mobile]\naddress = \"{group}\"");
    let network = NETWORK.replace("[trunk_groups.mobile]\naddress = \"127.0.0.1:0\"", &own);
    workspace.write("network.toml", &network);
    let mut run = workspace.run(&["--set", "callers.media=0"]);
    run.until("  alpha");
    talk(&mut Phone::new(group, "beside@run", "15"));
    let status = run.finish();
    assert_eq!(status.code(), Some(0), "{}", run.words());
    balanced(&workspace.summary());
    let kept = kept(&workspace);
    let is_beside = |parts: &&Vec<trace::KeptCall>| {
        parts.iter().all(|part| part.seen_by.kind != BoxKind::Generator)
    };
    let beside: Vec<_> = kept.values().filter(is_beside).collect();
    let [parts] = &beside[..] else { panic!("one call, not {beside:?}") };
    let kinds = [BoxKind::TrunkGroup, BoxKind::CallServer, BoxKind::Psap];
    for kind in kinds {
        assert!(parts.iter().any(|part| part.seen_by.kind == kind), "{kind}: {parts:?}");
    }
    let ladder = said(&workspace, &["show", "latest", "beside@run", "--ladder"]);
    assert!(ladder.contains("|--INVITE sdp--"), "{ladder}");
    let none = fs::read_dir(workspace.path("runs/latest/trace")).expect("traces").count();
    assert!(none > 0);
}
