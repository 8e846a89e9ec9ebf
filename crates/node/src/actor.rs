//! The actor that runs one [`Node`]: the only place where a node meets the clock and the network.
//!
//! ```text
//!   RTP, RTCP   ─┐                             ┌─► RTP, RTCP
//!   UDP batches ─┤                             ├─► datagrams, a batch at a time
//!   TCP inputs  ─┤  handle_*  ┌──────┐  poll_* ├─► TCP connections
//!   messages    ─┼──────────► │ Node │ ───────►┼─► event sink
//!   one deadline ┘            └──────┘         └─► the next deadline
//! ```
//!
//! A panic in a node is a bug and leaves its state half changed. The actor ends then, its
//! [`LifecycleReporter`] tells so, and the process ends with a code of its own: a box that restarts by
//! itself would hide the bug from the run.

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, MessageResult,
    StreamHandler, WrapFuture,
};
use media::Plane;
use operations::ImpairmentOrder;
use sip_proto::{Packet, Transport};
use tokio::sync::mpsc::UnboundedSender;

use crate::alarm::{Alarm, punctual, step_after};
use crate::attached::Attached;
use crate::clock;
use crate::deadline_timer::{DeadlineReached, DeadlineStream};
use crate::impaired::{Admission, Impaired, InTransit};
use crate::lifecycle_notice::LifecycleNotice;
use crate::observer::Observer;
use crate::socket::{
    Flushed, MediaArrived, MediaSockets, MediaWaiting, Sockets, Tally, TcpInput, TcpInputs,
    TcpPort, UdpReceiver, UdpSender, Way,
};
use contract::{Effect, Node, Reply, SocketCounts};

/// Messages of the management plane that may wait for one actor.
const MAILBOX: usize = 64;
/// How late packets of media may leave, so that several leave together. People hear nothing of it.
const MEDIA_SLACK: Duration = Duration::from_millis(1);

/// Runs one node behind one address.
pub(crate) struct NodeActor<N: Node> {
    node: N,
    sink: Box<dyn FnMut(N::Event)>,
    udp: UdpSender,
    tcp: TcpPort,
    /// `None` for a box without media.
    media: Option<MediaSockets>,
    tally: Tally,
    /// Taken when the actor starts.
    streams: Option<(UdpReceiver, TcpInputs, Option<MediaWaiting>, DeadlineStream)>,
    /// Datagrams of the inputs since the last flush.
    datagrams: Vec<Packet>,
    /// A future waits for room in the kernel's send buffer.
    awaiting_room: bool,
    /// `None` as long as no impairment is ordered.
    impaired: Option<Box<Impaired>>,
    /// `None`: nobody wants to see messages.
    observer: Option<Observer>,
    alarm: Alarm,
    draining: bool,
    /// The node is at work. Still true when it is asked again: it panicked.
    inside_node: bool,
    reporter: Rc<LifecycleReporter>,
}

