//! Which number of a snapshot is which metric.

use contract::{DirectoryEntry, Snapshot};

/// A number that boxes show and that becomes a metric of its own, or one of several that a label tells apart.
#[derive(Debug)]
pub(super) struct MetricRow {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: MetricKind,
    /// The label that tells the places apart, if there are several.
    pub(super) label: &'static str,
    pub(super) places: &'static [Place],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetricKind {
    /// Only grows; its name gets `_total`.
    Counter,
    Gauge,
}

/// The number of one box; `None` when boxes of its kind do not have it, or it has not shown itself yet.
pub(super) type Figure = fn(&DirectoryEntry) -> Option<f64>;

/// The value of the label, and where the number is.
pub(super) type Place = (&'static str, Figure);

/// The number of each kind of box that has it, where its snapshot keeps it.
macro_rules! shown {
    ($($kind:ident . $($field:ident).+),+ $(,)?) => {
        |entry| match entry.snapshot.as_ref()? {
            $(Snapshot::$kind(it) => Some(it.$($field).+ as f64),)+
            _ => None,
        }
    };
}

/// A number of the sockets, which every box has.
macro_rules! sockets {
    ($field:ident) => {
        |entry| Some(entry.sockets.$field as f64)
    };
}

/// The one place of a metric without a label.
macro_rules! only {
    ($($path:tt)+) => { &[("", shown!($($path)+))] };
}

const fn counter(name: &'static str, help: &'static str, places: &'static [Place]) -> MetricRow {
    MetricRow { name, help, kind: MetricKind::Counter, label: "", places }
}

const fn gauge(name: &'static str, help: &'static str, places: &'static [Place]) -> MetricRow {
    MetricRow { name, help, kind: MetricKind::Gauge, label: "", places }
}

const fn by(label: &'static str, row: MetricRow) -> MetricRow {
    MetricRow { label, ..row }
}

/// Each name once. `docs/lab.md` lists them.
pub(super) const ROWS: &[MetricRow] = &[
    // Calls
    counter(
        "tocsin_calls_offered",
        "INVITEs, of callers those that they sent",
        only!(
            CallServer.counts.offered,
            TrunkGroup.counts.offered,
            Psap.offered,
            Generator.offered
        ),
    ),
    counter(
        "tocsin_calls_answered",
        "Calls that were answered, of callers those that are over",
        only!(
            CallServer.counts.answered,
            TrunkGroup.counts.answered,
            Psap.service.answered,
            Generator.answered
        ),
    ),
    counter(
        "tocsin_calls_rejected",
        "Calls that ended with a final response of 300 or above",
        only!(
            CallServer.counts.rejected,
            TrunkGroup.counts.rejected,
            Psap.refused,
            Generator.rejected
        ),
    ),
    counter(
        "tocsin_calls_abandoned",
        "Calls that the caller gave up before the answer",
        only!(
            CallServer.counts.abandoned,
            TrunkGroup.counts.abandoned,
            Psap.service.abandoned,
            Generator.abandoned
        ),
    ),
    counter(
        "tocsin_calls_timed_out",
        "Attempts without a final response",
        only!(Generator.timed_out),
    ),
    counter(
        "tocsin_calls_lost",
        "Established calls that died without a BYE",
        only!(CallServer.counts.lost, TrunkGroup.counts.lost, Generator.lost),
    ),
    counter(
        "tocsin_calls_rerouted",
        "Attempts on a further site or PSAP after the first one of a call",
        only!(CallServer.counts.rerouted, TrunkGroup.counts.rerouted),
    ),
    counter(
        "tocsin_calls_shed",
        "Calls that a call server rejected because it was full, draining or overloaded",
        only!(CallServer.counts.shed),
    ),
    counter(
        "tocsin_calls_limited",
        "Calls that were rejected because their source had too many unfinished ones",
        only!(CallServer.counts.limited, TrunkGroup.counts.limited, Psap.limited),
    ),
    counter(
        "tocsin_calls_over_dialogs",
        "Calls that were rejected because the box had its limit of dialogs",
        only!(CallServer.counts.over_dialogs, TrunkGroup.counts.over_dialogs, Psap.over_dialogs),
    ),
    counter(
        "tocsin_calls_taken_over",
        "Calls of other call servers that went on here",
        only!(CallServer.counts.taken_over),
    ),
    gauge(
        "tocsin_calls_in_progress",
        "Calls that have begun and not ended",
        &[("", |entry| Some(entry.snapshot.as_ref()?.calls_in_progress()? as f64))],
    ),
    // SIP
    by(
        "transport",
        counter(
            "tocsin_sip_messages_received",
            "SIP messages that arrived",
            &[("udp", sockets!(udp_received)), ("tcp", sockets!(tcp_received))],
        ),
    ),
    by(
        "transport",
        counter(
            "tocsin_sip_messages_sent",
            "SIP messages that left",
            &[("udp", sockets!(udp_sent)), ("tcp", sockets!(tcp_sent))],
        ),
    ),
    counter(
        "tocsin_sip_retransmissions",
        "Copies of SIP messages that timers sent",
        only!(CallServer.resent, TrunkGroup.resent),
    ),
    gauge(
        "tocsin_sip_transactions",
        "SIP transactions with peers that are alive, those included that only absorb late copies",
        only!(CallServer.transactions, TrunkGroup.transactions, Psap.transactions),
    ),
    gauge(
        "tocsin_sip_dialogs",
        "SIP dialogs that are alive",
        only!(CallServer.dialogs, TrunkGroup.calls, Psap.dialogs),
    ),
    by(
        "reason",
        counter(
            "tocsin_sip_messages_useless",
            "SIP messages that came to nothing",
            &[
                (
                    "malformed",
                    shown!(
                        CallServer.malformed,
                        TrunkGroup.malformed,
                        Psap.malformed,
                        Generator.malformed
                    ),
                ),
                ("stray", shown!(CallServer.stray, TrunkGroup.stray, Psap.stray, Generator.stray)),
                (
                    "overflow",
                    shown!(
                        CallServer.overflow,
                        TrunkGroup.overflow,
                        Psap.overflow,
                        Generator.overflow
                    ),
                ),
            ],
        ),
    ),
    by(
        "reason",
        counter(
            "tocsin_socket_drops",
            "Messages and packets that were lost on the way through a socket",
            &[
                ("kernel", sockets!(udp_kernel_drops)),
                ("media_kernel", sockets!(media_kernel_drops)),
                ("unsent", sockets!(udp_dropped)),
                ("media_unsent", sockets!(media_unsent)),
                ("send_error", sockets!(udp_send_errors)),
                ("oversize", sockets!(udp_oversize)),
                ("tcp_unsent", sockets!(tcp_unsent)),
            ],
        ),
    ),
    by(
        "how",
        counter(
            "tocsin_tcp_connections",
            "TCP connections for SIP, by how they began",
            &[
                ("accepted", sockets!(tcp_accepted)),
                ("opened", sockets!(tcp_opened)),
                ("over_limit", sockets!(tcp_over_limit)),
                ("not_accepted", sockets!(tcp_accept_errors)),
                ("not_opened", sockets!(tcp_connect_errors)),
            ],
        ),
    ),
    by(
        "reason",
        counter(
            "tocsin_tcp_connections_ended",
            "TCP connections for SIP that ended, by why",
            &[
                ("peer", sockets!(tcp_closed)),
                ("broken", sockets!(tcp_broken)),
                ("idle", sockets!(tcp_idle_closed)),
                ("evicted", sockets!(tcp_evicted)),
                ("handshake", sockets!(handshakes_failed)),
                ("no_websocket", sockets!(upgrades_refused)),
                ("unfinished", sockets!(tcp_unfinished)),
                ("not_sip", sockets!(tcp_framing_errors)),
                ("not_read", sockets!(tcp_overflows)),
            ],
        ),
    ),
    // Call servers
    gauge(
        "tocsin_messages_waiting",
        "Messages that wait for the processor of a call server",
        only!(CallServer.waiting),
    ),
    counter("tocsin_restarts", "Restarts of a call server", only!(CallServer.restarts)),
    by(
        "of",
        gauge(
            "tocsin_contexts",
            "Call contexts in the memory of a call server: used, and how many there are",
            &[("used", shown!(CallServer.contexts_used)), ("limit", shown!(CallServer.contexts))],
        ),
    ),
    counter(
        "tocsin_messages_dropped",
        "Messages that found no place to wait at a call server",
        only!(CallServer.dropped),
    ),
    // PSAPs
    gauge("tocsin_queue_length", "Calls in the queue of a PSAP", only!(Psap.waiting)),
    by(
        "state",
        gauge(
            "tocsin_positions",
            "Positions of a PSAP, by what their call takers do",
            &[
                ("idle", shown!(Psap.positions.idle)),
                ("ringing", shown!(Psap.positions.ringing)),
                ("talking", shown!(Psap.positions.talking)),
                ("wrap_up", shown!(Psap.positions.wrap_up)),
            ],
        ),
    ),
    counter(
        "tocsin_calls_answered_in_time",
        "Calls that a PSAP answered within its service level",
        only!(Psap.service.answered_in_time),
    ),
    // Callers
    gauge(
        "tocsin_calls_talking",
        "Calls of callers that are answered and go on",
        only!(Generator.talking),
    ),
    counter(
        "tocsin_generator_late_starts",
        "Calls that began more than 20 ms after their intended start",
        only!(Generator.late_starts),
    ),
    counter(
        "tocsin_generator_not_started",
        "Calls that were due while too many were in progress",
        only!(Generator.not_started),
    ),
    counter(
        "tocsin_generator_redials",
        "Calls of people who had called before",
        only!(Generator.redials),
    ),
    // Media
    gauge(
        "tocsin_media_streams",
        "RTP streams that are open",
        only!(CallServer.media.streams, Psap.media.streams, Generator.media.streams),
    ),
    by(
        "direction",
        counter(
            "tocsin_rtp_packets",
            "RTP packets: taken from a peer, relayed to the other side, sent by an end",
            &[
                (
                    "received",
                    shown!(
                        CallServer.media.received,
                        Psap.media.received,
                        Generator.media.received
                    ),
                ),
                (
                    "relayed",
                    shown!(
                        CallServer.media.forwarded,
                        Psap.media.forwarded,
                        Generator.media.forwarded
                    ),
                ),
                ("sent", shown!(CallServer.media.sent, Psap.media.sent, Generator.media.sent)),
            ],
        ),
    ),
    counter(
        "tocsin_rtp_packets_late",
        "RTP packets of an end that went out more than 20 ms late, or not at all",
        only!(CallServer.media.late, Psap.media.late, Generator.media.late),
    ),
];
