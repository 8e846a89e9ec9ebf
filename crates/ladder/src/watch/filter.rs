//! Which calls are shown: `site = gamma and status >= 500`.
//!
//! ```text
//!   filter     = all { "or" all }          all  = one { "and" one }         one = [ "not" ] ( "(" filter ")" | comparison | word )
//!   comparison = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" ) value
//! ```

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::watch::call_row::CallRow;

/// Filters inside each other.
const DEEPEST: usize = 32;
/// A longer text is none that somebody wrote.
const LONGEST: usize = 4_096;
/// What may be compared, for whoever guessed wrong.
const FIELDS: &str = "method, from, to, number, site (or box), state, status, messages, duration (in seconds), call_id";

/// A filter of calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter(Option<Expression>);

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("there is no field {0:?}: there are {FIELDS}")]
    NoField(String),
    #[error("{field} is a number, and {value:?} is none")]
    NoNumber { field: String, value: String },
    #[error("{field} is a text: compare it with =, != or ~ (contains)")]
    NoOrder { field: String },
    #[error("after {0:?} something is missing")]
    Missing(String),
    #[error("{0:?} was not expected there; between two conditions write and, or or")]
    Unexpected(String),
    #[error("a quotation mark is not closed")]
    Open,
    #[error("more than {DEEPEST} filters are inside each other")]
    Deep,
    #[error("it is longer than {LONGEST} characters")]
    Long,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Text {
        field: TextField,
        comparison: TextComparison,
        value: String,
    },
    Number {
        field: NumberField,
        comparison: Comparison,
        value: u64,
    },
    /// Anything of the call has it.
    Word(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextField {
    Method,
    From,
    To,
    Number,
    Box,
    State,
    CallId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextComparison {
    Is,
    IsNot,
    Contains,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberField {
    Status,
    Messages,
    Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Filter {
    /// Reads a filter; an empty text shows all.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > LONGEST {
            return Err(FilterError::Long);
        }
        let mut words = words(text)?.into_iter().peekable();
        if words.peek().is_none() {
            return Ok(Self(None));
        }
        let expression = any(&mut words, 0)?;
        match words.next() {
            None => Ok(Self(Some(expression))),
            Some(word) => Err(FilterError::Unexpected(word.text)),
        }
    }

    /// Whether the call is shown.
    #[must_use]
    pub fn shows(&self, row: &CallRow) -> bool {
        self.0.as_ref().is_none_or(|expression| expression.holds(row))
    }
}

#[derive(Debug)]
struct Word {
    text: String,
    is_quoted: bool,
}

impl Word {
    fn is(&self, wanted: &str) -> bool {
        !self.is_quoted && self.text.eq_ignore_ascii_case(wanted)
    }
}

fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let text = match c {
            ' ' | '\t' | '\n' => continue,
            '(' | ')' | '~' => c.to_string(),
            '=' | '!' | '<' | '>' => match rest.next_if(|next| *next == '=') {
                Some(_) => format!("{c}="),
                None => c.to_string(),
            },
            '"' | '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next() {
                        None => return Err(FilterError::Open),
                        Some(end) if end == c => break,
                        Some(inside) => text.push(inside),
                    }
                }
                words.push(Word { text, is_quoted: true });
                continue;
            }
            _ => {
                let mut text = c.to_string();
                while let Some(more) =
                    rest.next_if(|next| !next.is_whitespace() && !"()=!<>~\"'".contains(*next))
                {
                    text.push(more);
                }
                text
            }
        };
        words.push(Word { text, is_quoted: false });
    }
    Ok(words)
}

type Words = Peekable<IntoIter<Word>>;

