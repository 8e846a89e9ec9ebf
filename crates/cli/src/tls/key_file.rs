//! The secrets of TLS connections in a file, as Wireshark reads them (RFC 9850, SSLKEYLOGFILE).

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio_rustls::rustls::KeyLog;

/// A file for the secrets of connections; who has it can read them all.
#[derive(Debug)]
pub struct KeyFile {
    file: File,
}

impl KeyFile {
    /// Opens it for its owner alone; what is in it stays.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: &Path) -> anyhow::Result<Arc<Self>> {
        let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let file =
            opened.with_context(|| format!("cannot write TLS keys to {}", path.display()))?;
        Ok(Arc::new(Self { file }))
    }
}

impl KeyLog for KeyFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = format!("{label} ");
        for (octets, end) in [(client_random, ' '), (secret, '\n')] {
            for octet in octets {
                let _ = write!(line, "{octet:02x}");
            }
            line.push(end);
        }
        // At the end of the file, in one piece; a connection lives without it.
        if let Err(error) = (&self.file).write_all(line.as_bytes()) {
            tracing::debug!(%error, "a TLS key was not written");
        }
    }
}
