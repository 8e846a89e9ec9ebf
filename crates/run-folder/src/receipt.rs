//! `receipt.json`: what a run was made from and on what, so that it can be repeated and held against another one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use account::summary::Summary;
use campaign::{Campaign, Time};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::folder::{Folder, PART};
use crate::host::{HostLimits, host};
use crate::standing::MARK;
use crate::state::environment;

/// The file in the run folder.
const FILE: &str = "receipt.json";
/// Version of its shape.
const SCHEMA_VERSION: u32 = 1;

/// `receipt.json` of a run.
#[derive(Debug)]
pub struct Receipt;

impl Receipt {
    /// Writes what is known before the first call. `set` is what the command line changed.
    pub fn begin(
        folder: &Folder,
        campaign: &Campaign,
        file: &Path,
        set: &[(String, String)],
        time: Time,
        limits: HostLimits,
    ) -> anyhow::Result<()> {
        let mut receipt = origin();
        let environment = environment();
        let pairs = |pairs: &[(String, String)]| {
            pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        let rows = campaign.row_paths();
        let own = [file.to_owned(), campaign.network.clone()];
        let files: Vec<PathBuf> =
            own.into_iter().chain(rows.iter().map(|it| it.1.clone())).collect();
        let missing = &mut Map::new();
        let folder_now = std::env::current_dir();
        let known = json!({
            "schema_version": SCHEMA_VERSION,
            "campaign": campaign.name,
            "seed": campaign.seed,
            "seed_text": campaign.seed.to_string(),
            "world": time,
            "repeat": command_line(),
            "in_folder": fact(missing, "in_folder", folder_now.map(|it| it.display().to_string())),
            "inputs": {
                "campaign": input(missing, "campaign", file),
                "network": input(missing, "network", &campaign.network),
                "rows": rows.iter().map(|(key, path)| input(missing, key, path)).collect::<Vec<_>>(),
                "set": pairs(set),
                "environment": pairs(&environment),
                "sha256": fact(missing, "inputs", effective(&files, &[set, &environment].concat())),
            },
            "host": host(limits),
            "verdict": null,
            "files": null,
        });
        merge(&mut receipt, known, missing);
        missing.insert("verdict".to_owned(), "the run has not ended".into());
        merge(&mut receipt, json!({}), missing);
        folder.replace(FILE, &serde_json::to_string_pretty(&receipt)?)
    }

    /// The name of its file.
    pub(crate) const NAME: &str = FILE;

    /// The receipt of a run that came to its end, but for the list of its files.
    pub(crate) fn of(folder: &Folder, summary: &Summary) -> Value {
        let begun = fs::read_to_string(folder.path().join(FILE)).ok();
        let begun = begun.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let mut receipt = begun.filter(Value::is_object).unwrap_or_else(|| {
            let mut receipt = origin();
            let why = "receipt.json of the start was not there";
            for name in ["repeat", "inputs", "host"] {
                receipt[name] = Value::Null;
                receipt["missing"][name] = why.into();
            }
            receipt
        });
        let verdict = serde_json::to_value(summary.verdict).unwrap_or_default();
        for (name, value) in [
            ("campaign", summary.campaign.clone().into()),
            ("network", summary.network.clone().into()),
            ("seed", summary.seed.into()),
            ("seed_text", summary.seed.to_string().into()),
            ("started_at", summary.started_at.clone().into()),
            ("duration_s", summary.duration_s.into()),
            ("verdict", verdict),
            ("exit_code", summary.exit_code().into()),
            ("ledger_hash", summary.ledger_hash.clone().into()),
        ] {
            receipt[name] = value;
        }
        if let Some(missing) = receipt["missing"].as_object_mut() {
            missing.remove("verdict");
        }
        receipt
    }

    /// Stages the receipt of a run whose other files are all there, or staged.
    pub(crate) fn close(folder: &Folder, summary: &Summary) -> anyhow::Result<()> {
        let mut receipt = Self::of(folder, summary);
        receipt["files"] = files(folder.path())?.into();
        folder.stage(FILE, &serde_json::to_string_pretty(&receipt)?)
    }

    /// What a run was made from: the hash over its files and what lay over them.
    pub fn inputs_hash(folder: &Path) -> Option<String> {
        let text = fs::read_to_string(folder.join(FILE)).ok()?;
        let receipt: Value = serde_json::from_str(&text).ok()?;
        Some(receipt["inputs"]["sha256"].as_str()?.to_owned())
    }
}

/// What this program is.
fn origin() -> Value {
    let mut missing = Map::new();
    let mut known = |name: &str, value: Option<&str>, why: &str| match value {
        Some(value) => Value::from(value),
        None => {
            missing.insert(name.to_owned(), why.into());
            Value::Null
        }
    };
    // Changes that were not committed are not known.
    let commit =
        known("commit", option_env!("TOCSIN_COMMIT"), "it was not built in a git repository");
    let rustc = known("rustc", option_env!("TOCSIN_RUSTC"), "the compiler did not say");
    json!({
        "tocsin": env!("CARGO_PKG_VERSION"),
        "commit": commit,
        "rustc": rustc,
        "optimised": !cfg!(debug_assertions),
        "missing": missing,
    })
}

fn merge(receipt: &mut Value, known: Value, missing: &Map<String, Value>) {
    if let (Some(receipt), Value::Object(known)) = (receipt.as_object_mut(), known) {
        receipt.extend(known);
    }
    for (name, why) in missing {
        receipt["missing"][name] = why.clone();
    }
}

fn fact<T: Into<Value>>(
    missing: &mut Map<String, Value>,
    name: &str,
    fact: io::Result<T>,
) -> Value {
    match fact {
        Ok(value) => value.into(),
        Err(error) => {
            missing.insert(name.to_owned(), error.to_string().into());
            Value::Null
        }
    }
}

fn input(missing: &mut Map<String, Value>, name: &str, path: &Path) -> Value {
    let hash = hash_of_file(path, Sha256::new()).map(|hash| hex(&hash.finalize()));
    json!({"file": path.display().to_string(), "sha256": fact(missing, name, hash)})
}

/// The hash of all files and of everything that lies over them, in order.
fn effective(files: &[PathBuf], layers: &[(String, String)]) -> io::Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        hash = hash_of_file(file, hash)?;
    }
    for (key, value) in layers {
        hash.update(format!("\n{key}={value}"));
    }
    Ok(hex(&hash.finalize()))
}

