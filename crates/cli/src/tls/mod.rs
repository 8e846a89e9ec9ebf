//! TLS (RFC 8446, RFC 5246) for the sockets of operators: the certificate of a server, its side of the handshake, and a client that
//! knows whom it means by a fingerprint.
//!
//! ```text
//!   --certificate, --key ──┐
//!   kept of the last start ┼─► ServerIdentity ──► greet.rs: handshake in time, a sentence for plain HTTP
//!   made anew (rcgen)    ──┘        │ fingerprint: printed, and in manage.json
//!                                   ▼
//!                               pinned.rs: the client's side
//! ```

mod greet;
mod identity;
mod kept;
mod pinned;
mod text;

pub(crate) use greet::{Greeted, greet};
pub use identity::{ServerIdentity, TlsArgs};
pub(crate) use pinned::connect;

#[cfg(test)]
mod tests;
