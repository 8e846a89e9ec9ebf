//! `--sensitivity`: the campaign again with each assumed key changed, one at a time.
//!
//! ```text
//!   [[assumed]] key ──► written value ──► ×0.5, −20 %, +20 %, ×2 ──► a task for each run and seed ──► SeedResult
//!                                                                                                        │
//!                                                   summary.sensitivity ◄── account::outcome::key_effect ┘
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use account::outcome::{BASE, TrialRuns, key_effect, rank_effects};
use account::summary::SensitivityFigures;
use account::text::length;
use campaign::{Assumed, Campaign, ENVIRONMENT_PREFIX, scaled};
use cli::FileArgs;
use run_folder::ClosedRun;
use topology::reader::Document;

use super::options::VirtualTimeOptions;
use super::pool::{Done, Pool};
use super::task::{RunTask, with_seeds};
use crate::changed_campaign::ChangedCampaign;

/// What each key is multiplied by.
const FACTORS: [f64; 4] = [0.5, 0.8, 1.2, 2.0];

/// What is to be run.
#[derive(Debug)]
pub(super) struct Sensitivity {
    trials: Vec<Trial>,
}

/// The campaign, and its variants, with another value of one key.
#[derive(Debug)]
struct Trial {
    assumed: Assumed,
    /// As the campaign has it, and as it is here.
    own: String,
    value: String,
    factor: f64,
    tasks: Vec<RunTask>,
}

impl Sensitivity {
    /// Reads the campaign with each assumed key changed. `tasks` are the runs that are made with each.
    ///
    /// # Errors
    /// A sentence about a key that cannot be varied.
    pub(super) fn plan(
        options: &VirtualTimeOptions<'_>,
        campaign: &Campaign,
        tasks: &[RunTask],
    ) -> Result<Self, String> {
        if campaign.assumed.is_empty() {
            return Err("--sensitivity varies what the campaign marks as assumed, and it marks nothing: add \
                        [[assumed]] with key = \"callers.redial.gap\", and so on"
                .to_owned());
        }
        let mut trials = Vec::new();
        for assumed in &campaign.assumed {
            let own = written(options, campaign, &assumed.key)?;
            let refuse =
                |why: String| format!("[[assumed]] {} cannot be varied: it {why}", assumed.key);
            let mut values: Vec<String> = Vec::new();
            for factor in FACTORS {
                let ways = scaled(&own, factor).map_err(refuse)?;
                let found = ways.iter().find_map(|value| {
                    Some((value, changed(options, campaign, tasks, &assumed.key, value)?))
                });
                // A value that no reader takes, or that another factor comes to as well, tells nothing.
                let Some((value, tasks)) = found else { continue };
                if values.contains(value) {
                    continue;
                }
                values.push(value.clone());
                let (assumed, own, value) = (assumed.clone(), own.clone(), value.clone());
                trials.push(Trial { assumed, own, value, factor, tasks });
            }
            if values.is_empty() {
                return Err(refuse(format!("is {own}, and no multiple of that is allowed")));
            }
        }
        Ok(Self { trials })
    }

    /// Makes the runs, and writes what they show into the summary of the campaign itself.
    pub(super) fn run(
        self,
        pool: &Pool<'_>,
        campaign: &Campaign,
        runs: &mut [ClosedRun],
    ) -> anyhow::Result<()> {
        let seeds = pool.options.seeds;
        let (mut tasks, mut places) = (Vec::new(), Vec::new());
        for (place, trial) in self.trials.iter().enumerate() {
            for task in with_seeds(&trial.tasks, seeds) {
                places.push((place, task.name.clone()));
                tasks.push(RunTask { keeps_attempts: false, figures_only: true, ..task });
            }
        }
        let Some(first) = runs.first() else { return Ok(()) };
        if !pool.options.quiet {
            let one = first.outcome.took.as_secs_f64();
            let all = one * tasks.len() as f64 / Pool::workers(tasks.len()).max(1) as f64;
            cli::say!(
                "sensitivity: {} values of {} keys, {} runs more, about {}; Ctrl-C keeps what was found",
                self.trials.len(),
                campaign.assumed.len(),
                tasks.len(),
                length(all.ceil())
            );
        }
        let mut found: BTreeMap<usize, TrialRuns> = BTreeMap::new();
        let mut figures = SensitivityFigures::default();
        for (done, (place, name)) in pool.run(&tasks)?.into_iter().zip(places) {
            match done {
                Done::Figures(seed) => {
                    let trial = &self.trials[place];
                    let runs = found.entry(place).or_insert_with(|| TrialRuns {
                        value: trial.value.clone(),
                        factor: trial.factor,
                        seeds: BTreeMap::new(),
                    });
                    runs.seeds.entry(name).or_default().push(seed);
                }
                Done::Whole(_) | Done::NotMade => figures.runs_missing += 1,
            }
        }
        let outcomes: Vec<_> = runs.iter().map(|run| &run.outcome).collect();
        for assumed in &campaign.assumed {
            let of_key = |place: &usize| self.trials[*place].assumed == *assumed;
            let Some(own) = self.trials.iter().find(|trial| trial.assumed == *assumed) else {
                continue;
            };
            let trials: Vec<&TrialRuns> =
                found.iter().filter(|(place, _)| of_key(place)).map(|(_, runs)| runs).collect();
            if !trials.is_empty() {
                figures.keys.push(key_effect(assumed, &own.own, &outcomes, &trials));
            }
        }
        rank_effects(&mut figures);
        runs[0].outcome.summary.sensitivity = Some(figures);
        Ok(())
    }
}

/// The value of a key in campaign or network, with what lies over them.
fn written(
    options: &VirtualTimeOptions<'_>,
    campaign: &Campaign,
    key: &str,
) -> Result<String, String> {
    let (layers, network_layers) = options.file.campaign_and_network_layers(ENVIRONMENT_PREFIX);
    let (path, layers) = match topology::is_network_key(key) {
        true => (&campaign.network, network_layers),
        false => (&options.file.file, layers),
    };
    let document = Document::load(path, &layers).map_err(|problems| problems.to_string())?;
    let value = document.written(key).map_err(|why| format!("[[assumed]] {key}: {why}"))?;
    value.ok_or_else(|| {
        format!(
            "[[assumed]] {key} has no value in {}: write there the one that you assume",
            path.display()
        )
    })
}

/// The same runs with `key` changed; `None` where one of them cannot have that value. What a variant itself sets stays.
fn changed(
    options: &VirtualTimeOptions<'_>,
    campaign: &Campaign,
    tasks: &[RunTask],
    key: &str,
    value: &str,
) -> Option<Vec<RunTask>> {
    let key_and_value = (key.to_owned(), value.to_owned());
    let task = |task: &RunTask| {
        let variant =
            campaign.variants.iter().find(|one| task.name != BASE && one.name == task.name);
        let of_variant = variant.map(|one| one.set.clone()).unwrap_or_default();
        let sets_it = of_variant.iter().any(|(set, _)| set == key);
        let set = match sets_it {
            true => [options.plain.set.clone(), vec![key_and_value.clone()], of_variant].concat(),
            false => [of_variant, options.plain.set.clone(), vec![key_and_value.clone()]].concat(),
        };
        let file = FileArgs { file: options.plain.file.clone(), set };
        let ChangedCampaign { file, campaign, topology } =
            ChangedCampaign::read(&file, options.change).ok()?;
        Some(RunTask { campaign, topology: Arc::new(topology), set: file.set, ..task.clone() })
    };
    tasks.iter().map(task).collect()
}
