//! Round ticks of an axis.

/// Seconds between two ticks of a clock.
const CLOCK_STEPS: [u32; 18] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
    86_400,
];
/// Powers of ten that an axis has, at most.
const MOST_DECADES: f64 = 12.0;

/// What the numbers of an axis are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// Numbers of a unit that the label names.
    Number,
    /// How many there were: whole numbers.
    Count,
    /// Seconds, written as hours and minutes, or with seconds where ticks are nearer; zero is `begins` seconds after
    /// midnight.
    Clock { begins: u32 },
    /// Powers of ten, of which the first is `from`; what is less stands at the edge.
    Log { from: f64 },
    /// Shares from 0 to 1, with as much room for each nine of 0.9, 0.99, 0.999 as for the one before.
    Nines,
}

impl Scale {
    /// Where `value` is on an axis that ends at `end`: 0 at its beginning, 1 at its end.
    pub(super) fn place(self, value: f64, end: f64) -> f64 {
        match self {
            Self::Number | Self::Count | Self::Clock { .. } => value / end,
            Self::Log { from } => (value.max(from) / from).log10() / (end / from).log10(),
            Self::Nines => nines(value).min(nines(end)) / nines(end),
        }
    }

    /// The distance of two ticks on an axis from zero to `end` with at most so many steps.
    fn step(self, end: f64, steps: f64) -> f64 {
        match self {
            Self::Number | Self::Log { .. } | Self::Nines => round(end / steps),
            Self::Count => round(end / steps).max(1.0),
            Self::Clock { .. } => {
                let seconds = CLOCK_STEPS.iter().map(|seconds| f64::from(*seconds));
                let day = f64::from(24 * 3_600);
                let fits = |step: &f64| end / step <= steps;
                seconds.clone().find(fits).unwrap_or_else(|| (end / steps / day).ceil() * day)
            }
        }
    }

    /// How a clock on an axis from zero to `end` with at most so many steps is to be read.
    pub(crate) fn clock_form(self, end: f64, steps: f64) -> &'static str {
        match self.step(end, steps) < 60.0 {
            true if end < 3_600.0 && matches!(self, Self::Clock { begins: 0 }) => "m:ss",
            true => "h:mm:ss",
            false => "h:mm",
        }
    }

    /// How a script reads places on this axis: the word of the scale, and for a clock its zero and its form.
    pub(super) fn reading(self, end: f64, steps: f64) -> String {
        match self {
            Self::Clock { begins } => match self.clock_form(end, steps) {
                "m:ss" => format!("clock {begins} m:ss"),
                _ => format!("clock {begins} h:mm:ss"),
            },
            Self::Nines => "share".to_owned(),
            Self::Number | Self::Count | Self::Log { .. } => "number".to_owned(),
        }
    }

    /// The ticks up to `end`, with at most so many steps, each with what is written there.
    pub(super) fn ticks(self, end: f64, steps: f64) -> Vec<(f64, String)> {
        match self {
            Self::Log { from } => decades(from, end),
            Self::Nines => shares(end),
            Self::Number | Self::Count | Self::Clock { .. } => self.even_ticks(end, steps),
        }
    }

    fn even_ticks(self, end: f64, steps: f64) -> Vec<(f64, String)> {
        let step = self.step(end, steps);
        let zero = match self {
            Self::Clock { begins } => f64::from(begins),
            _ => 0.0,
        };
        let form = self.clock_form(end, steps);
        let word = |value: f64| match self {
            Self::Clock { begins } => time(value, begins > 0, form),
            _ => number(value, step),
        };
        // A tick that rounding puts a little beyond the end is one.
        let (first, last) =
            ((zero / step).ceil() as u32, ((zero + end) / step + 1e-6).floor() as u32);
        let ticks = (first..=last).map(|count| f64::from(count) * step);
        ticks.map(|value| (value - zero, word(value))).collect()
    }

    /// The first tick at or above `most`: where an axis that nobody limits ends.
    pub(crate) fn end(self, most: f64, steps: f64) -> f64 {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        match self {
            Self::Log { from } => {
                let decades = (most / from).log10().clamp(1.0, MOST_DECADES);
                from * 10_f64.powf((decades - 1e-6).ceil())
            }
            Self::Nines => 1.0 - 10_f64.powf(-(nines(most) - 1e-6).clamp(1.0, 9.0).ceil()),
            Self::Number | Self::Count | Self::Clock { .. } => {
                let step = self.step(most, steps);
                (most / step - 1e-6).ceil() * step
            }
        }
    }
}

