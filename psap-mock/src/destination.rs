//! Which Request-URIs this PSAP serves.

use sip_proto::message::Uri;

/// Whether a call to `uri` is for the PSAP with this ten-digit number.
///
/// It is when the URI names the number, nationally or as E.164, when it names no user at all, or
/// when it is an emergency service (`urn:service:sos…`, RFC 5031 §4.2): then the network has chosen
/// this PSAP.
pub(crate) fn is_served(uri: &Uri<'_>, number: &str) -> bool {
    if let Some(service) = uri.service() {
        return is_emergency(service);
    }
    match uri.dialled() {
        Some(dialled) => dialled == number,
        None => uri.is_sip(),
    }
}

fn is_emergency(service: &str) -> bool {
    let top = service.split('.').next().unwrap_or(service);
    top.eq_ignore_ascii_case("sos")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_number_and_emergency_services_are_served() {
        for (uri, served) in [
            ("sip:0199001234@192.0.2.1", true),
            ("sip:+33199001234;npdi@192.0.2.1;user=phone", true),
            ("tel:+33199001234", true),
            ("sip:192.0.2.1:5070", true),
            ("urn:service:sos", true),
            ("urn:service:SOS.fire", true),
            ("urn:service:sosfire", false),
            ("urn:service:counseling", false),
            ("sip:0199001235@192.0.2.1", false),
            ("sip:112@192.0.2.1", false),
            ("tel:0199001235", false),
            ("urn:isbn:0199001234", false),
        ] {
            assert_eq!(is_served(&Uri::parse(uri).unwrap(), "0199001234"), served, "{uri}");
        }
    }
}
