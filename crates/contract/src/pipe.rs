//! The two pipes between a program of boxes and the process that started it: lines of JSON, one message each.
//!
//! ```text
//!   child → parent: ProcessReport                        parent → child: ProcessOrder
//!   {"ready":{"boxes":{NAME:{…}}}}                         "drain"
//!   {"snapshot":{"at_us","usage":{…},"boxes":{…}}}         "stop"
//!   {"reply":{"id","name","reply"}}                        {"box":{"id","name","order"}}
//!   {"effect":{"name","effect"}}
//!   {"ended_badly":{"attempts":[…]}}                       {"keep_calls":{"attempts":[…]}}
//!   {"refused":{"line","reason"}}                          end of input: drain
//!   {"drained":{"complete"}}
//!   {"final":{"ending","usage":{…},"boxes":{…}}}         the last line
//! ```

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::directory_entry::DirectoryEntry;
use crate::effect::Effect;
use crate::node::Reply;
use crate::order::BoxOrder;
use crate::process_ending::ProcessEnding;
use crate::usage::Usage;

/// What a parent orders of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProcessOrder {
    /// Refuse what is new, end what is in progress, and end.
    Drain,
    /// End at once.
    Stop,
    /// These attempts ended badly elsewhere: what this process saw of them is kept.
    KeepCalls { attempts: Vec<String> },
    /// An order to one of its boxes. The reply names `id`.
    Box {
        #[serde(default)]
        id: u64,
        name: String,
        order: BoxOrder,
    },
}

/// What a program reports to its parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessReport {
    /// All boxes listen.
    Ready { boxes: BTreeMap<String, DirectoryEntry> },
    /// `at_us` since the process began, by which it has used `usage`.
    Snapshot { at_us: u64, usage: Usage, boxes: BTreeMap<String, DirectoryEntry> },
    /// What a box said to [`ProcessOrder::Box`] with this `id`.
    Reply { id: u64, name: String, reply: Reply },
    /// The end of a command that this box had accepted.
    Effect { name: String, effect: Effect },
    /// Boxes here saw these attempts end badly.
    EndedBadly { attempts: Vec<String> },
    /// A line that is no order.
    Refused { line: String, reason: String },
    /// The drain is over; `complete`: nothing was in progress any more.
    Drained { complete: bool },
    /// The last words of the program.
    Final { ending: ProcessEnding, usage: Usage, boxes: BTreeMap<String, DirectoryEntry> },
}

/// A message that is one line on a pipe.
pub trait PipeMessage: Serialize + DeserializeOwned {
    /// Writes it, with the end of the line.
    ///
    /// # Errors
    /// A part of it cannot be written as JSON.
    fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Reads it, with or without the end of the line. `None` for an empty line.
    ///
    /// # Errors
    /// The line is another thing.
    fn from_line(line: &str) -> serde_json::Result<Option<Self>> {
        match line.trim() {
            "" => Ok(None),
            message => serde_json::from_str(message).map(Some),
        }
    }
}

impl PipeMessage for ProcessOrder {}
impl PipeMessage for ProcessReport {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use operations::{Action, Impairment, ImpairmentOrder, Share};
    use telemetry::BoxKind;

    use super::*;
    use crate::{
        AskedSnapshot, CallServerSnapshot, CallStage, CallsWanted, EffectEnd, GeneratorSnapshot,
        MemberSnapshot, MemberState, NodeKind, OpenCall, OpenCalls, PoolMonitorSnapshot,
        PsapSnapshot, RecordCounts, Snapshot, SurgeOrder, SurgeSize, TrunkGroupSnapshot,
    };

    fn read<T: PipeMessage>(message: &T) -> T {
        let line = String::from_utf8(message.to_line().expect("a line")).expect("text");
        assert!(line.ends_with('\n') && line.lines().count() == 1, "{line}");
        T::from_line(&line).expect("the same").expect("a message")
    }

