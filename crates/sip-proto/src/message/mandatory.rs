//! Headers without which a refusal says too little: it gets them from what this box can do, or becomes another refusal.
//!
//! This is the one place where they are added, whoever made the refusal: this stack, its TU, or a peer whose refusal is
//! carried across.

use super::payload::lines_of;

/// What a box can do, as its refusals say it: values of Allow and Accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    pub allow: String,
    pub accept: String,
}

impl Default for Abilities {
    /// A box that carries calls through, whose bodies are session descriptions.
    fn default() -> Self {
        Self {
            allow: "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE".to_owned(),
            accept: "application/sdp, multipart/mixed".to_owned(),
        }
    }
}

impl Abilities {
    pub(crate) fn accepting(accept: String) -> Self {
        Self { accept, ..Self::default() }
    }

    /// The status of a final response with these header lines, and the line that it lacks, if it does. `is_inside` a
    /// dialog, no status may come out of it that ends the dialog (RFC 5057 §5.1).
    pub(crate) fn complete(
        &self,
        status: u16,
        is_inside: bool,
        agent: &str,
        lines: [&[u8]; 2],
    ) -> (u16, String) {
        let has = |names: &[&str]| {
            lines.into_iter().flat_map(lines_of).any(|(name, value)| {
                let is_full = !value.is_empty() || name.eq_ignore_ascii_case("Recv-Info");
                is_full && names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
            })
        };
        let allow = || format!("Allow: {}\r\n", self.allow);
        let or = |present: bool, other: u16| (if present { status } else { other }, String::new());
        let or_line = |present: bool, line: String| match present {
            true => (status, String::new()),
            false => (status, line),
        };
        match status {
            // RFC 3261 §21.3. A 380 says in its body what to do.
            300..=379 | 381..=399 => or(has(&["Contact", "m"]), if is_inside { 403 } else { 480 }),
            401 => or(has(&["WWW-Authenticate"]), 403),
            407 => or(has(&["Proxy-Authenticate"]), 403),
            405 => or_line(has(&["Allow"]), allow()),
            415 => or_line(
                has(&["Accept", "Accept-Encoding", "Accept-Language"]),
                format!("Accept: {}\r\n", self.accept),
            ),
            420 => or(has(&["Unsupported"]), 400),
            421 => or(has(&["Require"]), 400),
            // RFC 4028 §6.
            422 => or(has(&["Min-SE"]), 400),
            423 => or(has(&["Min-Expires"]), 400),
            // RFC 6442 §4.3: 100 is "Cannot Process Location".
            424 => or_line(
                has(&["Geolocation-Error"]),
                "Geolocation-Error: 100;code=\"Cannot Process Location\"\r\n".to_owned(),
            ),
            // RFC 6086 §4.2.2: an empty list says that no package is understood.
            469 => or_line(has(&["Recv-Info"]), "Recv-Info: \r\n".to_owned()),
            // RFC 5360 §5.9.2.
            470 => or(has(&["Permission-Missing"]), 403),
            // RFC 6665 §8.3.2: Allow-Events names at least one package.
            489 if !has(&["Allow-Events", "u"]) => {
                (405, if has(&["Allow"]) { String::new() } else { allow() })
            }
            // RFC 3261 §21.4.26, §21.6.4.
            488 | 606 => or_line(
                has(&["Warning"]),
                format!("Warning: 399 {agent} \"the session is not acceptable here\"\r\n"),
            ),
            // RFC 3329 §2.3.1.
            494 => or(has(&["Security-Server"]), 403),
            _ => (status, String::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(status: u16, lines: &str) -> (u16, String) {
        Abilities::default().complete(status, true, "h", [lines.as_bytes(), b""])
    }

    #[test]
    fn each_refusal_has_its_header_or_is_another_one() {
        for (status, lines, other, added) in [
            (302, "", 403, ""),
            (302, "m: <sip:15@h>\r\n", 302, ""),
            (380, "", 380, ""),
            (401, "", 403, ""),
            (401, "WWW-Authenticate: Digest realm=\"x\"\r\n", 401, ""),
            (407, "www-authenticate: Digest\r\n", 403, ""),
            (405, "", 405, "Allow: INVITE"),
            (405, "allow : BYE\r\n", 405, ""),
            (415, "", 415, "Accept: application/sdp"),
            (415, "Accept-Encoding: identity\r\n", 415, ""),
            (420, "", 400, ""),
            (420, "Unsupported: x\r\n", 420, ""),
            (421, "", 400, ""),
            (422, "Min-SE: \r\n", 400, ""),
            (422, "Min-SE: 90\r\n", 422, ""),
            (423, "", 400, ""),
            (424, "", 424, "Geolocation-Error: 100"),
            (469, "", 469, "Recv-Info: "),
            (469, "Recv-Info: \r\n", 469, ""),
            (489, "Allow-Events: \r\n", 405, "Allow: INVITE"),
            (489, "u: presence\r\n", 489, ""),
            (488, "", 488, "Warning: 399 h"),
            (606, "Warning: 305 x \"y\"\r\n", 606, ""),
            (486, "", 486, ""),
            (200, "", 200, ""),
        ] {
            let (status, line) = completed(status, lines);
            assert_eq!(status, other, "{lines:?}");
            assert!(line.starts_with(added) && line.is_empty() == added.is_empty(), "{line:?}");
            assert!(line.is_empty() || line.ends_with("\r\n"));
        }
        let outside = Abilities::default().complete(302, false, "h", [b"", b""]);
        assert_eq!(outside.0, 480);
    }
}
