//! The generator's judgement of itself: each limit beyond which a run says nothing about the network, told once for the
//! verdict, the page and the screen.

use std::time::Duration;

use campaign::Validity;
use contract::GeneratorSnapshot;
use telemetry::MessageFigures;
use telemetry::metric::share;

use super::figures::GeneratorFigures;
use crate::text::counted;

/// Share of its cores from which on a machine has no time for whoever wants a core now.
const BUSY: f64 = 0.9;
/// Share of the cores that other programs take, from which on they are named.
const OTHERS: f64 = 0.15;

/// One limit of the generator, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidityCheck {
    /// What is limited, in a few words.
    pub name: &'static str,
    pub measured: Amount,
    pub limit: Amount,
    /// Whether the run kept within the limit.
    pub holds: bool,
    /// In a few words, for a screen: what is wrong when it does not hold.
    pub short: String,
    /// The sentence about it when it does not hold: what is wrong, and what helps.
    pub sentence: String,
}

/// What is measured, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// A time in microseconds, by the clock of the campaign; `None` where nobody measured it.
    Micros(Option<u64>),
    /// From 0 to 1; `None` where nobody measured it.
    Share(Option<f64>),
    Count(u64),
}

impl GeneratorFigures {
    /// What generators show of themselves, and which of their messages came to nothing; without what only the end of a run
    /// tells: CPU and steps of the clock.
    #[must_use]
    pub fn of(shown: &GeneratorSnapshot, messages: &MessageFigures, limits: Validity) -> Self {
        let media = &shown.media;
        let due = media.sent + media.skipped;
        Self {
            lag: shown.lag_quantiles(),
            late_starts: shown.late_starts,
            not_started: shown.not_started,
            feed_exhausted: shown.feed_exhausted,
            socket_losses: messages.kernel_drops + messages.unsent,
            late_media_share: share(media.late + media.skipped, due).unwrap_or_default(),
            without_port: shown.without_port,
            without_file: media.without_file.min(shown.without_port),
            signalling: shown.signalling,
            limits,
            ..Self::default()
        }
    }

    /// Every limit, in the order in which the verdict names them. `compression` is how much faster than the wall's the clock
    /// of the run went: the limits are those of the machine, so they are held against its time.
    #[must_use]
    pub fn checks(&self, compression: f64) -> Vec<ValidityCheck> {
        vec![
            self.lag(compression),
            self.cpu(),
            self.clock(),
            self.late_retransmissions(),
            none(
                "calls that were due and not started",
                self.not_started,
                |calls| format!("the generator did not start {}", counted(calls, "call", "calls")),
                " that should have begun: too many were in progress, or it was too slow; lower the load, or raise \
                 limits.max_in_progress",
            ),
            none(
                "calls for which the feed had no row left",
                self.feed_exhausted,
                |calls| format!("the generator did not start {}", counted(calls, "call", "calls")),
                ": its feed had no row left; give it more rows or another order than \"once\"",
            ),
            none(
                "datagrams that its sockets lost",
                self.socket_losses,
                |lost| {
                    let lost = counted(lost, "datagram", "datagrams");
                    format!("the generator's own sockets lost {lost}")
                },
                ": it could not keep up with its traffic; lower the load or raise net.core.rmem_max",
            ),
            self.late_media(),
            none(
                "calls without a port for media",
                self.without_port,
                |calls| {
                    let calls = counted(calls, "call", "calls");
                    match self.without_file {
                        0 => format!("the generator had no RTP port for {calls}"),
                        _ => {
                            format!("the generator could open no file for the RTP ports of {calls}")
                        }
                    }
                },
                match self.without_file {
                    0 => ": widen media.ports or lower callers.media",
                    _ => ": raise the limit of open files (ulimit -n) or lower callers.media",
                },
            ),
        ]
    }

    /// When the machine had no time for the run: a sentence that says so, and who took it.
    #[must_use]
    pub fn no_time(&self) -> Option<String> {
        let machine = self.machine.filter(|machine| machine.busy_share >= BUSY)?;
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let cores = counted(machine.cores, "core of it was", "cores of it were");
        let busy = percent(machine.busy_share);
        let why = match machine.others_share >= OTHERS {
            true => format!(
                "{} went to other programs; end them, or measure on a machine of its own",
                percent(machine.others_share)
            ),
            false => "nearly all of that by this run; lower the load, or take a larger machine"
                .to_owned(),
        };
        Some(format!("the machine had no time: {cores} {busy} busy, {why}"))
    }

