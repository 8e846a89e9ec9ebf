//! Two user agents and the network between them, in virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip_proto::message::{Method, Payload, Request, Response};
use sip_proto::user_agent::{Config, End, Event, Failure, Invite, LegId, UserAgent};
use sip_proto::{Packet, Transport};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Caller,
    Callee,
}

use Who::{Callee, Caller};

impl Who {
    pub(crate) fn address(self) -> SocketAddr {
        match self {
            Caller => ([127, 0, 0, 1], 5060).into(),
            Callee => ([127, 0, 0, 2], 5060).into(),
        }
    }

    fn other(self) -> Self {
        if self == Caller { Callee } else { Caller }
    }
}

/// A packet on its way, or one that was.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) sent_at: Duration,
    pub(crate) from: Who,
    pub(crate) packet: Packet,
}

impl Flight {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.packet.bytes).into_owned()
    }

    /// `INVITE`, or `200 INVITE` for a response to it.
    pub(crate) fn kind(&self) -> String {
        match Request::parse(self.packet.bytes.clone()) {
            Ok(request) => request.method().to_string(),
            Err(_) => {
                let response = Response::parse(self.packet.bytes.clone()).expect("a message");
                format!("{} {}", response.status(), response.cseq().1)
            }
        }
    }
}

type Loss = Box<dyn FnMut(&Flight) -> bool>;

/// The two, what flies between them, and all that has flown.
pub(crate) struct Network {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) latency: Duration,
    /// True for a packet that gets lost.
    pub(crate) loses: Loss,
    pub(crate) log: Vec<Flight>,
    agents: [UserAgent; 2],
    events: [VecDeque<Event>; 2],
    flying: VecDeque<(Instant, Flight)>,
}

pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n\
    c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n";

impl Network {
    pub(crate) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// A network whose agents are set up differently.
    pub(crate) fn with(change: impl Fn(Who, &mut Config)) -> Self {
        let agent = |who: Who| {
            let mut config = Config::new(who.address(), who as u64 + 1);
            change(who, &mut config);
            UserAgent::new(config)
        };
        let now = Instant::now();
        Self {
            start: now,
            now,
            latency: Duration::from_millis(10),
            loses: Box::new(|_| false),
            log: Vec::new(),
            agents: [agent(Caller), agent(Callee)],
            events: [VecDeque::new(), VecDeque::new()],
            flying: VecDeque::new(),
        }
    }

    /// Does something with one agent, now.
    pub(crate) fn on<R>(&mut self, who: Who, act: impl FnOnce(&mut UserAgent, Instant) -> R) -> R {
        let result = act(&mut self.agents[who as usize], self.now);
        self.drain(who);
        result
    }

    pub(crate) fn agent(&self, who: Who) -> &UserAgent {
        &self.agents[who as usize]
    }

