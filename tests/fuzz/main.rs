//! What comes from outside, thrown at whoever reads it: messages, descriptions, media, streams, credentials, orders and files.
//!
//! ```text
//!   cargo test ──────► seeds (seeds.rs), each as it is and many times damaged ─┐
//!   cargo bolero test ► what libFuzzer grows from them ────────────────────────┴─► a property of one reader
//! ```
//!
//! The properties are stronger than that nothing panics: what can be read says the same when it has been written and read again, what
//! cannot be read is refused with a sentence, and [`cost`] bounds what a refusal costs.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

mod captures;
mod cost;
mod files;
mod management;
mod media;
mod sdp;
mod seeds;
mod sip;
mod stations;
mod stream;
mod worst;
mod worst_captures;

/// Makes each property a test: under libFuzzer it gets what libFuzzer draws, and otherwise what bolero draws and what grows from
/// its seeds in `rounds` rounds.
macro_rules! targets {
    ($($name:ident: $property:path, $rounds:literal;)*) => {
        /// The names of all targets.
        const TARGETS: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                if std::env::var_os("BOLERO_TEST_NAME").is_none() {
                    seeds::try_all(stringify!($name), $rounds, $property);
                }
                bolero::check!().with_iterations(500).for_each(|input: &[u8]| $property(input));
            }
        )*
    };
}

targets! {
    sip_message: sip::message, 20_000;
    sip_station: stations::user_agent, 4_000;
    sip_boxes: stations::boxes, 300;
    digest: sip::digest, 10_000;
    sdp: sdp::description, 10_000;
    sdp_in_body: sdp::body, 10_000;
    rtp: media::rtp, 20_000;
    rtcp: media::rtcp, 20_000;
    plane: media::plane, 5_000;
    tcp_stream: stream::framing, 10_000;
    management: management::order, 10_000;
    operators_words: management::words, 10_000;
    capture: captures::capture, 4_000;
    hep: captures::hep, 10_000;
    ladder: captures::ladder, 1_000;
    network_file: files::network, 400;
    campaign_file: files::campaign, 400;
    csv_rows: files::rows, 2_000;
}

// The corpora of `make fuzz` and the tests above are the same.
#[test]
fn every_target_has_seeds() {
    for name in TARGETS {
        assert!(!seeds::of(name).is_empty(), "{name} has no seeds");
    }
}
