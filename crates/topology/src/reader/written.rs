//! A TOML text as its keys and values, before any layer.
//!
//! `config` could read it too, but knows whole numbers only to 2^63-1, and no lines.

use std::collections::HashMap;

use config::{ConfigError, Map, Source, Value, ValueKind};
use toml::de::{DeInteger, DeTable, DeValue};

use super::lines::{Ends, Lines};

/// What a file says.
#[derive(Debug, Clone)]
pub(super) struct Written(HashMap<String, Value>);

/// Why it cannot be read: a line, where there is one, and a sentence.
pub(super) type Unreadable = (Option<usize>, String);

impl Written {
    /// Reads a text, and where its keys stand. The error is the first mistake.
    pub(super) fn parse(text: &str) -> Result<(Self, Lines), Unreadable> {
        let ends = Ends::of(text);
        let table = DeTable::parse(text).map_err(|error| {
            (error.span().map(|span| ends.line_of(span.start)), error.message().to_owned())
        })?;
        let lines = Lines::of(text, table.get_ref());
        Ok((Self(table_of(table.get_ref(), &ends)?), lines))
    }
}

impl Written {
    /// The keys and values, as they are without any layer.
    pub(super) fn into_tree(self) -> HashMap<String, Value> {
        self.0
    }
}

impl Source for Written {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

fn table_of(table: &DeTable<'_>, ends: &Ends) -> Result<HashMap<String, Value>, Unreadable> {
    let mut entries = HashMap::with_capacity(table.len());
    for (key, value) in table.iter() {
        let line = ends.line_of(value.span().start);
        let name: &str = key.get_ref();
        entries.insert(name.to_owned(), value_of(value.get_ref(), line, ends)?);
    }
    Ok(entries)
}

fn value_of(value: &DeValue<'_>, line: usize, ends: &Ends) -> Result<Value, Unreadable> {
    let too_large = |what: &str| (Some(line), format!("{what} is too large a number"));
    let kind = match value {
        DeValue::String(text) => ValueKind::String(text.to_string()),
        DeValue::Integer(number) => whole(number).ok_or_else(|| too_large(&number.to_string()))?,
        DeValue::Float(number) => {
            let text = number.as_str();
            let float: f64 = text.parse().unwrap_or(f64::INFINITY);
            if float.is_infinite() && !text.contains("inf") {
                return Err(too_large(text));
            }
            ValueKind::Float(float)
        }
        DeValue::Boolean(flag) => ValueKind::Boolean(*flag),
        DeValue::Datetime(time) => ValueKind::String(time.to_string()),
        DeValue::Table(table) => ValueKind::Table(table_of(table, ends)?),
        DeValue::Array(elements) => {
            let element = |element: &toml::Spanned<DeValue<'_>>| {
                value_of(element.get_ref(), ends.line_of(element.span().start), ends)
            };
            ValueKind::Array(elements.iter().map(element).collect::<Result<_, _>>()?)
        }
    };
    Ok(Value::new(None, kind))
}

/// Numbers of 64 bits, with a sign or without one.
fn whole(number: &DeInteger<'_>) -> Option<ValueKind> {
    let (digits, radix) = (number.as_str(), number.radix());
    let signed = i64::from_str_radix(digits, radix).map(ValueKind::I64);
    signed.or_else(|_| u64::from_str_radix(digits, radix).map(ValueKind::U64)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    fn read(text: &str) -> Result<ValueKind, Unreadable> {
        Written::parse(text).map(|(Written(mut keys), _)| keys.remove("a").expect("a key").kind)
    }

    #[test]
    fn a_mistake_of_syntax_has_a_line() {
        assert_eq!(read("a = 1\nb = = 2\n").expect_err("two equals signs").0, Some(2));
    }

    #[test]
    fn whole_numbers_have_64_bits() {
        for (text, kind) in [
            ("-9223372036854775808", ValueKind::I64(i64::MIN)),
            ("9223372036854775807", ValueKind::I64(i64::MAX)),
            ("9_223_372_036_854_775_808", ValueKind::U64(1 << 63)),
            ("+18446744073709551615", ValueKind::U64(u64::MAX)),
            ("0xffff_ffff_ffff_ffff", ValueKind::U64(u64::MAX)),
        ] {
            assert_eq!(read(&format!("a = {text}")), Ok(kind), "{text}");
        }
        for text in ["18446744073709551616", "-9223372036854775809", "1e999"] {
            let (line, sentence) = read(&format!("\na = [{text}]")).expect_err("too large");
            assert_eq!((line, sentence), (Some(2), format!("{text} is too large a number")));
        }
    }

    // The parser of `toml` takes what no number has; a terminal must not.
    #[test]
    fn a_control_character_in_a_number_is_written_out() {
        let (line, message) = read("a = 500\u{8}\n").expect_err("no number");
        let problem = Problem::new(String::new(), line, String::new(), message);
        let sentence = problem.to_string();
        assert!(!sentence.contains(char::is_control), "{sentence:?}");
    }
}
