//! Why boxes did not start.

use std::io;

use crate::socket::BindError;

/// Why boxes did not start. None runs then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{}", sentences(.0))]
    Bind(Vec<BindError>),
    #[error("two boxes have the name \"{name}\"")]
    SameName { name: String },
    #[error("cannot catch signals: {0}")]
    Signals(io::Error),
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    #[error("\"{name}\": cannot use its sockets: {error}")]
    Sockets { name: String, error: io::Error },
    #[error("\"{name}\": panicked while it was built")]
    Panicked { name: String },
}

fn sentences(errors: &[BindError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
