//! Tickets: a browser opens a file of a run in a window of its own, where it shows no token.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cli::manage::Token;

/// Tickets at once; the oldest goes first.
const MOST: usize = 64;

/// How long a ticket is good: the window may be loaded again.
const LIFE: Duration = Duration::from_secs(600);

/// What was given out.
#[derive(Debug, Default)]
pub(crate) struct Tickets(Mutex<VecDeque<Ticket>>);

#[derive(Debug)]
struct Ticket {
    token: Token,
    run: String,
    file: String,
    given: Instant,
}

impl Tickets {
    /// A ticket for one file.
    pub(crate) fn give(&self, run: &str, file: &str) -> anyhow::Result<String> {
        let token = Token::draw()?;
        let word = token.credentials().trim_start_matches("Bearer ").to_owned();
        let (run, file, given) = (run.to_owned(), file.to_owned(), Instant::now());
        let mut given_out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given_out.push_back(Ticket { token, run, file, given });
        if given_out.len() > MOST {
            given_out.pop_front();
        }
        Ok(word)
    }

    /// Whether `word` is a ticket for this file.
    pub(crate) fn admits(&self, word: &str, run: &str, file: &str) -> bool {
        let mut given_out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given_out.retain(|ticket| ticket.given.elapsed() < LIFE);
        let shown = format!("Bearer {word}");
        given_out.iter().any(|ticket| {
            ticket.run == run && ticket.file == file && ticket.token.admits(shown.as_bytes())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_one_file_and_no_other() {
        let tickets = Tickets::default();
        let word = tickets.give("demo-1", "report.html").expect("a ticket");
        assert!(tickets.admits(&word, "demo-1", "report.html"));
        assert!(!tickets.admits(&word, "demo-2", "report.html"));
        assert!(!tickets.admits(&word, "demo-1", "summary.json"));
        assert!(!tickets.admits("", "demo-1", "report.html"));
        for _ in 0..MOST {
            tickets.give("other", "report.html").expect("a ticket");
        }
        assert!(!tickets.admits(&word, "demo-1", "report.html"), "the oldest goes first");
    }
}
