//! What lies over every chart: the phases of the campaign, and numbered marks of what happened.

use std::time::Duration;

use crate::plot::{Band, Mark};
use account::outcome::{EventKind, TimelineEvent};

use crate::content::PhaseSpan;
use crate::figures::clock;

/// Marks of a chart, at most.
const MOST: usize = 16;
/// Things that happened, told by one mark.
const TOLD: usize = 8;
/// Two marks are at least this part of the axis apart.
const APART: f64 = 0.012;

/// A mark with its number, which is the same in all charts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbered {
    pub(crate) number: usize,
    pub(crate) at: Duration,
    /// A word or two.
    pub(crate) word: String,
    /// What happened then, and soon after.
    pub(crate) text: String,
}

/// The events that stand for what happened, few enough to be told apart on an axis of this length: the first command of
/// each operation, the first restart, alarms, and milestones.
pub(crate) fn marks(events: &[TimelineEvent], length: Duration) -> Vec<Numbered> {
    let mut seen: Vec<&EventKind> = Vec::new();
    let mut marks: Vec<Numbered> = Vec::new();
    let mut told = 0;
    let apart = length.mul_f64(APART);
    for event in events.iter().filter(|event| event.at <= length) {
        // Whoever commands by hand does each time something of their own.
        if !matches!(event.what, EventKind::HandCommand(_)) {
            if seen.contains(&&event.what) {
                continue;
            }
            seen.push(&event.what);
        }
        let word = match &event.what {
            EventKind::Command(operation) => operation.clone(),
            EventKind::HandCommand(command) => command.clone(),
            EventKind::Fault(fault) => fault.clone(),
            EventKind::Note(operation) => format!("{operation}: gate"),
            EventKind::Restart => "restarts".to_owned(),
            EventKind::Alarm(rule) => format!("alarm {rule}"),
            EventKind::Milestone(milestone) => milestone.clone(),
        };
        let number = marks.len() + 1;
        match marks.last_mut().filter(|last| event.at < last.at + apart) {
            Some(_) if told > TOLD => {}
            Some(last) if told == TOLD => {
                told += 1;
                last.text += "; …";
            }
            Some(last) => {
                told += 1;
                last.word = format!("{}, {word}", last.word);
                last.text = format!("{}; {}", last.text, event.text);
            }
            None if number <= MOST => {
                told = 1;
                marks.push(Numbered { number, at: event.at, word, text: event.text.clone() })
            }
            None => {}
        }
    }
    marks
}

/// As marks of a chart: with their words where it is wide.
pub(crate) fn drawn(marks: &[Numbered], begins: Duration, with_words: bool) -> Vec<Mark> {
    let drawn = marks.iter().map(|mark| Mark {
        at: mark.at.as_secs_f64(),
        label: match with_words {
            true => format!("{} {}", mark.number, shortened(&mark.word)),
            false => mark.number.to_string(),
        },
        title: format!("{} {}", clock(begins, mark.at), mark.text),
    });
    drawn.collect()
}

fn shortened(word: &str) -> String {
    const LETTERS: usize = 32;
    if word.chars().count() <= LETTERS {
        return word.to_owned();
    }
    word.chars().take(LETTERS - 1).chain(['…']).collect()
}

/// The phases as bands, every other one shaded, and what follows them; with their names where the chart is wide.
pub(crate) fn bands(phases: &[PhaseSpan], length: Duration, with_names: bool) -> Vec<Band> {
    let end = phases.last().map_or(Duration::ZERO, |last| last.to);
    let drain = PhaseSpan { name: "drain".to_owned(), from: end, to: length };
    let all = phases.iter().chain(std::iter::once(&drain)).enumerate();
    let inside = all.filter(|(_, phase)| phase.from < length.min(phase.to));
    let bands = inside.map(|(number, phase)| Band {
        from: phase.from.as_secs_f64(),
        to: phase.to.min(length).as_secs_f64(),
        name: if with_names { phase.name.clone() } else { String::new() },
        is_shaded: number % 2 == 1,
    });
    bands.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: u64, what: EventKind) -> TimelineEvent {
        TimelineEvent { at: Duration::from_secs(at), what, text: format!("at {at}") }
    }

    #[test]
    fn marks_are_few_and_apart() {
        let command = |name: &str| EventKind::Command(name.to_owned());
        let mut events = vec![
            event(10, command("cut")),
            event(11, command("cut")),
            event(11, EventKind::Restart),
            event(300, EventKind::Alarm("asr".to_owned())),
            event(9_999, EventKind::Milestone("recovered".to_owned())),
        ];
        let placed = marks(&events, Duration::from_secs(1_000));
        let told: Vec<(usize, &str, &str)> =
            placed.iter().map(|mark| (mark.number, &mark.word[..], &mark.text[..])).collect();
        assert_eq!(told, [(1, "cut, restarts", "at 10; at 11"), (2, "alarm asr", "at 300")]);
        events.extend((0..1_000).map(|at| event(at, command(&at.to_string()))));
        assert!(marks(&events, Duration::from_secs(1_000)).len() <= MOST);
    }

    #[test]
    fn phases_end_where_the_run_did() {
        let phase = |name: &str, from, to| PhaseSpan {
            name: name.to_owned(),
            from: Duration::from_secs(from),
            to: Duration::from_secs(to),
        };
        let phases = [phase("low", 0, 10), phase("high", 10, 20)];
        let ends = |length| {
            let bands = bands(&phases, Duration::from_secs(length), true);
            bands.into_iter().map(|band| (band.name, band.to)).collect::<Vec<_>>()
        };
        assert_eq!(ends(15), [("low".to_owned(), 10.0), ("high".to_owned(), 15.0)]);
        assert_eq!(ends(25)[2], ("drain".to_owned(), 25.0));
    }
}
