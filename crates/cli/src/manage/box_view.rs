//! A box as `GET /v1/boxes` shows it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use contract::{BoxState, DirectoryEntry, NodeKind, Snapshot, SocketCounts};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// The answer to `GET /v1/boxes`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BoxViews {
    boxes: BTreeMap<String, BoxView>,
}

/// What is known of one box; what it shows of itself is as its `kind` says.
#[derive(Debug, Serialize, ToSchema)]
struct BoxView {
    #[schema(value_type = String)]
    kind: NodeKind,
    #[schema(value_type = String)]
    address: SocketAddr,
    #[schema(value_type = String)]
    state: BoxState,
    /// Everything that it counts; null before the first second.
    #[serde(serialize_with = "bare")]
    #[schema(value_type = Option<Object>)]
    snapshot: Option<Snapshot>,
    #[schema(value_type = Object)]
    sockets: SocketCounts,
}

impl BoxViews {
    pub(super) fn of(boxes: BTreeMap<String, DirectoryEntry>) -> Self {
        let view = |(name, entry)| {
            let DirectoryEntry { kind, address, state, snapshot, sockets } = entry;
            (name, BoxView { kind, address, state, snapshot, sockets })
        };
        Self { boxes: boxes.into_iter().map(view).collect() }
    }
}

fn bare<S: Serializer>(snapshot: &Option<Snapshot>, to: S) -> Result<S::Ok, S::Error> {
    match snapshot {
        Some(snapshot) => snapshot.serialize_bare(to),
        None => to.serialize_none(),
    }
}
