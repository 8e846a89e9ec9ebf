//! The name of a run, as a page says it: a folder in the folder of runs, and nothing else on the disk.

use std::path::{Path, PathBuf};

use run_folder::locate;

/// The folder of the run that is called so; a sentence where there is none.
pub(crate) fn folder(runs: &Path, name: &str) -> Result<PathBuf, String> {
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if !is_plain {
        return Err(format!("{name:?} is no name of a run"));
    }
    let folder = runs.join(name);
    // `latest` is a link that the program made.
    let is_run = folder.symlink_metadata().is_ok_and(|it| it.is_dir()) || name == "latest";
    if !is_run {
        return Err(format!("no run is called {name:?}"));
    }
    let found = locate(runs, name).map_err(|error| format!("{error:#}"))?;
    Ok(found.canonicalize().unwrap_or(found))
}

/// A plain file of a run that may be read: what is told of it, and neither the token nor what a link leads to.
pub(crate) fn file(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let is_plain = !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let kind = name.rsplit_once('.').map(|(_, kind)| kind);
    let is_told = matches!(kind, Some("html" | "txt" | "json" | "xml" | "csv" | "toml" | "svg"));
    let path = folder.join(name);
    let is_file = is_plain && path.symlink_metadata().is_ok_and(|it| it.is_file());
    if is_file && is_told && name != "manage.json" {
        return Ok(path);
    }
    Err(format!("the run has no file {name:?}"))
}

/// The files of a run that may be read, by name.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| file(folder, name).is_ok()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_but_what_is_told_of_a_run_is_reached() {
        let desk = tempfile::tempdir().expect("a folder");
        let run = desk.path().join("2026-11-26-demo-1");
        fs::create_dir(&run).expect("a run");
        for name in ["report.html", "summary.json", "manage.json", ".running", "calls.sqlite"] {
            fs::write(run.join(name), "x").expect("a file");
        }
        symlink("/etc/passwd", run.join("passwd.txt")).expect("a link");
        symlink("/etc", desk.path().join("etc")).expect("a link");
        let found = folder(desk.path(), "2026-11-26-demo-1").expect("a run");
        assert_eq!(files(&found), ["report.html", "summary.json"]);
        for name in ["", ".", "..", "../x", "etc", "2026", "/etc", "demo-1", ".hidden"] {
            assert!(folder(desk.path(), name).is_err(), "{name}");
        }
        for name in
            ["manage.json", "../2026-11-26-demo-1/report.html", ".running", "passwd.txt", ""]
        {
            assert!(file(&found, name).is_err(), "{name}");
        }
    }
}
