//! The mix: who calls what from where.

use topology::reader::{Raw, Table, kind};
use topology::{Distribution, is_commune, is_dialled_number};

/// One kind of attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct MixEntry {
    /// What is dialled: `15`, `urn:service:sos.fire`.
    pub number: String,
    /// INSEE codes, each as likely as the others. Empty: the call carries no location.
    pub communes: Vec<String>,
    /// How often this kind occurs, relative to the other entries. Above 0.
    pub weight: f64,
    /// `None`: any trunk group of the network, each as likely as the others.
    pub trunk_group: Option<String>,
    /// From answer to BYE, in place of that of [`Callers`](super::Callers).
    pub talk: Option<Distribution>,
    /// Whether these people call again when the others do.
    pub redial: bool,
}

impl MixEntry {
    pub(super) fn read(table: &Table<'_>) -> Self {
        Self {
            number: table.required("number", dialled_number, String::new()),
            communes: table.list("communes", commune),
            weight: table.or("weight", kind::number(0.001..=1_000_000.0), 1.0),
            trunk_group: table.optional("trunk_group", kind::name),
            talk: table.optional("talk", kind::distribution),
            redial: table.or("redial", kind::flag, true),
        }
    }
}

fn dialled_number(raw: Raw<'_>) -> Result<String, String> {
    let number = kind::text(raw)?;
    check_dialled(&number).map(|()| number)
}

/// Whether `number` may be dialled. The error is the end of a sentence.
pub(super) fn check_dialled(number: &str) -> Result<(), String> {
    if is_dialled_number(number) {
        return Ok(());
    }
    Err(format!(
        "must be an emergency number (\"15\"), \"urn:service:sos…\" or a fictitious ten-digit \
         number, got {number:?}"
    ))
}

/// A whole INSEE code.
pub(super) fn commune(raw: Raw<'_>) -> Result<String, String> {
    match kind::text(raw) {
        Ok(code) if is_commune(&code) => Ok(code),
        _ => Err(format!("must be a whole INSEE code, such as \"59350\" or \"2A004\", got {raw}")),
    }
}
