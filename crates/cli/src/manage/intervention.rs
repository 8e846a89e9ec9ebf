//! What somebody does by hand to a run beside commands to its sites: faults, and the load.

use std::fmt;

use operations::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::author::named;
use super::network_view::NetworkView;
use super::surge::Surge;

/// The body of `POST /v1/faults`: the keys of a row of `[[faults]]` of a campaign, but for `at`, which is now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRequest {
    /// Who does it, and why: it stands in what is told of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// A site or PSAP that loses power.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill: Option<String>,
    /// One that gets it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// One that does nothing `for` a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<String>,
    /// A site, trunk group or PSAP whose ways are impaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Two of them: the way between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<Vec<String>>,
    /// How long, such as `30s`; an impairment without it lasts until the run ends.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
    /// Share of the packets that is lost, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<f64>,
    /// Nothing passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<bool>,
}

/// The body of `POST /v1/load`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadRequest {
    /// Who does it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub load: LoadAction,
    /// With `rate`: so many times as many calls as the campaign says, from 0 to 10. With `surge`: so many times as many as it says
    /// from these communes, up to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// With `surge`, in place of `factor`: so many more calls per second from these communes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// With `surge`: INSEE codes of communes, such as `59350`, or of departments, such as `59`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub communes: Vec<String>,
    /// With `surge`: how long, such as `60s`.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
}

/// What is done to the load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadAction {
    /// Nobody calls until `resume`; what the campaign had due meanwhile is held back for good.
    Pause,
    /// As the campaign says again: surges end too.
    #[default]
    Resume,
    /// `factor` times as many calls.
    Rate,
    /// People in `communes` call more often `for` a while.
    Surge,
    /// End the campaign: nobody calls any more, and calls in progress are hung up.
    Drain,
}

/// Something that somebody does to a run, checked against its network.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervention {
    pub by: String,
    pub what: InterventionKind,
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub enum InterventionKind {
    Fault(Fault),
    /// The fault with this number ends before its time.
    EndFault(u64),
    /// So many calls for a thousand that the campaign has.
    Pace(u32),
    /// As the campaign says again.
    Resume,
    Surge(Surge),
    Drain,
    /// Nothing is done, but this is to stand in the record of the run.
    Remark {
        site: String,
        text: String,
    },
}

/// The answer to `POST /v1/faults` and `POST /v1/load`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoneView {
    /// What was done, as a sentence.
    pub done: String,
}

/// The most that a load can be raised to.
const MOST: f64 = 10.0;

impl FaultRequest {
    /// Checks it against the network.
    pub(super) fn check(mut self, network: &NetworkView) -> Result<Intervention, String> {
        let by = named(self.by.take())?;
        let Ok(Value::Object(keys)) = serde_json::to_value(&self) else {
            return Err("the body is no fault".to_owned());
        };
        let fault = Fault::parse(&row(&keys))?;
        let names = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
        let sites = names(network.sites.iter().map(|site| &site.name).collect());
        let groups = names(network.trunk_groups.iter().map(|group| &group.name).collect());
        let psaps = names(network.psaps.iter().map(|psap| &psap.name).collect());
        match fault.check(&sites, &groups, &psaps) {
            Some(sentence) => Err(sentence),
            None => Ok(Intervention { by, what: InterventionKind::Fault(fault) }),
        }
    }
}

/// The keys as lines of TOML, which writes these values as JSON does.
fn row(keys: &Map<String, Value>) -> String {
    let lines = keys.iter().map(|(key, value)| format!("{key} = {value}\n"));
    lines.collect()
}

impl LoadRequest {
    /// Checks what is asked against the network, and the callers of its campaign.
    pub(super) fn check(self, network: &NetworkView) -> Result<Intervention, String> {
        let by = named(self.by)?;
        if self.load == LoadAction::Surge {
            let size = (self.factor, self.rate);
            let surge = Surge::check(self.communes, size, self.lasts, &network.communes)?;
            return Ok(Intervention { by, what: InterventionKind::Surge(surge) });
        }
        if self.rate.is_some() || !self.communes.is_empty() || self.lasts.is_some() {
            return Err("only surge has rate, communes and for".to_owned());
        }
        let what = match (self.load, self.factor) {
            (LoadAction::Drain, None) => InterventionKind::Drain,
            (LoadAction::Pause, None) => InterventionKind::Pace(0),
            (LoadAction::Resume, None) => InterventionKind::Resume,
            (LoadAction::Rate, Some(factor)) if (0.0..=MOST).contains(&factor) => {
                InterventionKind::Pace((factor * 1_000.0).round() as u32)
            }
            (LoadAction::Rate, _) => {
                return Err(format!("rate needs a factor from 0 to {MOST}, such as 2.0"));
            }
            (_, _) => return Err("only rate and surge have a factor".to_owned()),
        };
        Ok(Intervention { by, what })
    }
}

