//! The client's side: whom it means is said by the fingerprint of a certificate, and by nothing else. So it does not matter who
//! signed that, by what name the machine is reached, and how old it is.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
};

use super::text::fingerprint;

/// Takes the one certificate with this fingerprint. Signatures of the handshake are checked as ever: who shows the certificate must
/// have its key.
#[derive(Debug)]
struct Pinned {
    fingerprint: String,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if fingerprint(end_entity).eq_ignore_ascii_case(&self.fingerprint) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Speaks TLS on a connection with whoever has the certificate with this fingerprint.
///
/// # Errors
/// Somebody else has answered, or nobody speaks TLS there.
pub(crate) async fn connect(
    stream: TcpStream,
    fingerprint: &str,
) -> anyhow::Result<TlsStream<TcpStream>> {
    let provider = default_provider();
    let algorithms = provider.signature_verification_algorithms;
    let pinned = Pinned { fingerprint: fingerprint.to_owned(), algorithms };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .context("cannot speak TLS")?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth();
    let peer = stream.peer_addr().context("the connection is gone")?;
    let name = ServerName::IpAddress(peer.ip().into());
    let secured = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    secured.map_err(|error| {
        let source = error.get_ref().and_then(|it| it.downcast_ref::<Error>());
        match source {
            Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
                anyhow::anyhow!(
                    "{peer} shows another certificate than that with SHA-256 {fingerprint}"
                )
            }
            _ => anyhow::anyhow!("{peer}: TLS: {error}"),
        }
    })
}
