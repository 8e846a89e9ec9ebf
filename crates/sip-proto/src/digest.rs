//! Digest authentication — RFC 7616 as RFC 8760 brings it into SIP (RFC 3261 §22). The only file
//! that knows rsip.
//!
//! No box asks for credentials yet: this waits for a registrar.
//!
//! rsip computes the digest. It does not read or write the headers: it prints `SHA256` for
//! `SHA-256`, and takes the nonce count, eight hexadecimal digits, for a decimal number below 256.

#[cfg(target_family = "wasm")]
use getrandom as _;
use rsip::headers::auth;
use rsip::services::DigestGenerator;

use crate::message::grammar::{is_token, quoted_end, split_list, trim};
use crate::message::{Message, Method, Name, Payload};

/// A hash function that both sides know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Sha256,
    Md5,
}

impl Algorithm {
    const fn token(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// RFC 7616 §3.4: without the parameter, MD5 is meant.
    fn of(token: Option<&str>) -> Option<Self> {
        let Some(token) = token else { return Some(Self::Md5) };
        [Self::Sha256, Self::Md5].into_iter().find(|one| one.token().eq_ignore_ascii_case(token))
    }
}

/// What a server asks of a client (RFC 7616 §3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    stale: bool,
}

impl Challenge {
    /// A challenge for `realm`. The server must be able to tell later that `nonce` is its own.
    ///
    /// A quote, backslash or control character in either would end its quoted string: it is left
    /// out.
    #[must_use]
    pub fn new(realm: &str, nonce: &str) -> Self {
        let quotable = |text: &str| text.replace(crate::reason::ends_quote, "");
        Self { realm: quotable(realm), nonce: quotable(nonce), stale: false }
    }

    /// The same challenge for a client whose credentials were right but for an old nonce.
    #[must_use]
    pub fn stale(self) -> Self {
        Self { stale: true, ..self }
    }

    /// The WWW-Authenticate lines of a 401: one for each algorithm, "in order of preference"
    /// (RFC 8760 §2.4).
    #[must_use]
    pub fn payload(&self) -> Payload {
        let stale = if self.stale { ", stale=true" } else { "" };
        [Algorithm::Sha256, Algorithm::Md5].into_iter().fold(Payload::empty(), |payload, one| {
            let value = format!(
                "Digest realm=\"{}\", nonce=\"{}\", algorithm={}, qop=\"auth\"{stale}",
                self.realm,
                self.nonce,
                one.token()
            );
            payload.with_header(Name::WwwAuthenticate.as_str(), &value)
        })
    }
}

/// What a client sends to prove that it knows a password (RFC 7616 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    username: &'a str,
    realm: &'a str,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    algorithm: Algorithm,
    /// Nonce count and client nonce; absent for a client of RFC 2069.
    counted: Option<(&'a str, &'a str)>,
}

/// The parameters of credentials that are read.
const PARAMS: [&str; 9] =
    ["username", "realm", "nonce", "uri", "response", "algorithm", "qop", "nc", "cnonce"];

/// The first value of each of [`PARAMS`].
fn read(params: &str) -> [Option<&str>; PARAMS.len()] {
    let mut found = [None; PARAMS.len()];
    for (name, value) in split_list(params).filter_map(|one| one.split_once('=')) {
        let name = trim(name);
        let at = PARAMS.iter().position(|known| name.eq_ignore_ascii_case(known));
        if let Some(place) = at.and_then(|at| found.get_mut(at)) {
            place.get_or_insert(value);
        }
    }
    found
}

impl<'a> Credentials<'a> {
    /// The credentials of a request for `realm`. Those of another scheme, realm, algorithm or
    /// quality of protection count as none (RFC 3261 §22.1): the answer is a fresh challenge.
    #[must_use]
    pub fn of(request: &'a Message, realm: &str) -> Option<Self> {
        let mut all = request.headers(Name::Authorization).filter_map(Self::parse);
        all.find(|one| one.realm == realm)
    }

