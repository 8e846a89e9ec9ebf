//! The curve of a day: `model = "diurnal"`.

use std::time::Duration;

use topology::reader::{Raw, Table, kind};

use super::fastest::MOST;
use crate::comparison::time_of_day;

const DAY: f64 = 86_400.0;

/// Stands for points that were refused.
const ANY: [(Duration, f64); 1] = [(Duration::ZERO, 1.0)];

/// Calls whose rate follows the time of day, at random around it: a Poisson process with a rate that changes.
///
/// The rate is known at some times of the day and goes in a straight line between them, over midnight too.
#[derive(Debug, Clone, PartialEq)]
pub struct Diurnal {
    /// Seconds since midnight and calls per second. The first is at 0 and the last at 24 hours, with the same rate.
    knots: Vec<(f64, f64)>,
    /// The time of day at which the phase begins, in seconds.
    begins: f64,
}

impl Diurnal {
    /// A day with these rates in calls per second at these times of the day, which must rise. Without any there are
    /// no calls.
    #[must_use]
    pub fn new(points: &[(Duration, f64)]) -> Self {
        let mut knots: Vec<(f64, f64)> =
            points.iter().map(|(at, rate)| (at.as_secs_f64(), *rate)).collect();
        let (Some(first), Some(last)) = (knots.first().copied(), knots.last().copied()) else {
            return Self { knots: vec![(0.0, 0.0), (DAY, 0.0)], begins: 0.0 };
        };
        // Over midnight the last point leads to the first one of the next day.
        let midnight = between(last, (first.0 + DAY, first.1), DAY);
        if first.0 > 0.0 {
            knots.insert(0, (0.0, midnight));
        }
        knots.push((DAY, midnight));
        Self { knots, begins: 0.0 }
    }

    /// The same day for a phase that begins at this time of it.
    #[must_use]
    pub fn beginning(self, time_of_day: Duration) -> Self {
        Self { begins: time_of_day.as_secs_f64() % DAY, ..self }
    }

    pub(super) fn read(table: &Table<'_>) -> Self {
        let rate = kind::number(0.0..=MOST);
        let points = match (table.has("curve"), table.has("points")) {
            (true, false) => {
                let hourly: [f64; 24] = table.array("curve", &rate, [1.0; 24]);
                (0_u64..).map(|hour| Duration::from_secs(hour * 3_600)).zip(hourly).collect()
            }
            (false, true) => Self::read_points(table),
            (false, false) => {
                table
                    .report_here("needs curve, 24 hourly rates, or points such as [\"18:00 2.5\"]");
                ANY.to_vec()
            }
            (true, true) => {
                table.list("curve", &rate);
                table.list("points", point);
                table.report("points", "cannot stand beside curve; keep one of them");
                ANY.to_vec()
            }
        };
        let day = Self::new(&points);
        match table.optional("peak", kind::number(0.001..=MOST)) {
            Some(_) if day.peak() <= 0.0 => {
                table.report("peak", "cannot be reached: every rate of the curve is 0");
                day
            }
            Some(peak) => day.with_peak(peak),
            None => day,
        }
    }

