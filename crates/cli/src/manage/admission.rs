//! Who is answered: nothing is read from whoever has not shown the token.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::guard::{Audience, Door};
use super::trouble::trouble;
use super::{Token, guard};

/// Who is answered at a socket.
#[derive(Debug, Clone)]
pub struct Admission {
    pub(super) token: Token,
    pub(super) door: Door,
    pub(super) audience: Audience,
}

impl Admission {
    /// The same routes, for whoever shows the token.
    pub fn guard(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.clone(), admit))
    }

    /// The same routes, for whoever may ask at all: what a browser gets before it can show a token.
    pub fn guard_page(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.clone(), admit_page))
    }
}

async fn admit(State(admission): State<Admission>, request: Request, next: Next) -> Response {
    let Admission { token, door, audience } = admission;
    if let Some(sentence) = guard::refusal(request.headers(), &door, audience) {
        return trouble(StatusCode::MISDIRECTED_REQUEST, sentence);
    }
    let shown = request.headers().get(AUTHORIZATION);
    if shown.is_some_and(|shown| token.admits(shown.as_bytes())) {
        return next.run(request).await;
    }
    let what = match audience {
        Audience::Programs => "show the token of manage.json: \"Authorization: Bearer TOKEN\"",
        Audience::OwnPage => "show the token of the link: \"Authorization: Bearer TOKEN\"",
    };
    let challenge = [(WWW_AUTHENTICATE, "Bearer")];
    (challenge, trouble(StatusCode::UNAUTHORIZED, what)).into_response()
}

async fn admit_page(State(admission): State<Admission>, request: Request, next: Next) -> Response {
    // A link from elsewhere may lead to the page, which knows nothing by itself; nobody may read or frame it.
    let mut headers = request.headers().clone();
    if headers.get("sec-fetch-mode").is_some_and(|mode| mode.as_bytes() == b"navigate") {
        headers.remove("sec-fetch-site");
    }
    match guard::refusal(&headers, &admission.door, admission.audience) {
        Some(sentence) => trouble(StatusCode::MISDIRECTED_REQUEST, sentence),
        None => next.run(request).await,
    }
}
