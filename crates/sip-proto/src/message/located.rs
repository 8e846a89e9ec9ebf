//! Values that every box asks for, as the places of their parts: read when the message is checked, and not again.

use super::span::Span;

/// Where the parts of a URI lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct UriPlace {
    pub(super) text: Span,
    /// The text begins with it.
    pub(super) scheme_len: u32,
    pub(super) user: Option<Span>,
    pub(super) host: Span,
    pub(super) port: Option<u16>,
    pub(super) params: Span,
    pub(super) headers: Option<Span>,
}

/// Where the parts of an address lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AddressPlace {
    pub(super) display: Span,
    pub(super) uri: UriPlace,
    pub(super) params: Span,
    pub(super) tag: Option<Span>,
    pub(super) repeats_tag: bool,
    pub(super) bracketed: bool,
}

/// Where the parts of a Via lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ViaPlace {
    pub(super) transport: Span,
    pub(super) host: Span,
    pub(super) port: Option<u16>,
    pub(super) params: Span,
    pub(super) branch: Option<Span>,
    pub(super) repeats_branch: bool,
    pub(super) wants_rport: bool,
}
