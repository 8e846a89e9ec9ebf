//! A picture, for a page or a document. Each arrow is a link to `#mN`, where a page may show the message.

use std::fmt::Write as _;

use crate::render::phrases::{is_bad, label, plain, seconds, short_remark, title};
use crate::story::{Arrow, Fate, Story, What};

/// In light and dark, by what the reader's system asks for.
pub(super) const STYLE: &str = ".ladder{font:12px ui-monospace,monospace;--ink:#1a1a1a;--soft:#6b6b6b;--bad:#b3261e;--again:#8a5a00;--event:#7a2f9e;\
--note:#1f5f8b;--back:#fff;background:var(--back)}@media(prefers-color-scheme:dark){.ladder{--ink:#e8e8e8;--soft:#9a9a9a;--bad:#ff8a80;--again:#ffcb6b;\
--event:#d7a3f0;--note:#8ecbff;--back:#16181c}}.ladder text{fill:var(--ink)}.ladder .soft{fill:var(--soft)}.ladder .name{font-weight:bold}\
.ladder line,.ladder path{stroke:var(--ink);fill:none}.ladder .bar{stroke:var(--soft);stroke-dasharray:2 3}.ladder .bad text,.ladder text.bad{fill:var(--bad)}\
.ladder .bad line,.ladder .bad path{stroke:var(--bad)}.ladder text.again{fill:var(--again)}.ladder text.note{fill:var(--note)}\
.ladder text.event{fill:var(--event)}.ladder .media line{stroke:var(--note);stroke-dasharray:6 3}.ladder .report line{stroke:var(--note);stroke-dasharray:1 4}.ladder a:focus text,.ladder a:hover text{text-decoration:underline}";

/// Left of the first bar: number and seconds.
const MARGIN: usize = 104;
const PITCH: usize = 184;
/// Right of the last bar.
const RIGHT: usize = 300;
const HEAD: usize = 44;
const ROW: usize = 24;
const REMARK: usize = 16;
/// One character of the font.
const CHARACTER: f64 = 7.3;

/// The ladder as SVG, whole in itself.
#[must_use]
pub fn svg(story: &Story) -> String {
    let (width, height, body) = drawn(story);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ladder\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n{body}</svg>\n",
        escaped(&title(story))
    )
}

/// The same for a page that has the style itself.
pub(super) fn inline(story: &Story) -> String {
    let (width, height, body) = drawn(story);
    format!(
        "<svg class=\"ladder\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n{body}</svg>\n",
        escaped(&title(story))
    )
}

fn drawn(story: &Story) -> (usize, usize, String) {
    let width = MARGIN + PITCH * story.columns.len().max(2) - PITCH + RIGHT;
    let mut body = String::new();
    for (place, column) in story.columns.iter().enumerate() {
        let at = x(place);
        let name = cut(&plain(&column.name), PITCH - 12);
        let kind = column.kind.map_or_else(|| "a peer".to_owned(), |kind| kind.to_string());
        let kept = if column.has_kept { "" } else { ", kept nothing" };
        let _ = writeln!(
            body,
            "<text class=\"name\" x=\"{at}\" y=\"16\" text-anchor=\"middle\">{}<title>{}</title></text>\
             <text class=\"soft\" x=\"{at}\" y=\"31\" text-anchor=\"middle\">{kind}{kept}</text>",
            escaped(&name),
            escaped(&format!("{} at {}", column.name, column.address))
        );
    }
    let mut rows = String::new();
    let mut y = HEAD;
    for line in &story.lines {
        let mid = y + ROW / 2 + 2;
        let _ = write!(
            rows,
            "<text class=\"soft\" x=\"92\" y=\"{}\" text-anchor=\"end\">{}</text>",
            mid + 4,
            seconds(line.at_us)
        );
        y += ROW;
        match &line.what {
            What::Message(arrow) => y += message(&mut rows, story, arrow, mid, width),
            What::Note { column, text } => {
                beside(&mut rows, (x(*column), mid), width, "note", text)
            }
            What::Event { column, kind, text } => {
                let at = column.map_or(MARGIN, x);
                beside(&mut rows, (at, mid), width, "event", &format!("{kind}: {text}"));
            }
            What::Media { from, to, text, is_bad } | What::Report { from, to, text, is_bad } => {
                let is_report = matches!(line.what, What::Report { .. });
                let class = match (is_report, *is_bad) {
                    (false, false) => "media",
                    (false, true) => "media bad",
                    (true, false) => "report",
                    (true, true) => "report bad",
                };
                let _ = write!(rows, "<g class=\"{class}\">");
                line_between(&mut rows, x(*from), x(*to), mid, Fate::OnWire);
                rows.push_str("</g>");
                let class = if *is_bad { "bad" } else { "note" };
                under(&mut rows, (x((*from).min(*to)), y + 8), width, class, text);
                y += REMARK;
            }
        }
        rows.push('\n');
    }
    let height = y + 16;
    for place in 0..story.columns.len() {
        let at = x(place);
        let _ = writeln!(
            body,
            "<line class=\"bar\" x1=\"{at}\" y1=\"38\" x2=\"{at}\" y2=\"{}\"/>",
            height - 8
        );
    }
    (width, height, body + &rows)
}

