//! The terminal screen of a run: figures, sites, PSAPs and what happens, twice a second; `q` drains.
//!
//! ```text
//!   run/live.rs ── Scene ──► the drawing thread ──► terminal
//!        ▲                        │
//!        └────────── Key ─────────┘
//! ```
//!
//! A thread of its own draws: nobody waits for a slow terminal. The terminal is given back when the screen
//! ends, however it ends, a panic included.

mod draw;
mod scene;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

pub(crate) use scene::{Notes, PsapRow, Rates, RunStatus, Scene, SiteRow, phase};

/// Between two scenes. What they show is new once a second.
pub(crate) const REFRESH: Duration = Duration::from_millis(500);

/// How long the drawing thread waits for a key before it looks for a new scene.
const FRAME: Duration = Duration::from_millis(250);

/// A terminal that takes longer to be given back is left to the kernel.
const FAREWELL: Duration = Duration::from_secs(2);

/// What somebody at the keyboard wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// `q` or Ctrl-C: end what is in progress, and end; the second time, stop.
    Interrupt,
    /// `Q`: stop at once.
    Stop,
}

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
    let mut stale = true;
    while !shared.over.load(Ordering::Relaxed) {
        let fresh = shared.scene.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(fresh) = fresh {
            (scene, stale) = (fresh, true);
        }
        // A terminal that is gone, as after SIGHUP, shows nothing; the run goes on.
        if stale && terminal.draw(|frame| draw::draw(frame, &scene)).is_err() {
            break;
        }
        stale = false;
        match event::poll(FRAME).and_then(|some| some.then(event::read).transpose()) {
            Ok(Some(Event::Resize(..))) => stale = true,
            Ok(Some(Event::Key(key))) => {
                if let Some(key) = meaning(key) {
                    let _ = pressed.send(key);
                }
            }
            Ok(_) => {}
            // No keyboard: the picture is still of use.
            Err(_) => std::thread::sleep(FRAME),
        }
    }
    ratatui::restore();
}

fn meaning(KeyEvent { code, modifiers, kind, .. }: KeyEvent) -> Option<Key> {
    if kind == KeyEventKind::Release {
        return None;
    }
    match code {
        KeyCode::Char('q') => Some(Key::Interrupt),
        // In raw mode no signal comes of it.
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Interrupt),
        KeyCode::Char('Q') => Some(Key::Stop),
        _ => None,
    }
}
