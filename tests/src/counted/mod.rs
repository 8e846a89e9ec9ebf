//! The work whose instructions are counted: a message read, a call through one box alone, media, a second of an outage.
//!
//! Each is set up first, which is not counted, and run then. Nothing in it depends on the time, on chance or on addresses
//! of memory, but for the seeds of hash maps; so the same build takes the same instructions each time, within a hundredth.

pub mod boxes;
pub mod evening;
pub mod media;
pub mod messages;
pub mod record;
mod sink;

use std::time::Instant;

use self::boxes::LoneBox;
use self::evening::Evening;
use self::media::{Listening, Relay};

/// Work that is ready to be done once.
pub type Work = Box<dyn FnMut()>;

/// One of the things that are counted.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// Its name in the record.
    pub name: &'static str,
    /// How many of what it is counted by are in the work.
    pub units: u64,
    /// Sets the work up.
    pub ready: fn() -> Work,
}

/// All that is counted. A name says by what: the instructions are those of one call, one packet, one message, one second.
pub const SUBJECTS: &[Subject] = &[
    Subject { name: "INVITE read", units: messages::TIMES, ready: || reading(messages::invite()) },
    Subject { name: "200 read", units: messages::TIMES, ready: || reading(messages::ok()) },
    Subject { name: "BYE read", units: messages::TIMES, ready: || reading(messages::bye()) },
    Subject { name: "call in the trunk group", units: boxes::CALLS, ready: || lone("trunk") },
    Subject { name: "call in the call server", units: boxes::CALLS, ready: || lone("one") },
    Subject {
        name: "call in the call server, recorded",
        units: boxes::CALLS,
        ready: || recorded("one"),
    },
    Subject {
        name: "call in the trunk group, recorded",
        units: boxes::CALLS,
        ready: || recorded("trunk"),
    },
    Subject { name: "call in the PSAP", units: boxes::CALLS, ready: || lone("centre") },
    Subject {
        name: "call in the PSAP, recorded",
        units: boxes::CALLS,
        ready: || recorded("centre"),
    },
    Subject { name: "call in the generator", units: boxes::CALLS, ready: || lone("generator") },
    Subject {
        name: "call in the generator, recorded",
        units: boxes::CALLS,
        ready: || recorded("generator"),
    },
    Subject { name: "RTP packet relayed", units: 2 * media::PACKETS, ready: relaying },
    Subject { name: "RTP packet made and judged", units: media::PACKETS, ready: listening },
    Subject { name: "second of the evening", units: 1, ready: passing },
];

fn reading(bytes: bytes::Bytes) -> Work {
    Box::new(move || messages::read(&bytes))
}

fn lone(name: &str) -> Work {
    let mut lone = LoneBox::warm(name);
    Box::new(move || lone.run())
}

fn recorded(name: &str) -> Work {
    let mut lone = LoneBox::warm_and_recorded(name);
    Box::new(move || lone.run())
}

fn relaying() -> Work {
    let mut relay = Relay::warm(Instant::now());
    Box::new(move || relay.run())
}

fn listening() -> Work {
    let mut call = Listening::warm(Instant::now());
    Box::new(move || call.run())
}

fn passing() -> Work {
    let mut evening = Evening::begun();
    Box::new(move || evening.run())
}