impl<N: Node + Unpin + 'static> NodeActor<N> {
    pub(crate) fn new(
        mut node: N,
        sockets: Sockets,
        sink: Box<dyn FnMut(N::Event)>,
        observer: Option<Observer>,
        reporter: LifecycleReporter,
    ) -> Self {
        let Sockets { udp_receiver, udp_sender, tcp_inputs, tcp, tally } = sockets;
        let media = node.plane().and_then(|plane| {
            let opened = MediaSockets::new(plane.is_dated(), tally.clone());
            opened
                .inspect_err(|error| {
                    tracing::error!(%error, "no media: cannot watch sockets");
                    plane.no_ports(&error.to_string());
                })
                .ok()
        });
        let (media, media_waiting) = media.unzip();
        let (alarm, deadlines) = Alarm::new();
        Self {
            node,
            sink,
            udp: udp_sender,
            tcp,
            media,
            tally,
            streams: Some((udp_receiver, tcp_inputs, media_waiting, deadlines)),
            datagrams: Vec::new(),
            awaiting_room: false,
            impaired: None,
            observer,
            alarm,
            draining: false,
            inside_node: false,
            reporter: Rc::new(reporter),
        }
    }

    /// The node and who looks on, to be looked at. `None` when the node has panicked.
    pub(crate) fn look(&mut self) -> Option<(&N, Option<&mut Observer>)> {
        (!self.inside_node).then_some((&self.node, self.observer.as_mut()))
    }

    /// Gives the node one input and takes its outputs. `None` when the node has panicked.
    fn feed<R>(&mut self, input: impl FnOnce(&mut N) -> R) -> Option<R> {
        // actix polls an actor once more while it drops it after a panic.
        if std::mem::replace(&mut self.inside_node, true) {
            return None;
        }
        let result = input(&mut self.node);
        let observed_at = self.take_notes();
        while let Some(packet) = self.node.poll_transmit() {
            if let (Some(observer), Some(at)) = (&mut self.observer, observed_at) {
                observer.sent(at, &packet);
            }
            if self.impaired.is_some() {
                self.admit(InTransit::ToSend(packet));
            } else {
                self.transmit(packet);
            }
        }
        // What it asks of others in what it sends is known only then.
        self.take_notes();
        while let Some(event) = self.node.poll_event() {
            if let (Some(observer), Some(at)) = (&mut self.observer, observed_at)
                && let Some(record) = N::record_of(&event)
            {
                observer.ended(at, record);
            }
            (self.sink)(event);
        }
        while let Some(effect) = self.node.poll_effect() {
            self.reporter.tell_effect(effect);
        }
        self.inside_node = false;
        Some(result)
    }

    /// What the box has noted comes before what it sends. Returns by which time its outputs are seen, if anybody looks on.
    fn take_notes(&mut self) -> Option<Instant> {
        let observer = self.observer.as_mut()?;
        let now = clock::now();
        if let Some(notes) = self.node.notes() {
            observer.noted(now, notes);
        }
        Some(now)
    }

    /// The node itself receives a packet.
    fn give(&mut self, now: Instant, packet: Packet) {
        if let Some(observer) = &mut self.observer {
            observer.received(now, &packet);
        }
        self.feed(|node| node.handle_packet(now, packet));
    }

    fn transmit(&mut self, packet: Packet) {
        match packet.transport {
            Transport::Udp => self.datagrams.push(packet),
            _ => self.tcp.send(packet),
        }
    }

    /// A packet has arrived.
    fn receive(&mut self, now: Instant, packet: Packet) {
        if self.impaired.is_some() {
            self.admit(InTransit::Received(packet));
        } else {
            self.give(now, packet);
        }
    }

    /// Lets the impairments decide about a packet of SIP.
    fn admit(&mut self, packet: InTransit) {
        let Some(impaired) = &mut self.impaired else { return };
        match impaired.admit(clock::now(), packet) {
            Admission::Passes(packet) => self.go_on(clock::now(), packet),
            Admission::Breaks(transport, peer) => self.tcp.cut(Way { transport, peer }),
            Admission::Held => {}
        }
    }

    /// A packet goes on that impairments have let pass at `at`.
    fn go_on(&mut self, at: Instant, packet: InTransit) {
        match packet {
            InTransit::ToSend(packet) => self.transmit(packet),
            InTransit::Received(packet) => self.give(clock::now(), packet),
            media => self.with_media(|sockets, plane, impaired| {
                sockets.go_on(at, media, plane, impaired);
            }),
        }
    }

    /// What was put off goes on when its time has come.
    fn release(&mut self) {
        let now = clock::now();
        while let Some((at, packet)) = self.impaired.as_mut().and_then(|it| it.take_due(now)) {
            self.go_on(at, packet);
        }
        if self.impaired.as_ref().is_some_and(|impaired| impaired.is_over(now)) {
            self.impaired = None;
        }
    }

    /// Ends a series of inputs: sends what they made and arms the next deadline.
    fn settle(&mut self, ctx: &mut Context<Self>) {
        if self.inside_node {
            return;
        }
        self.drive_media();
        if !self.datagrams.is_empty() && self.udp.send(&mut self.datagrams) == Flushed::Waiting {
            self.await_room(ctx);
        }
        self.arm();
        let waiting = self.impaired.as_ref().and_then(|impaired| impaired.next_due());
        if self.draining && waiting.is_none() && self.node.is_drained() {
            self.draining = false; // told once
            self.reporter.tell_drained();
        }
    }

    /// Opens ports, sends what is due, and closes ports that nobody needs.
    fn drive_media(&mut self) {
        self.with_media(|sockets, plane, impaired| {
            sockets.provide(plane);
            sockets.transmit(clock::now(), plane, impaired);
            sockets.give_back(plane);
        });
        if self.media.is_some() {
            self.feed(|node| node.handle_media(clock::now()));
        }
        if let (Some(observer), Some(plane)) = (&mut self.observer, self.node.plane()) {
            observer.media(&plane.take_sights(observer.keeps_media()));
        }
    }

    fn with_media(
        &mut self,
        act: impl FnOnce(&mut MediaSockets, &mut Plane, Option<&mut Impaired>),
    ) {
        if let (Some(sockets), Some(plane)) = (&mut self.media, self.node.plane()) {
            // A panic in the plane is one in the node.
            self.inside_node = true;
            act(sockets, plane, self.impaired.as_deref_mut());
            self.inside_node = false;
        }
    }

    fn await_room(&mut self, ctx: &mut Context<Self>) {
        if self.awaiting_room {
            return;
        }
        self.awaiting_room = true;
        let flush = self.udp.writable().into_actor(self).map(|(), actor, ctx| {
            actor.awaiting_room = false;
            if actor.udp.flush() == Flushed::Waiting {
                actor.await_room(ctx);
            }
        });
        ctx.spawn(flush);
    }

    /// Makes sure that the box is woken when something is due.
    fn arm(&mut self) {
        let now = clock::now();
        let node = self.node.poll_timeout().map(|due| step_after(due, N::SLACK));
        let punctual = self.node.poll_punctual().map(|due| punctual(now, due));
        let media = self.node.plane().and_then(|plane| plane.poll_timeout());
        let media = media.map(|due| step_after(due, MEDIA_SLACK));
        let waiting = self.impaired.as_ref().and_then(|impaired| impaired.next_due());
        let waiting = waiting.map(|due| step_after(due, MEDIA_SLACK));
        if let Some(due) = [node, punctual, media, waiting].into_iter().flatten().min() {
            self.alarm.set(now, due);
        }
    }
}

