//! Header names: RFC 3261 §20 and the registry, with their compact forms (§7.3.3).

use wide::u8x16;

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal $(, $compact:literal)?;)*) => {
        /// A header name that some part of the stack looks for. All others are [`Name::Other`] and
        /// cross untouched.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Name {
            $($(#[$doc])* $variant,)*
            /// Any other name; [`Message::header_named`](super::Message::header_named) finds it by
            /// its text.
            Other,
        }

        impl Name {
            /// The long form, spelled as in its RFC.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other => "",
                }
            }

            const LONG: &'static [(Self, &'static str)] = &[$((Self::$variant, $text),)*];
            const COMPACT: &'static [(Self, &'static [u8])] = &[$($((Self::$variant, $compact),)?)*];
        }
    };
}

names! {
    Accept = "Accept";
    AcceptEncoding = "Accept-Encoding";
    Allow = "Allow";
    AllowEvents = "Allow-Events", b"u";
    Authorization = "Authorization";
    CallId = "Call-ID", b"i";
    Contact = "Contact", b"m";
    ContentEncoding = "Content-Encoding", b"e";
    ContentLength = "Content-Length", b"l";
    ContentType = "Content-Type", b"c";
    CSeq = "CSeq";
    Event = "Event", b"o";
    Expires = "Expires";
    From = "From", b"f";
    Geolocation = "Geolocation";
    MaxForwards = "Max-Forwards";
    MinSe = "Min-SE";
    /// As in Diameter (RFC 6733 §8.16): another value says that the sender has started again and lost its calls.
    OriginStateId = "Origin-State-Id";
    /// RFC 7315 §4.4: where the caller is, as the access network knows it.
    PAccessNetworkInfo = "P-Access-Network-Info";
    PAssertedIdentity = "P-Asserted-Identity";
    Path = "Path";
    ProxyAuthenticate = "Proxy-Authenticate";
    ProxyAuthorization = "Proxy-Authorization";
    ProxyRequire = "Proxy-Require";
    RAck = "RAck";
    RSeq = "RSeq";
    Reason = "Reason";
    RecordRoute = "Record-Route";
    Require = "Require";
    ResourcePriority = "Resource-Priority";
    RetryAfter = "Retry-After";
    Route = "Route";
    Server = "Server";
    SessionExpires = "Session-Expires", b"x";
    /// RFC 7989: one identifier for a call through all its boxes.
    SessionId = "Session-ID";
    Subject = "Subject", b"s";
    Supported = "Supported", b"k";
    Timestamp = "Timestamp";
    To = "To", b"t";
    Unsupported = "Unsupported";
    UserAgent = "User-Agent";
    Via = "Via", b"v";
    Warning = "Warning";
    WwwAuthenticate = "WWW-Authenticate";
}

impl Name {
    /// How many there are, `Other` too.
    pub(super) const COUNT: usize = Self::Other as usize + 1;

    /// The name with which a line begins, and its length, if a colon follows and it is spelled as in its RFC.
    #[inline]
    pub(super) fn spelled(line: &[u8; WINDOW]) -> Option<(Self, usize)> {
        let ([low, high], _) = line.as_chunks::<16>() else { return None };
        let colons = |half: &[u8; 16]| u8x16::new(*half).simd_eq(u8x16::splat(b':')).to_bitmask();
        let length = (colons(low) | colons(high) << 16).trailing_zeros() as usize;
        let [first, second, third, _] = line.as_chunks::<8>().0 else { return None };
        let [a, b, c] = KEPT.get(length)?;
        let words = [
            u64::from_le_bytes(*first) & a,
            u64::from_le_bytes(*second) & b,
            u64::from_le_bytes(*third) & c,
        ];
        let row = BY_SHAPE.get(shape(length, line[0]))?;
        row.iter().find_map(|at| {
            let spelled = SPELLED.get(usize::from(*at)).filter(|spelled| **spelled == words);
            spelled.map(|_| (Self::LONG[usize::from(*at)].0, length))
        })
    }

