//! The folder of a network that is served by hand: `tocsin switch` and `tocsin psap` of one network file share it.
//!
//! ```text
//!  runs/<date>-<network>-<n>/
//!    network.toml             the file, copied
//!    serving.json             which boxes are where, and which programs have served them
//!    records/switch-1.jsonl   a program's calls, each when it is over; the older half beside it
//!    .serving-1 .served       locked while that program lives; boxes have listened (served_marks.rs)
//!    report.txt calls.csv     made by tocsin report, also while it is served
//! ```
//!
//! A program that starts goes into the folder of another one that lives, if that serves other boxes of the same file at the same
//! addresses. Otherwise it makes a new one. Nothing was demanded of such a network, so it has no verdict.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use topology::Topology;

use crate::find::names;
use crate::folder::{Folder, claim, point_latest};
use crate::receipt::command_line;
use crate::served_marks::{self as marks, SERVING};

/// Version of the shape of `serving.json`.
const SCHEMA_VERSION: u32 = 1;
/// Held while somebody looks for a folder, or changes what stands in one.
const DOOR: &str = ".serving.lock";

/// `serving.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedNetwork {
    pub schema_version: u32,
    /// The name of the network.
    pub network: String,
    /// Its file.
    pub file: PathBuf,
    /// Where each box is, by its name.
    pub addresses: BTreeMap<String, SocketAddr>,
    /// Unix microseconds.
    pub started_us: u64,
    pub programs: Vec<ServingProgram>,
}

/// A program that serves boxes, or has served them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServingProgram {
    /// `switch`, `psap`
    pub program: String,
    pub boxes: Vec<String>,
    /// As it was typed.
    pub command: String,
    pub started_us: u64,
    /// `None`: it lives, or was killed.
    pub ended_us: Option<u64>,
}

impl ServedNetwork {
    /// What stands in the folder; `None` if it is that of a run.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(folder: &Path) -> anyhow::Result<Option<Self>> {
        if !marks::is_served(folder) {
            return Ok(None);
        }
        let path = folder.join(SERVING);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let known = serde_json::from_str(&text);
        known.map(Some).with_context(|| format!("cannot understand {}", path.display()))
    }

    /// Whether it is this network, and nobody alive in `folder` serves one of `boxes`.
    fn has_room_for(&self, folder: &Path, wanted: &Self, boxes: &[String]) -> bool {
        let is_taken = |(number, program): (usize, &ServingProgram)| {
            marks::lives(folder, number + 1)
                && program.boxes.iter().any(|name| boxes.contains(name))
        };
        self.file == wanted.file
            && self.addresses == wanted.addresses
            && marks::any_lives(folder)
            && !self.programs.iter().enumerate().any(is_taken)
    }
}

/// A program of this process in the folder of its network.
#[derive(Debug)]
pub struct ServingPart {
    folder: Folder,
    runs: PathBuf,
    program: String,
    /// From 1.
    number: usize,
    mark: Mutex<Option<File>>,
}

impl ServingPart {
    /// Finds the folder for `boxes` of the network in `file`, or makes one.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn open(
        runs: &Path,
        program: &str,
        file: &Path,
        topology: &Topology,
        boxes: Vec<String>,
    ) -> anyhow::Result<Self> {
        let advice = "give another folder with --runs, or say --no-records";
        fs::create_dir_all(runs)
            .with_context(|| format!("cannot create {}; {advice}", runs.display()))?;
        let _door = door(runs).with_context(|| advice)?;
        let wanted = network(file, topology);
        let entry = ServingProgram {
            program: program.to_owned(),
            boxes,
            command: command_line(),
            started_us: unix_us(),
            ended_us: None,
        };
        let (folder, mut network) = match find(runs, &wanted, &entry.boxes)? {
            Some(found) => found,
            None => {
                let folder = Folder::open(&claim(runs, &wanted.network, advice)?);
                if let Err(error) = begin_folder(&folder, file) {
                    let _ = fs::remove_dir_all(folder.path());
                    return Err(error.context(advice));
                }
                (folder, wanted)
            }
        };
        network.programs.push(entry);
        let number = network.programs.len();
        let mark = marks::set(folder.path(), number);
        let (runs, program) = (runs.to_owned(), program.to_owned());
        let part = Self { folder, runs, program, number, mark: Mutex::new(mark) };
        if let Err(error) = part.keep(&network) {
            part.leave();
            return Err(error.context(advice));
        }
        Ok(part)
    }

    /// Where the network's folder is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The record file of this program.
    #[must_use]
    pub fn records(&self) -> PathBuf {
        self.folder.records(&format!("{}-{}", self.program, self.number))
    }

    /// The file of the messages of its calls.
    #[must_use]
    pub fn trace(&self) -> PathBuf {
        self.folder.trace(&format!("{}-{}", self.program, self.number))
    }

    /// Its boxes listen: from now on the folder is the latest.
    pub fn begin(&self) {
        marks::begin(self.folder.path());
        if let Some(name) = self.folder.path().file_name() {
            point_latest(&self.runs, name);
        }
    }

    /// The program ends. A folder in which no box ever listened goes.
    pub fn end(&self) {
        let Ok(_door) = door(&self.runs) else { return };
        if let Ok(Some(mut network)) = ServedNetwork::load(self.folder.path())
            && let Some(program) = network.programs.get_mut(self.number - 1)
        {
            program.ended_us = Some(unix_us());
            // Best effort: it counts as killed otherwise.
            let _ = self.keep(&network);
        }
        self.leave();
    }

    fn leave(&self) {
        marks::clear(self.folder.path(), self.number);
        drop(self.mark.lock().unwrap_or_else(PoisonError::into_inner).take());
        if !marks::has_begun(self.folder.path()) && !marks::any_lives(self.folder.path()) {
            let _ = fs::remove_dir_all(self.folder.path());
        }
    }

    fn keep(&self, network: &ServedNetwork) -> anyhow::Result<()> {
        self.folder.replace(SERVING, &serde_json::to_string_pretty(network)?)
    }
}

