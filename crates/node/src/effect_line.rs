//! The ends of commands that boxes have accepted, on their way to those who wait for them.

use std::collections::{HashMap, HashSet, VecDeque};

use contract::{Effect, EffectEnd};
use tokio::sync::oneshot;

/// Ends that nobody has waited for so far and that are kept; the oldest are forgotten.
const MOST_KEPT: usize = 1_024;

/// A command: its box, and the ticket that the box gave.
type Accepted = (String, u64);

/// Who waits for which end, and the ends that nobody has asked for yet: an end may come before its acceptance is read.
#[derive(Debug, Default)]
pub(crate) struct EffectLine {
    waiting: HashMap<Accepted, oneshot::Sender<EffectEnd>>,
    kept: VecDeque<(Accepted, EffectEnd)>,
    /// Boxes that are gone.
    lost: HashSet<String>,
}

impl EffectLine {
    /// The way of the end of this command. Each is asked for once.
    pub(crate) fn wait(&mut self, name: &str, ticket: u64) -> oneshot::Receiver<EffectEnd> {
        let (sender, receiver) = oneshot::channel();
        let accepted = (name.to_owned(), ticket);
        if let Some(place) = self.kept.iter().position(|(one, _)| *one == accepted) {
            if let Some((_, end)) = self.kept.remove(place) {
                let _ = sender.send(end);
            }
        } else if self.lost.contains(name) {
            let _ = sender.send(lost());
        } else {
            self.waiting.insert(accepted, sender);
        }
        receiver
    }

    /// A command is over.
    pub(crate) fn tell(&mut self, name: &str, Effect { ticket, end }: Effect) {
        let accepted = (name.to_owned(), ticket);
        match self.waiting.remove(&accepted) {
            Some(sender) => drop(sender.send(end)),
            None => self.kept.push_back((accepted, end)),
        }
        while self.kept.len() > MOST_KEPT {
            self.kept.pop_front();
        }
    }

    /// This box is gone, and what it had begun with it.
    pub(crate) fn lose(&mut self, name: &str) {
        self.lost.insert(name.to_owned());
        let gone: Vec<Accepted> =
            self.waiting.keys().filter(|(one, _)| one == name).cloned().collect();
        for accepted in gone {
            if let Some(sender) = self.waiting.remove(&accepted) {
                let _ = sender.send(lost());
            }
        }
    }

    /// This box is there again.
    pub(crate) fn find(&mut self, name: &str) {
        self.lost.remove(name);
    }
}

fn lost() -> EffectEnd {
    EffectEnd::Aborted("the machine was lost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(ticket: u64) -> Effect {
        Effect { ticket, end: EffectEnd::Done(format!("end {ticket}")) }
    }

    #[test]
    fn an_end_reaches_who_waits_whichever_comes_first() {
        let mut line = EffectLine::default();
        line.tell("alpha", done(1));
        let mut later = line.wait("alpha", 2);
        assert!(later.try_recv().is_err(), "it is the end of another command");
        let mut early = line.wait("alpha", 1);
        assert_eq!(early.try_recv().expect("it was kept"), done(1).end);
        line.tell("beta", done(2));
        assert!(later.try_recv().is_err(), "it is another box's");
        line.tell("alpha", done(2));
        assert_eq!(later.try_recv().expect("it was told"), done(2).end);
    }

    #[test]
    fn what_a_lost_box_had_begun_is_aborted() {
        let mut line = EffectLine::default();
        let (mut alpha, mut beta) = (line.wait("alpha", 1), line.wait("beta", 1));
        line.tell("alpha", done(7));
        line.lose("alpha");
        assert_eq!(alpha.try_recv().expect("it is over"), lost());
        assert!(beta.try_recv().is_err());
        assert_eq!(line.wait("alpha", 7).try_recv().expect("it was done before"), done(7).end);
        assert_eq!(line.wait("alpha", 9).try_recv().expect("it is lost"), lost());
    }

    #[test]
    fn ends_that_nobody_waits_for_are_forgotten_in_the_end() {
        let mut line = EffectLine::default();
        (0..5_000).for_each(|ticket| line.tell("alpha", done(ticket)));
        assert_eq!(line.kept.len(), MOST_KEPT);
    }
}
