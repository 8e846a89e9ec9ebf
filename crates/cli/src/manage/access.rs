//! Who may manage: a token that is drawn at each start, and the file that tells it to the owner of the process.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rand::TryRng as _;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// Octets of a token before it is written in hexadecimal: 128 bits.
const TOKEN_OCTETS: usize = 16;

/// What whoever commands must show. There is no token that is always right.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

/// Where a network is managed, and with what token: the content of `manage.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub address: SocketAddr,
    pub token: Token,
    /// SHA-256 of the certificate of a plane that speaks TLS: whoever has it is meant, and nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// `manage.json`, which only the owner of the process can read. Removed when dropped.
#[derive(Debug)]
pub struct AccessFile {
    path: PathBuf,
    access: Access,
}

impl Token {
    /// Draws a token from the system.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn draw() -> anyhow::Result<Self> {
        let mut octets = [0; TOKEN_OCTETS];
        SysRng.try_fill_bytes(&mut octets).context("cannot draw a token from the system")?;
        Ok(Self(octets.iter().map(|octet| format!("{octet:02x}")).collect()))
    }

    /// The value of an `Authorization` header field (RFC 6750 §2.1).
    #[must_use]
    pub fn credentials(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// True for the header field of someone who knows the token. Takes as long for a near miss as for a far one, so
    /// that nobody can find it octet by octet.
    #[must_use]
    pub fn admits(&self, authorization: &[u8]) -> bool {
        let Some((scheme, shown)) = authorization.split_at_checked(b"Bearer ".len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(shown.ct_eq(self.0.as_bytes()))
    }
}

/// Never shown: what is printed for debugging ends in logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Access {
    /// Reads the file of a network that runs.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("{} does not exist; name another file with --manage", path.display())
            }
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        serde_json::from_slice(&text)
            .with_context(|| format!("{} does not say where to manage what", path.display()))
    }
}

impl AccessFile {
    /// Writes the file; one that another process left behind is replaced.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path, access: Access) -> anyhow::Result<Self> {
        // Beside its place first: it appears with its mode and all its content, and follows no link.
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}", std::process::id()));
        let beside = PathBuf::from(beside);
        let place = || format!("cannot write {}", path.display());
        let text = serde_json::to_string_pretty(&access).with_context(place)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .with_context(place)?;
        let written = file.write_all(format!("{text}\n").as_bytes());
        written.and_then(|()| fs::rename(&beside, path)).with_context(place).inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })?;
        Ok(Self { path: path.to_owned(), access })
    }
}

impl Drop for AccessFile {
    fn drop(&mut self) {
        // Another process may have put its own there meanwhile.
        if Access::read(&self.path).is_ok_and(|access| access == self.access) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_the_token_itself_is_admitted() {
        let token = Token::draw().unwrap();
        let text = token.credentials();
        assert_eq!(text.len(), "Bearer ".len() + 2 * TOKEN_OCTETS);
        assert!(token.admits(text.as_bytes()));
        assert!(token.admits(text.replace("Bearer", "bearer").as_bytes()));
        let near = [&text[..text.len() - 1], "Bearer ", "Bearer", "", "Basic x"];
        assert!(near.iter().all(|near| !token.admits(near.as_bytes())));
        assert!(!token.admits(Token::draw().unwrap().credentials().as_bytes()));
        assert!(!token.admits(&[0xff; 64]));
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn the_file_is_for_its_owner_and_goes_with_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manage.json");
        let access = || Access {
            address: ([127, 0, 0, 1], 1).into(),
            token: Token::draw().unwrap(),
            fingerprint: None,
        };
        fs::write(&path, "left behind").unwrap();
        let first = AccessFile::create(&path, access()).unwrap();
        assert_eq!(Access::read(&path).unwrap(), first.access);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = AccessFile::create(&path, access()).unwrap();
        drop(first);
        assert_eq!(Access::read(&path).unwrap(), second.access, "it belongs to the second one");
        drop(second);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
