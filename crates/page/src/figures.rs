//! How figures are written, and tables of them.

use std::time::Duration;

use account::text::grouped;
use maud::{Markup, html};
use telemetry::Quantiles;

/// With a comma between thousands.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A number of things: `1 call`, `2,000 calls`.
pub(crate) fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

/// With so many decimals, and a comma between thousands.
pub(crate) fn decimal(number: f64, decimals: usize) -> String {
    grouped(&format!("{number:.decimals$}"))
}

/// A share from 0 to 1; a dash where there is none.
pub(crate) fn percent(share: Option<f64>) -> String {
    let word = |share: f64| match share * 100.0 {
        // What is not all must not look like all.
        nearly if nearly > 99.95 && nearly < 100.0 => {
            format!("{:.3} %", (nearly * 1_000.0).floor() / 1_000.0)
        }
        percent => format!("{percent:.1} %"),
    };
    share.map_or_else(|| "–".to_owned(), word)
}

/// A part of a whole.
pub(crate) fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Microseconds as milliseconds, without the unit.
pub(crate) fn millis(micros: u64) -> String {
    let millis = micros as f64 / 1_000.0;
    decimal(millis, if millis < 10.0 { 2 } else { 1 })
}

/// One quantile, or a dash where nothing was measured.
pub(crate) fn quantile(delays: &Quantiles, pick: impl Fn(&Quantiles) -> Option<u64>) -> String {
    or_dash(pick(delays).map(millis))
}

/// A mean opinion score, or a dash where no stream was rated.
pub(crate) fn score(mos: Option<f64>) -> String {
    or_dash(mos.map(|mos| format!("{mos:.2}")))
}

/// A dash for what is not known.
pub(crate) fn or_dash(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| "–".to_owned())
}

/// Seconds as milliseconds with their unit, as all delays of the page are.
pub(crate) fn seconds(seconds: f64) -> String {
    let millis = seconds * 1_000.0;
    let decimals = if millis.abs() < 10.0 { 2 } else { 1 };
    format!("{} ms", without_zeros(&decimal(millis, decimals)))
}

/// A number without the zeros at its end that say nothing.
pub(crate) fn without_zeros(number: &str) -> &str {
    match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    }
}

/// How long something took, in words.
pub(crate) fn length(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..=119 => format!("{seconds:.1} s"),
        120..=7_199 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3_600, whole / 60 % 60),
    }
}

/// A time of the run: of day where the campaign has one, otherwise since its start.
pub(crate) fn clock(begins: Duration, at: Duration) -> String {
    let seconds = (begins + at).as_secs();
    if begins.is_zero() && seconds < 3_600 {
        let tenths = at.subsec_millis() / 100;
        return format!("{}:{:02}.{tenths}", seconds / 60, seconds % 60);
    }
    let hours = if begins.is_zero() { seconds / 3_600 } else { seconds / 3_600 % 24 };
    format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60)
}

/// A table with a row for each name; all other columns are figures.
pub(crate) fn table(caption: &str, heads: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.sortable {
                caption { (caption) }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @if column == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Pairs of a term and what is to be said of it.
pub(crate) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (term, fact) in facts { div { dt { (term) } dd { (fact) } } }
        }
    }
}

/// A word and a sign for whether something is as it should be: never the colour alone.
pub(crate) fn check(is_well: bool, well: &str, ill: &str) -> Markup {
    html! {
        @if is_well { span.well { "✓ " (well) } } @else { span.ill { "✗ " (ill) } }
    }
}

/// The command that shows one attempt.
pub(crate) fn show(folder: &str, attempt: &str) -> Markup {
    let is_id = attempt.len() == 32 && attempt.bytes().all(|byte| byte.is_ascii_hexdigit());
    html! {
        @if is_id { code { "tocsin show " (folder) " " (attempt) } } @else { code { (attempt) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(
            (count(0), count(999), count(1_234_567)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!((decimal(-123.46, 1), decimal(0.5, 2)), ("-123.5".into(), "0.50".into()));
        assert_eq!(percent(Some(0.999_999_9)), "99.999 %");
        assert_eq!(
            (percent(Some(0.999_8)), percent(Some(1.0)), percent(None)),
            ("99.980 %".into(), "100.0 %".into(), "–".into())
        );
        assert_eq!((millis(420), millis(12_345_678)), ("0.42".into(), "12,345.7".into()));
        assert_eq!(
            (length(29.96), length(600.0), length(26_580.0)),
            ("30.0 s".into(), "10 min 00 s".into(), "7 h 23 min".into())
        );
        let of_day = Duration::from_secs(23 * 3_600 + 3_599);
        assert_eq!(clock(of_day, Duration::from_secs(2)), "0:00:01");
        assert_eq!(clock(Duration::ZERO, Duration::from_millis(65_250)), "1:05.2");
    }
}
