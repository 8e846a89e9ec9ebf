//! The SIP of the phones, in a thread of its own: callers on the A side, a PSAP on the B side, our call server between
//! them. Calls are set up at a steady rate; what the call server sends to either side tells where the relay listens.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use sip_proto::message::{Message, Payload};
use sip_proto::user_agent::{End, Event, Failure, Invite, LegId};
use system_tests::line::Line;

use crate::session::{PHONE_A, PHONE_B, Ports, description, media_address, phone};

const CALLS_PER_SECOND: f64 = 500.0;

/// Between two looks at the sockets, while calls begin or end and while they are held.
const BUSY: Duration = Duration::from_millis(1);
const IDLE: Duration = Duration::from_millis(50);

/// Without a new call for so long the call server has stopped to set up calls.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the callers and the PSAP have their SIP.
#[derive(Debug)]
pub(crate) struct Sockets {
    callers: UdpSocket,
    psap: UdpSocket,
}

impl Sockets {
    pub(crate) fn bind() -> anyhow::Result<Self> {
        let bind = |host| -> anyhow::Result<UdpSocket> {
            let socket = UdpSocket::bind((host, 0))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        Ok(Self { callers: bind(PHONE_A)?, psap: bind(PHONE_B)? })
    }

    /// The address of the PSAP.
    pub(crate) fn psap(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.psap.local_addr()?)
    }
}

enum Order {
    Hold(usize),
    HangUp,
}

/// The thread, as its owner sees it. It ends with this.
#[derive(Debug)]
pub(crate) struct Phones {
    orders: Sender<Order>,
    done: Receiver<anyhow::Result<Vec<Ports>>>,
}

impl Phones {
    /// Starts the thread; `server` is the SIP address of the call server.
    pub(crate) fn start(sockets: Sockets, server: SocketAddr) -> anyhow::Result<Self> {
        let (orders, orders_of_thread) = channel();
        let (report, done) = channel();
        let callers = Line::new(sockets.callers, 1)?;
        let psap = Line::new(sockets.psap, 2)?;
        let mut exchange = Exchange {
            server,
            callers,
            psap,
            calls: Vec::new(),
            legs: HashMap::new(),
            ended: None,
        };
        thread::spawn(move || exchange.run(&orders_of_thread, &report));
        Ok(Self { orders, done })
    }

    /// Makes calls until there are so many.
    ///
    /// # Errors
    /// When one is refused or has ended, or when the descriptions come through as they were.
    pub(crate) fn hold(&self, calls: usize) -> anyhow::Result<Vec<Ports>> {
        self.order(Order::Hold(calls))
    }

    /// Ends all calls.
    pub(crate) fn hang_up(&self) -> anyhow::Result<()> {
        self.order(Order::HangUp).map(drop)
    }

    fn order(&self, order: Order) -> anyhow::Result<Vec<Ports>> {
        self.orders.send(order).ok().context("the phones are gone")?;
        self.done.recv().context("the phones are gone")?
    }
}

/// One call: its caller's leg, and where the relay wants the packets of its two phones, as far as it is known.
#[derive(Debug)]
struct Call {
    leg: LegId,
    ports: [Option<SocketAddr>; 2],
}

struct Exchange {
    server: SocketAddr,
    callers: Line,
    psap: Line,
    calls: Vec<Call>,
    legs: HashMap<LegId, usize>,
    /// Why a call is over that should not be.
    ended: Option<String>,
}