    fn parse(value: &'a str) -> Option<Self> {
        let (scheme, params) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let read = read(params);
        let param = |name: &str| {
            let at = PARAMS.iter().position(|known| *known == name)?;
            read.get(at).copied().flatten()
        };
        let quoted = |name: &str| unquote(trim(param(name)?));
        let counted = match param("qop").map(trim) {
            None => None,
            Some(qop) if unquote(qop).unwrap_or(qop).eq_ignore_ascii_case("auth") => {
                Some((param("nc").map(trim).filter(|nc| is_token(nc))?, quoted("cnonce")?))
            }
            Some(_) => return None,
        };
        Some(Self {
            username: quoted("username")?,
            realm: quoted("realm")?,
            nonce: quoted("nonce")?,
            uri: quoted("uri")?,
            response: quoted("response")?,
            algorithm: Algorithm::of(param("algorithm").map(trim))?,
            counted,
        })
    }

    #[must_use]
    pub const fn username(&self) -> &'a str {
        self.username
    }

    /// The nonce of the challenge that this answers. The server checks that it is one of its own.
    #[must_use]
    pub const fn nonce(&self) -> &'a str {
        self.nonce
    }

    /// How often the client has used the nonce, this time included. A server that has seen the
    /// number before sees a replay (RFC 7616 §3.4).
    #[must_use]
    pub fn nonce_count(&self) -> Option<u32> {
        u32::from_str_radix(self.counted?.0, 16).ok()
    }

    /// True if whoever sent this request of `method` knows `password`.
    #[must_use]
    pub fn verify(&self, method: Method, password: &str) -> bool {
        self.digest(method, password)
            .is_some_and(|digest| digest.eq_ignore_ascii_case(self.response))
    }

    /// `None` for a method that rsip does not know.
    fn digest(&self, method: Method, password: &str) -> Option<String> {
        // RFC 7616 §3.4.1: H(H(A1) ":" nonce ":" nc ":" cnonce ":" qop ":" H(A2)). Without "qop",
        // rsip puts the nonce between H(A1) and H(A2) as it stands, so the count crosses as text.
        let nonce = match self.counted {
            Some((count, cnonce)) => format!("{}:{count}:{cnonce}:auth", self.nonce),
            None => self.nonce.to_owned(),
        };
        // A URI that is nothing but a domain prints as it stands, whatever scheme it has.
        let uri = rsip::Uri {
            host_with_port: rsip::Domain::from(self.uri).into(),
            ..rsip::Uri::default()
        };
        let generator = DigestGenerator {
            username: self.username,
            password,
            nonce: &nonce,
            uri: &uri,
            realm: self.realm,
            method: &method.as_str().parse().ok()?,
            qop: None,
            algorithm: match self.algorithm {
                Algorithm::Sha256 => auth::Algorithm::Sha256,
                Algorithm::Md5 => auth::Algorithm::Md5,
            },
        };
        Some(generator.compute())
    }
}

