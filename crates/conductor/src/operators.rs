//! Those who operate the network: their procedures, the orders that these give, and what became of each.

use std::time::Duration;

use operations::{
    CallCounts, GateCounts, GateWatch, LogEntry, Milestone, Operation, OperationNote,
    OperationStart, OrderAnswer, OrderResult, Procedure,
};

use crate::order::{OrderId, SiteOrder};
use crate::stage::Observation;

/// All operations of a campaign while they are carried out.
#[derive(Debug)]
pub(crate) struct Operators {
    procedures: Vec<Procedure>,
    /// What is seen of the canary of each, and which site that is, while it is observed.
    watches: Vec<Option<(String, GateWatch)>>,
    /// The windows in which a canary is watched.
    window: Duration,
    /// Sites that have been seen to restart or to be silent.
    affected: Vec<String>,
}

impl Operators {
    /// `operations` on the sites of `pool`, in the order of the network file. Canaries are watched in windows of `window`.
    pub(crate) fn new(operations: &[Operation], pool: &[String], window: Duration) -> Self {
        let of = |operation| Procedure::new(operation, pool);
        Self {
            procedures: operations.iter().map(of).collect(),
            watches: operations.iter().map(|_| None).collect(),
            window,
            affected: Vec::new(),
        }
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.procedures.iter().filter_map(Procedure::next_due).min()
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, at: Duration) {
        self.procedures.iter_mut().for_each(|procedure| procedure.advance(at));
    }

    /// Those who have waited for a milestone of the crisis begin.
    pub(crate) fn milestone(&mut self, at: Duration, milestone: &Milestone) {
        self.procedures.iter_mut().for_each(|procedure| procedure.milestone(at, milestone));
    }

    /// Takes in what is seen of the network, for operations that are about sites that are affected.
    pub(crate) fn note_affected(&mut self, seen: &Observation) {
        let known = self.affected.len();
        let restarted = seen.sites.iter().filter(|(_, counts)| counts.restarts > 0);
        for site in restarted.map(|(site, _)| site).chain(&seen.silent) {
            if !self.affected.contains(site) {
                self.affected.push(site.clone());
            }
        }
        if self.affected.len() > known {
            for procedure in &mut self.procedures {
                procedure.note_affected(&self.affected);
            }
        }
    }

    /// Watches the canaries by what is seen of the network, and decides which of them the other sites follow.
    pub(crate) fn watch_canaries(&mut self, at: Duration, seen: &Observation) {
        for (procedure, watch) in self.procedures.iter_mut().zip(&mut self.watches) {
            let (Some(canary), Some(site)) = (procedure.observed(), procedure.canary_site()) else {
                *watch = None;
                continue;
            };
            let counts = counts_of(seen, site);
            match watch {
                Some((watched, watch)) if watched == site => watch.see(at, counts),
                _ => {
                    let begun = GateWatch::new(canary, self.window, at, counts);
                    *watch = Some((site.to_owned(), begun));
                }
            }
            if procedure.awaits_gate().is_some()
                && let Some((_, watch)) = watch.take()
            {
                procedure.gate(at, watch.measured());
            }
        }
    }

    /// The orders that are due. `touched` is true when one of them, by the clock, touches a site.
    pub(crate) fn take_orders(&mut self, at: Duration, touched: &mut bool) -> Vec<SiteOrder> {
        let mut orders = Vec::new();
        for (operation, procedure) in self.procedures.iter_mut().enumerate() {
            while let Some(order) = procedure.poll_order(at) {
                let by_clock = matches!(procedure.operation().start, OperationStart::At(_));
                *touched |= order.action.touches() && by_clock;
                let id = OrderId { operation, number: order.id };
                orders.push(SiteOrder { id, site: order.site, action: order.action });
            }
        }
        orders
    }

    /// What a site said to an order.
    pub(crate) fn answered(&mut self, at: Duration, id: OrderId, answer: OrderAnswer) {
        if let Some(procedure) = self.procedures.get_mut(id.operation) {
            procedure.answered(at, id.number, answer);
        }
    }

    /// Nothing is done, nor put back.
    pub(crate) fn dismiss(&mut self) {
        self.procedures.clear();
        self.watches.clear();
    }

    /// The callers are done: what puts the network back begins.
    pub(crate) fn end(&mut self, at: Duration) {
        self.procedures.iter_mut().for_each(|procedure| procedure.end(at));
    }

    /// Whether an order may still go out by `until`.
    pub(crate) fn are_busy(&self, until: Duration) -> bool {
        let under_way = |procedure: &Procedure| {
            !procedure.is_over() && procedure.next_due().is_some_and(|due| due <= until)
        };
        self.procedures.iter().any(under_way)
    }

    /// Whether all that puts the network back is over.
    pub(crate) fn have_put_back(&self) -> bool {
        self.at_end().all(Procedure::is_over)
    }

    /// What was not put back, a sentence each.
    pub(crate) fn shortfalls(&self) -> impl Iterator<Item = String> {
        self.at_end().flat_map(|procedure| {
            let name = &procedure.operation().name;
            let failed = |entry: &&LogEntry| {
                !matches!(entry.result, OrderResult::Done(_) | OrderResult::Accepted(_))
            };
            let of_order = procedure.log().iter().filter(failed);
            let mut sentences: Vec<String> =
                of_order.map(|entry| format!("not put back: {name}: {entry}")).collect();
            if !procedure.is_over() {
                sentences.push(format!("not put back: {name} was cut off"));
            }
            sentences
        })
    }

    /// What became of the commands of each operation so far, by its name.
    pub(crate) fn logs(&self) -> impl Iterator<Item = (&str, &[LogEntry])> {
        let log = |procedure| (&Procedure::operation(procedure).name[..], procedure.log());
        self.procedures.iter().map(log)
    }

    /// What is to be told of each operation beside its commands, by its name.
    pub(crate) fn notes(&self) -> impl Iterator<Item = (&str, &OperationNote)> {
        self.procedures.iter().flat_map(|procedure| {
            let name = &procedure.operation().name[..];
            procedure.notes().iter().map(move |note| (name, note))
        })
    }

    fn at_end(&self) -> impl Iterator<Item = &Procedure> {
        self.procedures
            .iter()
            .filter(|procedure| procedure.operation().start == OperationStart::End)
    }
}

/// What was counted so far, as the gate behind `site` looks at it.
fn counts_of(seen: &Observation, site: &str) -> GateCounts {
    let mut counts = GateCounts::default();
    for (name, of_site) in &seen.sites {
        let calls = match name == site {
            true => {
                counts.restarts = of_site.restarts;
                &mut counts.site
            }
            false => &mut counts.others,
        };
        calls.offered += of_site.offered;
        calls.answered += of_site.answered;
    }
    for fate in &seen.callers.fates {
        let calls = if fate.emergency { &mut counts.emergency } else { &mut counts.ordinary };
        *calls = CallCounts {
            offered: calls.offered + fate.answered + fate.unanswered,
            answered: calls.answered + fate.answered,
        };
    }
    counts
}