impl<N: Node + Unpin + 'static> Actor for NodeActor<N> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        if let Some((datagrams, connections, media, deadlines)) = self.streams.take() {
            ctx.add_stream(Attached::new(datagrams, Rc::clone(&self.reporter)));
            ctx.add_stream(Attached::new(connections, Rc::clone(&self.reporter)));
            ctx.add_stream(Attached::new(deadlines, Rc::clone(&self.reporter)));
            if let Some(media) = media {
                ctx.add_stream(Attached::new(media, Rc::clone(&self.reporter)));
            }
        }
        // Ports first: what a node begins by itself may need one.
        self.drive_media();
        // A node may have something to send or to wait for from its birth.
        self.feed(|node| node.handle_timeout(clock::now()));
        self.settle(ctx);
    }
}

impl<N: Node + Unpin + 'static> StreamHandler<Vec<Packet>> for NodeActor<N> {
    fn handle(&mut self, batch: Vec<Packet>, ctx: &mut Context<Self>) {
        let now = clock::now();
        for packet in batch {
            self.receive(now, packet);
        }
        self.settle(ctx);
    }
}

impl<N: Node + Unpin + 'static> StreamHandler<TcpInput> for NodeActor<N> {
    fn handle(&mut self, input: TcpInput, ctx: &mut Context<Self>) {
        let now = clock::now();
        match input {
            TcpInput::Accepted { peer, .. }
                if self.impaired.as_ref().is_some_and(|impaired| impaired.is_cut(peer)) =>
            {
                self.tally.update(|counts| counts.tcp_cut += 1);
            }
            TcpInput::Accepted { stream, peer, entry } => self.tcp.adopt(stream, peer, entry),
            TcpInput::NotAccepted => self.tcp.make_way(),
            TcpInput::Received(packet) => self.receive(now, packet),
            TcpInput::Ended(ended) => {
                if let Some(Way { transport, peer }) = self.tcp.forget(&ended) {
                    self.feed(|node| node.handle_unreachable(now, transport, peer));
                }
            }
        }
        self.settle(ctx);
    }
}

impl<N: Node + Unpin + 'static> StreamHandler<DeadlineReached> for NodeActor<N> {
    fn handle(&mut self, _: DeadlineReached, ctx: &mut Context<Self>) {
        self.alarm.rang();
        self.release();
        self.feed(|node| node.handle_timeout(clock::now()));
        self.settle(ctx);
    }
}

