//! What a run holds at a moment: what its processes take of the machine, and what its boxes show.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// One run, seen from outside.
#[derive(Debug)]
pub(crate) struct Probe {
    access: PathBuf,
    run: u32,
}

/// What was seen.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) at: Duration,
    pub(crate) processes: BTreeMap<String, Share>,
    boxes: BTreeMap<String, Value>,
}

/// What one process takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Share {
    pub(crate) rss_kib: u64,
    pub(crate) descriptors: u64,
}

impl Probe {
    pub(crate) fn new(folder: &Path, run: u32) -> Self {
        Self { access: folder.join("runs/latest/manage.json"), run }
    }

    pub(crate) fn look(&self, at: Duration) -> Look {
        let shown = ask(&self.access, "GET /v1/boxes HTTP/1.1", "");
        let boxes = shown["boxes"].as_object().unwrap_or_else(|| panic!("{shown}")).clone();
        let boxes = boxes.into_iter().collect();
        Look { at, processes: self.processes(), boxes }
    }

    /// Of the run and all its children: see proc(5).
    fn processes(&self) -> BTreeMap<String, Share> {
        let children =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.run)).unwrap();
        let children = children.split_whitespace().map(|id| id.parse().unwrap());
        [self.run]
            .into_iter()
            .chain(children)
            .filter_map(|id| Some((name_of(id)?, share_of(id)?)))
            .collect()
    }
}

/// What its command line says of it.
fn name_of(id: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    let words: Vec<_> = line
        .split(|octet| *octet == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let after = |key: &str| {
        words.iter().position(|word| word == key).and_then(|at| words.get(at + 1)).cloned()
    };
    let known = after("--site").or_else(|| after("--psap"));
    Some(known.unwrap_or_else(|| match words.iter().any(|word| word == "--trunks") {
        true => "trunks".to_owned(),
        false if words.iter().any(|word| word == "load") => "load".to_owned(),
        false => "run".to_owned(),
    }))
}

fn share_of(id: u32) -> Option<Share> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let rss_kib = rss.trim().trim_end_matches("kB").trim().parse().ok()?;
    let descriptors = fs::read_dir(format!("/proc/{id}/fd")).ok()?.count() as u64;
    Some(Share { rss_kib, descriptors })
}

/// Asks the management plane of the run that this file leads to.
pub(crate) fn ask(access: &Path, request: &str, body: &str) -> Value {
    let access: Value = serde_json::from_str(&fs::read_to_string(access).unwrap()).unwrap();
    let address: SocketAddr = access["address"].as_str().unwrap().parse().unwrap();
    let token = access["token"].as_str().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{request}\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(body).unwrap_or_else(|why| panic!("{why}: {answer}"))
}

impl Look {
    /// Where the boxes of these kinds listen.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let boxes = self
            .boxes
            .values()
            .filter(|one| one["kind"] != "generator" && one["kind"] != "pool_monitor");
        boxes.filter_map(|one| one["address"].as_str()?.parse().ok()).collect()
    }

    /// The sum of a figure over all boxes that show it; `path` leads to it.
    pub(crate) fn sum(&self, path: &str) -> u64 {
        let figure = |one: &Value| one["snapshot"].pointer(path).and_then(Value::as_u64);
        self.boxes.values().filter_map(figure).sum()
    }

    /// Circuits that are seized, over all trunk groups.
    pub(crate) fn circuits(&self) -> u64 {
        let members = self.boxes.values().filter_map(|one| one["snapshot"]["members"].as_array());
        members.flatten().filter_map(|member| member["seized"].as_u64()).sum()
    }

    /// Calls that boxes have at this moment.
    pub(crate) fn calls(&self) -> u64 {
        self.sum("/calls") + self.sum("/in_progress")
    }

    /// One sentence for each thing that is held and was not `before`.
    pub(crate) fn held(&self, before: &Self) -> Vec<String> {
        let figures = [
            ("calls", self.calls()),
            ("circuits", self.circuits()),
            ("streams", self.sum("/media/streams")),
            ("queue places", self.sum("/waiting")),
            ("positions", self.sum("/positions/ringing") + self.sum("/positions/talking")),
        ];
        let mut held: Vec<String> = figures
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        // Boxes ask each other how they are, at any time.
        let most = before.sum("/transactions") * 5 / 4 + 10;
        let transactions = self.sum("/transactions");
        if transactions > most {
            held.push(format!("{transactions} transactions, {most} at most"));
        }
        for (name, share) in &self.processes {
            // Between its boxes, a connection or two for the monitoring of the pool may be open.
            let most = before.processes.get(name).map_or(0, |share| share.descriptors) + SPARE;
            if share.descriptors > most {
                held.push(format!("{name}: {} descriptors, {most} at most", share.descriptors));
            }
        }
        held
    }
}

/// Descriptors that a process may have more in the end than in the beginning: ports for media that the waves needed are kept for the
/// calls to come, some 40 pairs a box.
const SPARE: u64 = 128;
