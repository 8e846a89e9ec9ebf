//! Places: the communes that a campaign calls from.

use std::fmt;
use std::str::FromStr;

use rand::RngExt;
use topology::is_commune;

use super::mix::MixEntry;

/// A whole INSEE code, `59350` or `2A004`, small enough to go with every start of a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commune([u8; 5]);

/// Text that is no [`Commune`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole INSEE code, such as \"59350\" or \"2A004\"")]
pub struct ParseCommuneError;

impl Commune {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a commune is made of ASCII alone")
    }
}

impl FromStr for Commune {
    type Err = ParseCommuneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = text.as_bytes().try_into().map_err(|_| ParseCommuneError)?;
        if is_commune(text) { Ok(Self(code)) } else { Err(ParseCommuneError) }
    }
}

impl fmt::Display for Commune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Commune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the callers of a mix are, each commune as often as calls come from it.
///
/// Something that happens, happens there: where most people call from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Places {
    /// With the sum of the weights up to and with this one.
    communes: Vec<(Commune, f64)>,
}

impl Places {
    /// The communes of `mix`. Entries without one are nowhere.
    #[must_use]
    pub fn of(mix: &[MixEntry]) -> Self {
        let mut sum = 0.0;
        let mut communes = Vec::new();
        for entry in mix {
            let share = entry.weight / entry.communes.len().max(1) as f64;
            for commune in entry.communes.iter().filter_map(|code| code.parse().ok()) {
                sum += share;
                communes.push((commune, sum));
            }
        }
        Self { communes }
    }

    /// One of them. `None`: nobody in this mix is anywhere.
    pub fn draw(&self, rng: &mut impl rand::Rng) -> Option<Commune> {
        let point = rng.random::<f64>() * self.communes.last()?.1;
        let place = self.communes.partition_point(|(_, sum)| *sum <= point);
        let last = self.communes.len() - 1;
        self.communes.get(place.min(last)).map(|(commune, _)| *commune)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_commune_is_a_whole_code() {
        for code in ["59350", "2A004", "97411"] {
            assert_eq!(code.parse::<Commune>().expect(code).as_str(), code);
        }
        for code in ["59", "593500", "2C004", "", "éé1"] {
            assert_eq!(code.parse::<Commune>(), Err(ParseCommuneError), "{code}");
        }
    }

    /// Calls to `number` from these communes.
    fn entry(number: &str, communes: &[&str], weight: f64) -> MixEntry {
        MixEntry {
            number: number.to_owned(),
            communes: communes.iter().map(ToString::to_string).collect(),
            weight,
            trunk_group: None,
            talk: None,
            redial: true,
        }
    }

    #[test]
    fn places_are_drawn_as_often_as_people_call_from_them() {
        let mix = [
            entry("15", &["59350", "75056"], 3.0),
            entry("17", &["59350"], 1.0),
            entry("112", &[], 9.0),
        ];
        let places = Places::of(&mix);
        let mut rng = StdRng::seed_from_u64(1);
        let drawn: Vec<_> = (0..20_000).filter_map(|_| places.draw(&mut rng)).collect();
        assert_eq!(drawn.len(), 20_000);
        let lille = drawn.iter().filter(|commune| commune.as_str() == "59350").count() as f64;
        assert!((lille / 20_000.0 - 2.5 / 4.0).abs() < 0.015, "{lille}");
        assert_eq!(Places::of(&mix[2..]).draw(&mut rng), None);
    }
}
