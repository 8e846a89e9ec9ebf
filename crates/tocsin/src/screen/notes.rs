//! What happened during a run, for its screen.

use std::collections::VecDeque;
use std::time::Duration;

use conductor::Conductor;

/// Things that happened and can still be read.
const NOTES: usize = 1_000;

/// What happened, in the order in which it became known.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notes: VecDeque<(Duration, String)>,
    /// Of each kind, how many have been noted: commands, alarms, milestones, restarts, losses, detections,
    /// what is told of operations beside their commands.
    noted: [usize; 7],
}

impl Notes {
    /// Notes what is new to the conductor, and which processes were lost.
    pub(crate) fn take(
        &mut self,
        at: Duration,
        conductor: &Conductor,
        losses: &[String],
        detections: &[(String, String, Duration)],
    ) {
        let commands = conductor
            .commands()
            .map(|(operation, entry)| (entry.at, format!("{operation}: {entry}")));
        self.add(0, commands);
        let alarms = conductor.alarms().iter().map(|alarm| {
            let word = if alarm.is_raised() { "ALARM" } else { "over:" };
            (alarm.at, format!("{word} {}: {}", alarm.rule, alarm.sentence))
        });
        self.add(1, alarms);
        let milestones = conductor.milestones().iter();
        self.add(2, milestones.map(|(at, milestone)| (*at, format!("crisis: {milestone}"))));
        let restarts = conductor.restarts().iter();
        self.add(3, restarts.map(|(at, site)| (*at, format!("{site} restarts"))));
        self.add(4, losses.iter().map(|loss| (at, loss.clone())));
        let found = |(member, by, after): &(String, String, Duration)| {
            let after = after.as_secs_f64();
            (at, format!("{by} finds {member} down, silent for {after:.1} s"))
        };
        self.add(5, detections.iter().map(found));
        let beside =
            conductor.notes().map(|(name, note)| (note.at, format!("{name}: {}", note.text)));
        self.add(6, beside);
    }

    fn add(&mut self, kind: usize, all: impl Iterator<Item = (Duration, String)>) {
        let mut count = 0;
        for (index, note) in all.enumerate() {
            if index >= self.noted[kind] {
                self.notes.push_back(note);
            }
            count = index + 1;
        }
        self.noted[kind] = count.max(self.noted[kind]);
        while self.notes.len() > NOTES {
            self.notes.pop_front();
        }
    }

    pub(crate) fn latest(&self) -> Vec<(Duration, String)> {
        self.notes.iter().cloned().collect()
    }
}
