//! Access nodes: where telephones register, and how they reach the network.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::number::{is_fictitious, refusal};
use crate::reader::{Raw, Table, kind};
use crate::trunk_group::TrunkGroup;

/// An access node: registrar and edge proxy before a trunk group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub name: String,
    /// Where telephones send their REGISTER and INVITE.
    pub address: SocketAddr,
    /// Where it takes TLS, if it does.
    pub tls: Option<SocketAddr>,
    /// Where it takes WebSockets (RFC 7118), if it does.
    pub ws: Option<SocketAddr>,
    /// Where it takes WebSockets over TLS, if it does.
    pub wss: Option<SocketAddr>,
    /// The PEM file with its certificate, and the chain after it.
    pub certificate: PathBuf,
    /// The PEM file with the private key of that.
    pub key: PathBuf,
    /// The trunk group that gets their emergency calls.
    pub trunk_group: String,
    /// The domain of its users, and the realm of their passwords.
    pub realm: String,
    /// Whether whoever is not registered, or has a wrong password, may call an emergency number.
    pub anonymous_emergency: bool,
    /// A REGISTER for less time is refused with 423.
    pub least: Duration,
    /// For how long a REGISTER binds that asks for no time.
    pub usual: Duration,
    /// A REGISTER for more time gets this.
    pub most: Duration,
    /// Contacts of one user.
    pub contacts: u32,
    /// How often a telephone shows on its flow that it is there (RFC 5626 §4.4).
    pub flow_timer: Duration,
    /// The hash functions that it offers for the digest, the best one first.
    pub algorithms: Vec<DigestAlgorithm>,
    pub accounts: Vec<AccessAccount>,
}

/// A hash function of digest authentication (RFC 8760 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    Sha256,
    Md5,
}

impl DigestAlgorithm {
    const WORDS: [(&'static str, Self); 2] = [("SHA-256", Self::Sha256), ("MD5", Self::Md5)];
}

/// A user of an access node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessAccount {
    pub name: String,
    /// By which others call it, and which the network asserts for it.
    pub number: Option<String>,
    /// What stands for its password; `None`: one is made up at each start, and printed.
    pub secret: Option<AccountSecret>,
}

/// H(user ":" realm ":" password), in lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountSecret {
    pub sha256: String,
    pub md5: Option<String>,
}

impl std::fmt::Debug for AccountSecret {
    // It belongs into no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountSecret")
    }
}

/// Where certificates are that the file does not name, beside it: there `tocsin certificates` puts them.
pub const CERTIFICATES: &str = "certificates";

impl Access {
    /// Where it takes connections beside those at its address, each with its key in the file.
    pub fn listeners(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let all = [("tls", self.tls), ("ws", self.ws), ("wss", self.wss)];
        all.into_iter().filter_map(|(key, address)| Some((key, address?)))
    }

    /// Whether it needs its certificate.
    #[must_use]
    pub const fn speaks_tls(&self) -> bool {
        self.tls.is_some() || self.wss.is_some()
    }

    pub(crate) fn read(table: &Table<'_>, trunk_groups: &[TrunkGroup], folder: &Path) -> Self {
        let second = Duration::from_secs(1);
        let name = table.name().to_owned();
        let (least, most) = (
            table.or("min_expires", kind::duration(second), Duration::from_secs(60)),
            table.or("max_expires", kind::duration(second), Duration::from_secs(3_600)),
        );
        let usual = table.or("expires", kind::duration(second), Duration::from_secs(600));
        if !(least <= usual && usual <= most) {
            table.report_here("needs min_expires <= expires <= max_expires");
        }
        let mut accounts = table.named("accounts", AccessAccount::read);
        if let Some(file) = table.optional("accounts_file", kind::text) {
            match read_file(&folder.join(&file)) {
                Ok(more) => accounts.extend(more),
                Err(refusal) => table.report("accounts_file", refusal),
            }
        }
        if table.has("certificate") != table.has("key") {
            table.report_here("needs certificate and key together, or neither of them");
        }
        let pem = |key: &'static str, ending: &str| {
            let usual = || format!("{CERTIFICATES}/{name}.{ending}");
            folder.join(table.optional(key, kind::text).unwrap_or_else(usual))
        };
        Self {
            address: table.required("address", kind::address, kind::NO_ADDRESS),
            tls: table.optional("tls", known_port),
            ws: table.optional("ws", known_port),
            wss: table.optional("wss", known_port),
            certificate: pem("certificate", "pem"),
            key: pem("key", "key"),
            trunk_group: table.required("trunk_group", known_group(trunk_groups), String::new()),
            realm: table.or("realm", realm, name.clone()),
            anonymous_emergency: table.or("anonymous_emergency", kind::flag, true),
            least,
            usual,
            most,
            contacts: table.or("contacts", kind::count(1..=100), 10),
            flow_timer: table.or("flow_timer", kind::duration(second), Duration::from_secs(120)),
            algorithms: match table.has("algorithms") {
                true => table.required_list("algorithms", kind::choice(&DigestAlgorithm::WORDS)),
                false => DigestAlgorithm::WORDS.map(|(_, one)| one).to_vec(),
            },
            accounts,
            name,
        }
    }
}

impl AccessAccount {
    fn read(table: &Table<'_>) -> Self {
        let sha256 = table.optional("sha256", digest(64));
        let md5 = table.optional("md5", digest(32));
        if md5.is_some() && sha256.is_none() && !table.has("sha256") {
            table.report_here("needs sha256 beside md5; `tocsin account` prints both");
        }
        Self {
            name: table.name().to_owned(),
            number: table.optional("number", number),
            secret: sha256.map(|sha256| AccountSecret { sha256, md5 }),
        }
    }
}

