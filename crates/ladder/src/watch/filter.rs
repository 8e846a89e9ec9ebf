//! Which calls of a list are shown: the language of [`telemetry::call_filter`], asked of what messages tell.

use telemetry::call_filter::{Condition, Field, FilterError, Scope, TextSign};

use crate::watch::call_row::CallRow;

/// A filter of calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Condition);

/// What a word alone is looked for in.
const SEARCHED: [&str; 7] = ["method", "from", "to", "number", "box", "state", "call_id"];

impl Default for Filter {
    fn default() -> Self {
        Self(Condition::Always(true))
    }
}

impl Filter {
    /// Reads a filter; an empty text shows all.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Condition::parse(text, Scope::Messages).map(Self)
    }

    /// Whether the call is shown.
    #[must_use]
    pub fn shows(&self, row: &CallRow) -> bool {
        holds(&self.0, row)
    }
}

fn holds(condition: &Condition, row: &CallRow) -> bool {
    match condition {
        Condition::Or(parts) => parts.iter().any(|part| holds(part, row)),
        Condition::And(parts) => parts.iter().all(|part| holds(part, row)),
        Condition::Not(inside) => !holds(inside, row),
        Condition::Text { field, sign, value } => {
            let texts = texts_of(field, row);
            let is = |text: &String| {
                let is_blade = || field.names_boxes && text.split('.').next() == Some(&value[..]);
                text == value || is_blade()
            };
            match sign {
                TextSign::Is => texts.iter().any(is),
                TextSign::IsNot => !texts.iter().any(is),
                TextSign::Contains => texts.iter().any(|text| text.contains(&value[..])),
            }
        }
        Condition::Number { field, sign, value } => sign.holds(number_of(field, row), *value),
        Condition::Word(word) => {
            let has = |text: &String| text.contains(&word[..]);
            let is_there = |name: &&str| texts_of_name(name, row).iter().any(has);
            SEARCHED.iter().any(is_there)
                || row.status.is_some_and(|status| status.to_string() == *word)
        }
        Condition::Always(holds) => *holds,
    }
}

fn texts_of(field: &Field, row: &CallRow) -> Vec<String> {
    texts_of_name(if field.names_boxes { "box" } else { field.name }, row)
}

fn texts_of_name(name: &str, row: &CallRow) -> Vec<String> {
    let lower = |texts: &[String]| texts.iter().map(|text| text.to_lowercase()).collect();
    match name {
        "method" => vec![row.method.to_lowercase()],
        "from" => vec![row.from.to_lowercase()],
        "to" => vec![row.to.to_lowercase()],
        "number" => vec![row.number.to_lowercase()],
        "state" => vec![row.state.to_string()],
        "box" => lower(&row.boxes),
        "call_id" => lower(&row.call_ids),
        _ => Vec::new(),
    }
}

fn number_of(field: &Field, row: &CallRow) -> Option<f64> {
    match field.name {
        "status" => row.status.map(f64::from),
        "messages" => Some(row.messages as f64),
        "duration" => Some((row.end_us.saturating_sub(row.start_us) / 1_000_000) as f64),
        _ => None,
    }
}
