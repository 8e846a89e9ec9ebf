//! Attempts, counted by what ratios are made of, and the one formula of each ratio.

use std::ops::AddAssign;

use super::name::Metric;
use crate::Outcome;

/// Counts of some attempts. Each attempt is one seizure of ITU-T E.425 and one INVITE of RFC 6076.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttemptCounts {
    pub offered: u64,
    /// Answered and ended well.
    pub answered: u64,
    pub rejected: u64,
    pub abandoned: u64,
    pub timed_out: u64,
    pub lost: u64,
    /// Their INVITE got a 200, also those that were lost later.
    pub established: u64,
    /// Callees who were busy, did not answer or refused (ITU-T E.425).
    pub callee_failed: u64,
    /// As RFC 6076 §4.7 counts them: 480, 486, 600 and 603.
    pub callee_status: u64,
    /// 3xx, which RFC 6076 leaves out of most ratios.
    pub redirected: u64,
    /// 408, 500, 503 or 504, or no final response (RFC 6076 §4.8).
    pub ineffective: u64,
}

impl AttemptCounts {
    /// Neither answered nor given up by the caller.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.rejected + self.timed_out + self.lost
    }

    /// Counts an attempt: its outcome, the final status of its INVITE, and whether it rang and was answered.
    pub fn add(&mut self, outcome: Outcome, status: Option<u16>, rang: bool, was_answered: bool) {
        self.offered += 1;
        *match outcome {
            Outcome::Answered => &mut self.answered,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Abandoned => &mut self.abandoned,
            Outcome::TimedOut => &mut self.timed_out,
            Outcome::Lost => &mut self.lost,
        } += 1;
        self.established += u64::from(was_answered);
        let callee_status = matches!(status, Some(480 | 486 | 600 | 603));
        // A caller who gave up while it rang is a call that was not answered in time.
        let unanswered = outcome == Outcome::Abandoned && rang;
        self.callee_status += u64::from(callee_status);
        self.callee_failed += u64::from(callee_status || unanswered);
        self.redirected += u64::from(status.is_some_and(|status| (300..400).contains(&status)));
        let no_response = outcome == Outcome::TimedOut && status.is_none();
        let is_ineffective = matches!(status, Some(408 | 500 | 503 | 504)) || no_response;
        self.ineffective += u64::from(is_ineffective);
    }
}

impl AddAssign for AttemptCounts {
    fn add_assign(&mut self, other: Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.rejected += other.rejected;
        self.abandoned += other.abandoned;
        self.timed_out += other.timed_out;
        self.lost += other.lost;
        self.established += other.established;
        self.callee_failed += other.callee_failed;
        self.callee_status += other.callee_status;
        self.redirected += other.redirected;
        self.ineffective += other.ineffective;
    }
}

impl Metric {
    /// The ratio that `counts` come to, from 0 to 1. `None` without a denominator, and for what is no ratio of attempts.
    #[must_use]
    pub fn ratio(self, counts: &AttemptCounts) -> Option<f64> {
        let attempts = counts.offered;
        // RFC 6076 leaves redirected INVITEs out of most ratios.
        let sessions = attempts.saturating_sub(counts.redirected);
        let (part, whole) = match self {
            Self::AnsweredShare => (counts.answered, attempts),
            Self::RejectedShare => (counts.rejected, attempts),
            Self::AbandonedShare => (counts.abandoned, attempts),
            Self::TimedOutShare => (counts.timed_out, attempts),
            Self::LostShare => (counts.lost, attempts),
            Self::FailedShare => (counts.failed(), attempts),
            Self::Asr => (counts.established, attempts),
            Self::Ner => (counts.established + counts.callee_failed, attempts),
            Self::Ser => (counts.established, sessions),
            Self::Seer => (counts.established + counts.callee_status, sessions),
            Self::Isa => (counts.ineffective, attempts),
            Self::Scr => (counts.answered, sessions),
            Self::Pdd(_) | Self::AnswerDelay(_) | Self::Sdd(_) => return None,
            Self::HeardShare | Self::Mos(_) => return None,
        };
        share(part, whole)
    }
}

/// `part` of `whole`, from 0 to 1; `None` when there is no whole.
#[must_use]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
