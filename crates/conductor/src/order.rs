//! Orders to sites, and what a site says to one.

use contract::Reply;
use operations::Action;

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

/// What a site says when each of its call servers has said something: a refusal if there is one, else the first answer.
/// `None` when one is silent, as whoever asked waits for all; those after it are not asked.
pub fn joint_answer(replies: impl IntoIterator<Item = Reply>) -> Option<Result<String, String>> {
    let mut answer = None;
    for reply in replies {
        match reply {
            Reply::Silent => return None,
            Reply::Done(text) => answer = answer.or(Some(Ok(text))),
            Reply::Refused(text) => answer = Some(Err(text)),
        }
    }
    answer
}
