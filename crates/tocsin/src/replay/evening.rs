//! One campaign from its start to its end in virtual time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use account::outcome::{BASE, VariantOutcome};
use account::summary::{Books, ProcessUsage};
use campaign::Time;
use contract::{GeneratorSnapshot, MemberState, Reply};
use load_gen::Progress;
use operations::Blow;
use run_folder::{EndedRun, Folder, State, environment};
use switch::pool::Change;
use telemetry::CallRecord;
use world::{Link, Listener, Notice, START, World};

use super::Task;
use super::ledger_hash::LedgerHash;
use crate::control_room::{ControlRoom, Deed, SiteView, View};
use crate::webhook::Webhook;

/// Between two boxes, one way: what a national network needs.
const LINK: Link = Link { latency: Duration::from_millis(5), ..Link::CLEAN };
/// Virtual time between two looks when nobody supervises.
const LOOK: Duration = Duration::from_secs(10);
/// How long it may take to put the network back after the last call.
const PUT_BACK: Duration = Duration::from_secs(600);
/// Between two lines of progress.
const LINE: Duration = Duration::from_secs(30 * 60);

/// Takes what boxes tell.
#[derive(Debug)]
struct Ears {
    books: Books,
    hash: LedgerHash,
    restarts: Vec<(Duration, SocketAddr, String)>,
    falls: Vec<Change>,
    file: Option<BufWriter<File>>,
}

impl Listener for Ears {
    fn hear(&mut self, elapsed: Duration, from: SocketAddr, notice: Notice) {
        match notice {
            Notice::Record(record) => self.take(&record),
            Notice::Restarting { why } => self.restarts.push((elapsed, from, why)),
            Notice::Change(change) if change.to == MemberState::Down => self.falls.push(change),
            Notice::Change(_) | Notice::InService | Notice::Recording(_) => {}
        }
    }
}

impl Ears {
    fn take(&mut self, record: &CallRecord) {
        self.books.add(record);
        self.hash.add(record);
        if let Some(file) = &mut self.file
            && serde_json::to_writer(&mut *file, record).is_ok()
        {
            let _ = file.write_all(b"\n");
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
) -> anyhow::Result<VariantOutcome> {
    let started = Instant::now();
    let Task { campaign, topology, .. } = task;
    let file = match records {
        true => Some(BufWriter::new(File::create(folder.records(&task.name))?)),
        false => None,
    };
    let ears = Ears {
        books: Books::open(campaign.rules()),
        hash: LedgerHash::default(),
        restarts: Vec::new(),
        falls: Vec::new(),
        file,
    };
    let clips = cli::load_clips(&topology.media)?;
    let mut world = World::new(topology.clone(), clips, LINK, campaign.seed, ears);
    world.net.stop_trace();
    world.start_campaign(campaign);
    let mut room = ControlRoom::new(campaign, &topology.pool_sites());
    let mut lines = Lines::new(task, quiet);
    let folder_of_records = Some(folder).filter(|_| records && task.keeps_attempts);
    let mut keeper = Keeper { folder: folder_of_records, next: Instant::now() };
    let interrupted = drive(task, &mut world, &mut room, &mut lines, &mut keeper, stop);
    conclude(task, folder, world, &room, interrupted, started)
}

/// Runs until every call is over, or the drain has ended. True when interrupted.
fn drive(
    task: &Task,
    world: &mut World<Ears>,
    room: &mut ControlRoom,
    lines: &mut Lines,
    keeper: &mut Keeper<'_>,
    stop: &AtomicBool,
) -> bool {
    let end = task.campaign.duration();
    let mut interrupted = false;
    // Only the campaign itself rings anywhere; its variants would be taken for it.
    let supervision = task.campaign.operations.supervision.as_ref();
    let url = supervision.and_then(|it| it.webhook.as_ref()).filter(|_| task.name == BASE);
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
        let ended = carry_out_all(task, world, room, at);
        lines.tell(at, world);
        keeper.keep(task, at, world, room);
        interrupted |= stop.load(Ordering::Relaxed);
        if interrupted
            || ended
            || (at >= end && world.generator().finished)
            || at >= end + task.campaign.drain_timeout
        {
            break;
        }
        let next = room.next_due().filter(|due| *due > at).unwrap_or(Duration::MAX);
        world.net.run_for(next.min(at + LOOK).saturating_sub(at).max(Duration::from_millis(1)));
    }
    room.end(world.net.elapsed());
    let limit = world.net.elapsed() + PUT_BACK;
    loop {
        let at = world.net.elapsed();
        room.advance(at);
        carry_out_all(task, world, room, at);
        if room.is_settled() || at >= limit {
            break;
        }
        let next = room.next_due().filter(|due| *due > at).unwrap_or(limit);
        world.net.run_for(next.min(at + LOOK).saturating_sub(at).max(Duration::from_millis(1)));
    }
    world.drain();
    interrupted
}

/// True when the campaign is to end now.
fn carry_out_all(
    task: &Task,
    world: &mut World<Ears>,
    room: &mut ControlRoom,
    at: Duration,
) -> bool {
    let mut ended = false;
    while let Some(deed) = room.poll_deed() {
        match deed {
            Deed::EndCampaign => ended = true,
            Deed::Kill { target } => {
                strike(task, world, room, at, target, Blow::Kill, |world, name| world.kill(name));
            }
            Deed::Freeze { target } => {
                strike(task, world, room, at, target, Blow::Freeze, |world, name| {
                    world.freeze(name)
                });
            }
            Deed::Thaw { target } => {
                strike(task, world, room, at, target, Blow::Thaw, |world, name| world.thaw(name));
            }
            deed => carry_out(task, world, room, at, deed),
        }
    }
    ended
}

/// Lets something befall all boxes of a site, or a PSAP.
fn strike(
    task: &Task,
    world: &mut World<Ears>,
    room: &mut ControlRoom,
    at: Duration,
    target: String,
    what: Blow,
    act: impl Fn(&mut World<Ears>, &str),
) {
    let servers = task.topology.call_servers().filter(|one| one.site == target);
    let mut names: Vec<&str> = servers.map(|one| &one.name[..]).collect();
    if names.is_empty() {
        names.push(&target);
    }
    let dead = names.iter().find(|name| !world.net.is_alive(world.at(name)));
    let failed = dead.map(|name| format!("{name} has no power"));
    if failed.is_none() {
        names.iter().for_each(|name| act(world, name));
    }
    room.befell(at, target, what, failed);
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
        Deed::Kill { .. } | Deed::Freeze { .. } | Deed::Thaw { .. } | Deed::EndCampaign => {}
    }
}

