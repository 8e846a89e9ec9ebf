//! What a tester sees while the calls run, and Ctrl-C.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{BoxOrder, ProcessOrder, Reply};
use node::Power;
use operations::Blow;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until};

use super::Prepared;
use super::face::{Face, Glance};
use super::fleet::Fleet;
use super::keeper::{self, Keeper};
use super::plan::Tier;
use super::zero::Zero;
use crate::control_room::{ControlRoom, Deed};
use crate::screen::Key;
use crate::webhook::Webhook;

/// How long it may take to put the network back after the last call.
const PUT_BACK: Duration = Duration::from_secs(120);

/// SIGINT, SIGTERM and SIGHUP: the first one drains, the second one stops.
pub(crate) struct Interruptions {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    count: u32,
}

impl Interruptions {
    pub(crate) fn catch() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            count: 0,
        })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
        self.count += 1;
    }

    /// Takes a key on the screen as the signal that it stands for.
    pub(crate) const fn press(&mut self, key: Key) {
        self.count = match key {
            Key::Interrupt => self.count + 1,
            Key::Stop => 2,
        };
    }

    pub(crate) const fn seen(&self) -> bool {
        self.count > 0
    }

    pub(crate) const fn are_urgent(&self) -> bool {
        self.count > 1
    }
}

/// What those who watched a run have seen.
pub(crate) struct Watched {
    pub(crate) room: ControlRoom,
    /// How long each fall had lasted when a trunk group found it.
    pub(crate) detections: Vec<(String, String, Duration)>,
}

