//! The texts that repeat in every record: each is kept once, and has a number.

use hashbrown::HashMap;

/// Index into [`Names`]. Zero is "no name".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(u16);

impl Name {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn number(self) -> u16 {
        self.0
    }

    pub(super) fn known(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// The texts that repeat in every record: names of boxes, and reasons.
#[derive(Debug)]
pub(super) struct Names {
    texts: Vec<String>,
    index: HashMap<String, Name>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { texts: vec![String::new()], index: HashMap::new() }
    }

    /// Remembers a text. After 65,534 different ones, the rest share one entry.
    pub(super) fn keep(&mut self, text: &str) -> Name {
        if text.is_empty() {
            return Name::NONE;
        }
        if let Some(name) = self.index.get(text) {
            return *name;
        }
        let full = usize::from(u16::MAX);
        let Some(free) = u16::try_from(self.texts.len()).ok().filter(|free| *free < u16::MAX)
        else {
            if self.texts.len() == full {
                self.texts.push("(one of too many names)".to_owned());
            }
            return Name(u16::MAX);
        };
        self.texts.push(text.to_owned());
        self.index.insert(text.to_owned(), Name(free));
        Name(free)
    }

    pub(super) fn keep_opt(&mut self, text: Option<&str>) -> Name {
        text.map_or(Name::NONE, |text| self.keep(text))
    }

    pub(super) fn text(&self, name: Name) -> &str {
        &self.texts[usize::from(name.0)]
    }

    pub(super) fn clear(&mut self) {
        self.texts.truncate(1);
        self.index.clear();
    }

    /// Takes all texts of `other`, and gives their places here.
    pub(super) fn take_in(&mut self, other: &Self) -> Renamed {
        Renamed(other.texts.iter().map(|text| self.keep(text)).collect())
    }
}

/// The places of names that were kept elsewhere.
#[derive(Debug)]
pub(super) struct Renamed(Vec<Name>);

impl Renamed {
    /// Where the name is that had this number.
    pub(super) fn place(&self, number: u16) -> Option<Name> {
        self.0.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_too_many_share_one_entry() {
        let mut names = Names::new();
        assert_eq!(names.keep(""), Name::NONE);
        let alpha = names.keep("alpha");
        assert_eq!(names.keep("alpha"), alpha);
        assert_eq!(names.text(alpha), "alpha");
        for i in 0..70_000 {
            names.keep(&i.to_string());
        }
        let shared = names.keep("x");
        assert_eq!(names.keep("y"), shared);
        assert_eq!(names.text(shared), "(one of too many names)");
        assert_eq!(names.text(alpha), "alpha");
    }
}
