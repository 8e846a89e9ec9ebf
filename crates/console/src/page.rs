//! The page itself: files that are in the program, and what a browser may do with them.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// The page runs our scripts, has our style, asks us alone, plays what it has fetched, and stands
/// in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      media-src blob:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, type and content of each file.
const FILES: [(&str, &str, &str); 17] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/console.css", "text/css; charset=utf-8", include_str!("page/console.css")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("/token.js", SCRIPT, include_str!("page/token.js")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/api.js", SCRIPT, include_str!("page/api.js")),
    ("/draw.js", SCRIPT, include_str!("page/draw.js")),
    ("/map.js", SCRIPT, include_str!("page/map.js")),
    ("/now.js", SCRIPT, include_str!("page/now.js")),
    ("/desk.js", SCRIPT, include_str!("page/desk.js")),
    ("/defects.js", SCRIPT, include_str!("page/defects.js")),
    ("/ways.js", SCRIPT, include_str!("page/ways.js")),
    ("/standing.js", SCRIPT, include_str!("page/standing.js")),
    ("/calls.js", SCRIPT, include_str!("page/calls.js")),
    ("/story.js", SCRIPT, include_str!("page/story.js")),
    ("/listen.js", SCRIPT, include_str!("page/listen.js")),
    ("/runs.js", SCRIPT, include_str!("page/runs.js")),
];

/// The files, for whoever may ask at all: there is nothing of a network in them.
pub(crate) fn routes() -> Router {
    FILES.into_iter().fold(Router::new(), |router, (path, kind, content)| {
        router.route(path, get(move || async move { ([(CONTENT_TYPE, kind)], content) }))
    })
}

/// Says on every answer what a browser may do with it, unless the answer says so itself.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await.into_response();
    let fields: [(HeaderName, &'static str); 6] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fields {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    // With a policy that forbids them they would not work, and nobody would see why.
    #[test]
    fn no_file_has_style_script_or_an_address_of_its_own() {
        for (path, _, content) in FILES {
            for forbidden in ["style=\"", "onclick=", "<script>", "https://", "eval(", "innerHTML"]
            {
                assert!(!content.contains(forbidden), "{path} has {forbidden}");
            }
            let lines = content.lines().count();
            assert!(lines <= 500, "{path} has {lines} lines");
        }
        let index = FILES[0].2;
        for (path, kind, _) in &FILES[1..] {
            let is_named = index.contains(&format!("\"{}\"", &path[1..]));
            let is_imported = *kind == SCRIPT
                && FILES.iter().any(|(_, _, text)| text.contains(&format!("\".{path}\"")));
            assert!(is_named || is_imported, "nobody asks for {path}");
        }
    }
}
