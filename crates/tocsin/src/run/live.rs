//! A run while its calls go on: what happens is waited for, and shown, kept and conducted. Ctrl-C ends it.

use std::time::Duration;

use cli::manage::CommandNote;
use conductor::{Conductor, HandCommand, Stage as _};
use contract::ProcessOrder;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::collector::StateCollector;
use super::display::Display;
use super::interruptions::Interruptions;
use super::plan::Tier;
use super::stage::{Processes, StageNews};
use crate::state_file::StateFile;

/// Shows progress and conducts until the callers have ended; then puts the network back.
pub(super) async fn watch(
    conductor: &mut Conductor,
    stage: &mut Processes<'_>,
    interruptions: &mut Interruptions,
    collector: &mut StateCollector<'_>,
    state_file: &mut StateFile<'_>,
    mut display: Display,
) {
    let every = display.interval(stage.prepared);
    let mut ticks = interval_at(stage.instant(Duration::ZERO) + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (zero, mut begun) = (stage.instant(Duration::ZERO), false);
    while stage.fleet.is_loading() {
        let due = due(conductor, stage);
        tokio::select! {
            news = stage.next() => if let Some(news) = news {
                tell(conductor, stage.time(), news);
                work(conductor, stage);
            },
            () = wish_to_end(interruptions, &mut display) => {
                let urgent = interruptions.are_urgent();
                display.interrupted(urgent);
                stage.fleet.order(Tier::Load, if urgent { &ProcessOrder::Stop } else { &ProcessOrder::Drain });
            }
            () = sleep_until(zero), if !begun => {
                begun = true;
                state_file.begin();
            }
            () = until(due) => work(conductor, stage),
            () = sleep_until(state_file.next_due().into()) => {
                state_file.keep(&collector.state(stage, interruptions, conductor));
            }
            _ = ticks.tick() => display.show(stage, conductor),
        }
    }
    // Both may have come at once; and whoever ends a run before has a result of it.
    if Instant::now() >= zero || interruptions.seen() {
        state_file.begin();
    }
    // Whatever is said from here on needs the terminal as it was.
    drop(display);
    put_back(conductor, stage, interruptions).await;
    if let Some(complaint) = conductor.finish_posting() {
        cli::complain!("warning: {complaint}");
    }
}

/// Puts the network back as far as the campaign says how, unless Ctrl-C comes again.
async fn put_back(
    conductor: &mut Conductor,
    stage: &mut Processes<'_>,
    interruptions: &mut Interruptions,
) {
    conductor.end(stage);
    work(conductor, stage);
    while !conductor.is_settled(stage.time()) && !interruptions.are_urgent() {
        let due = due(conductor, stage);
        tokio::select! {
            news = stage.next() => if let Some(news) = news {
                tell(conductor, stage.time(), news);
                work(conductor, stage);
            },
            () = interruptions.next() => {}
            () = until(due) => work(conductor, stage),
        }
    }
}

/// Tells the conductor what was commanded by hand until the very end.
pub(super) fn take_rest(conductor: &mut Conductor, stage: &mut Processes<'_>) {
    while let Some(news) = stage.rest() {
        tell(conductor, stage.time(), news);
    }
}

fn tell(conductor: &mut Conductor, at: Duration, news: StageNews) {
    match news {
        StageNews::Answer(id, answer) => conductor.answered(at, id, answer),
        StageNews::ByHand(CommandNote { id, by, name: site, action, age, result }) => {
            let at = at.saturating_sub(age);
            match result {
                None => conductor.commanded_by_hand(at, id, HandCommand { by, site, action }),
                Some(result) => conductor.hand_is_over(at, id, result),
            }
        }
    }
}

fn work(conductor: &mut Conductor, stage: &mut Processes<'_>) {
    stage.note_falls();
    conductor.work(stage);
}

/// When the conductor has something to do next.
fn due(conductor: &Conductor, stage: &Processes<'_>) -> Option<Instant> {
    conductor.next_due().map(|due| stage.instant(due))
}

/// Waits for an instant; for ever if there is none. Cancel safe.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Waits for a signal, or for a key that means the same. Cancel safe.
async fn wish_to_end(interruptions: &mut Interruptions, display: &mut Display) {
    tokio::select! {
        () = interruptions.next() => {}
        key = display.key() => interruptions.press(key),
    }
}
