//! The search for the session establishment rate, after the algorithm of RFC 7502 §4.10.
//!
//! ```text
//!  rise: ×2 while it holds ──fails──► narrow: the middle of what held and what did not ──close enough──┐
//!                                                                                                       ▼
//!     result ◄──holds── confirm: the best rate again, for longer ──fails──► back down, further each time
//! ```
//!
//! A trial in which the generator accuses itself says nothing about the network. It is made once more, and if that is no
//! better, the rate counts as beyond the generator.

/// How fine and how far to search. Rates are calls per second.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub start: f64,
    pub max: f64,
    /// The search ends when what did not hold is above what held by no more than this share.
    pub resolution: f64,
}

/// How close to come to a floor: it says only that there is more.
const COARSE: f64 = 0.25;

/// Below this rate nothing is measured.
const LEAST: f64 = 0.5;

/// A best rate that fails so often when it is confirmed was luck.
const MOST_CONFIRMATIONS: u32 = 6;

/// What to try next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedTrial {
    pub rate: f64,
    pub stage: SearchStage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchStage {
    Rise,
    Narrow,
    Confirm,
}

/// What a trial showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialFinding {
    /// Every session was established.
    Held,
    /// Some were not, and the generator was not the reason.
    Failed,
    /// The generator accuses itself.
    GeneratorOut,
}

/// What stands above the rate that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// A ceiling: the network failed at this trial, by its number.
    Network { trial: usize },
    /// A floor: the generator ran out at this trial, before the network did.
    Generator { trial: usize },
    /// A floor: nothing more was asked for.
    Asked,
}

/// The end of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SearchResult {
    Found {
        rate: f64,
        limit: RateLimit,
        /// The number of the trial that confirmed it.
        confirmed: usize,
    },
    /// No rate held, or none when it was confirmed.
    Nothing { limit: RateLimit },
}

#[derive(Debug)]
pub struct Search {
    bounds: Bounds,
    /// The highest rate that held; 0 when none has.
    low: f64,
    /// The lowest rate that did not, and why.
    high: Option<(f64, RateLimit)>,
    state: State,
    /// The trial of this rate was made once in vain already.
    repeated: bool,
    trials: usize,
    confirmations: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Try(PlannedTrial),
    Done(SearchResult),
}

impl Search {
    pub fn new(bounds: Bounds) -> Self {
        let rate = bounds.start.clamp(LEAST, bounds.max);
        Self {
            bounds,
            low: 0.0,
            high: None,
            state: State::Try(PlannedTrial { rate, stage: SearchStage::Rise }),
            repeated: false,
            trials: 0,
            confirmations: 0,
        }
    }

    /// The next trial, until there is a result.
    pub const fn next(&self) -> Option<PlannedTrial> {
        match self.state {
            State::Try(trial) => Some(trial),
            State::Done(_) => None,
        }
    }

    /// The result, once there is no next trial.
    pub const fn result(&self) -> Option<SearchResult> {
        match self.state {
            State::Try(_) => None,
            State::Done(result) => Some(result),
        }
    }

    /// Takes what the trial of [`next`](Self::next) showed. Trials are counted from 1.
    pub fn take(&mut self, finding: TrialFinding) {
        let State::Try(trial) = self.state else { return };
        self.trials += 1;
        if finding == TrialFinding::GeneratorOut && !self.repeated {
            self.repeated = true;
            return;
        }
        self.repeated = false;
        let limit = match finding {
            TrialFinding::Held => None,
            TrialFinding::Failed => Some(RateLimit::Network { trial: self.trials }),
            TrialFinding::GeneratorOut => Some(RateLimit::Generator { trial: self.trials }),
        };
        self.state = match (trial.stage, limit) {
            (SearchStage::Confirm, None) => self.confirmed(trial.rate),
            (SearchStage::Confirm, Some(limit)) => self.back_down(trial.rate, limit),
            (_, None) => self.held(trial),
            (_, Some(limit)) => self.did_not_hold(trial.rate, limit),
        };
    }

    fn held(&mut self, trial: PlannedTrial) -> State {
        self.low = trial.rate;
        match trial.stage {
            SearchStage::Rise if self.high.is_none() && trial.rate < self.bounds.max => {
                State::Try(PlannedTrial { rate: (trial.rate * 2.0).min(self.bounds.max), ..trial })
            }
            _ => self.narrow(),
        }
    }

    fn did_not_hold(&mut self, rate: f64, limit: RateLimit) -> State {
        self.high = Some((rate, limit));
        if self.low > 0.0 {
            return self.narrow();
        }
        match rate / 2.0 {
            half if half >= LEAST => {
                State::Try(PlannedTrial { rate: half, stage: SearchStage::Rise })
            }
            _ => State::Done(SearchResult::Nothing { limit }),
        }
    }

    fn narrow(&self) -> State {
        let stage = match self.high {
            Some((high, limit)) if high > self.low * (1.0 + self.fineness(limit)) => {
                let rate = (self.low + high) / 2.0;
                return State::Try(PlannedTrial {
                    rate: rounded(rate),
                    stage: SearchStage::Narrow,
                });
            }
            _ => SearchStage::Confirm,
        };
        State::Try(PlannedTrial { rate: self.low, stage })
    }