fn hash_of_file(path: &Path, mut hash: Sha256) -> io::Result<Sha256> {
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Name and size of every file in the folder but this one, by name. What is staged goes by the name that it gets.
fn files(folder: &Path) -> io::Result<Vec<Value>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                let name = name.display().to_string();
                let bytes = entry.metadata()?.len();
                match name.strip_suffix(PART) {
                    Some(staged) => found.insert(staged.trim_start_matches('.').to_owned(), bytes),
                    None => Some(*found.entry(name).or_insert(bytes)),
                };
            }
        }
    }
    found.remove(FILE);
    // It goes when the run has ended.
    found.remove(MARK);
    Ok(found.into_iter().map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect())
}

/// How this run was started, to be pasted into a shell: the variables that lie over its files, then the words of the
/// command.
pub fn command_line() -> String {
    let variables =
        environment().into_iter().map(|(name, value)| format!("{name}={}", quoted(&value)));
    let words = std::env::args_os().map(|word| quoted(&word.to_string_lossy()));
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

/// A word that a POSIX shell reads as it is.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let words = [
            "plain",
            "",
            "it's",
            "a b",
            "$HOME `x` \"y\" \\",
            "sites.alpha.max_calls=10",
            "*",
            "é\n#",
        ];
        let line = words.map(quoted).join(" ");
        let output = Command::new("sh")
            .args(["-c", &format!("printf '%s\\0' {line}")])
            .output()
            .expect("a shell");
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(said.trim_end_matches('\0').split('\0').collect::<Vec<_>>(), words);
        assert_eq!(quoted("configs/campaigns/demo.toml"), "configs/campaigns/demo.toml");
    }

    #[test]
    fn the_hash_follows_files_and_what_lies_over_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let [campaign, network] =
            ["campaign.toml", "network.toml"].map(|name| folder.path().join(name));
        fs::write(&campaign, "seed = 1").expect("a file");
        fs::write(&network, "name = \"a\"").expect("a file");
        let set = |value: &str| vec![("seed".to_owned(), value.to_owned())];
        let hash = |layers: &[(String, String)]| {
            effective(&[campaign.clone(), network.clone()], layers).expect("a hash")
        };
        let plain = hash(&[]);
        assert_eq!(plain.len(), 64);
        assert_ne!(plain, hash(&set("2")));
        assert_ne!(hash(&set("2")), hash(&set("3")));
        fs::write(&network, "name = \"b\"").expect("a file");
        assert_ne!(plain, hash(&[]));
    }
}
