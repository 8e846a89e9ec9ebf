//! What somebody at the keyboard looks at, and what keys do.
//!
//! ```text
//!           Enter            Enter
//!   List ─────────► Ladder ─────────► Message          Esc leads back, from the list out
//!                     │ Space, Space
//!                     └─────────────► Difference
//! ```

use std::collections::{BTreeSet, HashMap};

use ladder::render::{Screen, difference, message, text};
use ladder::watch::{CallList, Filter, story_of_wire};
use ladder::{NamedAddress, Story};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use run_folder::call_story;

use super::save;
use super::source::{Arrival, Origin};

/// Lines that a page key goes by.
const PAGE: usize = 10;
/// Remarks that are kept.
const MOST_REMARKS: usize = 20;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Page {
    List,
    Ladder,
    /// A text with a title: a message, a difference, the help.
    Text {
        title: String,
        text: String,
    },
}

/// What is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    Filter(String),
    /// The name of a file.
    Save(String),
}

/// All of it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) list: CallList,
    pub(super) origin: Origin,
    pub(super) remarks: Vec<String>,
    /// Attempts of a run, by the number of their call.
    attempts: HashMap<usize, String>,
    pub(super) filter: Filter,
    pub(super) filter_text: String,
    pages: Vec<Page>,
    /// The call under the bar, and those that were chosen.
    pub(super) selected: Option<usize>,
    pub(super) chosen: BTreeSet<usize>,
    /// The ladder that is open, and its message under the bar.
    pub(super) story: Option<Story>,
    pub(super) number: u32,
    /// The first of two messages to compare.
    pub(super) compared: Option<u32>,
    /// Lines of a text above the first that is shown.
    pub(super) down: usize,
    pub(super) input: Option<Input>,
    /// What the last key came to.
    pub(super) note: String,
    pub(super) is_paused: bool,
    /// Ladders show what RTCP said.
    shows_reports: bool,
}

impl Desk {
    pub(super) fn new(names: Vec<NamedAddress>, limit: usize, origin: Origin) -> Self {
        Self {
            list: CallList::new(names, limit),
            origin,
            remarks: Vec::new(),
            attempts: HashMap::new(),
            filter: Filter::default(),
            filter_text: String::new(),
            pages: vec![Page::List],
            selected: None,
            chosen: BTreeSet::new(),
            story: None,
            number: 1,
            compared: None,
            down: 0,
            input: None,
            note: String::new(),
            is_paused: false,
            shows_reports: true,
        }
    }

    pub(super) fn set_filter(&mut self, text: &str, filter: Filter) {
        text.clone_into(&mut self.filter_text);
        self.filter = filter;
        if self.selected.is_some_and(|number| !self.shown().any(|shown| shown == number)) {
            let first = self.shown().next();
            self.selected = first;
        }
    }

    /// Takes what came; returns the number of its call.
    pub(super) fn take(&mut self, arrival: Arrival) -> Option<usize> {
        match arrival {
            // What comes meanwhile is not kept, as with sngrep: a pause is for reading.
            Arrival::Message(..) if self.is_paused => None,
            Arrival::Message(message, correlation) => {
                let number = self.list.take(message, correlation.as_deref())?;
                if let (Origin::Run(_), Some(attempt)) = (&self.origin, correlation) {
                    self.attempts.insert(number, attempt);
                }
                self.selected.get_or_insert(number);
                Some(number)
            }
            Arrival::Remark(remark) => {
                self.note.clone_from(&remark);
                if self.remarks.len() < MOST_REMARKS {
                    self.remarks.push(remark);
                }
                None
            }
        }
    }

