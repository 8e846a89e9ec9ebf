//! The parent of a supervised program: JSON lines in on stdin, JSON lines out on stdout.
//!
//! ```text
//!   child → parent                                      parent → child
//!   {"event":"ready","nodes":[{"name","kind","address"}]}   {"command":"drain"}
//!   {"event":"snapshot","at_us","usage","nodes":{…}}        {"command":"stop"}
//!   {"event":"command","id","name","reply"}                 {"command":"node","id","name","args"}
//!   {"event":"refused","line","reason"}                     end of input: drain
//!   {"event":"drained","complete"}
//!   {"event":"final","ending","usage":{…},"nodes":{…}}  the last line
//! ```

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::thread;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::directory::Entry;
use crate::limits::Usage;
use crate::serve::Ending;
use contract::Reply;

/// Requests that may wait; a parent that writes more has to wait itself.
const REQUEST_QUEUE: usize = 64;

/// What the parent asks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Order {
    Drain,
    Stop,
    /// A command for one node, which the node's own decoder understands. The reply names `id`.
    Node {
        #[serde(default)]
        id: u64,
        name: String,
        args: Value,
    },
}

/// What comes from the parent.
#[derive(Debug)]
pub(crate) enum FromParent {
    Order(Order),
    /// A line that is no order.
    Nonsense {
        line: String,
        reason: String,
    },
    /// The parent closed our input, or is gone.
    End,
}

/// What the parent is told.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Report<'a> {
    Ready {
        nodes: Vec<Place<'a>>,
    },
    /// `at_us` since the process began, by which it has used `usage`.
    Snapshot {
        at_us: u64,
        usage: Usage,
        nodes: &'a BTreeMap<String, Entry>,
    },
    Command {
        id: u64,
        name: &'a str,
        reply: Reply,
    },
    Refused {
        line: &'a str,
        reason: &'a str,
    },
    Drained {
        complete: bool,
    },
    Final {
        ending: &'a Ending,
        usage: Usage,
        nodes: &'a BTreeMap<String, Entry>,
    },
}

/// Where one box listens.
#[derive(Debug, Serialize)]
pub(crate) struct Place<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) address: SocketAddr,
}

/// The two pipes to the parent.
pub(crate) struct Parent {
    incoming: mpsc::Receiver<FromParent>,
    output: Box<dyn Write>,
    broken: bool,
}

impl Parent {
    pub(crate) fn on_stdio() -> Self {
        Self::new(std::io::stdin, Box::new(std::io::stdout()))
    }

    /// Reads lines from what `open` returns, on a thread of its own: a read from a terminal or a
    /// pipe cannot be cancelled, and must not delay the end of the process.
    pub(crate) fn new<R: std::io::Read>(
        open: impl FnOnce() -> R + Send + 'static,
        output: Box<dyn Write>,
    ) -> Self {
        let (orders, incoming) = mpsc::channel(REQUEST_QUEUE);
        thread::spawn(move || read_orders(std::io::BufReader::new(open()), &orders));
        Self { incoming, output, broken: false }
    }

    /// Waits for the next order; after the end of input, for ever. Cancel safe.
    pub(crate) async fn next(&mut self) -> FromParent {
        match self.incoming.recv().await {
            Some(incoming) => incoming,
            None => std::future::pending().await,
        }
    }

    /// Writes one line. A pipe without a reader is noticed once; the end of input tells the rest.
    pub(crate) fn tell(&mut self, report: &Report<'_>) {
        if self.broken {
            return;
        }
        let written =
            serde_json::to_vec(report).map_err(std::io::Error::from).and_then(|mut line| {
                line.push(b'\n');
                self.output.write_all(&line)?;
                self.output.flush()
            });
        if let Err(error) = written {
            tracing::warn!(%error, "cannot report to the parent");
            self.broken = true;
        }
    }
}

fn read_orders(input: impl BufRead, orders: &mpsc::Sender<FromParent>) {
    for line in input.lines() {
        let Ok(line) = line else { break };
        if line.trim().is_empty() {
            continue;
        }
        let incoming = match serde_json::from_str(&line) {
            Ok(order) => FromParent::Order(order),
            Err(error) => FromParent::Nonsense { line, reason: error.to_string() },
        };
        if orders.blocking_send(incoming).is_err() {
            return; // the program has ended
        }
    }
    let _ = orders.blocking_send(FromParent::End);
}
