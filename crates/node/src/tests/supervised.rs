use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, PipeWriter, Write, pipe};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use contract::{
    BoxOrder, BoxState, DirectoryEntry, PipeMessage as _, ProcessEnding, ProcessOrder,
    ProcessReport, Reply,
};

use super::echo::{DANCE, HOLD, PANIC, PATIENCE, RELEASE, spec, within};
use crate::parent::Parent;
use crate::serve::serve_for;
use crate::{DrainRequest, Options};

/// A served program on a thread of its own, seen from its parent.
struct Child {
    input: PipeWriter,
    reports: mpsc::Receiver<ProcessReport>,
    program: JoinHandle<ProcessEnding>,
}

impl Child {
    fn start(options: Options) -> Self {
        let (child_input, input) = pipe().expect("a pipe");
        let (output, child_output) = pipe().expect("a pipe");
        let program = thread::spawn(move || {
            crate::run(async {
                let parent = Parent::new(|| child_input, Box::new(child_output));
                let boxes = vec![spec("alpha"), spec("beta")];
                serve_for(Some(parent), boxes, options).await.expect("ports are free")
            })
        });
        let (told, reports) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let report = ProcessReport::from_line(&line.expect("UTF-8")).expect("a report");
                if told.send(report.expect("no empty line")).is_err() {
                    return; // the test has seen enough
                }
            }
        });
        Self { input, reports, program }
    }

    fn write(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the child reads");
    }

    fn order(&mut self, order: &ProcessOrder) {
        let line = order.to_line().expect("a line");
        self.input.write_all(&line).expect("the child reads");
    }

    fn order_box(&mut self, name: &str, order: BoxOrder) {
        self.order(&ProcessOrder::Box { id: 7, name: name.to_owned(), order });
    }

    /// The next report that `wanted` finds; others are skipped.
    fn report<T>(&self, wanted: impl Fn(ProcessReport) -> Option<T>) -> T {
        loop {
            let report = self.reports.recv_timeout(PATIENCE).expect("the child reports it");
            if let Some(found) = wanted(report) {
                return found;
            }
        }
    }

    fn reply(&self) -> (u64, String, Reply) {
        self.report(|report| match report {
            ProcessReport::Reply { id, name, reply } => Some((id, name, reply)),
            _ => None,
        })
    }

    fn drained(&self) -> bool {
        self.report(|report| match report {
            ProcessReport::Drained { complete } => Some(complete),
            _ => None,
        })
    }

    /// The last words: how it ended, its memory, and its boxes.
    fn last(&self) -> (ProcessEnding, u64, BTreeMap<String, DirectoryEntry>) {
        self.report(|report| match report {
            ProcessReport::Final { ending, usage, boxes } => {
                Some((ending, usage.max_rss_kib, boxes))
            }
            _ => None,
        })
    }

    fn ending(self) -> ProcessEnding {
        self.program.join().expect("the shell does not panic")
    }
}

fn holds(entry: &DirectoryEntry) -> bool {
    let shown = entry.snapshot.as_ref().and_then(|snapshot| snapshot.call_server());
    shown.expect("it has shown itself").locked
}

#[test]
fn orders_are_obeyed_and_everything_is_reported() {
    let mut child = Child::start(Options::default());
    let ready = child.report(|report| match report {
        ProcessReport::Ready { boxes } => Some(boxes),
        _ => None,
    });
    assert_eq!(ready.keys().collect::<Vec<_>>(), ["alpha", "beta"]);
    assert!(ready.values().all(|entry| entry.address.port() > 0));

    child.order_box("alpha", HOLD);
    assert_eq!(child.reply(), (7, "alpha".to_owned(), Reply::Done("held".to_owned())));
    child.order_box("beta", DANCE);
    let refused = "\"beta\" refuses: unknown command Advise".to_owned();
    assert_eq!(child.reply(), (7, "beta".to_owned(), Reply::Refused(refused)));
    child.write("nonsense");
    let refused = child.report(|report| match report {
        ProcessReport::Refused { line, .. } => Some(line),
        _ => None,
    });
    assert_eq!(refused, "nonsense");
    let shown = child.report(|report| match report {
        ProcessReport::Snapshot { boxes, .. } => Some(boxes),
        _ => None,
    });
    assert!(holds(&shown["alpha"]));

    child.order(&ProcessOrder::Drain);
    child.order_box("alpha", RELEASE);
    assert!(child.drained());
    let (ending, memory, boxes) = child.last();
    assert_eq!((ending, boxes["beta"].state), (ProcessEnding::Drained, BoxState::Drained));
    assert!(memory > 0);
    assert_eq!(child.ending(), ProcessEnding::Drained);
}

