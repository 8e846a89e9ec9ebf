//! Why an attempt came to nothing: the first cause in time, in the same words in the database, on the page and in
//! `tocsin show`.

use std::borrow::Cow;

use telemetry::{Attempt, BoxKind, Outcome};

/// The first cause. `None` for an attempt that was answered and ended well, and for one that its caller gave up while nothing
/// else was wrong.
pub(crate) fn first_cause(attempt: &Attempt<'_>) -> Option<String> {
    let (caller, counted) = (attempt.caller()?, attempt.counted());
    let outcome = counted.outcome.unwrap_or(caller.outcome);
    if outcome == Outcome::Answered {
        return None;
    }
    if let Some(why) = counted.why {
        return Some(why.to_owned());
    }
    let failed = |outcome| matches!(outcome, Outcome::Rejected | Outcome::TimedOut | Outcome::Lost);
    let behind = attempt.records().filter(|record| {
        record.kind != BoxKind::Generator && failed(record.outcome) && record.reason.is_some()
    });
    let first = behind.min_by_key(|record| record.end_us).and_then(|record| record.reason);
    let told = first.or_else(|| caller.reason.clone()).map(|reason| reason.to_string());
    told.or_else(|| match (outcome, caller.status) {
        (Outcome::Rejected, Some(status)) => Some(format!("refused with {status}")),
        (Outcome::Rejected, None) => Some("refused".to_owned()),
        (Outcome::TimedOut, _) => Some("no final response".to_owned()),
        (Outcome::Lost, _) => Some("nobody knows why".to_owned()),
        _ => None,
    })
}

/// The site where it ended up, else the last one that a trunk group tried.
pub(crate) fn site_of<'a>(attempt: &Attempt<'a>) -> Option<Cow<'a, str>> {
    if let Some(site) = attempt.reached().site {
        return Some(site.into());
    }
    let tried = attempt
        .of(BoxKind::TrunkGroup)
        .find_map(|record| record.tried.iter().next().map(str::to_owned));
    // A call server is called like its site, or `site.blade`.
    tried.map(|tried| tried.split('.').next().unwrap_or_default().to_owned().into())
}
