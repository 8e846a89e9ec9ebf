//! A box with TLS and WebSockets, and clients of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures_util::{SinkExt, StreamExt};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::echo::{Bench, with_listening_echo, within};
use crate::{Listener, SocketLimits};

/// Where the box listens, and whom its clients trust.
pub(super) struct Lab {
    pub(super) tls: SocketAddr,
    pub(super) ws: SocketAddr,
    pub(super) wss: SocketAddr,
    roots: RootCertStore,
}

/// Runs `test` with an echo box that takes TLS, WebSockets, and both.
pub(super) fn with_secure_echo(limits: SocketLimits, test: impl AsyncFnOnce(&mut Bench, &Lab)) {
    // An address that no other test has, so each port of it is free.
    let [.., high, low] = std::process::id().to_be_bytes();
    static NEXT_HOST: AtomicU8 = AtomicU8::new(1);
    let host = NEXT_HOST.fetch_add(1, Ordering::Relaxed);
    let at = |port| SocketAddr::from(([127, 128 | (high & 63), low, host], port));
    let (tls, ws, wss) = (at(5061), at(5080), at(5443));
    let (acceptor, roots) = certificate(&tls.ip().to_string());
    let listeners = vec![
        Listener::tls(tls, "access.lab.tls".to_owned(), acceptor.clone()),
        Listener::websocket(ws, "access.lab.ws".to_owned(), None),
        Listener::websocket(wss, "access.lab.wss".to_owned(), Some(acceptor)),
    ];
    let lab = Lab { tls, ws, wss, roots };
    with_listening_echo(limits, listeners, async |bench| test(bench, &lab).await);
}

fn certificate(name: &str) -> (TlsAcceptor, RootCertStore) {
    let key = KeyPair::generate().expect("a key");
    let wanted = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let certificate = wanted.self_signed(&key).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a root");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("they fit");
    (TlsAcceptor::from(Arc::new(config)), roots)
}

impl Lab {
    pub(super) async fn tls(&self) -> TlsStream<TcpStream> {
        self.secured(self.tls, &[&TLS13, &TLS12]).await
    }

    /// A connection over TLS of one of these versions.
    pub(super) async fn secured(
        &self,
        to: SocketAddr,
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsStream<TcpStream> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        let stream = TcpStream::connect(to).await.expect("the box listens");
        let name = ServerName::from(to.ip());
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        within(connecting).await.expect("a handshake")
    }

    pub(super) async fn ws(&self) -> WebSocketStream<TcpStream> {
        let stream = TcpStream::connect(self.ws).await.expect("the box listens");
        open(stream).await
    }

    pub(super) async fn wss(&self) -> WebSocketStream<TlsStream<TcpStream>> {
        open(self.secured(self.wss, &[&TLS13]).await).await
    }
}

/// Opens a WebSocket for SIP, as a browser does.
async fn open<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> WebSocketStream<S> {
    let mut request = "ws://lab.example/".into_client_request().expect("a request");
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
    let opened = within(tokio_tungstenite::client_async(request, stream)).await;
    let (socket, response) = opened.expect("a WebSocket");
    let protocol = response.headers().get("Sec-WebSocket-Protocol").expect("a subprotocol");
    assert_eq!(protocol, "sip");
    socket
}

/// Sends a message over a stream, which comes back.
pub(super) async fn is_served<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, message: &[u8]) {
    within(stream.write_all(message)).await.expect("written");
    within(stream.flush()).await.expect("written");
    let mut bytes = vec![0; message.len()];
    within(stream.read_exact(&mut bytes)).await.expect("it comes back");
    assert!(bytes == message, "the bytes differ");
}

/// Sends a frame, and returns the next one that comes.
pub(super) async fn exchange<S>(socket: &mut WebSocketStream<S>, frame: Message) -> Message
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    within(socket.send(frame)).await.expect("written");
    within(socket.next()).await.expect("a frame").expect("a sound frame")
}
