//! PSAPs: who answers, how many at once, and how well.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::distribution::Distribution;
use crate::limits::{SipLimits, SourceLimits};
use crate::media::{self, Audio, Media, Waiting};
use crate::number::{self, is_fictitious};
use crate::pool::SipTimers;
use crate::reader::{Raw, Table, kind};

/// A public safety answering point: a queue and call takers at positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Psap {
    pub name: String,
    pub address: SocketAddr,
    /// Ten digits of a fiction block: what 15, 17, 18 or 112 is translated to.
    pub number: String,
    /// Call takers: calls answered at once.
    pub positions: u32,
    /// Calls that may wait for a position.
    pub queue_limit: u32,
    /// What happens to a call that finds the queue full.
    pub when_full: WhenFull,
    /// How long a call taker lets it ring once the call is offered.
    pub ring: Distribution,
    /// After this the call taker hangs up. `None`: the call taker never does.
    pub talk: Option<Distribution>,
    /// A position rests this long after each call.
    pub wrap_up: Distribution,
    /// The service level is the share of calls answered within this time.
    pub service_level: Duration,
    /// Shares of the calls that meet a fault; the rest is [`Behaviour::Normal`].
    pub behaviours: Vec<BehaviourShare>,
    pub media_ports: RangeInclusive<u16>,
    /// Media that should come and has not come for this long has stopped.
    pub idle_after: Duration,
    /// See [`SipTimers::audit`](crate::SipTimers).
    pub audit: Duration,
    /// What the call taker says.
    pub audio: Audio,
    /// What a caller hears before.
    pub waiting: Waiting,
    /// Share of the answered calls of which both sides are recorded.
    pub record: f64,
    /// Of callers that come straight here; trunk groups and call servers are peers.
    pub sources: SourceLimits,
    /// See [`Topology::sip`](crate::Topology).
    pub limits: SipLimits,
}

/// The answer to a call that finds the queue full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhenFull {
    /// Refused with 486, 503 or 600 (RFC 3261 §21.4.24, §21.5.4, §21.6.1).
    Reject(u16),
    /// Sent on with 302 (RFC 3261 §21.3.3).
    Redirect { psap: String, number: String, address: SocketAddr },
}

/// A share of a PSAP's calls and what happens to them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BehaviourShare {
    /// 0 to 1.
    pub share: f64,
    pub behaviour: Behaviour,
}

/// What a call meets at a PSAP.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Behaviour {
    Normal,
    /// Rings for ever.
    NoAnswer,
    /// Answers, and hangs up after `after`.
    AnswerThenDrop {
        after: Duration,
    },
    /// Answers and sends no media.
    Mute,
    /// Takes `factor` times as long to answer.
    Slow {
        factor: f64,
    },
    /// Refused with `status`, 400 to 699.
    Reject {
        status: u16,
    },
    /// No response at all.
    Silent,
}

impl Psap {
    /// Reads every `[psaps.NAME]` and resolves redirections between them.
    pub(crate) fn read_all(
        root: &Table<'_>,
        media: &Media,
        timers: SipTimers,
        limits: SipLimits,
    ) -> Vec<Self> {
        let drafts = root.named("psaps", |table| {
            let when_full = table.or("when_full", when_full, FullText::Reject(486));
            (Self::read(table, media, timers, limits), when_full, table.path("when_full"))
        });
        let others: Vec<Self> = drafts.iter().map(|(psap, ..)| psap.clone()).collect();
        let resolve = |(mut psap, when_full, path): (Self, FullText, String)| {
            psap.when_full = match when_full {
                FullText::Reject(status) => WhenFull::Reject(status),
                FullText::Redirect(name) if name == psap.name => {
                    root.document().report(&path, "must name another PSAP than itself");
                    WhenFull::Reject(486)
                }
                FullText::Redirect(name) => match others.iter().find(|p| p.name == name) {
                    Some(p) => WhenFull::Redirect {
                        psap: name,
                        number: p.number.clone(),
                        address: p.address,
                    },
                    None => {
                        root.document().report(&path, unknown_psap(&name, &others));
                        WhenFull::Reject(486)
                    }
                },
            };
            psap
        };
        drafts.into_iter().map(resolve).collect()
    }

