//! What a bench found, for people (`report.txt`) and for scripts (`bench.json`).

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use telemetry::Ledger;

use super::search::{RateLimit, SearchResult, TrialFinding};
use super::trial::Trial;
use crate::text::{millis, or_dash};

/// Version of the shape of `bench.json`.
const SCHEMA_VERSION: u32 = 1;

/// A late generator that used less of a core, in per cent, was kept from it by others.
const STARVED: f64 = 50.0;

/// What a bench is worth; see the exit codes of `tocsin run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BenchVerdict {
    Pass,
    Fail,
    Invalid,
    /// A process was lost.
    Degraded,
    Interrupted,
}

/// `bench.json`: fields are added, never renamed. Rates are calls per second.
#[derive(Debug, Serialize)]
pub struct BenchReport {
    pub schema_version: u32,
    pub verdict: BenchVerdict,
    pub reasons: Vec<String>,
    /// What was measured: a network file's name, or the address of a target.
    pub network: String,
    pub seed: u64,
    /// Session duration, and establishment threshold time (RFC 7501), in seconds.
    pub talk_s: f64,
    pub within_s: f64,
    pub media: bool,
    /// The session establishment rate (RFC 7502): the highest rate at which every session was established. `null` when there
    /// was none.
    pub rate: Option<f64>,
    /// `ceiling`: the network's own limit. `floor`: it can do at least that.
    pub bound: Option<&'static str>,
    /// The same in words.
    pub finding: String,
    pub trials: Vec<Trial>,
    /// Calls that boxes still held when nobody called any more, by box.
    pub retained: Vec<(String, u64)>,
    /// Of all boxes over the whole bench; `null` where that cannot be known.
    pub ledger: Option<Ledger>,
}

impl BenchReport {
    /// Something went wrong after it was judged; `why` is a sentence.
    pub fn degrade(&mut self, why: String) {
        self.reasons.push(why);
        if self.verdict != BenchVerdict::Invalid {
            self.verdict = BenchVerdict::Degraded;
        }
    }
}

/// What is known once all trials have been made.
#[derive(Debug)]
pub struct Conclusion {
    pub found: Option<SearchResult>,
    pub trials: Vec<Trial>,
    pub retained: Vec<(String, u64)>,
    /// Whoever was let in under overload must hear it ring within this time.
    pub pdd_limit: Duration,
    pub ledger: Option<Ledger>,
    /// A sentence about sessions with media that were not heard.
    pub unheard: Option<String>,
    /// Sentences about processes that were lost.
    pub losses: Vec<String>,
    pub interrupted: bool,
}

impl Conclusion {
    /// Judges a bench; the rest of what describes it is filled in by whoever asked for it.
    pub fn judge(self) -> BenchReport {
        let (rate, bound) = self.rate();
        let finding = self.finding();
        let mut reasons = self.complaints();
        let verdict = match self.found {
            _ if self.interrupted => BenchVerdict::Interrupted,
            _ if !self.losses.is_empty() => BenchVerdict::Degraded,
            Some(SearchResult::Nothing { limit: RateLimit::Generator { .. } }) => {
                reasons.insert(0, finding.clone());
                BenchVerdict::Invalid
            }
            Some(SearchResult::Nothing { .. }) => {
                reasons.insert(0, finding.clone());
                BenchVerdict::Fail
            }
            _ if reasons.is_empty() => BenchVerdict::Pass,
            _ => BenchVerdict::Fail,
        };
        BenchReport {
            schema_version: SCHEMA_VERSION,
            verdict,
            reasons,
            network: String::new(),
            seed: 0,
            talk_s: 0.0,
            within_s: 0.0,
            media: false,
            rate,
            bound,
            finding,
            trials: self.trials,
            retained: self.retained,
            ledger: self.ledger,
        }
    }

    fn rate(&self) -> (Option<f64>, Option<&'static str>) {
        match self.found {
            Some(SearchResult::Found { rate, limit: RateLimit::Network { .. }, .. }) => {
                (Some(rate), Some("ceiling"))
            }
            Some(SearchResult::Found { rate, .. }) => (Some(rate), Some("floor")),
            Some(SearchResult::Nothing { .. }) | None => (None, None),
        }
    }

