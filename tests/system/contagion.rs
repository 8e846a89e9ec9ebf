//! Wrong commands to one, three and six of six sites: what they cost, and whether they reach the others.

use system_tests::network::Network;
use telemetry::{BoxKind, Outcome};
use world::Link;

use crate::machine::{begun, done};
use crate::outage::hurried;
use crate::support::{SIX_SITES, ms, seconds};

const SITES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];
const SEEDS: std::ops::Range<u64> = 81..84;

/// The evening of 2 June in small: a memory of some dozens of calls, a hang before each restart.
fn leaking(pool: &str, seed: u64) -> Network {
    let machines = format!(
        "[pool]\n{pool}\n[releases.r7.defects.context-leak]\n[equipment]\nrelease = \"r7\"\ncontexts = 60\n\
         circuit_audit = \"100ms\"\nwatchdog = \"10s\"\nboot = \"10s\"\n[sites.alpha]"
    );
    let mut network =
        Network::new(&SIX_SITES.replace("[sites.alpha]", &machines), Link::CLEAN, seed);
    network.net.forget_packets();
    network
}

/// What becomes of callers for two minutes and a half, with the links of the first `commanded` sites cut and reconnected while they are in
/// service, and all the others restarted by command a minute later.
struct Evening {
    /// Attempts that reached nobody, or were cut.
    harmed: u64,
    /// Of each site, in their order.
    restarts: Vec<u32>,
    stale: Vec<bool>,
}

fn evening(pool: &str, commanded: usize, seed: u64) -> Evening {
    let mut network = leaking(pool, seed);
    network.start_campaign(&hurried(12.0, seconds(150), seed));
    network.run_for(seconds(10));
    for word in ["disconnect", "reconnect"] {
        SITES[..commanded].iter().for_each(|site| {
            done(&mut network, site, word);
        });
        network.run_for(ms(500));
    }
    network.run_for(seconds(10));
    for site in &SITES[commanded..] {
        begun(&mut network, site, "restart");
        network.run_for(seconds(15));
    }
    // While all sites start, nothing is held: that is not the end of it.
    network.run_for(seconds(150));
    assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
    let harmed = network.records().iter().filter(|record| {
        let unheard = record.outcome == Outcome::Abandoned && record.ring_us.is_none();
        let failed =
            matches!(record.outcome, Outcome::Rejected | Outcome::Lost | Outcome::TimedOut);
        record.kind == BoxKind::Generator && (unheard || failed)
    });
    let harmed = harmed.count() as u64;
    let of = |site: &&str| network.call_server(site);
    Evening {
        harmed,
        restarts: SITES.iter().map(|site| of(site).restarts).collect(),
        stale: SITES.iter().map(|site| of(site).stale_circuits).collect(),
    }
}

#[test]
fn harm_grows_with_the_sites_that_were_commanded_and_the_others_stay_whole() {
    for seed in SEEDS {
        let harmed = [1, 3, 6].map(|commanded| {
            let evening = evening("", commanded, seed);
            let (fell, whole) = evening.restarts.split_at(commanded);
            assert!(fell.iter().all(|count| *count >= 2), "{commanded}, {seed}: {fell:?}");
            assert!(
                whole.iter().all(|count| *count == 1),
                "{commanded}, {seed}: {whole:?}, by command"
            );
            assert!(evening.stale[..commanded].iter().all(|stale| *stale));
            assert!(!evening.stale[commanded..].contains(&true), "{commanded}, {seed}");
            evening.harmed
        });
        let [one, three, six] = harmed;
        assert!(one * 2 < three && three * 3 < six * 2, "{seed}: {harmed:?}");
    }
}

// Off unless asked for: nothing is known of a pool that did so.
#[test]
fn sites_that_share_their_configuration_infect_those_that_restart() {
    let evening = evening("sync_configuration = true", 1, SEEDS.start);
    assert!(evening.stale.iter().all(|stale| *stale), "{:?}", evening.stale);
    assert!(evening.restarts[1..].iter().any(|count| *count > 1), "{:?}", evening.restarts);
}
