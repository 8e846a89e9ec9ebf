//! Which calls are meant: `site = gamma and status >= 500`. The one language of `tocsin show --where` and `tocsin watch --filter`.
//!
//! ```text
//!   filter     = all { "or" all }          all  = one { "and" one }         one = [ "not" ] ( "(" filter ")" | comparison | word )
//!   comparison = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" ) value
//! ```
//!
//! Letters are compared whatever their case. What is not known of a call is unequal to everything, and neither more nor less.

mod error;
mod field;
mod words;

use std::iter::Peekable;
use std::vec::IntoIter;

pub use error::FilterError;
use error::{DEEPEST, LONGEST};
pub use field::{FIELDS, Field, Scope};
use words::{Word, words};

/// What is to hold for a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    /// `value` is in small letters.
    Text {
        field: &'static Field,
        sign: TextSign,
        value: String,
    },
    Number {
        field: &'static Field,
        sign: NumberSign,
        value: f64,
    },
    /// Anything of the call has it; in small letters.
    Word(String),
    /// It holds for all, or for none.
    Always(bool),
}

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextSign {
    Is,
    IsNot,
    Contains,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberSign {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl NumberSign {
    /// Whether it holds between a number, if it is known, and another one.
    #[must_use]
    pub fn holds(self, number: Option<f64>, value: f64) -> bool {
        let Some(number) = number else { return self == Self::Unequal };
        match self {
            Self::Equal => number == value,
            Self::Unequal => number != value,
            Self::Less => number < value,
            Self::AtMost => number <= value,
            Self::More => number > value,
            Self::AtLeast => number >= value,
        }
    }
}

impl Condition {
    /// Reads a filter of calls of which this much is known; an empty text means all.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str, scope: Scope) -> Result<Self, FilterError> {
        if text.len() > LONGEST {
            return Err(FilterError::Long);
        }
        let mut reader = Reader { words: words(text)?.into_iter().peekable(), scope };
        if reader.words.peek().is_none() {
            return Ok(Self::Always(true));
        }
        let condition = reader.any(0)?;
        match reader.words.next() {
            None => Ok(condition),
            Some(word) => Err(FilterError::Unexpected(word.text)),
        }
    }
}

struct Reader {
    words: Peekable<IntoIter<Word>>,
    scope: Scope,
}

impl Reader {
    fn any(&mut self, depth: usize) -> Result<Condition, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.words.next_if(|word| word.is("or")).is_some() {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, FilterError> {
        let mut parts = vec![self.one(depth)?];
        while self.words.next_if(|word| word.is("and")).is_some() {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Condition, FilterError> {
        if depth > DEEPEST {
            return Err(FilterError::Deep);
        }
        let missing = || FilterError::Missing("and, or, not or (".to_owned());
        let first = self.words.next().ok_or_else(missing)?;
        if first.is("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if first.is("(") {
            let inside = self.any(depth + 1)?;
            return match self.words.next() {
                Some(word) if word.is(")") => Ok(inside),
                Some(word) => Err(FilterError::Unexpected(word.text)),
                None => Err(FilterError::Missing("(".to_owned())),
            };
        }
        let Some(sign) = self.words.next_if(Word::is_sign) else {
            let is_of_grammar = ["and", "or", ")", "!"].iter().any(|other| first.is(other));
            if is_of_grammar || first.is_sign() {
                return Err(FilterError::Unexpected(first.text));
            }
            return Ok(match &first.text.to_lowercase()[..] {
                "true" if !first.is_quoted => Condition::Always(true),
                "false" if !first.is_quoted => Condition::Always(false),
                word => Condition::Word(word.to_owned()),
            });
        };
        let value = self.words.next().ok_or_else(|| FilterError::Missing(sign.text.clone()))?;
        self.comparison(first.text, &sign.text, value.text)
    }

    fn comparison(
        &self,
        name: String,
        sign: &str,
        value: String,
    ) -> Result<Condition, FilterError> {
        let known = || field::known_names(self.scope);
        let field = match (Field::named(&name), self.scope) {
            (None, _) => return Err(FilterError::NoField { name, known: known() }),
            (Some(field), scope) if field.is_known(scope) => field,
            (Some(_), Scope::Run) => {
                return Err(FilterError::OnlyMessages { name, known: known() });
            }
            (Some(_), Scope::Messages) => {
                return Err(FilterError::OnlyRun { name, known: known() });
            }
        };
        if field.is_number {
            let sign = match sign {
                "=" | "==" => NumberSign::Equal,
                "!=" => NumberSign::Unequal,
                "<" => NumberSign::Less,
                "<=" => NumberSign::AtMost,
                ">" => NumberSign::More,
                ">=" => NumberSign::AtLeast,
                other => return Err(FilterError::Unexpected(other.to_owned())),
            };
            let number = value.parse().ok().filter(|number: &f64| number.is_finite());
            let no_number = || FilterError::NoNumber { field: name, value };
            return Ok(Condition::Number { field, sign, value: number.ok_or_else(no_number)? });
        }
        let sign = match sign {
            "=" | "==" => TextSign::Is,
            "!=" => TextSign::IsNot,
            "~" => TextSign::Contains,
            _ => return Err(FilterError::NoOrder { field: name }),
        };
        Ok(Condition::Text { field, sign, value: value.to_lowercase() })
    }
}

#[cfg(test)]
mod tests;
