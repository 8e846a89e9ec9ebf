//! What the call servers of a pool tell each other, with SIP MESSAGE (RFC 3428) and a body of JSON.
//!
//! | message | when | what the receiver does |
//! |---|---|---|
//! | `ask_configuration` | a machine has started | answers `configuration` |
//! | `configuration` | asked | keeps the table of circuits of the pool |
//! | `in_service`, `load` | a machine has started; with each of its first calls | takes note |
//! | `replica` | in a pool that replicates: a call was answered or has changed; the partner has started | writes it into its journal |
//! | `ended` | a call of which there is a replica is over | takes it out |
//! | `taken_over` | calls go on at the partner, and their call server turns out to be alive | forgets them |

use std::net::SocketAddr;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sip_proto::message::Payload;
use sip_proto::user_agent::UserAgent;

use crate::machine::Replica;

const CONTENT_TYPE: &str = "application/vnd.tocsin.pool+json";

/// One message to another call server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "pool", rename_all = "snake_case")]
pub(super) enum PoolMessage {
    AskConfiguration,
    Configuration { stale_circuits: bool },
    InService,
    Load { calls: usize },
    Replica(Box<Replica>),
    Ended { id: String },
    TakenOver { ids: Vec<String> },
}

impl PoolMessage {
    pub(super) fn send(&self, user_agent: &mut UserAgent, now: Instant, to: SocketAddr) {
        let Ok(body) = serde_json::to_vec(self) else { return };
        let payload = Payload::empty().with_header("Content-Type", CONTENT_TYPE);
        user_agent.message(now, to, &payload.with_body(body.into()));
    }
}
