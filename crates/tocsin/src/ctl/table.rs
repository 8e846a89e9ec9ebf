//! `tocsin ctl show`: a line for each call server.

use account::text::table;
use cli::manage::CallServerView;
use contract::{BoxState, CallServerSnapshot};

const HEADER: [&str; 8] =
    ["site", "state", "lock", "isolated", "release", "calls", "contexts", "restarts"];

/// Columns of numbers.
const NUMBERS: &[usize] = &[5, 6, 7];

pub(super) fn of(views: &[CallServerView]) -> String {
    let header = HEADER.map(str::to_owned);
    let rows: Vec<Vec<String>> =
        [header].into_iter().chain(views.iter().map(row)).map(Vec::from).collect();
    table(&rows, NUMBERS)
}

/// Where nothing is known.
const NOTHING: &str = "-";

fn row(view: &CallServerView) -> [String; HEADER.len()] {
    let snapshot = view.snapshot.as_ref();
    let shown =
        |of: fn(&CallServerSnapshot) -> String| snapshot.map_or_else(|| NOTHING.to_owned(), of);
    let either = |is: fn(&CallServerSnapshot) -> bool, yes: &str, no: &str| {
        let word = |snapshot| if is(snapshot) { yes } else { no };
        snapshot.map_or(NOTHING, word).to_owned()
    };
    let state = match view.state {
        BoxState::Running if snapshot.is_some_and(|it| it.hung) => "hung".to_owned(),
        BoxState::Running if snapshot.is_some_and(|it| it.off) => "off".to_owned(),
        BoxState::Running => either(|it| it.starting, "starting", "up"),
        other => other.to_string(),
    };
    [
        view.name.clone(),
        state,
        either(|it| it.locked, "locked", "unlocked"),
        either(|it| it.isolated, "isolated", "no"),
        shown(|it| it.release.clone()),
        shown(|it| it.calls.to_string()),
        format!(
            "{}/{}",
            shown(|it| it.contexts_used.to_string()),
            shown(|it| it.contexts.to_string())
        ),
        shown(|it| it.restarts.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_server_has_a_line() {
        let view = |name: &str, state, snapshot| CallServerView {
            name: name.to_owned(),
            site: name.to_owned(),
            state,
            snapshot,
        };
        let up = CallServerSnapshot {
            locked: true,
            release: "r7".to_owned(),
            calls: 12,
            contexts_used: 24,
            contexts: 4000,
            ..CallServerSnapshot::default()
        };
        let starting = CallServerSnapshot { starting: true, ..up.clone() };
        let hung = CallServerSnapshot { hung: true, ..up.clone() };
        let views = [
            view("alpha", BoxState::Running, Some(up.clone())),
            view("beta", BoxState::Running, Some(starting)),
            view("zeta", BoxState::Running, Some(hung)),
            view("gamma", BoxState::Lost, Some(up)),
            view("delta", BoxState::Running, None),
        ];
        let lines = [
            "site   state     lock    isolated  release  calls  contexts  restarts",
            "alpha  up        locked  no        r7          12   24/4000         0",
            "beta   starting  locked  no        r7          12   24/4000         0",
            "zeta   hung      locked  no        r7          12   24/4000         0",
            "gamma  lost      locked  no        r7          12   24/4000         0",
            "delta  -         -       -         -            -       -/-         -",
        ];
        assert_eq!(of(&views), lines.map(|line| format!("{line}\n")).concat());
    }
}
