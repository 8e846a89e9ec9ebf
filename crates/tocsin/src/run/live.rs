//! A run while its calls go on: what happens is waited for, and shown, kept and conducted. Ctrl-C ends it.

use std::time::Duration;

use cli::manage::{CommandNote, Intervention, InterventionKind};
use conductor::{Conductor, HandCommand, Stage as _};
use contract::ProcessOrder;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::collector::StateCollector;
use super::display::Display;
use super::hand_line::PendingIntervention;
use super::interruptions::Interruptions;
use super::plan::Tier;
use super::run_feed::RunFeed;
use super::stage::{Processes, StageNews};
use crate::state_file::StateFile;

/// As many calls for a thousand of the campaign as it has.
const AS_MANY: u32 = 1_000;

/// A surge begins so much later than it is asked for: all generators know of it by then.
const HEAD_START: Duration = Duration::from_millis(200);

/// Shows progress and conducts until the callers have ended; then puts the network back.
pub(super) async fn watch(
    conductor: &mut Conductor,
    stage: &mut Processes<'_>,
    interruptions: &mut Interruptions,
    collector: &mut StateCollector<'_>,
    state_file: &mut StateFile<'_>,
    mut display: Display,
    feed: &mut RunFeed<'_>,
) {
    let every = display.interval(stage.prepared);
    let mut ticks = interval_at(stage.instant(Duration::ZERO) + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut seconds = interval_at(Instant::now(), Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (zero, mut begun) = (stage.instant(Duration::ZERO), false);
    while stage.fleet.is_loading() {
        let due = due(conductor, stage);
        tokio::select! {
            news = stage.next() => {
                if let Some(news) = news {
                    tell(conductor, stage, news);
                    work(conductor, stage);
                }
                feed.note(stage, conductor);
            }
            () = wish_to_end(interruptions, &mut display) => {
                let urgent = interruptions.are_urgent();
                display.interrupted(urgent);
                feed.ending(urgent);
                stage.fleet.order(Tier::Load, if urgent { &ProcessOrder::Stop } else { &ProcessOrder::Drain });
            }
            () = sleep_until(zero), if !begun => {
                begun = true;
                state_file.begin();
            }
            () = until(due) => {
                work(conductor, stage);
                feed.note(stage, conductor);
            }
            _ = seconds.tick() => feed.look(stage, conductor),
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
                tell(conductor, stage, news);
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
        tell(conductor, stage, news);
    }
}

fn tell(conductor: &mut Conductor, stage: &mut Processes<'_>, news: StageNews) {
    let at = stage.time();
    match news {
        StageNews::Intervention(PendingIntervention { what, answer }) => {
            // Who asked may have left.
            let _ = answer.send(intervene(conductor, stage, what));
        }
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

/// Does what somebody wants done by hand: what was done, or why it was not.
fn intervene(
    conductor: &mut Conductor,
    stage: &mut Processes<'_>,
    Intervention { by, what }: Intervention,
) -> Result<String, String> {
    let done = what.to_string();
    if !stage.fleet.is_loading() {
        return Err("the callers are done: the run ends".to_owned());
    }
    match what {
        InterventionKind::Fault(fault) => conductor.inject_by_hand(&by, fault, stage)?,
        InterventionKind::EndFault(number) => {
            return conductor.end_fault_by_hand(&by, number, stage);
        }
        InterventionKind::Pace(per_mille) => {
            stage.pace_callers(per_mille);
            conductor.pace_by_hand(stage.time(), &by, &done, per_mille == AS_MANY);
        }
        InterventionKind::Remark { site, text } => {
            conductor.remark_by_hand(stage.time(), &by, site, text);
        }
        InterventionKind::Resume => {
            stage.pace_callers(AS_MANY);
            stage.end_surges();
            conductor.pace_by_hand(stage.time(), &by, &done, true);
        }
        InterventionKind::Surge(surge) => {
            let from = stage.time() + HEAD_START.mul_f64(stage.prepared.campaign.compression);
            stage.surge_callers(conductor.next_surge(), from, &surge);
            conductor.surge_by_hand(from, surge.lasts, &by, &done);
        }
        InterventionKind::Drain => {
            stage.drain_callers();
            conductor.note_by_hand(stage.time(), &by, done.clone());
        }
    }
    Ok(done)
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