fn any(words: &mut Words, depth: usize) -> Result<Expression, FilterError> {
    let mut parts = vec![all(words, depth)?];
    while words.next_if(|word| word.is("or")).is_some() {
        parts.push(all(words, depth)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
}

fn all(words: &mut Words, depth: usize) -> Result<Expression, FilterError> {
    let mut parts = vec![one(words, depth)?];
    while words.next_if(|word| word.is("and")).is_some() {
        parts.push(one(words, depth)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
}

fn one(words: &mut Words, depth: usize) -> Result<Expression, FilterError> {
    if depth > DEEPEST {
        return Err(FilterError::Deep);
    }
    let first = words.next().ok_or_else(|| FilterError::Missing("and, or, not or (".to_owned()))?;
    if first.is("not") {
        return Ok(Expression::Not(Box::new(one(words, depth + 1)?)));
    }
    if first.is("(") {
        let inside = any(words, depth + 1)?;
        return match words.next() {
            Some(word) if word.is(")") => Ok(inside),
            Some(word) => Err(FilterError::Unexpected(word.text)),
            None => Err(FilterError::Missing("(".to_owned())),
        };
    }
    let is_sign = |word: &Word| {
        !word.is_quoted && ["=", "==", "!=", "<", "<=", ">", ">=", "~"].contains(&&word.text[..])
    };
    let Some(sign) = words.next_if(is_sign) else {
        if !first.is_quoted && ["and", "or", ")", "!"].iter().any(|other| first.is(other))
            || is_sign(&first)
        {
            return Err(FilterError::Unexpected(first.text));
        }
        return Ok(Expression::Word(first.text.to_lowercase()));
    };
    let value = words.next().ok_or_else(|| FilterError::Missing(sign.text.clone()))?;
    comparison(&first.text, &sign.text, value.text)
}

fn comparison(name: &str, sign: &str, value: String) -> Result<Expression, FilterError> {
    let number = match &name.to_lowercase()[..] {
        "status" => Some(NumberField::Status),
        "messages" => Some(NumberField::Messages),
        "duration" => Some(NumberField::Duration),
        _ => None,
    };
    let field = name.to_owned();
    if let Some(number) = number {
        let comparison = match sign {
            "=" | "==" => Comparison::Equal,
            "!=" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::More,
            ">=" => Comparison::AtLeast,
            other => return Err(FilterError::Unexpected(other.to_owned())),
        };
        let Ok(value) = value.parse() else { return Err(FilterError::NoNumber { field, value }) };
        return Ok(Expression::Number { field: number, comparison, value });
    }
    let text = match &name.to_lowercase()[..] {
        "method" => TextField::Method,
        "from" => TextField::From,
        "to" => TextField::To,
        "number" => TextField::Number,
        "site" | "box" | "psap" | "trunk_group" => TextField::Box,
        "state" => TextField::State,
        "call_id" | "call-id" => TextField::CallId,
        _ => return Err(FilterError::NoField(field)),
    };
    let comparison = match sign {
        "=" | "==" => TextComparison::Is,
        "!=" => TextComparison::IsNot,
        "~" => TextComparison::Contains,
        _ => return Err(FilterError::NoOrder { field }),
    };
    Ok(Expression::Text { field: text, comparison, value: value.to_lowercase() })
}

impl Expression {
    fn holds(&self, row: &CallRow) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|part| part.holds(row)),
            Self::And(parts) => parts.iter().all(|part| part.holds(row)),
            Self::Not(inside) => !inside.holds(row),
            Self::Text { field, comparison, value } => {
                let texts = field.of(row);
                let is = |text: &String| match field {
                    // A blade belongs to its site.
                    TextField::Box => text == value || text.split('.').next() == Some(&value[..]),
                    _ => text == value,
                };
                match comparison {
                    TextComparison::Is => texts.iter().any(is),
                    TextComparison::IsNot => !texts.iter().any(is),
                    TextComparison::Contains => texts.iter().any(|text| text.contains(&value[..])),
                }
            }
            Self::Number { field, comparison, value } => {
                let Some(number) = field.of(row) else { return *comparison == Comparison::Unequal };
                match comparison {
                    Comparison::Equal => number == *value,
                    Comparison::Unequal => number != *value,
                    Comparison::Less => number < *value,
                    Comparison::AtMost => number <= *value,
                    Comparison::More => number > *value,
                    Comparison::AtLeast => number >= *value,
                }
            }
            Self::Word(word) => {
                let fields = [
                    TextField::Method,
                    TextField::From,
                    TextField::To,
                    TextField::Number,
                    TextField::Box,
                    TextField::State,
                    TextField::CallId,
                ];
                let has = |text: &String| text.contains(&word[..]);
                fields.iter().any(|field| field.of(row).iter().any(has))
                    || row.status.is_some_and(|status| status.to_string() == *word)
            }
        }
    }
}

impl TextField {
    fn of(self, row: &CallRow) -> Vec<String> {
        let lower = |texts: &[String]| texts.iter().map(|text| text.to_lowercase()).collect();
        match self {
            Self::Method => vec![row.method.to_lowercase()],
            Self::From => vec![row.from.to_lowercase()],
            Self::To => vec![row.to.to_lowercase()],
            Self::Number => vec![row.number.to_lowercase()],
            Self::State => vec![row.state.to_string()],
            Self::Box => lower(&row.boxes),
            Self::CallId => lower(&row.call_ids),
        }
    }
}

impl NumberField {
    fn of(self, row: &CallRow) -> Option<u64> {
        match self {
            Self::Status => row.status.map(u64::from),
            Self::Messages => Some(row.messages as u64),
            Self::Duration => Some(row.end_us.saturating_sub(row.start_us) / 1_000_000),
        }
    }
}
