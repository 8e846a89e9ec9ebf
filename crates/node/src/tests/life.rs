use contract::{BoxState, Reply};
use std::time::Duration;

use super::echo::{Command, DANCE, Event, TELL, label, spec, with_echo};
use crate::observation::Observation;
use crate::{Boxes, Directory, LifecycleNotice, NodeSpec, OrderError, SocketLimits, StartError};

fn echo() -> String {
    "echo".to_owned()
}

#[test]
fn deadlines_fire() {
    with_echo(SocketLimits::default(), async |bench| {
        // The second is earlier than the first, which stays armed and does no harm.
        bench.command(Command::Alarm(Duration::from_secs(3_600)));
        bench.command(Command::Alarm(Duration::from_millis(5)));
        assert_eq!(bench.event().await, Event::Alarm);
        bench.command(Command::Alarm(Duration::from_millis(1_100)));
        assert_eq!(bench.event().await, Event::Alarm);
    });
}

#[test]
fn drain_ends_when_nothing_is_in_progress() {
    with_echo(SocketLimits::default(), async |bench| {
        bench.command(Command::Hold);
        bench.boxes.drain();
        bench.command(Command::Tell);
        assert_eq!(bench.event().await, Event::Told);
        assert!(!bench.boxes.are_drained());
        bench.command(Command::Release);
        assert_eq!(bench.notice().await, LifecycleNotice::Drained(echo()));
        assert!(bench.boxes.are_drained());
    });
}

#[test]
fn stopped_box_leaves_its_port_and_takes_no_command() {
    with_echo(SocketLimits::default(), async |bench| {
        bench.command(Command::Hold);
        bench.boxes.stop("echo");
        assert_eq!(bench.notice().await, LifecycleNotice::Stopped(echo()));
        let entry = bench.boxes.directory().find("echo").expect("it was started");
        assert_eq!(entry.state, BoxState::Stopped);
        std::net::UdpSocket::bind(bench.address).expect("the port is free");
        std::net::TcpListener::bind(bench.address).expect("the port is free");
        let ended = OrderError::Ended { name: echo() };
        assert_eq!(bench.try_command(Command::Tell), Err(ended));
    });
}

#[test]
fn panic_in_a_node_is_told() {
    with_echo(SocketLimits::default(), async |bench| {
        bench.command(Command::Panic);
        assert_eq!(bench.notice().await, LifecycleNotice::Failed(echo()));
        let entry = bench.boxes.directory().find("echo").expect("it was started");
        assert_eq!(entry.state, BoxState::Failed);
    });
}

#[test]
fn commands_that_are_not_taken_say_why() {
    crate::run(async {
        let limits = SocketLimits::default();
        let boxes = Boxes::start(
            vec![spec("a"), spec("b")],
            limits,
            Directory::default(),
            Observation::default(),
        )
        .await
        .expect("up");
        let told = boxes.order("a", TELL).expect("it takes this");
        assert_eq!(told.await, Reply::Done("held".to_owned()));
        let unknown = OrderError::Unknown { name: "c".to_owned() };
        assert_eq!(boxes.order("c", TELL).map(drop), Err(unknown));
        let refused = boxes.order("b", DANCE).map(drop).expect_err("it cannot");
        assert_eq!(refused.to_string(), "\"b\" refuses: unknown command Advise");
        boxes.close().await;
    });
}

#[test]
fn boxes_that_cannot_start_say_why() {
    crate::run(async {
        let start = |specs| {
            Boxes::start(
                specs,
                SocketLimits::default(),
                Directory::default(),
                Observation::default(),
            )
        };
        let same = start(vec![spec("a"), spec("a")]).await.expect_err("two names are the same");
        assert_eq!(same.to_string(), "two boxes have the name \"a\"");

        let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("bound");
        let on_taken = |name| {
            let build = |_, _| super::echo::Echo::default();
            NodeSpec::new(label(name, address), build, |_| Err(String::new()), drop)
        };
        let both = start(vec![on_taken("a"), spec("b"), on_taken("c")]).await;
        let both = both.expect_err("the port is taken").to_string();
        assert_eq!(both.lines().count(), 2, "{both}");

        let build = |_, _| -> super::echo::Echo { panic!("the test asked for it") };
        let bug =
            NodeSpec::new(label("a", super::echo::any_port()), build, |_| Err(String::new()), drop);
        let bug = start(vec![spec("b"), bug]).await.expect_err("it panics");
        assert!(matches!(bug, StartError::Panicked { name } if name == "a"));
    });
}