    /// Recognises a name as it stands on the wire; case does not matter (RFC 3261 §7.3.1).
    pub(crate) fn recognise(text: &[u8]) -> Self {
        if let [letter] = text {
            let letter = letter.to_ascii_lowercase();
            return Self::COMPACT
                .iter()
                .find(|(_, compact)| compact.first() == Some(&letter))
                .map_or(Self::Other, |(name, _)| *name);
        }
        let Some(row) = text.first().and_then(|first| BY_SHAPE.get(shape(text.len(), *first)))
        else {
            return Self::Other;
        };
        // Most are spelled as in their RFC.
        let is_it =
            |long: &str| long.as_bytes() == text || long.as_bytes().eq_ignore_ascii_case(text);
        let mut candidates = row.iter().map_while(|at| Self::LONG.get(usize::from(*at)));
        candidates.find(|(_, long)| is_it(long)).map_or(Self::Other, |(name, _)| *name)
    }
}

/// The row of names of this length that begin with this letter, in either case.
const fn shape(length: usize, first: u8) -> usize {
    length * LETTERS + (first & 0x1f) as usize
}

/// All names are shorter.
const LONGEST: usize = 24;

/// The bytes of a line in which a name is looked for.
pub(super) const WINDOW: usize = 32;

/// Names as they are spelled in their RFCs, so that three comparisons tell one.
type Words = [u64; LONGEST / 8];

/// The bits of the first so many bytes.
static KEPT: [Words; LONGEST] = {
    let mut kept = [[0; LONGEST / 8]; LONGEST];
    let mut length = 0;
    while length < LONGEST {
        let mut at = 0;
        while at < length {
            kept[length][at / 8] |= 0xff << (at % 8 * 8);
            at += 1;
        }
        length += 1;
    }
    kept
};

/// Each of [`Name::LONG`].
static SPELLED: [Words; Name::LONG.len()] = {
    let mut spelled = [[0; LONGEST / 8]; Name::LONG.len()];
    let mut name = 0;
    while name < spelled.len() {
        let text = Name::LONG[name].1.as_bytes();
        let mut at = 0;
        while at < text.len() {
            spelled[name][at / 8] |= (text[at] as u64) << (at % 8 * 8);
            at += 1;
        }
        name += 1;
    }
    spelled
};

/// Letters have these many values but for their case.
const LETTERS: usize = 32;

/// Places in [`Name::LONG`] by the shape of the name, `u8::MAX` where there are no more: every line of every message is
/// looked up here.
static BY_SHAPE: [[u8; 2]; LONGEST * LETTERS] = {
    let mut rows = [[u8::MAX; 2]; LONGEST * LETTERS];
    let mut at = 0;
    while at < Name::LONG.len() {
        let name = Name::LONG[at].1.as_bytes();
        let row = &mut rows[shape(name.len(), name[0])];
        let mut free = 0;
        while row[free] != u8::MAX {
            free += 1;
        }
        row[free] = at as u8;
        at += 1;
    }
    rows
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_long_form_is_recognised() {
        for (name, long) in Name::LONG {
            assert_eq!(Name::recognise(long.as_bytes()), *name, "{long}");
            let line = |text: &str| {
                let mut line = [b' '; WINDOW];
                line[..text.len()].copy_from_slice(text.as_bytes());
                line
            };
            let (spelled, other) = (format!("{long}:"), format!("{}:", long.to_uppercase()));
            assert_eq!(Name::spelled(&line(&spelled)), Some((*name, long.len())));
            assert_eq!(Name::spelled(&line(long)), None);
            assert_eq!(Name::spelled(&line(&other)).is_some(), other == spelled);
        }
    }

    // RFC 3261 §7.3.3 and §20: the compact forms.
    #[test]
    fn compact_and_long_forms_are_the_same_name_in_any_case() {
        for (compact, long) in
            [("v", "vIA"), ("F", "from"), ("t", "To"), ("i", "CALL-ID"), ("m", "contact")]
        {
            let name = Name::recognise(compact.as_bytes());
            assert_ne!(name, Name::Other, "{compact}");
            assert_eq!(name, Name::recognise(long.as_bytes()));
        }
        assert_eq!(Name::recognise(b"C%6Fntact"), Name::Other);
        assert_eq!(Name::recognise(b"z"), Name::Other);
        assert_eq!(Name::recognise(b""), Name::Other);
    }
}
