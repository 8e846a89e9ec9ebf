//! What a tester sees while the calls run, and Ctrl-C.

use std::time::Duration;

use load_gen::Progress;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::Prepared;
use super::child::Order;
use super::fleet::Fleet;
use super::plan::Tier;

/// SIGINT, SIGTERM and SIGHUP: the first one drains, the second one stops.
pub(crate) struct Interruptions {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    count: u32,
}

impl Interruptions {
    pub(crate) fn catch() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            count: 0,
        })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
        self.count += 1;
    }

    pub(crate) const fn seen(&self) -> bool {
        self.count > 0
    }

    pub(crate) const fn are_urgent(&self) -> bool {
        self.count > 1
    }
}

/// Shows progress until the generator has ended.
pub(crate) async fn watch(
    prepared: &Prepared,
    fleet: &mut Fleet,
    interruptions: &mut Interruptions,
    quiet: bool,
) {
    let sites = prepared.topology.sites.iter().map(|site| site.name.clone()).collect();
    let mut progress = Progress::new(sites);
    let every = prepared.campaign.progress_interval.max(Duration::from_millis(100));
    let start = Instant::now();
    let mut ticks = interval_at(start + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    if !quiet {
        println!("{}", progress.header());
    }
    while fleet.is_loading() {
        tokio::select! {
            () = fleet.next() => {}
            () = interruptions.next() => {
                let urgent = interruptions.are_urgent();
                if !quiet {
                    let what = if urgent { "stopping at once" } else { "draining; Ctrl-C again stops at once" };
                    println!("interrupted: {what}");
                }
                fleet.order(Tier::Load, if urgent { &Order::Stop } else { &Order::Drain });
            }
            _ = ticks.tick() => {
                if !quiet {
                    let line = progress.line(start.elapsed(), &fleet.generators(), &fleet.calls_by_site());
                    println!("{line}");
                }
            }
        }
    }
}