    fn lag(&self, compression: f64) -> ValidityCheck {
        let bound = self.limits.lag_p99;
        let p99 = self.lag.p99.unwrap_or_default();
        let lag = Duration::from_micros(p99).div_f64(compression);
        let (milliseconds, most) = (lag.as_secs_f64() * 1_000.0, bound.as_millis());
        ValidityCheck {
            name: "lag of calls, p99",
            measured: Amount::Micros(self.lag.p99),
            limit: micros(bound.mul_f64(compression)),
            holds: lag <= bound,
            short: format!(
                "the generator is late: lag p99 {milliseconds:.1} ms, the limit is {most} ms"
            ),
            sentence: format!(
                "the generator started calls late: the 99th percentile of its lag is {milliseconds:.1} ms, the limit is \
                 {most} ms"
            ),
        }
    }

    fn cpu(&self) -> ValidityCheck {
        let bound = self.limits.cpu;
        let used = self.busiest_cpu_share.unwrap_or_default() * 100.0;
        let short = format!(
            "the generator used {used:.0} % of its core at its busiest, the limit is {:.0} %",
            bound * 100.0
        );
        ValidityCheck {
            name: "CPU of its core, in the busiest five seconds",
            measured: Amount::Share(self.busiest_cpu_share),
            limit: Amount::Share(Some(bound)),
            holds: self.busiest_cpu_share.is_none_or(|share| share <= bound),
            sentence: format!(
                "{short}: what it waited for it may have been too busy to see; lower the load or give it more shards"
            ),
            short,
        }
    }

    fn clock(&self) -> ValidityCheck {
        let step = Duration::from_micros(self.clock_step_us);
        let seconds = step.as_secs_f64();
        ValidityCheck {
            name: "step of the machine's clock",
            measured: Amount::Micros(Some(self.clock_step_us)),
            limit: micros(self.limits.clock_step),
            holds: step <= self.limits.clock_step,
            short: format!("the machine's clock was set by {seconds:.1} s"),
            sentence: format!(
                "the machine's clock was set by {seconds:.1} s during the run, or the machine slept: times of its processes \
                 do not compare"
            ),
        }
    }

    fn late_retransmissions(&self) -> ValidityCheck {
        let (late, silent) = (self.signalling.resent_late, self.signalling.resent_to_silent_peer);
        let bound = self.limits.late_retransmissions;
        let messages = counted(late, "message", "messages");
        let short =
            format!("the generator sent {messages} again by timers that it had served late");
        ValidityCheck {
            name: "messages sent again by being late, of all sent",
            measured: Amount::Share(Some(late as f64 / self.signalling.sent.max(1) as f64)),
            limit: Amount::Share(Some(bound)),
            holds: late as f64 <= bound * self.signalling.sent as f64,
            sentence: format!(
                "{short}, and {silent} because peers were silent: most retransmissions say nothing about the network"
            ),
            short,
        }
    }

    fn late_media(&self) -> ValidityCheck {
        let bound = self.limits.late_rtp;
        let (late, most) = (self.late_media_share * 100.0, bound * 100.0);
        let tail = "of its RTP packets went out more than 20 ms after their time";
        let short = format!("the generator spoke late: {late:.1} % {tail}");
        ValidityCheck {
            name: "RTP packets over 20 ms late",
            measured: Amount::Share(Some(self.late_media_share)),
            limit: Amount::Share(Some(bound)),
            holds: self.late_media_share <= bound,
            sentence: format!("{short}, the limit is {most:.0} %; lower the load or callers.media"),
            short,
        }
    }
}

/// What must not happen at all.
fn none(
    name: &'static str,
    count: u64,
    short: impl Fn(u64) -> String,
    more: &str,
) -> ValidityCheck {
    let short = short(count);
    ValidityCheck {
        name,
        measured: Amount::Count(count),
        limit: Amount::Count(0),
        holds: count == 0,
        sentence: format!("{short}{more}"),
        short,
    }
}

fn micros(duration: Duration) -> Amount {
    Amount::Micros(Some(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
}
