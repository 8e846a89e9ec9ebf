//! The attempts of one site, trunk group, number, département or PSAP, or of all of them, by the names of the standards.

use std::time::Duration;

use telemetry::{Entry, LatencyHistogram, Outcome};

use super::GroupMetrics;
use super::ratio::ratio;

/// Counts of a group of attempts.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) offered: u64,
    answered: u64,
    failed: u64,
    /// Their INVITE got a 200, also those that were lost later.
    established: u64,
    /// Callees who were busy, did not answer or refused (ITU-T E.425).
    callee_failed: u64,
    /// As RFC 6076 §4.7 counts them: 480, 486, 600 and 603.
    callee_status: u64,
    /// 3xx, which RFC 6076 leaves out of most ratios.
    redirected: u64,
    /// 408, 500, 503 or 504, or no final response (RFC 6076 §4.8).
    ineffective: u64,
    /// Time on circuits, in microseconds.
    busy_us: u64,
    pub(super) pdd: LatencyHistogram,
    pub(super) setup: LatencyHistogram,
    pub(super) sdd: LatencyHistogram,
    pub(super) sdt: LatencyHistogram,
}

impl Group {
    /// Takes the record of a caller.
    pub(super) fn add(&mut self, record: &Entry<'_>) {
        self.offered += 1;
        match record.outcome {
            Outcome::Answered => self.answered += 1,
            Outcome::Rejected | Outcome::TimedOut | Outcome::Lost => self.failed += 1,
            Outcome::Abandoned => {}
        }
        if let Some(pdd) = record.post_dial_delay_us() {
            self.pdd.record_us(pdd);
        }
        if let Some(setup) = record.setup_us() {
            self.established += 1;
            self.setup.record_us(setup);
        }
        self.add_end(record);
        self.busy_us += record.end_us.saturating_sub(record.start_us);
        let status = record.status;
        let callee_status = matches!(status, Some(480 | 486 | 600 | 603));
        // A caller who gave up while it rang is a call that was not answered in time.
        let unanswered = record.outcome == Outcome::Abandoned && record.ring_us.is_some();
        self.callee_status += u64::from(callee_status);
        self.callee_failed += u64::from(callee_status || unanswered);
        self.redirected += u64::from(status.is_some_and(|status| (300..400).contains(&status)));
        let no_response = record.outcome == Outcome::TimedOut && status.is_none();
        let is_ineffective = matches!(status, Some(408 | 500 | 503 | 504)) || no_response;
        self.ineffective += u64::from(is_ineffective);
    }

    /// RFC 6076 §4.4, §4.5.1: from the BYE to its response, and from the 200 to the BYE, of calls that ended well.
    fn add_end(&mut self, record: &Entry<'_>) {
        let Some(answer) = record.answer_us.filter(|_| record.outcome == Outcome::Answered) else {
            return;
        };
        if let Some(bye) = record.bye_us {
            self.sdd.record_us(record.end_us.saturating_sub(bye));
        }
        let end = record.bye_us.unwrap_or(record.end_us);
        self.sdt.record_us(end.saturating_sub(answer));
    }

    /// Answer-seizure ratio (ITU-T E.425).
    pub(super) fn asr(&self) -> Option<f64> {
        ratio(self.established, self.offered)
    }

    /// Network effectiveness ratio (ITU-T E.425).
    pub(super) fn ner(&self) -> Option<f64> {
        ratio(self.established + self.callee_failed, self.offered)
    }

    /// RFC 6076 §4.6.
    pub(super) fn ser(&self) -> Option<f64> {
        ratio(self.established, self.offered - self.redirected)
    }

    /// RFC 6076 §4.7.
    pub(super) fn seer(&self) -> Option<f64> {
        ratio(self.established + self.callee_status, self.offered - self.redirected)
    }

    /// RFC 6076 §4.8.
    pub(super) fn isa(&self) -> Option<f64> {
        ratio(self.ineffective, self.offered)
    }

    /// RFC 6076 §4.9.
    pub(super) fn scr(&self) -> Option<f64> {
        ratio(self.answered, self.offered - self.redirected)
    }

    /// Circuits occupied on average over `ran`.
    pub(super) fn erlang(&self, ran: Duration) -> f64 {
        match ran.as_secs_f64() {
            0.0 => 0.0,
            seconds => self.busy_us as f64 / 1e6 / seconds,
        }
    }

    pub(super) fn occupancy(&self, ran: Duration, circuits: Option<u64>) -> Option<f64> {
        circuits.filter(|circuits| *circuits > 0).map(|circuits| self.erlang(ran) / circuits as f64)
    }

    pub(super) fn metrics(
        &self,
        offered_in_run: u64,
        ran: Duration,
        circuits: Option<u64>,
    ) -> GroupMetrics {
        GroupMetrics {
            offered: self.offered,
            answered: self.answered,
            failed: self.failed,
            share: ratio(self.offered, offered_in_run).unwrap_or_default(),
            asr: self.asr(),
            ner: self.ner(),
            ser: self.ser(),
            seer: self.seer(),
            isa: self.isa(),
            scr: self.scr(),
            erlang: self.erlang(ran),
            occupancy: self.occupancy(ran, circuits),
            pdd: self.pdd.quantiles(),
            setup: self.setup.quantiles(),
            sdd: self.sdd.quantiles(),
            sdt: self.sdt.quantiles(),
        }
    }
}