    fn fineness(&self, limit: RateLimit) -> f64 {
        match limit {
            RateLimit::Network { .. } => self.bounds.resolution,
            RateLimit::Generator { .. } | RateLimit::Asked => self.bounds.resolution.max(COARSE),
        }
    }

    fn confirmed(&self, rate: f64) -> State {
        let limit = self.high.map_or(RateLimit::Asked, |(_, limit)| limit);
        State::Done(SearchResult::Found { rate, limit, confirmed: self.trials })
    }

    /// It held for a short time only.
    fn back_down(&mut self, rate: f64, limit: RateLimit) -> State {
        self.high = Some((rate, limit));
        self.confirmations += 1;
        // By the resolution, then twice that, then thrice: the best of short trials may have been mere luck.
        let share = (self.bounds.resolution * f64::from(self.confirmations)).min(0.5);
        self.low = rounded(rate * (1.0 - share));
        if self.confirmations >= MOST_CONFIRMATIONS || self.low < LEAST {
            return State::Done(SearchResult::Nothing { limit });
        }
        State::Try(PlannedTrial { rate: self.low, stage: SearchStage::Confirm })
    }
}

/// Whole calls per second, where that is fine enough.
fn rounded(rate: f64) -> f64 {
    if rate >= 20.0 { rate.round() } else { (rate * 100.0).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { start: 50.0, max: 100_000.0, resolution: 0.05 };

    /// Searches with `network` and `generator` as what each can do; a trial that holds needs both.
    fn search(bounds: Bounds, network: f64, generator: f64) -> (SearchResult, Vec<PlannedTrial>) {
        let mut search = Search::new(bounds);
        let mut trials = Vec::new();
        while let Some(trial) = search.next() {
            trials.push(trial);
            assert!(trials.len() < 100, "it never ends: {trials:?}");
            let finding = match trial.rate {
                rate if rate > generator => TrialFinding::GeneratorOut,
                rate if rate > network => TrialFinding::Failed,
                _ => TrialFinding::Held,
            };
            search.take(finding);
        }
        (search.result().expect("the end of a search"), trials)
    }

    #[test]
    fn a_ceiling_is_found_within_the_resolution_and_confirmed() {
        for capacity in [1.0, 7.0, 50.0, 51.0, 620.0, 3_333.0] {
            let (result, trials) = search(BOUNDS, capacity, f64::INFINITY);
            let SearchResult::Found { rate, limit: RateLimit::Network { trial }, confirmed } =
                result
            else {
                panic!("{capacity}: {result:?}");
            };
            assert!(rate <= capacity && rate * 1.06 >= capacity, "{capacity}: {rate}");
            assert!(trials[trial - 1].rate > capacity && trials.len() == confirmed);
            assert_eq!(trials[confirmed - 1], PlannedTrial { rate, stage: SearchStage::Confirm });
            assert!(trials.len() <= 16, "{capacity}: {} trials", trials.len());
        }
    }

    #[test]
    fn a_generator_that_runs_out_first_leaves_a_floor() {
        let (result, trials) = search(BOUNDS, 10_000.0, 500.0);
        let SearchResult::Found { rate, limit: RateLimit::Generator { trial }, .. } = result else {
            panic!("{result:?}");
        };
        assert!((400.0..=500.0).contains(&rate), "{rate}");
        // Each such trial is made twice before it counts.
        assert_eq!(trials[trial - 1], trials[trial - 2]);
    }

    #[test]
    fn nothing_is_tried_beyond_what_was_asked_for() {
        let (result, trials) = search(Bounds { max: 300.0, ..BOUNDS }, 1e9, 1e9);
        let rates: Vec<f64> = trials.iter().map(|trial| trial.rate).collect();
        assert_eq!(rates, [50.0, 100.0, 200.0, 300.0, 300.0]);
        assert_eq!(
            result,
            SearchResult::Found { rate: 300.0, limit: RateLimit::Asked, confirmed: 5 }
        );
    }

    #[test]
    fn a_rate_that_holds_for_a_moment_only_is_backed_down_from() {
        let mut search = Search::new(BOUNDS);
        let mut confirmations = Vec::new();
        while let Some(trial) = search.next() {
            let confirms = trial.stage == SearchStage::Confirm;
            confirmations.extend(confirms.then_some(trial.rate));
            let capacity = if confirms { 90.0 } else { 100.0 };
            search.take(if trial.rate > capacity {
                TrialFinding::Failed
            } else {
                TrialFinding::Held
            });
        }
        assert_eq!(confirmations, [100.0, 95.0, 86.0]);
        assert!(matches!(search.result(), Some(SearchResult::Found { rate: 86.0, .. })));
    }

    #[test]
    fn a_network_that_carries_nothing_ends_the_search() {
        let (result, trials) = search(BOUNDS, 0.0, f64::INFINITY);
        assert!(
            matches!(result, SearchResult::Nothing { limit: RateLimit::Network { .. } }),
            "{result:?}"
        );
        assert!(trials.iter().all(|trial| trial.rate >= LEAST));
        let mut never_confirmed = Search::new(BOUNDS);
        while let Some(trial) = never_confirmed.next() {
            let holds = trial.stage != SearchStage::Confirm && trial.rate < 100.0;
            never_confirmed.take(if holds { TrialFinding::Held } else { TrialFinding::Failed });
        }
        assert!(matches!(never_confirmed.result(), Some(SearchResult::Nothing { .. })));
    }
}
