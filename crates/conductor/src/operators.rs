//! Those who operate the network: their procedures, the orders that these give, and what became of each.

use std::time::Duration;

use operations::{
    Canary, LogEntry, Milestone, Operation, OperationStart, OrderAnswer, OrderResult, Procedure,
    Supervision,
};

use crate::order::{OrderId, SiteOrder};

/// All operations of a campaign while they are carried out.
#[derive(Debug)]
pub(crate) struct Operators {
    procedures: Vec<Procedure>,
}

impl Operators {
    /// `operations` on the sites of `pool`, in the order of the network file.
    pub(crate) fn new(operations: &[Operation], pool: &[String]) -> Self {
        let of = |operation| Procedure::new(operation, pool);
        Self { procedures: operations.iter().map(of).collect() }
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

    /// Decides by what supervision has measured which canaries the other sites follow.
    pub(crate) fn open_gates(&mut self, at: Duration, supervision: Option<&Supervision>) {
        for procedure in &mut self.procedures {
            let Some(canary) = procedure.awaits_gate() else { continue };
            let measure = |supervision: &Supervision| {
                let Canary { indicator, min_attempts, .. } = canary;
                supervision.indicator(*indicator, procedure.canary_site(), *min_attempts)
            };
            let measured = supervision.and_then(measure);
            procedure.gate(at, measured);
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

    fn at_end(&self) -> impl Iterator<Item = &Procedure> {
        self.procedures
            .iter()
            .filter(|procedure| procedure.operation().start == OperationStart::End)
    }
}
