//! What is told live of a network: how its run stands, its last minutes, and what happened, each once.
//!
//! ```text
//!  commands by hand, the loop of a run ──► LiveFeed ◄── each watcher reads at its own pace (events.rs)
//! ```
//!
//! Nobody who writes ever waits for somebody who reads: lines are kept in a bounded ring, and a watcher who is too slow for it is
//! told how many were missed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use telemetry::visible_line;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::run_view::{HistoryView, Moment, RunView};

/// Lines of the chronicle that can still be read.
const LINES: usize = 1_000;

/// Seconds that charts remember: ten minutes.
const MOMENTS: usize = 600;

/// The longest line of the chronicle, in characters.
const LONGEST_LINE: usize = 600;

/// How long watchers may take to hear the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChronicleLine {
    /// From 1, without gaps.
    pub number: u64,
    /// Unix time in milliseconds.
    pub at_ms: u64,
    /// By the clock of the campaign, if there is one.
    pub at_s: Option<f64>,
    pub kind: ChronicleKind,
    pub text: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChronicleKind {
    Command,
    Fault,
    Load,
    Alarm,
    Process,
    Crisis,
    Note,
}

/// The answer to `GET /v1/chronicle`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChronicleView {
    /// The last 1,000.
    pub lines: Vec<ChronicleLine>,
}

/// What is told live. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone)]
pub struct LiveFeed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    told: Mutex<Told>,
    /// The number of the last line, or that there will be no more.
    news: watch::Sender<News>,
}

/// What whoever waits is woken by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct News {
    pub(super) last: u64,
    /// Why nothing will be told any more.
    pub(super) end: Option<String>,
}

#[derive(Debug, Default)]
struct Told {
    run: Option<RunView>,
    moments: VecDeque<Moment>,
    lines: VecDeque<ChronicleLine>,
    last: u64,
}

impl Default for LiveFeed {
    fn default() -> Self {
        Self(Arc::new(Shared { told: Mutex::default(), news: watch::Sender::default() }))
    }
}

impl LiveFeed {
    /// Something happened: now, or `at_s` by the clock of the campaign.
    pub fn tell(&self, kind: ChronicleKind, at_s: Option<f64>, text: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = visible_line(text).chars().take(LONGEST_LINE).collect();
        let mut told = self.told();
        // How a run stands is known to the second.
        let at_s = at_s.or_else(|| told.run.as_ref().map(|run| run.elapsed_s));
        told.last += 1;
        let number = told.last;
        let at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        told.lines.push_back(ChronicleLine { number, at_ms, at_s, kind, text });
        if told.lines.len() > LINES {
            told.lines.pop_front();
        }
        drop(told);
        self.0.news.send_modify(|news| news.last = number);
    }

    /// How the run stands now.
    pub fn show(&self, run: RunView) {
        self.told().run = Some(run);
    }

    /// One more second of the run.
    pub fn add(&self, moment: Moment) {
        let mut told = self.told();
        told.moments.push_back(moment);
        if told.moments.len() > MOMENTS {
            told.moments.pop_front();
        }
    }

    /// Nothing will happen any more, for this reason. Waits a little for those who watch to hear it; false if nobody does.
    pub async fn end(&self, why: &str) -> bool {
        let is_watched = self.0.news.receiver_count() > 0;
        self.0.news.send_modify(|news| news.end = Some(why.to_owned()));
        let _ = tokio::time::timeout(FAREWELL, self.0.news.closed()).await;
        is_watched
    }

    /// How the run stands.
    #[must_use]
    pub fn run(&self) -> Option<RunView> {
        self.told().run.clone()
    }

    /// The last minutes.
    #[must_use]
    pub fn history(&self) -> HistoryView {
        HistoryView { moments: self.told().moments.iter().cloned().collect() }
    }

    /// What happened.
    #[must_use]
    pub fn chronicle(&self) -> ChronicleView {
        ChronicleView { lines: self.told().lines.iter().cloned().collect() }
    }

    /// The lines behind line `after`, and how many more there were that are forgotten.
    pub(super) fn lines_after(&self, after: u64) -> (u64, Vec<ChronicleLine>) {
        let told = self.told();
        let first = told.lines.front().map_or(told.last + 1, |line| line.number);
        let missed = first.saturating_sub(after.saturating_add(1));
        let lines = told.lines.iter().filter(|line| line.number > after).cloned();
        (missed, lines.collect())
    }

    /// Wakes whoever waits for something new.
    pub(super) fn watch(&self) -> watch::Receiver<News> {
        self.0.news.subscribe()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_late_is_told_how_much_was_missed_and_nothing_grows() {
        let feed = LiveFeed::default();
        assert_eq!(feed.lines_after(0), (0, Vec::new()));
        for number in 0..LINES + 5 {
            feed.tell(ChronicleKind::Note, None, &format!("line {number}\n\u{1b}[2J"));
            feed.add(Moment::default());
        }
        let (missed, lines) = feed.lines_after(0);
        assert_eq!((missed, lines.len(), lines[0].number), (5, LINES, 6));
        assert!(!lines[0].text.contains(char::is_control), "{:?}", lines[0].text);
        let (missed, lines) = feed.lines_after(LINES as u64 + 4);
        assert_eq!((missed, lines.len()), (0, 1));
        assert_eq!(feed.history().moments.len(), MOMENTS);
        // Whoever names a line that is still to come waits for it.
        assert_eq!(feed.lines_after(u64::MAX), (0, Vec::new()));
    }
}
