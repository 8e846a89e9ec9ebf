//! Why a text is no filter.

/// Conditions inside each other.
pub(super) const DEEPEST: usize = 32;
/// A longer text is none that somebody wrote.
pub(super) const LONGEST: usize = 4_096;

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("there is no field {name:?}: the fields are {known}")]
    NoField { name: String, known: String },
    #[error(
        "{name} is told by messages (tocsin watch), not by the attempts of a run: their fields are {known}"
    )]
    OnlyMessages { name: String, known: String },
    #[error(
        "{name} is told by the attempts of a run (tocsin show --where), not by messages: their fields are {known}"
    )]
    OnlyRun { name: String, known: String },
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
