//! What somebody at the keyboard looks at, and what keys do to that.
//!
//! ```text
//!            ?                l
//!   Help ◄──────► Run ◄──────────► Log     Esc leads back, p holds the picture still
//! ```

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Lines that a page key moves a page by.
const PAGE: isize = 10;

/// What somebody at the keyboard wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// `q` or Ctrl-C: end what is in progress, and end; the second time, stop.
    Interrupt,
    /// `Q`: stop at once.
    Stop,
}

/// What is shown of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Page {
    #[default]
    Run,
    Help,
    Log,
}

/// How the screen is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) page: Page,
    /// The picture is held still; the run goes on.
    pub(super) is_paused: bool,
    /// Lines of the log below its last line that is shown.
    pub(super) back: usize,
    /// Lines of the help above the first one that is shown.
    pub(super) down: usize,
}

impl View {
    /// Takes a key: what it asks of the run, if anything. The keys that end a run do so wherever they are pressed.
    pub(super) fn press(&mut self, key: KeyEvent) -> Option<Key> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        let ends = match key.code {
            KeyCode::Char('q') => Some(Key::Interrupt),
            // In raw mode no signal comes of it.
            KeyCode::Char('c') if is_control => Some(Key::Interrupt),
            KeyCode::Char('Q') => Some(Key::Stop),
            _ => None,
        };
        if ends.is_some() {
            // Whoever ends the run wants to see it end.
            self.is_paused = false;
            return ends;
        }
        match key.code {
            KeyCode::Char('p' | ' ') => self.is_paused = !self.is_paused,
            KeyCode::Char('?' | 'h') => self.turn(Page::Help),
            KeyCode::Char('l') => self.turn(Page::Log),
            KeyCode::Esc => self.page = Page::Run,
            _ if self.page == Page::Log => self.back = scrolled(self.back, key.code, true),
            _ if self.page == Page::Help => self.down = scrolled(self.down, key.code, false),
            _ => {}
        }
        None
    }

    /// To a page, or back from it.
    fn turn(&mut self, page: Page) {
        self.page = if self.page == page { Page::Run } else { page };
        (self.back, self.down) = (0, 0);
    }

    /// Does not go back beyond the first line.
    pub(super) fn limit(&mut self, lines: usize) {
        self.back = self.back.min(lines.saturating_sub(1));
    }
}

/// How many lines a page is moved by after a key; `from_end` if they count from its end.
fn scrolled(lines: usize, code: KeyCode, from_end: bool) -> usize {
    let towards_start = match code {
        KeyCode::Up | KeyCode::Char('k') => 1,
        KeyCode::Down | KeyCode::Char('j') => -1,
        KeyCode::PageUp => PAGE,
        KeyCode::PageDown => -PAGE,
        KeyCode::Home => isize::MAX,
        KeyCode::End => -isize::MAX,
        _ => 0,
    };
    lines.saturating_add_signed(if from_end { towards_start } else { -towards_start })
}