impl Exchange {
    fn run(&mut self, orders: &Receiver<Order>, report: &Sender<anyhow::Result<Vec<Ports>>>) {
        loop {
            let done = match orders.recv_timeout(IDLE) {
                Ok(Order::Hold(calls)) => self.hold(calls),
                Ok(Order::HangUp) => self.hang_up().map(|()| Vec::new()),
                Err(RecvTimeoutError::Timeout) => {
                    self.turn(Instant::now());
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Nobody listens any more when the benchmark is over.
            let _ = report.send(done);
        }
    }

    fn hold(&mut self, wanted: usize) -> anyhow::Result<Vec<Ports>> {
        let (start, before) = (Instant::now(), self.calls.len());
        let mut progress = (start, 0);
        loop {
            let now = Instant::now();
            let due = before + ((now - start).as_secs_f64() * CALLS_PER_SECOND) as usize;
            while self.calls.len() < due.min(wanted) {
                self.dial(now);
            }
            self.turn(now);
            if let Some(reason) = &self.ended {
                bail!("{reason}");
            }
            let ports = self.calls.iter().map_while(|call| Some([call.ports[0]?, call.ports[1]?]));
            let ports: Vec<Ports> = ports.collect();
            if ports.len() >= wanted {
                return Ok(ports);
            }
            if ports.len() > progress.1 {
                progress = (now, ports.len());
            }
            let set_up = ports.len();
            ensure!(now - progress.0 < PATIENCE, "{set_up} of {wanted} calls are set up, no more");
            thread::sleep(BUSY);
        }
    }

    fn hang_up(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        let mut legs = self.calls.iter().map(|call| call.leg).collect::<Vec<_>>().into_iter();
        while legs.len() > 0 || !self.callers.agent.is_idle() {
            let now = Instant::now();
            if let Some(leg) = legs.next() {
                self.callers.agent.hang_up(now, leg, None);
            }
            self.turn(now);
            let left = self.callers.agent.legs();
            ensure!(now - start < 3 * PATIENCE, "{left} calls do not end");
            thread::sleep(BUSY);
        }
        Ok(())
    }

    fn dial(&mut self, now: Instant) {
        let call = self.calls.len();
        let uri = format!("sip:15@{}", self.server);
        let leg = self.callers.agent.connect(
            now,
            Invite {
                next_hop: self.server,
                to: format!("<{uri}>"),
                uri,
                from: format!("<sip:+33639980001@{}>", self.callers.address),
                max_forwards: 70,
                route: Vec::new(),
                // Tells the PSAP which call this is. All zeros would be the null UUID.
                session_id: Some(format!("{:032x}", call + 1)),
                payload: Payload::sdp(description(phone(PHONE_A, call))),
            },
        );
        self.legs.insert(leg, call);
        self.calls.push(Call { leg, ports: [None; 2] });
    }

    /// Lets both sides read, act and send.
    fn turn(&mut self, now: Instant) {
        self.callers.listen(now);
        while let Some(event) = self.callers.agent.poll_event() {
            self.follow_caller(now, event);
        }
        self.callers.transmit();
        self.psap.listen(now);
        while let Some(event) = self.psap.agent.poll_event() {
            self.follow_psap(now, event);
        }
        self.psap.transmit();
    }

    fn follow_caller(&mut self, now: Instant, event: Event) {
        match event {
            Event::Answered { leg, response } => {
                if let Some(call) = self.legs.get(&leg).copied() {
                    self.learn(call, 0, &response);
                }
            }
            Event::Failed { failure: Failure::Response(response), .. } => {
                self.fault(format!("a call was refused with {}", response.status()));
            }
            Event::Failed { failure, .. } => self.fault(format!("a call failed: {failure:?}")),
            Event::Ended { end: End::HungUp { .. }, .. } => {}
            Event::Ended { end, .. } => self.fault(format!("a call was ended: {end:?}")),
            Event::Modify { leg, id, .. } => {
                let call = self.legs.get(&leg).copied().unwrap_or_default();
                let payload = Payload::sdp(description(phone(PHONE_A, call)));
                self.callers.agent.respond(now, id, 200, &payload);
            }
            _ => {}
        }
    }

    fn follow_psap(&mut self, now: Instant, event: Event) {
        let Event::Offered { leg, invite, .. } = event else { return };
        let id = invite.session_id().and_then(|id| usize::from_str_radix(id.local(), 16).ok());
        let Some(call) = id.and_then(|id| id.checked_sub(1)).filter(|id| *id < self.calls.len())
        else {
            self.fault("an INVITE came without the Session-ID of its caller".to_owned());
            return;
        };
        self.learn(call, 1, &invite);
        let payload = Payload::sdp(description(phone(PHONE_B, call)));
        self.psap.agent.accept(now, leg, &payload);
    }

    /// What a side receives says where that side's packets go.
    fn learn(&mut self, call: usize, side: usize, message: &Message) {
        let media = media_address(&String::from_utf8_lossy(&message.body()));
        match media {
            Some(media) if [PHONE_A, PHONE_B].map(IpAddr::from).contains(&media.ip()) => {
                self.fault("no relay: the session description came through unchanged".to_owned());
            }
            Some(media) => self.calls[call].ports[side] = Some(media),
            None => self.fault("a message came without a media address".to_owned()),
        }
    }

    /// The first fault is the one that explains the others.
    fn fault(&mut self, reason: String) {
        self.ended.get_or_insert(reason);
    }
}
