//! The figures of all runs, once all of them are over: related to each other, over all seeds, beside what was published.

use campaign::{Campaign, ComparedFigure};

use super::ranking::savings;
use super::variant::VariantOutcome;
use crate::summary::{FigureResult, Spread};

/// Tells the figures that are a share of another run's as such. Where that run was not made there is nothing to tell.
pub fn relate(outcomes: &mut [VariantOutcome]) {
    for place in 0..outcomes.len() {
        for index in 0..outcomes[place].figures.len() {
            let Some(of) = outcomes[place].figures[index].of.clone() else { continue };
            let name = &outcomes[place].figures[index].name;
            let other = outcomes.iter().find(|run| run.name == of);
            let theirs = other.and_then(|run| Some(run.raw_values(run.place_of(name)?)));
            let theirs = theirs.unwrap_or_default();
            let mine = outcomes[place].raw_values(index);
            let shares = mine.iter().enumerate().map(|(seed, mine)| {
                let theirs = theirs.get(seed).copied().flatten().filter(|count| *count > 0.0)?;
                Some((*mine)? / theirs)
            });
            outcomes[place].related.push((index, shares.collect()));
        }
    }
    for outcome in outcomes {
        for (index, shares) in std::mem::take(&mut outcome.related) {
            for (seed, share) in outcome.seeds.iter_mut().zip(shares) {
                seed.figures[index] = share;
            }
        }
    }
}

/// Writes into the summaries what the comparison came to.
pub fn tell_comparison(campaign: &Campaign, outcomes: &mut [VariantOutcome]) {
    for outcome in &mut *outcomes {
        outcome.summary.figures = results(campaign, outcome);
        if outcome.seeds.len() > 1 {
            outcome.summary.seeds.clone_from(&outcome.seeds);
        }
    }
    let savings = savings(outcomes);
    if let Some(first) = outcomes.first_mut() {
        first.summary.savings = savings;
    }
}

fn results(campaign: &Campaign, outcome: &VariantOutcome) -> Vec<FigureResult> {
    let result = |(index, figure): (usize, &ComparedFigure)| {
        let measured = outcome.spread(index);
        let (window, window_asked) = windows(campaign, figure);
        FigureResult {
            name: figure.name.clone(),
            measure: figure.measure.name().to_owned(),
            window,
            window_asked,
            measured,
            published: figure.published.clone(),
            published_value: figure.value,
            plausible: figure.plausible.as_ref().map(|range| [*range.start(), *range.end()]),
            within: measured.and_then(|it| figure.is_plausible(it.median)),
            source: figure.source.clone(),
        }
    };
    outcome.figures.iter().enumerate().map(result).collect()
}

/// The window that was counted, and the one that was asked for where that is longer.
fn windows(campaign: &Campaign, figure: &ComparedFigure) -> (Option<String>, Option<String>) {
    let Some(asked) = figure.selection.window else { return (None, None) };
    let Some(had) = asked.within(campaign.begins, campaign.duration()) else {
        return (None, Some(asked.to_string()));
    };
    let clock = |at: std::time::Duration| {
        let minutes = (campaign.begins + at).as_secs() / 60;
        format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
    };
    let is_clipped = had.end - had.start < asked.length();
    let had = format!("{}-{}", clock(had.start), clock(had.end));
    (Some(had), is_clipped.then(|| asked.to_string()))
}

impl VariantOutcome {
    /// A figure over all seeds; `None` where there was nothing to measure.
    #[must_use]
    pub fn spread(&self, index: usize) -> Option<Spread> {
        Spread::of(self.raw_values(index).into_iter().flatten())
    }

    /// A figure of each seed.
    fn raw_values(&self, index: usize) -> Vec<Option<f64>> {
        self.seeds.iter().map(|seed| seed.figures.get(index).copied().flatten()).collect()
    }

    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.figures.iter().position(|figure| figure.name == name)
    }
}
