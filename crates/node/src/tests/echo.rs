//! A node that sends back what it gets, and the bench that runs one.

use contract::{BoxOrder, CallServerSnapshot, Node, NodeKind, Reply, SocketCounts};
use operations::Action;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc as std_mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip_proto::{Packet, Transport};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::observation::Observation;
use crate::{
    Boxes, Directory, Label, LifecycleNotice, Listener, NodeSpec, OrderError, SocketLimits,
    StartError,
};

/// Longer than any test may take on a loaded machine; only a failing test waits for it.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The answer to OPTIONS, which comes a little later.
pub(super) const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
const LATER: Duration = Duration::from_millis(5);

/// Datagrams that begin so are not sent back.
pub(super) const QUIET: &[u8] = b"quiet";

#[derive(Default)]
pub(super) struct Echo {
    out: VecDeque<Packet>,
    events: VecDeque<Event>,
    alarm: Option<Instant>,
    /// Answers and when they are due.
    answers: VecDeque<(Instant, Packet)>,
    /// Something is in progress, as a call would be.
    holds: bool,
    draining: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    Unreachable(SocketAddr),
    Alarm,
    Told,
}

pub(super) enum Command {
    /// Send so many messages of 60,000 bytes by TCP.
    Send(SocketAddr, usize),
    /// Send one short message.
    Call(Transport, SocketAddr),
    Alarm(Duration),
    Hold,
    Release,
    Tell,
    /// Do nothing more until the other end of the channel is dropped.
    Block(std_mpsc::Receiver<()>),
    Panic,
}

impl Node for Echo {
    type Command = Command;
    type Event = Event;
    /// Locked while something is in progress.
    type Snapshot = CallServerSnapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        if packet.bytes.starts_with(b"OPTIONS ") {
            let answer = Packet { bytes: Bytes::from_static(ANSWER), ..packet };
            self.answers.push_back((now + LATER, answer));
        } else if !packet.bytes.starts_with(QUIET) {
            self.out.push_back(packet);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.alarm.is_some_and(|due| due <= now) {
            self.alarm = None;
            self.events.push_back(Event::Alarm);
        }
        while let Some((_, answer)) = self.answers.pop_front_if(|(due, _)| *due <= now) {
            self.out.push_back(answer);
        }
    }

    fn handle_unreachable(&mut self, _: Instant, transport: Transport, peer: SocketAddr) {
        assert!(transport.is_reliable());
        self.events.push_back(Event::Unreachable(peer));
    }

    fn handle_command(&mut self, now: Instant, command: Command) -> Reply {
        match command {
            Command::Send(peer, times) => {
                let bytes = Bytes::from(message(60_000));
                let packet = Packet { transport: Transport::Tcp, peer, bytes };
                self.out.extend(std::iter::repeat_n(packet, times));
            }
            Command::Call(transport, peer) => {
                self.out.push_back(Packet { transport, peer, bytes: message(3).into() });
            }
            Command::Alarm(after) => self.alarm = Some(now + after),
            Command::Hold => self.holds = true,
            Command::Release => self.holds = false,
            Command::Tell => self.events.push_back(Event::Told),
            Command::Block(until) => drop(until.recv()),
            Command::Panic => panic!("the test asked for it"),
        }
        Reply::Done("held".to_owned())
    }

    fn handle_drain(&mut self, _: Instant) {
        self.draining = true;
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.out.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let answer = self.answers.front().map(|(due, _)| *due);
        self.alarm.into_iter().chain(answer).min()
    }

    fn snapshot(&self) -> CallServerSnapshot {
        CallServerSnapshot { locked: self.holds, ..CallServerSnapshot::default() }
    }

    fn is_drained(&self) -> bool {
        self.draining && !self.holds
    }
}

