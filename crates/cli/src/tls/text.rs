//! What a certificate says of itself (RFC 5280), and its fingerprint.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// What matters of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// Host names that it is for; `*.` before the rest for any one label.
    pub(super) names: Vec<String>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
    /// The end as people read it.
    pub(super) until_text: String,
}

/// Reads a certificate as it is encoded (DER).
///
/// # Errors
/// It is none.
pub(super) fn describe(der: &[u8]) -> anyhow::Result<Described> {
    let (_, certificate) =
        X509Certificate::from_der(der).ok().context("it is no X.509 certificate")?;
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    for name in alternatives.into_iter().flat_map(|extension| &extension.value.general_names) {
        match name {
            GeneralName::DNSName(name) => names.push(name.to_ascii_lowercase()),
            GeneralName::IPAddress(octets) => addresses.extend(address(octets)),
            _ => {}
        }
    }
    let validity = certificate.validity();
    let time =
        |seconds: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    Ok(Described {
        names,
        addresses,
        from: time(validity.not_before.timestamp()),
        until: time(validity.not_after.timestamp()),
        until_text: validity.not_after.to_string(),
    })
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.ok().or_else(|| <[u8; 16]>::try_from(octets).map(IpAddr::from).ok())
}

/// SHA-256 of a certificate, as browsers and `openssl x509 -fingerprint -sha256` show it.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let octets: Vec<String> =
        Sha256::digest(der).iter().map(|octet| format!("{octet:02X}")).collect();
    octets.join(":")
}
