//! For a terminal.
//!
//! ```text
//!   #       s      +ms  load-1        mobile        alpha
//!                       |             |             |
//!   1   0.000           |--INVITE--X  |             |
//!                         lost: not seen at mobile
//!   2   0.500   +500.0  |--INVITE---->|             |
//!       0.501     +1.0  |             o seizes a circuit towards alpha
//! ```

use std::fmt::Write as _;

use crate::render::phrases::{begun, is_bad, label, plain, seconds, short_remark, title};
use crate::story::{Arrow, Fate, Line, Story, What};

/// The terminal that a ladder is for.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Columns of characters.
    pub width: usize,
    pub has_colours: bool,
}

/// Before the first bar: number, seconds, milliseconds since the line before.
const MARGIN: usize = 23;
/// Bars nearer to each other than this leave no room for a label.
const NARROWEST: usize = 11;
/// What an arrow needs beside its label.
const TIP: usize = 6;

#[derive(Debug, Clone, Copy)]
enum Colour {
    Plain,
    Bad,
    Again,
    Note,
    Event,
}

/// The ladder, with what is known of the cause in front and what the standard says below.
#[must_use]
pub fn text(story: &Story, screen: Screen) -> String {
    let mut text = format!("{}\nfrom {}\n", title(story), begun(story));
    if !story.cause.is_empty() {
        for line in story.cause.lines() {
            text += &wrapped(&plain(line), screen.width, "");
        }
    }
    text.push('\n');
    text += &match pitch(story, screen.width) {
        Some(pitch) => drawn(story, screen, pitch),
        None => listed(story, screen),
    };
    if !story.findings.is_empty() {
        text += "\nwhat the standard says of it:\n";
    }
    for found in &story.findings {
        let numbers: Vec<String> = found.messages.iter().map(u32::to_string).collect();
        let head = format!("{}: {}", numbers.join(", "), plain(&found.seen));
        text += &wrapped(&format!("- {head}"), screen.width, "  ");
        let rule = format!("expected: {} ({})", found.expected, found.rule);
        text += &wrapped(&format!("  {rule}"), screen.width, "  ");
    }
    for gap in &story.gaps {
        text += &wrapped(&format!("note: {}", plain(gap)), screen.width, "  ");
    }
    text
}

fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let options = textwrap::Options::new(width.max(20)).subsequent_indent(indent);
    let mut lines = textwrap::wrap(text, options).join("\n");
    lines.push('\n');
    lines
}

/// How far bars stand apart; `None` where there are too many of them for this width.
fn pitch(story: &Story, width: usize) -> Option<usize> {
    let longest = story.messages().map(|arrow| label(arrow).chars().count() + TIP);
    let names = story.columns.iter().map(|column| plain(&column.name).chars().count() + 2);
    let wanted = longest.chain(names).max().unwrap_or(NARROWEST).clamp(NARROWEST, 36);
    let gaps = story.columns.len().max(2) - 1;
    // The last bar has its name to the right.
    let last = story.columns.last().map_or(0, |column| plain(&column.name).chars().count());
    let room = width.saturating_sub(MARGIN + last.clamp(1, 16)) / gaps;
    (room >= NARROWEST).then_some(wanted.min(room))
}