    fn read_points(table: &Table<'_>) -> Vec<(Duration, f64)> {
        let points = table.required_list("points", point);
        if let Some(pair) = points.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            let minutes = pair[1].0.as_secs() / 60;
            let message = format!(
                "must rise from 00:00 to 23:59, and {:02}:{:02} does not come after the point before it",
                minutes / 60,
                minutes % 60
            );
            table.report("points", message);
        } else if !points.is_empty() {
            return points;
        }
        ANY.to_vec()
    }

    /// The same curve, so high that its highest rate is `peak`.
    fn with_peak(mut self, peak: f64) -> Self {
        let highest = self.peak();
        if highest > 0.0 {
            self.knots.iter_mut().for_each(|(_, rate)| *rate *= peak / highest);
        }
        self
    }

    /// The highest rate of the day, in calls per second.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.knots.iter().map(|(_, rate)| *rate).fold(0.0, f64::max)
    }

    /// Calls per second, this many seconds after the start of the phase.
    #[must_use]
    pub fn rate(&self, elapsed: f64) -> f64 {
        let at = (self.begins + elapsed) % DAY;
        let (from, to) = self.line(at);
        between(from, to, at)
    }

    /// The ends of the line at this time of the day.
    fn line(&self, at: f64) -> ((f64, f64), (f64, f64)) {
        let next = self.knots.partition_point(|(knot, _)| *knot <= at);
        let next = next.clamp(1, self.knots.len() - 1);
        (self.knots[next - 1], self.knots[next])
    }

    /// When the line of the curve on which the rate is then ends, in seconds from the start of the phase; and its higher end.
    #[must_use]
    pub fn stretch(&self, elapsed: f64) -> (f64, f64) {
        let at = (self.begins + elapsed) % DAY;
        let (from, to) = self.line(at);
        (elapsed + to.0 - at, from.1.max(to.1))
    }

    /// Calls that are expected in the first `seconds` of the phase.
    #[must_use]
    pub fn expected(&self, seconds: f64) -> f64 {
        let end = self.begins + seconds;
        let days = (end / DAY).floor();
        days * self.until(DAY) + self.until(end - days * DAY) - self.until(self.begins)
    }

    /// The area under the curve from midnight to this time of the day.
    fn until(&self, time: f64) -> f64 {
        let pieces = self.knots.windows(2).filter(|pair| pair[0].0 < time);
        pieces
            .map(|pair| {
                let end = time.min(pair[1].0);
                (pair[0].1 + between(pair[0], pair[1], end)) / 2.0 * (end - pair[0].0)
            })
            .sum()
    }
}

/// The value at `at` on the line from one point to the other.
fn between(from: (f64, f64), to: (f64, f64), at: f64) -> f64 {
    if to.0 <= from.0 {
        return to.1;
    }
    from.1 + (to.1 - from.1) * (at - from.0) / (to.0 - from.0)
}

/// `"18:00 2.5"`: a time of day and calls per second.
fn point(raw: Raw<'_>) -> Result<(Duration, f64), String> {
    let refuse = || format!("must be a time of day and a rate, such as \"18:00 2.5\", got {raw}");
    let text = kind::text(raw).map_err(|_| refuse())?;
    let (time, rate) = text.trim().split_once(char::is_whitespace).ok_or_else(refuse)?;
    let rate = rate.trim().parse().ok().filter(|rate| (0.0..=MOST).contains(rate));
    time_of_day(time).zip(rate).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(hours: f64) -> Duration {
        Duration::from_secs_f64(hours * 3_600.0)
    }

    #[test]
    fn the_rate_goes_straight_from_point_to_point_and_over_midnight() {
        let day = Diurnal::new(&[(hours(6.0), 1.0), (hours(18.0), 3.0)]);
        for (hour, rate) in
            [(6.0, 1.0), (12.0, 2.0), (18.0, 3.0), (0.0, 2.0), (3.0, 1.5), (24.0, 2.0)]
        {
            let actual = day.rate(hour * 3_600.0);
            assert!((actual - rate).abs() < 1e-9, "{hour} h: {actual}");
        }
        let evening = day.clone().beginning(hours(18.0));
        assert!((evening.rate(6.0 * 3_600.0) - 2.0).abs() < 1e-9);
        assert_eq!(evening.stretch(3_600.0), (6.0 * 3_600.0, 3.0));
        assert_eq!((evening.peak(), Diurnal::new(&[]).rate(5.0)), (3.0, 0.0));
    }

    #[test]
    fn what_is_expected_is_the_area_under_the_curve() {
        let day = Diurnal::new(&[(hours(6.0), 1.0), (hours(18.0), 3.0)]).beginning(hours(18.0));
        let near = |actual: f64, wanted: f64| (actual - wanted).abs() < 1e-6;
        // From 3 down to 1 in twelve hours, and up again.
        assert!(near(day.expected(6.0 * 3_600.0), 2.5 * 6.0 * 3_600.0));
        assert!(near(day.expected(12.0 * 3_600.0), 2.0 * 12.0 * 3_600.0));
        assert!(near(day.expected(DAY), 2.0 * DAY));
        assert!(near(day.expected(2.5 * DAY), 5.0 * DAY));
        assert!(near(day.expected(0.0), 0.0));
    }
}
