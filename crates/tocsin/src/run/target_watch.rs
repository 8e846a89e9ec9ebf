//! Commands that somebody gives to a network that this run calls and does not start: asked for, as often as they may matter.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cli::manage::{CommandNote, LoggedCommand};
use operations::OrderResult;
use tokio::sync::mpsc::UnboundedSender;

use crate::ctl::client::Client;

/// Between two looks. The network says how long ago a command was, so that its time in the run is right all the same.
const EVERY: Duration = Duration::from_millis(500);

/// Looks at the command log of a network until it is dropped, and once more then.
#[derive(Debug)]
pub(super) struct TargetWatch {
    /// Dropped to end the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TargetWatch {
    /// Begins to look. What was commanded before is no part of the run.
    ///
    /// # Errors
    /// Nobody is managed as the file says.
    pub(super) fn begin(file: &Path, notes: UnboundedSender<CommandNote>) -> anyhow::Result<Self> {
        let client = Client::open(file)?;
        let mut told = Told::default();
        told.take(client.log()?);
        let (end, ended) = channel::<()>();
        let thread = thread::spawn(move || {
            let mut is_told = false;
            loop {
                let is_last = ended.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
                match client.log() {
                    Ok(log) => told.take(log).into_iter().for_each(|note| drop(notes.send(note))),
                    Err(error) if !is_told => {
                        is_told = true;
                        cli::complain!(
                            "warning: commands to the target are not seen any more: {error:#}"
                        );
                    }
                    Err(_) => {}
                }
                if is_last {
                    return;
                }
            }
        });
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for TargetWatch {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Which commands were told so far, and what came of each. A site may say more than once how it stands with a command.
#[derive(Debug, Default)]
struct Told(BTreeMap<u64, Option<OrderResult>>);

impl Told {
    /// What is new in the log.
    fn take(&mut self, log: Vec<LoggedCommand>) -> Vec<CommandNote> {
        let mut news = Vec::new();
        for LoggedCommand { id, by, name, action, given_ms_ago, over_ms_ago, result } in log {
            let note = |ms_ago: u64, result| CommandNote {
                id,
                by: by.clone(),
                name: name.clone(),
                action: action.clone(),
                age: Duration::from_millis(ms_ago),
                result,
            };
            let told = self.0.entry(id).or_insert_with(|| {
                news.push(note(given_ms_ago, None));
                None
            });
            if let (Some(since), true) = (over_ms_ago, result.is_some() && *told != result) {
                told.clone_from(&result);
                news.push(note(since, result));
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use operations::Action;

    use super::*;

    fn logged(id: u64, result: Option<OrderResult>) -> LoggedCommand {
        LoggedCommand {
            id,
            by: "ctl".to_owned(),
            name: "alpha".to_owned(),
            action: Action::Lock,
            given_ms_ago: 300,
            over_ms_ago: result.as_ref().map(|_| 100),
            result,
        }
    }

    #[test]
    fn each_command_is_told_once_as_it_goes_out_and_once_as_it_is_over() {
        let done = || Some(OrderResult::Done("locked".to_owned()));
        let mut told = Told::default();
        let mut news = |log: Vec<LoggedCommand>| {
            let notes = told.take(log).into_iter();
            notes.map(|it| (it.id, it.age.as_millis(), it.result.is_some())).collect::<Vec<_>>()
        };
        assert_eq!(news(vec![logged(1, None)]), [(1, 300, false)]);
        assert_eq!(news(vec![logged(1, None)]), []);
        assert_eq!(
            news(vec![logged(1, done()), logged(2, done())]),
            [(1, 100, true), (2, 300, false), (2, 100, true)]
        );
        assert_eq!(news(vec![logged(1, done()), logged(2, done())]), []);
        let refused = Some(OrderResult::Refused("after all".to_owned()));
        assert_eq!(news(vec![logged(1, refused), logged(2, done())]), [(1, 100, true)]);
    }
}
