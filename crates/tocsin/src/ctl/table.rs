//! `tocsin ctl show`: a line for each call server.

use std::fmt::Write as _;

use cli::manage::View;
use serde_json::Value;

const HEADER: [&str; 8] =
    ["site", "state", "lock", "isolated", "release", "calls", "contexts", "restarts"];

/// Columns from here on hold numbers, and end at the same place.
const NUMBERS: usize = 5;

pub(super) fn of(views: &[View]) -> String {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(views.iter().map(row));
    let mut widths = [0; HEADER.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let _ = match column {
                0..NUMBERS => write!(line, "{cell:<width$}  "),
                _ => write!(line, "{cell:>width$}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(view: &View) -> [String; HEADER.len()] {
    let shown = |key: &str| match &view.snapshot[key] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let either = |key: &str, yes: &str, no: &str| match view.snapshot[key].as_bool() {
        Some(true) => yes.to_owned(),
        Some(false) => no.to_owned(),
        None => "-".to_owned(),
    };
    let state = match &view.state[..] {
        "running" => either("starting", "starting", "up"),
        other => other.to_owned(),
    };
    [
        view.name.clone(),
        state,
        either("locked", "locked", "unlocked"),
        either("isolated", "isolated", "no"),
        shown("release"),
        shown("calls"),
        format!("{}/{}", shown("contexts_used"), shown("contexts")),
        shown("restarts"),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_call_server_has_a_line() {
        let view = |name: &str, state: &str, snapshot| View {
            name: name.to_owned(),
            site: name.to_owned(),
            state: state.to_owned(),
            snapshot,
        };
        let up = json!({
            "starting": false, "locked": true, "isolated": false, "release": "r7", "calls": 12,
            "contexts_used": 24, "contexts": 4000, "restarts": 0
        });
        let mut starting = up.clone();
        starting["starting"] = true.into();
        let views = [
            view("alpha", "running", up.clone()),
            view("beta", "running", starting),
            view("gamma", "lost", up),
            view("delta", "running", Value::Null),
        ];
        let lines = [
            "site   state     lock    isolated  release  calls  contexts  restarts",
            "alpha  up        locked  no        r7          12   24/4000         0",
            "beta   starting  locked  no        r7          12   24/4000         0",
            "gamma  lost      locked  no        r7          12   24/4000         0",
            "delta  -         -       -         -            -       -/-         -",
        ];
        assert_eq!(of(&views), lines.map(|line| format!("{line}\n")).concat());
    }
}
