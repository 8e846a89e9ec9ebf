//! Which number of a snapshot is which metric.

/// A number in the JSON of a box that becomes a metric of its own, or one of several that a label tells apart.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    /// The label that tells the places apart, if there are several.
    pub(super) label: &'static str,
    pub(super) places: &'static [Place],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows; its name gets `_total`.
    Counter,
    Gauge,
}

/// The value of the label, and where the number is: JSON pointers, of which the first that leads to a number counts.
pub(super) type Place = (&'static str, &'static [&'static str]);

/// One place without a label.
macro_rules! only {
    ($($pointer:literal),+) => { &[("", &[$($pointer),+])] };
}

const fn counter(name: &'static str, help: &'static str, places: &'static [Place]) -> Row {
    Row { name, help, kind: Kind::Counter, label: "", places }
}

const fn gauge(name: &'static str, help: &'static str, places: &'static [Place]) -> Row {
    Row { name, help, kind: Kind::Gauge, label: "", places }
}

const fn by(label: &'static str, row: Row) -> Row {
    Row { label, ..row }
}

/// Each name once. `docs/lab.md` lists them.
pub(super) const ROWS: &[Row] = &[
    // Calls
    counter(
        "tocsin_calls_offered",
        "INVITEs, of callers those that they sent",
        only!("/snapshot/offered"),
    ),
    counter(
        "tocsin_calls_answered",
        "Calls that were answered, of callers those that are over",
        only!("/snapshot/answered", "/snapshot/service/answered"),
    ),
    counter(
        "tocsin_calls_rejected",
        "Calls that ended with a final response of 300 or above",
        only!("/snapshot/rejected", "/snapshot/refused"),
    ),
    counter(
        "tocsin_calls_abandoned",
        "Calls that the caller gave up before the answer",
        only!("/snapshot/abandoned", "/snapshot/service/abandoned"),
    ),
    counter(
        "tocsin_calls_timed_out",
        "Attempts without a final response",
        only!("/snapshot/timed_out"),
    ),
    counter(
        "tocsin_calls_lost",
        "Established calls that died without a BYE",
        only!("/snapshot/lost"),
    ),
    counter(
        "tocsin_calls_rerouted",
        "Attempts on a further site or PSAP after the first one of a call",
        only!("/snapshot/rerouted"),
    ),
    counter(
        "tocsin_calls_shed",
        "Calls that a call server rejected because it was full, draining or overloaded",
        only!("/snapshot/shed"),
    ),
    counter(
        "tocsin_calls_taken_over",
        "Calls of other call servers that went on here",
        only!("/snapshot/taken_over"),
    ),
    gauge(
        "tocsin_calls_in_progress",
        "Calls that have begun and not ended",
        only!("/snapshot/in_progress", "/snapshot/calls"),
    ),
    // SIP
    by(
        "transport",
        counter(
            "tocsin_sip_messages_received",
            "SIP messages that arrived",
            &[("udp", &["/sockets/udp_received"]), ("tcp", &["/sockets/tcp_received"])],
        ),
    ),
    by(
        "transport",
        counter(
            "tocsin_sip_messages_sent",
            "SIP messages that left",
            &[("udp", &["/sockets/udp_sent"]), ("tcp", &["/sockets/tcp_sent"])],
        ),
    ),
    counter(
        "tocsin_sip_retransmissions",
        "Copies of SIP messages that timers sent",
        only!("/snapshot/resent"),
    ),
    by(
        "reason",
        counter(
            "tocsin_sip_messages_useless",
            "SIP messages that came to nothing",
            &[
                ("malformed", &["/snapshot/malformed"]),
                ("stray", &["/snapshot/stray"]),
                ("overflow", &["/snapshot/overflow"]),
            ],
        ),
    ),
    by(
        "reason",
        counter(
            "tocsin_socket_drops",
            "Messages and packets that were lost on the way through a socket",
            &[
                ("kernel", &["/sockets/udp_kernel_drops"]),
                ("media_kernel", &["/sockets/media_kernel_drops"]),
                ("unsent", &["/sockets/udp_dropped"]),
                ("media_unsent", &["/sockets/media_unsent"]),
                ("send_error", &["/sockets/udp_send_errors"]),
                ("oversize", &["/sockets/udp_oversize"]),
                ("tcp_unsent", &["/sockets/tcp_unsent"]),
            ],
        ),
    ),
    // Call servers
    counter("tocsin_restarts", "Restarts of a call server", only!("/snapshot/restarts")),
    by(
        "of",
        gauge(
            "tocsin_contexts",
            "Call contexts in the memory of a call server: used, and how many there are",
            &[("used", &["/snapshot/contexts_used"]), ("limit", &["/snapshot/contexts"])],
        ),
    ),
    counter(
        "tocsin_messages_dropped",
        "Messages that found no place to wait at a call server",
        only!("/snapshot/dropped"),
    ),
    // PSAPs
    by(
        "state",
        gauge(
            "tocsin_positions",
            "Positions of a PSAP, by what their call takers do",
            &[
                ("idle", &["/snapshot/positions/idle"]),
                ("ringing", &["/snapshot/positions/ringing"]),
                ("talking", &["/snapshot/positions/talking"]),
                ("wrap_up", &["/snapshot/positions/wrap_up"]),
            ],
        ),
    ),
    counter(
        "tocsin_calls_answered_in_time",
        "Calls that a PSAP answered within its service level",
        only!("/snapshot/service/answered_in_time"),
    ),
    // Callers
    gauge(
        "tocsin_calls_talking",
        "Calls of callers that are answered and go on",
        only!("/snapshot/talking"),
    ),
    counter(
        "tocsin_generator_late_starts",
        "Calls that began more than 20 ms after their intended start",
        only!("/snapshot/late_starts"),
    ),
    counter(
        "tocsin_generator_not_started",
        "Calls that were due while too many were in progress",
        only!("/snapshot/not_started"),
    ),
    counter(
        "tocsin_generator_redials",
        "Calls of people who had called before",
        only!("/snapshot/redials"),
    ),
    // Media
    gauge("tocsin_media_streams", "RTP streams that are open", only!("/snapshot/media/streams")),
    by(
        "direction",
        counter(
            "tocsin_rtp_packets",
            "RTP packets: taken from a peer, relayed to the other side, sent by an end",
            &[
                ("received", &["/snapshot/media/received"]),
                ("relayed", &["/snapshot/media/forwarded"]),
                ("sent", &["/snapshot/media/sent"]),
            ],
        ),
    ),
    counter(
        "tocsin_rtp_packets_late",
        "RTP packets of an end that went out more than 20 ms late, or not at all",
        only!("/snapshot/media/late"),
    ),
];