impl<N: Node + Unpin + 'static> StreamHandler<MediaArrived> for NodeActor<N> {
    fn handle(&mut self, _: MediaArrived, ctx: &mut Context<Self>) {
        if self.inside_node {
            return;
        }
        self.with_media(MediaSockets::receive);
        self.settle(ctx);
    }
}

/// An operator's command.
pub(crate) struct Command<N: Node>(pub(crate) N::Command);

impl<N: Node> Message for Command<N> {
    type Result = Reply;
}

impl<N: Node + Unpin + 'static> Handler<Command<N>> for NodeActor<N> {
    type Result = MessageResult<Command<N>>;

    fn handle(&mut self, Command(command): Command<N>, ctx: &mut Context<Self>) -> Self::Result {
        let reply = self.feed(|node| node.handle_command(clock::now(), command));
        self.settle(ctx);
        MessageResult(reply.unwrap_or(Reply::Silent))
    }
}

/// What the sockets of the box send and receive suffers from now on, or does not any more.
pub(crate) struct Impair(pub(crate) ImpairmentOrder);

impl Message for Impair {
    type Result = Reply;
}

impl<N: Node + Unpin + 'static> Handler<Impair> for NodeActor<N> {
    type Result = MessageResult<Impair>;

    fn handle(&mut self, Impair(order): Impair, ctx: &mut Context<Self>) -> Self::Result {
        let tally = &self.tally;
        let impaired = self.impaired.get_or_insert_with(|| Box::new(Impaired::new(tally.clone())));
        impaired.obey(order);
        self.release();
        self.settle(ctx);
        MessageResult(Reply::Done(String::new()))
    }
}

/// Asks what the box and its sockets look like now.
pub(crate) struct TakeSnapshot<N>(pub(crate) PhantomData<fn() -> N>);

impl<N: Node<Snapshot: 'static>> Message for TakeSnapshot<N> {
    type Result = (N::Snapshot, SocketCounts);
}

impl<N: Node<Snapshot: 'static> + Unpin + 'static> Handler<TakeSnapshot<N>> for NodeActor<N> {
    type Result = MessageResult<TakeSnapshot<N>>;

    fn handle(&mut self, _: TakeSnapshot<N>, _: &mut Context<Self>) -> Self::Result {
        // Taken about once a second, which is as often as an observer wants to look.
        if let Some(observer) = &mut self.observer {
            observer.look(clock::now());
        }
        MessageResult((self.node.snapshot(), self.tally.read()))
    }
}

/// Refuse what is new, end what is in progress, and tell when that is done.
pub(crate) struct Drain;

impl Message for Drain {
    type Result = ();
}

impl<N: Node + Unpin + 'static> Handler<Drain> for NodeActor<N> {
    type Result = ();

    fn handle(&mut self, _: Drain, ctx: &mut Context<Self>) {
        self.draining = true;
        self.feed(|node| node.handle_drain(clock::now()));
        self.settle(ctx);
    }
}

/// End now, as when the plug is pulled: calls in progress get no farewell.
pub(crate) struct Stop;

impl Message for Stop {
    type Result = ();
}

impl<N: Node + Unpin + 'static> Handler<Stop> for NodeActor<N> {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        self.reporter.stop_ordered.set(true);
        ctx.stop();
    }
}

/// Tells the shell how an actor fares: an actor that ends without an order has panicked.
///
/// The actor and its streams share it, so that the end is told when the ports are free again.
pub(crate) struct LifecycleReporter {
    name: String,
    notices: UnboundedSender<LifecycleNotice>,
    stop_ordered: Cell<bool>,
}

impl LifecycleReporter {
    pub(crate) fn new(name: String, notices: UnboundedSender<LifecycleNotice>) -> Self {
        Self { name, notices, stop_ordered: Cell::new(false) }
    }

    fn tell_drained(&self) {
        self.tell(LifecycleNotice::Drained(self.name.clone()));
    }

    fn tell_effect(&self, effect: Effect) {
        self.tell(LifecycleNotice::Effect(self.name.clone(), effect));
    }

    fn tell(&self, notice: LifecycleNotice) {
        // Fails only when the shell itself has ended.
        let _ = self.notices.send(notice);
    }
}

impl Drop for LifecycleReporter {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        self.tell(if self.stop_ordered.get() {
            LifecycleNotice::Stopped(name)
        } else {
            LifecycleNotice::Failed(name)
        });
    }
}
