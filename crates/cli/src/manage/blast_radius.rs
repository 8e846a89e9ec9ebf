//! `POST /v1/blast-radius`: how much of the pool a command would touch at once, before it is given.

use std::collections::BTreeSet;
use std::time::Duration;

use operations::{
    Canary, GateIndicator, GateScope, Manner, Operation, OperationSites, OperationStart, Sequence,
    lint,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command_plan::CommandPlan;
use super::network_view::NetworkView;

/// How long somebody looks at the first site before the others follow, as far as the lint cares.
const LOOK: Duration = Duration::from_secs(10);

/// The answer to `POST /v1/blast-radius`, whose body is that of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlastRadius {
    /// Sites that would get the command, and sites that there are.
    pub touched: usize,
    pub of: usize,
    /// What speaks against it; nothing if nothing does.
    pub against: Vec<String>,
}

impl BlastRadius {
    /// What speaks against `plan` in this network. With a canary, the first site is looked at before the others follow.
    pub(super) fn of(plan: &CommandPlan, has_canary: bool, network: &NetworkView) -> Self {
        let sites = plan.site_names();
        let named: BTreeSet<&String> = network.sites.iter().map(|site| &site.name).collect();
        let (touched, of) = (sites.len(), named.len());
        let operation = Operation {
            name: "by hand".to_owned(),
            start: OperationStart::At(Duration::ZERO),
            commands: vec![plan.action().clone()],
            sites: OperationSites::Named(sites),
            manner: if plan.is_serial() { Manner::Serial } else { Manner::Parallel },
            sequence: Sequence::BySite,
            interval: plan.interval(),
            command_interval: Duration::ZERO,
            timeout: Duration::from_secs(30),
            effect_timeout: Duration::from_secs(3_600),
            retry: 0,
            retry_interval: Duration::ZERO,
            canary: (has_canary || plan.canary().is_some()).then(canary),
            wait_for_ready: false,
            stop_on_refusal: false,
            enabled: true,
        };
        let against = lint::blast_radius(&[operation], &network.pool(), network.detection());
        Self { touched, of, against }
    }
}

const fn canary() -> Canary {
    Canary {
        observe: LOOK,
        gate: GateScope::First,
        indicator: GateIndicator::SiteAsrVsOthers,
        min: Some(0.9),
        max: None,
        min_attempts: 1,
        max_restarts: 0,
        on_stop: Vec::new(),
    }
}
