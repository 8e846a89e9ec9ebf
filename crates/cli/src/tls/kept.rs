//! A certificate that signs itself, made for an address and kept with its key in one file.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rcgen::{CertificateParams, DnType, KeyPair};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::text::describe;

pub(super) const DAY: Duration = Duration::from_hours(24);

/// How long it is good: longer than this is refused by some browsers.
pub(super) const LIFE: Duration = Duration::from_hours(24 * 397);

/// One that ends so soon is made anew.
const REMAINDER: Duration = Duration::from_hours(24 * 7);

/// What a server that listens at `ip` is called: its address, and where it listens at all of them, those that matter.
pub(super) fn names_of(ip: IpAddr) -> Vec<String> {
    if !ip.is_unspecified() {
        return vec![ip.to_string()];
    }
    let mut names = vec!["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
    names.push(Ipv6Addr::LOCALHOST.to_string());
    names.extend(outward(ip).map(|ip| ip.to_string()));
    names
}

/// The address by which this machine would reach others, if it has one. Nothing is sent: a datagram socket only looks up its way.
pub(super) fn outward(unspecified: IpAddr) -> Option<IpAddr> {
    // Addresses that are nobody's: RFC 5737, RFC 3849.
    let anywhere: IpAddr = if unspecified.is_ipv4() {
        Ipv4Addr::new(192, 0, 2, 1).into()
    } else {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()
    };
    let socket = UdpSocket::bind((unspecified, 0)).ok()?;
    socket.connect((anywhere, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Whether the file has a certificate for all these names that is good for a while.
pub(super) fn is_good(file: &Path, names: &[String]) -> bool {
    let Ok(text) = fs::read(file) else { return false };
    let Ok(certificate) = CertificateDer::from_pem_slice(&text) else { return false };
    let Ok(described) = describe(&certificate) else { return false };
    let has = |name: &String| match name.parse::<IpAddr>() {
        Ok(ip) => described.addresses.contains(&ip),
        Err(_) => described.names.contains(name),
    };
    names.iter().all(has) && described.until > SystemTime::now() + REMAINDER
}

/// Makes one with its key, and puts both into `file`, for its owner alone.
pub(super) fn make(file: &Path, names: &[String]) -> anyhow::Result<()> {
    let what = || format!("cannot make a certificate for {}", names.join(", "));
    let key = KeyPair::generate().with_context(what)?;
    let mut wanted = CertificateParams::new(names.to_vec()).with_context(what)?;
    wanted.distinguished_name.push(DnType::CommonName, "Tocsin");
    let now = SystemTime::now();
    // A clock that is a little behind must not refuse it.
    wanted.not_before = (now - DAY).into();
    wanted.not_after = (now + LIFE).into();
    let certificate = wanted.self_signed(&key).with_context(what)?;
    write(file, &format!("{}{}", certificate.pem(), key.serialize_pem()), 0o600)
}

/// Beside its place first: it appears with its mode and all its content, and follows no link.
pub(super) fn write(file: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let place = || format!("cannot keep the certificate in {}", file.display());
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(place)?;
    }
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(mode).open(&beside);
    let mut opened = opened.with_context(place)?;
    let written = opened.write_all(text.as_bytes());
    written.and_then(|()| fs::rename(&beside, file)).with_context(place).inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}
