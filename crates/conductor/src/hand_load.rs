//! What was done to the load by hand: what is told of it, what goes on, and when that is over.

use std::time::Duration;

use operations::OperationNote;

/// What people did to the load.
#[derive(Debug, Default)]
pub(crate) struct HandLoad {
    /// By the names of those who did it.
    notes: Vec<(String, OperationNote)>,
    /// Other than as many calls as the campaign has.
    pace: Option<String>,
    surges: Vec<Surge>,
    /// The number of the last surge.
    last: u32,
}

#[derive(Debug)]
struct Surge {
    number: u32,
    by: String,
    until: Duration,
    told: String,
}

impl HandLoad {
    pub(crate) fn note(&mut self, at: Duration, by: &str, site: Option<String>, text: String) {
        let note = OperationNote { at, site, text, by_hand: true };
        self.notes.push((by.to_owned(), note));
    }

    /// So many calls are placed from now on as `pace` says; `None`: as many as the campaign has, and no surge goes on.
    pub(crate) fn pace(&mut self, pace: Option<String>) {
        if pace.is_none() {
            self.surges.clear();
        }
        self.pace = pace;
    }

    /// The number that the next surge has.
    pub(crate) const fn next_surge(&self) -> u32 {
        self.last + 1
    }

    /// A surge begins.
    pub(crate) fn surge(&mut self, from: Duration, until: Duration, by: &str, what: &str) {
        self.last += 1;
        let number = self.last;
        self.note(from, by, None, format!("{what} (surge {number})"));
        let told = format!("{what}, by {by}");
        self.surges.push(Surge { number, by: by.to_owned(), until, told });
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.surges.iter().map(|surge| surge.until).min()
    }

    /// Lets time pass: tells which surges are over.
    pub(crate) fn advance(&mut self, at: Duration) {
        let over: Vec<Surge> = self.surges.extract_if(.., |surge| surge.until <= at).collect();
        for Surge { number, by, until, .. } in over {
            self.note(until, &by, None, format!("surge {number} is over"));
        }
    }

    /// What is done to the load now, in words.
    pub(crate) fn acting(&self) -> impl Iterator<Item = &str> {
        self.pace.as_deref().into_iter().chain(self.surges.iter().map(|surge| &surge.told[..]))
    }

    pub(crate) fn notes(&self) -> impl Iterator<Item = (&str, &OperationNote)> {
        self.notes.iter().map(|(by, note)| (&by[..], note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surge_is_told_when_it_begins_and_when_it_is_over() {
        let s = Duration::from_secs;
        let mut load = HandLoad::default();
        load.pace(Some("twice as many".to_owned()));
        load.surge(s(10), s(30), "anna", "surge: more from 59350");
        load.surge(s(20), s(25), "bert", "surge: more from 62041");
        assert_eq!((load.next_due(), load.next_surge()), (Some(s(25)), 3));
        assert_eq!(load.acting().count(), 3);
        load.advance(s(29));
        assert_eq!(load.next_due(), Some(s(30)));
        load.advance(s(31));
        let told: Vec<_> = load
            .notes()
            .map(|(by, note)| format!("{} {by}: {}", note.at.as_secs(), note.text))
            .collect();
        assert_eq!(
            told,
            [
                "10 anna: surge: more from 59350 (surge 1)",
                "20 bert: surge: more from 62041 (surge 2)",
                "25 bert: surge 2 is over",
                "30 anna: surge 1 is over",
            ]
        );
        assert_eq!(load.acting().collect::<Vec<_>>(), ["twice as many"]);
        load.surge(s(40), s(50), "anna", "surge: more from 59350");
        load.pace(None);
        assert_eq!((load.acting().count(), load.next_due()), (0, None));
    }
}