    /// The result in a sentence that claims no more than was seen.
    fn finding(&self) -> String {
        match self.found {
            None => "no rate was found before the end".to_owned(),
            Some(SearchResult::Found { rate, limit, confirmed }) => {
                let length = self.trial(confirmed).map_or(0.0, |trial| trial.length_s);
                let held = format!("{rate}/s held for {length:.0} s without a failure");
                match limit {
                    RateLimit::Network { trial } => {
                        format!("ceiling: {held}; at {}", self.failure(trial))
                    }
                    RateLimit::Generator { trial } => format!(
                        "floor: {held}; the generator ran out before the network did{}",
                        self.exhaustion(trial)
                    ),
                    RateLimit::Asked => {
                        format!("floor: {held}, and more was not asked for (--max-rate)")
                    }
                }
            }
            Some(SearchResult::Nothing { limit: RateLimit::Network { trial } }) => {
                format!("{}: at {}", self.unconfirmed(), self.failure(trial))
            }
            Some(SearchResult::Nothing { limit: RateLimit::Generator { trial } }) => {
                let (rates, why) = (self.unconfirmed(), self.exhaustion(trial));
                format!("{rates}: the generator ran out{why}")
            }
            Some(SearchResult::Nothing { limit: RateLimit::Asked }) => self.unconfirmed(),
        }
    }

    fn failure(&self, number: usize) -> String {
        self.trial(number).map_or_else(String::new, |trial| {
            let (rate, share) = (trial.rate, trial.failed_percent());
            format!("{rate}/s {share:.1} % failed ({})", trial.failures())
        })
    }

    /// What is left to say where no rate was confirmed.
    fn unconfirmed(&self) -> String {
        let held = self.trials.iter().filter(|trial| trial.finding == TrialFinding::Held);
        let best = held.map(|trial| trial.rate).max_by(f64::total_cmp);
        best.map_or_else(
            || "no rate held".to_owned(),
            |rate| format!("no rate held for long, {rate}/s for a moment"),
        )
    }

    fn exhaustion(&self, number: usize) -> String {
        self.trial(number).map_or_else(String::new, |trial| {
            let lag = or_dash(trial.lag.p99.map(|lag| millis(lag as f64)));
            let (rate, cpu) = (trial.rate, trial.generator_cpu * 100.0);
            let first = trial.against_generator.first().map_or("", String::as_str);
            // A generator that waits for a processor is late without having worked.
            let starved = if cpu < STARVED { ", so the machine had no time for it" } else { "" };
            format!(" (at {rate}/s: lag p99 {lag}, CPU {cpu:.0} % of a core{starved}): {first}")
        })
    }

    fn trial(&self, number: usize) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.number == number)
    }

    fn stage(&self, stage: &str) -> Option<&Trial> {
        self.trials.iter().rfind(|trial| trial.stage == stage)
    }

    /// What went wrong beside the search.
    fn complaints(&self) -> Vec<String> {
        let mut complaints = self.losses.clone();
        if let Some(trial) =
            self.stage("overload").filter(|it| it.finding != TrialFinding::GeneratorOut)
        {
            let rate = trial.rate;
            let unclean = trial.unclean(self.pdd_limit).into_iter();
            complaints.extend(unclean.map(|what| format!("at 150 %, {rate}/s: {what}")));
        }
        if let Some(trial) = self.stage("recovery").filter(|it| it.finding == TrialFinding::Failed)
        {
            let (rate, failures) = (trial.rate, trial.failures());
            complaints.push(format!("it has not recovered: at {rate}/s again, {failures}"));
        }
        complaints.extend(self.unheard.clone());
        for (name, calls) in &self.retained {
            complaints.push(format!("{name} holds {calls} calls that nobody has any more"));
        }
        // What callers who came late saw and did is no evidence.
        let late = self.trials.iter().any(|trial| trial.finding == TrialFinding::GeneratorOut);
        if let Some(ledger) = self.ledger.as_ref().filter(|ledger| !ledger.balanced && !late) {
            let first = ledger.faults.first().map_or("attempts have no record", String::as_str);
            complaints.push(format!("the ledger of the bench does not balance: {first}"));
        }
        complaints
    }
}

