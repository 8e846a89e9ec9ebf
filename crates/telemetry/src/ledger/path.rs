//! The way of an attempt through the network.

use super::compact_record::CompactRecord;

/// The records along the way that the attempt took in the end, as far as they are known.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) trunk_group: Option<&'a CompactRecord>,
    pub(super) server: Option<&'a CompactRecord>,
    pub(super) psap: Option<&'a CompactRecord>,
}
