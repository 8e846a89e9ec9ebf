//! The parent of a supervised program: orders come on stdin, reports go to stdout; see [`contract::PipeMessage`].

use std::io::{BufRead, Write};
use std::thread;

use contract::{PipeMessage as _, ProcessOrder, ProcessReport};
use tokio::sync::mpsc;

use crate::reports::Reports;

/// Requests that may wait; a parent that writes more has to wait itself.
const REQUEST_QUEUE: usize = 64;

/// What comes from the parent.
#[derive(Debug)]
pub(crate) enum FromParent {
    Order(ProcessOrder),
    /// A line that is no order.
    Nonsense {
        line: String,
        reason: String,
    },
    /// The parent closed our input, or is gone.
    End,
}

/// Lets this process go on if it stands still, stopped by a signal, when its parent dies: else it would never see the end of its
/// input, and hold its ports for ever.
///
/// # Errors
/// The system refused.
pub(crate) fn wake_without_parent() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGCONT)?;
    Ok(())
}

/// The two pipes to the parent.
pub(crate) struct Parent {
    incoming: mpsc::Receiver<FromParent>,
    reports: Reports,
}

impl Parent {
    pub(crate) fn on_stdio() -> Self {
        Self::new(std::io::stdin, Box::new(std::io::stdout()))
    }

    /// Reads lines from what `open` returns, on a thread of its own: a read from a terminal or a
    /// pipe cannot be cancelled, and must not delay the end of the process.
    pub(crate) fn new<R: std::io::Read>(
        open: impl FnOnce() -> R + Send + 'static,
        output: Box<dyn Write + Send>,
    ) -> Self {
        let (orders, incoming) = mpsc::channel(REQUEST_QUEUE);
        thread::spawn(move || read_orders(std::io::BufReader::new(open()), &orders));
        Self { incoming, reports: Reports::to(output) }
    }

    /// Waits for the next order; after the end of input, for ever. Cancel safe.
    pub(crate) async fn next(&mut self) -> FromParent {
        match self.incoming.recv().await {
            Some(incoming) => incoming,
            None => std::future::pending().await,
        }
    }

    /// Tells it something.
    pub(crate) fn tell(&mut self, report: ProcessReport) {
        self.reports.tell(report);
    }

    /// Snapshots that were not told because it does not read.
    pub(crate) const fn dropped(&self) -> u64 {
        self.reports.dropped()
    }
}

fn read_orders(input: impl BufRead, orders: &mpsc::Sender<FromParent>) {
    for line in input.lines() {
        let Ok(line) = line else { break };
        let incoming = match ProcessOrder::from_line(&line) {
            Ok(None) => continue,
            Ok(Some(order)) => FromParent::Order(order),
            Err(error) => FromParent::Nonsense { line, reason: error.to_string() },
        };
        if orders.blocking_send(incoming).is_err() {
            return; // the program has ended
        }
    }
    let _ = orders.blocking_send(FromParent::End);
}
