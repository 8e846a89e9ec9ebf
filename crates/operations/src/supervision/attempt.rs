//! What supervision is told of one attempt, and what it counts it under.

use topology::is_commune;

use super::indicator::By;

/// A longer called number is counted without its end: nobody is served under it.
const LONGEST_NUMBER: usize = 64;

/// The département of a caller whose commune is missing or no commune.
pub(super) const UNKNOWN: &str = "unknown";

/// What supervision is told of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct ObservedAttempt<'a> {
    /// The number that was dialled.
    pub number: &'a str,
    /// Where the caller is: see [`department`].
    pub department: &'a str,
    pub trunk_group: Option<&'a str>,
    /// The site that had it last.
    pub site: Option<&'a str>,
    /// Whether the number is an emergency number.
    pub emergency: bool,
    pub answered: bool,
    /// Whether the network lost it, before or after an answer.
    pub lost: bool,
}

impl<'a> ObservedAttempt<'a> {
    /// What this attempt is counted under, if anything.
    pub(super) fn key<'k>(&self, by: By, place: &'k mut String) -> Option<&'k str>
    where
        'a: 'k,
    {
        match by {
            By::All => Some(""),
            By::Number => Some(self.short_number()),
            By::Department => Some(self.department),
            By::NumberDepartment => {
                place.clear();
                place.push_str(self.short_number());
                place.push('/');
                place.push_str(self.department);
                Some(place)
            }
            By::Site => self.site,
            By::TrunkGroup => self.trunk_group,
            By::Psap => None,
        }
    }

    fn short_number(&self) -> &'a str {
        let end = self.number.char_indices().nth(LONGEST_NUMBER);
        end.map_or(self.number, |(end, _)| &self.number[..end])
    }
}

/// The département of an INSEE commune code: two characters, in the overseas départements and
/// collectivities (97x, 98x) three. Without a code it is `unknown`.
#[must_use]
pub fn department(commune: Option<&str>) -> &str {
    match commune.filter(|code| is_commune(code)) {
        Some(code) if code.starts_with("97") || code.starts_with("98") => &code[..3],
        Some(code) => &code[..2],
        None => UNKNOWN,
    }
}
