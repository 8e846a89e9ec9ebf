//! The way to a management plane that runs: plain on this machine, and by TLS where `manage.json` has a fingerprint.

use std::time::Duration;

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{Method, Request};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Access;
use crate::tls;

/// The longest answer that is read whole: hundreds of boxes are shorter.
const LONGEST_ANSWER: usize = 16 << 20;

/// How long the way may take to open.
const LONGEST: Duration = Duration::from_secs(5);

impl Access {
    /// A request that shows the token.
    ///
    /// # Errors
    /// `path` is none.
    pub fn request(&self, method: Method, path: &str, body: Body) -> anyhow::Result<Request<Body>> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, self.token.credentials())
            .body(body);
        request.context("that cannot be asked")
    }

    /// Asks for what is at `path`, or for what `method` and `body` say to be done; returns the status of the answer, and its content, which may
    /// break off.
    ///
    /// # Errors
    /// Nobody answers there.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> anyhow::Result<(u16, anyhow::Result<Vec<u8>>)> {
        let request = self.request(method, path, Body::from(body.unwrap_or_default()))?;
        let mut way = self.open().await?;
        let answer = way.send_request(request).await?;
        let status = answer.status().as_u16();
        let content = to_bytes(Body::new(answer.into_body()), LONGEST_ANSWER).await;
        Ok((status, content.map(|content| content.to_vec()).map_err(Into::into)))
    }

    /// Opens the way for one request, which lasts as long as what is given back.
    ///
    /// # Errors
    /// Nobody listens there, or somebody else does.
    pub async fn open(&self) -> anyhow::Result<SendRequest<Body>> {
        let address = self.address;
        let opened = timeout(LONGEST, async {
            let stream = TcpStream::connect(address).await?;
            match &self.fingerprint {
                Some(fingerprint) => begin(tls::connect(stream, fingerprint).await?).await,
                None => begin(stream).await,
            }
        });
        opened.await.with_context(|| format!("{address} does not answer"))?
    }
}

async fn begin(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> anyhow::Result<SendRequest<Body>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends when the answer has been read, or nobody reads it any more.
    tokio::spawn(connection);
    Ok(sender)
}