    /// The numbers of the calls that the filter shows.
    pub(super) fn shown(&self) -> impl Iterator<Item = usize> + '_ {
        self.list.rows().filter(|(_, row)| self.filter.shows(row)).map(|(number, _)| number)
    }

    pub(super) fn page(&self) -> &Page {
        self.pages.last().unwrap_or(&Page::List)
    }

    /// The story of a call: of a run with all that is known, else from its messages.
    pub(super) fn story_of(&self, number: usize) -> anyhow::Result<Story> {
        if let (Origin::Run(folder), Some(attempt)) = (&self.origin, self.attempts.get(&number)) {
            return call_story(folder, attempt);
        }
        Ok(story_of_wire(self.list.messages(number), self.list.names()))
    }

    /// Takes a key; true when that was all.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        if key.kind == KeyEventKind::Release {
            return false;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return true;
        }
        self.note.clear();
        if let Some(input) = self.input.take() {
            self.type_in(input, key.code);
            return false;
        }
        match (key.code, self.page()) {
            (KeyCode::Esc | KeyCode::Char('q'), Page::List) => return true,
            (KeyCode::Esc | KeyCode::Char('q') | KeyCode::Backspace, _) => self.back(),
            (KeyCode::F(1) | KeyCode::Char('h' | '?'), Page::List | Page::Ladder) => {
                self.open_text("Keys".to_owned(), HELP.to_owned());
            }
            (code, Page::List) => self.press_in_list(code),
            (code, Page::Ladder) => self.press_in_ladder(code),
            (code, Page::Text { text, .. }) => {
                let last = text.lines().count().saturating_sub(1);
                self.down = moved(self.down, code).unwrap_or(self.down).min(last);
            }
        }
        false
    }

    fn back(&mut self) {
        if self.pages.len() > 1 {
            self.pages.pop();
        }
        self.down = 0;
        if matches!(self.page(), Page::List) {
            (self.story, self.compared) = (None, None);
        }
    }

    fn open_text(&mut self, title: String, text: String) {
        self.down = 0;
        self.pages.push(Page::Text { title, text });
    }

    fn press_in_list(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.open_ladder(),
            KeyCode::Char(' ') => {
                if let Some(number) = self.selected
                    && !self.chosen.remove(&number)
                {
                    self.chosen.insert(number);
                }
            }
            KeyCode::F(2) | KeyCode::Char('s') => {
                self.input = Some(Input::Save("calls.pcapng".to_owned()));
            }
            KeyCode::F(3 | 7) | KeyCode::Char('/') => {
                self.input = Some(Input::Filter(self.filter_text.clone()));
            }
            KeyCode::F(5) => {
                self.list.clear();
                (self.selected, self.chosen) = (None, BTreeSet::new());
            }
            KeyCode::Char('p') => self.is_paused = !self.is_paused,
            code => {
                let shown: Vec<usize> = self.shown().collect();
                let at = shown.iter().position(|number| Some(*number) == self.selected);
                let at = moved(at.unwrap_or_default(), code);
                if let Some(at) = at {
                    self.selected = shown.get(at.min(shown.len().saturating_sub(1))).copied();
                }
            }
        }
    }

    fn open_ladder(&mut self) {
        let Some(number) = self.selected else { return };
        match self.story_of(number) {
            Ok(story) => {
                (self.story, self.number, self.compared) = (Some(story), 1, None);
                self.pages.push(Page::Ladder);
            }
            Err(error) => self.note = format!("{error:#}"),
        }
    }

    fn press_in_ladder(&mut self, code: KeyCode) {
        let Some(story) = &self.story else { return };
        let last = story.messages().last().map_or(0, |arrow| arrow.number);
        match code {
            KeyCode::Enter => {
                if let Some(arrow) = story.message(self.number) {
                    let (title, text) =
                        (format!("Message {}", arrow.number), message(story, arrow));
                    self.open_text(title, text);
                }
            }
            KeyCode::Char(' ') => match self.compared.take() {
                None => self.compared = Some(self.number),
                Some(first) if first == self.number => {}
                Some(first) => {
                    let two = (story.message(first), story.message(self.number));
                    if let (Some(old), Some(new)) = two {
                        let title = format!("Messages {first} and {}", self.number);
                        let text = difference(story, old, new);
                        self.open_text(title, text);
                    }
                }
            },
            KeyCode::F(2) | KeyCode::Char('s') => {
                self.input = Some(Input::Save("ladder.txt".to_owned()));
            }
            KeyCode::Char('r') => self.shows_reports = !self.shows_reports,
            code => {
                if let Some(at) = moved(self.number as usize, code) {
                    self.number = u32::try_from(at).unwrap_or(u32::MAX).clamp(1.min(last), last);
                }
            }
        }
    }

    fn type_in(&mut self, input: Input, code: KeyCode) {
        let edited = |mut text: String| {
            match code {
                KeyCode::Backspace => drop(text.pop()),
                KeyCode::Char(c) if !c.is_control() => text.push(c),
                _ => {}
            }
            text
        };
        self.input = match (input, code) {
            (_, KeyCode::Esc) => None,
            (Input::Filter(text), KeyCode::Enter) => match Filter::parse(&text) {
                Ok(filter) => {
                    self.set_filter(&text, filter);
                    None
                }
                Err(error) => {
                    self.note = error.to_string();
                    Some(Input::Filter(text))
                }
            },
            (Input::Save(name), KeyCode::Enter) => {
                let saved = match &self.story {
                    Some(story) if self.shows_reports => save::ladder(story, &name),
                    Some(story) => save::ladder(&story.clone().without_reports(), &name),
                    None => self.save_calls(&name),
                };
                match saved {
                    Ok(said) => {
                        self.note = said;
                        None
                    }
                    Err(error) => {
                        self.note = format!("{error:#}");
                        Some(Input::Save(name))
                    }
                }
            }
            (Input::Filter(text), _) => Some(Input::Filter(edited(text))),
            (Input::Save(name), _) => Some(Input::Save(edited(name))),
        };
    }

    /// Saves the chosen calls, or all that are shown.
    fn save_calls(&self, name: &str) -> anyhow::Result<String> {
        let is_meant = |number: &usize| self.chosen.is_empty() || self.chosen.contains(number);
        let numbers: Vec<usize> = self.shown().filter(is_meant).collect();
        let rows: Vec<_> = numbers.iter().filter_map(|number| self.list.row(*number)).collect();
        let stories = || numbers.iter().map(|number| self.story_of(*number)).collect();
        save::calls(&rows, stories, name)
    }

    /// The open ladder for a screen of this width: its lines, and which of them is under the bar.
    pub(super) fn ladder_lines(&self, width: usize) -> (Vec<String>, usize) {
        let Some(story) = &self.story else { return (Vec::new(), 0) };
        let screen = Screen { width, has_colours: false };
        let drawn = match self.shows_reports {
            true => text(story, screen),
            false => text(&story.clone().without_reports(), screen),
        };
        let lines: Vec<String> = drawn.lines().map(str::to_owned).collect();
        let is_meant = |line: &String| {
            let begins_early = line.len() - line.trim_start().len() < 4;
            let first = line.split_whitespace().next().and_then(|word| word.parse::<u32>().ok());
            begins_early && first == Some(self.number)
        };
        let at = lines.iter().position(is_meant).unwrap_or_default();
        (lines, at)
    }
}

