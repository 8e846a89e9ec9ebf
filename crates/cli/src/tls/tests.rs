//! Certificates that are kept, that are named, and that cannot be used.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};

use super::{CertificateState, KeyFile, ServerIdentity, Subject, TlsArgs, make_lab_certificates};

fn beyond() -> SocketAddr {
    ([192, 0, 2, 7], 8443).into()
}

/// Puts a certificate for these names and its key into the folder; it ends so long from now.
fn pair(folder: &Path, names: &[&str], life: Duration, is_over: bool) -> TlsArgs {
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut wanted = CertificateParams::new(names).expect("names");
    let now = SystemTime::now();
    wanted.not_after = if is_over { now - life } else { now + life }.into();
    let certificate = wanted.self_signed(&key).expect("a certificate");
    let (at, key_at) = (folder.join("site.pem"), folder.join("site.key"));
    fs::write(&at, certificate.pem()).expect("a file");
    fs::write(&key_at, key.serialize_pem()).expect("a file");
    TlsArgs { certificate: Some(at), key: Some(key_at) }
}

fn refusal(args: &TlsArgs) -> String {
    let read = args.identity(beyond(), Path::new("unused"));
    format!("{:#}", read.expect_err("it is refused"))
}

fn identity(args: &TlsArgs, address: SocketAddr, kept: &Path) -> ServerIdentity {
    args.identity(address, kept).expect("an identity").expect("TLS")
}

#[test]
fn beyond_this_machine_a_certificate_is_made_once_and_kept_for_its_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("runs/.console.pem");
    let none = TlsArgs::default();
    let local = none.identity(([127, 0, 0, 1], 0).into(), &kept).expect("plain");
    assert!(local.is_none() && !kept.exists(), "loopback stays plain");
    let first = identity(&none, beyond(), &kept);
    assert_eq!(fs::metadata(&kept).expect("a file").permissions().mode() & 0o777, 0o600);
    let told = first.told().join("\n");
    assert!(told.contains(first.fingerprint()) && told.contains(".console.pem"), "{told}");
    assert_eq!(first.fingerprint().len(), 32 * 3 - 1, "{}", first.fingerprint());
    assert_eq!(identity(&none, beyond(), &kept).fingerprint(), first.fingerprint());
    assert_eq!(first.host(beyond()), "192.0.2.7:8443");
    // For another address it is another one, and so it is when a file is damaged.
    let other = identity(&none, ([192, 0, 2, 8], 1).into(), &kept);
    assert_ne!(other.fingerprint(), first.fingerprint());
    fs::write(&kept, "x").expect("a file");
    assert_ne!(identity(&none, beyond(), &kept).fingerprint(), first.fingerprint());
    let everywhere = identity(&none, ([0, 0, 0, 0], 7).into(), &kept);
    assert!(everywhere.names().contains(&"localhost".to_owned()), "{:?}", everywhere.names());
}

#[test]
fn files_that_are_named_are_used_also_on_this_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let year = Duration::from_hours(24 * 365);
    let args = pair(folder.path(), &["console.example.org", "127.0.0.1"], year, false);
    let own = identity(&args, ([127, 0, 0, 1], 8443).into(), Path::new("unused"));
    assert_eq!(own.host(([127, 0, 0, 1], 8443).into()), "127.0.0.1:8443");
    assert_eq!(own.host(beyond()), "console.example.org:8443", "by what the certificate is for");
    assert_eq!(own.told().len(), 1, "{:?}", own.told());
    let over = pair(folder.path(), &["console.example.org"], Duration::from_hours(48), true);
    let told = identity(&over, beyond(), Path::new("unused")).told().join("\n");
    assert!(told.contains("warning: the certificate") && told.contains("expired on"), "{told}");
}

