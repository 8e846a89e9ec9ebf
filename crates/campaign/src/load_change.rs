//! Another length or rate of the whole load, as keys to set: a campaign of several phases keeps its shape.

use std::time::Duration;

use crate::arrivals::{Arrivals, Phase};
use crate::campaign::Campaign;

/// What the command line says of the load as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoadChange {
    pub seed: Option<u64>,
    /// How long all phases last together: each keeps its share.
    pub duration: Option<Duration>,
    /// The highest rate, in calls per second: the others keep their proportion to it.
    pub rate: Option<f64>,
}

impl LoadChange {
    /// The keys of `campaign` that this sets, with their values.
    ///
    /// # Errors
    /// A sentence about a load that cannot be changed so.
    pub fn keys(&self, campaign: &Campaign) -> Result<Vec<(String, String)>, String> {
        let mut keys = Vec::new();
        keys.extend(self.seed.map(|seed| ("seed".to_owned(), seed.to_string())));
        if let Some(duration) = self.duration {
            keys.extend(durations(campaign, duration)?);
        }
        if let Some(rate) = self.rate {
            keys.extend(rates(campaign, rate)?);
        }
        Ok(keys)
    }
}

/// To the millisecond; what rounding leaves goes to the last phase.
fn durations(campaign: &Campaign, whole: Duration) -> Result<Vec<(String, String)>, String> {
    let factor = whole.div_duration_f64(campaign.duration());
    let shortest = campaign.phases.iter().map(|phase| phase.duration).min().unwrap_or_default();
    if shortest.mul_f64(factor) < Phase::SHORTEST {
        return Err(format!(
            "--duration {}: a phase must last 100ms at least, and this campaign needs {} for that",
            topology::format_duration(whole),
            topology::format_duration(
                Phase::SHORTEST.mul_f64(campaign.duration().div_duration_f64(shortest))
            )
        ));
    }
    let millis = |duration: Duration| duration.as_millis();
    let (mut end, mut told) = (Duration::ZERO, 0);
    let key = |(index, phase): (usize, &Phase)| {
        end += phase.duration;
        let until = match index + 1 == campaign.phases.len() {
            true => millis(whole),
            false => millis(end.mul_f64(factor)),
        };
        let length = until - std::mem::replace(&mut told, until);
        (format!("phases[{index}].duration"), format!("{length}ms"))
    };
    Ok(campaign.phases.iter().enumerate().map(key).collect())
}

fn rates(campaign: &Campaign, highest: f64) -> Result<Vec<(String, String)>, String> {
    let peak = campaign.phases.iter().map(|phase| peak(&phase.arrivals)).fold(0.0, f64::max);
    if peak <= 0.0 {
        return Err("--rate: nobody calls in this campaign, so no rate can be changed".to_owned());
    }
    let factor = highest / peak;
    let mut keys = Vec::new();
    for (index, phase) in campaign.phases.iter().enumerate() {
        let mut set = |key: &str, value: String| {
            keys.push((format!("phases[{index}].arrivals.{key}"), value));
        };
        let scaled = |rate: f64| (rate * factor).to_string();
        match &phase.arrivals {
            Arrivals::Constant { rate } | Arrivals::Poisson { rate } => set("rate", scaled(*rate)),
            Arrivals::Ramp { from, to } | Arrivals::Steps { from, to, .. } => {
                set("from", scaled(*from));
                set("to", scaled(*to));
            }
            Arrivals::Mmpp(bursts) => set("rates", bursts.rates.map(scaled).join(",")),
            Arrivals::Clusters(clusters) => {
                set("background", scaled(clusters.background));
                set("incidents", scaled(clusters.incidents));
            }
            Arrivals::Diurnal(day) => set("peak", scaled(day.peak())),
            Arrivals::Surge(surge) => {
                set("rate", scaled(surge.rate));
                set("peak", scaled(surge.peak));
            }
            Arrivals::Replay(_) => {
                return Err(format!(
                    "--rate: phase {} replays a recording, which has its own times",
                    phase.name
                ));
            }
        }
    }
    Ok(keys)
}

/// The highest rate that is meant to last: of incidents, their mean.
fn peak(arrivals: &Arrivals) -> f64 {
    match arrivals {
        Arrivals::Constant { rate } | Arrivals::Poisson { rate } => *rate,
        Arrivals::Ramp { from, to } | Arrivals::Steps { from, to, .. } => from.max(*to),
        Arrivals::Mmpp(bursts) => bursts.rates[0].max(bursts.rates[1]),
        Arrivals::Clusters(clusters) => clusters.mean_rate(),
        Arrivals::Diurnal(day) => day.peak(),
        Arrivals::Surge(surge) => surge.peak,
        Arrivals::Replay(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use topology::Layers;

    use super::*;

    fn campaign(set: Vec<(String, String)>) -> Campaign {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("campaign.toml");
        let text = r#"
network = "network.toml"
[[phases]]
name = "rise"
duration = "4s"
arrivals = { model = "ramp", from = 10, to = 50 }
[[phases]]
name = "steady"
duration = "16s"
arrivals = { model = "poisson", rate = 40 }
[[phases]]
name = "bursts"
duration = "10s"
arrivals = { model = "mmpp", rates = [1, 100], mean_sojourn = ["1s", "1s"] }
[[mix]]
number = "15"
[callers]
talk = "5s"
patience = "30s"
"#;
        std::fs::write(&path, text).expect("a file");
        let layers = Layers::none().with_overrides(set);
        Campaign::load(&path, &layers).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn a_campaign_keeps_its_shape_when_its_length_and_rate_change() {
        let plain = campaign(Vec::new());
        let change = LoadChange {
            seed: Some(u64::MAX),
            duration: Some(Duration::from_millis(7_001)),
            rate: Some(50.0),
        };
        let keys = change.keys(&plain).expect("a load that can be changed");
        let keys: Vec<_> = keys.into_iter().filter(|(key, _)| key != "seed").collect();
        let changed = campaign(keys);
        assert_eq!(changed.duration(), Duration::from_millis(7_001));
        assert_eq!(changed.phases[0].duration, Duration::from_millis(933));
        assert_eq!(changed.phases[0].arrivals, Arrivals::Ramp { from: 5.0, to: 25.0 });
        assert_eq!(changed.phases[1].arrivals, Arrivals::Poisson { rate: 20.0 });
        let Arrivals::Mmpp(bursts) = &changed.phases[2].arrivals else { panic!("{changed:?}") };
        assert_eq!(bursts.rates, [0.5, 50.0]);
        assert_eq!(LoadChange::default().keys(&plain), Ok(Vec::new()));
        let brief = LoadChange { duration: Some(Duration::from_millis(10)), ..change };
        let refusal = brief.keys(&plain).expect_err("too short");
        assert!(refusal.contains("needs 750ms for that"), "{refusal}");
    }
}