    /// Lets time run.
    pub(crate) fn run(&mut self, milliseconds: u64) {
        let end = self.now + Duration::from_millis(milliseconds);
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.step();
        }
        self.now = end;
    }

    /// Lets time run until nothing is due; 10 minutes without that is a leak.
    pub(crate) fn run_down(&mut self) {
        let end = self.now + Duration::from_secs(600);
        while let Some(next) = self.next() {
            assert!(next < end, "something is due for ever");
            self.now = next.max(self.now);
            self.step();
        }
    }

    fn next(&self) -> Option<Instant> {
        let flights = self.flying.iter().map(|(due, _)| *due);
        flights.chain(self.agents.iter().filter_map(UserAgent::poll_timeout)).min()
    }

    fn step(&mut self) {
        while let Some(at) = self.flying.iter().position(|(due, _)| *due <= self.now) {
            let (_, flight) = self.flying.remove(at).expect("it was just found");
            let to = flight.from.other();
            let packet = Packet { peer: flight.from.address(), ..flight.packet };
            self.on(to, |agent, now| agent.handle_packet(now, packet));
        }
        for who in [Caller, Callee] {
            if self.agent(who).poll_timeout().is_some_and(|due| due <= self.now) {
                self.on(who, |agent, now| agent.handle_timeout(now));
            }
        }
    }

    fn drain(&mut self, who: Who) {
        while let Some(packet) = self.agents[who as usize].poll_transmit() {
            let flight = Flight { sent_at: self.now - self.start, from: who, packet };
            let arrives = flight.packet.peer == who.other().address() && !(self.loses)(&flight);
            self.log.push(flight.clone());
            if arrives {
                self.flying.push_back((self.now + self.latency, flight));
            }
        }
        while let Some(event) = self.agents[who as usize].poll_event() {
            self.events[who as usize].push_back(event);
        }
    }

    /// The next event of an agent.
    pub(crate) fn event(&mut self, who: Who) -> Option<Event> {
        self.events[who as usize].pop_front()
    }

    /// Names of all events of an agent so far, which are taken.
    pub(crate) fn events(&mut self, who: Who) -> Vec<String> {
        self.events[who as usize].drain(..).map(|event| name(&event)).collect()
    }

    /// Kinds of all packets of one agent, in order.
    pub(crate) fn sent(&self, who: Who) -> Vec<String> {
        self.log.iter().filter(|flight| flight.from == who).map(Flight::kind).collect()
    }

    /// When one agent sent packets of a kind, in seconds.
    pub(crate) fn times(&self, who: Who, kind: &str) -> Vec<f64> {
        let of_kind = |flight: &&Flight| flight.from == who && flight.kind() == kind;
        self.log.iter().filter(of_kind).map(|flight| flight.sent_at.as_secs_f64()).collect()
    }

    /// The text of the last packet of a kind.
    pub(crate) fn last(&self, who: Who, kind: &str) -> String {
        let mut all = self.log.iter().rev();
        let found = all.find(|flight| flight.from == who && flight.kind() == kind);
        found.unwrap_or_else(|| panic!("{who:?} sent no {kind}")).text()
    }

    /// The caller calls; returns both legs once the callee has the offer.
    pub(crate) fn offer(&mut self) -> (LegId, LegId) {
        let leg = self.on(Caller, |agent, now| agent.connect(now, invite(Payload::sdp(SDP))));
        self.run(30);
        (leg, self.offered())
    }

    /// The leg of the next `Offered` at the callee.
    pub(crate) fn offered(&mut self) -> LegId {
        match self.event(Callee) {
            Some(Event::Offered { leg, .. }) => leg,
            other => panic!("no offer but {other:?}"),
        }
    }

    /// An established call; its events have been taken.
    pub(crate) fn call(&mut self) -> (LegId, LegId) {
        let (caller, callee) = self.offer();
        self.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
        self.run(50);
        assert_eq!(self.events(Caller), ["Answered"]);
        assert_eq!(self.events(Callee), ["Confirmed"]);
        (caller, callee)
    }

    /// Nothing is left of anything.
    pub(crate) fn assert_clean(&mut self) {
        self.run_down();
        for agent in &self.agents {
            assert_eq!((agent.legs(), agent.transactions()), (0, 0));
            assert!(agent.is_idle());
        }
    }
}

/// An INVITE to the callee.
pub(crate) fn invite(payload: Payload) -> Invite {
    Invite {
        next_hop: Callee.address(),
        uri: "urn:service:sos.fire".to_owned(),
        from: "<sip:+33639980001@127.0.0.1>".to_owned(),
        to: "<sip:18@127.0.0.2>".to_owned(),
        max_forwards: 70,
        route: Vec::new(),
        session_id: None,
        payload,
    }
}

/// A short name of an event.
pub(crate) fn name(event: &Event) -> String {
    match event {
        Event::Offered { .. } => "Offered".into(),
        Event::Cancelled { .. } => "Cancelled".into(),
        Event::GivenUp { rejection, .. } => format!("GivenUp {}", rejection.status),
        Event::Progress { response, .. } => format!("Progress {}", response.status()),
        Event::Answered { .. } => "Answered".into(),
        Event::Failed { failure: Failure::Response(response), .. } => {
            format!("Failed {}", response.status())
        }
        Event::Failed { failure, .. } => format!("Failed {failure:?}"),
        Event::Confirmed { .. } => "Confirmed".into(),
        Event::Unacknowledged { .. } => "Unacknowledged".into(),
        Event::Modify { request, .. } => format!("Modify {}", request.method()),
        Event::ModifyConfirmed { .. } => "ModifyConfirmed".into(),
        Event::ModifyCancelled { .. } => "ModifyCancelled".into(),
        Event::Modified { response, .. } => format!("Modified {}", response.status()),
        Event::Request { request, .. } => format!("Request {}", request.method()),
        Event::Response { response, .. } => format!("Response {}", response.status()),
        Event::Ended { end: End::Bye(_), .. } => "Ended Bye".into(),
        Event::Ended { end: End::HungUp { confirmed }, .. } => format!("Ended HungUp {confirmed}"),
        Event::Ended { end: End::NoAck, .. } => "Ended NoAck".into(),
        Event::Ended { end: End::PeerGone { status }, .. } => format!("Ended PeerGone {status}"),
        Event::Ended { end: End::Unrefreshed, .. } => "Ended Unrefreshed".into(),
        Event::NoRoom { .. } => "NoRoom".into(),
        Event::OutOfDialog { request, .. } => format!("OutOfDialog {}", request.method()),
        Event::Probed { outcome, .. } => match outcome {
            sip_proto::user_agent::Probe::Alive(response) => format!("Alive {}", response.status()),
            sip_proto::user_agent::Probe::Silent => "Silent".into(),
        },
    }
}

