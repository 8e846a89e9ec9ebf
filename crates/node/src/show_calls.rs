//! The calls in progress of a box, and what was seen of one of them, for whoever asks.

use actix::{Context, Handler, Message, MessageResult};
use contract::{CallPicker, CallsWanted, Node, Reply};
use telemetry::attempt_key;

use crate::actor::NodeActor;

/// Asks for these calls. Nothing changes.
pub(crate) struct ShowCalls(pub(crate) CallsWanted);

impl Message for ShowCalls {
    type Result = Reply;
}

impl<N: Node + Unpin + 'static> Handler<ShowCalls> for NodeActor<N> {
    type Result = MessageResult<ShowCalls>;

    fn handle(&mut self, ShowCalls(wanted): ShowCalls, _: &mut Context<Self>) -> Self::Result {
        let Some((node, observer)) = self.look() else { return MessageResult(Reply::Silent) };
        let one = match &wanted {
            CallsWanted::One(attempt) => attempt_key(attempt),
            CallsWanted::Newest(_) | CallsWanted::Oldest(_) => None,
        };
        let mut picker = CallPicker::new(wanted);
        node.show_calls(&mut picker);
        let mut shown = picker.finish();
        if let (Some(attempt), Some(observer)) = (one, observer) {
            let call_ids = shown.calls.first().map(|call| &call.call_ids[..]).unwrap_or_default();
            shown.seen = observer.so_far(attempt, call_ids);
        }
        MessageResult(Reply::Calls(Box::new(shown)))
    }
}
