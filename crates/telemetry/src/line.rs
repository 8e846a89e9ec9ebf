//! A line of a record file as our boxes write it, read straight on: its keys in the order of [`CallRecord`](crate::CallRecord),
//! nothing between them, no escapes. Whatever else a line may be is left to the deserializer, which takes three times as long.
//!
//! ```text
//!   {"attempt":"…","kind":"psap",…}  ──► read ──┬── Some ──────────────► Entry
//!                                               └── None ──► serde_json ──► Entry, or what is wrong
//! ```

use media::SoundVerdict;

use crate::heard::{Heard, in_hundredths, saturated};
use crate::record::{Entry, LegEntry};
use crate::terms::{BoxKind, CallerClass, Outcome, Party};
use crate::text::{Text, Tried};

/// The same that the deserializer makes of it; `None`: ask the deserializer.
pub(crate) fn read(line: &str) -> Option<Entry<'_>> {
    // One look at all octets, many at a time, saves one at each of every text.
    let is_plain = |plain, octet: &u8| plain & (*octet >= 0x20) & (*octet != b'\\');
    if !line.as_bytes().iter().fold(true, is_plain) {
        return None;
    }
    let mut line = Line { rest: line };
    line.take("{\"attempt\":")?;
    let attempt = line.text()?;
    line.take(",\"kind\":")?;
    let kind = line.word(&[
        ("generator", BoxKind::Generator),
        ("trunk_group", BoxKind::TrunkGroup),
        ("call_server", BoxKind::CallServer),
        ("psap", BoxKind::Psap),
    ])?;
    line.take(",\"node\":")?;
    let node = line.text()?;
    line.take(",\"call_id\":")?;
    let call_id = line.text()?;
    line.take(",\"number\":")?;
    let number = line.text()?;
    let entry = Entry {
        attempt,
        kind,
        node,
        call_id,
        number,
        commune: line.text_of(",\"commune\":")?,
        site: line.text_of(",\"site\":")?,
        psap: line.text_of(",\"psap\":")?,
        trunk_group: line.text_of(",\"trunk_group\":")?,
        tried: line.tried()?,
        legs: line.legs()?,
        intended_us: line.number_of(",\"intended_us\":")?,
        start_us: line.number_after(",\"start_us\":")?,
        ring_us: line.number_of(",\"ring_us\":")?,
        answer_us: line.number_of(",\"answer_us\":")?,
        ack_us: line.number_of(",\"ack_us\":")?,
        bye_us: line.number_of(",\"bye_us\":")?,
        end_us: line.number_after(",\"end_us\":")?,
        outcome: line.outcome()?,
        status: line.small_of(",\"status\":")?,
        cause: line.small_of(",\"cause\":")?,
        ended_by: line.ended_by()?,
        reason: line.text_of(",\"reason\":")?,
        heard: line.media()?,
        caller: line.number_of(",\"caller\":")?,
        attempt_of_caller: line.small_of(",\"attempt_of_caller\":")?,
        class: line.class()?,
    };
    (line.rest == "}").then_some(entry)
}

/// What of a line has still to be read.
struct Line<'a> {
    rest: &'a str,
}

impl<'a> Line<'a> {
    /// What must stand here.
    fn take(&mut self, what: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(what)?;
        Some(())
    }

    /// What may stand here.
    fn has(&mut self, what: &str) -> bool {
        self.take(what).is_some()
    }