    fn read(table: &Table<'_>, media: &Media, timers: SipTimers, limits: SipLimits) -> Self {
        let fixed = |millis| Distribution::Fixed(Duration::from_millis(millis));
        let behaviours = table.tables("behaviours", BehaviourShare::read);
        let shares: f64 = behaviours.iter().map(|behaviour| behaviour.share).sum();
        if shares > 1.0 + 1e-9 {
            let message = format!("the shares add up to {shares:.3}; they must not exceed 1");
            table.report("behaviours", message);
        }
        let audio = table.or("audio", media::audio, Audio::Tones);
        let waiting = table.or("waiting", media::waiting, Waiting::Ringing);
        let clips = [
            ("audio", if let Audio::Clip(name) = &audio { Some(name) } else { None }),
            ("waiting", if let Waiting::Announcement(name) = &waiting { Some(name) } else { None }),
        ];
        for (key, name) in clips {
            if let Some(name) = name.filter(|name| media.clip(name).is_none()) {
                table.report(key, media.unknown_clip(name));
            }
        }
        let positions = table.required("positions", kind::count(1..=10_000), 1);
        let queue_limit = table.or("queue", kind::count(0..=100_000), 20);
        Self {
            name: table.name().to_owned(),
            address: table.required("address", kind::address, kind::NO_ADDRESS),
            number: table.required("number", fictitious_number, String::new()),
            positions,
            queue_limit,
            when_full: WhenFull::Reject(486),
            ring: table.or("ring", kind::distribution, fixed(2_000)),
            talk: table.or("talk", talk, None),
            wrap_up: table.or("wrap_up", kind::distribution, fixed(0)),
            service_level: table.or(
                "service_level",
                kind::duration(Duration::from_millis(100)),
                Duration::from_secs(10),
            ),
            behaviours,
            media_ports: table.or("media_ports", media::ports, media.ports.clone()),
            idle_after: media.idle_after,
            audit: timers.audit,
            audio,
            waiting,
            record: table.or("record", kind::share, 0.0),
            sources: SourceLimits::read(table, positions + queue_limit, None),
            limits,
        }
    }
}

impl BehaviourShare {
    fn read(table: &Table<'_>) -> Self {
        const WORDS: [(&str, Behaviour); 6] = [
            ("no-answer", Behaviour::NoAnswer),
            ("answer-then-drop", Behaviour::AnswerThenDrop { after: Duration::from_secs(1) }),
            ("mute", Behaviour::Mute),
            ("slow", Behaviour::Slow { factor: 3.0 }),
            ("reject", Behaviour::Reject { status: 486 }),
            ("silent", Behaviour::Silent),
        ];
        let share = table.required("share", kind::share, 0.0);
        let mut behaviour = table.required("behaviour", kind::choice(&WORDS), Behaviour::Normal);
        match &mut behaviour {
            Behaviour::AnswerThenDrop { after } => {
                *after = table.or("after", kind::duration(Duration::ZERO), *after);
            }
            Behaviour::Slow { factor } => {
                *factor = table.or("factor", kind::number(1.0..=1_000.0), *factor);
            }
            Behaviour::Reject { status } => {
                let read = table.or("status", kind::count(400..=699), u32::from(*status));
                *status = u16::try_from(read).unwrap_or(*status);
            }
            _ => {}
        }
        Self { share, behaviour }
    }
}

/// `when_full` as written: the PSAP it names is not yet known to exist.
#[derive(Debug, Clone)]
enum FullText {
    Reject(u16),
    Redirect(String),
}

fn when_full(raw: Raw<'_>) -> Result<FullText, String> {
    let refuse = || {
        format!(
            "must be \"reject 486\", \"reject 503\", \"reject 600\" or \"redirect PSAP\", got {raw}"
        )
    };
    let text = kind::text(raw).map_err(|_| refuse())?;
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["reject", "486"] => Ok(FullText::Reject(486)),
        ["reject", "503"] => Ok(FullText::Reject(503)),
        ["reject", "600"] => Ok(FullText::Reject(600)),
        ["redirect", psap] => Ok(FullText::Redirect(psap.to_owned())),
        _ => Err(refuse()),
    }
}

fn talk(raw: Raw<'_>) -> Result<Option<Distribution>, String> {
    match kind::text(raw).as_deref() {
        Ok("never") => Ok(None),
        _ => kind::distribution(raw)
            .map(Some)
            .map_err(|refusal| format!("{refusal}; \"never\" leaves hanging up to the caller")),
    }
}

fn fictitious_number(raw: Raw<'_>) -> Result<String, String> {
    let number = kind::text(raw)?;
    if is_fictitious(&number) {
        return Ok(number);
    }
    match number.len() == 10 && number.bytes().all(|b| b.is_ascii_digit()) {
        true => Err(number::refusal(&number)),
        false => {
            Err(format!("must be ten digits of a fiction block, such as \"0199001234\", got {raw}"))
        }
    }
}

/// What to say of a PSAP that does not exist.
pub(crate) fn unknown_psap(name: &str, psaps: &[Psap]) -> String {
    let names: Vec<&str> = psaps.iter().map(|psap| &psap.name[..]).collect();
    format!("no PSAP is called {name:?}; the PSAPs are {}", names.join(", "))
}
