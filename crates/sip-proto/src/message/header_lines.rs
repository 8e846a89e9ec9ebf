//! The header lines of a message, found by name.

use super::Name;
use super::span::Span;

/// One header line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: Name,
    /// The name as written.
    pub(super) label: Span,
    /// Trimmed.
    pub(super) value: Span,
    /// From the first byte of the name to the end of the line, without the line end.
    pub(super) line: Span,
}

/// All header lines in their order, and where each name stands first.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    lines: Vec<Field>,
    /// The place of the first line of each name in `lines`.
    first: [u16; Name::COUNT],
    /// The names that stand more than once, a bit each.
    repeated: u64,
}

/// There is no such line.
const NOWHERE: u16 = u16::MAX;

/// The most lines that are found by name; those above are looked for line by line.
const MOST_INDEXED: usize = NOWHERE as usize;

const _: () = assert!(Name::COUNT <= u64::BITS as usize);

impl Default for Fields {
    fn default() -> Self {
        Self { lines: Vec::with_capacity(24), first: [NOWHERE; Name::COUNT], repeated: 0 }
    }
}

impl Fields {
    pub(super) fn push(&mut self, field: Field) {
        let first = &mut self.first[field.name as usize];
        match u16::try_from(self.lines.len()) {
            Ok(at) if *first == NOWHERE && at != NOWHERE => *first = at,
            _ => self.repeated |= 1 << field.name as u64,
        }
        self.lines.push(field);
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.lines.iter()
    }

    /// All lines of a name, in order.
    pub(super) fn named(&self, name: Name) -> impl Iterator<Item = &Field> {
        let is_repeated = self.repeated & 1 << name as u64 != 0;
        let lines = match (self.first[name as usize], is_repeated) {
            (NOWHERE, false) => &[],
            (NOWHERE, true) => self.lines.get(MOST_INDEXED..).unwrap_or_default(),
            (first, true) => self.lines.get(first.into()..).unwrap_or_default(),
            (first, false) => self.lines.get(first.into()..=first.into()).unwrap_or_default(),
        };
        lines.iter().filter(move |field| field.name == name)
    }

    /// The only line of a name; `Err` with whether there are several.
    pub(super) fn only(&self, name: Name) -> Result<&Field, bool> {
        let mut lines = self.named(name);
        match (lines.next(), lines.next()) {
            (Some(field), None) => Ok(field),
            (first, _) => Err(first.is_some()),
        }
    }
}
