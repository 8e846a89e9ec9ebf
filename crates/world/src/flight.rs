//! What is on its way, ordered by its arrival.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::Packet;

/// A packet, or the news that it cannot be delivered, on its way to `to`.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) due: Instant,
    pub(crate) sequence: u64,
    pub(crate) to: SocketAddr,
    /// Its place in the trace.
    pub(crate) at: Option<usize>,
    pub(crate) content: FlightContent,
    /// Impairments of the box that it has reached have decided about it.
    pub(crate) is_let_in: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum FlightContent {
    Packet(Packet),
    Unreachable(SocketAddr),
    /// An RTP or RTCP datagram; `to` is the port of a plane then.
    Media {
        from: SocketAddr,
        bytes: Vec<u8>,
    },
}

/// A packet that a test wants to get lost.
#[derive(Debug)]
pub(crate) struct PacketToLose {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) label: String,
    pub(crate) times: u32,
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Flight {}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Flight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.sequence).cmp(&(other.due, other.sequence))
    }
}

/// All that is on its way. Over links of one latency nothing overtakes, so nearly all of it stands in line; only what is due
/// before the last one there needs a heap.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    line: VecDeque<Flight>,
    overtaking: BinaryHeap<Reverse<Flight>>,
}

impl Flights {
    pub(crate) fn push(&mut self, flight: Flight) {
        match self.line.back() {
            Some(last) if flight.due < last.due => self.overtaking.push(Reverse(flight)),
            _ => self.line.push_back(flight),
        }
    }

    /// When the next one arrives.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.next().map(|flight| flight.due)
    }

    /// Takes the one that arrives next; of several at one instant, the one that was sent first.
    pub(crate) fn pop(&mut self) -> Option<Flight> {
        match (self.line.front(), self.overtaking.peek()) {
            (Some(first), Some(Reverse(other))) if other < first => self.pop_overtaking(),
            (None, _) => self.pop_overtaking(),
            _ => self.line.pop_front(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.line.len() + self.overtaking.len()
    }

    fn next(&self) -> Option<&Flight> {
        let overtaking = self.overtaking.peek().map(|Reverse(flight)| flight);
        [self.line.front(), overtaking].into_iter().flatten().min()
    }

    fn pop_overtaking(&mut self) -> Option<Flight> {
        self.overtaking.pop().map(|Reverse(flight)| flight)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_arrive_in_order_of_time_and_then_of_sending(
            steps in prop::collection::vec(prop::option::weighted(0.7, 0_u64..6), 1..100),
        ) {
            let start = Instant::now();
            let to = SocketAddr::from(([127, 0, 0, 1], 5060));
            let (mut flights, mut naive) = (Flights::default(), Vec::new());
            for (sequence, step) in (0..).zip(steps) {
                if let Some(ms) = step {
                    let due = start + Duration::from_millis(ms);
                    let content = FlightContent::Unreachable(to);
                    flights.push(Flight { due, sequence, to, at: None, content, is_let_in: false });
                    naive.push((due, sequence));
                } else {
                    naive.sort_unstable();
                    let wanted = (!naive.is_empty()).then(|| naive.remove(0));
                    let popped = flights.pop().map(|flight| (flight.due, flight.sequence));
                    prop_assert_eq!(popped, wanted);
                }
                prop_assert_eq!(flights.len(), naive.len());
                prop_assert_eq!(flights.next_due(), naive.iter().min().map(|(due, _)| *due));
            }
        }
    }
}
