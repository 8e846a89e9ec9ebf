//! The terminal that a ladder is drawn for: how wide it is, and whether colours are wanted there.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, stdout};

use clap::{Args, ValueEnum};
use ladder::render::Screen;
use ratatui::crossterm::terminal;

/// A line of a file or of a pipe may be as long as this.
const WIDTH: usize = 160;
/// No ladder is drawn for less.
const NARROWEST: usize = 40;

/// When a ladder has colours.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ColorArgs {
    /// Colours in the ladder: auto has them on a terminal, unless NO_COLOR is set. Words say all that they do
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl ColorArgs {
    /// What the standard output is, to a ladder.
    pub(crate) fn screen(self) -> Screen {
        let is_terminal = stdout().is_terminal();
        let size = if is_terminal { terminal::size().ok() } else { None };
        let width = size.map_or(WIDTH, |(width, _)| usize::from(width));
        let declined = std::env::var_os("NO_COLOR");
        let has_colours = self.color.is_wanted(is_terminal, declined.as_deref());
        Screen { width: width.max(NARROWEST), has_colours }
    }
}

impl Color {
    /// What the command line asks for goes before what the environment says (<https://no-color.org>).
    fn is_wanted(self, is_terminal: bool, no_color: Option<&OsStr>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => is_terminal && no_color.is_none_or(OsStr::is_empty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_whose_people_did_not_decline_them() {
        let wanted = |color: Color, is_terminal, no_color: Option<&str>| {
            color.is_wanted(is_terminal, no_color.map(OsStr::new))
        };
        assert!(wanted(Color::Auto, true, None) && wanted(Color::Auto, true, Some("")));
        assert!(!wanted(Color::Auto, true, Some("1")) && !wanted(Color::Auto, false, None));
        assert!(wanted(Color::Always, false, Some("1")) && !wanted(Color::Never, true, None));
    }
}