/// The names of the columns of [`row`].
pub fn header() -> String {
    format!(
        "{:>5}  {:<8}  {:>8}  {:>8}  {:>11}  {:>7}  {:>10}  {:>10}  {:>7}  result",
        "trial",
        "stage",
        "rate/s",
        "offered",
        "established",
        "failed",
        "lag p99 ms",
        "pdd p99 ms",
        "gen CPU"
    )
}

/// A trial in a line.
pub fn row(trial: &Trial) -> String {
    let millis = |micros: Option<u64>| {
        or_dash(micros.map(|micros| format!("{:.1}", micros as f64 / 1_000.0)))
    };
    let result = match trial.finding {
        TrialFinding::Held => "held".to_owned(),
        TrialFinding::Failed => trial.failures(),
        TrialFinding::GeneratorOut => "says nothing: the generator was late".to_owned(),
    };
    format!(
        "{:>5}  {:<8}  {:>8}  {:>8}  {:>11}  {:>7}  {:>10}  {:>10}  {:>7}  {result}",
        trial.number,
        trial.stage,
        trial.rate,
        trial.offered,
        trial.established,
        trial.failed(),
        millis(trial.lag.p99),
        millis(trial.pdd.p99),
        format!("{:.0} %", trial.generator_cpu * 100.0),
    )
}

/// The report: the verdict and the finding, the trials, what is wrong.
pub fn report(bench: &BenchReport) -> String {
    let rows: String = bench.trials.iter().map(|trial| format!("{}\n", row(trial))).collect();
    format!("{}\n{}\n{rows}{}", headline(bench), header(), closing(bench))
}

/// The report without its trials, for whoever has seen them already.
pub fn brief(bench: &BenchReport) -> String {
    format!("{}{}", headline(bench), closing(bench))
}

fn headline(bench: &BenchReport) -> String {
    let word = match bench.verdict {
        BenchVerdict::Pass => "PASS",
        BenchVerdict::Fail => "FAIL",
        BenchVerdict::Invalid => "INVALID",
        BenchVerdict::Degraded => "DEGRADED",
        BenchVerdict::Interrupted => "INTERRUPTED",
    };
    let BenchReport { network, finding, talk_s, within_s, seed, .. } = bench;
    let media = if bench.media { "with media" } else { "without media" };
    format!(
        "{word}  bench of {network}, seed {seed}\n{finding}\n\
         sessions of {talk_s} s {media}, each to be established within {within_s} s\n"
    )
}