fn view(task: &Task, world: &World<Ears>) -> View {
    let psaps =
        task.topology.psaps.iter().map(|psap| (psap.name.clone(), world.psap_offered(&psap.name)));
    let mut sites = BTreeMap::<String, SiteView>::new();
    // A machine without power shows nothing.
    let alive = |one: &&topology::CallServer| world.is_alive(&one.name);
    for call_server in task.topology.call_servers().filter(alive) {
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
    room: &ControlRoom,
    interrupted: bool,
    started: Instant,
) -> anyhow::Result<VariantOutcome> {
    let topology = &task.topology;
    let generators = world.generator();
    let lost = world.lost().to_vec();
    let names = topology.call_servers().map(|one| (one.address, one.name.clone()));
    let names: BTreeMap<SocketAddr, String> = names.collect();
    let elapsed = world.net.elapsed();
    let Ears { books, hash, restarts, falls, file } = world.into_listener();
    let has_records = file.is_some();
    if let Some(mut file) = file {
        file.flush()?;
    }
    let took = started.elapsed();
    let usage = node::usage();
    let seconds = |micros: u64| micros as f64 / 1e6;
    let name = |at: SocketAddr| names.get(&at).cloned().unwrap_or_default();
    let mut state = State {
        ended: true,
        processes: vec![ProcessUsage {
            name: "world".to_owned(),
            user_s: seconds(usage.user_us),
            system_s: seconds(usage.system_us),
            max_rss_kib: usage.max_rss_kib,
        }],
        ledger_hash: Some(hash.finish()),
        interrupted,
        lost,
        restarts: restarts.into_iter().map(|(at, from, why)| (at, name(from), why)).collect(),
        detections: falls
            .into_iter()
            .map(|fall| (fall.call_server, fall.seen_by, fall.silent_for))
            .collect(),
        ..state(task, has_records, elapsed, generators, room)
    };
    if task.keeps_attempts
        && let Err(error) = state.keep(folder)
    {
        state.degraded.push(format!("{error:#}"));
    }
    let outcome = run_folder::close(EndedRun {
        campaign: &task.campaign,
        topology,
        name: task.name.clone(),
        title: task.title.clone(),
        state,
        books,
        took,
        archive: task.keeps_attempts.then_some(folder),
    });
    Ok(outcome)
}

/// What is known at any time.
fn state(
    task: &Task,
    has_records: bool,
    elapsed: Duration,
    generators: GeneratorSnapshot,
    room: &ControlRoom,
) -> State {
    State {
        time: Time::Virtual,
        campaign: task.campaign.name.clone(),
        network: task.topology.name.clone(),
        set: task.set.clone(),
        copies: Folder::copies(&task.campaign),
        environment: environment(),
        started_us: u64::try_from(START.as_micros()).unwrap_or(u64::MAX),
        elapsed,
        generators,
        operations: room.report(),
        record_files: match has_records {
            true => vec![format!("records/{}.jsonl", task.name).into()],
            false => Vec::new(),
        },
        ..State::default()
    }
}

/// Keeps the state of a run that has records in its folder, so that it can be told when it was killed.
struct Keeper<'a> {
    folder: Option<&'a Folder>,
    next: Instant,
}

impl Keeper<'_> {
    /// Once a second at most, by the clock on the wall.
    fn keep(&mut self, task: &Task, at: Duration, world: &World<Ears>, room: &ControlRoom) {
        let now = Instant::now();
        if let Some(folder) = self.folder
            && now >= self.next
        {
            self.next = now + Duration::from_secs(1);
            // At the end it is written once more, and a disk that refuses is told of.
            let _ = state(task, true, at, world.generator(), room).keep(folder);
        }
    }
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
            cli::say!("{}", progress.header());
        }
        Self { progress, call_servers, next: (!quiet).then_some(LINE) }
    }

    fn tell(&mut self, at: Duration, world: &World<Ears>) {
        if self.next.is_none_or(|next| at < next) {
            return;
        }
        self.next = Some(at + LINE);
        let taken = |name: &String| match world.is_alive(name) {
            true => world.call_server(name).counts.offered,
            false => 0,
        };
        let taken: Vec<u64> = self.call_servers.iter().map(taken).collect();
        cli::say!("{}", self.progress.line(at, &world.generator(), &taken));
    }
}
