//! Whether, when and how people call again after a call that failed.
//!
//! The defaults follow what is known of outages and of queues at answering points; where no figure
//! was ever measured they are the usual assumption of models, so a campaign may set each of them.

use std::time::Duration;

use topology::reader::{Raw, Table, kind};
use topology::{Distribution, is_emergency};

/// What people do after a call that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Redial {
    /// Share that calls again after a final refusal: busy, 503 or any other.
    pub after_refusal: f64,
    /// Share that calls again after a call without a ring and without a final response.
    pub after_silence: f64,
    /// Share that calls again after giving up while it rang.
    pub after_no_answer: f64,
    /// Share that calls again after an answered call that the network lost.
    pub after_cut: f64,
    /// Share that calls again after any failure, and never [`stop`](Self::stop)s, once the public
    /// was advised to redial.
    pub advised: f64,
    /// From the end of a call to the next one.
    pub gap: Distribution,
    /// The same after a call that was cut.
    pub gap_after_cut: Distribution,
    /// How long a caller bears to hear nothing. It stands for the patience until the first ring, and
    /// the patience counts from there. `None`: the patience counts from the INVITE.
    pub silence_patience: Option<Distribution>,
    /// Nobody calls more often than this.
    pub most_attempts: u32,
    /// From this failure on people look for another way, by the four shares below; what these leave
    /// over dials as before.
    pub switch_after: u32,
    /// Share that calls through another trunk group.
    pub other_network: f64,
    /// Share that dials the next of [`numbers`](Self::numbers).
    pub other_number: f64,
    /// Share that dials the ten digits of the PSAP, once these are published.
    pub ten_digit: f64,
    /// Name of the trunk group by which ten digits are dialled: a line on the switched network, as in a hospital, needs no call
    /// server of the pool. `None`: the caller's own.
    pub ten_digit_trunk_group: Option<String>,
    /// Share of the people who, once the ten digits are published, dial them with their first call.
    pub ten_digit_at_once: f64,
    /// Share that calls no more.
    pub stop: f64,
    /// Short numbers in the order in which people try them, round and round.
    pub numbers: Vec<String>,
}

impl Redial {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let standard = Self::default();
        let share = |key, default| table.or(key, kind::share, default);
        let numbers = match table.has("numbers") {
            true => table.required_list("numbers", emergency_number),
            false => standard.numbers,
        };
        let redial = Self {
            after_refusal: share("after_refusal", standard.after_refusal),
            after_silence: share("after_silence", standard.after_silence),
            after_no_answer: share("after_no_answer", standard.after_no_answer),
            after_cut: share("after_cut", standard.after_cut),
            advised: share("advised", standard.advised),
            gap: table.or("gap", kind::distribution, standard.gap),
            gap_after_cut: table.or("gap_after_cut", kind::distribution, standard.gap_after_cut),
            silence_patience: table.optional("silence_patience", kind::distribution),
            most_attempts: table.or(
                "most_attempts",
                kind::count(1..=1_000),
                standard.most_attempts,
            ),
            switch_after: table.or("switch_after", kind::count(1..=1_000), standard.switch_after),
            other_network: share("other_network", standard.other_network),
            other_number: share("other_number", standard.other_number),
            ten_digit: share("ten_digit", standard.ten_digit),
            ten_digit_trunk_group: table.optional("ten_digit_trunk_group", kind::name),
            ten_digit_at_once: share("ten_digit_at_once", standard.ten_digit_at_once),
            stop: share("stop", standard.stop),
            numbers,
        };
        let sum = redial.other_network + redial.other_number + redial.ten_digit + redial.stop;
        if sum > 1.0 + 1e-9 {
            table.report_here(format!(
                "other_network, other_number, ten_digit and stop add up to {sum:.3}; they must not \
                 exceed 1"
            ));
        }
        redial
    }
}

impl Default for Redial {
    fn default() -> Self {
        let gap =
            |seconds| Distribution::LogNormal { median: Duration::from_secs(seconds), sigma: 0.6 };
        Self {
            after_refusal: 0.85,
            after_silence: 0.85,
            after_no_answer: 0.5,
            after_cut: 0.95,
            advised: 0.95,
            gap: gap(5),
            gap_after_cut: gap(3),
            silence_patience: None,
            most_attempts: 20,
            switch_after: 3,
            other_network: 0.40,
            other_number: 0.25,
            ten_digit: 0.15,
            ten_digit_trunk_group: None,
            ten_digit_at_once: 0.0,
            stop: 0.20,
            numbers: ["15", "18", "112"].map(str::to_owned).to_vec(),
        }
    }
}

fn emergency_number(raw: Raw<'_>) -> Result<String, String> {
    match kind::text(raw) {
        Ok(number) if is_emergency(&number) => Ok(number),
        _ => Err(format!("must be an emergency number, such as \"112\", got {raw}")),
    }
}
