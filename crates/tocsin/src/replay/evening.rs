//! One campaign from its start to its end in virtual time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use load_gen::Progress;
use load_gen::summary::{Books, ProcessUsage, Run};
use node::Reply;
use switch::pool::{Change, MemberState};
use telemetry::{BoxKind, CallRecord, MessageFigures};
use world::{Link, Listener, Notice, START, World};

use super::Task;
use super::ledger_hash::LedgerHash;
use crate::control_room::{ControlRoom, Deed, SiteView, View};
use crate::outcome::{Evidence, Goodput, Outcome};
use crate::page::Series;
use crate::run::Folder;
use crate::webhook::Webhook;

/// Between two boxes, one way: what a national network needs.
const LINK: Link = Link { latency: Duration::from_millis(5), ..Link::CLEAN };
/// Virtual time between two looks when nobody supervises.
const LOOK: Duration = Duration::from_secs(10);
/// Between two lines of progress.
const LINE: Duration = Duration::from_secs(30 * 60);

/// Takes what boxes tell.
#[derive(Debug)]
struct Ears {
    books: Books,
    hash: LedgerHash,
    /// Records of generators and PSAPs, which the books need twice.
    twice: Vec<CallRecord>,
    evidence: Evidence,
    goodput: Goodput,
    restarts: Vec<(Duration, SocketAddr, String)>,
    falls: Vec<Change>,
    file: Option<BufWriter<File>>,
}

impl Listener for Ears {
    fn hear(&mut self, elapsed: Duration, from: SocketAddr, notice: Notice) {
        match notice {
            Notice::Record(record) => self.take(*record),
            Notice::Restarting { why } => self.restarts.push((elapsed, from, why)),
            Notice::Change(change) if change.to == MemberState::Down => self.falls.push(change),
            Notice::Change(_) | Notice::InService | Notice::Recording(_) => {}
        }
    }
}

impl Ears {
    fn take(&mut self, record: CallRecord) {
        self.books.add_first(&record);
        self.hash.add(&record);
        if let Some(file) = &mut self.file
            && serde_json::to_writer(&mut *file, &record).is_ok()
        {
            let _ = file.write_all(b"\n");
        }
        match record.kind {
            BoxKind::Generator => {
                self.evidence.add(&record);
                self.goodput.add(&record);
                self.twice.push(record);
            }
            BoxKind::Psap => self.twice.push(record),
            BoxKind::TrunkGroup | BoxKind::CallServer => {}
        }
    }
}

/// Runs one task, and writes what it leaves behind into `folder`.
pub(crate) fn run(
    task: &Task,
    folder: &Folder,
    quiet: bool,
    records: bool,
    stop: &AtomicBool,
) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let Task { campaign, topology, .. } = task;
    let file = match records {
        true => Some(BufWriter::new(File::create(folder.records(&task.name))?)),
        false => None,
    };
    let start_us = u64::try_from(START.as_micros()).unwrap_or(u64::MAX);
    let ears = Ears {
        books: Books::open(campaign.rules()),
        hash: LedgerHash::default(),
        twice: Vec::new(),
        evidence: Evidence::new(&campaign.figures, start_us, campaign.duration()),
        goodput: Goodput::new(campaign.levels(), start_us),
        restarts: Vec::new(),
        falls: Vec::new(),
        file,
    };
    let clips = cli::load_clips(&topology.media)?;
    let mut world = World::new(topology.clone(), clips, LINK, campaign.seed, ears);
    world.net.stop_trace();
    world.start_campaign(campaign);
    let mut room = ControlRoom::new(&campaign.operations, &topology.pool_sites());
    let mut lines = Lines::new(task, quiet);
    let interrupted = drive(task, &mut world, &mut room, &mut lines, stop);
    conclude(task, folder, world, room, interrupted, started)
}

/// Runs until every call is over, or the drain has ended. True when interrupted.
fn drive(
    task: &Task,
    world: &mut World<Ears>,
    room: &mut ControlRoom,
    lines: &mut Lines,
    stop: &AtomicBool,
) -> bool {
    let end = task.campaign.duration();
    let mut interrupted = false;
    // Only the campaign itself rings anywhere; its variants would be taken for it.
    let supervision = task.campaign.operations.supervision.as_ref();
    let url = supervision.and_then(|it| it.webhook.as_ref()).filter(|_| task.name == super::BASE);
    let mut webhook = url.map(|url| Webhook::new(url, START));
    loop {
        let at = world.net.elapsed();
        if room.watches() {
            room.see(at, view(task, world));
        }
        room.advance(at);
        if let Some(webhook) = &mut webhook {
            webhook.tell(room.alarms());
        }
        while let Some(deed) = room.poll_deed() {
            carry_out(task, world, room, at, deed);
        }
        lines.tell(at, world);
        interrupted |= stop.load(Ordering::Relaxed);
        if interrupted
            || (at >= end && world.generator().finished)
            || at >= end + task.campaign.drain_timeout
        {
            break;
        }
        let next = room.next_due().filter(|due| *due > at).unwrap_or(Duration::MAX);
        world.net.run_for(next.min(at + LOOK).saturating_sub(at).max(Duration::from_millis(1)));
    }
    world.drain();
    interrupted
}

