//! SIP messages: the wire bytes with an index over them.
//!
//! The scanner (`scan.rs`) is the message: it frames, unfolds and indexes without copying. Typed
//! values are views into the bytes. What a peer may get wrong in the fields that every element
//! needs (Via, From, To, Call-ID, CSeq, Max-Forwards, Content-Length) is refused once, in
//! [`parse()`]; after that a [`Request`] or [`Response`] is sound and its accessors do not fail.

mod append;
mod broken_bye;
mod check;
pub(crate) mod classes;
mod controls;
mod emergency;
mod fields;
mod forward;
pub(crate) mod grammar;
mod header_lines;
mod indexed;
mod located;
mod malformed;
mod mandatory;
mod method;
mod name;
mod overload;
mod parse;
mod payload;
mod plain;
mod request;
mod response;
mod run;
mod scan;
mod session_expires;
mod span;
mod status;
mod strict_route;
mod uri;
mod write;

pub use broken_bye::BrokenBye;
pub use fields::{NameAddr, SessionId, Via};
pub use forward::{Forward, address_of};
pub use grammar::Params;
pub use indexed::Message;
pub use malformed::Malformed;
pub use mandatory::Abilities;
pub use method::Method;
pub use name::Name;
pub(crate) use overload::OFFER_BOTH;
pub use overload::{
    OverloadAlgorithm, OverloadFeedback, OverloadOffer, OverloadSeq, with_overload_feedback,
};
pub use parse::{Incoming, Unsound, parse};
pub use payload::Payload;
pub use request::Request;
pub use response::Response;
pub use session_expires::{Refresher, SessionExpires};
pub use status::reason_phrase;
pub use uri::Uri;
pub use write::host_port;
pub(crate) use write::{BY_TCP, Draft, Head, Reply, response, response_target};
