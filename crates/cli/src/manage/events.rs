//! `GET /v1/events`: what happens, as Server-Sent Events (WHATWG HTML §9.2).
//!
//! | event | data |
//! |---|---|
//! | `state` | once a second, a [`StateView`] |
//! | `chronicle` | a [`ChronicleLine`](super::ChronicleLine), as it happens; its number is the event's id |
//! | `missed` | `{"lines": 12}`: the watcher was too slow for so many lines |
//! | `end` | `{"text": "…"}`: nothing will happen any more |
//!
//! Nothing is kept for a watcher but the number of the line that comes next. Whoever reads slowly gets fewer states.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::ManagedSites;
use super::live_feed::News;
use super::state_view::StateView;

/// Between two states.
const EVERY: Duration = Duration::from_secs(1);

/// Says by its count that somebody reads an answer that goes on and on: with it a connection outlives the time that an answer
/// has to be read.
#[derive(Debug, Clone, Default)]
pub struct StreamProgress(Arc<AtomicU64>);

impl StreamProgress {
    /// A further piece has been taken.
    pub fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Pieces that have been taken.
    pub(super) fn pieces(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One who watches.
struct Watcher {
    sites: Arc<dyn ManagedSites>,
    ticks: Interval,
    news: watch::Receiver<News>,
    /// The last line of the chronicle that was told.
    after: u64,
    /// Events that were made and not taken yet: never more than one look at the chronicle.
    made: VecDeque<Bytes>,
    is_over: bool,
    progress: StreamProgress,
    _place: OwnedSemaphorePermit,
}

/// An answer that goes on until the watcher leaves or nothing happens any more.
pub(super) fn stream(
    sites: Arc<dyn ManagedSites>,
    after: u64,
    place: OwnedSemaphorePermit,
) -> Response {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (news, progress) = (sites.feed().watch(), StreamProgress::default());
    let mut watcher = Watcher {
        sites,
        ticks,
        news,
        after,
        made: VecDeque::new(),
        is_over: false,
        progress: progress.clone(),
        _place: place,
    };
    watcher.news.mark_changed();
    let events = unfold(watcher, async |mut watcher| {
        let event = watcher.next().await?;
        watcher.progress.note();
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let head = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    let mut answer = (head, Body::from_stream(events)).into_response();
    answer.extensions_mut().insert(progress);
    answer
}

impl Watcher {
    /// The next event; none when nothing will happen any more.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.made.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            tokio::select! {
                biased;
                changed = self.news.changed() => {
                    let end = match changed {
                        Ok(()) => self.news.borrow_and_update().end.clone(),
                        Err(_) => Some("nothing is told any more".to_owned()),
                    };
                    self.take_lines();
                    if let Some(text) = end {
                        self.made.push_back(event("end", None, &serde_json::json!({ "text": text })));
                        self.is_over = true;
                    }
                }
                _ = self.ticks.tick() => {
                    let state = StateView::of_sites(&*self.sites);
                    self.made.push_back(event("state", None, &state));
                }
            }
        }
    }

    fn take_lines(&mut self) {
        let (missed, lines) = self.sites.feed().lines_after(self.after);
        if missed > 0 {
            self.made.push_back(event("missed", None, &serde_json::json!({ "lines": missed })));
        }
        for line in lines {
            self.after = line.number;
            self.made.push_back(event("chronicle", Some(line.number), &line));
        }
    }
}

/// An event as it is written: JSON has no line ends of its own.
fn event(name: &str, id: Option<u64>, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {name}\ndata: {data}\n\n").into()
}
