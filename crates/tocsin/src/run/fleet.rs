//! All processes of a run: started tier by tier, watched, drained in the opposite order.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::time::Duration;

use anyhow::bail;
use contract::{
    BoxOrder, BoxState, DirectoryEntry, GeneratorSnapshot, ProcessOrder, ProcessReport, Reply,
    Snapshot, Usage,
};
use node::{Console, PendingOrder};
use operations::{FaultAction, ImpairmentOrder};
use telemetry::{BoxKind, LostNode, MessageFigures};
use tokio::time::{Instant, timeout_at};

use super::child::Child;
use super::cpu::CpuTrack;
use super::interruptions::Interruptions;
use super::manage::SharedState;
use super::news::{self, ChildEvent, ChildEventKind, News, NewsSender};
use super::plan::{PlannedProcess, Tier, processes};
use super::prepared::Prepared;
use run_folder::Folder;

/// How long a tier may take to listen.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long a process may take to end after its drain began; longer than its own drain timeout.
const END_LIMIT: Duration = Duration::from_secs(50);

pub(crate) struct Fleet {
    pub(super) processes: Vec<FleetProcess>,
    news: News,
    /// Given to each child, to tell its news.
    pub(super) sender: NewsSender,
    /// The configuration keys of the boxes that listen.
    pub(super) addresses: Vec<(String, String)>,
    latest_state: SharedState,
    /// Commands to boxes, from those who manage the run.
    pub(super) console: Console,
    /// The impairments that hold, by their number: the boxes, and what each was told.
    pub(super) impairing: BTreeMap<u32, Vec<(String, ImpairmentOrder)>>,
    /// Commands on their way: their `id`, the process, and who waits for the reply.
    orders: HashMap<u64, (usize, PendingOrder)>,
    next_order: u64,
}

pub(super) struct FleetProcess {
    pub(super) planned: PlannedProcess,
    pub(super) child: Option<Child>,
    /// How often it has been started.
    pub(super) starts: u32,
    ready: bool,
    told_to_end: bool,
    /// Told to end at once, in the middle of whatever it does.
    told_to_stop: bool,
    pub(super) usage: Option<Usage>,
    cpu: CpuTrack,
    /// What is known of each box, by name.
    pub(super) boxes: BTreeMap<String, DirectoryEntry>,
    /// How it ended without being told to, or without a last word.
    pub(super) lost: Option<String>,
    /// How it ended before it was started again.
    pub(super) past_losses: Vec<String>,
    /// The campaign itself killed it.
    pub(super) killed: bool,
    /// Its exit status, when it ended as told but not well.
    trouble: Option<String>,
}

impl FleetProcess {
    fn new(planned: PlannedProcess) -> Self {
        Self {
            planned,
            child: None,
            starts: 1,
            ready: false,
            told_to_end: false,
            told_to_stop: false,
            usage: None,
            cpu: CpuTrack::default(),
            boxes: BTreeMap::new(),
            lost: None,
            past_losses: Vec::new(),
            killed: false,
            trouble: None,
        }
    }
}

impl Fleet {
    /// Starts all processes and returns when the generator runs; `None` when interrupted before
    /// that, with all processes killed: none has had a call.
    pub(crate) async fn start(
        prepared: &Prepared,
        folder: &Folder,
        interruptions: &mut Interruptions,
    ) -> anyhow::Result<Option<Self>> {
        let mut fleet = Self::idle(processes(prepared));
        for tier in Tier::ALL {
            if !fleet.start_tier(prepared, folder, interruptions, tier).await? {
                return Ok(None);
            }
        }
        Ok(Some(fleet))
    }

    /// Processes that have not been started.
    pub(crate) fn idle(processes: Vec<PlannedProcess>) -> Self {
        let (sender, news) = news::queue();
        Self {
            processes: processes.into_iter().map(FleetProcess::new).collect(),
            news,
            sender,
            addresses: Vec::new(),
            latest_state: SharedState::default(),
            console: Console::default(),
            impairing: BTreeMap::new(),
            orders: HashMap::new(),
            next_order: 0,
        }
    }

    /// Adds a process, to be started with its tier.
    pub(crate) fn add(&mut self, process: PlannedProcess) {
        self.processes.push(FleetProcess::new(process));
    }

