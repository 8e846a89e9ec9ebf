//! One child process: JSON lines in, JSON lines out; its log goes to a file.

use std::fs::File;
use std::process::Stdio;

use anyhow::Context as _;
use contract::Reply;
use node::Power;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

use super::plan::Process;

/// How far a process that yields steps back: beside one that does not, it gets a tenth of a processor that both want.
const YIELDING: &str = "10";

/// What a child says, or what became of it; `index` is its place in the fleet.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) index: usize,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Said(Report),
    /// The process is gone, with this exit status in words.
    Gone {
        clean: bool,
        status: String,
    },
}

/// The lines of a supervised program; see `node`'s `parent.rs` for the other side.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Report {
    Ready {
        nodes: Vec<Place>,
    },
    Snapshot {
        /// Since the process began.
        at_us: u64,
        usage: Usage,
        nodes: serde_json::Map<String, Value>,
    },
    /// What a box said to [`Order::Node`] with this `id`.
    Command {
        id: u64,
        reply: Reply,
    },
    Final {
        usage: Usage,
        nodes: serde_json::Map<String, Value>,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) address: String,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Usage {
    pub(crate) user_us: u64,
    pub(crate) system_us: u64,
    pub(crate) max_rss_kib: u64,
}

/// An order to a child.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(crate) enum Order {
    Drain,
    Stop,
    /// A command to one of its boxes.
    Node {
        id: u64,
        name: String,
        args: Value,
    },
}

/// The handle of a running child.
#[derive(Debug)]
pub(crate) struct Child {
    /// Written by a task: a child that does not read holds up nobody else.
    orders: mpsc::UnboundedSender<Order>,
    power: mpsc::UnboundedSender<Power>,
    /// Ends the process if this handle is dropped.
    _life: mpsc::Sender<()>,
}

impl Child {
    /// Starts this very program as a part of the network.
    pub(crate) fn start(
        index: usize,
        process: &Process,
        arguments: Vec<std::ffi::OsString>,
        log: &std::path::Path,
        news: mpsc::UnboundedSender<News>,
    ) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let log = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut command = Command::new(&program);
        if process.yields {
            // It becomes the program, so that whoever ends it ends that.
            command = Command::new("nice");
            command.args(["-n", YIELDING]).arg(&program);
        }
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C in the terminal must not reach a child that catches no signals yet.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the process {}", process.name))?;
        let mut stdin = child.stdin.take().context("a piped stdin")?;
        let stdout = child.stdout.take().context("a piped stdout")?;
        let (orders, mut given) = mpsc::unbounded_channel::<Order>();
        tokio::spawn(async move {
            while let Some(order) = given.recv().await {
                let Ok(mut line) = serde_json::to_vec(&order) else { continue };
                line.push(b'\n');
                // A child that is gone needs none.
                let _ = stdin.write_all(&line).await;
                let _ = stdin.flush().await;
            }
        });
        let (life, mut end_of_life) = mpsc::channel::<()>(1);
        let (power, mut struck) = mpsc::unbounded_channel::<Power>();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            loop {
                let line = tokio::select! {
                    line = lines.next_line() => line,
                    _ = end_of_life.recv() => return, // kill_on_drop
                    Some(power) = struck.recv() => {
                        // There is no number any more once the child is gone.
                        if let Some(Err(error)) = child.id().map(|pid| power.strike(pid)) {
                            cli::complain!("cannot strike a process of this run: {error}");
                        }
                        continue;
                    }
                };
                let Ok(Some(line)) = line else { break };
                if let Ok(report) = serde_json::from_str(&line) {
                    let _ = news.send(News { index, what: What::Said(report) });
                }
            }
            let what = match child.wait().await {
                Ok(status) => What::Gone { clean: status.success(), status: status.to_string() },
                Err(error) => What::Gone { clean: false, status: error.to_string() },
            };
            let _ = news.send(News { index, what });
        });
        Ok(Self { orders, power, _life: life })
    }

    /// Cuts, freezes or restores the process.
    pub(crate) fn strike(&self, power: Power) {
        let _ = self.power.send(power);
    }

    /// Gives an order. A child that is gone needs none.
    pub(crate) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }
}