/// Where a key leads from a place in a list; `None` for a key that moves nothing.
fn moved(at: usize, code: KeyCode) -> Option<usize> {
    Some(match code {
        KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => at + 1,
        KeyCode::PageUp => at.saturating_sub(PAGE),
        KeyCode::PageDown => at + PAGE,
        KeyCode::Home => 0,
        KeyCode::End => usize::MAX >> 1,
        _ => return None,
    })
}

const HELP: &str = "\
In the list
  Up Down PgUp PgDn Home End   to another call
  Enter                        its ladder
  Space                        choose it, or no longer: what is saved
  F3 F7 /                      a filter: site = gamma and status >= 500
                               fields: method from to number site state status messages duration call_id
                               = != < <= > >=, ~ (contains); and, or, not, ( ); a word alone is searched for everywhere
  F2 s                         save the chosen calls, or all that are shown: NAME.pcapng, or the list: NAME.csv
  p                            pause: what comes meanwhile is not kept
  F5                           forget all calls
In a ladder
  Up Down                      to another message
  Enter                        the message
  Space, and Space again       what differs between two messages
  r                            show what RTCP said, or no longer
  F2 s                         save the ladder: NAME.txt .md .mmd .svg .html .json .pcapng
Everywhere
  F1 h                         this help
  Esc q                        back, and from the list out
";
