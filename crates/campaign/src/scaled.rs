//! A value of a key made larger or smaller, in its own syntax.

use topology::{format_duration, parse_duration};

/// How `value` times `factor` may be written, best first; which of them its key takes, its reader knows. A number may have to
/// be whole, or a share, which is never above 1. Of a distribution the durations are scaled, and its shape is left.
///
/// # Errors
/// A sentence's end about a value of which there is no multiple: `is no number, duration or distribution`.
pub fn scaled(value: &str, factor: f64) -> Result<Vec<String>, String> {
    let value = value.trim();
    if let Ok(number) = value.parse::<f64>() {
        return number_scaled(number, factor);
    }
    let mut durations = 0;
    let word = |word: &str| match parse_duration(word) {
        Ok(duration) if !duration.is_zero() => {
            durations += 1;
            format_duration(duration.mul_f64(factor))
        }
        _ => word.to_owned(),
    };
    let text = value.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    match durations {
        0 if value.parse::<topology::Distribution>().is_ok() => {
            Err("is 0: each multiple of it is 0 too".to_owned())
        }
        0 => Err(format!("is {value:?}, which is no number, duration or distribution")),
        _ if text == value => Err(format!("is {value:?}, too small to be varied")),
        _ => Ok(vec![text]),
    }
}

fn number_scaled(number: f64, factor: f64) -> Result<Vec<String>, String> {
    if number == 0.0 || !number.is_finite() {
        return Err(format!("is {number}: no multiple of it is another number"));
    }
    // As many decimals as a person writes.
    let exact = (number * factor * 1e9).round() / 1e9;
    let mut ways = vec![exact.to_string()];
    let whole = exact.round();
    let others = [(whole != number).then_some(whole), (exact > 1.0 && number < 1.0).then_some(1.0)];
    for other in others.into_iter().flatten().map(|other| other.to_string()) {
        if !ways.contains(&other) {
            ways.push(other);
        }
    }
    Ok(ways)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_is_scaled_in_its_own_syntax() {
        for (value, factor, ways) in [
            ("60s", 2.0, &["2m"][..]),
            ("1m", 0.8, &["48s"]),
            ("lognormal 20s 1.0", 0.5, &["lognormal 10s 1.0"]),
            ("uniform 10s 20s", 1.2, &["uniform 12s 24s"]),
            ("exponential 49s", 2.0, &["exponential 98s"]),
            // Perhaps it must be whole, or is a share.
            ("300", 0.8, &["240"]),
            ("5", 0.5, &["2.5", "3"]),
            ("0.7", 2.0, &["1.4", "1"]),
            ("0.4", 1.2, &["0.48", "0"]),
        ] {
            let found = scaled(value, factor).expect("it has multiples");
            assert_eq!(found, ways.to_vec(), "{value} times {factor}");
        }
        for (value, why) in [
            ("parallel", "is \"parallel\", which is no number, duration or distribution"),
            ("true", "is \"true\", which is no number, duration or distribution"),
            ("0", "is 0: no multiple of it is another number"),
            ("0s", "is 0: each multiple of it is 0 too"),
            (
                "disconnect,reconnect",
                "is \"disconnect,reconnect\", which is no number, duration or distribution",
            ),
        ] {
            assert_eq!(scaled(value, 2.0), Err(why.to_owned()), "{value}");
        }
    }
}