    fn string(&mut self) -> Option<&'a str> {
        let rest = self.rest.strip_prefix('"')?;
        let (text, after) = rest.split_at(memchr::memchr(b'"', rest.as_bytes())?);
        self.rest = &after[1..];
        Some(text)
    }

    fn text(&mut self) -> Option<Text<'a>> {
        self.string().map(Text::from)
    }

    fn text_of(&mut self, key: &str) -> Option<Option<Text<'a>>> {
        if self.has(key) { self.text().map(Some) } else { Some(None) }
    }

    fn word<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        let found = self.string()?;
        words.iter().find(|(word, _)| *word == found).map(|(_, meaning)| *meaning)
    }

    fn number(&mut self) -> Option<u64> {
        let digits = self.rest.as_bytes();
        let (mut number, mut length) = (0, 0);
        while let Some(digit @ b'0'..=b'9') = digits.get(length) {
            number = number * 10 + u64::from(digit - b'0');
            length += 1;
            // Longer ones may be too great.
            if length == 19 {
                return None;
            }
        }
        let is_odd = length == 0 || (digits[0] == b'0' && length > 1);
        self.rest = &self.rest[length..];
        (!is_odd).then_some(number)
    }

    fn number_after(&mut self, key: &str) -> Option<u64> {
        self.take(key)?;
        self.number()
    }

    fn number_of(&mut self, key: &str) -> Option<Option<u64>> {
        if self.has(key) { self.number().map(Some) } else { Some(None) }
    }

    fn small_of<T: TryFrom<u64>>(&mut self, key: &str) -> Option<Option<T>> {
        let number = self.number_of(key)?;
        number.map(T::try_from).transpose().ok()
    }

    fn tried(&mut self) -> Option<Tried<'a>> {
        let mut tried = Tried::default();
        if self.has(",\"tried\":[") {
            loop {
                tried.push(self.text()?);
                if !self.has(",") {
                    break;
                }
            }
            self.take("]")?;
        }
        Some(tried)
    }

    fn legs(&mut self) -> Option<Vec<LegEntry<'a>>> {
        if !self.has(",\"legs\":[") {
            return Some(Vec::new());
        }
        let mut legs = Vec::with_capacity(1);
        loop {
            self.take("{\"call_id\":")?;
            legs.push(LegEntry {
                call_id: self.text()?,
                start_us: self.number_after(",\"start_us\":")?,
                end_us: self.number_of(",\"end_us\":")?,
                status: self.small_of(",\"status\":")?,
            });
            self.take("}")?;
            if !self.has(",") {
                break;
            }
        }
        self.take("]")?;
        Some(legs)
    }

    fn outcome(&mut self) -> Option<Outcome> {
        self.take(",\"outcome\":")?;
        self.word(&[
            ("answered", Outcome::Answered),
            ("rejected", Outcome::Rejected),
            ("abandoned", Outcome::Abandoned),
            ("timed_out", Outcome::TimedOut),
            ("lost", Outcome::Lost),
        ])
    }

    fn ended_by(&mut self) -> Option<Option<Party>> {
        if !self.has(",\"ended_by\":") {
            return Some(None);
        }
        let word = self.word(&[
            ("caller", Party::Caller),
            ("callee", Party::Callee),
            ("network", Party::Network),
        ]);
        word.map(Some)
    }

    fn class(&mut self) -> Option<Option<CallerClass>> {
        if !self.has(",\"class\":") {
            return Some(None);
        }
        let word = self
            .word(&[("emergency", CallerClass::Emergency), ("ordinary", CallerClass::Ordinary)]);
        word.map(Some)
    }

    /// The first stream of the call.
    fn media(&mut self) -> Option<Option<Heard>> {
        if !self.has(",\"media\":[") {
            return Some(None);
        }
        let heard = self.stream()?;
        while self.has(",") {
            self.stream()?;
        }
        self.take("]")?;
        Some(Some(heard))
    }

    fn stream(&mut self) -> Option<Heard> {
        self.take("{")?;
        if self.has("\"from\":") {
            self.string()?;
            self.take(",")?;
        }
        let verdict = match self.has("\"verdict\":") {
            false => None,
            true => {
                let verdict = self.word(&[
                    ("heard", SoundVerdict::Heard),
                    ("silent", SoundVerdict::Silent),
                    ("garbled", SoundVerdict::Garbled),
                    ("wrong_party", SoundVerdict::WrongParty),
                    ("unjudged", SoundVerdict::Unjudged),
                ])?;
                self.take(",")?;
                Some(verdict)
            }
        };
        let mut heard = Heard {
            verdict,
            received: saturated(self.number_after("\"received\":")?),
            expected: saturated(self.number_after(",\"expected\":")?),
            lost: saturated(self.number_after(",\"lost\":")?),
            discarded: saturated(self.number_after(",\"discarded\":")?),
            ..Heard::default()
        };
        self.pass(&[
            ",\"duplicates\":",
            ",\"reordered\":",
            ",\"strangers\":",
            ",\"sent\":",
            ",\"burst_ratio\":",
            ",\"longest_loss\":",
            ",\"burst_density\":",
            ",\"gap_density\":",
        ])?;
        heard.mean_jitter_us = saturated(self.number_after(",\"mean_jitter_us\":")?);
        self.pass(&[",\"max_jitter_us\":", ",\"longest_gap_us\":"])?;
        heard.round_trip_us = self.number_of(",\"round_trip_us\":")?.map(saturated);
        self.pass(&[",\"r\":"])?;
        if self.has(",\"mos\":") {
            heard.mos_hundredths = Some(in_hundredths(self.fraction()?.parse().ok()?));
        }
        heard.stopped_us = self.number_of(",\"stopped_us\":")?.map(saturated);
        self.take("}")?;
        Some(heard)
    }

    /// Passes the numbers of these keys by, where they are.
    fn pass(&mut self, keys: &[&str]) -> Option<()> {
        for key in keys {
            if self.has(key) {
                self.fraction()?;
            }
        }
        Some(())
    }

    /// A number with or without a fraction, as it stands there.
    fn fraction(&mut self) -> Option<&'a str> {
        let before = self.rest;
        let whole = before.bytes().take_while(u8::is_ascii_digit).count();
        let is_odd = whole == 0 || (before.starts_with('0') && whole > 1);
        self.rest = &before[whole..];
        if self.has(".") {
            let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
            self.rest = self.rest.get(digits..).filter(|_| digits > 0)?;
        }
        (!is_odd).then(|| &before[..before.len() - self.rest.len()])
    }
}