#[test]
fn commands_from_within_the_process_are_answered_after_the_boxes_are_shown() {
    let options = Options::default();
    let (console, directory) = (options.console.clone(), options.directory.clone());
    let drain = options.drain_request.clone();
    crate::run(async {
        let operator = async {
            // Given before the boxes run, and answered once they do.
            let held = console.order("alpha", HOLD);
            let unknown = console.order("gamma", HOLD);
            assert_eq!(within(held).await, Reply::Done("held".to_owned()));
            assert!(holds(&directory.find("alpha").expect("a box")));
            let refused = Reply::Refused("there is no box \"gamma\"".to_owned());
            assert_eq!(within(unknown).await, refused);
            within(console.order("alpha", RELEASE)).await;
            drain.begin();
        };
        let serving = crate::serve(vec![spec("alpha"), spec("beta")], options);
        let ((), ending) = futures_util::future::join(operator, serving).await;
        assert_eq!(ending.expect("ports are free"), ProcessEnding::Drained);
    });
}

#[test]
fn end_of_the_parent_is_a_drain_and_a_broken_pipe_no_panic() {
    let (child_input, input) = pipe().expect("a pipe");
    let (output, child_output) = pipe().expect("a pipe");
    drop((input, output));
    crate::run(async {
        let parent = Parent::new(|| child_input, Box::new(child_output));
        let ending = within(serve_for(Some(parent), vec![spec("alpha")], Options::default())).await;
        assert_eq!(ending.expect("ports are free"), ProcessEnding::Drained);
    });
}

#[test]
fn drain_is_given_up_after_its_timeout() {
    let options = Options { drain_timeout: Duration::from_millis(20), ..Options::default() };
    let mut child = Child::start(options);
    child.order_box("alpha", HOLD);
    child.order(&ProcessOrder::Drain);
    assert!(!child.drained());
    assert_eq!(child.last().0, ProcessEnding::DrainTimedOut);
    assert_eq!(child.ending(), ProcessEnding::DrainTimedOut);
}

#[test]
fn stop_order_ends_without_a_drain() {
    let mut child = Child::start(Options::default());
    child.order_box("alpha", HOLD);
    child.order(&ProcessOrder::Stop);
    assert_eq!(child.last().2["alpha"].state, BoxState::Running);
    assert_eq!(child.ending(), ProcessEnding::Stopped);
}

#[test]
fn panic_in_a_box_ends_the_program_with_a_code_of_its_own() {
    let mut child = Child::start(Options::default());
    child.order_box("beta", PANIC);
    let (ending, _, boxes) = child.last();
    assert_eq!(ending, ProcessEnding::Failed(vec!["beta".to_owned()]));
    assert_eq!(boxes["beta"].state, BoxState::Failed);
    let ending = child.ending();
    assert_eq!((ending.exit_code(), ending), (70, ProcessEnding::Failed(vec!["beta".to_owned()])));
}

#[test]
fn program_may_begin_the_drain_itself() {
    let drain_request = DrainRequest::default();
    let child =
        Child::start(Options { drain_request: drain_request.clone(), ..Options::default() });
    child.report(|report| matches!(report, ProcessReport::Ready { .. }).then_some(()));
    drain_request.begin();
    assert_eq!(child.last().0, ProcessEnding::Drained);
    assert_eq!(child.ending(), ProcessEnding::Drained);
}
