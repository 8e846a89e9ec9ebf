//! Pages over the picture of a run: what keys do and what words mean, and all that happened.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::scene::Scene;
use super::style::{BAD, FAINT, PLAIN, clock};
use super::view::View;

/// Keys and words.
const HELP: [(&str, &str); 20] = [
    ("q, Ctrl-C", "end the calls in progress, then the run; the second time at once"),
    ("Q", "stop at once"),
    ("p, space", "hold the picture still; the run goes on"),
    ("l", "all that happened; arrows, PgUp, PgDn, Home and End move, here too"),
    ("?", "this page; Esc leads back"),
    ("", ""),
    ("thresholds", "✓ holds, ✗ does not, – is not known yet; the records of the whole run decide"),
    ("calls/s", "offered in each second; the latest at the right, a column each"),
    ("ASR", "answered, of the calls whose fate became known in that second"),
    ("PDD p95", "95 % of the calls rang within this time of the moment they were due"),
    ("failed", "rejected, timed out or lost"),
    ("abandoned", "given up by the caller before the answer"),
    ("in progress", "calls from the first INVITE to the end"),
    ("set-up p99", "from the moment they were due to the answer"),
    ("lag p99", "how late the generator itself was"),
    ("late", "calls that began over 20 ms late, and calls that were not placed"),
    ("share", "of all calls that sites were offered"),
    ("state", "gone, starting, isolated, locked, draining, shedding, up"),
    ("queue", "callers who wait for a call taker"),
    ("positions", "busy ones, and all"),
];

/// Columns that the words of the help take.
const WORDS: usize = 13;

/// Keys and words, over everything but the first and the last line. What does not fit is scrolled to.
pub(super) fn help(frame: &mut Frame<'_>, area: Rect, view: &mut View) {
    frame.render_widget(Clear, area);
    let width = usize::from(area.width).saturating_sub(WORDS).max(1);
    let line = |(word, meaning): (&str, &str)| {
        let lines = pieces(meaning, width).into_iter().enumerate().map(|(number, piece)| {
            let word = if number == 0 { format!(" {word:<12}") } else { " ".repeat(WORDS) };
            Line::from(vec![Span::styled(word, FAINT), Span::raw(piece)])
        });
        lines.collect::<Vec<_>>()
    };
    let mut lines: Vec<Line<'static>> = HELP.into_iter().flat_map(line).collect();
    let room = usize::from(area.height).max(1);
    view.down = view.down.min(lines.len().saturating_sub(room));
    let mut shown = lines.split_off(view.down);
    if shown.len() > room {
        shown.truncate(room - 1);
        shown.push(Line::styled(" ↓ more", FAINT));
    }
    frame.render_widget(Paragraph::new(shown), area);
}

/// All that happened, each line as long as it is.
pub(super) fn log(frame: &mut Frame<'_>, area: Rect, scene: &Scene, view: &mut View) {
    frame.render_widget(Clear, area);
    view.limit(scene.notes.len());
    let end = scene.notes.len() - view.back.min(scene.notes.len());
    if scene.notes.is_empty() {
        frame.render_widget(Line::styled(" nothing has happened yet", FAINT), area);
        return;
    }
    // As many of the last ones as fit, which take more than one line each where they are long.
    let width = usize::from(area.width.saturating_sub(10)).max(1);
    let mut room = usize::from(area.height);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (at, what) in scene.notes[..end].iter().rev() {
        let pieces = pieces(what, width);
        if pieces.len() > room && !lines.is_empty() {
            break;
        }
        room = room.saturating_sub(pieces.len());
        let style = if what.starts_with("ALARM") { BAD } else { PLAIN };
        for (number, piece) in pieces.into_iter().enumerate().rev() {
            let time = if number == 0 { clock(*at) } else { String::new() };
            lines.push(Line::from(vec![
                Span::styled(format!("{time:>8}  "), FAINT),
                Span::styled(piece, style),
            ]));
        }
    }
    lines.reverse();
    frame.render_widget(Paragraph::new(lines), area);
}

/// A sentence in lines of so many letters, broken at spaces where there are any.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let last = pieces.last_mut().expect("there is always one");
            let used = last.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + word.len() <= width {
                last.extend(std::iter::repeat_n(' ', gap).chain(word));
                break;
            }
            if used > 0 {
                pieces.push(String::new());
            } else {
                let rest = word.split_off(width.min(word.len()));
                last.extend(word);
                word = rest;
                pieces.push(String::new());
            }
        }
    }
    pieces
}
