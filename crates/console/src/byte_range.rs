//! A part of what is asked for (RFC 9110 §14): a player that jumps into the middle of a sound fetches no more than it plays.

use std::ops::Range;

use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cli::manage::trouble;

/// What a Range asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// All: there is no Range, or one of a kind that may be passed over.
    Whole,
    Part(Range<usize>),
    /// What is not there.
    Nothing,
}

/// Answers with these octets, or the part of them that is asked for.
pub(crate) fn answer(octets: Vec<u8>, range: Option<&HeaderValue>, kind: &'static str) -> Response {
    let asked = range.and_then(|range| range.to_str().ok());
    let length = octets.len();
    let accepts = (ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let kind = (CONTENT_TYPE, HeaderValue::from_static(kind));
    let told = |text: String| (CONTENT_RANGE, HeaderValue::try_from(text).ok());
    match asked.map_or(Asked::Whole, |asked| read(asked, length)) {
        Asked::Whole => ([accepts, kind], octets).into_response(),
        Asked::Part(part) => {
            let (name, value) = told(format!("bytes {}-{}/{length}", part.start, part.end - 1));
            let status = StatusCode::PARTIAL_CONTENT;
            let mut answer = (status, [accepts, kind], octets[part].to_vec()).into_response();
            answer.headers_mut().extend(value.map(|value| (name, value)));
            answer
        }
        Asked::Nothing => {
            let what = format!("it has {length} octets, and none of those");
            let mut answer = trouble(StatusCode::RANGE_NOT_SATISFIABLE, &what);
            let (name, value) = told(format!("bytes */{length}"));
            answer.headers_mut().extend(value.map(|value| (name, value)));
            answer
        }
    }
}

fn read(asked: &str, length: usize) -> Asked {
    let Some(set) = asked.strip_prefix("bytes=") else { return Asked::Whole };
    // Several parts at once may be answered with the whole.
    let Some((first, last)) = set.trim().split_once('-').filter(|_| !set.contains(',')) else {
        return Asked::Whole;
    };
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let part = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.trim().is_empty() => first..length,
        (None, Some(last)) if first.trim().is_empty() => length.saturating_sub(last)..length,
        _ => return Asked::Whole,
    };
    if part.is_empty() { Asked::Nothing } else { Asked::Part(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_part_of_what_is_there_or_passed_over() {
        for (asked, wanted) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-5", Asked::Part(2..6)),
            ("bytes=2-", Asked::Part(2..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=9-99", Asked::Part(9..10)),
            ("bytes=0-18446744073709551615", Asked::Part(0..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=5-2", Asked::Whole),
            ("bytes=0-1,4-5", Asked::Whole),
            ("bytes=x-y", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("seconds=1-2", Asked::Whole),
            ("", Asked::Whole),
        ] {
            assert_eq!(read(asked, 10), wanted, "{asked}");
        }
        assert_eq!(read("bytes=0-", 0), Asked::Nothing);
    }

    #[test]
    fn a_part_says_of_what_it_is() {
        let range = HeaderValue::from_static("bytes=2-5");
        let part = answer(vec![0; 10], Some(&range), "audio/wav");
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.headers()[CONTENT_RANGE], "bytes 2-5/10");
        let beyond = HeaderValue::from_static("bytes=99-");
        let nothing = answer(vec![0; 10], Some(&beyond), "audio/wav");
        assert_eq!(nothing.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(nothing.headers()[CONTENT_RANGE], "bytes */10");
        assert_eq!(answer(vec![0; 10], None, "audio/wav").status(), StatusCode::OK);
    }
}
