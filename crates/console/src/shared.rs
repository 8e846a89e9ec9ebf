//! What every request of the console has at hand.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Notify;

use crate::program::Program;
use crate::started::Started;
use crate::tickets::Tickets;

/// What a console is for.
#[derive(Debug, Clone)]
pub struct ConsoleSettings {
    /// The folder of runs.
    pub runs: PathBuf,
    /// Folders of campaigns that may be started; none where nothing may be.
    pub campaigns: Vec<PathBuf>,
    /// The program itself, to be asked what the command line tells.
    pub program: PathBuf,
}

/// What every request has at hand.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: ConsoleSettings,
    pub(crate) program: Program,
    pub(crate) started: Started,
    pub(crate) tickets: Tickets,
    /// How long the body of a request may take to arrive.
    pub(crate) patience: Duration,
    /// The run of this process, if there is one.
    pub(crate) own_run: Option<String>,
    /// Somebody has heard how a run ended.
    pub(crate) told_end: Notify,
}
