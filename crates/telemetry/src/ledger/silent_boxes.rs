//! Boxes that cannot testify.

use std::collections::HashMap;

use super::names::{Name, Names};
use super::rules::{LostNode, Rules};
use crate::terms::BoxKind;

/// What the audit knows of boxes that cannot testify.
#[derive(Debug, Default)]
pub(super) struct SilentBoxes {
    /// Lost boxes, and why.
    pub(super) lost: HashMap<Name, Name>,
    /// Boxes that write no records.
    pub(super) unrecorded: Vec<Name>,
    /// The generator that attempts without a caller's record are put down to. Other boxes do not
    /// know which generator called them.
    pub(super) lost_generator: Option<Name>,
}

impl SilentBoxes {
    pub(super) fn new(rules: &Rules, lost: &[LostNode], names: &mut Names) -> Self {
        let mut silent = Self {
            unrecorded: rules.unrecorded.iter().map(|node| names.keep(node)).collect(),
            ..Self::default()
        };
        for LostNode { kind, node, why } in lost {
            let (node, why) = (names.keep(node), names.keep(why));
            silent.lost.entry(node).or_insert(why);
            if *kind == BoxKind::Generator {
                silent.lost_generator.get_or_insert(node);
            }
        }
        silent
    }

    /// Everybody can testify.
    pub(super) fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.unrecorded.is_empty()
    }
}
