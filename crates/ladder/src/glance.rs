//! A message as it stands on the wire, read without asking that it be sound: a ladder shows broken ones too.

use std::borrow::Cow;

/// What a ladder, a list or a comparison needs of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    pub start: StartLine,
    /// The fields in their order, unfolded, with long names (RFC 3261 §7.3.1, §7.3.3).
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The first line of a message (RFC 3261 §7.1, §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    Request { method: String, uri: String },
    Response { status: u16, reason: String },
}

/// Compact names (RFC 3261 §20, and the registry of header fields that it began).
const COMPACT: [(&str, &str); 20] = [
    ("a", "Accept-Contact"),
    ("b", "Referred-By"),
    ("c", "Content-Type"),
    ("d", "Request-Disposition"),
    ("e", "Content-Encoding"),
    ("f", "From"),
    ("i", "Call-ID"),
    ("j", "Reject-Contact"),
    ("k", "Supported"),
    ("l", "Content-Length"),
    ("m", "Contact"),
    ("n", "Identity-Info"),
    ("o", "Event"),
    ("r", "Refer-To"),
    ("s", "Subject"),
    ("t", "To"),
    ("u", "Allow-Events"),
    ("v", "Via"),
    ("x", "Session-Expires"),
    ("y", "Identity"),
];

/// What stands behind so many fields is not looked at: no message has them.
const MOST_FIELDS: usize = 2_000;

impl Glance {
    /// Reads a message. `None` if its first line is that of no SIP message.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (head, body) = split(bytes);
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let start = StartLine::of(lines.next()?)?;
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let is_full = fields.len() >= MOST_FIELDS;
            match (line.starts_with([' ', '\t']), fields.last_mut()) {
                (false, _) if is_full => break,
                (true, Some((_, value))) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                _ => {
                    let (name, value) = line.split_once(':').unwrap_or((line, ""));
                    fields.push((long_name(name.trim()).into_owned(), value.trim().to_owned()));
                }
            }
        }
        Some(Self { start, fields, body: body.to_vec() })
    }

    /// The first field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let is_meant = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.fields.iter().find(is_meant).map(|(_, value)| &value[..])
    }

    #[must_use]
    pub fn call_id(&self) -> &str {
        self.field("Call-ID").unwrap_or_default()
    }

    /// Number and method of CSeq.
    #[must_use]
    pub fn cseq(&self) -> (Option<u32>, &str) {
        let value = self.field("CSeq").unwrap_or_default();
        let mut words = value.split_whitespace();
        (words.next().and_then(|number| number.parse().ok()), words.next().unwrap_or_default())
    }

    /// The branch of the topmost Via (RFC 3261 §8.1.1.7).
    #[must_use]
    pub fn branch(&self) -> &str {
        let via = self.field("Via").unwrap_or_default();
        param(via.split(',').next().unwrap_or_default(), "branch").unwrap_or_default()
    }

    /// The tag of To: absent in what begins a dialog.
    #[must_use]
    pub fn to_tag(&self) -> Option<&str> {
        let to = self.field("To")?;
        param(to.rsplit('>').next().unwrap_or(to), "tag")
    }

    /// Both halves of Session-ID (RFC 7989): the caller's may be either.
    #[must_use]
    pub fn session_halves(&self) -> Vec<&str> {
        let Some(value) = self.field("Session-ID") else { return Vec::new() };
        let local = value.split(';').next().map(str::trim);
        local.into_iter().chain(param(value, "remote")).filter(|half| half.len() == 32).collect()
    }

    /// The method of a request; of a response that of what it answers.
    #[must_use]
    pub fn method(&self) -> &str {
        match &self.start {
            StartLine::Request { method, .. } => method,
            StartLine::Response { .. } => self.cseq().1,
        }
    }

    /// The status of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(status),
        }
    }

    /// Whether it is a request of this method.
    #[must_use]
    pub fn is_request(&self, wanted: &str) -> bool {
        matches!(&self.start, StartLine::Request { method, .. } if method == wanted)
    }

    /// Whether it begins a call: an INVITE outside a dialog (RFC 3261 §13.2).
    #[must_use]
    pub fn begins_call(&self) -> bool {
        self.is_request("INVITE") && self.to_tag().is_none()
    }

    /// What an arrow is called: `INVITE`, `re-INVITE`, `180 Ringing`, `200 OK (BYE)`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.start {
            StartLine::Request { method, .. } if method == "INVITE" && self.to_tag().is_some() => {
                "re-INVITE".to_owned()
            }
            StartLine::Request { method, .. } => method.clone(),
            StartLine::Response { status, reason } => {
                let of = match self.cseq().1 {
                    "INVITE" | "" => String::new(),
                    method => format!(" ({method})"),
                };
                format!("{status} {reason}").trim_end().to_owned() + &of
            }
        }
    }

    /// Whether it carries a session description.
    #[must_use]
    pub fn has_sdp(&self) -> bool {
        let kind = self.field("Content-Type").unwrap_or_default();
        let is_sdp = kind.len() >= 15 && kind.is_char_boundary(15);
        !self.body.is_empty()
            && (is_sdp && kind[..15].eq_ignore_ascii_case("application/sdp")
                || kind.starts_with("multipart/")
                    && memchr::memmem::find(&self.body, b"\nv=0").is_some())
    }
}

impl StartLine {
    fn of(line: &str) -> Option<Self> {
        if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
            let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let status = status.parse().ok().filter(|status| (100..1000).contains(status))?;
            return Some(Self::Response { status, reason: reason.trim().to_owned() });
        }
        let rest = line.trim_end().strip_suffix("SIP/2.0")?;
        let (method, uri) = rest.trim_end().split_once(' ')?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte);
        let is_method = !method.is_empty() && method.bytes().all(is_token);
        is_method.then(|| Self::Request { method: method.to_owned(), uri: uri.trim().to_owned() })
    }
}

/// Head and body; without an empty line all is head.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    if let Some(at) = memchr::memmem::find(bytes, b"\r\n\r\n") {
        return (&bytes[..at], &bytes[at + 4..]);
    }
    match memchr::memmem::find(bytes, b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[]),
    }
}

fn long_name(name: &str) -> Cow<'_, str> {
    let found = COMPACT.iter().find(|(compact, _)| compact.eq_ignore_ascii_case(name));
    found.map_or(Cow::Borrowed(name), |(_, long)| Cow::Borrowed(*long))
}

/// The value of a parameter behind a semicolon.
fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(';').skip(1).find_map(|param| {
        let (key, value) = param.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
