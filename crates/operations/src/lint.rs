//! What can be said of operations before they are carried out: how much of the pool they touch at once.
//!
//! A pool survives what hits one site at a time, if there is time enough to see it. What hits more sites
//! than one within the time that the pool needs to find a dead one is not covered by redundancy.

use std::collections::BTreeSet;
use std::time::Duration;

use topology::format_duration;

use crate::action::Action;
use crate::operation::{Operation, OperationStart};
use crate::procedure::Procedure;

/// An order as planned: when it goes out, if every site answers at once and the canary passes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Planned {
    at: Duration,
    site: String,
    action: Action,
}

/// Sentences on `operations` over the sites of `pool`. None: nothing is wrong with them.
///
/// `detection` is how long the pool needs to find that a site is dead.
#[must_use]
pub fn blast_radius(operations: &[Operation], pool: &[String], detection: Duration) -> Vec<String> {
    let touching: Vec<(&Operation, Vec<Planned>)> = operations
        .iter()
        .filter(|operation| operation.enabled)
        .map(|operation| (operation, plan(operation, pool)))
        .filter(|(_, plan)| !plan.is_empty())
        .collect();
    let mut sentences = Vec::new();
    for (operation, plan) in &touching {
        sentences.extend(crowd(operation, plan, pool.len(), detection));
        sentences.extend(missing_canary(operation, plan));
    }
    sentences.extend(disorder(&touching));
    for (index, (operation, plan)) in touching.iter().enumerate() {
        let later = &touching[index + 1..];
        sentences.extend(later.iter().filter_map(|other| overlap((operation, plan), other)));
    }
    sentences
}

/// The orders that change something, from the start of the campaign or from the milestone.
fn plan(operation: &Operation, pool: &[String]) -> Vec<Planned> {
    let begins = match &operation.start {
        OperationStart::At(at) => *at,
        OperationStart::After { delay, .. } => *delay,
        // What puts the network back meets no call any more.
        OperationStart::End => return Vec::new(),
    };
    let operation = Operation { start: OperationStart::At(begins), ..operation.clone() };
    let mut procedure = Procedure::new(&operation, pool);
    // At worst, all of them.
    procedure.note_affected(pool);
    let mut plan = Vec::new();
    let mut at = begins;
    while !procedure.is_over() {
        while let Some(order) = procedure.poll_order(at) {
            procedure.answered(at, order.id, Ok(String::new()));
            plan.push(Planned { at, site: order.site, action: order.action });
        }
        if let Some(canary) = procedure.awaits_gate() {
            let passing = canary.min.or(canary.max);
            procedure.gate(at, passing);
        }
        match procedure.next_due() {
            Some(due) => at = at.max(due),
            None if procedure.is_over() => break,
            None => {}
        }
    }
    plan.retain(|planned| planned.action.touches());
    plan
}

/// The most sites that are touched within one detection window.
fn crowd(
    operation: &Operation,
    plan: &[Planned],
    pool: usize,
    detection: Duration,
) -> Option<String> {
    let mut worst = (0, Duration::ZERO);
    for (index, first) in plan.iter().enumerate() {
        let inside = plan[index..].iter().take_while(|planned| planned.at - first.at <= detection);
        let mut sites = BTreeSet::new();
        let mut length = Duration::ZERO;
        for planned in inside {
            if sites.insert(&planned.site) {
                length = planned.at - first.at;
            }
        }
        if sites.len() > worst.0 {
            worst = (sites.len(), length);
        }
    }
    let (touched, length) = worst;
    if touched < 2 {
        return None;
    }
    let left = match pool.saturating_sub(touched) {
        0 => "no site would be left that is known to be well".to_owned(),
        1 => "one site would be left that is known to be well".to_owned(),
        left => format!("{left} sites would be left that are known to be well"),
    };
    Some(format!(
        "operation {} touches {touched}/{pool} sites within {}, inside one detection window ({}): {left}",
        operation.name,
        tenths(length),
        tenths(detection),
    ))
}

fn missing_canary(operation: &Operation, plan: &[Planned]) -> Option<String> {
    let sites: BTreeSet<&str> = plan.iter().map(|planned| &planned.site[..]).collect();
    (operation.canary.is_none() && sites.len() > 1).then(|| {
        format!(
            "operation {} has no canary: nothing is measured between the first site and the others",
            operation.name
        )
    })
}

/// Operations that take links out of use or into use on a site that still takes calls.
fn disorder(touching: &[(&Operation, Vec<Planned>)]) -> Vec<String> {
    // What one operation locked stays locked for the next, as far as the times are known.
    let mut in_time: Vec<_> = touching.iter().collect();
    in_time.sort_by_key(|(operation, _)| match &operation.start {
        OperationStart::At(at) => (false, *at),
        OperationStart::After { delay, .. } => (true, *delay),
        OperationStart::End => (true, Duration::MAX),
    });
    let mut quiet: BTreeSet<&str> = BTreeSet::new();
    let mut sentences = Vec::new();
    for (operation, plan) in in_time {
        let mut early = BTreeSet::new();
        for planned in plan {
            let site = &planned.site[..];
            match planned.action {
                Action::Lock | Action::Drain | Action::Isolate => {
                    quiet.insert(site);
                }
                Action::Unlock | Action::Rejoin | Action::Restart { .. } => {
                    quiet.remove(site);
                }
                Action::Disconnect { .. } | Action::Reconnect { .. } if !quiet.contains(site) => {
                    early.insert(planned.action.to_string());
                }
                _ => {}
            }
        }
        if !early.is_empty() {
            let early: Vec<String> = early.into_iter().collect();
            sentences.push(format!(
                "operation {} gives {} to a site that is not locked: not the documented order: lock, \
                 disconnect, reconnect, unlock",
                operation.name,
                early.join(" and "),
            ));
        }
    }
    sentences
}

/// Two operations that are under way at the same time, as far as that is known.
fn overlap(
    (one, plan): (&Operation, &[Planned]),
    (other, other_plan): &(&Operation, Vec<Planned>),
) -> Option<String> {
    let comparable = match (&one.start, &other.start) {
        (OperationStart::At(_), OperationStart::At(_)) => true,
        (
            OperationStart::After { milestone: a, .. },
            OperationStart::After { milestone: b, .. },
        ) => a == b,
        _ => false,
    };
    let span = |plan: &[Planned]| Some((plan.first()?.at, plan.last()?.at));
    let ((first, last), (other_first, other_last)) = (span(plan)?, span(other_plan)?);
    (comparable && first <= other_last && other_first <= last).then(|| {
        let since = match &one.start {
            OperationStart::At(_) | OperationStart::End => String::new(),
            OperationStart::After { milestone, .. } => format!(" after {milestone}"),
        };
        format!(
            "operations {} and {} overlap at {}{since}: what one of them breaks looks like the other's work",
            one.name,
            other.name,
            format_duration(first.max(other_first)),
        )
    })
}

fn tenths(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
