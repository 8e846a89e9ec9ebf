//! Digest authentication — RFC 7616 as RFC 8760 brings it into SIP (RFC 3261 §22).
//!
//! A server keeps no password, but what the client hashes first of all: user, realm and password, once for each hash function
//! ([`Secret`]). rsip computes from a password only, prints `SHA256` for `SHA-256`, and takes the nonce count, eight hexadecimal
//! digits, for a decimal number below 256; so it is what the tests compare with.

use std::fmt::Write as _;

use sha2::Digest as _;
use subtle::ConstantTimeEq as _;

use crate::Rejection;
use crate::message::grammar::{is_token, quoted_end, split_list, trim};
use crate::message::{Message, Name};

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

    /// In lower-case hexadecimal digits.
    fn hash(self, text: &str) -> String {
        match self {
            Self::Sha256 => hex(&sha2::Sha256::digest(text)),
            Self::Md5 => hex(&md5::Md5::digest(text)),
        }
    }

    /// RFC 7616 §3.4: without the parameter, MD5 is meant.
    fn of(token: Option<&str>) -> Option<Self> {
        let Some(token) = token else { return Some(Self::Md5) };
        [Self::Sha256, Self::Md5].into_iter().find(|one| one.token().eq_ignore_ascii_case(token))
    }
}

/// Who asks for credentials: it has another status and other headers (RFC 3261 §22.2, §22.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A registrar or user agent: 401, WWW-Authenticate, Authorization.
    Server,
    /// A proxy: 407, Proxy-Authenticate, Proxy-Authorization.
    Proxy,
}

/// What a server keeps instead of a password: H(user ":" realm ":" password), in lower-case hexadecimal digits. Whoever reads it can
/// act as that user in that realm, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// By SHA-256.
    pub sha256: Box<str>,
    /// By MD5, for clients that know nothing else. `None`: they are not let in.
    pub md5: Option<Box<str>>,
}

impl Secret {
    /// Of a password.
    #[must_use]
    pub fn of(username: &str, realm: &str, password: &str) -> Self {
        let text = [username, realm, password].join(":");
        let hash = |algorithm: Algorithm| algorithm.hash(&text).into_boxed_str();
        Self { sha256: hash(Algorithm::Sha256), md5: Some(hash(Algorithm::Md5)) }
    }
}

impl std::fmt::Debug for Secret {
    // It belongs into no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
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

    /// The refusal of a request without good credentials: one line for each algorithm that is offered, "in order of preference"
    /// (RFC 8760 §2.4).
    #[must_use]
    pub fn rejection(&self, asker: Asker, offered: &[Algorithm]) -> Rejection {
        let stale = if self.stale { ", stale=true" } else { "" };
        let (status, header) = match asker {
            Asker::Server => (401, Name::WwwAuthenticate),
            Asker::Proxy => (407, Name::ProxyAuthenticate),
        };
        offered.iter().fold(Rejection::new(status), |it, one| {
            let (realm, nonce, token) = (&self.realm, &self.nonce, one.token());
            let value = format!(
                "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={token}, qop=\"auth\"{stale}"
            );
            it.with_header(header.as_str(), &value)
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
    pub fn of(request: &'a Message, realm: &str, asker: Asker) -> Option<Self> {
        let header = match asker {
            Asker::Server => Name::Authorization,
            Asker::Proxy => Name::ProxyAuthorization,
        };
        let mut all = request.headers(header).filter_map(Self::parse);
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

    /// True if whoever sent this request of `method` knows the password behind `secret`. How long it takes does not tell how much
    /// of the response was right.
    #[must_use]
    pub fn verify(&self, method: &str, secret: &Secret) -> bool {
        let user = match self.algorithm {
            Algorithm::Sha256 => Some(&*secret.sha256),
            Algorithm::Md5 => secret.md5.as_deref(),
        };
        let Some(user) = user else { return false };
        // RFC 7616 §3.4.1 and §3.4.3; without "qop", as RFC 2617 §3.2.2.1 has it.
        let request = self.algorithm.hash(&[method, self.uri].join(":"));
        let text = match self.counted {
            Some((count, cnonce)) => [user, self.nonce, count, cnonce, "auth", &request].join(":"),
            None => [user, self.nonce, &request].join(":"),
        };
        let response = self.response.to_ascii_lowercase();
        self.algorithm.hash(&text).as_bytes().ct_eq(response.as_bytes()).into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // A string takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
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

    const BOTH: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];
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
        let credentials = Credentials::of(&request, "http-auth@example.org", Asker::Server);
        let secret = Secret::of("Mufasa", "http-auth@example.org", password);
        credentials.expect("credentials").verify(request.method_text(), &secret)
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
        let credentials = Credentials::of(&request, "testrealm@host.com", Asker::Server).unwrap();
        let secret = Secret::of("Mufasa", "testrealm@host.com", "Circle Of Life");
        assert!(credentials.verify("REGISTER", &secret));
        assert_eq!(credentials.nonce_count(), None);
        assert!(!credentials.verify("REGISTER", &Secret { md5: None, ..secret }), "no MD5 here");
    }

    // A program that nobody here wrote computes the same.
    #[test]
    fn rsip_agrees_on_every_response() {
        use rsip::headers::auth;
        use rsip::services::DigestGenerator;
        for (name, algorithm) in
            [("MD5", auth::Algorithm::Md5), ("SHA-256", auth::Algorithm::Sha256)]
        {
            for password in ["secret", "", "ä:\u{1F511}"] {
                // rsip would take the count for a decimal number, so it crosses within the nonce.
                let nonce = format!("{NONCE}:0000000c:{CNONCE}:auth");
                let uri = rsip::Uri {
                    host_with_port: rsip::Domain::from("sip:example.org").into(),
                    ..rsip::Uri::default()
                };
                let generator = DigestGenerator {
                    username: "Mufasa",
                    password,
                    nonce: &nonce,
                    uri: &uri,
                    realm: "http-auth@example.org",
                    method: &rsip::Method::Invite,
                    qop: None,
                    algorithm,
                };
                let sent = counted(name, "sip:example.org", "0000000c", &generator.compute());
                assert!(verify("INVITE", &sent, password), "{sent}");
            }
        }
    }

    // RFC 8760 §2.4: one line for each algorithm, the best one first.
    #[test]
    fn a_challenge_offers_sha_256_before_md5() {
        let rejection = Challenge::new("ex\"ample", "abc").stale().rejection(Asker::Server, &BOTH);
        let lines = rejection.headers.as_deref().unwrap();
        let line = |algorithm| {
            format!(
                "WWW-Authenticate: Digest realm=\"example\", nonce=\"abc\", \
                 algorithm={algorithm}, qop=\"auth\", stale=true\r\n"
            )
        };
        let of_proxy = Challenge::new("example", "abc").rejection(Asker::Proxy, &BOTH[..1]);
        assert_eq!(of_proxy.headers.as_deref().map(|lines| lines.lines().count()), Some(1));
        assert!(of_proxy.headers.unwrap().starts_with("Proxy-Authenticate: Digest "));
        assert_eq!((rejection.status, of_proxy.status), (401, 407));
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
            let none = Credentials::of(&request, "http-auth@example.org", Asker::Server);
            assert_eq!(none, None, "{bad}");
        }
        let request = request("REGISTER", &good);
        let credentials = Credentials::of(&request, "http-auth@example.org", Asker::Server);
        assert_eq!(credentials.expect("credentials").nonce_count(), Some(10));
        let for_proxy = Credentials::of(&request, "http-auth@example.org", Asker::Proxy);
        assert_eq!(for_proxy, None, "another header");
    }
}
