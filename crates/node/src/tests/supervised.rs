use std::io::{BufRead, BufReader, PipeWriter, Write, pipe};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::echo::{PATIENCE, spec, within};
use crate::parent::Parent;
use crate::serve::serve_for;
use contract::Reply;

use crate::{DrainRequest, Ending, Options};

/// A served program on a thread of its own, seen from its parent.
struct Child {
    input: PipeWriter,
    reports: mpsc::Receiver<Value>,
    program: JoinHandle<Ending>,
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
                let report = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
                if told.send(report).is_err() {
                    return; // the test has seen enough
                }
            }
        });
        Self { input, reports, program }
    }

    fn write(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the child reads");
    }

    /// The next report of this kind; those of other kinds are skipped.
    fn report(&self, event: &str) -> Value {
        loop {
            let report = self.reports.recv_timeout(PATIENCE).expect("the child reports it");
            if report["event"] == event {
                return report;
            }
        }
    }

    fn ending(self) -> Ending {
        self.program.join().expect("the shell does not panic")
    }
}

#[test]
fn orders_are_obeyed_and_everything_is_reported() {
    let mut child = Child::start(Options::default());
    let ready = child.report("ready");
    let names: Vec<_> =
        ready["nodes"].as_array().expect("a list").iter().map(|node| &node["name"]).collect();
    assert_eq!(names, ["alpha", "beta"]);

    child.write(r#"{"command":"node","name":"alpha","args":"hold"}"#);
    let told = child.report("command");
    let held = json!({"event":"command","id":0,"name":"alpha","reply":{"done":"held"}});
    assert_eq!(told, held);
    child.write(r#"{"command":"node","name":"beta","args":"dance"}"#);
    assert_eq!(
        child.report("command")["reply"],
        json!({"refused": "\"beta\" refuses: unknown command \"dance\""})
    );
    child.write("nonsense");
    assert_eq!(child.report("refused")["line"], "nonsense");
    assert_eq!(child.report("snapshot")["nodes"]["alpha"]["snapshot"]["holds"], true);

    child.write(r#"{"command":"drain"}"#);
    child.write(r#"{"command":"node","name":"alpha","args":"release"}"#);
    assert_eq!(child.report("drained")["complete"], true);
    let last = child.report("final");
    assert_eq!(
        (&last["ending"], &last["nodes"]["beta"]["state"]),
        (&json!("drained"), &json!("drained"))
    );
    assert!(last["usage"]["max_rss_kib"].as_u64().expect("a number") > 0);
    assert_eq!(child.ending(), Ending::Drained);
}

#[test]
fn commands_from_within_the_process_are_answered_after_the_boxes_are_shown() {
    let options = Options::default();
    let (console, directory) = (options.console.clone(), options.directory.clone());
    let drain = options.drain_request.clone();
    crate::run(async {
        let operator = async {
            // Given before the boxes run, and answered once they do.
            let held = console.command("alpha", json!("hold"));
            let unknown = console.command("gamma", json!("hold"));
            assert_eq!(within(held).await, Reply::Done("held".to_owned()));
            assert_eq!(directory.find("alpha").expect("a box").snapshot["holds"], true);
            let refused = Reply::Refused("there is no box \"gamma\"".to_owned());
            assert_eq!(within(unknown).await, refused);
            within(console.command("alpha", json!("release"))).await;
            drain.begin();
        };
        let serving = crate::serve(vec![spec("alpha"), spec("beta")], options);
        let ((), ending) = futures_util::future::join(operator, serving).await;
        assert_eq!(ending.expect("ports are free"), Ending::Drained);
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
        assert_eq!(ending.expect("ports are free"), Ending::Drained);
    });
}

#[test]
fn drain_is_given_up_after_its_timeout() {
    let options = Options { drain_timeout: Duration::from_millis(20), ..Options::default() };
    let mut child = Child::start(options);
    child.write(r#"{"command":"node","name":"alpha","args":"hold"}"#);
    child.write(r#"{"command":"drain"}"#);
    assert_eq!(child.report("drained")["complete"], false);
    assert_eq!(child.report("final")["ending"], "drain_timed_out");
    assert_eq!(child.ending(), Ending::DrainTimedOut);
}

#[test]
fn stop_order_ends_without_a_drain() {
    let mut child = Child::start(Options::default());
    child.write(r#"{"command":"node","name":"alpha","args":"hold"}"#);
    child.write(r#"{"command":"stop"}"#);
    assert_eq!(child.report("final")["nodes"]["alpha"]["state"], "running");
    assert_eq!(child.ending(), Ending::Stopped);
}

#[test]
fn panic_in_a_box_ends_the_program_with_a_code_of_its_own() {
    let mut child = Child::start(Options::default());
    child.write(r#"{"command":"node","name":"beta","args":"panic"}"#);
    let last = child.report("final");
    assert_eq!(last["ending"], json!({"failed": ["beta"]}));
    assert_eq!(last["nodes"]["beta"]["state"], "failed");
    let ending = child.ending();
    assert_eq!((ending.exit_code(), ending), (70, Ending::Failed(vec!["beta".to_owned()])));
}

#[test]
fn program_may_begin_the_drain_itself() {
    let drain_request = DrainRequest::default();
    let child =
        Child::start(Options { drain_request: drain_request.clone(), ..Options::default() });
    child.report("ready");
    drain_request.begin();
    assert_eq!(child.report("final")["ending"], "drained");
    assert_eq!(child.ending(), Ending::Drained);
}
