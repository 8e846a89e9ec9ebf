//! The stage of a run on real sockets: processes that tell what they count, and a clock that may go faster.

use std::collections::BTreeMap;
use std::time::Duration;

use cli::manage::{CommandNote, Surge};
use conductor::{
    Announcement, ImpairedWay, Observation, OrderId, SiteOrder, Stage, joint_answer, joint_effect,
};
use contract::{BoxOrder, ProcessOrder, Reply, SurgeOrder};
use futures_util::future::join_all;
use operations::{FaultAction, OrderAnswer};
use run_folder::Folder;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::campaign_start::CampaignStart;
use super::fleet::Fleet;
use super::hand_line::{HandLine, PendingIntervention};
use super::plan::{Tier, generator};
use super::prepared::Prepared;

/// How long somebody waits for the network to be put back after the last call, by the clock on the wall.
const PUT_BACK: Duration = Duration::from_secs(120);

/// What a site said to an order.
type Answer = (OrderId, OrderAnswer);

/// What the conductor is to be told.
#[derive(Debug)]
pub(super) enum StageNews {
    /// What a site said to an order.
    Answer(OrderId, OrderAnswer),
    /// A command by hand goes out, or is over.
    ByHand(CommandNote),
    /// Something else is to be done by hand.
    Intervention(PendingIntervention),
}

/// The processes of a run, as its conductor works on them.
pub(super) struct Processes<'a> {
    pub(super) prepared: &'a Prepared,
    folder: &'a Folder,
    pub(super) fleet: Fleet,
    start: Instant,
    answers: mpsc::UnboundedReceiver<Answer>,
    /// Given to each task that waits for the answers to an order.
    sender: mpsc::UnboundedSender<Answer>,
    by_hand: HandLine,
    /// How often each member was found down by each trunk group so far.
    falls: BTreeMap<(String, String), u64>,
    /// Each call server that was found down, the trunk group that found it, and after which silence.
    detections: Vec<(String, String, Duration)>,
}

impl<'a> Processes<'a> {
    /// The processes of `fleet`, with a campaign that begins at `start`.
    pub(super) fn new(
        prepared: &'a Prepared,
        folder: &'a Folder,
        fleet: Fleet,
        start: CampaignStart,
        by_hand: HandLine,
    ) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        Self {
            prepared,
            folder,
            fleet,
            start: start.instant,
            answers,
            sender,
            by_hand,
            falls: BTreeMap::new(),
            detections: Vec::new(),
        }
    }

    /// When it is `time` by the clock of the campaign.
    pub(super) fn instant(&self, time: Duration) -> Instant {
        self.start + time.div_f64(self.prepared.campaign.compression)
    }

    /// Waits until a process says or does something, a site has answered, or somebody commands by hand. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<StageNews> {
        tokio::select! {
            () = self.fleet.next() => None,
            answer = self.answers.recv() => answer.map(|(id, answer)| StageNews::Answer(id, answer)),
            note = self.by_hand.notes.recv() => note.map(StageNews::ByHand),
            pending = self.by_hand.pending.recv() => pending.map(StageNews::Intervention),
        }
    }

    /// What was commanded by hand and nobody has been told so far.
    pub(super) fn rest(&mut self) -> Option<StageNews> {
        self.by_hand.notes.try_recv().ok().map(StageNews::ByHand)
    }

    /// Has all callers place so many calls for a thousand of the campaign.
    pub(super) fn pace_callers(&self, per_mille: u32) {
        self.tell_generators(&BoxOrder::Pace(per_mille));
    }

    /// Has people in the communes of `surge` call more often from this time of the campaign on.
    pub(super) fn surge_callers(&self, number: u32, from: Duration, surge: &Surge) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.tell_generators(&BoxOrder::Surge(SurgeOrder {
            number,
            from_us: micros(from),
            lasts_us: micros(surge.lasts),
            communes: surge.communes.clone(),
            more: surge.more,
        }));
    }

    /// Has nobody call more often because of a surge.
    pub(super) fn end_surges(&self) {
        self.tell_generators(&BoxOrder::EndSurges);
    }

    fn tell_generators(&self, order: &BoxOrder) {
        for number in 1..=self.prepared.args.shards {
            drop(self.fleet.console().order(&generator(number), order.clone()));
        }
    }

    /// Takes note of call servers that trunk groups have found down since the last time.
    pub(super) fn note_falls(&mut self) {
        for (member, group, falls, after) in self.fleet.falls() {
            let known =
                self.falls.insert((member.clone(), group.clone()), falls).unwrap_or_default();
            if falls > known {
                self.detections.push((member, group, after));
            }
        }
    }

    /// Each call server that was found down, the trunk group that found it, and after which silence.
    pub(super) fn detections(&self) -> &[(String, String, Duration)] {
        &self.detections
    }
}

impl Stage for Processes<'_> {
    fn time(&self) -> Duration {
        self.start.elapsed().mul_f64(self.prepared.campaign.compression)
    }

    fn put_back_limit(&self) -> Duration {
        PUT_BACK.mul_f64(self.prepared.campaign.compression)
    }

    fn observe(&self) -> Observation {
        self.fleet.observe(&self.prepared.topology)
    }

    fn inject(&mut self, target: &str, action: FaultAction) -> Result<(), String> {
        match action {
            FaultAction::Restart => self.fleet.restart(self.prepared, self.folder, target),
            _ => self.fleet.inject(target, action),
        }
    }

    fn impair(&mut self, way: &ImpairedWay) -> Result<(), String> {
        self.fleet.impair(&self.prepared.topology, way)
    }

    fn order(&mut self, SiteOrder { id, site, action }: SiteOrder) -> Option<OrderAnswer> {
        let of_site = |one: &&topology::CallServer| one.site == site;
        let members = self.prepared.topology.call_servers().filter(of_site);
        let names: Vec<String> = members.map(|one| one.name.clone()).collect();
        let console = self.fleet.console();
        let command = |name: &String| console.order(name, action.clone().into());
        let replies: Vec<_> = names.iter().map(command).collect();
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let replies = join_all(replies).await;
            // What has begun is waited for, even if another call server is silent.
            let begun = names.iter().zip(&replies).filter_map(|(name, reply)| match reply {
                Reply::Accepted { ticket, .. } => Some(console.effect(name, *ticket)),
                _ => None,
            });
            let begun = join_all(begun.collect::<Vec<_>>());
            let Some(answer) = joint_answer(replies) else { return };
            let is_over = !matches!(answer, OrderAnswer::Accepted(_));
            let _ = sender.send((id, answer));
            if !is_over && let Some(end) = joint_effect(begun.await) {
                let _ = sender.send((id, end));
            }
        });
        None
    }

    fn tell_callers(&mut self, what: Announcement) {
        self.tell_generators(&BoxOrder::from(what));
    }

    fn drain_callers(&mut self) {
        self.fleet.order(Tier::Load, &ProcessOrder::Drain);
    }
}
