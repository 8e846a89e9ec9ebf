//! A latent defect that is armed directly, without a release that has it.

use operations::Action;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use topology::Defect;
use utoipa::ToSchema;

use super::ManagedCallServer;
use super::blast_radius::BlastRadius;
use super::command_plan::CommandPlan;
use super::command_request::{CommandRequest, RequestedCommand, SiteSelection};
use super::command_result::CommandResult;
use super::network_view::NetworkView;

/// The body of `POST` and `DELETE /v1/defects`: where, and a defect with its keys as a network file has them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DefectRequest {
    /// Who does it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// One site, or one call server of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// In place of `site`: several, or the word `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, example = json!(["alpha", "beta"]))]
    pub sites: Option<SiteSelection>,
    /// One of those of `tocsin defects`.
    pub defect: String,
    /// What it wants to know; `tocsin defects --why` tells which of these each has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
}

/// What became of it at each call server, and how much of the network it is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DefectResults {
    pub results: Vec<CommandResult>,
    /// Sites that got it, and sites that there are.
    pub touched: usize,
    pub of: usize,
    /// What speaks against it, as `POST /v1/blast-radius` says it before.
    pub against: Vec<String>,
}

impl DefectRequest {
    /// Checks it against the network. With `armed` the defect is armed, without it disarmed.
    pub(super) fn check(
        self,
        armed: bool,
        members: Vec<ManagedCallServer>,
        network: &NetworkView,
    ) -> Result<(CommandPlan, BlastRadius), String> {
        let Self { by, site, sites, defect, number, numbers, busy, ceiling, window } = self;
        let sites = match (site, sites) {
            (Some(site), None) => SiteSelection::Names(vec![site]),
            (None, Some(sites)) => sites,
            _ => return Err("name a site, or sites, and one of them only".to_owned()),
        };
        let given = [
            ("number", number.map(Value::from)),
            ("numbers", numbers.map(Value::from)),
            ("busy", busy.map(Value::from)),
            ("ceiling", ceiling.map(Value::from)),
            ("window", window.map(Value::from)),
        ];
        // These values are written in TOML as in JSON.
        let line = |(key, value): (&str, Option<Value>)| Some(format!("{key} = {}\n", value?));
        let keys: String = given.into_iter().filter_map(line).collect();
        let action = match armed {
            true => Action::Arm { defect: Defect::parse(&defect, &keys)? },
            false => Action::disarm(&defect).map_err(|error| error.to_string())?,
        };
        let request = CommandRequest::of(RequestedCommand::Action(action), sites, by);
        let plan = CommandPlan::new(request, members)?;
        let radius = BlastRadius::of(&plan, false, network);
        Ok((plan, radius))
    }
}
