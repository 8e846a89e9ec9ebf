//! Kinds of boxes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a box is. Written as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NodeKind {
    #[serde(rename = "call server")]
    CallServer,
    #[serde(rename = "trunk group")]
    TrunkGroup,
    #[serde(rename = "access node")]
    AccessNode,
    #[serde(rename = "pool monitor")]
    PoolMonitor,
    #[serde(rename = "PSAP")]
    Psap,
    #[serde(rename = "generator")]
    Generator,
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_people_say_it() {
        let words =
            ["call server", "trunk group", "access node", "pool monitor", "PSAP", "generator"];
        for word in words {
            let kind: NodeKind = serde_json::from_value(word.into()).expect(word);
            assert_eq!(kind.to_string(), word);
        }
    }
}
