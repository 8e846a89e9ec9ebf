//! baresip, a softphone, without sound card and screen: it plays a file, writes what it hears into another, and we
//! type its commands.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::loopback;
use crate::sound;
use system_tests::process::{Process, installed};

/// Its own number; it takes calls to no other. That of the PSAP `first` in `network.toml`.
const NUMBER: &str = "0353010015";

/// What it plays, in hertz: the French dial tone.
pub(crate) const TONE: f64 = 425.0;

/// A running softphone with one account.
#[derive(Debug)]
pub(crate) struct Baresip {
    process: Process,
    address: SocketAddr,
    folder: TempDir,
}

impl Baresip {
    /// Starts it. With `answers`, it takes calls by itself.
    pub(crate) fn start(answers: bool) -> Self {
        Self::with(answers, |host| format!("<sip:{NUMBER}@{host}>;regint=0"))
    }

    /// Starts it as a telephone of `user`, which registers at the access node `at` over `transport`.
    pub(crate) fn registered(
        user: &str,
        at: SocketAddr,
        password: &str,
        transport: &str,
        answers: bool,
    ) -> Self {
        let account = account(user, at, password, transport);
        Self::with(answers, |_| account)
    }

    /// The same over TLS; it trusts whom `authority` has signed.
    pub(crate) fn secured(
        user: &str,
        at: SocketAddr,
        password: &str,
        authority: &Path,
        answers: bool,
    ) -> Self {
        let account = account(user, at, password, "tls");
        let trusts = format!("sip_cafile {}\n", authority.display());
        Self::with_config(answers, |_| account, &trusts)
    }

    fn with(answers: bool, account: impl FnOnce(IpAddr) -> String) -> Self {
        Self::with_config(answers, account, "")
    }

    fn with_config(answers: bool, account: impl FnOnce(IpAddr) -> String, further: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let address = loopback::free_port(loopback::host());
        let tone = folder.path().join("tone.wav");
        sound::write(&tone, &sound::tone(TONE, 45));
        let config = config(address, folder.path(), &tone);
        write(&folder, "config", &format!("{config}{further}"));
        let mode = if answers { "auto" } else { "manual" };
        let host = address.ip();
        write(&folder, "accounts", &format!("{};answermode={mode}\n", account(host)));
        write(&folder, "contacts", "");
        let mut command = Command::new(installed("baresip", "baresip-core"));
        // It ends by itself if a test ends without it.
        command.arg("-4").arg("-f").arg(folder.path()).args(["-t", "45"]);
        let mut process = Process::start("baresip", &mut command);
        process.until("baresip is ready");
        Self { process, address, folder }
    }

    /// Where it takes calls.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn dial(&mut self, uri: &str) {
        self.process.write(&format!("/dial {uri}"));
    }

    /// Ends its call, with BYE or CANCEL.
    pub(crate) fn hang_up(&mut self) {
        self.process.write("/hangup");
        self.process.until("terminate call");
    }

    /// Waits until it says that it is registered.
    pub(crate) fn until_registered(&mut self) {
        self.process.until("200 OK");
    }

    /// Waits until it says that it may not register. At each challenge it tries again at once, until its passwords are not looked at
    /// any more.
    pub(crate) fn until_refused(&mut self) {
        self.process.until("403 Forbidden");
    }

    /// Waits until it hears that the other side rings.
    pub(crate) fn until_ringing(&mut self) {
        self.process.until("180 Ringing");
    }

    /// Waits until it says that the call is established.
    pub(crate) fn until_established(&mut self) {
        self.process.until("Call established");
    }

    /// Waits until it says that the other side ended the call.
    pub(crate) fn until_closed(&mut self) {
        self.process.until("session closed");
    }

    /// Presses a key of the telephone, and lets go.
    pub(crate) fn press(&mut self, digit: char) {
        self.process.write(&digit.to_string());
        self.process.until(&format!("send DTMF digit end: '{digit}'"));
    }

    /// Waits until it has received this digit.
    pub(crate) fn until_digit(&mut self, digit: char) {
        self.process.until(&format!("received event: '{digit}' (end=1)"));
    }

    /// Ends it.
    pub(crate) fn quit(mut self) {
        self.end();
    }

    /// Ends it, and returns what it heard in its only call.
    pub(crate) fn quit_with_sound(mut self) -> Vec<i16> {
        self.end();
        let entries = fs::read_dir(self.folder.path()).expect("the folder of baresip");
        let paths = entries.map(|entry| entry.expect("an entry of a folder").path());
        // dump-TIME-dec.wav: decoded.
        let mut heard = paths.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        let channels = sound::read(&heard.next().expect("a sound file of baresip"));
        assert!(heard.next().is_none(), "baresip had several calls");
        let [sound] = <[_; 1]>::try_from(channels).expect("sound of one channel");
        sound
    }

    fn end(&mut self) {
        self.process.write("/quit");
        let status = self.process.finish();
        assert!(status.success(), "baresip: {status}; {}", self.process.words());
    }
}

/// The line of an account that registers at the access node `at`.
fn account(user: &str, at: SocketAddr, password: &str, transport: &str) -> String {
    format!(
        "<sip:{user}@lab.example>;auth_user={user};auth_pass={password};regint=60;outbound=\"sip:{at};transport={transport}\""
    )
}

/// Only what a call needs: no sound card, no network outside loopback.
fn config(address: SocketAddr, folder: &Path, tone: &Path) -> String {
    let host: IpAddr = address.ip();
    let (folder, tone) = (folder.display(), tone.display());
    format!(
        "sip_listen {address}\n\
         net_interface {host}\n\
         call_local_timeout 30\n\
         call_max_calls 4\n\
         audio_player aubridge,loudspeaker\n\
         audio_source aufile,{tone}\n\
         audio_alert aubridge,bell\n\
         ausrc_channels 1\n\
         auplay_channels 1\n\
         snd_path {folder}\n\
         module_path /usr/lib/baresip/modules\n\
         module stdio.so\n\
         module g711.so\n\
         module sndfile.so\n\
         module aufile.so\n\
         module aubridge.so\n\
         module_tmp uuid.so\n\
         module_tmp account.so\n\
         module_app menu.so\n"
    )
}

fn write(folder: &TempDir, name: &str, text: &str) {
    fs::write(folder.path().join(name), text).expect("a file in a temporary folder");
}