/// A user agent whose peer is the test itself.
pub(crate) struct Alone {
    pub(crate) agent: UserAgent,
    pub(crate) now: Instant,
    peer: SocketAddr,
}

impl Alone {
    pub(crate) fn new(who: Who) -> Self {
        Self::with(who, |_| {})
    }

    /// One that is set up differently.
    pub(crate) fn with(who: Who, change: impl Fn(&mut Config)) -> Self {
        let mut config = Config::new(who.address(), 5);
        change(&mut config);
        let agent = UserAgent::new(config);
        Self { agent, now: Instant::now(), peer: who.other().address() }
    }

    pub(crate) fn receive(&mut self, text: impl Into<Bytes>) -> Vec<String> {
        self.receive_by(Transport::Udp, text)
    }

    /// Takes a message from the other address, and returns what is sent at once.
    pub(crate) fn receive_by(
        &mut self,
        transport: Transport,
        text: impl Into<Bytes>,
    ) -> Vec<String> {
        let packet = Packet { transport, peer: self.peer, bytes: text.into() };
        self.agent.handle_packet(self.now, packet);
        self.sent()
    }

    pub(crate) fn sent(&mut self) -> Vec<String> {
        self.packets().iter().map(|one| String::from_utf8_lossy(&one.bytes).into_owned()).collect()
    }

    pub(crate) fn packets(&mut self) -> Vec<Packet> {
        std::iter::from_fn(|| self.agent.poll_transmit()).collect()
    }

    pub(crate) fn events(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.agent.poll_event()).map(|event| name(&event)).collect()
    }

    /// Lets time run and returns what was sent meanwhile.
    pub(crate) fn run(&mut self, milliseconds: u64) -> Vec<String> {
        let end = self.now + Duration::from_millis(milliseconds);
        while let Some(due) = self.agent.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.agent.handle_timeout(self.now);
        }
        self.now = end;
        self.sent()
    }

    /// Calls the peer, and returns the leg and the INVITE.
    pub(crate) fn connect(&mut self, payload: Payload) -> (LegId, Request) {
        let leg = self.agent.connect(self.now, invite(payload));
        let packet = self.agent.poll_transmit().expect("the INVITE");
        (leg, Request::parse(packet.bytes).expect("a sound INVITE"))
    }
}

/// A response to `request` from an answerer with this tag, if it is not empty, written by hand.
pub(crate) fn response(request: &Request, status: u16, tag: &str, lines: &str) -> String {
    let header = |name: &str| request.header_named(name).expect("a mandatory header").to_owned();
    let untagged = tag.is_empty() || request.to_tag().is_some();
    let tag = if untagged { String::new() } else { format!(";tag={tag}") };
    format!(
        "SIP/2.0 {status} Whatever\r\nVia: {}\r\nFrom: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\n\
         CSeq: {}\r\n{lines}Content-Length: 0\r\n\r\n",
        header("Via"),
        header("From"),
        header("To"),
        header("Call-ID"),
        header("CSeq"),
    )
}

/// A request from the caller's address, written by hand; `to` without its brackets.
pub(crate) fn request(method: Method, branch: &str, to_tag: Option<&str>, lines: &str) -> String {
    let tag = to_tag.map_or_else(String::new, |tag| format!(";tag={tag}"));
    format!(
        "{method} sip:15@127.0.0.2 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{branch}\r\n\
         From: <sip:a@127.0.0.1>;tag=f1\r\nTo: <sip:15@127.0.0.2>{tag}\r\nCall-ID: c1\r\n\
         CSeq: 1 {method}\r\nContact: <sip:a@127.0.0.1>\r\n{lines}\r\n"
    )
}
