//! Goodput: calls answered in a second while their callers still wait, phase by phase (RFC 6357 §1).

use std::time::Duration;

use campaign::Level;
use telemetry::{Attempt, AttemptReader};

/// This part of each phase is not measured: queues become what they will be.
const SETTLING: u32 = 4;

/// Attempts of one run by the span of one rate in which they were due.
#[derive(Debug)]
pub struct Goodput {
    start_us: u64,
    spans: Vec<Span>,
}

#[derive(Debug)]
struct Span {
    level: Level,
    /// What is measured of it, since the start of the campaign.
    from: Duration,
    offered: u64,
    answered: u64,
}

/// A span of one rate, measured. Both are calls in a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub name: String,
    pub offered: f64,
    pub answered: f64,
}

impl Goodput {
    /// Nothing so far, of a campaign that begins at `start_us`.
    pub fn new(levels: Vec<Level>, start_us: u64) -> Self {
        let span = |level: Level| {
            let from = level.from + (level.to - level.from) / SETTLING;
            Span { level, from, offered: 0, answered: 0 }
        };
        Self { start_us, spans: levels.into_iter().map(span).collect() }
    }

    fn count(&mut self, due_us: u64, is_answered: bool) {
        let due = Duration::from_micros(due_us.saturating_sub(self.start_us));
        let place = self.spans.partition_point(|span| span.level.to <= due);
        if let Some(span) = self.spans.get_mut(place).filter(|span| span.from <= due) {
            span.offered += 1;
            span.answered += u64::from(is_answered);
        }
    }

    /// In the order of the campaign.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.spans.iter().map(|span| {
            let seconds = (span.level.to - span.from).as_secs_f64();
            let (offered, answered) =
                (span.offered as f64 / seconds, span.answered as f64 / seconds);
            Point { name: span.level.name.clone(), offered, answered }
        })
    }

    /// The most that was answered, and what was answered where most was offered.
    pub fn most_and_peak(&self) -> Option<(f64, f64)> {
        let most = self.points().map(|point| point.answered).max_by(f64::total_cmp)?;
        let peak = self.points().max_by(|one, other| one.offered.total_cmp(&other.offered))?;
        Some((most, peak.answered))
    }
}

impl AttemptReader for Goodput {
    fn add(&mut self, attempt: &Attempt<'_>) {
        if let Some(record) = attempt.caller() {
            self.count(record.due_us(), record.answer_us.is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, from: u64, to: u64) -> Level {
        let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
        Level { name: name.to_owned(), from, to }
    }

    #[test]
    fn calls_count_where_they_were_due() {
        let mut goodput =
            Goodput::new(vec![level("low", 0, 40), level("high", 60, 100)], 1_000_000_000);
        // Settling, low, low, pause, settling, high, after the end.
        for (due, is_answered) in
            [(9, true), (10, true), (39, false), (50, true), (69, true), (70, true), (100, true)]
        {
            goodput.count((1_000 + due) * 1_000_000, is_answered);
        }
        let points: Vec<Point> = goodput.points().collect();
        assert_eq!((&points[0].name[..], points[0].offered), ("low", 2.0 / 30.0));
        assert_eq!(points[0].answered, 1.0 / 30.0);
        assert_eq!((points[1].offered, points[1].answered), (1.0 / 30.0, 1.0 / 30.0));
        assert_eq!(goodput.most_and_peak(), Some((1.0 / 30.0, 1.0 / 30.0)));
        assert_eq!(Goodput::new(Vec::new(), 0).most_and_peak(), None);
    }
}
