//! Finds the folders of earlier runs by what people call them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::standing::Standing;

/// The link to the newest run that began.
const LATEST: &str = "latest";
/// Names that a refusal lists.
const NAMES_LISTED: usize = 5;

/// The folder of the run that `word` means: a path, a name in `runs`, `latest`, or a unique part of a name. A name without its
/// date comes before a part, and so does that of a campaign.
pub fn locate(runs: &Path, word: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(word);
    let in_runs = runs.join(word);
    // A name has no separator; what has one is a path, and no part of a name.
    if path.components().count() > 1 || path.is_absolute() || [".", ".."].contains(&word) {
        return if path.is_dir() {
            Ok(path.to_owned())
        } else {
            bail!("there is no folder {word}")
        };
    }
    if !word.is_empty() && in_runs.is_dir() {
        return Ok(in_runs);
    }
    let names = names(runs)?;
    // A file system without links has none to the newest.
    if let (LATEST, Some(newest)) = (word, names.last()) {
        let mut folders = names.iter().rev().map(|name| runs.join(name));
        return folders.find(|folder| Standing::of(folder).has_begun()).with_context(|| {
            format!("no run in {} has begun; the newest folder is {newest}", runs.display())
        });
    }
    let meant = |is_meant: fn(&str, &str) -> bool| {
        names.iter().filter(|name| is_meant(name, word)).collect::<Vec<_>>()
    };
    let whole =
        [meant(|name, word| undated(name) == word), meant(|name, word| campaign(name) == word)];
    let whole = whole.into_iter().find(|names| !names.is_empty());
    let parts = whole.unwrap_or_else(|| meant(|name, word| name.contains(word)));
    match parts[..] {
        [name] => return Ok(runs.join(name)),
        [] if path.is_dir() => return Ok(path.to_owned()),
        [] => {}
        [..] => bail!("{word:?} is part of {} names: {}", parts.len(), listed(&parts)),
    }
    if names.is_empty() {
        bail!(
            "there is no run in {}; tocsin run makes one, --runs names another folder",
            runs.display()
        );
    }
    let known = names.iter().map(String::as_str);
    match topology::reader::nearest(word, known) {
        Some(near) => {
            bail!("no run in {} is called {word:?}; did you mean {near}?", runs.display())
        }
        None => {
            let newest: Vec<&String> = names.iter().rev().collect();
            bail!(
                "no run in {} is called {word:?}; the newest are {}",
                runs.display(),
                listed(&newest)
            )
        }
    }
}

/// `demo-12` of `2026-11-26-demo-12`.
fn undated(name: &str) -> &str {
    let is_date = |date: &&str| {
        let form = date.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
        form.eq(*b"0000-00-00-")
    };
    name.get(..11).filter(is_date).map_or(name, |date| &name[date.len()..])
}

/// `demo` of `2026-11-26-demo-12`.
fn campaign(name: &str) -> &str {
    let (name, number) = undated(name).rsplit_once('-').unwrap_or((name, ""));
    if number.bytes().all(|byte| byte.is_ascii_digit()) { name } else { "" }
}

fn listed(names: &[&String]) -> String {
    let mut text =
        names.iter().take(NAMES_LISTED).map(|name| &name[..]).collect::<Vec<_>>().join(", ");
    if names.len() > NAMES_LISTED {
        text += " …";
    }
    text
}

/// The folders in `runs`, the oldest first: by date and number, as they are called.
pub fn names(runs: &Path) -> anyhow::Result<Vec<String>> {
    let entries = match fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", runs.display())),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", runs.display()))?;
        // The link to the newest is none of its own.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let made = entry.metadata().and_then(|it| it.modified()).ok();
            found.push((made, entry.file_name().to_string_lossy().into_owned()));
        }
    }
    found.sort_by_key(|(_, name)| order(name));
    Ok(found.into_iter().map(|(_, name)| name).collect())
}

