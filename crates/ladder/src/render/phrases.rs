//! What is said beside an arrow, in every form the same.

use telemetry::visible_line;

use crate::story::{Arrow, Fate, Story};

/// Seconds since the beginning.
pub(super) fn seconds(at_us: i64) -> String {
    format!("{:.3}", at_us as f64 / 1e6)
}

/// A text of somebody else, on one line and without anything hidden.
pub(super) fn plain(text: &str) -> String {
    visible_line(text).into_owned()
}

/// What stands on an arrow.
pub(super) fn label(arrow: &Arrow) -> String {
    let sdp = if arrow.has_sdp { " sdp" } else { "" };
    let tcp = if arrow.transport.is_reliable() { " tcp" } else { "" };
    format!("{}{sdp}{tcp}", plain(&arrow.label))
}

/// What became of it that an arrow alone does not tell, and whether that is bad.
pub(crate) fn remark(story: &Story, arrow: &Arrow) -> Option<(String, bool)> {
    let fate = match arrow.fate {
        Fate::Lost => Some((format!("lost: not seen at {}", plain(story.name(arrow.to))), true)),
        Fate::Doubled => Some(("the network delivered it once more".to_owned(), false)),
        Fate::SentOnly => Some((unseen(story, arrow), false)),
        Fate::Arrived | Fate::ReceivedOnly | Fate::OnWire => None,
    };
    joined(fate, arrow)
}

/// The same beside a drawn arrow, whose tip is a question mark where nobody knows whether it arrived: why is said at the first of
/// each box.
pub(super) fn short_remark(story: &Story, arrow: &Arrow) -> Option<(String, bool)> {
    let is_told = |first: &Arrow| {
        (first.fate, first.to) == (arrow.fate, arrow.to)
            && first.number < arrow.number
            && unseen(story, first) == unseen(story, arrow)
    };
    if arrow.fate == Fate::SentOnly && story.messages().any(is_told) {
        return joined(None, arrow);
    }
    remark(story, arrow)
}

/// Why nobody knows whether it arrived.
fn unseen(story: &Story, arrow: &Arrow) -> String {
    let name = plain(story.name(arrow.to));
    match story.columns.get(arrow.to).is_some_and(|column| column.has_kept) {
        true => format!("{name} kept nothing of this moment"),
        false => format!("{name} kept nothing of this call"),
    }
}

fn joined(fate: Option<(String, bool)>, arrow: &Arrow) -> Option<(String, bool)> {
    let again = arrow.repeat.as_ref().map(|repeat| {
        let times = match repeat.times_before {
            1 => "again".to_owned(),
            times => format!("again, the {} time", ordinal(times + 1)),
        };
        let of = repeat.of;
        format!("{times}, {} s after {of}: {}", seconds(repeat.after_us), plain(&repeat.why))
    });
    match (fate, again) {
        (None, None) => None,
        (Some((fate, is_bad)), None) => Some((fate, is_bad)),
        (None, Some(again)) => Some((again, false)),
        (Some((fate, is_bad)), Some(again)) => Some((format!("{fate}; {again}"), is_bad)),
    }
}

fn ordinal(number: u32) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

/// Whether an arrow tells of a refusal, or did not arrive.
pub(super) fn is_bad(arrow: &Arrow) -> bool {
    let is_refusal =
        arrow.label.as_bytes().first().is_some_and(|digit| (b'4'..=b'6').contains(digit));
    arrow.fate == Fate::Lost || is_refusal
}

/// Who and what: the first line of every form.
pub(super) fn title(story: &Story) -> String {
    let number = match &story.number[..] {
        "" => String::new(),
        number => format!(", {}", plain(number)),
    };
    format!("call {}{number}", plain(&story.attempt))
}

/// When the story began, in UTC: `2023-11-14 22:13:20.000 UTC`.
pub(super) fn begun(story: &Story) -> String {
    date(story.start_us)
}

/// A moment of Unix time, by the calendar (days from civil, turned round).
fn date(unix_us: u64) -> String {
    let (seconds, millis) = (unix_us / 1_000_000, unix_us / 1_000 % 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era + era * 400 + carry;
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{millis:03} UTC",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}
