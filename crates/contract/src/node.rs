//! The contract of a box on the network diagram.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::Plane;
use serde::{Deserialize, Serialize};
use sip_proto::{Packet, Transport};
use telemetry::CallRecord;
use trace::Notes;

use crate::effect::Effect;
use crate::open_calls::{CallPicker, OpenCalls};

/// One box on the network, without its sockets and its clock.
///
/// Call one `handle_*`, then drain `poll_transmit` and `poll_event` until `None`, then read
/// [`poll_timeout`](Self::poll_timeout). Only then call the next `handle_*`. Calling `handle_timeout` early is harmless.
pub trait Node {
    /// How late a deadline may be served, so that several are served together: each wake-up costs.
    const SLACK: Duration = Duration::from_millis(1);

    /// What an operator or another box's management plane may ask of this box.
    type Command;
    /// What this box tells the management plane: call records and notices.
    type Event;
    /// What a console shows of this box. Taken about once a second, so it must be cheap.
    type Snapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet);
    fn handle_timeout(&mut self, now: Instant);
    /// The transport could not deliver to `peer` (connection refused or broken).
    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr);
    fn handle_command(&mut self, now: Instant, command: Self::Command) -> Reply;
    /// Refuse what is new and end what is in progress, with BYE or CANCEL.
    fn handle_drain(&mut self, now: Instant);

    fn poll_transmit(&mut self) -> Option<Packet>;
    fn poll_event(&mut self) -> Option<Self::Event>;
    /// The record that an event of this box is, if it is one: a call is over.
    fn record_of(_event: &Self::Event) -> Option<&CallRecord> {
        None
    }
    /// Where this box notes what happens to calls inside; `None` for a box that notes nothing.
    fn notes(&mut self) -> Option<&mut Notes> {
        None
    }
    /// The end of a command that was [accepted](Reply::Accepted).
    fn poll_effect(&mut self) -> Option<Effect> {
        None
    }
    /// When [`handle_timeout`](Self::handle_timeout) must next be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// One of these deadlines that is to be met within a millisecond whatever [`SLACK`](Self::SLACK) says, as its lateness is
    /// measured.
    fn poll_punctual(&self) -> Option<Instant> {
        None
    }

    /// The media of this box, which its driver feeds and drains like the box itself; `None` for a box without.
    fn plane(&mut self) -> Option<&mut Plane> {
        None
    }
    /// The plane has taken datagrams, and may have events.
    fn handle_media(&mut self, _now: Instant) {}

    fn snapshot(&self) -> Self::Snapshot;
    /// Shows each call in progress to the picker, which copies those that somebody wants. Nothing is kept for it between times.
    fn show_calls(&self, _picker: &mut CallPicker) {}
    /// True once nothing is in progress any more after [`handle_drain`](Self::handle_drain).
    fn is_drained(&self) -> bool;
}

/// What a box says to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It was carried out; in words.
    Done(String),
    /// It has begun, in words; its end comes later, as the [`Effect`] with this `ticket`, which this box gives once.
    Accepted { ticket: u64, text: String },
    /// It was not carried out; a sentence says why.
    Refused(String),
    /// The calls in progress that were asked for.
    Calls(Box<OpenCalls>),
    /// Nothing, as from equipment that is starting: whoever asked waits in vain.
    Silent,
}
