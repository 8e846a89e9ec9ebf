//! The colours of the page can be read in light and in dark (WCAG 2.2 §1.4.3 and §1.4.11).

use std::collections::BTreeMap;

use crate::content_security_policy::STYLE;

/// The colours by name, in light and in dark.
fn colours() -> [BTreeMap<&'static str, &'static str>; 2] {
    let (light, rest) = STYLE.split_once("@media screen").expect("colours for the dark");
    let (dark, _) = rest.split_once("* {").expect("the end of the colours");
    let pairs = |text: &'static str| {
        let parts = text.split("--").skip(1).filter_map(|part| part.split_once(": "));
        parts.map(|(name, value)| (name, value.split(';').next().unwrap_or_default()))
    };
    let light: BTreeMap<_, _> = pairs(light).collect();
    let dark = light.clone().into_iter().chain(pairs(dark)).collect();
    [light, dark]
}

/// The relative luminance of `#rgb` or `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let digits = colour.trim_start_matches('#');
    let part = |number: usize| {
        let text = match digits.len() {
            3 => digits[number..=number].repeat(2),
            _ => digits[number * 2..number * 2 + 2].to_owned(),
        };
        let share = f64::from(u8::from_str_radix(&text, 16).expect("hexadecimal digits")) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(0) + 0.7152 * part(1) + 0.0722 * part(2)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn letters_and_lines_stand_out_from_their_ground() {
    for scheme in colours() {
        for letters in ["ink", "muted", "well", "ill", "odd", "void", "q0"] {
            for ground in ["paper", "soft"] {
                let contrast = contrast(scheme[letters], scheme[ground]);
                assert!(contrast >= 4.5, "{letters} on {ground}: {contrast:.2}");
            }
        }
        for line in ["q0", "q1", "q2", "q3", "mark"] {
            for ground in ["paper", "surface", "band"] {
                let contrast = contrast(scheme[line], scheme[ground]);
                assert!(contrast >= 3.0, "{line} on {ground}: {contrast:.2}");
            }
        }
    }
}
