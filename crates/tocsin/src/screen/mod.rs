//! The terminal screen of a run: figures, thresholds, sites, PSAPs and what happens, twice a second; `q`
//! drains, `?` tells what the other keys do.
//!
//! ```text
//!   run/live.rs ── Scene ──► the drawing thread ──► terminal
//!        ▲                        │
//!        └────────── Key ─────────┘
//! ```
//!
//! A thread of its own draws: nobody waits for a slow terminal. The terminal is given back when the screen
//! ends, however it ends, a panic included.

mod columns;
mod draw;
mod history;
mod notes;
mod overlay;
mod scene;
mod standing;
mod style;
#[cfg(test)]
mod tests;
mod view;

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use tokio::sync::mpsc;

pub(crate) use history::Rates;
pub(crate) use notes::Notes;
pub(crate) use scene::{PsapRow, RunStatus, Scene, SiteRow, phase};
pub(crate) use standing::standing;
pub(crate) use view::Key;
use view::View;

/// Between two scenes. What they show is new once a second.
pub(crate) const REFRESH: Duration = Duration::from_millis(500);

/// How long the drawing thread waits for a key before it looks for a new scene.
const FRAME: Duration = Duration::from_millis(250);

/// A terminal that takes longer to be given back is left to the kernel.
const FAREWELL: Duration = Duration::from_secs(2);

/// A screen as long as this is kept.
#[derive(Debug)]
pub(crate) struct Screen {
    shared: Arc<Shared>,
    keys: mpsc::UnboundedReceiver<Key>,
    /// Disconnected once the terminal has been given back.
    ended: std::sync::mpsc::Receiver<()>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The latest scene that has not been drawn.
    scene: Mutex<Option<Scene>>,
    over: AtomicBool,
}

/// Whether a screen makes sense: on a terminal that can show one, and for a person.
pub(crate) fn is_wanted() -> bool {
    io::stdout().is_terminal() && is_welcome(|name| std::env::var(name).ok())
}

/// What the environment says of screens: <https://no-color.org>, and what programs that build and test set.
fn is_welcome(variable: impl Fn(&str) -> Option<String>) -> bool {
    let given = |name| variable(name).is_some_and(|value| !value.is_empty());
    let dumb = variable("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    !(given("NO_COLOR") || given("CI") || dumb)
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// The terminal does not let itself be taken.
    pub(crate) fn start() -> io::Result<Self> {
        let terminal = ratatui::try_init().inspect_err(|_| ratatui::restore())?;
        let shared = Arc::new(Shared::default());
        let (pressed, keys) = mpsc::unbounded_channel();
        let (alive, ended) = sync_channel(0);
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || show(terminal, &theirs, &pressed, alive));
        Ok(Self { shared, keys, ended })
    }

    /// Shows a scene in place of the one before.
    pub(crate) fn show(&self, scene: Scene) {
        *self.shared.scene.lock().unwrap_or_else(PoisonError::into_inner) = Some(scene);
    }

    /// Waits for the next key that means something. Cancel safe.
    pub(crate) async fn key(&mut self) -> Key {
        match self.keys.recv().await {
            Some(key) => key,
            None => std::future::pending().await, // nobody looks any more
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if self.ended.recv_timeout(FAREWELL) == Err(RecvTimeoutError::Timeout) {
            ratatui::restore();
        }
    }
}

/// Draws until the end, and gives the terminal back. `_alive` says by its end that this was done.
fn show(
    mut terminal: DefaultTerminal,
    shared: &Shared,
    pressed: &mpsc::UnboundedSender<Key>,
    _alive: SyncSender<()>,
) {
    let mut scene = Scene::default();
    let mut view = View::default();
    let mut stale = true;
    while !shared.over.load(Ordering::Relaxed) {
        if !view.is_paused
            && let Some(fresh) = shared.scene.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            (scene, stale) = (fresh, true);
        }
        // A terminal that is gone, as after SIGHUP, shows nothing; the run goes on.
        if stale && terminal.draw(|frame| draw::draw(frame, &scene, &mut view)).is_err() {
            break;
        }
        stale = false;
        match event::poll(FRAME).and_then(|some| some.then(event::read).transpose()) {
            Ok(Some(Event::Resize(..))) => stale = true,
            Ok(Some(Event::Key(key))) => {
                let before = view;
                if let Some(key) = view.press(key) {
                    let _ = pressed.send(key);
                }
                stale |= view != before;
            }
            Ok(_) => {}
            // No keyboard: the picture is still of use.
            Err(_) => std::thread::sleep(FRAME),
        }
    }
    ratatui::restore();
}
