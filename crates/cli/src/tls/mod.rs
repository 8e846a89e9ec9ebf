//! TLS (RFC 8446, RFC 5246) for the sockets of operators: the certificate of a server, its side of the handshake, and a client that
//! knows whom it means by a fingerprint. And what access nodes need for telephones: their certificates, which `authority.rs` makes for a
//! lab, and a file of keys for Wireshark.
//!
//! ```text
//!   --certificate, --key ──┐
//!   kept of the last start ┼─► ServerIdentity ──► greet.rs: handshake in time, a sentence for plain HTTP
//!   made anew (rcgen)    ──┘        │ fingerprint: printed, and in manage.json
//!                                   ▼
//!                               pinned.rs: the client's side
//! ```

mod authority;
mod greet;
mod identity;
mod kept;
mod key_file;
mod pinned;
mod text;

pub use authority::{CertificateState, LabCertificate, Subject, make_lab_certificates};
pub(crate) use greet::{Greeted, greet};
pub use identity::{ServerIdentity, TlsArgs};
pub use key_file::KeyFile;
pub(crate) use pinned::connect;

#[cfg(test)]
mod tests;
