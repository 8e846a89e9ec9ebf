//! The certificate of a server and its key: those that were named, or its own.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, InconsistentKeys, ServerConfig};

use super::kept;
use super::key_file::KeyFile;
use super::text::{Described, describe, fingerprint};

/// The certificate of a socket for operators.
#[derive(Debug, Clone, Default, Args)]
pub struct TlsArgs {
    /// Speak TLS with this certificate, a PEM file with the chain after it [beyond this machine, if none is named: one that is made
    /// for the address and kept]
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// The private key of --certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
}

/// A certificate with its key, ready to serve.
#[derive(Clone)]
pub struct ServerIdentity {
    acceptor: TlsAcceptor,
    fingerprint: String,
    described: Described,
    /// Where it is, and what speaks against it, in sentences.
    told: Vec<String>,
}

/// Without the key.
impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").field("fingerprint", &self.fingerprint).finish()
    }
}

impl TlsArgs {
    /// Who a server at `address` is: who the files say; on this machine alone nobody, as plain HTTP will do; beyond it one that is
    /// kept in the file `kept` from start to start.
    ///
    /// # Errors
    /// A file cannot be read, is none, or the two do not fit.
    pub fn identity(
        &self,
        address: SocketAddr,
        kept: &Path,
    ) -> anyhow::Result<Option<ServerIdentity>> {
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                ServerIdentity::read(certificate, key, for_http).map(Some)
            }
            _ if address.ip().is_loopback() => Ok(None),
            _ => ServerIdentity::own(address.ip(), kept).map(Some),
        }
    }
}

impl ServerIdentity {
    /// An access node for telephones. The secrets of its connections go into `keys`, if somebody wants them.
    ///
    /// # Errors
    /// A file cannot be read, is none, or the two do not fit.
    pub fn for_telephones(
        certificate: &Path,
        key: &Path,
        keys: Option<&Arc<KeyFile>>,
    ) -> anyhow::Result<Self> {
        Self::read(certificate, key, |config| {
            if let Some(keys) = keys {
                config.key_log = Arc::<KeyFile>::clone(keys);
            }
        })
    }

    fn read(
        certificate: &Path,
        key: &Path,
        adjust: impl FnOnce(&mut ServerConfig),
    ) -> anyhow::Result<Self> {
        let mut identity = Self::from_pem(certificate, key, adjust)?;
        let at = certificate.display();
        identity.told.push(format!("certificate {at}, SHA-256 {}", identity.fingerprint));
        let Described { from, until, until_text, .. } = &identity.described;
        let now = SystemTime::now();
        if *until < now {
            let what = format!("the certificate {at} expired on {until_text}: browsers refuse it");
            identity.told.push(format!("warning: {what}"));
        } else if *from > now {
            identity.told.push(format!("warning: the certificate {at} is not valid yet"));
        }
        Ok(identity)
    }

    /// One that signs itself, and is the same at the next start.
    fn own(ip: IpAddr, file: &Path) -> anyhow::Result<Self> {
        let names = kept::names_of(ip);
        if !kept::is_good(file, &names) {
            kept::make(file, &names)?;
        }
        let mut identity = Self::from_pem(file, file, for_http)?;
        identity.told.push(format!(
            "its certificate signs itself, so that a browser asks whether you trust it: go on if it shows SHA-256 {}",
            identity.fingerprint
        ));
        identity.told.push(format!("it is kept in {} for the next start", file.display()));
        Ok(identity)
    }

    fn from_pem(
        certificate: &Path,
        key: &Path,
        adjust: impl FnOnce(&mut ServerConfig),
    ) -> anyhow::Result<Self> {
        let (certificate_at, key_at) = (certificate.display(), key.display());
        let text = std::fs::read(certificate)
            .with_context(|| format!("cannot read the certificate {certificate_at}"))?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{certificate_at} is no PEM file with a certificate in it"))?;
        let Some(first) = chain.first() else {
            bail!(
                "{certificate_at} has no certificate: a PEM file begins with -----BEGIN CERTIFICATE-----"
            );
        };
        let described =
            describe(first).with_context(|| format!("{certificate_at} cannot be used"))?;
        let fingerprint = fingerprint(first);
        let text = std::fs::read(key).with_context(|| format!("cannot read the key {key_at}"))?;
        let private = PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
            anyhow::anyhow!(
                "{key_at} has no private key: a PEM file has -----BEGIN PRIVATE KEY-----, without a passphrase"
            )
        })?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .context("cannot speak TLS")?
            .with_no_client_auth()
            .with_single_cert(chain, private);
        let mut config = config.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => anyhow::anyhow!(
                "the key {key_at} is not that of the certificate {certificate_at}: name the two that belong together"
            ),
            other => anyhow::anyhow!("{certificate_at} and {key_at} cannot be used: {other}"),
        })?;
        adjust(&mut config);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { acceptor, fingerprint, described, told: Vec::new() })
    }

    /// SHA-256 of the certificate, as browsers show it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What the person who starts the server is to know, in lines.
    #[must_use]
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// How a server at `address` is called in a link: by what its certificate is for, if that can be said.
    #[must_use]
    pub fn host(&self, address: SocketAddr) -> String {
        let ip = match address.ip() {
            ip if ip.is_unspecified() => kept::outward(ip).unwrap_or(ip),
            ip => ip,
        };
        let Described { names, addresses, .. } = &self.described;
        let name = names.iter().find(|name| !name.starts_with('*') && *name != "localhost");
        match name {
            Some(name) if !addresses.contains(&ip) => format!("{name}:{}", address.port()),
            _ => SocketAddr::new(ip, address.port()).to_string(),
        }
    }

    /// Host names that the certificate is for.
    pub(crate) fn names(&self) -> &[String] {
        &self.described.names
    }

    /// Its side of a handshake.
    #[must_use]
    pub const fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

fn for_http(config: &mut ServerConfig) {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
}
