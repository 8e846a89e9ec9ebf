//! Orders to sites, and what a site says to one.

use contract::{EffectEnd, Reply};
use operations::{Action, OrderAnswer};

/// Which order of which operation an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderId {
    pub(crate) operation: usize,
    pub(crate) number: u64,
}

/// An order on its way to a site.
#[derive(Debug, Clone)]
pub struct SiteOrder {
    pub id: OrderId,
    pub site: String,
    pub action: Action,
}

/// What a site says when each of its call servers has said something: a refusal if there is one, else that it has begun, else
/// the first answer. `None` when one is silent, as whoever asked waits for all; those after it are not asked.
pub fn joint_answer(replies: impl IntoIterator<Item = Reply>) -> Option<OrderAnswer> {
    let mut answer = None;
    for reply in replies {
        match (reply, &answer) {
            // Calls are no answer to a command.
            (Reply::Silent | Reply::Calls(_), _) => return None,
            (Reply::Refused(text), _) => answer = Some(OrderAnswer::Refused(text)),
            (Reply::Accepted { text, .. }, None | Some(OrderAnswer::Done(_))) => {
                answer = Some(OrderAnswer::Accepted(text));
            }
            (Reply::Done(text), None) => answer = Some(OrderAnswer::Done(text)),
            (Reply::Accepted { .. } | Reply::Done(_), _) => {}
        }
    }
    answer
}

/// How it ended at a site whose call servers had begun something: what one of them could not, else the first end.
pub fn joint_effect(ends: impl IntoIterator<Item = EffectEnd>) -> Option<OrderAnswer> {
    let mut joint = None;
    for end in ends {
        match (end, &joint) {
            (EffectEnd::Aborted(why), _) => return Some(OrderAnswer::Aborted(why)),
            (EffectEnd::Done(text), None) => joint = Some(OrderAnswer::Done(text)),
            (EffectEnd::Done(_), Some(_)) => {}
        }
    }
    joint
}