/// Shows progress, watches and commands, until the generator has ended.
pub(crate) async fn watch(
    prepared: &Prepared,
    fleet: &mut Fleet,
    interruptions: &mut Interruptions,
    keeper: &mut Keeper<'_>,
    mut face: Face,
    zero: Zero,
) -> Watched {
    let compression = prepared.campaign.compression;
    let every = face.interval(prepared);
    let start = zero.instant;
    let mut ticks = interval_at(start + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut keeping = interval(keeper::EVERY);
    keeping.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut desk = Desk::new(prepared, start);
    while fleet.is_loading() {
        tokio::select! {
            () = fleet.next() => {}
            () = wish_to_end(interruptions, &mut face) => {
                let urgent = interruptions.are_urgent();
                face.interrupted(urgent);
                fleet.order(Tier::Load, if urgent { &ProcessOrder::Stop } else { &ProcessOrder::Drain });
            }
            () = desk.next() => desk.work(prepared, fleet),
            _ = keeping.tick() => {
                keeper.keep(fleet, interruptions, &desk.room, &desk.detections);
            }
            _ = ticks.tick() => face.show(Glance {
                at: start.elapsed().mul_f64(compression),
                prepared,
                fleet: &*fleet,
                room: &desk.room,
                detections: &desk.detections,
            }),
        }
    }
    // Whatever is said from here on needs the terminal as it was.
    drop(face);
    desk.put_back(prepared, fleet, interruptions).await;
    let Desk { room, detections, .. } = desk;
    Watched { room, detections }
}

/// Waits for a signal, or for a key that means the same. Cancel safe.
async fn wish_to_end(interruptions: &mut Interruptions, face: &mut Face) {
    tokio::select! {
        () = interruptions.next() => {}
        key = face.key() => interruptions.press(key),
    }
}

/// What a site said: the procedure, the order, and its answer.
type Answer = (usize, u64, Result<String, String>);

/// The control room with its clock and its lines to the sites.
struct Desk {
    room: ControlRoom,
    start: Instant,
    compression: f64,
    answers: mpsc::UnboundedReceiver<Answer>,
    to_desk: mpsc::UnboundedSender<Answer>,
    detections: Vec<(String, String, Duration)>,
    webhook: Option<Webhook>,
    /// How often each member was found down by each trunk group so far.
    falls: BTreeMap<(String, String), u64>,
}

impl Desk {
    fn new(prepared: &Prepared, start: Instant) -> Self {
        let (to_desk, answers) = mpsc::unbounded_channel();
        let supervision = prepared.campaign.operations.supervision.as_ref();
        let url = supervision.and_then(|supervision| supervision.webhook.as_ref());
        let zero = Duration::from_micros(prepared.since_us);
        Self {
            room: ControlRoom::new(&prepared.campaign, &prepared.topology.pool_sites()),
            start,
            compression: prepared.campaign.compression,
            answers,
            to_desk,
            detections: Vec::new(),
            webhook: url.map(|url| Webhook::new(url, zero)),
            falls: BTreeMap::new(),
        }
    }

    /// By the clock of the campaign.
    fn at(&self) -> Duration {
        self.start.elapsed().mul_f64(self.compression)
    }

    /// Waits until something is due, or a site has answered. Cancel safe.
    async fn next(&mut self) {
        let due = self.room.next_due().map(|due| self.start + due.div_f64(self.compression));
        let sleep = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let answered = tokio::select! {
            () = sleep => None,
            answer = self.answers.recv() => answer,
        };
        if let Some((procedure, id, answer)) = answered {
            let at = self.at();
            self.room.answered(at, procedure, id, answer);
        }
    }

    /// The callers are done: puts the network back as far as the campaign says how, unless Ctrl-C comes again.
    async fn put_back(
        &mut self,
        prepared: &Prepared,
        fleet: &mut Fleet,
        interruptions: &mut Interruptions,
    ) {
        self.room.end(self.at());
        self.work(prepared, fleet);
        let limit = Instant::now() + PUT_BACK;
        while !self.room.is_settled() && !interruptions.are_urgent() {
            tokio::select! {
                () = fleet.next() => {}
                () = interruptions.next() => {}
                () = self.next() => self.work(prepared, fleet),
                () = sleep_until(limit) => return,
            }
        }
    }

    fn work(&mut self, prepared: &Prepared, fleet: &mut Fleet) {
        let at = self.at();
        if self.room.watches() {
            self.room.see(at, fleet.view(&prepared.topology));
        }
        for (member, group, falls, after) in fleet.falls() {
            let known =
                self.falls.insert((member.clone(), group.clone()), falls).unwrap_or_default();
            if falls > known {
                self.detections.push((member, group, after));
            }
        }
        self.room.advance(at);
        if let Some(webhook) = &mut self.webhook {
            webhook.tell(self.room.alarms());
        }
        while let Some(deed) = self.room.poll_deed() {
            let struck = match deed {
                Deed::EndCampaign => {
                    fleet.order(Tier::Load, &ProcessOrder::Drain);
                    continue;
                }
                Deed::Kill { target } => (target, Blow::Kill, Power::Cut),
                Deed::Freeze { target } => (target, Blow::Freeze, Power::Frozen),
                Deed::Thaw { target } => (target, Blow::Thaw, Power::Restored),
                deed => {
                    self.carry_out(prepared, fleet, deed);
                    continue;
                }
            };
            let (target, what, power) = struck;
            let failed = fleet.strike(&target, power).err();
            self.room.befell(at, target, what, failed);
        }
    }

    fn carry_out(&self, prepared: &Prepared, fleet: &Fleet, deed: Deed) {
        match deed {
            Deed::Order { procedure, id, site, action } => {
                let of_site = |one: &&topology::CallServer| one.site == site;
                let members = prepared.topology.call_servers().filter(of_site);
                let console = fleet.console();
                let replies: Vec<_> =
                    members.map(|one| console.order(&one.name, action.clone().into())).collect();
                let to_desk = self.to_desk.clone();
                tokio::spawn(async move {
                    let mut answer = None;
                    for reply in replies {
                        match reply.await {
                            Reply::Silent => return, // whoever asked waits in vain
                            Reply::Done(text) => answer = answer.or(Some(Ok(text))),
                            Reply::Refused(text) => answer = Some(Err(text)),
                        }
                    }
                    if let Some(answer) = answer {
                        let _ = to_desk.send((procedure, id, answer));
                    }
                });
            }
            Deed::Advise => tell_callers(prepared, fleet, &BoxOrder::Advise),
            Deed::Publish => tell_callers(prepared, fleet, &BoxOrder::PublishTenDigits),
            Deed::Kill { .. } | Deed::Freeze { .. } | Deed::Thaw { .. } | Deed::EndCampaign => {}
        }
    }
}

fn tell_callers(prepared: &Prepared, fleet: &Fleet, order: &BoxOrder) {
    for number in 1..=prepared.args.shards {
        drop(fleet.console().order(&super::plan::generator(number), order.clone()));
    }
}
