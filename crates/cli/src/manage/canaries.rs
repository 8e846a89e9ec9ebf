//! Canaries by hand: commands that one site has got, and that wait for somebody's word before the others get them.
//!
//! ```text
//!  command with canary ──► first site ──► waits ──┬─ continue ──► the other sites
//!                                                 ├─ abandon
//!                                                 └─ nobody says anything in time: it lapses
//! ```
//!
//! Here is who waits; what is done with them, in `canary_steps.rs`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tokio::time::Instant;

use super::command_request::CommandRequest;
use super::command_result::{CanaryView, CommandResult};

/// Canaries that may wait at once.
const MOST: usize = 16;

/// Of so many it is known how they ended.
const REMEMBERED: usize = 100;

/// The canaries of a network. Cheap to clone; all clones have the same.
#[derive(Debug, Clone, Default)]
pub struct Canaries(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    last: u64,
    waiting: BTreeMap<u64, WaitingCanary>,
    /// How they ended, the last ones.
    ended: VecDeque<(u64, String)>,
}

/// One that waits.
#[derive(Debug)]
pub(super) struct WaitingCanary {
    /// Who gave the command.
    pub(super) by: String,
    pub(super) command: String,
    pub(super) results: Vec<CommandResult>,
    /// The sites that wait.
    pub(super) waits: Vec<String>,
    /// What asks for them.
    pub(super) rest: CommandRequest,
    pub(super) lapses: Instant,
}

/// Why a canary cannot be ended so.
pub(super) type Refusal = (StatusCode, String);

impl Canaries {
    /// Those that wait.
    #[must_use]
    pub fn view(&self) -> Vec<CanaryView> {
        self.known().waiting.iter().map(|(id, waiting)| waiting.view(*id)).collect()
    }

    /// Whether a further one may wait.
    ///
    /// # Errors
    /// The sentence why not.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.known().waiting.len() < MOST {
            return Ok(());
        }
        Err(format!("{MOST} canaries wait already; continue some of them, or abandon them"))
    }

    /// One more waits.
    pub(super) fn add(&self, waiting: WaitingCanary) -> CanaryView {
        let mut known = self.known();
        known.last += 1;
        let id = known.last;
        let view = waiting.view(id);
        known.waiting.insert(id, waiting);
        view
    }

    /// Takes one that waits, which ends as `how` tells. Only one of those who want it gets it.
    pub(super) fn take(&self, id: u64, how: &str) -> Result<WaitingCanary, Refusal> {
        let mut known = self.known();
        let Some(waiting) = known.waiting.remove(&id) else {
            if let Some((_, how)) = known.ended.iter().find(|(ended, _)| *ended == id) {
                return Err((StatusCode::CONFLICT, format!("canary {id} {how}")));
            }
            let ids: Vec<String> = known.waiting.keys().map(ToString::to_string).collect();
            let those = match ids.is_empty() {
                true => "none waits".to_owned(),
                false => format!("those that wait are {}", ids.join(", ")),
            };
            return Err((StatusCode::NOT_FOUND, format!("there is no canary {id}; {those}")));
        };
        known.ended.push_back((id, how.to_owned()));
        if known.ended.len() > REMEMBERED {
            known.ended.pop_front();
        }
        Ok(waiting)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitingCanary {
    fn view(&self, id: u64) -> CanaryView {
        CanaryView {
            id,
            by: self.by.clone(),
            command: self.command.clone(),
            results: self.results.clone(),
            waits: self.waits.clone(),
            lapses_in_s: self.lapses.saturating_duration_since(Instant::now()).as_secs_f64(),
        }
    }
}
