//! What all callers of a generator say, and whom they expect to hear.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use campaign::{CallerAudio, Callers};
use media::{
    Agreement, Clips, ExpectedSound, Melody, Plane, PlaneSettings, Sign, Singer, SoundVerdict,
    StreamId, StreamReport, Voice,
};
use sip_proto::message::Message;

use super::config::Config;

/// The media of all callers.
#[derive(Debug)]
pub(super) struct CallerMedia {
    pub(super) plane: Plane,
    audio: CallerAudio,
    clips: Clips,
    digits: String,
}

/// One caller on the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallerStream {
    stream: StreamId,
    attempt: u128,
    /// The answer has come, and the caller listens.
    listens: bool,
}

impl CallerMedia {
    /// The media of the generator `config`; `None` when no caller has any.
    pub(super) fn of(config: &Config, callers: &Callers, seed: u64) -> Option<Self> {
        if callers.media <= 0.0 {
            return None;
        }
        let settings = PlaneSettings {
            addresses: vec![config.address.ip()],
            ports: config.media_ports.clone(),
            idle_after: config.idle_after,
            dated: true,
        };
        let (start, unix) = config.clock.origin();
        Some(Self {
            plane: Plane::new(&settings, seed, start, unix),
            audio: callers.audio.clone(),
            clips: config.clips.clone(),
            digits: callers.digits.clone(),
        })
    }

    /// What the description of a caller says that it plays.
    pub(super) fn sign(&self, attempt: u128) -> Sign {
        match &self.audio {
            CallerAudio::Tones => Sign::Melody(Melody::of(attempt, Singer::Caller)),
            CallerAudio::Clip(name) => Sign::Clip(name.clone()),
        }
    }

    fn voice(&self, attempt: u128) -> Voice {
        match &self.audio {
            CallerAudio::Tones => Voice::Melody(Melody::of(attempt, Singer::Caller)),
            // The campaign was checked against its network.
            CallerAudio::Clip(name) => {
                self.clips.get(name).map_or(Voice::Mute, |clip| Voice::Clip(Arc::clone(clip)))
            }
        }
    }

    /// A port for the media of a new call, and its number; `None` if there is none left.
    pub(super) fn open(
        &mut self,
        ip: IpAddr,
        attempt: u128,
    ) -> Option<(CallerStream, Option<u16>)> {
        let stream = self.plane.open(ip).ok()?;
        let port = self.plane.local(stream).map(|local| local.port());
        Some((CallerStream { stream, attempt, listens: false }, port))
    }

    /// Says whose call a line is, for whoever looks on.
    pub(super) fn name_call(&mut self, now: Instant, line: CallerStream, call: u64) {
        self.plane.name_call(now, line.stream, || call);
    }

    /// The caller speaks as it was agreed on, and from the answer on listens.
    pub(super) fn talk(
        &mut self,
        now: Instant,
        line: &mut CallerStream,
        agreement: &Agreement,
        response: &Message,
        answered: bool,
    ) {
        self.plane.talk(now, line.stream, agreement);
        if !answered && !line.listens {
            // A PSAP need not send anything before the answer.
            self.plane.expect(now, line.stream, false);
        }
        let voice = self.voice(line.attempt);
        self.plane.set_voice(line.stream, voice);
        if answered && !line.listens {
            line.listens = true;
            let expectation = expectation(line.attempt, agreement, response, &self.clips);
            self.plane.listen(line.stream, expectation);
            if !self.digits.is_empty() {
                self.plane.dial(line.stream, &self.digits);
            }
        }
    }

    /// Something else was agreed on, or nothing.
    pub(super) fn change(
        &mut self,
        now: Instant,
        line: CallerStream,
        agreement: Option<&Agreement>,
    ) {
        match agreement {
            Some(agreement) => self.plane.talk(now, line.stream, agreement),
            None => self.plane.hush(now, line.stream),
        }
    }

    /// The other side has dialled these by other means than RTP.
    pub(super) fn note_digits(&mut self, line: CallerStream, digits: &str) {
        self.plane.note_digits(line.stream, digits);
    }

    /// Gives the port back, and says what was heard in a call that was `answered`.
    pub(super) fn close(
        &mut self,
        now: Instant,
        line: CallerStream,
        answered: bool,
    ) -> Option<StreamReport> {
        let mut report = self.plane.close(now, line.stream)?;
        // No agreement on media is one way of hearing nothing.
        if answered && !line.listens {
            report.verdict = Some(SoundVerdict::Silent);
        }
        (answered || report.received > 0).then_some(report)
    }
}

/// Whose voice a caller expects. The PSAP knows the id of the attempt if its Session-ID gives it back (RFC 7989 §6);
/// then it must sing what follows from that, whatever its description says.
fn expectation(
    attempt: u128,
    agreement: &Agreement,
    response: &Message,
    clips: &Clips,
) -> ExpectedSound {
    let ours = format!("{attempt:032x}");
    let knows_us = response.session_id().is_some_and(|id| id.remote() == Some(&ours));
    let known = knows_us.then(|| Melody::of(attempt, Singer::Psap));
    ExpectedSound::of(agreement.sign.as_ref(), known, clips)
}