    /// Starts what has not been started of a tier, and returns when all of it listens; false when interrupted before that.
    pub(crate) async fn start_tier(
        &mut self,
        prepared: &Prepared,
        folder: &Folder,
        interruptions: &mut Interruptions,
        tier: Tier,
    ) -> anyhow::Result<bool> {
        for index in 0..self.processes.len() {
            let FleetProcess { planned, ready, .. } = &self.processes[index];
            if planned.tier == tier && !ready {
                let arguments = planned.arguments(prepared, folder, &self.addresses, 1);
                let log = folder.log(&planned.name);
                let child = Child::start(index, planned, arguments, &log, self.sender.clone())?;
                self.processes[index].child = Some(child);
            }
        }
        tokio::select! {
            found = self.until_ready(prepared, folder, tier) => {
                self.addresses.extend(found?);
                Ok(true)
            }
            () = interruptions.next() => Ok(false),
        }
    }

    /// Waits until every process of a tier listens, and returns the keys of their addresses.
    async fn until_ready(
        &mut self,
        prepared: &Prepared,
        folder: &Folder,
        tier: Tier,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let deadline = Instant::now() + START_LIMIT;
        let mut addresses = Vec::new();
        while self.processes.iter().any(|process| process.planned.tier == tier && !process.ready) {
            let Ok(news) = timeout_at(deadline, self.news.next()).await else {
                bail!(
                    "the network did not start within {} s; see {}",
                    START_LIMIT.as_secs(),
                    folder.path().join("logs").display()
                );
            };
            let Some(process) = self.processes.get_mut(news.index) else { continue };
            // Another tier goes on meanwhile.
            if process.planned.tier != tier {
                self.note(news);
                continue;
            }
            match news.what {
                ChildEventKind::Said(ProcessReport::Ready { boxes }) => {
                    process.ready = true;
                    let key = |(name, entry): (&String, &DirectoryEntry)| {
                        let key = process.planned.address_key(prepared, name)?;
                        Some((key, entry.address.to_string()))
                    };
                    addresses.extend(boxes.iter().filter_map(key));
                    self.latest_state.update(boxes);
                }
                ChildEventKind::Said(_) => {}
                ChildEventKind::Gone { status, .. } => {
                    let log = folder.log(&process.planned.name);
                    let said = fs::read_to_string(&log).unwrap_or_default();
                    let said = said.trim().trim_start_matches("error: ");
                    bail!("{} did not start ({status}):\n{said}", process.planned.name);
                }
            }
        }
        Ok(addresses)
    }

