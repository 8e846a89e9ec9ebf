//! The decoder survives any text, and says what it refuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use proptest::prelude::*;
use topology::{Layers, Topology, picture};

/// TOML that looks like a network but for some words.
fn network_like() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "address",
        "circuits",
        "number",
        "positions",
        "numbers",
        "psaps",
        "communes",
        "share",
        "behaviours",
        "ring",
        "when_full",
        "sites",
        "members",
        "t1",
        "\"a.b[3]\"",
        "x",
    ]);
    let value = prop::sample::select(vec![
        "\"127.0.0.1:5060\"",
        "0",
        "-1",
        "9223372036854775807",
        "1e400",
        "nan",
        "true",
        "[]",
        "[\"15\", 112, [1]]",
        "{}",
        "{ share = 0.5 }",
        "[{ share = 2 }]",
        "1979-05-27",
        "\"\"",
        "\"redirect a\"",
        "\"uniform 1s 1s\"",
        "\"0353010015\"",
        "\"é\"",
    ]);
    let header = prop::sample::select(vec![
        "[sites.a]",
        "[sites]",
        "[trunk_groups.b]",
        "[trunk_groups.b.members.a]",
        "[psaps.c]",
        "[[psaps.c.behaviours]]",
        "[[routes]]",
        "[routes]",
        "[timers]",
        "[pool]",
        "[\"é.\"]",
    ]);
    let line = prop_oneof![
        2 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => header.prop_map(str::to_owned),
    ];
    prop::collection::vec(line, 0..20).prop_map(|lines| lines.join("\n"))
}

fn decode(text: &str, layers: &Layers) {
    match Topology::parse("any.toml", text, layers) {
        Ok(network) => assert!(!picture(&network).is_empty()),
        Err(problems) => {
            assert!(!problems.0.is_empty());
            let lines = text.split('\n').count();
            for problem in &problems.0 {
                assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem}");
                assert!(!problem.message.is_empty());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_decoded_or_refused(text in "\\PC{0,200}") {
        decode(&text, &Layers::none());
    }

    #[test]
    fn anything_like_a_network_is_decoded_or_refused(text in network_like()) {
        decode(&text, &Layers::none());
    }

    #[test]
    fn any_override_is_applied_or_refused(
        key in "[a-z0-9_.\\[\\]-]{0,20}|sites\\.zeta[.\\[][a-z0]{1,3}\\]?",
        value in "\\PC{0,20}",
    ) {
        let layers = Layers::none().with_overrides([(key, value)]);
        decode(include_str!("data/good.toml"), &layers);
    }
}
