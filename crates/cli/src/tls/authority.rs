//! Certificates for a lab: an authority of its own, and one certificate for each box, as files (RFC 5280, RFC 5922).

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use super::kept;

/// A box has no dot in its name, so no box has these files.
const AUTHORITY: &str = "lab.ca";

/// How long telephones may trust it.
const AUTHORITY_LIFE: Duration = Duration::from_hours(24 * 3_650);

/// What a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The name of its files.
    pub name: String,
    /// IP addresses and host names.
    pub names: Vec<String>,
    /// The domain of SIP that it speaks for (RFC 5922 §7.1).
    pub domain: Option<String>,
}

/// What became of a certificate that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateState {
    Made,
    /// It was there, and is good.
    Kept,
    /// It was there, and is for other names, or ends soon.
    Stale,
}

/// A certificate of a lab, in a file beside its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabCertificate {
    pub file: PathBuf,
    pub state: CertificateState,
}

/// Makes the authority of a lab and certificates that it signs, in `folder`: the authority first in the answer. What is there stays,
/// unless all is to be made anew.
///
/// # Errors
/// A file cannot be read or written, or of two that belong together one is missing.
pub fn make_lab_certificates(
    folder: &Path,
    lab: &str,
    subjects: &[Subject],
    anew: bool,
) -> anyhow::Result<Vec<LabCertificate>> {
    let authority = Pair::of(folder, AUTHORITY);
    let state = if anew || !authority.is_there()? {
        make_authority(&authority, lab)?;
        CertificateState::Made
    } else {
        CertificateState::Kept
    };
    let issuer = authority.issuer()?;
    let mut all = vec![LabCertificate { file: authority.certificate.clone(), state }];
    for subject in subjects {
        let pair = Pair::of(folder, &subject.name);
        let state = match anew || !pair.is_there()? {
            false if kept::is_good(&pair.certificate, &subject.names) => CertificateState::Kept,
            false => CertificateState::Stale,
            true => {
                make_certificate(&pair, subject, &issuer)
                    .with_context(|| format!("no certificate for {}", subject.name))?;
                CertificateState::Made
            }
        };
        all.push(LabCertificate { file: pair.certificate, state });
    }
    Ok(all)
}

/// A certificate and its key.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn of(folder: &Path, name: &str) -> Self {
        let file = |ending| folder.join(format!("{name}.{ending}"));
        Self { certificate: file("pem"), key: file("key") }
    }

    /// Whether there is one already.
    fn is_there(&self) -> anyhow::Result<bool> {
        let (certificate, key) = (&self.certificate, &self.key);
        match (certificate.exists(), key.exists()) {
            (true, false) => half(certificate, key),
            (false, true) => half(key, certificate),
            (both, _) => Ok(both),
        }
    }

    fn write(&self, certificate: &rcgen::Certificate, key: &KeyPair) -> anyhow::Result<()> {
        kept::write(&self.key, &key.serialize_pem(), 0o600)?;
        kept::write(&self.certificate, &certificate.pem(), 0o644)
    }

    /// The authority that these two are.
    fn issuer(&self) -> anyhow::Result<Issuer<'static, KeyPair>> {
        let read = |file: &Path| {
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
        };
        let no_authority = || {
            let (certificate, key) = (self.certificate.display(), self.key.display());
            format!("{certificate} and {key} are no authority; --force makes all anew")
        };
        let key = KeyPair::from_pem(&read(&self.key)?).with_context(no_authority)?;
        Issuer::from_ca_cert_pem(&read(&self.certificate)?, key).with_context(no_authority)
    }
}

fn half(there: &Path, missing: &Path) -> anyhow::Result<bool> {
    let (there, missing) = (there.display(), missing.display());
    bail!("{there} is there, and {missing} is not: put it back, or make all anew with --force")
}

fn make_authority(pair: &Pair, lab: &str) -> anyhow::Result<()> {
    let what = || "no authority for the lab".to_owned();
    let key = KeyPair::generate().with_context(what)?;
    let mut wanted = params(&[], &format!("Tocsin lab CA of {lab}"), AUTHORITY_LIFE)?;
    // It signs boxes, and no other authority.
    wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = wanted.self_signed(&key).with_context(what)?;
    pair.write(&certificate, &key)
}

fn make_certificate(
    pair: &Pair,
    subject: &Subject,
    issuer: &Issuer<'static, KeyPair>,
) -> anyhow::Result<()> {
    let key = KeyPair::generate()?;
    let mut wanted = params(&subject.names, &subject.name, kept::LIFE)?;
    if let Some(domain) = &subject.domain {
        let uri = format!("sip:{domain}").as_str().try_into()?;
        wanted.subject_alt_names.push(SanType::URI(uri));
    }
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    wanted.use_authority_key_identifier_extension = true;
    let certificate = wanted.signed_by(&key, issuer)?;
    pair.write(&certificate, &key)
}

fn params(names: &[String], name: &str, life: Duration) -> anyhow::Result<CertificateParams> {
    let mut wanted = CertificateParams::new(names.to_vec())?;
    wanted.distinguished_name = rcgen::DistinguishedName::new();
    wanted.distinguished_name.push(DnType::CommonName, name);
    let now = SystemTime::now();
    // A clock that is a little behind must not refuse it.
    wanted.not_before = (now - kept::DAY).into();
    wanted.not_after = (now + life).into();
    Ok(wanted)
}