    #[test]
    fn orders_are_read_as_they_were_written() {
        let what = Some(Impairment {
            loss: Share::of(0.123_456),
            delay: Duration::from_micros(1_500),
            cut: true,
            ..Impairment::default()
        });
        let peers = Some(vec![[127, 0, 0, 2].into()]);
        let impairment = ImpairmentOrder { id: 3, seed: u64::MAX, peers, what };
        let surge = SurgeOrder {
            number: 1,
            from_us: u64::MAX,
            lasts_us: 1,
            communes: vec!["2A004".to_owned()],
            more: SurgeSize::PerThousandSeconds(1_500),
        };
        let orders = [
            BoxOrder::Operate(Action::Restart { clean: true }),
            BoxOrder::SetPositions(12),
            BoxOrder::BeginAtUs(u64::MAX),
            BoxOrder::Advise,
            BoxOrder::PublishTenDigits,
            BoxOrder::Pace(2_000),
            BoxOrder::Surge(surge),
            BoxOrder::EndSurges,
            BoxOrder::Impair(impairment),
            BoxOrder::ShowCalls(CallsWanted::Newest(200)),
            BoxOrder::ShowCalls(CallsWanted::One("0a".to_owned())),
        ];
        let keep = ProcessOrder::KeepCalls { attempts: vec!["0a".to_owned()] };
        let to_box = |order| ProcessOrder::Box { id: 7, name: "alpha".to_owned(), order };
        for order in
            orders.map(to_box).into_iter().chain([ProcessOrder::Drain, ProcessOrder::Stop, keep])
        {
            assert_eq!(read(&order), order);
        }
        // A command is never made words and read again on its way.
        let order = BoxOrder::Operate(Action::Restart { clean: true });
        let line = to_box(order).to_line().expect("a line");
        let line = String::from_utf8(line).expect("text");
        assert!(line.contains(r#"{"operate":{"restart":{"clean":true}}}"#), "{line}");
        let typed = r#"{"box":{"name":"samu-59","order":{"set_positions":12}}}"#;
        let order = BoxOrder::SetPositions(12);
        let meant = ProcessOrder::Box { id: 0, name: "samu-59".to_owned(), order };
        assert_eq!(ProcessOrder::from_line(typed).expect("an order"), Some(meant));
        assert_eq!(ProcessOrder::from_line(" \r\n").expect("nothing"), None);
        for wrong in ["nonsense", r#"{"box":{"name":"a","order":"advise","now":true}}"#, "{}"] {
            assert!(ProcessOrder::from_line(wrong).is_err(), "{wrong}");
        }
    }

    /// A call that talks, with octets of a message that are no text.
    fn calls_in_progress() -> OpenCalls {
        let record = telemetry::CallRecord::open(BoxKind::CallServer, "alpha", "0a".to_owned(), 1);
        let call = OpenCall { stage: CallStage::Talking, ..OpenCall::of_record(&record, false) };
        let address = ([127, 0, 0, 1], 5060).into();
        let seen = trace::Seen::Message {
            direction: trace::Direction::Sent,
            transport: sip_proto::Transport::Udp,
            peer: address,
            bytes: vec![0, 0xff, b'\n'].into(),
        };
        let kind = BoxKind::CallServer;
        let seen = trace::KeptCall {
            attempt: u128::MAX - 1,
            seen_by: trace::TracedBox { kind, name: "alpha".to_owned(), address },
            is_cut: true,
            entries: vec![trace::Entry { at_us: 5, seen }],
        };
        OpenCalls { calls: vec![call], total: 7, seen: Some(seen) }
    }

    #[test]
    fn every_kind_of_box_is_shown_across_the_pipe_as_it_is() {
        let call_server = CallServerSnapshot {
            release: "r7".to_owned(),
            counts: crate::CallServerCounts { offered: 3, ..Default::default() },
            refused_by_status: [(481, 1)].into(),
            ..CallServerSnapshot::default()
        };
        let member = MemberSnapshot {
            call_server: "alpha".to_owned(),
            site: "alpha".to_owned(),
            state: MemberState::Suspect,
            circuits: 120,
            seized: 3,
            falls: 1,
            found_after_us: Some(6_000_000),
            counts: crate::MemberCounts { answered: 5, ..Default::default() },
            asked: Some(AskedSnapshot {
                algorithm: sip_proto::message::OverloadAlgorithm::Rate,
                oc: 40,
            }),
            kept_away: 2,
        };
        let trunk_group =
            TrunkGroupSnapshot { members: vec![member], ..TrunkGroupSnapshot::default() };
        let members = vec![("alpha".to_owned(), MemberState::Up)];
        let mut generator = GeneratorSnapshot::default();
        generator.count_start(Duration::from_millis(3));
        generator.refused_by_status.insert(405, 2);
        let psap = PsapSnapshot { refused_by_status: [(501, 1)].into(), ..Default::default() };
        let shown = [
            ("alpha", NodeKind::CallServer, Some(Snapshot::CallServer(call_server))),
            ("beta", NodeKind::CallServer, None),
            ("mobile", NodeKind::TrunkGroup, Some(Snapshot::TrunkGroup(trunk_group))),
            (
                "pool-monitor",
                NodeKind::PoolMonitor,
                Some(Snapshot::PoolMonitor(PoolMonitorSnapshot { members })),
            ),
            ("samu-59", NodeKind::Psap, Some(Snapshot::Psap(psap))),
            ("load-1", NodeKind::Generator, Some(Snapshot::Generator(Box::new(generator)))),
        ];
        let entry = |(name, kind, snapshot): (&str, NodeKind, Option<Snapshot>)| {
            let listening = DirectoryEntry::listening(kind, ([127, 0, 0, 1], 5060).into());
            (name.to_owned(), DirectoryEntry { snapshot, ..listening })
        };
        let boxes: BTreeMap<_, _> = shown.map(entry).into();
        let records = RecordCounts { written: 4, waiting: 5, waiting_bytes: 6, dropped: 7 };
        let trace =
            trace::KeptCounts { kept: 9, cut: 10, dropped: 11, stopped: true, media_dropped: 12 };
        let usage = Usage {
            user_us: 1,
            system_us: 2,
            max_rss_kib: 3,
            records,
            snapshots_dropped: 8,
            trace,
        };
        let reply = Reply::Refused("no".to_owned());
        let accepted = Reply::Accepted { ticket: 3, text: "within 75s".to_owned() };
        let shown = Reply::Calls(Box::new(calls_in_progress()));
        let end = EffectEnd::Aborted("the site restarted".to_owned());
        let effect = Effect { ticket: 3, end };
        for report in [
            ProcessReport::Ready { boxes: boxes.clone() },
            ProcessReport::Snapshot { at_us: 9, usage, boxes: boxes.clone() },
            ProcessReport::Reply { id: 7, name: "alpha".to_owned(), reply },
            ProcessReport::Reply { id: 8, name: "alpha".to_owned(), reply: accepted },
            ProcessReport::Reply { id: 9, name: "alpha".to_owned(), reply: shown },
            ProcessReport::Effect { name: "alpha".to_owned(), effect },
            ProcessReport::Refused { line: "x".to_owned(), reason: "y".to_owned() },
            ProcessReport::EndedBadly { attempts: vec!["0a".to_owned()] },
            ProcessReport::Drained { complete: true },
            ProcessReport::Final {
                ending: ProcessEnding::Failed(vec!["a".to_owned()]),
                usage,
                boxes,
            },
        ] {
            assert_eq!(read(&report), report);
        }
    }
}
