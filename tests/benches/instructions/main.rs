//! How many instructions a message, a call, a packet and a second of an outage take, by callgrind, held against
//! `instructions.json`: `make instructions` fails when one takes more than a tenth more than is on record there, and
//! `make instructions-recorded` records anew.
//!
//! A count is no timing: it is the same on a busy machine. Each subject runs in a process of its own, which sets its work
//! up and counts only then. `docs/adr/0033-instructions-on-record.md` says why that is done here and not by a library.

mod callgrind;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use system_tests::counted::SUBJECTS;
use system_tests::counted::record::{Change, Counts, compare, cost_of_recording};

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Each build profile has counts of its own.
const PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

fn main() -> anyhow::Result<()> {
    // cargo adds `--bench`.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check(),
        ["--record"] => record(),
        [callgrind::RUN, name] => run(name),
        _ => bail!("the only argument is --record"),
    }
}

/// Under callgrind: the work of one subject.
fn run(name: &str) -> anyhow::Result<()> {
    let subject = SUBJECTS.iter().find(|subject| subject.name == name);
    let mut work = (subject.with_context(|| format!("nothing is called {name}"))?.ready)();
    callgrind::count(&mut *work);
    Ok(())
}

fn check() -> anyhow::Result<()> {
    let mut record = read()?;
    let recorded = record.remove(PROFILE).unwrap_or_default();
    let counted = count()?;
    let compared = compare(&recorded, &counted);
    print!("{}", table::table(PROFILE, &compared));
    print!("{}", table::recording(&cost_of_recording(&counted)));
    let broken: Vec<_> = compared.iter().filter(|one| !one.change.is_passable()).collect();
    if compared.iter().any(|one| one.change == Change::Fallen) {
        println!("What has fallen by more than a tenth is worth a new record: {}", table::COMMAND);
    }
    ensure!(
        broken.is_empty(),
        "{}\nIf that is meant, record it in the same commit: {}",
        broken.iter().map(|one| table::sentence(one)).collect::<Vec<_>>().join("\n"),
        table::COMMAND
    );
    Ok(())
}

fn record() -> anyhow::Result<()> {
    let mut record = read()?;
    let counted = count()?;
    let recorded = record.insert(PROFILE.to_owned(), counted.clone()).unwrap_or_default();
    print!("{}", table::table(PROFILE, &compare(&recorded, &counted)));
    print!("{}", table::recording(&cost_of_recording(&counted)));
    let text = serde_json::to_string_pretty(&record)?;
    fs::write(file(), text + "\n")?;
    println!("recorded in {}", file().display());
    Ok(())
}

/// Counts all subjects, as many at once as there are cores.
fn count() -> anyhow::Result<Counts> {
    callgrind::check_installed()?;
    let folder = out_folder()?;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let cores = std::thread::available_parallelism()?.get();
    let take = || next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let work = || {
        let subjects = std::iter::from_fn(|| SUBJECTS.get(take()));
        subjects.map(|one| callgrind::instructions(one, &folder)).collect::<Vec<_>>()
    };
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).collect::<Vec<_>>()
    });
    counts.into_iter().flatten().collect()
}

fn read() -> anyhow::Result<BTreeMap<String, Counts>> {
    let file = file();
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no record", file.display()))
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/instructions.json")
}

/// Where the profiles go, for `callgrind_annotate`.
fn out_folder() -> anyhow::Result<PathBuf> {
    // target/PROFILE/deps/instructions-HASH
    let own = std::env::current_exe()?;
    let target =
        own.ancestors().nth(3).context("this program does not stand in a target folder")?;
    let folder = target.join("instructions");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