/// Only one at a time looks for a folder.
fn door(runs: &Path) -> anyhow::Result<File> {
    let path = runs.join(DOOR);
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    // A file system without locks has at most two folders for one network.
    let _ = file.lock();
    Ok(file)
}

fn network(file: &Path, topology: &Topology) -> ServedNetwork {
    let groups = topology.trunk_groups.iter().map(|group| (group.name.clone(), group.address));
    let servers = topology.call_servers().map(|one| (one.name.clone(), one.address));
    let psaps = topology.psaps.iter().map(|psap| (psap.name.clone(), psap.address));
    ServedNetwork {
        schema_version: SCHEMA_VERSION,
        network: topology.name.clone(),
        file: file.canonicalize().unwrap_or_else(|_| file.to_owned()),
        addresses: groups.chain(servers).chain(psaps).collect(),
        started_us: unix_us(),
        programs: Vec::new(),
    }
}

/// The newest folder that has room.
fn find(
    runs: &Path,
    wanted: &ServedNetwork,
    boxes: &[String],
) -> anyhow::Result<Option<(Folder, ServedNetwork)>> {
    for name in names(runs)?.into_iter().rev() {
        let folder = runs.join(name);
        // What another version wrote is not ours to go on with.
        if let Ok(Some(network)) = ServedNetwork::load(&folder)
            && network.has_room_for(&folder, wanted, boxes)
        {
            return Ok(Some((Folder::open(&folder), network)));
        }
    }
    Ok(None)
}

fn begin_folder(folder: &Folder, file: &Path) -> anyhow::Result<()> {
    folder.make("records")?;
    let copy = folder.path().join("network.toml");
    fs::copy(file, &copy)
        .with_context(|| format!("cannot copy {} to {}", file.display(), copy.display()))?;
    Ok(())
}

fn unix_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::Standing;

    const NETWORK: &str = "[sites.alpha]\naddress = \"127.0.0.11:5060\"\n[trunk_groups.mobile]\naddress = \"127.0.0.21:5060\"\n\
        circuits = 10\n[psaps.samu-59]\naddress = \"127.0.0.31:5060\"\nnumber = \"0353010015\"\npositions = 2\n\
        [[routes]]\nnumbers = [\"15\"]\npsaps = [\"samu-59\"]\n";

    struct Lab {
        desk: tempfile::TempDir,
        topology: Topology,
    }

    impl Lab {
        fn new() -> Self {
            let desk = tempfile::tempdir().expect("a folder");
            let file = desk.path().join("lab.toml");
            fs::write(&file, NETWORK).expect("a file");
            let topology = Topology::load(&file, &topology::Layers::none()).expect("a network");
            Self { desk, topology }
        }

        fn serve(&self, program: &str, boxes: &[&str]) -> ServingPart {
            let boxes = boxes.iter().map(|name| (*name).to_owned()).collect();
            let (runs, file) = (self.desk.path().join("runs"), self.desk.path().join("lab.toml"));
            ServingPart::open(&runs, program, &file, &self.topology, boxes).expect("a folder")
        }
    }

    #[test]
    fn programs_of_one_network_share_a_folder_while_one_of_them_lives() {
        let lab = Lab::new();
        let latest = || fs::read_link(lab.desk.path().join("runs/latest")).ok();
        let psap = lab.serve("psap", &["samu-59"]);
        let switch = lab.serve("switch", &["alpha", "mobile"]);
        assert_eq!(psap.folder(), switch.folder());
        assert_ne!(psap.records(), switch.records());
        assert_eq!((Standing::of(psap.folder()), latest()), (Standing::Starting, None));
        switch.begin();
        psap.begin();
        let folder = switch.folder().to_owned();
        assert_eq!(Standing::of(&folder), Standing::Serving);
        assert_eq!(latest().as_deref(), folder.file_name().map(Path::new));
        // The same boxes once more are another network.
        let other = lab.serve("psap", &["samu-59"]);
        assert_ne!(other.folder(), folder);
        other.end();
        assert!(!other.folder().exists(), "none of its boxes ever listened");
        // One of them starts again.
        switch.end();
        let again = lab.serve("switch", &["alpha", "mobile"]);
        assert_eq!(again.folder(), folder);
        again.begin();
        again.end();
        assert_eq!(Standing::of(&folder), Standing::Serving);
        // As if it had been killed.
        drop(psap);
        assert_eq!(Standing::of(&folder), Standing::Served);
        let known = ServedNetwork::load(&folder).expect("JSON").expect("a network");
        let ended: Vec<bool> = known.programs.iter().map(|one| one.ended_us.is_some()).collect();
        assert_eq!(ended, [false, true, true]);
        assert_ne!(lab.serve("psap", &["samu-59"]).folder(), folder);
    }
}
