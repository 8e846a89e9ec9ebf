//! A second of the evening of 2 June 2021 in virtual time, as the campaign that ships tells it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use campaign::Campaign;
use media::Clips;
use topology::Layers;
use world::{Link, VirtualNetwork};

use super::sink::RecordSink;

const CAMPAIGN: &str = "configs/outages/orange-2021-06-02.toml";

/// Between two boxes, one way, as in runs in virtual time.
const LINK: Link = Link { latency: Duration::from_millis(5), ..Link::CLEAN };

/// Before the second that is counted.
const WARM: Duration = Duration::from_secs(10);

/// The national network, some seconds after the first call.
#[derive(Debug)]
pub struct Evening(VirtualNetwork<RecordSink>);

impl Evening {
    /// # Panics
    /// When the campaign of the evening has mistakes.
    #[must_use]
    pub fn begun() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
        let layers = Layers::none();
        let loaded = Campaign::load_with_network(&root.join(CAMPAIGN), &layers, &layers);
        let (campaign, network) = loaded.expect("a campaign without mistakes");
        let (network, seed) = (Arc::new(network), campaign.seed);
        let mut world = VirtualNetwork::new(network, Clips::new(), LINK, seed, RecordSink::new());
        world.net.stop_trace();
        world.start_campaign(&campaign);
        world.run_for(WARM);
        Self(world)
    }

    /// Lets a second pass.
    pub fn run(&mut self) {
        self.0.run_for(Duration::from_secs(1));
    }

    /// Attempts so far.
    #[must_use]
    pub fn offered(&self) -> u64 {
        self.0.generator().offered
    }
}
