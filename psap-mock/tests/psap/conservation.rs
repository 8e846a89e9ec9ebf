//! Whatever callers do, every call is accounted for.

use crate::phone::{Bench, config, seconds};
use proptest::prelude::*;
use topology::{Behaviour, BehaviourShare};

#[derive(Debug, Clone)]
enum Step {
    Invite,
    Cancel(u32),
    Ack(u32),
    Bye(u32),
    Wait(u64),
    Resize(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Invite),
        2 => any::<u32>().prop_map(Step::Cancel),
        3 => any::<u32>().prop_map(Step::Ack),
        2 => any::<u32>().prop_map(Step::Bye),
        4 => (0..40_u64).prop_map(Step::Wait),
        1 => (0..4_u32).prop_map(Step::Resize),
    ];
    prop::collection::vec(step, 0..60)
}

fn mixed() -> topology::Psap {
    let row = |behaviour| BehaviourShare { share: 0.1, behaviour };
    topology::Psap {
        positions: 2,
        queue_limit: 3,
        behaviours: vec![
            row(Behaviour::NoAnswer),
            row(Behaviour::Silent),
            row(Behaviour::AnswerThenDrop { after: seconds(1) }),
            row(Behaviour::Reject { status: 603 }),
        ],
        ..config()
    }
}

fn check(bench: &Bench) {
    let now = bench.snapshot();
    let ended = now.service.answered + now.service.abandoned + now.refused;
    assert_eq!(now.offered, ended + now.unanswered as u64);
    assert_eq!(now.offered, (bench.records.len() + now.in_progress) as u64);
    let inside = now.waiting + now.positions.ringing + now.positions.talking;
    assert!(inside <= now.in_progress);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn offered_calls_are_answered_abandoned_refused_or_in_progress(steps in steps()) {
        let mut bench = Bench::new(mixed());
        let mut placed = 0;
        for step in steps {
            match step {
                Step::Invite => {
                    placed += 1;
                    bench.invite(placed);
                }
                Step::Cancel(n) if placed > 0 => bench.cancel(1 + n % placed),
                Step::Ack(n) if placed > 0 => bench.ack(1 + n % placed),
                Step::Bye(n) if placed > 0 => bench.send_in_dialog(1 + n % placed, "BYE", 2, ""),
                Step::Wait(time) => bench.advance(seconds(time)),
                Step::Resize(count) => bench.command(psap_mock::Command::SetPositions(count)),
                Step::Cancel(_) | Step::Ack(_) | Step::Bye(_) => {}
            }
            check(&bench);
        }
        // Nothing leaks: once drained and silent for 64*T1, every call has its record.
        bench.drain();
        bench.advance(seconds(200));
        check(&bench);
        prop_assert_eq!(bench.snapshot().in_progress, 0);
        prop_assert_eq!(bench.records.len(), placed as usize);
        prop_assert!(bench.is_drained());
    }
}
