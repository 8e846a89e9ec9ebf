//! What happened during a run, for its screen and for whoever watches it by the management API.

use std::collections::VecDeque;
use std::time::Duration;

use cli::manage::ChronicleKind;
use conductor::Conductor;

/// Things that happened and can still be read.
const NOTES: usize = 1_000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) at: Duration,
    pub(crate) kind: ChronicleKind,
    /// A command by hand, which whoever takes it has told already.
    pub(crate) is_told: bool,
    pub(crate) text: String,
}

impl Note {
    const fn new(at: Duration, kind: ChronicleKind, text: String) -> Self {
        Self { at, kind, is_told: false, text }
    }
}

/// What happened, in the order in which it became known.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notes: VecDeque<Note>,
    /// Of each kind, how many have been noted: commands, alarms, milestones, restarts, losses, detections,
    /// what is told of operations beside their commands, faults.
    noted: [usize; 8],
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
        let commands = conductor.commands().map(|(operation, entry)| Note {
            is_told: entry.by_hand,
            ..Note::new(entry.at, ChronicleKind::Command, format!("{operation}: {entry}"))
        });
        self.add(0, commands);
        let alarms = conductor.alarms().iter().map(|alarm| {
            let word = if alarm.is_raised() { "ALARM" } else { "over:" };
            let text = format!("{word} {}: {}", alarm.rule, alarm.sentence);
            Note::new(alarm.at, ChronicleKind::Alarm, text)
        });
        self.add(1, alarms);
        let milestones = conductor.milestones().iter();
        let crisis = |at: Duration, text| Note::new(at, ChronicleKind::Crisis, text);
        self.add(2, milestones.map(|(at, one)| crisis(*at, format!("crisis: {one}"))));
        let restarts = conductor.restarts().iter();
        let process = |at: Duration, text| Note::new(at, ChronicleKind::Process, text);
        self.add(3, restarts.map(|(at, site)| process(*at, format!("{site} restarts"))));
        self.add(4, losses.iter().map(|loss| process(at, loss.clone())));
        let found = |(member, by, after): &(String, String, Duration)| {
            let after = after.as_secs_f64();
            let text = format!("{by} finds {member} down, silent for {after:.1} s");
            Note::new(at, ChronicleKind::Note, text)
        };
        self.add(5, detections.iter().map(found));
        let beside = conductor.notes().map(|(name, note)| {
            let kind = match (note.by_hand, &note.site) {
                (true, None) => ChronicleKind::Load,
                (true, Some(_)) => ChronicleKind::Command,
                (false, _) => ChronicleKind::Note,
            };
            Note::new(note.at, kind, format!("{name}: {}", note.text))
        });
        self.add(6, beside);
        let faults = conductor.faults().iter();
        self.add(
            7,
            faults.map(|it| Note::new(it.at, ChronicleKind::Fault, format!("fault: {it}"))),
        );
    }

    fn add(&mut self, kind: usize, all: impl Iterator<Item = Note>) {
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
        self.notes.iter().map(|note| (note.at, note.text.clone())).collect()
    }

    /// Takes what is not taken yet.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Note> {
        self.notes.drain(..)
    }
}
