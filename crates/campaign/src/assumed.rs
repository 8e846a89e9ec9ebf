//! Keys whose values were assumed: what a sensitivity analysis varies.

use topology::reader::{Raw, Table, kind};

/// A key whose value no public report gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumed {
    /// As `--set` takes it, of campaign or network.
    pub key: String,
    /// The values between which the result was found to hold, as they are written.
    pub range: Option<[String; 2]>,
    /// Why this value, in words.
    pub why: Option<String>,
}

impl Assumed {
    pub(super) fn read(table: &Table<'_>) -> Self {
        Self {
            key: table.required("key", kind::text, String::new()),
            range: table
                .has("range")
                .then(|| table.array("range", value, [String::new(), String::new()])),
            why: table.optional("why", kind::text),
        }
    }
}

/// A value of a key, as `--set` takes it.
fn value(raw: Raw<'_>) -> Result<String, String> {
    kind::text(raw)
        .or_else(|_| kind::number(f64::MIN..=f64::MAX)(raw).map(|number| number.to_string()))
}