#[cfg(test)]
mod tests {
    use media::StreamReport;
    use proptest::prelude::*;

    use super::*;
    use crate::record::tests::answered;
    use crate::record::{CallRecord, LegRecord};

    fn stream(from: Option<&str>) -> StreamReport {
        StreamReport {
            from: from.map(str::to_owned),
            verdict: from.is_none().then_some(SoundVerdict::Heard),
            received: 400,
            expected: 401,
            lost: 1,
            reordered: 2,
            sent: 410,
            burst_ratio: 1.25,
            mean_jitter_us: 1_200,
            round_trip_us: from.is_none().then_some(300),
            r: Some(91.2),
            mos: Some(4.37),
            ..StreamReport::default()
        }
    }

    /// What each kind of box writes of a call, with as much as it can say.
    fn records() -> Vec<CallRecord> {
        let name = |name: &str| Some(name.to_owned());
        let leg =
            |end_us, status| LegRecord { call_id: "a@b".to_owned(), start_us: 5, end_us, status };
        let generator = CallRecord {
            trunk_group: name("mobile"),
            intended_us: Some(990_000),
            bye_us: Some(11_900_000),
            media: vec![StreamReport { stopped_us: Some(7_000_000), ..stream(None) }],
            caller: Some(7),
            attempt_of_caller: Some(2),
            class: Some(CallerClass::Ordinary),
            ..answered(BoxKind::Generator, "load-1", 1)
        };
        let trunk_group = CallRecord {
            site: name("alpha"),
            trunk_group: name("mobile"),
            tried: vec!["beta".to_owned(), "alpha".to_owned()],
            outcome: Outcome::Lost,
            reason: name("the site « alpha » fell"),
            ..answered(BoxKind::TrunkGroup, "mobile", 2)
        };
        let call_server = CallRecord {
            site: name("alpha"),
            psap: name("samu-59"),
            legs: vec![leg(None, None), leg(Some(12), Some(487))],
            ack_us: Some(2_000_001),
            media: vec![stream(Some("caller")), stream(Some("psap"))],
            ..answered(BoxKind::CallServer, "alpha", 3)
        };
        let psap = CallRecord {
            media: vec![StreamReport::default()],
            ended_by: None,
            ..answered(BoxKind::Psap, "samu-59", 4)
        };
        vec![generator, trunk_group, call_server, psap]
    }

    /// What the deserializer makes of it.
    fn slowly(line: &str) -> Option<Entry<'_>> {
        serde_json::from_str(line).ok()
    }

    #[test]
    fn what_our_boxes_write_is_read_straight_on_and_means_the_same() {
        for record in records() {
            let line = serde_json::to_string(&record).unwrap();
            let read = read(&line);
            assert!(read.is_some(), "{line}");
            assert_eq!(read, slowly(&line));
        }
    }

    #[test]
    fn what_is_written_otherwise_is_left_to_the_deserializer() {
        let told = records();
        let whole = serde_json::to_string(&told[3]).unwrap();
        for (from, to) in [
            ("\"kind\"", " \"kind\""),
            ("\"number\":\"15\"", "\"number\":\"1\\u0035\""),
            ("\"status\":200", "\"new\":1,\"status\":200"),
            ("\"status\":200", "\"status\":70000"),
            ("\"end_us\":12000000", "\"end_us\":012"),
            ("\"end_us\":12000000", "\"end_us\":18446744073709551616"),
            ("\"received\":0", "\"received\":0,\"received\":0"),
            ("}]}", "},{}]}"),
            ("}]}", "},!]}"),
        ] {
            let line = whole.replacen(from, to, 1);
            assert_ne!(line, whole, "{from}");
            assert_eq!(read(&line), None, "{line}");
        }
        let mut relay = told[2].clone();
        relay.media[0].digits = "],\"caller\":7}".to_owned();
        let line = serde_json::to_string(&relay).unwrap();
        assert_eq!(read(&line), None);
    }

    proptest! {
        /// Nothing that is read straight on means anything else to the deserializer.
        #[test]
        fn a_damaged_line_never_means_something_else(
            which in 0_usize..4,
            at in 0_usize..2_000,
            length in 0_usize..3,
            with in "[ -~]{0,2}",
        ) {
            let mut line = serde_json::to_string(&records()[which]).unwrap();
            let at = at % line.len();
            let end = (at + length).min(line.len());
            if line.is_char_boundary(at) && line.is_char_boundary(end) {
                line.replace_range(at..end, &with);
            }
            if let Some(entry) = read(&line) {
                prop_assert_eq!(Some(entry), slowly(&line));
            }
        }
    }
}