impl fmt::Display for InterventionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => f.write_str(&fault.deed()),
            Self::EndFault(number) => write!(f, "fault {number} is over"),
            Self::Pace(0) => f.write_str("nobody calls any more until the load is resumed"),
            Self::Pace(1_000) | Self::Resume => f.write_str("as many calls as the campaign has"),
            Self::Pace(per_mille) => {
                let factor = f64::from(*per_mille) / 1_000.0;
                write!(f, "{factor} times as many calls as the campaign has")
            }
            Self::Remark { text, .. } => f.write_str(text),
            Self::Surge(surge) => write!(f, "{surge}"),
            Self::Drain => f.write_str("the campaign is ended: nobody calls any more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::network_view::{PsapPlace, SitePlace, TrunkGroupPlace};
    use super::*;

    fn network() -> NetworkView {
        let site = |name: &str| SitePlace { name: name.to_owned(), ..SitePlace::default() };
        NetworkView {
            sites: vec![site("alpha"), site("beta")],
            trunk_groups: vec![TrunkGroupPlace { name: "mobile".into(), ..Default::default() }],
            psaps: vec![PsapPlace { name: "samu-59".into(), ..Default::default() }],
            communes: vec!["59350".into()],
            ..NetworkView::default()
        }
    }

    fn fault(body: Value) -> Result<Intervention, String> {
        serde_json::from_value::<FaultRequest>(body)
            .map_err(|error| error.to_string())?
            .check(&network())
    }

    #[test]
    fn a_fault_by_hand_is_read_as_one_of_a_file() {
        let kill = fault(serde_json::json!({"kill": "alpha", "by": "anna: why not"})).unwrap();
        assert_eq!(
            (&*kill.by, kill.what.to_string()),
            ("anna: why not", "alpha loses power".into())
        );
        let cut = serde_json::json!({"between": ["mobile", "alpha"], "cut": true, "for": "30s"});
        let cut = fault(cut).unwrap().what.to_string();
        assert!(cut.starts_with("between mobile and alpha, each way, for 30s"), "{cut}");
        let loss = serde_json::json!({"of": "samu-59", "loss": 0.05, "delay": "80ms"});
        assert!(fault(loss).is_ok());
        for (wrong, sentence) in [
            (serde_json::json!({}), "needs kill, restart, freeze, of or between"),
            (serde_json::json!({"kill": "alpha", "freeze": "beta"}), "one of them only"),
            (serde_json::json!({"kill": "alph"}), "did you mean \"alpha\"?"),
            (serde_json::json!({"kill": "mobile"}), "no site or PSAP is called \"mobile\""),
            (serde_json::json!({"kill": "alpha\"\nrestart = \"beta"}), "kill"),
            (serde_json::json!({"freeze": "alpha"}), "for"),
            (serde_json::json!({"kill": "alpha", "for": "3s"}), "belongs to freeze"),
            (serde_json::json!({"of": "alpha", "loss": 2.0}), "loss"),
            (serde_json::json!({"explode": "alpha"}), "unknown field `explode`"),
            (serde_json::json!({"kill": "alpha", "by": ""}), "by must be"),
        ] {
            let error = fault(wrong.clone()).expect_err("refused");
            assert!(error.contains(sentence), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_load_by_hand_has_a_factor_where_it_needs_one() {
        let ask = |asked: LoadRequest| asked.check(&network());
        let load = |load, factor| ask(LoadRequest { load, factor, ..LoadRequest::default() });
        let pace = |done: Result<Intervention, String>| done.map(|it| it.what);
        assert_eq!(pace(load(LoadAction::Pause, None)), Ok(InterventionKind::Pace(0)));
        assert_eq!(pace(load(LoadAction::Resume, None)), Ok(InterventionKind::Resume));
        assert_eq!(pace(load(LoadAction::Rate, Some(2.0))), Ok(InterventionKind::Pace(2_000)));
        assert_eq!(pace(load(LoadAction::Drain, None)), Ok(InterventionKind::Drain));
        for factor in [None, Some(-1.0), Some(11.0), Some(f64::NAN)] {
            assert!(load(LoadAction::Rate, factor).is_err(), "{factor:?}");
        }
        assert!(load(LoadAction::Pause, Some(2.0)).is_err());
        let surge = LoadRequest {
            load: LoadAction::Surge,
            factor: Some(3.0),
            communes: vec!["59".to_owned()],
            lasts: Some("60s".to_owned()),
            ..LoadRequest::default()
        };
        let told = pace(ask(surge.clone())).map(|what| what.to_string());
        assert_eq!(told.as_deref(), Ok("surge: 3 times as many calls from 59 for 1m"));
        for load in [LoadAction::Pause, LoadAction::Resume, LoadAction::Rate, LoadAction::Drain] {
            let error = ask(LoadRequest { load, ..surge.clone() }).expect_err("refused");
            assert!(error.contains("only surge has"), "{load:?}: {error}");
        }
    }
}
