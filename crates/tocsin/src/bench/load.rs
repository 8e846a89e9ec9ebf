//! The load of a bench: what is dialled, and the campaign file of one trial.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use campaign::MixEntry;
use topology::{Topology, format_duration};

/// The settings that all trials share: the test setup parameters of RFC 7502 §4.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The network file.
    pub(crate) network: PathBuf,
    pub(crate) seed: u64,
    /// What is dialled, by weight.
    pub(crate) mix: Vec<MixEntry>,
    /// Session duration (RFC 7502 §4.8): from the answer to the BYE.
    pub(crate) talk: Duration,
    /// Establishment threshold time: a session that is not established by then has failed.
    pub(crate) within: Duration,
    /// Associated media (RFC 7502 §4.4), or none.
    pub(crate) media: bool,
}

/// How long a BYE may take to be answered.
const FAREWELL: Duration = Duration::from_secs(2);

impl Setup {
    /// After the last start of a trial, how long its sessions may take: established late, held, ended.
    pub(crate) fn drain(&self) -> Duration {
        self.within + self.talk + FAREWELL
    }

    /// The campaign of one trial, as a file.
    pub(crate) fn campaign(&self, name: &str, rate: f64, length: Duration) -> String {
        let Self { network, seed, mix, talk, within, media } = self;
        let network = network.display().to_string();
        // All of them may be in progress at once: a network that answers nothing must not look like a slow generator.
        let most = (rate * length.as_secs_f64() + 1_000.0).min(1_000_000.0);
        let media = u8::from(*media);
        let [length, talk, within, drain] =
            [length, *talk, *within, self.drain()].map(format_duration);
        let mut text = format!(
            "# One trial of a bench.\nname = {name:?}\nnetwork = {network:?}\nseed = {seed}\n\
             drain_timeout = \"{drain}\"\n\n[[phases]]\nname = \"trial\"\nduration = \"{length}\"\n\
             arrivals = {{ model = \"constant\", rate = {rate:?} }}\n\n\
             [callers]\ntalk = \"{talk}\"\npatience = \"{within}\"\ncaller_hangs_up = 1.0\n\
             media = {media}\n\n[limits]\nmax_in_progress = {most:.0}\n"
        );
        for MixEntry { number, communes, weight, trunk_group, .. } in mix {
            let _ = write!(
                text,
                "\n[[mix]]\nnumber = {number:?}\ncommunes = {communes:?}\nweight = {weight:?}\n"
            );
            if let Some(group) = trunk_group {
                let _ = writeln!(text, "trunk_group = {group:?}");
            }
        }
        text
    }
}

/// One kind of call for each route of a network, all as likely as the others.
pub(crate) fn of_network(topology: &Topology) -> Vec<MixEntry> {
    let entry = |route: &topology::Route| MixEntry {
        number: route.numbers.first().cloned().unwrap_or_default(),
        communes: route.communes.iter().filter_map(|prefix| commune_in(prefix)).collect(),
        weight: 1.0,
        trunk_group: None,
        talk: None,
        redial: true,
    };
    topology.routes.iter().map(entry).collect()
}

/// What makes the answering points of a network answer at once, so that it is the switch that is measured.
pub(crate) fn answer_at_once(topology: &Topology) -> Vec<(String, String)> {
    const SETTINGS: [(&str, &str); 4] =
        [("positions", "10000"), ("ring", "0s"), ("wrap_up", "0s"), ("record", "0")];
    let of = |psap: &topology::Psap| {
        let name = psap.name.clone();
        SETTINGS.map(|(key, value)| (format!("psaps.{name}.{key}"), value.to_owned()))
    };
    topology.psaps.iter().flat_map(of).collect()
}

/// A whole INSEE code with this beginning; `None` for any commune.
fn commune_in(prefix: &str) -> Option<String> {
    let rest = "001".get(prefix.len().checked_sub(2)?..).unwrap_or_default();
    let code = format!("{prefix}{rest}");
    topology::is_commune(&code).then_some(code)
}

/// A path that means the same in any folder.
pub(crate) fn anywhere(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use campaign::Campaign;
    use topology::Layers;

    use super::*;

    const NETWORK: &str = r#"
        [sites.alpha]
        address = "127.0.0.1:0"
        [trunk_groups.mobile]
        address = "127.0.0.1:0"
        [psaps.samu]
        address = "127.0.0.1:0"
        number = "0199000015"
        positions = 2
        [[routes]]
        numbers = ["15", "urn:service:sos.ambulance"]
        communes = ["59", "2A", "59350"]
        psaps = ["samu"]
        [[routes]]
        numbers = ["112"]
        psaps = ["samu"]
    "#;

    fn setup(network: PathBuf, mix: Vec<MixEntry>) -> Setup {
        let (talk, within) = (Duration::from_millis(100), Duration::from_secs(4));
        Setup { network, seed: 9, mix, talk, within, media: false }
    }

    #[test]
    fn every_route_of_a_network_is_called() {
        let topology = Topology::parse("test", NETWORK, &Layers::none()).expect("a sound network");
        let mix = of_network(&topology);
        let of = |entry: &MixEntry| format!("{} {}", entry.number, entry.communes.join(" "));
        let mix: Vec<String> = mix.iter().map(of).collect();
        assert_eq!(mix, ["15 59001 2A001 59350", "112 "]);
    }

    #[test]
    fn the_campaign_of_a_trial_is_one_that_a_tester_could_have_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let network = folder.path().join("network.toml");
        std::fs::write(&network, NETWORK).expect("a file");
        let topology = Topology::load(&network, &Layers::none()).expect("a sound network");
        let mut mix = of_network(&topology);
        mix[0].trunk_group = Some("mobile".to_owned());
        let text = setup(network, mix.clone()).campaign("trial-1", 62.5, Duration::from_secs(4));
        let file = folder.path().join("trial.toml");
        std::fs::write(&file, text).expect("a file");
        let mut set: Vec<_> = answer_at_once(&topology);
        set.push(("sites.alpha.max_calls".to_owned(), "7".to_owned()));
        let network = Layers::none().with_overrides(set);
        let loaded = Campaign::load_with_network(&file, &Layers::none(), &network);
        let (campaign, topology) = loaded.unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(campaign.mix, mix);
        assert!((campaign.expected_attempts() - 250.0).abs() < 1e-9);
        assert_eq!(topology.psaps[0].positions, 10_000);
    }
}