/// The inside of a quoted string, its escapes left as they are: both sides hash it so. A control character, which may stand behind a
/// backslash (RFC 3261 §25.1), belongs into no name, nor into a log.
fn unquote(text: &str) -> Option<&str> {
    let is_quoted = text.starts_with('"')
        && quoted_end(text, 0).ok()? == text.len()
        && !text.contains(char::is_control);
    is_quoted.then(|| text.get(1..text.len() - 1)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Request;

    const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    fn request(method: &str, authorization: &str) -> Request {
        let text = format!(
            "{method} sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n\
             From: <sip:a@example.org>;tag=a\r\nTo: <sip:a@example.org>\r\nCall-ID: a\r\n\
             CSeq: 1 {method}\r\nAuthorization: {authorization}\r\n\r\n"
        );
        Request::parse(text.into()).expect("a sound request")
    }

    fn counted(algorithm: &str, uri: &str, count: &str, response: &str) -> String {
        format!(
            "Digest username=\"Mufasa\",realm=\"http-auth@example.org\" , uri=\"{uri}\", \
             algorithm={algorithm}, nonce=\"{NONCE}\", nc={count}, cnonce=\"{CNONCE}\", qop=auth, \
             response=\"{response}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    }

    fn verify(method: &str, authorization: &str, password: &str) -> bool {
        let request = request(method, authorization);
        let credentials = Credentials::of(&request, "http-auth@example.org").expect("credentials");
        credentials.verify(request.method(), password)
    }

    // The values of RFC 7616 §3.9.1 with SIP methods and URIs; rsip cannot hash the method GET of
    // the RFC. The responses come from another implementation (Python's hashlib), which reproduces
    // the RFC's own.
    #[test]
    fn a_right_response_is_verified_and_any_other_is_not() {
        for (method, algorithm, uri, count, response) in VECTORS {
            let authorization = counted(algorithm, uri, count, response);
            assert!(verify(method, &authorization, "Circle of Life"), "{authorization}");
            assert!(!verify(method, &authorization, "Circle Of Life"));
            assert!(!verify("OPTIONS", &authorization, "Circle of Life"));
            let replayed = counted(algorithm, uri, "0000000b", response);
            assert!(!verify(method, &replayed, "Circle of Life"));
        }
    }

    #[rustfmt::skip]
    const VECTORS: [(&str, &str, &str, &str, &str); 4] = [
        ("REGISTER", "MD5", "sip:example.org", "0000000a", "933fda36bb8624a727394fafd861dff6"),
        ("INVITE", "MD5", "urn:service:sos.fire", "00000001", "b6d830b8b0d70acf2e61053f6d68ef59"),
        ("REGISTER", "SHA-256", "sip:example.org", "0000000a", "d1556a2a9d7aad62c1dc3f06c6e9dfcf479265e8f2d2a51b69497ef002d8d157"),
        ("INVITE", "SHA-256", "urn:service:sos.fire", "00000001", "1d8ea86744296f43cc1da2165eb41e44c26f437bbb7403aa08f64ef828ec1b9c"),
    ];

    // RFC 2617 §3.2.2.1: a client of RFC 2069 sends no qop, no count and no algorithm.
    #[test]
    fn credentials_without_qop_are_md5_over_the_bare_nonce() {
        let authorization = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
             nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"sip:example.org;transport=udp\", \
             response=\"c43f23c4ce9cdd59f247109ac1970cfc\"";
        let request = request("REGISTER", authorization);
        let credentials = Credentials::of(&request, "testrealm@host.com").expect("credentials");
        assert!(credentials.verify(Method::Register, "Circle Of Life"));
        assert_eq!(credentials.nonce_count(), None);
    }

    // RFC 8760 §2.4: one line for each algorithm, the best one first.
    #[test]
    fn a_challenge_offers_sha_256_before_md5() {
        let payload = Challenge::new("ex\"ample", "abc").stale().payload();
        let lines = String::from_utf8(payload.headers().to_vec()).unwrap();
        let line = |algorithm| {
            format!(
                "WWW-Authenticate: Digest realm=\"example\", nonce=\"abc\", \
                 algorithm={algorithm}, qop=\"auth\", stale=true\r\n"
            )
        };
        assert_eq!(lines, [line("SHA-256"), line("MD5")].concat());
    }

    // RFC 4475 §3.3.7: a scheme that nobody knows is no credentials, nor is half of them.
    #[test]
    fn what_cannot_be_verified_is_no_credentials() {
        let good = counted("MD5", "sip:example.org", "0000000a", "00");
        for bad in [
            "NoOneKnowsThisScheme opaque-data=here".to_owned(),
            "Digest".to_owned(),
            good.replace("algorithm=MD5", "algorithm=MD5-sess"),
            good.replace("qop=auth", "qop=auth-int"),
            good.replace("nc=0000000a", "count=0000000a"),
            good.replace("username=\"Mufasa\"", "username=Mufasa"),
            good.replace("http-auth@", "other@"),
        ] {
            let request = request("REGISTER", &bad);
            assert_eq!(Credentials::of(&request, "http-auth@example.org"), None, "{bad}");
        }
        let request = request("REGISTER", &good);
        let credentials = Credentials::of(&request, "http-auth@example.org").expect("credentials");
        assert_eq!(credentials.nonce_count(), Some(10));
    }
}
