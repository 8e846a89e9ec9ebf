//! The runs that a campaign asks for: itself, and its variants.

use std::process::ExitCode;
use std::sync::Arc;

use account::outcome::BASE;
use campaign::{Campaign, Variant};
use cli::FileArgs;
use topology::Topology;

use super::options::VirtualTimeOptions;
use crate::changed_campaign::ChangedCampaign;

/// One run to make.
#[derive(Debug, Clone)]
pub(super) struct RunTask {
    /// `base`, or the name of a variant.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) campaign: Campaign,
    pub(super) topology: Arc<Topology>,
    /// Only the caller with this number calls.
    pub(super) only: Option<u32>,
    /// What lies over its files.
    pub(super) set: Vec<(String, String)>,
    /// Its attempts are written down: those of the first task, of the others there are only figures.
    pub(super) keeps_attempts: bool,
    /// It is there for its figures only: another seed of a task, or another value of an assumed key.
    pub(super) figures_only: bool,
}

/// The campaign and its variants, each read with its own keys set.
pub(super) fn tasks(
    options: &VirtualTimeOptions<'_>,
    campaign: &Campaign,
    topology: &Topology,
) -> Result<Vec<RunTask>, ExitCode> {
    let base = RunTask {
        name: BASE.to_owned(),
        title: campaign.title.clone(),
        campaign: campaign.clone(),
        topology: Arc::new(topology.clone()),
        only: options.only,
        set: options.file.set.clone(),
        keeps_attempts: true,
        figures_only: false,
    };
    let mut tasks = vec![base];
    for variant in &campaign.variants {
        let task = variant_of(options, variant);
        let task = task.inspect_err(|_| cli::complain!("that is variant {}", variant.name))?;
        // What the command line sets may make them equal.
        if options.plain.set.is_empty() && is_same(&task, &tasks[0]) {
            cli::complain!(
                "error: variant {}: changes nothing: the campaign has these values already; leave it away, or set others",
                variant.name
            );
            return Err(ExitCode::from(cli::USAGE));
        }
        tasks.push(task);
    }
    let Some(wanted) = options.variant else { return Ok(tasks) };
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    tasks.retain(|task| task.name == wanted);
    if tasks.is_empty() {
        cli::complain!(
            "error: --variant {wanted}: no such variant; there are {}",
            names.join(", ")
        );
        return Err(ExitCode::from(cli::USAGE));
    }
    tasks.iter_mut().for_each(|task| task.keeps_attempts = true);
    Ok(tasks)
}

/// The tasks themselves, and after them the same for each further seed, for their figures only.
pub(super) fn with_seeds(tasks: &[RunTask], seeds: u32) -> Vec<RunTask> {
    let mut all = tasks.to_vec();
    for further in 1..u64::from(seeds) {
        all.extend(tasks.iter().map(|task| {
            let mut task = task.clone();
            task.campaign.seed = task.campaign.seed.wrapping_add(further);
            (task.keeps_attempts, task.figures_only) = (false, true);
            task
        }));
    }
    all
}

/// Reads the campaign again with the keys of a variant over it. What the command line sets has the last word.
fn variant_of(options: &VirtualTimeOptions<'_>, variant: &Variant) -> Result<RunTask, ExitCode> {
    let set = [variant.set.clone(), options.plain.set.clone()].concat();
    let file = FileArgs { file: options.plain.file.clone(), set };
    let ChangedCampaign { file, campaign, topology } =
        ChangedCampaign::load(&file, options.change)?;
    let (name, title) = (variant.name.clone(), variant.full_title());
    let topology = Arc::new(topology);
    Ok(RunTask {
        name,
        title,
        campaign,
        topology,
        only: options.only,
        set: file.set,
        keeps_attempts: false,
        figures_only: false,
    })
}

/// Whether a variant is run as the campaign itself is.
fn is_same(variant: &RunTask, base: &RunTask) -> bool {
    let run = |task: &RunTask| Campaign {
        figures: Vec::new(),
        variants: Vec::new(),
        ..task.campaign.clone()
    };
    run(variant) == run(base) && variant.topology == base.topology
}
