//! Orders to boxes from elsewhere in this process: whoever manages them asks, whoever runs them answers.

use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex, mpsc, oneshot};

use crate::effect_line::EffectLine;
use contract::{BoxOrder, Effect, EffectEnd, Reply};

/// The two ends of a queue of orders; cheap to clone. [`serve`](crate::serve()) answers those of
/// [`Options::console`](crate::Options); a parent of several programs may answer them itself.
#[derive(Debug, Clone)]
pub struct Console(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    sender: mpsc::UnboundedSender<PendingOrder>,
    receiver: Mutex<mpsc::UnboundedReceiver<PendingOrder>>,
    effects: SyncMutex<EffectLine>,
}

/// One order on its way to a box.
#[derive(Debug)]
pub struct PendingOrder {
    /// The box.
    pub name: String,
    pub order: BoxOrder,
    asker: oneshot::Sender<Reply>,
}

impl Default for Console {
    fn default() -> Self {
        // Whoever asks waits for the answer, so the queue is as long as there are askers.
        let (sender, receiver) = mpsc::unbounded_channel();
        let effects = SyncMutex::default();
        Self(Arc::new(Queue { sender, receiver: Mutex::new(receiver), effects }))
    }
}

impl Console {
    /// Sends an order, at once, even if nobody waits for the future. The future is what the box says to it; it waits
    /// for ever when nobody runs the box.
    pub fn order(&self, name: &str, order: BoxOrder) -> impl Future<Output = Reply> + use<> {
        let (asker, reply) = oneshot::channel();
        let pending = PendingOrder { name: name.to_owned(), order, asker };
        // The other end lives as long as this one.
        let _ = self.0.sender.send(pending);
        async move { reply.await.unwrap_or(Reply::Silent) }
    }

    /// Waits for the end of a command that the box accepted with this ticket; for ever when nobody runs the box. To be asked
    /// once for each.
    pub fn effect(&self, name: &str, ticket: u64) -> impl Future<Output = EffectEnd> + use<> {
        let end = self.effects().wait(name, ticket);
        async move {
            match end.await {
                Ok(end) => end,
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// A box tells the end of a command. For whoever runs the boxes.
    pub fn tell_effect(&self, name: &str, effect: Effect) {
        self.effects().tell(name, effect);
    }

    /// A box is gone, and the commands with it that it had accepted. For whoever runs the boxes.
    pub fn lose(&self, name: &str) {
        self.effects().lose(name);
    }

    /// A box that was lost is there again. For whoever runs the boxes.
    pub fn find(&self, name: &str) {
        self.effects().find(name);
    }

    fn effects(&self) -> MutexGuard<'_, EffectLine> {
        self.0.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next order, and takes all that wait with it. Cancel safe. For one caller: others wait.
    pub async fn next(&self) -> Vec<PendingOrder> {
        let mut receiver = self.0.receiver.lock().await;
        let Some(first) = receiver.recv().await else { return std::future::pending().await };
        let mut orders = vec![first];
        while let Ok(pending) = receiver.try_recv() {
            orders.push(pending);
        }
        orders
    }
}

impl PendingOrder {
    /// Tells whoever asked. An order that is dropped has been met with silence.
    pub fn answer(self, reply: Reply) {
        let _ = self.asker.send(reply);
    }
}
