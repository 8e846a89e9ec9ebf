//! What is run: two sites with few circuits, and callers who come in waves, with frozen machines between.

use std::fmt::Write as _;
use std::time::Duration;

/// Timers are a tenth of those of RFC 3261, so that what a frozen site leaves behind is over in seconds. TCP connections that say
/// nothing are closed soon.
pub(crate) const NETWORK: &str = r#"
[timers]
t1 = "50ms"
t2 = "400ms"
t4 = "500ms"
audit = "10s"

[tcp]
message_time = "5s"

[pool]
probe_interval = "500ms"
probe_timeout = "250ms"

[equipment]
boot = "2s"

[sites.alpha]
address = "127.0.0.1:0"

[sites.beta]
address = "127.0.0.1:0"

[trunk_groups.mobile]
address = "127.0.0.1:0"
policy = "round-robin"
circuits = 30
next_site_after = "400ms"

[trunk_groups.fixe]
address = "127.0.0.1:0"
policy = "weighted"
circuits = 30
next_site_after = "400ms"

[psaps.samu-59]
address = "127.0.0.1:0"
number = "0353010015"
positions = 40
queue = 5
ring = "100ms"
talk = "exponential 2s"

[psaps.cta-59]
address = "127.0.0.1:0"
number = "0353010018"
positions = 40
queue = 5
ring = "100ms"
talk = "exponential 2s"

[[routes]]
numbers = ["15"]
psaps = ["samu-59"]

[[routes]]
numbers = ["18", "112", "urn:service:sos"]
psaps = ["cta-59"]
"#;

/// Whoever must be steady, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) length: Duration,
    /// Calls in a second, but for the waves.
    pub(crate) rate: u64,
}

/// Seconds in which hardly anybody calls yet: what boxes hold then is what they hold of their own accord.
pub(crate) const BEFORE: u64 = 8;

/// Calls in a second when hardly anybody calls.
const HARDLY_ANY: f64 = 0.05;

/// A wave and the calm before it.
const WAVE: u64 = 15;

impl Plan {
    pub(crate) fn campaign(self) -> String {
        let mut text = HEAD.to_owned();
        let _ = write!(
            text,
            "\n[[phases]]\nname = \"before\"\nduration = \"{BEFORE}s\"\narrivals = {{ model = \"poisson\", rate = {HARDLY_ANY} }}\n"
        );
        for wave in 0..self.length.as_secs().div_ceil(WAVE) {
            let (calm, over) = (self.rate, 8 * self.rate);
            let _ = write!(
                text,
                "\n[[phases]]\nname = \"calm-{wave}\"\nduration = \"{}s\"\narrivals = {{ model = \"poisson\", rate = {calm} }}\n\
                 \n[[phases]]\nname = \"wave-{wave}\"\nduration = \"3s\"\narrivals = {{ model = \"poisson\", rate = {over} }}\n",
                WAVE - 3
            );
            let at = BEFORE + wave * WAVE + 6;
            let target = ["alpha", "samu-59", "beta", "cta-59"][(wave % 4) as usize];
            if at + 2 < BEFORE + self.length.as_secs() {
                let _ = write!(
                    text,
                    "\n[[faults]]\nat = \"{at}s\"\nfreeze = \"{target}\"\nfor = \"1s\"\n"
                );
            }
        }
        // Time to see that everything is given back. A phase in which nobody at all calls would end with the last call.
        let _ = write!(
            text,
            "\n[[phases]]\nname = \"after\"\nduration = \"10m\"\narrivals = {{ model = \"poisson\", rate = {HARDLY_ANY} }}\n"
        );
        text
    }
}

const HEAD: &str = r#"
network = "network.toml"
seed = 13
progress_interval = "1s"

[[mix]]
number = "15"
communes = ["59350"]
weight = 2

[[mix]]
number = "112"
weight = 1

[[mix]]
number = "urn:service:sos.fire"
weight = 1

[callers]
talk = "exponential 2s"
patience = "5s"
caller_hangs_up = 0.5
media = 0.2

# A soak asks what is left over, and not how fast the machine is.
[validity]
lag_p99 = "1m"
cpu = 1.0
late_retransmissions = 1.0
late_rtp = 1.0
clock_step = "1m"

# The memory of the flight recorder has this bound; with the usual one it would fill for longer than the shortest soak lasts.
[trace]
memory = 1
"#;
