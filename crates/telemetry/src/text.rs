//! Texts of a record, borrowed from the line that it is read from: what is not copied out of a line costs next to nothing.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Boxes tried that are remembered.
const TRIED: usize = 3;

/// Text that is borrowed unless its JSON has escapes in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

/// The boxes that were tried, the latest first; more than three are not remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried<'a>(pub(crate) [Option<Text<'a>>; TRIED]);

impl<'a> Tried<'a> {
    /// The last ones of `names`, which are in the order in which they were tried.
    pub(crate) fn last_of(names: &'a [String]) -> Self {
        let mut tried = Self::default();
        let skipped = names.len().saturating_sub(TRIED);
        names[skipped..].iter().for_each(|name| tried.push(name[..].into()));
        tried
    }

    /// The latest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().flatten().map(|text| &**text)
    }

    /// One more, which was tried later.
    pub(crate) fn push(&mut self, text: Text<'a>) {
        self.0.rotate_right(1);
        self.0[0] = Some(text);
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<Text<'a>> for Cow<'a, str> {
    fn from(text: Text<'a>) -> Self {
        text.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Tried<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Last;
        impl<'de> Visitor<'de> for Last {
            type Value = Tried<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of names")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut tried = Tried::default();
                while let Some(text) = list.next_element::<Text<'de>>()? {
                    tried.push(text);
                }
                Ok(tried)
            }
        }
        deserializer.deserialize_seq(Last)
    }
}