fn carry_out(
    task: &Task,
    world: &mut World<Ears>,
    room: &mut ControlRoom,
    at: Duration,
    deed: Deed,
) {
    match deed {
        Deed::Order { procedure, id, site, action } => {
            let of_site = |one: &&topology::CallServer| one.site == site;
            let mut answer = None;
            for call_server in task.topology.call_servers().filter(of_site) {
                let reply = world.command(&call_server.name, action.clone());
                match reply {
                    Reply::Silent => return, // whoever asked waits in vain
                    Reply::Done(text) => answer = answer.or(Some(Ok(text))),
                    Reply::Refused(text) => answer = Some(Err(text)),
                }
            }
            if let Some(answer) = answer {
                room.answered(at, procedure, id, answer);
            }
        }
        Deed::Advise => world.tell_callers(load_gen::Command::Advise),
        Deed::Publish => world.tell_callers(load_gen::Command::PublishTenDigits),
    }
}

fn view(task: &Task, world: &World<Ears>) -> View {
    let psaps =
        task.topology.psaps.iter().map(|psap| (psap.name.clone(), world.psap_offered(&psap.name)));
    let mut sites = BTreeMap::<String, SiteView>::new();
    for call_server in task.topology.call_servers() {
        let now = world.call_server(&call_server.name);
        let site = sites.entry(call_server.site.clone()).or_default();
        site.offered += now.counts.offered;
        site.answered += now.counts.answered;
        site.restarts += u64::from(now.restarts);
    }
    View { generators: world.generator(), psaps: psaps.collect(), sites }
}

fn conclude(
    task: &Task,
    folder: &Folder,
    world: World<Ears>,
    room: ControlRoom,
    interrupted: bool,
    started: Instant,
) -> anyhow::Result<Outcome> {
    let topology = &task.topology;
    let generators = world.generator();
    let lost = world.lost().to_vec();
    let names = topology.call_servers().map(|one| (one.address, one.name.clone()));
    let names: BTreeMap<SocketAddr, String> = names.collect();
    let duration = world.net.elapsed();
    let Ears { books, hash, twice, evidence, goodput, restarts, falls, file, .. } =
        world.into_listener();
    if let Some(mut file) = file {
        file.flush()?;
    }
    let took = started.elapsed();
    let usage = node::usage();
    let seconds = |micros: u64| micros as f64 / 1e6;
    let run = Run {
        campaign: &task.campaign,
        network: &topology.name,
        service_levels: topology
            .psaps
            .iter()
            .map(|psap| (psap.name.clone(), psap.service_level))
            .collect(),
        started_us: u64::try_from(START.as_micros()).unwrap_or(u64::MAX),
        duration,
        generators,
        generator_cpu_s: 0.0,
        generator_messages: MessageFigures::default(),
        processes: vec![ProcessUsage {
            name: "world".to_owned(),
            user_s: seconds(usage.user_us),
            system_s: seconds(usage.system_us),
            max_rss_kib: usage.max_rss_kib,
        }],
        messages: BTreeMap::new(),
        refused_without_port: BTreeMap::new(),
        ledger_hash: Some(hash.finish()),
        interrupted,
        compression: 1.0,
        rules: task.campaign.rules(),
        lost,
        degraded: Vec::new(),
    };
    let mut balance = books.balance(&run);
    let mut series = Series::new(run.started_us, task.campaign.duration());
    for record in &twice {
        if let Some(reached) = balance.add_second(record) {
            series.add(record, reached.site);
        }
    }
    drop(twice);
    let summary = balance.close(run, &[], 0);
    let file = if task.name == super::BASE {
        "summary.json".to_owned()
    } else {
        format!("summary-{}.json", task.name)
    };
    folder.write(&file, &serde_json::to_string_pretty(&summary)?)?;
    let name = |at: SocketAddr| names.get(&at).cloned().unwrap_or_default();
    let detection = topology.pool.detection();
    Ok(Outcome {
        name: task.name.clone(),
        title: task.title.clone(),
        summary,
        room,
        evidence,
        goodput,
        series,
        restarts: restarts.into_iter().map(|(at, from, why)| (at, name(from), why)).collect(),
        detections: falls
            .into_iter()
            .map(|fall| (fall.call_server, fall.seen_by, fall.silent_for))
            .collect(),
        predicted: (*detection.start(), *detection.end()),
        took,
    })
}

/// Lines of progress.
struct Lines {
    progress: Progress,
    call_servers: Vec<String>,
    next: Option<Duration>,
}

impl Lines {
    fn new(task: &Task, quiet: bool) -> Self {
        let call_servers: Vec<String> =
            task.topology.call_servers().map(|one| one.name.clone()).collect();
        let progress = Progress::new(call_servers.clone());
        if !quiet {
            println!("{}", progress.header());
        }
        Self { progress, call_servers, next: (!quiet).then_some(LINE) }
    }

    fn tell(&mut self, at: Duration, world: &World<Ears>) {
        if self.next.is_none_or(|next| at < next) {
            return;
        }
        self.next = Some(at + LINE);
        let taken = |name: &String| world.call_server(name).counts.offered;
        let taken: Vec<u64> = self.call_servers.iter().map(taken).collect();
        println!("{}", self.progress.line(at, &world.generator(), &taken));
    }
}
