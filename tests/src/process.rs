//! One child process: what it says, line by line, and its end. Nothing waits for time, only for events.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes longer, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks at what no event tells.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running program. It is killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Process {
    /// Starts a program with its input and output in our hands.
    pub fn start(name: &str, command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let (sender, lines) = channel();
        listen(child.stdout.take().expect("a piped stdout"), sender.clone());
        listen(child.stderr.take().expect("a piped stderr"), sender);
        let stdin = child.stdin.take();
        Self { name: name.to_owned(), child, stdin, lines, said: Vec::new() }
    }

    /// Waits for a line that contains `wanted`, and returns it.
    ///
    /// # Panics
    /// When the program ends, or a minute is over, before it says so.
    pub fn until(&mut self, wanted: &str) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(wanted) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{}: no {wanted:?} within {LIMIT:?}; {}", self.name, self.words());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{}: ended without {wanted:?}; {}", self.name, self.words());
                }
            }
        }
    }

    /// Waits until something listens at `address`, which nobody else uses: not every program says when it does.
    ///
    /// # Panics
    /// When the program ends, or a minute is over, before that.
    pub fn until_listening(&mut self, address: SocketAddr) {
        let end = Instant::now() + LIMIT;
        while !is_bound(address) {
            match self.lines.recv_timeout(LOOK_AGAIN) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Timeout) if Instant::now() < end => {}
                Err(_) => panic!("{}: does not listen at {address}; {}", self.name, self.words()),
            }
        }
    }

    /// Asks it to end; a child that has ended already needs no asking.
    pub fn terminate(&mut self) {
        let kill = format!("kill -TERM {} 2>/dev/null", self.child.id());
        let asked = Command::new("sh").args(["-c", &kill]).status();
        if asked.is_ok_and(|status| status.success()) {
            let _ = self.child.wait();
        }
    }

    /// Sends it SIGINT, as Ctrl-C in a terminal does.
    pub fn interrupt(&self) {
        signal("INT", self.child.id());
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Types a line.
    pub fn write(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("an input that is still open");
        let written = writeln!(stdin, "{line}").and_then(|()| stdin.flush());
        written.unwrap_or_else(|error| panic!("{}: cannot type {line:?}: {error}", self.name));
    }

    /// Waits for the end of the program.
    ///
    /// # Panics
    /// When it does not end within a minute.
    pub fn finish(&mut self) -> ExitStatus {
        let end = Instant::now() + LIMIT;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{}: did not end within {LIMIT:?}; {}", self.name, self.words());
                }
            }
        }
        self.child.wait().expect("the end of a child")
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Everything it has said, for messages of failed tests.
    pub fn words(&self) -> String {
        format!("it said:\n{}", self.said.concat())
    }

    /// The lines so far.
    pub fn said(&self) -> &[String] {
        &self.said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// True when the kernel lists a UDP or TCP socket with this address of its own: see proc_pid_net(5).
fn is_bound(address: SocketAddr) -> bool {
    let IpAddr::V4(host) = address.ip() else { return false };
    // In hexadecimal, the host in the byte order of the machine.
    let host = u32::from_ne_bytes(host.octets());
    let wanted = format!(" {host:08X}:{:04X} 00000000:0000 ", address.port());
    let lists = |file| fs::read_to_string(file).is_ok_and(|text| text.contains(&wanted));
    lists("/proc/net/udp") || lists("/proc/net/tcp")
}

/// Sends a signal by its name, such as `KILL`.
///
/// # Panics
/// When there is no such process.
pub fn signal(name: &str, process: u32) {
    let kill = format!("kill -{name} {process}");
    let sent = Command::new("sh").args(["-c", &kill]).status();
    assert!(sent.is_ok_and(|status| status.success()), "cannot {kill}");
}

/// Where a program of a Debian package is.
///
/// # Panics
/// When it is not installed, with the name of the package.
pub fn installed(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Kamailio is where only root's PATH leads.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let mut places = folders.map(|folder| folder.join(program));
    places.find(|place| place.is_file()).unwrap_or_else(|| {
        panic!(
            "{program} is not installed: install the package {package} \
             (apt-get install {package}, or tests/install-peers.sh for all)"
        )
    })
}

fn listen(output: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // A program that is killed takes its pipe with it: that is the end too.
        while output.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if lines.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
}
