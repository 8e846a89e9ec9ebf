//! Alarms go to a webhook as Alertmanager would post them, on a thread of their own: a receiver that is slow or away does not delay the run.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use operations::supervision::{Alarm, alertmanager};
use ureq::Agent;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way to a receiver. Dropped, it waits until the last alarm is posted or refused.
#[derive(Debug)]
pub(crate) struct Webhook {
    bodies: Option<Sender<String>>,
    /// Gives back its first complaint, if it has one.
    poster: Option<JoinHandle<Option<String>>>,
    /// Unix time at which the campaign began.
    campaign_start: Duration,
    /// Alarms that were posted.
    posted: usize,
}

impl Webhook {
    pub(crate) fn new(url: &str, campaign_start: Duration) -> Self {
        let (bodies, waiting) = channel::<String>();
        let url = url.to_owned();
        let poster = thread::spawn(move || {
            let agent: Agent = Agent::config_builder()
                .proxy(None)
                .max_redirects(0)
                .timeout_global(Some(PATIENCE))
                .build()
                .new_agent();
            let mut complaint = None;
            for body in waiting {
                let post = agent.post(&url).header("Content-Type", "application/json");
                if let Err(error) = post.send(body) {
                    complaint.get_or_insert_with(|| {
                        format!("supervision.webhook {url} does not take alarms: {error}")
                    });
                }
            }
            complaint
        });
        Self { bodies: Some(bodies), poster: Some(poster), campaign_start, posted: 0 }
    }

    /// Posts what is new among the alarms of a run.
    pub(crate) fn post(&mut self, alarms: &[Alarm]) {
        let new = alarms.get(self.posted..).unwrap_or_default();
        self.posted = alarms.len();
        for notification in alertmanager::notifications(new, self.campaign_start) {
            if let (Ok(body), Some(bodies)) = (serde_json::to_string(&notification), &self.bodies) {
                let _ = bodies.send(body);
            }
        }
    }

    /// Waits until the last alarm is posted or refused. The first complaint, if there is one: to be said when no screen is
    /// in the way.
    pub(crate) fn finish(mut self) -> Option<String> {
        self.join()
    }

    fn join(&mut self) -> Option<String> {
        self.bodies = None;
        self.poster.take()?.join().ok().flatten()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.join();
    }
}
