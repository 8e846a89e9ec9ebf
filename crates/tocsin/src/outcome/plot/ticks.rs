//! Round ticks of an axis that begins at zero.

/// Minutes between two ticks of a clock.
const CLOCK_STEPS: [u32; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440];

/// What the numbers of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Numbers of a unit that the label names.
    Number,
    /// How many there were: whole numbers.
    Count,
    /// Seconds, written as hours and minutes; zero is `begins` seconds after midnight.
    Clock { begins: u32 },
}

impl Scale {
    /// The distance of two ticks on an axis from zero to `end` with at most so many steps.
    fn step(self, end: f64, steps: f64) -> f64 {
        match self {
            Self::Number => round(end / steps),
            Self::Count => round(end / steps).max(1.0),
            Self::Clock { .. } => {
                let seconds = CLOCK_STEPS.iter().map(|minutes| f64::from(60 * minutes));
                let day = f64::from(24 * 3_600);
                let fits = |step: &f64| end / step <= steps;
                seconds.clone().find(fits).unwrap_or_else(|| (end / steps / day).ceil() * day)
            }
        }
    }

    /// The ticks from zero to `end`, with at most so many steps, each with what is written there.
    pub(super) fn ticks(self, end: f64, steps: f64) -> Vec<(f64, String)> {
        let step = self.step(end, steps);
        let zero = match self {
            Self::Number | Self::Count => 0.0,
            Self::Clock { begins } => f64::from(begins),
        };
        let word = |value: f64| match self {
            Self::Number | Self::Count => number(value, step),
            Self::Clock { begins } => time(value, begins > 0),
        };
        // A tick that rounding puts a little beyond the end is one.
        let (first, last) =
            ((zero / step).ceil() as u32, ((zero + end) / step + 1e-6).floor() as u32);
        let ticks = (first..=last).map(|count| f64::from(count) * step);
        ticks.map(|value| (value - zero, word(value))).collect()
    }

    /// The first tick at or above `most`: where an axis that nobody limits ends.
    pub(super) fn end(self, most: f64, steps: f64) -> f64 {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let step = self.step(most, steps);
        (most / step - 1e-6).ceil() * step
    }
}

/// The smallest of 1, 2, 5, 10, 20, 50 … and of their tenths that is not below `least`.
fn round(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let fits = |step: &f64| *step >= least * (1.0 - 1e-6);
    [1.0, 2.0, 5.0].map(|digit| digit * power).into_iter().find(fits).unwrap_or(10.0 * power)
}

/// Hours and minutes; a time of day begins anew at midnight.
fn time(seconds: f64, is_of_day: bool) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    let hours = if is_of_day { minutes / 60 % 24 } else { minutes / 60 };
    format!("{hours}:{:02}", minutes % 60)
}

/// With as many decimals as the step has, and commas between thousands.
fn number(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Scale = Scale::Clock { begins: 0 };

    fn words(scale: Scale, end: f64) -> Vec<String> {
        scale.ticks(end, 10.0).into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            words(Scale::Number, 1.0),
            ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
        );
        assert_eq!(words(Scale::Number, 100.0).len(), 11);
        assert_eq!(words(Scale::Number, 6_500.0)[3..5], ["3,000", "4,000"]);
        assert_eq!(words(Scale::Number, 3.0), ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]);
        assert_eq!(words(Scale::Number, 7e-9).last().map(String::as_str), Some("0.000000007"));
        assert_eq!(
            words(CLOCK, 26_100.0),
            ["0:00", "1:00", "2:00", "3:00", "4:00", "5:00", "6:00", "7:00"]
        );
        assert_eq!(words(CLOCK, 900.0)[..3], ["0:00", "0:02", "0:04"]);
        let evening = Scale::Clock { begins: 16 * 3_600 + 40 * 60 };
        let ticks = evening.ticks(f64::from(440 * 60), 10.0);
        assert_eq!(ticks.first(), Some(&(1_200.0, "17:00".to_owned())));
        assert_eq!(ticks.last(), Some(&(26_400.0, "0:00".to_owned())));
        assert!(words(CLOCK, 1e8).len() <= 11);
    }

    #[test]
    fn an_axis_ends_at_the_first_tick_that_holds_everything() {
        assert_eq!(Scale::Number.end(143.0, 10.0), 160.0);
        assert_eq!(Scale::Number.end(160.0, 10.0), 160.0);
        assert_eq!(Scale::Number.end(143.0, 4.0), 150.0);
        assert_eq!(Scale::Count.end(1.5, 10.0), 2.0);
        for nothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Scale::Number.end(nothing, 10.0), 1.0, "{nothing}");
        }
    }
}