/// A SIP message with a body of `length` bytes.
pub(super) fn message(length: usize) -> Vec<u8> {
    let head = format!("MESSAGE sip:15@127.0.0.1 SIP/2.0\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), &vec![b'x'; length]].concat()
}

pub(super) fn label(name: &str, address: SocketAddr) -> Label {
    let kind = NodeKind::CallServer;
    Label { name: name.to_owned(), kind, address, setting: format!("boxes.{name}") }
}

pub(super) fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub(super) const HOLD: BoxOrder = BoxOrder::Operate(Action::Lock);
pub(super) const RELEASE: BoxOrder = BoxOrder::Operate(Action::Unlock);
pub(super) const TELL: BoxOrder = BoxOrder::Operate(Action::Show);
pub(super) const PANIC: BoxOrder = BoxOrder::Operate(Action::Drain);
/// No echo box takes this one.
pub(super) const DANCE: BoxOrder = BoxOrder::Advise;

fn accept(order: BoxOrder) -> Result<Command, String> {
    match order {
        HOLD => Ok(Command::Hold),
        RELEASE => Ok(Command::Release),
        TELL => Ok(Command::Tell),
        PANIC => Ok(Command::Panic),
        _ => Err(format!("unknown command {order:?}")),
    }
}

/// A box named `name` that takes orders and forgets its events.
pub(super) fn spec(name: &str) -> NodeSpec {
    NodeSpec::new(label(name, any_port()), |_, _| Echo::default(), accept, drop)
}

/// One echo box and what it tells.
pub(super) struct Bench {
    pub(super) boxes: Boxes,
    pub(super) address: SocketAddr,
    events: mpsc::UnboundedReceiver<Event>,
    commands: std_mpsc::Sender<Command>,
}

impl Bench {
    async fn start(limits: SocketLimits, listeners: Vec<Listener>) -> Result<Self, StartError> {
        let (told, events) = mpsc::unbounded_channel();
        // Commands that no order can carry travel beside it.
        let (commands, pending) = std_mpsc::channel::<Command>();
        let spec = NodeSpec::new(
            label("echo", any_port()),
            |_, _| Echo::default(),
            move |_| pending.try_recv().map_err(|error| error.to_string()),
            move |event| told.send(event).expect("the test listens"),
        )
        .listening(listeners);
        let boxes =
            Boxes::start(vec![spec], limits, Directory::default(), Observation::default()).await?;
        let address = boxes.directory().find("echo").expect("it was started").address;
        Ok(Self { boxes, address, events, commands })
    }

    pub(super) fn command(&self, command: Command) {
        self.try_command(command).expect("the box lives");
    }

    pub(super) fn try_command(&self, command: Command) -> Result<(), OrderError> {
        self.commands.send(command).expect("the decoder lives");
        self.boxes.order("echo", TELL).map(drop)
    }

    pub(super) async fn event(&mut self) -> Event {
        within(self.events.recv()).await.expect("the box lives")
    }

    pub(super) async fn notice(&mut self) -> LifecycleNotice {
        within(self.boxes.next_notice()).await
    }

    pub(super) async fn counts(&self) -> SocketCounts {
        self.boxes.refresh().await;
        self.boxes.directory().find("echo").expect("it was started").sockets
    }

    /// The counters, once they are as `wanted`: what the kernel tells a box takes a moment.
    pub(super) async fn counts_when(&self, wanted: impl Fn(&SocketCounts) -> bool) -> SocketCounts {
        within(async {
            loop {
                let counts = self.counts().await;
                if wanted(&counts) {
                    return counts;
                }
            }
        })
        .await
    }
}

/// Runs `test` with an echo box and closes it afterwards.
pub(super) fn with_echo(limits: SocketLimits, test: impl AsyncFnOnce(&mut Bench)) {
    with_listening_echo(limits, Vec::new(), test);
}

/// The same with a box that takes connections at further places.
pub(super) fn with_listening_echo(
    limits: SocketLimits,
    listeners: Vec<Listener>,
    test: impl AsyncFnOnce(&mut Bench),
) {
    crate::run(async {
        let mut bench = Bench::start(limits, listeners).await.expect("ports are free");
        test(&mut bench).await;
        bench.boxes.close().await;
    });
}

pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it happens in time")
}