/// What happened beyond the best rate, and what is wrong.
fn closing(bench: &BenchReport) -> String {
    let mut text = String::new();
    match bench.trials.iter().rfind(|trial| trial.stage == "overload") {
        Some(trial) if trial.finding == TrialFinding::GeneratorOut => {
            text += "\n150 % could not be driven: the generator ran out\n";
        }
        Some(trial) => {
            let (admitted, refused) = (trial.established_rate(), trial.failures());
            let p99 = or_dash(trial.pdd.p99.map(|p99| millis(p99 as f64)));
            let _ = writeln!(
                text,
                "\nat 150 %: {admitted:.0}/s established with pdd p99 {p99}; refused: {refused}"
            );
        }
        None if bench.bound == Some("floor") => {
            text += "\n150 % was not driven: the network's own limit is not known\n";
        }
        None => {}
    }
    for reason in bench.reasons.iter().filter(|reason| **reason != bench.finding) {
        let _ = writeln!(text, "! {reason}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fixture::trial;
    use super::*;

    fn concluded(found: SearchResult, trials: Vec<Trial>) -> Conclusion {
        let pdd_limit = Duration::from_millis(500);
        let (retained, losses) = (Vec::new(), Vec::new());
        let (ledger, unheard, interrupted) = (None, None, false);
        let found = Some(found);
        Conclusion { found, trials, retained, pdd_limit, ledger, unheard, losses, interrupted }
    }

    #[test]
    fn a_ceiling_names_what_failed_above_it() {
        let above = Trial { rate: 620.0, ..trial(1, 36) };
        let confirmed = Trial { stage: "confirm", ..trial(2, 0) };
        let found = SearchResult::Found {
            rate: 600.0,
            limit: RateLimit::Network { trial: 1 },
            confirmed: 2,
        };
        let bench = concluded(found, vec![above, confirmed]).judge();
        assert_eq!(
            bench.finding,
            "ceiling: 600/s held for 5 s without a failure; at 620/s 1.2 % failed (503: 36)"
        );
        assert_eq!(
            (bench.verdict, bench.rate, bench.bound),
            (BenchVerdict::Pass, Some(600.0), Some("ceiling"))
        );
    }

    #[test]
    fn a_generator_that_ran_out_is_never_the_networks_failure() {
        let late = Trial {
            finding: TrialFinding::GeneratorOut,
            against_generator: vec!["the generator started calls late".to_owned()],
            ..trial(1, 200)
        };
        let limit = RateLimit::Generator { trial: 1 };
        let found = SearchResult::Found { rate: 300.0, limit, confirmed: 2 };
        let bench = concluded(found, vec![late.clone(), trial(2, 0)]).judge();
        let wanted = "floor: 300/s held for 5 s without a failure; the generator ran out before the network did (at 600/s: \
                      lag p99 0.4 ms, CPU 31 % of a core, so the machine had no time for it): the generator started calls late";
        assert_eq!((bench.finding.as_str(), bench.verdict), (wanted, BenchVerdict::Pass));
        assert!(report(&bench).contains("150 % was not driven"), "{}", report(&bench));
        let bench = concluded(SearchResult::Nothing { limit }, vec![late]).judge();
        assert_eq!((bench.verdict, bench.rate), (BenchVerdict::Invalid, None));
    }

    #[test]
    fn an_overload_that_is_not_refused_cleanly_fails_the_bench() {
        let overload = |trial| Trial { stage: "overload", ..trial };
        let found = SearchResult::Found {
            rate: 600.0,
            limit: RateLimit::Network { trial: 1 },
            confirmed: 2,
        };
        let judge = |last: Trial| concluded(found, vec![trial(1, 36), trial(2, 0), last]).judge();
        assert_eq!(judge(overload(trial(3, 1_000))).verdict, BenchVerdict::Pass);
        let silent = overload(Trial { silent: 7, refused: [].into(), ..trial(3, 7) });
        let bench = judge(silent);
        assert_eq!(bench.verdict, BenchVerdict::Fail);
        assert_eq!(bench.reasons, ["at 150 %, 600/s: 7 sessions got no response"]);
        let recovery = Trial { stage: "recovery", ..trial(4, 3) };
        assert_eq!(judge(recovery).reasons, ["it has not recovered: at 600/s again, 503: 3"]);
    }

    #[test]
    fn calls_that_nobody_has_any_more_fail_the_bench() {
        let found = SearchResult::Found { rate: 600.0, limit: RateLimit::Asked, confirmed: 1 };
        let mut conclusion = concluded(found, vec![trial(1, 0)]);
        conclusion.retained = vec![("alpha".to_owned(), 3)];
        let bench = conclusion.judge();
        assert_eq!(bench.reasons, ["alpha holds 3 calls that nobody has any more"]);
        assert!(report(&bench).starts_with("FAIL  bench of "), "{}", report(&bench));
    }

    #[test]
    fn half_a_bench_is_no_pass() {
        let found = SearchResult::Found { rate: 600.0, limit: RateLimit::Asked, confirmed: 1 };
        let interrupted = Conclusion { interrupted: true, ..concluded(found, vec![trial(1, 0)]) };
        assert_eq!(interrupted.judge().verdict, BenchVerdict::Interrupted);
        let losses = vec!["process site-alpha was lost: signal: 9 (SIGKILL)".to_owned()];
        let bench = Conclusion { found: None, losses, ..concluded(found, Vec::new()) }.judge();
        assert_eq!((bench.verdict, bench.rate), (BenchVerdict::Degraded, None));
        assert!(report(&bench).contains("! process site-alpha was lost"), "{}", report(&bench));
    }

    #[test]
    fn rows_stand_under_their_header() {
        let (header, row) = (header(), row(&trial(12, 0)));
        assert_eq!(header.find("result"), row.find("held"), "{header}\n{row}");
    }
}
