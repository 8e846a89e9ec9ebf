//! A small campaign for tests.

use std::path::PathBuf;
use std::time::Duration;

use telemetry::CallerClass;
use topology::{Distribution, Layers};

use crate::caller::Caller;
use campaign::{
    Arrivals, CallerAudio, Callers, Campaign, Feed, MixEntry, Phase, TraceSettings, Validity,
};

/// Two calls per second for two seconds; callers wait 5 s, talk for 5 s and hang up themselves.
pub(crate) fn campaign() -> Campaign {
    let always = Distribution::Fixed(Duration::from_secs(5));
    Campaign {
        assumed: Vec::new(),
        steady_state: Vec::new(),
        name: "demo".to_owned(),
        title: "as the file says".to_owned(),
        network: PathBuf::from("six-sites.toml"),
        seed: 1,
        phases: vec![phase(2, Arrivals::Constant { rate: 2.0 })],
        mix: vec![entry("15", &["59350"], 1.0, None)],
        feed: None,
        callers: Callers { talk: always, patience: Some(always), caller_hangs_up: 1.0, ..quiet() },
        drain_timeout: Duration::ZERO,
        max_in_progress: 100,
        ring_limit: Duration::from_secs(60),
        validity: Validity::default(),
        trace: TraceSettings::default(),
        foreign_callers: false,
        unrecorded: Vec::new(),
        thresholds: Vec::new(),
        progress_interval: Duration::from_secs(1),
        operations: operations::OperationsSettings::default(),
        figures: Vec::new(),
        variants: Vec::new(),
        plots: Vec::new(),
        time: campaign::Time::Real,
        begins: Duration::ZERO,
        compression: 1.0,
    }
}

/// Callers without media.
fn quiet() -> Callers {
    Callers {
        talk: Distribution::Fixed(Duration::ZERO),
        patience: None,
        caller_hangs_up: 1.0,
        media: 0.0,
        audio: CallerAudio::Tones,
        digits: String::new(),
        redial: None,
    }
}

/// The first call of the first person: to 15, without media; waits 20 s and talks for a minute.
pub(crate) fn caller() -> Caller {
    Caller {
        index: 0,
        nth: 1,
        class: CallerClass::Emergency,
        attempt: 0xab,
        subscriber: 7,
        number: "15".to_owned(),
        instead_of: None,
        commune: None,
        trunk_group: 0,
        usual_trunk_group: None,
        patience: Duration::from_secs(20),
        silence_patience: None,
        talk: Some(Duration::from_secs(60)),
        speaks: false,
        entry: 0,
        given_talk: None,
        given_patience: None,
    }
}

pub(crate) fn phase(seconds: u64, arrivals: Arrivals) -> Phase {
    Phase { name: "test".to_owned(), duration: Duration::from_secs(seconds), arrivals }
}

pub(crate) fn entry(
    number: &str,
    communes: &[&str],
    weight: f64,
    trunk_group: Option<&str>,
) -> MixEntry {
    MixEntry {
        number: number.to_owned(),
        communes: communes.iter().map(ToString::to_string).collect(),
        weight,
        trunk_group: trunk_group.map(str::to_owned),
        talk: None,
        redial: true,
    }
}

/// A feed with this content, whose rows are taken in this order.
pub(crate) fn feed(content: &str, order: &str) -> Feed {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("callers.csv"), content).expect("a writable folder");
    let text = format!(
        "network = \"n.toml\"\n[[mix]]\nnumber = \"15\"\n[[phases]]\nname = \"a\"\nduration = \"1s\"\n\
         arrivals = {{ model = \"constant\", rate = 1 }}\n\
         [feed]\nfile = \"callers.csv\"\norder = \"{order}\"\n"
    );
    let path = folder.path().join("campaign.toml");
    std::fs::write(&path, text).expect("a writable folder");
    let campaign = Campaign::load(&path, &Layers::none());
    campaign.unwrap_or_else(|problems| panic!("{problems}")).feed.expect("a feed")
}