    /// Waits for the next thing that a process says or does, and takes note of it; or for commands, and passes them on.
    /// Cancel safe.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            news = self.news.next() => self.note(news),
            orders = self.console.next() => {
                orders.into_iter().for_each(|pending| self.pass_on(pending));
            }
        }
    }

    /// What is known of all boxes.
    pub(super) fn latest_state(&self) -> SharedState {
        self.latest_state.clone()
    }

    /// Takes commands to the boxes.
    pub(super) fn console(&self) -> Console {
        self.console.clone()
    }

    /// A machine whose process is lost meets a command with silence, like any machine without power.
    fn pass_on(&mut self, pending: PendingOrder) {
        let has_box = |process: &FleetProcess| process.planned.has(&pending.name);
        let lives = |process: &FleetProcess| process.child.is_some() && has_box(process);
        let found = self.processes.iter().position(lives);
        let Some(index) = found.or_else(|| self.processes.iter().position(has_box)) else {
            let refusal = format!("there is no box {:?}", pending.name);
            return pending.answer(Reply::Refused(refusal));
        };
        let Some(child) = &self.processes[index].child else {
            return pending.answer(Reply::Silent);
        };
        let id = self.next_order;
        self.next_order += 1;
        let (name, order) = (pending.name.clone(), pending.order.clone());
        if matches!(&order, BoxOrder::Operate(action) if action.is_power()) {
            // The supply of a machine works even if the machine stands still.
            child.inject(FaultAction::Thaw);
        }
        child.order(ProcessOrder::Box { id, name, order });
        self.orders.insert(id, (index, pending));
    }

    fn note(&mut self, news: ChildEvent) {
        let unseen = self.news.unseen(news.index);
        let Some(process) = self.processes.get_mut(news.index) else { return };
        match news.what {
            ChildEventKind::Said(ProcessReport::Snapshot { at_us, mut usage, boxes }) => {
                usage.snapshots_dropped += unseen;
                process.cpu.look(Duration::from_micros(at_us), usage.cpu());
                self.latest_state.update(boxes.clone());
                self.latest_state.used(&process.planned.name, usage);
                process.boxes = boxes;
            }
            ChildEventKind::Said(ProcessReport::Reply { id, reply, .. }) => {
                if let Some((_, pending)) = self.orders.remove(&id) {
                    pending.answer(reply);
                }
            }
            ChildEventKind::Said(ProcessReport::EndedBadly { attempts: bad }) => {
                self.keep_calls(news.index, &bad)
            }
            ChildEventKind::Said(ProcessReport::Effect { name, effect }) => {
                self.console.tell_effect(&name, effect);
            }
            ChildEventKind::Said(ProcessReport::Final { mut usage, boxes, .. }) => {
                usage.snapshots_dropped += unseen;
                self.latest_state.update(boxes.clone());
                self.latest_state.used(&process.planned.name, usage);
                process.boxes = boxes;
                process.usage = Some(usage);
            }
            // It has been started again.
            ChildEventKind::Said(ProcessReport::Ready { boxes }) => {
                self.latest_state.update(boxes.clone());
                for name in boxes.keys() {
                    self.console.find(name);
                    self.impair_again(name);
                }
            }
            ChildEventKind::Said(ProcessReport::Refused { .. } | ProcessReport::Drained { .. }) => {
            }
            ChildEventKind::Gone { clean, status } => {
                process.child = None;
                // A generator ends by itself; anything else that ends without being told to is lost.
                let expected = process.told_to_end || process.planned.tier == Tier::Load;
                if process.killed {
                    process.lost = Some("killed by the campaign".to_owned());
                } else if !expected || process.usage.is_none() {
                    process.lost = Some(status);
                } else if !clean && !process.told_to_stop {
                    process.trouble = Some(status);
                }
                let lost = process.lost.is_some();
                let state = if lost { BoxState::Lost } else { BoxState::Stopped };
                let boxes = process.planned.boxes.iter().map(|(_, name)| name);
                self.latest_state.close(boxes.chain(process.boxes.keys()), state);
                self.orders.retain(|_, (index, _)| *index != news.index);
                for (_, name) in &process.planned.boxes {
                    self.console.lose(name);
                }
            }
        }
    }

    /// True while the generator's process is alive.
    pub(crate) fn is_loading(&self) -> bool {
        self.of(Tier::Load).any(|process| process.child.is_some())
    }

    /// Gives an order to all processes of a tier.
    pub(crate) fn order(&mut self, tier: Tier, order: &ProcessOrder) {
        for process in self.processes.iter_mut().filter(|process| process.planned.tier == tier) {
            process.told_to_end = true;
            process.told_to_stop |= matches!(order, ProcessOrder::Stop);
            if let Some(child) = &process.child {
                child.order(order.clone());
            }
        }
    }

    /// Drains tier after tier, from the callers to the PSAPs. A second interruption stops all at once.
    pub(crate) async fn shut_down(&mut self, interruptions: &mut Interruptions) {
        for tier in Tier::ALL.into_iter().rev() {
            let order =
                if interruptions.are_urgent() { ProcessOrder::Stop } else { ProcessOrder::Drain };
            self.order(tier, &order);
            // Callers who are lost hang up no call, and a trunk group cannot: call servers do.
            if tier == Tier::Trunks && self.of(Tier::Load).any(|process| process.lost.is_some()) {
                self.order(Tier::Sites, &order);
            }
            let deadline = Instant::now() + END_LIMIT;
            while self.of(tier).any(|process| process.child.is_some()) {
                tokio::select! {
                    () = self.next() => {}
                    () = interruptions.next() => self.order(tier, &ProcessOrder::Stop),
                    () = tokio::time::sleep_until(deadline) => {
                        self.kill(tier);
                        break;
                    }
                }
            }
        }
    }

    fn kill(&mut self, tier: Tier) {
        for process in self.processes.iter_mut().filter(|process| process.planned.tier == tier) {
            if process.child.take().is_some() {
                process.lost =
                    Some(format!("did not end within {} s and was killed", END_LIMIT.as_secs()));
            }
        }
    }

    fn of(&self, tier: Tier) -> impl Iterator<Item = &FleetProcess> {
        self.processes.iter().filter(move |process| process.planned.tier == tier)
    }

    /// The counts of all generators together.
    pub(crate) fn generators(&self) -> GeneratorSnapshot {
        let mut generators = self.shown(Tier::Load).filter_map(|(_, shown)| shown.generator());
        let Some(first) = generators.next() else { return GeneratorSnapshot::default() };
        let mut sum = first.clone();
        generators.for_each(|one| sum += one);
        sum
    }

    /// What each box of a tier showed last, by name.
    pub(crate) fn shown(&self, tier: Tier) -> impl Iterator<Item = (&String, &Snapshot)> {
        let boxes = self.of(tier).flat_map(|process| &process.boxes);
        boxes.filter_map(|(name, entry)| Some((name, entry.snapshot.as_ref()?)))
    }

    /// The boxes whose process does not run, or not any more.
    pub(crate) fn gone(&self) -> Vec<&str> {
        let gone = self.processes.iter().filter(|process| process.child.is_none());
        gone.flat_map(|process| &process.planned.boxes).map(|(_, name)| &name[..]).collect()
    }

    /// What the callers of one process counted, once it has shown itself.
    pub(crate) fn generator(&self, name: &str) -> Option<GeneratorSnapshot> {
        let process = self.of(Tier::Load).find(|process| process.planned.name == name)?;
        let mut shown = process.boxes.values().filter_map(|entry| entry.snapshot.as_ref());
        shown.find_map(|shown| shown.generator().cloned())
    }

    /// Calls that each site has been offered so far, as its own call servers count them.
    pub(crate) fn calls_by_site(&self) -> Vec<u64> {
        let offered = |entry: &DirectoryEntry| {
            let shown = entry.snapshot.as_ref().and_then(Snapshot::call_server);
            shown.map_or(0, |one| one.counts.offered)
        };
        self.of(Tier::Sites).map(|process| process.boxes.values().map(offered).sum()).collect()
    }

    /// Messages that came to nothing, by process.
    pub(crate) fn messages(&self) -> BTreeMap<String, MessageFigures> {
        let figures = |process: &FleetProcess| {
            let mut sum = MessageFigures::default();
            process.boxes.values().for_each(|entry| sum += &entry.messages());
            (process.planned.name.clone(), sum)
        };
        self.processes.iter().map(figures).collect()
    }

    /// A count of the boxes of each process but the callers', where it is not zero.
    pub(crate) fn counted(&self, of: fn(&Snapshot) -> u64) -> BTreeMap<String, u64> {
        let count = |process: &FleetProcess| {
            let shown = process.boxes.values().filter_map(|it| it.snapshot.as_ref());
            let sum: u64 = shown.map(of).sum();
            (process.planned.name.clone(), sum)
        };
        let processes = self.processes.iter().filter(|process| process.planned.tier != Tier::Load);
        processes.map(count).filter(|(_, calls)| *calls > 0).collect()
    }

    /// The place of the process of a site or PSAP.
    pub(super) fn index_of(&self, target: &str) -> Result<usize, String> {
        let is_it = |process: &FleetProcess| process.planned.target() == Some(target);
        let found = self.processes.iter().position(is_it);
        found.ok_or_else(|| format!("no site or PSAP is called {target:?}"))
    }

    /// Injects a fault into the process of a site or PSAP, or ends it. Tells why it cannot.
    pub(crate) fn inject(&mut self, target: &str, action: FaultAction) -> Result<(), String> {
        let index = self.index_of(target)?;
        let process = &mut self.processes[index];
        let Some(child) = &process.child else {
            return Err(format!("process {} was gone already", process.planned.name));
        };
        process.killed |= action == FaultAction::Kill;
        child.inject(action);
        Ok(())
    }

    /// Share of its cores that the busiest process of generators used in its busiest seconds; each generator has one.
    pub(crate) fn busiest_generator(&self) -> Option<f64> {
        let share = |process: &FleetProcess| {
            let generators = process.planned.boxes.len().max(1);
            Some(process.cpu.busiest()? / generators as f64)
        };
        self.of(Tier::Load).filter_map(share).reduce(f64::max)
    }

    /// CPU time that all processes have used, as far as they have told.
    pub(super) fn cpu(&self) -> Duration {
        self.processes.iter().map(|process| process.cpu.last()).sum()
    }

    /// The boxes whose processes were lost, for the ledger.
    pub(crate) fn lost_boxes(&self) -> Vec<LostNode> {
        let lost = |process: &FleetProcess| {
            let why = process.past_losses.first().or(process.lost.as_ref())?.clone();
            let node = |(kind, node): &(BoxKind, String)| LostNode {
                kind: *kind,
                node: node.clone(),
                why: why.clone(),
            };
            Some(process.planned.boxes.iter().map(node).collect::<Vec<_>>())
        };
        self.processes.iter().filter_map(lost).flatten().collect()
    }

    /// Sentences about processes that were lost or did not end well.
    pub(crate) fn losses(&self) -> Vec<String> {
        let loss = |process: &FleetProcess| {
            let name = &process.planned.name;
            let lost = process.lost.as_ref().filter(|_| !process.killed);
            let lost = lost.map(|how| format!("process {name} was lost: {how}"));
            let trouble = process.trouble.as_ref();
            let trouble =
                trouble.map(|how| format!("process {name} did not end well: {how}; see its log"));
            lost.or(trouble)
        };
        self.processes.iter().filter_map(loss).collect()
    }

    pub(crate) fn record_files(&self, folder: &Folder) -> Vec<std::path::PathBuf> {
        let files = |process: &FleetProcess| -> Vec<std::path::PathBuf> {
            let of = |start| folder.records(&process.planned.file_name(start));
            (1..=process.starts).map(of).collect()
        };
        self.processes.iter().flat_map(files).collect()
    }
}
