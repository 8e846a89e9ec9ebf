//! One child process: orders in, reports out, as [`contract::PipeMessage`] writes them; its log goes to a file.

use std::fs::File;
use std::process::Stdio;

use anyhow::Context as _;
use contract::{PipeMessage as _, ProcessOrder, ProcessReport};
use operations::FaultAction;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

use super::news::{ChildEvent, ChildEventKind, NewsSender};
use super::plan::PlannedProcess;

/// How far a process that yields steps back: beside one that does not, it gets a tenth of a processor that both want.
const YIELDING: &str = "10";

/// The handle of a running child.
#[derive(Debug)]
pub(crate) struct Child {
    /// Written by a task, so that nobody waits for a child that does not read.
    orders: mpsc::UnboundedSender<ProcessOrder>,
    faults: mpsc::UnboundedSender<FaultAction>,
    /// Ends the process if this handle is dropped.
    _life: mpsc::Sender<()>,
}

impl Child {
    /// Starts this very program as a part of the network.
    pub(crate) fn start(
        index: usize,
        process: &PlannedProcess,
        arguments: Vec<std::ffi::OsString>,
        log: &std::path::Path,
        news: NewsSender,
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
        let (orders, mut given) = mpsc::unbounded_channel::<ProcessOrder>();
        tokio::spawn(async move {
            while let Some(order) = given.recv().await {
                let Ok(line) = order.to_line() else { continue };
                // A child that is gone needs none.
                let _ = stdin.write_all(&line).await;
                let _ = stdin.flush().await;
            }
        });
        let (life, mut end_of_life) = mpsc::channel::<()>(1);
        let (faults, mut due) = mpsc::unbounded_channel::<FaultAction>();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            loop {
                let line = tokio::select! {
                    line = lines.next_line() => line,
                    _ = end_of_life.recv() => return, // kill_on_drop
                    Some(action) = due.recv() => {
                        // There is no number any more once the child is gone.
                        if let Some(Err(error)) = child.id().map(|pid| node::inject(pid, action)) {
                            cli::complain!("cannot inject a fault into a process of this run: {error}");
                        }
                        continue;
                    }
                };
                let Ok(Some(line)) = line else { break };
                match ProcessReport::from_line(&line) {
                    Ok(Some(report)) => {
                        let what = ChildEventKind::Said(report);
                        tokio::select! {
                            () = news.tell(ChildEvent { index, what }) => {}
                            _ = end_of_life.recv() => return,
                        }
                    }
                    Ok(None) => {}
                    Err(error) => {
                        cli::complain!("a process of this run is not understood: {error}")
                    }
                }
            }
            let what = match child.wait().await {
                Ok(status) => {
                    ChildEventKind::Gone { clean: status.success(), status: status.to_string() }
                }
                Err(error) => ChildEventKind::Gone { clean: false, status: error.to_string() },
            };
            news.tell(ChildEvent { index, what }).await;
        });
        Ok(Self { orders, faults, _life: life })
    }

    /// Kills, freezes or thaws the process.
    pub(crate) fn inject(&self, action: FaultAction) {
        let _ = self.faults.send(action);
    }

    /// Gives an order. A child that is gone needs none.
    pub(crate) fn order(&self, order: ProcessOrder) {
        let _ = self.orders.send(order);
    }
}