fn drawn(story: &Story, screen: Screen, pitch: usize) -> String {
    let mut text = format!("{:>3} {:>8} {:>8}  ", "#", "s", "+ms");
    for (place, column) in story.columns.iter().enumerate() {
        let name = plain(&column.name);
        let is_last = place + 1 == story.columns.len();
        let name = if is_last { name } else { cut(&name, pitch - 1) };
        let _ = write!(text, "{name:<pitch$}");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    let mut before = None;
    for line in &story.lines {
        let number = match &line.what {
            What::Message(arrow) => arrow.number.to_string(),
            What::Note { .. } | What::Event { .. } | What::Media { .. } | What::Report { .. } => {
                String::new()
            }
        };
        let (drawing, remark, colour) = row(story, line, pitch);
        let room = screen.width.saturating_sub(MARGIN);
        let since = before.map_or_else(String::new, |before: i64| {
            format!("+{:.1}", (line.at_us - before) as f64 / 1e3)
        });
        before = Some(line.at_us);
        let margin = format!("{number:>3} {:>8} {since:>8}  ", seconds(line.at_us));
        let mut lines = drawing.into_iter();
        let first = lines.next().unwrap_or_default();
        let _ = writeln!(text, "{margin}{}", painted(first.trim_end(), colour, screen));
        for more in lines {
            let _ = writeln!(text, "{:MARGIN$}{}", "", painted(more.trim_end(), colour, screen));
        }
        let hanging = textwrap::Options::new(room.max(20)).subsequent_indent("  ");
        for more in remark.iter().flat_map(|remark| textwrap::wrap(remark, &hanging)) {
            let _ = writeln!(text, "{:MARGIN$}{}", "", painted(&more, colour, screen));
        }
    }
    text
}

/// A line as rows of characters, and what is said below it.
fn row(story: &Story, line: &Line, pitch: usize) -> (Vec<String>, Option<String>, Colour) {
    let bars = |until: usize| -> Vec<char> {
        let mut bars = vec![' '; pitch * (story.columns.len().max(1) - 1) + 1];
        bars.iter_mut().step_by(pitch).take(until).for_each(|cell| *cell = '|');
        bars
    };
    let all = story.columns.len();
    let beside = |column: usize, sign: char, text: &str| {
        let room = 64.max(pitch * (all - column.min(all)));
        let mut rows = Vec::new();
        for (number, part) in textwrap::wrap(text, room).into_iter().enumerate() {
            let mut cells: String = bars(column).into_iter().take(pitch * column).collect();
            cells.push(if number == 0 { sign } else { ' ' });
            rows.push(format!("{cells} {part}"));
        }
        rows
    };
    match &line.what {
        What::Message(arrow) => {
            let mut cells = bars(all);
            draw(&mut cells, pitch, arrow);
            let (remark, colour) = match short_remark(story, arrow) {
                Some((remark, true)) => (Some(format!("  {remark}")), Colour::Bad),
                Some((remark, false)) => (Some(format!("  {remark}")), Colour::Again),
                None if is_bad(arrow) => (None, Colour::Bad),
                None => (None, Colour::Plain),
            };
            (vec![cells.into_iter().collect()], remark, colour)
        }
        What::Note { column, text } => (beside(*column, 'o', &plain(text)), None, Colour::Note),
        What::Event { column, kind, text } => {
            let text = format!("{}: {}", plain(kind), plain(text));
            (beside(column.unwrap_or(0), '*', &text), None, Colour::Event)
        }
        What::Media { from, to, text, is_bad } | What::Report { from, to, text, is_bad } => {
            let mut cells = bars(all);
            let (left, right) = ((*from).min(*to) * pitch + 1, (*from).max(*to) * pitch);
            let span = cells.get_mut(left..right).unwrap_or_default();
            span.fill(if matches!(line.what, What::Media { .. }) { '~' } else { '.' });
            match span {
                [.., tip] if from < to => *tip = '>',
                [tip, ..] => *tip = '<',
                [] => {}
            }
            let colour = if *is_bad { Colour::Bad } else { Colour::Note };
            (vec![cells.into_iter().collect()], Some(format!("  {}", plain(text))), colour)
        }
    }
}

/// An arrow between two bars; a lost one stops half way, and one of which nobody knows whether it arrived ends in a question mark.
fn draw(cells: &mut [char], pitch: usize, arrow: &Arrow) {
    let label = label(arrow);
    if arrow.from == arrow.to {
        let note: String = format!("o {label} to itself");
        let at = arrow.from * pitch;
        cells.iter_mut().skip(at).zip(note.chars()).for_each(|(cell, letter)| *cell = letter);
        return;
    }
    let (left, right) = (arrow.from.min(arrow.to) * pitch + 1, arrow.from.max(arrow.to) * pitch);
    let Some(span) = cells.get_mut(left..right) else { return };
    let label = cut(&label, span.len().saturating_sub(4));
    let rightwards = arrow.from < arrow.to;
    span.fill('-');
    let text_at = if rightwards { 2 } else { 3 };
    let length = label.chars().count();
    span.iter_mut().skip(text_at).zip(label.chars()).for_each(|(cell, letter)| *cell = letter);
    let last = span.len() - 1;
    match (rightwards, arrow.fate) {
        (true, Fate::Lost) => {
            let stop = (span.len() * 2 / 3).max(text_at + length).min(last);
            span[stop..].fill(' ');
            span[stop] = 'X';
        }
        (false, Fate::Lost) => {
            span[..2].fill(' ');
            span[1] = 'X';
        }
        (true, Fate::SentOnly) => span[last] = '?',
        (false, Fate::SentOnly) => span[0] = '?',
        (true, _) => span[last] = '>',
        (false, _) => span[0] = '<',
    }
}

/// Where bars have no room: a line for each.
fn listed(story: &Story, screen: Screen) -> String {
    let mut text = String::new();
    for line in &story.lines {
        let (number, said, colour) = match &line.what {
            What::Message(arrow) => {
                let remark = short_remark(story, arrow).map(|it| format!(" ({})", it.0));
                let (from, to) = (plain(story.name(arrow.from)), plain(story.name(arrow.to)));
                let tip = if arrow.fate == Fate::SentOnly { '?' } else { '>' };
                let said =
                    format!("{from} {tip} {to}: {}{}", label(arrow), remark.unwrap_or_default());
                let colour = if is_bad(arrow) { Colour::Bad } else { Colour::Plain };
                (arrow.number.to_string(), said, colour)
            }
            What::Note { column, text } => {
                let said = format!("{}: {}", plain(story.name(*column)), plain(text));
                (String::new(), said, Colour::Note)
            }
            What::Event { column, kind, text } => {
                let at =
                    column.map_or_else(String::new, |it| format!("{} ", plain(story.name(it))));
                (String::new(), format!("* {} {at}{}", plain(kind), plain(text)), Colour::Event)
            }
            What::Media { text, .. } => (String::new(), plain(text), Colour::Note),
            What::Report { from, text, .. } => {
                let said = format!("{}: {}", plain(story.name(*from)), plain(text));
                (String::new(), said, Colour::Note)
            }
        };
        let head = format!("{number:>3} {:>8}  ", seconds(line.at_us));
        let room = screen.width.saturating_sub(head.len()).max(20);
        for (place, part) in textwrap::wrap(&said, room).into_iter().enumerate() {
            let head = if place == 0 { head.clone() } else { " ".repeat(head.len()) };
            let _ = writeln!(text, "{head}{}", painted(&part, colour, screen));
        }
    }
    text
}

fn cut(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length.saturating_sub(1)).chain(['…']).collect()
}

/// SGR of ECMA-48 around a text that has nothing of it itself.
fn painted(text: &str, colour: Colour, screen: Screen) -> String {
    let code = match colour {
        Colour::Plain => return text.to_owned(),
        Colour::Bad => "31",
        Colour::Again => "33",
        Colour::Note => "36",
        Colour::Event => "35",
    };
    if screen.has_colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
