//! How long what is between takes of a call: from the caller's INVITE to its 200, less what the callee took of it. One
//! thread is both ends, on a core that nothing else is pinned to, and looks at both sockets all the time.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use sip_proto::message::Payload;
use sip_proto::user_agent::{Event, Invite};
use system_tests::line::Line;
use system_tests::machine;
use system_tests::process::Process;
use system_tests::spread::quantile;

use crate::between::Way;
use crate::place::{CALLEE, CALLER};
use crate::sipp::NUMBER;

/// Calls, one after the other; the first are not counted.
const CALLS: usize = 1_000;
const WARM: usize = 100;

/// No call takes so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Median and 99th percentile of a way, in microseconds.
pub(crate) fn of(way: Way, folder: &std::path::Path) -> anyhow::Result<Value> {
    let between = way.start(machine::MEASURED, folder)?;
    let mut command = machine::pinned(machine::DRIVERS, &std::env::current_exe()?);
    command.args(["delay", &between.to.to_string()]);
    let mut ends = Process::start("the ends of calls", &mut command);
    let line = ends.until("\"p50\"");
    ends.finish();
    serde_json::from_str(&line).context("delays")
}

/// The process of both ends.
pub(crate) fn run(to: &str) -> anyhow::Result<()> {
    let to = to.parse().context("whom to call")?;
    let mut ends = Ends { caller: line(CALLER, 1)?, callee: line(CALLEE, 2)?, to };
    let mut delays = Vec::new();
    for call in 0..CALLS {
        let taken = ends.call()?;
        if call >= WARM {
            delays.push(taken.as_secs_f64() * 1e6);
        }
    }
    let at = |share| quantile(&delays, share).map(f64::round);
    println!("{}", json!({ "p50": at(0.5), "p99": at(0.99), "calls": delays.len() }));
    Ok(())
}

fn line(at: SocketAddr, seed: u64) -> anyhow::Result<Line> {
    let socket = UdpSocket::bind(at).with_context(|| format!("cannot bind {at}"))?;
    socket.set_nonblocking(true)?;
    Line::new(socket, seed)
}

struct Ends {
    caller: Line,
    callee: Line,
    to: SocketAddr,
}

impl Ends {
    /// Places a call, answers it, ends it, and returns how long it was on its way, there and back.
    fn call(&mut self) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let leg = self.caller.agent.connect(start, self.invite());
        self.caller.transmit();
        let (mut offered, mut arrived, mut taken) = (None, None, None);
        loop {
            let now = Instant::now();
            ensure!(now - start < PATIENCE, "a call was not completed within {PATIENCE:?}");
            self.callee.listen(now);
            while let Some(event) = self.callee.agent.poll_event() {
                if let Event::Offered { leg, .. } = event {
                    offered = Some(now - start);
                    self.callee.agent.accept(now, leg, &description());
                    arrived = Some(Instant::now());
                }
            }
            self.callee.transmit();
            self.caller.listen(now);
            while let Some(event) = self.caller.agent.poll_event() {
                match event {
                    Event::Answered { .. } => {
                        let back = now - arrived.context("an answer of nobody")?;
                        taken = offered.map(|there| there + back);
                        self.caller.agent.hang_up(now, leg, None);
                    }
                    Event::Ended { .. } => return taken.context("an end before an answer"),
                    Event::Failed { failure, .. } => anyhow::bail!("a call failed: {failure:?}"),
                    _ => {}
                }
            }
            self.caller.transmit();
        }
    }

    fn invite(&self) -> Invite {
        let uri = format!("sip:{NUMBER}@{}", self.to);
        Invite {
            next_hop: self.to,
            to: format!("<{uri}>"),
            uri,
            from: format!("<sip:+33639980001@{CALLER}>"),
            max_forwards: 70,
            route: Vec::new(),
            session_id: None,
            payload: description(),
        }
    }
}

/// A stream that nobody uses.
fn description() -> Payload {
    Payload::sdp(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio 10000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=inactive\r\n"
            .to_owned(),
    )
}