#[test]
fn what_is_no_certificate_or_key_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let year = Duration::from_hours(24 * 365);
    let good = pair(folder.path(), &["console.example.org"], year, false);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        Some(path)
    };
    let other_key = file("other.key", &KeyPair::generate().expect("a key").serialize_pem());
    let mixed = TlsArgs { key: other_key, ..good.clone() };
    assert!(refusal(&mixed).contains("is not that of the certificate"), "{}", refusal(&mixed));
    let text = file("text.pem", "hello");
    let none = TlsArgs { certificate: text.clone(), ..good.clone() };
    assert!(refusal(&none).contains("has no certificate"), "{}", refusal(&none));
    let none = TlsArgs { key: text, ..good.clone() };
    assert!(refusal(&none).contains("has no private key"), "{}", refusal(&none));
    let swapped = TlsArgs { certificate: good.key.clone(), key: good.certificate.clone() };
    assert!(refusal(&swapped).contains("has no certificate"), "{}", refusal(&swapped));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let none = TlsArgs { certificate: file("broken.pem", broken), ..good.clone() };
    assert!(refusal(&none).contains("no X.509 certificate"), "{}", refusal(&none));
    let gone = TlsArgs { certificate: Some(folder.path().join("gone.pem")), ..good };
    assert!(refusal(&gone).contains("cannot read the certificate"), "{}", refusal(&gone));
}

fn subject(name: &str, ip: &str) -> Subject {
    let names = vec![ip.to_owned(), "lab.example".to_owned()];
    Subject { name: name.to_owned(), names, domain: Some("lab.example".to_owned()) }
}

fn states(folder: &Path, subjects: &[Subject], anew: bool) -> Vec<CertificateState> {
    let made = make_lab_certificates(folder, "test", subjects, anew).expect("certificates");
    made.into_iter().map(|one| one.state).collect()
}

#[test]
fn a_lab_gets_an_authority_and_certificates_that_stay_until_they_are_made_anew() {
    use CertificateState::{Kept, Made, Stale};
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("certificates");
    let file = |name: &str| at.join(name);
    let mut subjects = vec![subject("lab", "127.0.0.41")];
    assert_eq!(states(&at, &subjects, false), [Made, Made]);
    for (name, mode) in [("lab.ca.pem", 0o644), ("lab.ca.key", 0o600), ("lab.key", 0o600)] {
        let permissions = fs::metadata(file(name)).expect("a file").permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{name}");
    }
    let identity = ServerIdentity::for_telephones(&file("lab.pem"), &file("lab.key"), None);
    let first = identity.expect("an identity").fingerprint().to_owned();
    let authority = fs::read(file("lab.ca.pem")).expect("a file");
    // A further box is signed by the same authority; one that has moved is not touched.
    subjects.push(subject("second", "127.0.0.42"));
    assert_eq!(states(&at, &subjects, false), [Kept, Kept, Made]);
    subjects[0] = subject("lab", "127.0.0.43");
    assert_eq!(states(&at, &subjects, false), [Kept, Stale, Kept]);
    assert_eq!(fs::read(file("lab.ca.pem")).expect("a file"), authority);
    let again = ServerIdentity::for_telephones(&file("lab.pem"), &file("lab.key"), None);
    assert_eq!(again.expect("an identity").fingerprint(), first);
    // With one half missing nobody guesses.
    fs::remove_file(file("lab.key")).expect("it was there");
    let refused = make_lab_certificates(&at, "test", &subjects, false).expect_err("half of it");
    assert!(refused.to_string().contains("put it back, or make all anew"), "{refused}");
    assert_eq!(states(&at, &subjects, true), [Made, Made, Made]);
    assert_ne!(fs::read(file("lab.ca.pem")).expect("a file"), authority);
    fs::write(file("lab.ca.pem"), "x").expect("a file");
    let refused = make_lab_certificates(&at, "test", &subjects, false).expect_err("no authority");
    assert!(format!("{refused:#}").contains("are no authority"), "{refused:#}");
}

#[test]
fn keys_go_to_the_end_of_a_file_of_its_owner() {
    use tokio_rustls::rustls::KeyLog as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.txt");
    for secret in [[0x0a, 0xff], [0x01, 0x02]] {
        let keys = KeyFile::open(&path).expect("a file");
        keys.log("CLIENT_RANDOM", &[0xab], &secret);
    }
    let text = fs::read_to_string(&path).expect("text");
    assert_eq!(text, "CLIENT_RANDOM ab 0aff\nCLIENT_RANDOM ab 0102\n");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    let refused = KeyFile::open(&folder.path().join("no/keys.txt")).expect_err("no folder");
    assert!(refused.to_string().contains("cannot write TLS keys to"), "{refused}");
}