/// Telephones are told it, so the system cannot choose it.
fn known_port(raw: Raw<'_>) -> Result<SocketAddr, String> {
    let address = kind::address(raw)?;
    match address.port() {
        0 => Err(format!("must name a port, such as {}:5061", address.ip())),
        _ => Ok(address),
    }
}

fn known_group(groups: &[TrunkGroup]) -> impl Fn(Raw<'_>) -> Result<String, String> {
    move |raw| {
        let name = kind::name(raw)?;
        if groups.iter().any(|group| group.name == name) {
            return Ok(name);
        }
        let known: Vec<&str> = groups.iter().map(|group| &group.name[..]).collect();
        Err(format!("no trunk group is called {name:?}; the trunk groups are {}", known.join(", ")))
    }
}

/// A host name, which may be one that no DNS knows.
fn realm(raw: Raw<'_>) -> Result<String, String> {
    let text = kind::text(raw)?;
    let is_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    match text.len() <= 253 && text.bytes().all(is_host) {
        true => Ok(text),
        false => Err(format!("must be a domain such as \"lab.example\", got {text:?}")),
    }
}

fn digest(length: usize) -> impl Fn(Raw<'_>) -> Result<String, String> {
    move |raw| is_digest(kind::text(raw)?, length)
}

fn is_digest(text: String, length: usize) -> Result<String, String> {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    match text.len() == length && text.bytes().all(is_hex) {
        true => Ok(text),
        // Not shown: it may be a password that somebody took for its place.
        false => Err(format!(
            "must be {length} lower-case hexadecimal digits, as `tocsin account` prints them"
        )),
    }
}

fn number(raw: Raw<'_>) -> Result<String, String> {
    fictitious(kind::text(raw)?)
}

fn fictitious(text: String) -> Result<String, String> {
    match is_fictitious(&text) {
        true => Ok(text),
        false => Err(refusal(&text)),
    }
}

/// The users of a CSV file with the columns `name`, `number`, `sha256` and `md5`; all but `name` may be empty.
fn read_file(path: &Path) -> Result<Vec<AccessAccount>, String> {
    let told = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_path(path)
        .map_err(|error| told(&error))?;
    let header = reader.headers().map_err(|error| told(&error))?.clone();
    const COLUMNS: [&str; 4] = ["name", "number", "sha256", "md5"];
    if let Some(unknown) = header.iter().find(|column| !COLUMNS.contains(column)) {
        return Err(told(&format!(
            "unknown column {unknown:?}; the columns are {}",
            COLUMNS.join(", ")
        )));
    }
    let place = |column: &str| header.iter().position(|one| one == column);
    if place("name").is_none() {
        return Err(told(&"needs the column name"));
    }
    let mut accounts = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| told(&error))?;
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |column: &str| {
            let text = place(column).and_then(|place| row.get(place)).unwrap_or_default();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let account = || -> Result<AccessAccount, String> {
            let name = cell("name").filter(|name| kind::is_name(name)).ok_or_else(|| {
                "name must be at most 32 lower-case letters, digits and hyphens".to_owned()
            })?;
            let sha256 = cell("sha256").map(|text| is_digest(text, 64)).transpose()?;
            let md5 = cell("md5").map(|text| is_digest(text, 32)).transpose()?;
            if md5.is_some() && sha256.is_none() {
                return Err("md5 needs sha256 beside it".to_owned());
            }
            let number = cell("number").map(fictitious).transpose()?;
            Ok(AccessAccount {
                name,
                number,
                secret: sha256.map(|sha256| AccountSecret { sha256, md5 }),
            })
        };
        accounts.push(account().map_err(|why| told(&format!("line {line}: {why}")))?);
        if accounts.len() > MOST_ACCOUNTS {
            return Err(told(&format!("has more than {MOST_ACCOUNTS} users")));
        }
    }
    Ok(accounts)
}

/// Users of one access node.
const MOST_ACCOUNTS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn read(text: &str) -> Result<Vec<AccessAccount>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("accounts.csv");
        std::fs::write(&path, text).expect("a file");
        read_file(&path).map_err(|why| why.replace(&format!("{}: ", path.display()), ""))
    }

    #[test]
    fn users_come_from_a_file_of_their_own() {
        let text =
            format!("name, number, sha256\n# the desk\nanna, 0199001234, {DIGEST}\nbert,,\n");
        let users = read(&text).expect("users");
        let short: Vec<_> = users
            .iter()
            .map(|it| (&it.name[..], it.number.as_deref(), it.secret.is_some()))
            .collect();
        assert_eq!(short, [("anna", Some("0199001234"), true), ("bert", None, false)]);
        assert!(users[0].secret.as_ref().is_some_and(|it| it.sha256 == DIGEST && it.md5.is_none()));
    }

    #[test]
    fn a_bad_file_of_users_is_refused_with_its_line() {
        for (text, sentence) in [
            ("", "needs the column name"),
            ("number\n0199001234\n", "needs the column name"),
            ("name,password\nanna,secret\n", "unknown column \"password\""),
            ("name\nanna\nAn na\n", "line 3: name must be at most 32 lower-case letters"),
            ("name,number\nanna,0612345678\n", "line 2: \"0612345678\" may belong to somebody"),
            ("name,sha256\nanna,secret\n", "line 2: must be 64 lower-case hexadecimal digits"),
            ("name,md5\nanna,0123456789abcdef0123456789abcdef\n", "line 2: md5 needs sha256"),
        ] {
            let refusal = read(text).expect_err(text);
            assert!(refusal.contains(sentence), "{text:?}: {refusal}");
            assert!(!refusal.contains("secret"), "no password is shown: {refusal}");
        }
        assert!(read_file(Path::new("no-such-folder/accounts.csv")).is_err());
    }
}
