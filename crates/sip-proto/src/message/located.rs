//! Values that every box asks for, as the places of their parts: read when the message is checked, and not again.

use super::fields::{NameAddr, Via};
use super::grammar::{Noted, Params};
use super::span::Span;
use super::uri::Uri;

/// Where the parts of a URI lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct UriPlace {
    text: Span,
    scheme: Span,
    user: Option<Span>,
    host: Span,
    port: Option<u16>,
    params: Span,
    headers: Option<Span>,
}

impl UriPlace {
    /// Those of `uri`, which was read from `head`.
    pub(super) fn of(uri: &Uri<'_>, head: &str) -> Self {
        Self {
            text: Span::within(head, uri.text),
            scheme: Span::within(head, uri.scheme),
            user: uri.user.map(|user| Span::within(head, user)),
            host: Span::within(head, uri.host),
            port: uri.port,
            params: Span::within(head, uri.params),
            headers: uri.headers.map(|headers| Span::within(head, headers)),
        }
    }

    pub(super) fn read<'a>(&self, head: &'a str) -> Uri<'a> {
        Uri {
            text: self.text.read(head),
            scheme: self.scheme.read(head),
            user: self.user.map(|user| user.read(head)),
            host: self.host.read(head),
            port: self.port,
            params: self.params.read(head),
            headers: self.headers.map(|headers| headers.read(head)),
        }
    }
}

/// Where the parts of an address lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AddressPlace {
    display: Span,
    uri: UriPlace,
    params: Span,
    tag: Option<Span>,
    bracketed: bool,
}

impl AddressPlace {
    /// Those of `address`, which was read from `head` and has one tag at most.
    pub(super) fn of(address: &NameAddr<'_>, head: &str) -> Self {
        Self {
            display: Span::within(head, address.display),
            uri: UriPlace::of(&address.uri, head),
            params: Span::within(head, address.params.text),
            tag: address.tag.value.map(|tag| Span::within(head, tag)),
            bracketed: address.bracketed,
        }
    }

    pub(super) fn read<'a>(&self, head: &'a str) -> NameAddr<'a> {
        NameAddr {
            display: self.display.read(head),
            uri: self.uri.read(head),
            params: Params { text: self.params.read(head) },
            tag: Noted { value: self.tag.map(|tag| tag.read(head)), repeats: false },
            bracketed: self.bracketed,
        }
    }
}

/// Where the parts of a Via lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ViaPlace {
    transport: Span,
    host: Span,
    port: Option<u16>,
    params: Span,
    branch: Option<Span>,
    repeats_branch: bool,
    wants_rport: bool,
}

impl ViaPlace {
    /// Those of `via`, which was read from `head`.
    pub(super) fn of(via: &Via<'_>, head: &str) -> Self {
        Self {
            transport: Span::within(head, via.transport),
            host: Span::within(head, via.host),
            port: via.port,
            params: Span::within(head, via.params.text),
            branch: via.branch.value.map(|branch| Span::within(head, branch)),
            repeats_branch: via.branch.repeats,
            wants_rport: via.wants_rport,
        }
    }

    pub(super) fn read<'a>(&self, head: &'a str) -> Via<'a> {
        Via {
            transport: self.transport.read(head),
            host: self.host.read(head),
            port: self.port,
            params: Params { text: self.params.read(head) },
            branch: Noted {
                value: self.branch.map(|branch| branch.read(head)),
                repeats: self.repeats_branch,
            },
            wants_rport: self.wants_rport,
        }
    }
}
