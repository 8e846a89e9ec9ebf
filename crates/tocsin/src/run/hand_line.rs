//! What is done to a run by hand, on its way from whoever takes it to the loop of the run.

use cli::manage::{CommandNote, Intervention};
use tokio::sync::{mpsc, oneshot};

/// Faults and changes of the load by hand that may wait to be done; whoever comes then is refused.
const WAITING: usize = 16;

/// Something that is to be done by hand, and who waits for what became of it.
#[derive(Debug)]
pub(super) struct PendingIntervention {
    pub(super) what: Intervention,
    pub(super) answer: oneshot::Sender<Result<String, String>>,
}

/// Commands by hand on their way to the conductor, from before the campaign begins; and what else is done by hand.
#[derive(Debug)]
pub(super) struct HandLine {
    pub(super) notes: mpsc::UnboundedReceiver<CommandNote>,
    sender: mpsc::UnboundedSender<CommandNote>,
    pub(super) pending: mpsc::Receiver<PendingIntervention>,
    interventions: mpsc::Sender<PendingIntervention>,
}

impl HandLine {
    pub(super) fn new() -> Self {
        let (sender, notes) = mpsc::unbounded_channel();
        let (interventions, pending) = mpsc::channel(WAITING);
        Self { notes, sender, pending, interventions }
    }

    /// For whoever takes faults and changes of the load by hand.
    pub(super) fn interventions(&self) -> mpsc::Sender<PendingIntervention> {
        self.interventions.clone()
    }

    /// For whoever takes commands by hand.
    pub(super) fn sender(&self) -> mpsc::UnboundedSender<CommandNote> {
        self.sender.clone()
    }
}