const fn x(column: usize) -> usize {
    MARGIN + PITCH * column
}

/// Returns how much room its remark takes.
fn message(rows: &mut String, story: &Story, arrow: &Arrow, mid: usize, width: usize) -> usize {
    let (from, to) = (x(arrow.from), x(arrow.to));
    let class = if is_bad(arrow) { "arrow bad" } else { "arrow" };
    let _ = write!(
        rows,
        "<a href=\"#m{0}\" class=\"{class}\"><text class=\"soft\" x=\"4\" y=\"{1}\">{0}</text>",
        arrow.number,
        mid + 4
    );
    line_between(rows, from, to, mid, arrow.fate);
    let label = cut(&label(arrow), from.abs_diff(to).max(PITCH) - 24);
    let at = if from == to { from + 60 } else { usize::midpoint(from, to) };
    let _ = write!(
        rows,
        "<text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">{}</text></a>",
        mid - 4,
        escaped(&label)
    );
    let Some((remark, is_bad)) = short_remark(story, arrow) else { return 0 };
    let class = if is_bad { "bad" } else { "again" };
    under(rows, (from.min(to), mid + ROW / 2 + 6), width, class, &remark);
    REMARK
}

/// An arrow; that of a lost message stops half way, and one of which nobody knows whether it arrived ends in a question mark.
fn line_between(rows: &mut String, from: usize, to: usize, y: usize, fate: Fate) {
    if from == to {
        let _ = write!(rows, "<path d=\"M{from} {y} h24\"/>");
        return;
    }
    let is_right = to > from;
    let length = from.abs_diff(to);
    let length = match fate {
        Fate::Lost => length * 2 / 3,
        // Room for its question mark.
        Fate::SentOnly => length.saturating_sub(14),
        Fate::Arrived | Fate::Doubled | Fate::ReceivedOnly | Fate::OnWire => length,
    };
    let end = if is_right { from + length } else { from - length };
    let _ = write!(rows, "<line x1=\"{from}\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\"/>");
    let back = if is_right { end - 7 } else { end + 7 };
    let _ = match fate {
        Fate::Lost => write!(rows, "<path d=\"M{} {} l10 10 m0 -10 l-10 10\"/>", end - 5, y - 5),
        Fate::SentOnly => {
            let at = if is_right { end + 7 } else { end - 7 };
            write!(
                rows,
                "<text class=\"name\" x=\"{at}\" y=\"{}\" text-anchor=\"middle\">?</text>",
                y + 4
            )
        }
        _ => write!(rows, "<path d=\"M{back} {} L{end} {y} L{back} {}\"/>", y - 4, y + 4),
    };
}

fn beside(rows: &mut String, (at, mid): (usize, usize), width: usize, class: &str, text: &str) {
    let sign = if class == "event" { '\u{25c6}' } else { '\u{25cb}' };
    let text = plain(text);
    let shown = cut(&text, width - at - 24);
    let _ = write!(
        rows,
        "<text class=\"{class}\" x=\"{}\" y=\"{}\">{sign} {}<title>{}</title></text>",
        at - 4,
        mid + 4,
        escaped(&shown),
        escaped(&text)
    );
}

fn under(rows: &mut String, (at, y): (usize, usize), width: usize, class: &str, text: &str) {
    let text = plain(text);
    let shown = cut(&text, width - at - 16);
    let _ = write!(
        rows,
        "<text class=\"{class}\" x=\"{}\" y=\"{y}\">{}<title>{}</title></text>",
        at + 6,
        escaped(&shown),
        escaped(&text)
    );
}

/// What has room in so many units.
fn cut(text: &str, room: usize) -> String {
    let most = (room as f64 / CHARACTER) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A text of somebody else as XML 1.0 may have it.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}
