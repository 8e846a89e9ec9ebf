//! What a campaign demands of its figures, of itself and of each variant.

use super::measured::FigureUnit;
use super::variant::VariantOutcome;
use crate::summary::{RunVerdict, ThresholdResult};

/// Judges the figures of a run that its campaign bounds, as thresholds; over several seeds, their medians. An interrupted
/// campaign, or one that ended early, has other figures than were asked for, and the figures of an invalid run say nothing.
pub fn judge_figures(run: &mut VariantOutcome) {
    let is_judged = !run.summary.interrupted
        && run.operations.aborted.is_none()
        && !matches!(run.summary.verdict, RunVerdict::Invalid | RunVerdict::Unsteady);
    for (index, figure) in run.figures.iter().enumerate() {
        if figure.min.is_none() && figure.max.is_none() {
            continue;
        }
        let measured = run.spread(index).map(|spread| spread.median);
        let is_judged = is_judged && (measured.is_some() || figure.of.is_none());
        let reason = match (is_judged, measured, &figure.of) {
            (false, None, Some(of)) => Some(format!("there is no run {of} to compare it with")),
            (false, ..) => Some("the run was not what the bound is for".to_owned()),
            (true, None, _) => Some("there was nothing to measure".to_owned()),
            (true, Some(_), _) => None,
        };
        let holds = measured.is_some_and(|measured| {
            figure.min.is_none_or(|min| measured >= min)
                && figure.max.is_none_or(|max| measured <= max)
        });
        let result = ThresholdResult {
            metric: figure.name.clone(),
            of: Some("the comparison".to_owned()),
            measured,
            min: figure.min,
            max: figure.max,
            unit: FigureUnit::of(figure).word().to_owned(),
            holds: is_judged.then_some(holds),
            reason,
        };
        let breach = result.breach();
        run.summary.thresholds.push(result);
        if let Some(breach) = breach {
            run.summary.fail(breach);
        }
    }
}

/// A campaign passes when its variants do, each within bounds of its own: what is against them is against it.
pub fn count_variants(outcomes: &mut [VariantOutcome]) {
    let Some((first, variants)) = outcomes.split_first_mut() else { return };
    let is_against = |variant: &&VariantOutcome| {
        !matches!(variant.summary.verdict, RunVerdict::Pass | RunVerdict::Interrupted)
    };
    for VariantOutcome { name, summary, .. } in variants.iter().filter(is_against) {
        let why = summary.reasons.first().map_or("", String::as_str);
        first.summary.fail(format!("variant {name}: {}, {why}", summary.verdict.as_str()));
    }
}
