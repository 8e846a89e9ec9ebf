//! The stage of a run in virtual time: boxes on the simulated network, which answer at once.

use std::sync::Arc;
use std::time::Duration;

use conductor::{
    Announcement, ImpairedWay, Observation, OrderId, SiteOrder, Stage, joint_answer, joint_effect,
};
use contract::{Effect, EffectEnd, Reply};
use operations::{FaultAction, OrderAnswer};
use topology::{CallServer, Topology};
use world::VirtualNetwork;

use super::listener::BoxListener;

/// Virtual time between two looks when nothing is due.
const LOOK: Duration = Duration::from_secs(10);
/// Virtual time between two looks for the effect of a command.
const EFFECT_LOOK: Duration = Duration::from_millis(100);
/// How long it may take to put the network back after the last call: nobody waits for it.
const PUT_BACK: Duration = Duration::from_secs(600);

/// The boxes of a run in virtual time, as its conductor works on them.
pub(super) struct VirtualTime {
    pub(super) world: VirtualNetwork<BoxListener>,
    /// The campaign has been ended before its time.
    pub(super) is_drained: bool,
    /// Orders that were accepted, and whose effect is not there yet.
    accepted: Vec<AcceptedOrder>,
}

/// An order that the call servers of a site have begun to carry out.
#[derive(Debug)]
struct AcceptedOrder {
    id: OrderId,
    /// The call servers that are not done, with the ticket of each.
    tickets: Vec<(String, u64)>,
    ends: Vec<EffectEnd>,
}

impl VirtualTime {
    pub(super) const fn new(world: VirtualNetwork<BoxListener>) -> Self {
        Self { world, is_drained: false, accepted: Vec::new() }
    }

    /// Lets time pass until `due`, or for a while if nothing is due, or until orders are over that were accepted: gives how
    /// these ended.
    pub(super) fn run_until(&mut self, due: Option<Duration>) -> Vec<(OrderId, OrderAnswer)> {
        let at = self.time();
        let next = due.filter(|due| *due > at).unwrap_or(Duration::MAX).min(at + LOOK);
        let mut left = next.saturating_sub(at).max(Duration::from_millis(1));
        loop {
            let step = if self.accepted.is_empty() { left } else { left.min(EFFECT_LOOK) };
            self.world.net.run_for(step);
            left -= step;
            let ends = self.take_ends();
            if left.is_zero() || !ends.is_empty() {
                return ends;
            }
        }
    }

    /// How orders ended that had been accepted, since the last time.
    fn take_ends(&mut self) -> Vec<(OrderId, OrderAnswer)> {
        let Self { world, accepted, .. } = self;
        for order in accepted.iter_mut() {
            let AcceptedOrder { tickets, ends, .. } = order;
            tickets.retain(|(name, ticket)| match world.effect(name, *ticket) {
                Some(Effect { end, .. }) => {
                    ends.push(end);
                    false
                }
                None => true,
            });
        }
        let over = accepted.extract_if(.., |order| order.tickets.is_empty());
        over.filter_map(|order| Some((order.id, joint_effect(order.ends)?))).collect()
    }

    /// The names of all call servers of a site.
    fn call_servers(&self, site: &str) -> Vec<String> {
        let of_site = self.world.topology.call_servers().filter(|one| one.site == site);
        of_site.map(|one| one.name.clone()).collect()
    }
}

impl Stage for VirtualTime {
    fn time(&self) -> Duration {
        self.world.net.elapsed()
    }

    fn put_back_limit(&self) -> Duration {
        PUT_BACK
    }

    fn observe(&self) -> Observation {
        let Self { world, .. } = self;
        let topology: &Topology = &world.topology;
        let psaps = topology.psaps.iter();
        let psaps = psaps.map(|psap| (psap.name.clone(), world.psap_offered(&psap.name)));
        let mut observation = Observation {
            callers: world.generator(),
            psaps: psaps.collect(),
            ..Observation::default()
        };
        // A machine without power shows nothing.
        let alive = |one: &&CallServer| world.is_alive(&one.name);
        for call_server in topology.call_servers().filter(alive) {
            observation.add(&call_server.site, &world.call_server(&call_server.name));
        }
        for group in &topology.trunk_groups {
            observation.add_members(&world.trunk_group(&group.name).members);
        }
        observation
    }

    fn inject(&mut self, target: &str, action: FaultAction) -> Result<(), String> {
        let mut boxes = self.call_servers(target);
        if boxes.is_empty() {
            boxes.push(target.to_owned());
        }
        let world = &mut self.world;
        if action == FaultAction::Restart {
            if let Some(one) = boxes.iter().find(|name| world.is_alive(name)) {
                return Err(format!("{one} has power"));
            }
        } else if let Some(dead) = boxes.iter().find(|name| !world.is_alive(name)) {
            return Err(format!("{dead} has no power"));
        }
        for name in &boxes {
            match action {
                FaultAction::Kill => world.kill(name),
                FaultAction::Freeze => world.freeze(name),
                FaultAction::Thaw => world.thaw(name),
                FaultAction::Restart => world.power_on(name),
                FaultAction::Impair | FaultAction::Heal => {}
            }
        }
        Ok(())
    }

    fn impair(&mut self, way: &ImpairedWay) -> Result<(), String> {
        let network = Arc::clone(&self.world.topology);
        for name in way.boxes(&network) {
            self.world.impair(&name, way.order(&name, &network));
        }
        Ok(())
    }

    fn order(&mut self, SiteOrder { id, site, action }: SiteOrder) -> Option<OrderAnswer> {
        let mut tickets = Vec::new();
        let names = self.call_servers(&site).into_iter();
        let answer = joint_answer(names.map(|name| {
            let reply = self.world.command(&name, action.clone());
            if let Reply::Accepted { ticket, .. } = &reply {
                tickets.push((name, *ticket));
            }
            reply
        }));
        if matches!(answer, Some(OrderAnswer::Accepted(_))) {
            self.accepted.push(AcceptedOrder { id, tickets, ends: Vec::new() });
        }
        answer
    }

    fn tell_callers(&mut self, what: Announcement) {
        self.world.tell_callers(&what.into());
    }

    fn drain_callers(&mut self) {
        self.is_drained = true;
    }
}
