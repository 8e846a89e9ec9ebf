//! Alarms go to a webhook as Alertmanager would post them, on a thread of their own: a receiver that is slow or away holds up no run.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use operations::supervision::{Alarm, alertmanager};
use ureq::Agent;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way to a receiver. Dropped, it waits until the last alarm is posted, or refused.
#[derive(Debug)]
pub(crate) struct Webhook {
    bodies: Option<Sender<String>>,
    /// Gives back its first complaint, if it has one.
    poster: Option<JoinHandle<Option<String>>>,
    /// Unix time at which the campaign began.
    zero: Duration,
    /// Alarms that were told.
    told: usize,
}

impl Webhook {
    pub(crate) fn new(url: &str, zero: Duration) -> Self {
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
        Self { bodies: Some(bodies), poster: Some(poster), zero, told: 0 }
    }

    /// Posts what is new among the alarms of a run.
    pub(crate) fn tell(&mut self, alarms: &[Alarm]) {
        let new = alarms.get(self.told..).unwrap_or_default();
        self.told = alarms.len();
        for notification in alertmanager::notifications(new, self.zero) {
            if let (Ok(body), Some(bodies)) = (serde_json::to_string(&notification), &self.bodies) {
                let _ = bodies.send(body);
            }
        }
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.bodies = None;
        if let Some(poster) = self.poster.take() {
            // Said at the end: before, a screen may be in the way.
            if let Ok(Some(complaint)) = poster.join() {
                cli::complain!("warning: {complaint}");
            }
        }
    }
}
