//! Latent defects that a release may carry: what is known of each, and where it acts.
//!
//! | what | file |
//! |---|---|
//! | what each copies, triggers and costs, in words | `catalogue.rs` |
//! | the condition on which it acts | `triggers.rs` |

mod catalogue;
mod triggers;

pub use catalogue::{CATALOGUE, LatentDefect};
pub(crate) use triggers::{
    cannot_read, crashes_on_call, crashes_on_recovery_messages, has_no_trunk_member,
    hides_its_lock, keeps_contexts, leaves_unanswered,
};
