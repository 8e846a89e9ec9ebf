//! Session descriptions (SDP, RFC 8866) and their negotiation (offer/answer, RFC 3264).
//!
//! ```text
//!   message body ──find──► bytes ──Session::parse──► Session ──Display──► text
//!
//!   offer(&local) ─────────────────────────────► offer
//!   answer(&offer, &local) ────────────────────► answer, or a 488
//!   next_offer(&previous, direction) ──────────► hold and resume
//!   session.continuing(&previous) ─────────────► same o=, version + 1 only on change
//! ```
//!
//! The parser accepts what phones send in practice: bare LF, an empty `s=`, lines out of order,
//! unknown lines and attributes. What it does not understand it keeps, in order, and prints again.

mod advance;
mod body;
mod codec;
mod error;
mod offer_answer;
mod parse;
mod print;
mod relocate;
mod session;
mod words;

#[cfg(test)]
mod tests;

pub use advance::advance;
pub use body::{find, replace};
pub use codec::Codec;
pub use error::SdpError;
pub use offer_answer::{LocalMedia, answer, check_answer, next_offer, offer};
pub use relocate::relocate;
pub use session::{Address, Attribute, Direction, Line, Media, Origin, Session};