/// `2026-11-26-demo-10` comes after `2026-11-26-demo-9`, and both before the next day.
fn order(name: &str) -> (String, u64, String) {
    let number = name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    (name.chars().take(10).collect(), number, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(names: &[&str]) -> tempfile::TempDir {
        let desk = tempfile::tempdir().expect("a folder");
        for name in names {
            fs::create_dir(desk.path().join(name)).expect("a run folder");
            fs::write(desk.path().join(name).join("summary.json"), "{}").expect("a run that began");
        }
        desk
    }

    #[test]
    fn a_run_is_found_by_path_name_and_unique_part() {
        let desk = desk(&["2026-11-26-demo-1", "2026-11-26-demo-12", "2026-11-27-overload-1"]);
        let found = |word: &str| {
            locate(desk.path(), word)
                .map(|it| it.file_name().expect("a name").to_string_lossy().into_owned())
        };
        assert_eq!(found("2026-11-26-demo-1").expect("its name"), "2026-11-26-demo-1");
        assert_eq!(found("overload").expect("a part"), "2026-11-27-overload-1");
        let path = desk.path().join("2026-11-26-demo-12");
        assert_eq!(found(path.to_str().expect("UTF-8")).expect("a path"), "2026-11-26-demo-12");
        let refused = |word: &str| found(word).expect_err("no such run").to_string();
        assert!(refused("demo").contains("part of 2 names: 2026-11-26-demo-1, 2026-11-26-demo-12"));
        assert!(
            refused("2026-11-26-demo-3").contains("did you mean 2026-11-26-demo-1"),
            "{}",
            refused("2026-11-26-demo-3")
        );
        assert!(
            refused("elsewhere").contains("the newest are 2026-11-27-overload-1"),
            "{}",
            refused("elsewhere")
        );
        assert!(refused("no/such").contains("no folder"));
        assert!(refused("").contains("part of 3 names"));
        assert_eq!(found("latest").expect("the newest"), "2026-11-27-overload-1");
    }

    #[test]
    fn a_whole_name_comes_before_parts_of_others() {
        let desk = desk(&[
            "2026-11-26-demo-1",
            "2026-11-26-demo-12",
            "2026-11-26-over-1",
            "2026-11-26-overload-1",
            "2026-11-26-over-the-top-1",
            "over",
            "nightly",
            "nightly-2",
        ]);
        let found = |word: &str| {
            let folder =
                locate(desk.path(), word).unwrap_or_else(|error| panic!("{word}: {error}"));
            folder.file_name().expect("a name").to_string_lossy().into_owned()
        };
        for (word, name) in [
            ("2026-11-26-demo-1", "2026-11-26-demo-1"),
            ("demo-1", "2026-11-26-demo-1"),
            ("demo-12", "2026-11-26-demo-12"),
            ("over", "over"),
            ("over-1", "2026-11-26-over-1"),
            ("overload", "2026-11-26-overload-1"),
            ("nightly", "nightly"),
            ("the-top", "2026-11-26-over-the-top-1"),
        ] {
            assert_eq!(found(word), name);
        }
        let several = locate(desk.path(), "demo").expect_err("two of them").to_string();
        assert!(several.contains("2 names: 2026-11-26-demo-1, 2026-11-26-demo-12"), "{several}");
    }

    #[test]
    fn runs_come_in_the_order_of_their_days_and_numbers() {
        let desk = desk(&["2026-11-26-demo-10", "2026-11-26-demo-9", "2026-11-25-demo-11"]);
        let names = names(desk.path()).expect("names");
        assert_eq!(names, ["2026-11-25-demo-11", "2026-11-26-demo-9", "2026-11-26-demo-10"]);
        let nowhere = locate(&desk.path().join("nowhere"), "latest").expect_err("no runs");
        assert!(nowhere.to_string().contains("there is no run in"), "{nowhere}");
    }
}
