//! Strangers and operators who are at work all the time, each on a thread of its own.

use std::fmt;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use socket2::SockRef;

use crate::probe::{Look, ask};

/// Those who disturb.
#[derive(Debug)]
pub(crate) struct Disturbers {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Disturbed>>,
}

/// What they did.
#[derive(Debug, Default)]
pub(crate) struct Disturbed {
    malformed: u64,
    unfinished_calls: u64,
    connections: u64,
    resets: u64,
    commands: u64,
    refused: u64,
}

/// What one of them knows.
#[derive(Debug, Clone)]
struct Work {
    is_over: Arc<AtomicBool>,
    targets: Vec<SocketAddr>,
    access: PathBuf,
}

impl Disturbers {
    pub(crate) fn start(look: &Look, folder: &Path) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (targets, access) = (look.addresses(), folder.join("runs/latest/manage.json"));
        assert!(targets.len() >= 6, "{targets:?}");
        let work = Work { is_over: Arc::clone(&is_over), targets, access };
        let start = |does: fn(&Work) -> Disturbed| {
            let work = work.clone();
            thread::spawn(move || does(&work))
        };
        let threads = vec![start(malformed), start(unfinished), start(half_open), start(operators)];
        Self { is_over, threads }
    }

    pub(crate) fn stop(self) -> Disturbed {
        self.is_over.store(true, Ordering::Relaxed);
        let mut all = Disturbed::default();
        for thread in self.threads {
            let one = thread.join().expect("a disturber to the end");
            all.malformed += one.malformed;
            all.unfinished_calls += one.unfinished_calls;
            all.connections += one.connections;
            all.resets += one.resets;
            all.commands += one.commands;
            all.refused += one.refused;
        }
        all
    }
}

impl Work {
    /// Whether to go on after a pause, which sets the pace.
    fn goes_on_after(&self, pause: Duration) -> bool {
        thread::park_timeout(pause);
        !self.is_over.load(Ordering::Relaxed)
    }
}

/// The torture messages of RFC 4475 and RFC 5118, each damaged once more, at all boxes.
fn malformed(work: &Work) -> Disturbed {
    let mut rng = StdRng::seed_from_u64(1);
    let messages: Vec<Vec<u8>> = ["rfc4475", "rfc5118"]
        .iter()
        .flat_map(|name| {
            fs::read_dir(
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("../crates/sip-proto/tests/data")
                    .join(name),
            )
            .unwrap()
        })
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut done = Disturbed::default();
    while work.goes_on_after(Duration::from_millis(10)) {
        let mut message = messages[rng.random_range(0..messages.len())].clone();
        let at = rng.random_range(0..message.len());
        message[at] = rng.random();
        let to = work.targets[rng.random_range(0..work.targets.len())];
        done.malformed += u64::from(socket.send_to(&message, to).is_ok());
    }
    done
}

/// INVITEs that nobody ends, of a caller who never says anything again.
fn unfinished(work: &Work) -> Disturbed {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let from = socket.local_addr().unwrap();
    let mut done = Disturbed::default();
    while work.goes_on_after(Duration::from_millis(300)) {
        let number = done.unfinished_calls;
        let to = work.targets[number as usize % work.targets.len()];
        let text = format!(
            "INVITE sip:112@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-soak-{number}\r\nMax-Forwards: 70\r\n\
             From: <sip:lab@{from}>;tag={number}\r\nTo: <sip:112@{to}>\r\nCall-ID: soak-{number}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:lab@{from}>\r\nContent-Length: 0\r\n\r\n"
        );
        done.unfinished_calls += u64::from(socket.send_to(text.as_bytes(), to).is_ok());
    }
    done
}

/// Connections that say half of something: some are kept, some reset inside a message, some closed.
fn half_open(work: &Work) -> Disturbed {
    const MESSAGE: &str = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nContent-Length: 100\r\n\r\nhalf";
    let mut rng = StdRng::seed_from_u64(2);
    let (mut kept, mut done) = (Vec::new(), Disturbed::default());
    while work.goes_on_after(Duration::from_millis(50)) {
        let to = work.targets[rng.random_range(0..work.targets.len())];
        let Ok(mut stream) = TcpStream::connect(to) else { continue };
        done.connections += 1;
        let _ = stream.write_all(&MESSAGE.as_bytes()[..rng.random_range(0..=MESSAGE.len())]);
        match rng.random_range(0..4) {
            0 => {
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                done.resets += 1;
            }
            1 => {
                stream.set_nonblocking(true).unwrap();
                let _ = stream.read(&mut [0; 64]);
            }
            _ => kept.push(stream),
        }
        // As many as a stranger can hold, and then others.
        if kept.len() > 100 {
            kept.swap_remove(rng.random_range(0..kept.len()));
        }
    }
    done
}

/// Commands that change something and put it back, and some that nobody could carry out.
fn operators(work: &Work) -> Disturbed {
    const COMMANDS: [&str; 10] = [
        r#"{"command":"lock","sites":["alpha"]}"#,
        r#"{"command":"unlock","sites":["alpha"]}"#,
        r#"{"command":"disconnect mobile","sites":["beta"]}"#,
        r#"{"command":"reconnect mobile","sites":["beta"]}"#,
        r#"{"command":"restart","sites":["beta"],"wait":false}"#,
        r#"{"command":"shed ordinary","sites":["alpha"],"timeout":"1s"}"#,
        r#"{"command":"shed nothing","sites":["alpha"],"timeout":"1s"}"#,
        r#"{"command":"rollback","sites":"all","timeout":"1s"}"#,
        r#"{"command":"no such thing","sites":"all"}"#,
        r#"{"command":"#,
    ];
    let mut done = Disturbed::default();
    for body in COMMANDS.iter().cycle() {
        // What was changed is put back before the end.
        let is_back = body.contains("lock") && body.contains("alpha") && !body.contains("unlock");
        if !work.goes_on_after(Duration::from_millis(700)) && is_back {
            break;
        }
        let answer = ask(&work.access, "POST /v1/commands HTTP/1.1", body);
        match answer["error"].is_null() {
            true => done.commands += 1,
            false => done.refused += 1,
        }
    }
    done
}

impl Disturbed {
    /// A soak without disturbance proves nothing.
    pub(crate) fn assert_busy(&self) {
        let all = [
            self.malformed,
            self.unfinished_calls,
            self.connections,
            self.resets,
            self.commands,
            self.refused,
        ];
        assert!(all.iter().all(|count| *count > 0), "{self:?}");
    }
}

impl fmt::Display for Disturbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} malformed messages, {} calls that nobody ended, {} half-open connections ({} of them reset), {} commands and {} \
             that were refused",
            self.malformed,
            self.unfinished_calls,
            self.connections,
            self.resets,
            self.commands,
            self.refused
        )
    }
}