/// How many nines a share begins with: 2 for 0.99.
fn nines(share: f64) -> f64 {
    -(1.0 - share.clamp(0.0, 1.0 - 1e-9)).log10()
}

/// A tick for each power of ten, and two between where there are few.
fn decades(from: f64, end: f64) -> Vec<(f64, String)> {
    let count = (end / from).log10().clamp(1.0, MOST_DECADES);
    let digits: &[f64] = if count <= 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = (0..=count.ceil() as i32).map(|power| from * 10_f64.powi(power));
    let all = powers.flat_map(|power| digits.iter().map(move |digit| (power * digit, power)));
    let ticks = all.filter(|(value, _)| *value <= end * (1.0 + 1e-6));
    ticks.map(|(value, power)| (value, number(value, power))).collect()
}

/// None, one half, and 0.9, 0.99, 0.999 up to `end`, in percent.
fn shares(end: f64) -> Vec<(f64, String)> {
    let nine = |count: i32| {
        let decimals = usize::try_from(count - 2).unwrap_or_default();
        let share = 1.0 - 10_f64.powi(-count);
        (share, format!("{:.decimals$} %", share * 100.0))
    };
    let first = [(0.0, "0 %".to_owned()), (0.5, "50 %".to_owned())];
    let last = (nines(end) + 1e-6).floor() as i32;
    first.into_iter().chain((1..=last).map(nine)).collect()
}

/// The smallest of 1, 2, 5, 10, 20, 50 … and of their tenths that is not below `least`.
fn round(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let fits = |step: &f64| *step >= least * (1.0 - 1e-6);
    [1.0, 2.0, 5.0].map(|digit| digit * power).into_iter().find(fits).unwrap_or(10.0 * power)
}

/// In the form that the ticks of an axis have; a time of day begins anew at midnight.
fn time(seconds: f64, is_of_day: bool, form: &str) -> String {
    let seconds = seconds.round() as u64;
    let hours = if is_of_day { seconds / 3_600 % 24 } else { seconds / 3_600 };
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match form {
        "m:ss" => format!("{minutes}:{rest:02}"),
        "h:mm:ss" => format!("{hours}:{minutes:02}:{rest:02}"),
        _ => format!("{hours}:{minutes:02}"),
    }
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
        assert_eq!(words(CLOCK, 40.0)[..3], ["0:00", "0:05", "0:10"]);
        assert_eq!(words(Scale::Clock { begins: 60_000 }, 40.0)[1], "16:40:05");
        assert_eq!((CLOCK.clock_form(40.0, 10.0), CLOCK.clock_form(900.0, 10.0)), ("m:ss", "h:mm"));
        let evening = Scale::Clock { begins: 16 * 3_600 + 40 * 60 };
        let ticks = evening.ticks(f64::from(440 * 60), 10.0);
        assert_eq!(ticks.first(), Some(&(1_200.0, "17:00".to_owned())));
        assert_eq!(ticks.last(), Some(&(26_400.0, "0:00".to_owned())));
        assert!(words(CLOCK, 1e8).len() <= 11);
    }

    #[test]
    fn powers_and_nines_have_even_room() {
        let log = Scale::Log { from: 0.1 };
        assert_eq!(words(log, 10.0), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        assert!((log.place(1.0, 10.0) - 0.5).abs() < 1e-9 && log.place(0.0, 10.0) == 0.0);
        let end = Scale::Nines.end(0.9985, 10.0);
        assert_eq!(words(Scale::Nines, end), ["0 %", "50 %", "90 %", "99 %", "99.9 %"]);
        assert!((Scale::Nines.place(0.9, end) * 3.0 - 1.0).abs() < 1e-6);
        assert_eq!(Scale::Nines.place(1.0, end), 1.0, "the maximum is at the edge");
    }

    #[test]
    fn an_axis_ends_at_the_first_tick_that_holds_everything() {
        assert_eq!(Scale::Number.end(143.0, 10.0), 160.0);
        assert_eq!(Scale::Number.end(160.0, 10.0), 160.0);
        assert_eq!(Scale::Number.end(143.0, 4.0), 150.0);
        assert_eq!(Scale::Count.end(1.5, 10.0), 2.0);
        assert_eq!(Scale::Log { from: 1.0 }.end(32_000.0, 10.0), 100_000.0);
        assert!((Scale::Nines.end(0.9991, 10.0) - 0.9999).abs() < 1e-9);
        for nothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Scale::Number.end(nothing, 10.0), 1.0, "{nothing}");
        }
    }
}
