//! A small evening of a leak, on real sockets and in virtual time: what becomes of callers is the same, as far as chance lets it be.

use std::fmt::Write as _;

use crate::history::{calls, count, tell};
use crate::{CampaignFolder, NETWORK, balanced, placed};

/// Three sites whose memory is full after some seconds, and which hang before they restart. People dial again.
const CAMPAIGN: &str = r#"
network = "network.toml"

[[phases]]
name = "evening"
duration = "40s"
arrivals = { model = "poisson", rate = 8 }

[[mix]]
number = "15"
communes = ["59350"]

[[mix]]
number = "112"

[callers]
talk = "uniform 2s 4s"
patience = "20s"
caller_hangs_up = 1.0
media = 0

[callers.redial]
gap = "uniform 1s 2s"
silence_patience = "uniform 1s 2s"
most_attempts = 3

[operations.reconnection]
at = "3s"
commands = ["disconnect", "reconnect"]
sites = "all"
manner = "parallel"
command_interval = "500ms"

# What this test asks is not how fast the machine is that it runs on.
[validity]
lag_p99 = "1m"
cpu = 1.0
late_retransmissions = 1.0
late_rtp = 1.0
clock_step = "1m"
"#;

const VIRTUAL_SEEDS: u64 = 8;

/// What a run came to.
#[derive(Debug, Clone, Copy)]
struct Figures {
    attempts: f64,
    /// Share of the attempts that neither rang nor were answered.
    unrouted: f64,
    /// Answered calls that the network lost.
    cut: f64,
    restarts: f64,
    /// Mean of those that rang, in milliseconds.
    post_dial_delay: f64,
}

/// A figure with its name, and what the two worlds may differ by beyond the spread of chance.
type Figure = (&'static str, fn(&Figures) -> f64, f64);

// Loopback and the timers of this system, the poll that sees a restart, and a call or two at the edge of each.
const FIGURES: [Figure; 5] = [
    ("attempts", |of| of.attempts, 15.0),
    ("share not routed", |of| of.unrouted, 0.03),
    ("cut", |of| of.cut, 5.0),
    ("restarts", |of| of.restarts, 1.0),
    ("post-dial delay", |of| of.post_dial_delay, 30.0),
];

fn workspace(is_virtual: bool) -> CampaignFolder {
    let workspace = CampaignFolder::new(1, "1s");
    let sites = "[releases.r7.defects.context-leak]\n[equipment]\nrelease = \"r7\"\ncontexts = 40\nwatchdog = \"3s\"\nboot = \"3s\"\n\
                 alignment = \"200ms\"\ncircuit_audit = \"20ms\"\n[sites.gamma]\naddress = \"127.0.0.1:0\"\n[trunk_groups.mobile]";
    let network = NETWORK.replacen("[trunk_groups.mobile]", sites, 1);
    let network = if is_virtual { placed(&network) } else { network };
    workspace.write("network.toml", &network);
    workspace.write("campaign.toml", CAMPAIGN);
    workspace
}

/// Runs the campaign and reads what became of it.
fn run(workspace: &CampaignFolder, seed: u64, is_virtual: bool) -> Figures {
    let seed = format!("{seed}");
    let mut words = vec!["run", "campaign.toml", "--quiet", "--seed", &seed];
    words.extend(is_virtual.then_some("--virtual-time"));
    let output = tell(workspace, &words);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {complaint}");
    let offered = balanced(&workspace.summary());
    let database = calls(workspace);
    let number = |query: &str| -> f64 {
        let found: Option<f64> = database.query_row(query, [], |row| row.get(0)).expect("a number");
        found.unwrap_or_default()
    };
    let unrouted = count(&database, "ring_us IS NULL AND answer_us IS NULL");
    Figures {
        attempts: offered as f64,
        unrouted: unrouted as f64 / offered as f64,
        cut: count(&database, "answer_us IS NOT NULL AND outcome = 'lost'") as f64,
        restarts: number("SELECT cast(count(*) AS REAL) FROM events WHERE kind = 'restart'"),
        post_dial_delay: number("SELECT avg(pdd_us) / 1000.0 FROM attempts"),
    }
}

#[test]
fn a_leak_costs_the_same_on_sockets_and_in_virtual_time() {
    let folder = workspace(true);
    let seeds: Vec<Figures> = (1..=VIRTUAL_SEEDS).map(|seed| run(&folder, seed, true)).collect();
    // The same people call first as in the first of those.
    let real = run(&workspace(false), 1, false);
    let mut told = String::new();
    let mut differs = Vec::new();
    for (name, of, tolerance) in FIGURES {
        let values: Vec<f64> = seeds.iter().map(of).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (squares / (values.len() - 1) as f64).sqrt();
        // Three deviations; the people who call first are those of the first seed, so that less than that is chance.
        let bound = 3.0 * deviation + tolerance;
        let found = of(&real);
        let _ = writeln!(
            told,
            "{name}: {found:.3} on sockets, {mean:.3} ± {bound:.3} virtual {values:.3?}"
        );
        if (found - mean).abs() > bound {
            differs.push(name);
        }
    }
    println!("{told}");
    assert!(differs.is_empty(), "{differs:?}\n{told}");
    // A world in which nothing happens would agree with any other.
    assert!(real.unrouted > 0.1 && real.restarts >= 3.0 && real.cut >= 5.0, "{told}");
}
