//! What stands in a network, or its run, until somebody ends it: canaries that wait, and faults that act.

use account::text::table;
use cli::manage::{CanaryView, ImpairedView};
use telemetry::visible_line;

const HEADER: [&str; 5] = ["fault", "of", "what", "ends", "by"];

/// A line for each fault.
pub(super) fn faults(acting: &[ImpairedView]) -> String {
    if acting.is_empty() {
        return "no fault acts now".to_owned();
    }
    let row = |one: &ImpairedView| {
        let of = match &one.other {
            Some(other) => format!("{} and {other}", one.of),
            None => one.of.clone(),
        };
        let ends =
            one.until_s.map_or_else(|| "open".to_owned(), |until| format!("at {until:.1} s"));
        let by = one.by.clone().unwrap_or_else(|| "the campaign".to_owned());
        [one.number.to_string(), of, one.what.clone(), ends, visible_line(&by).into_owned()]
    };
    let header = HEADER.map(str::to_owned);
    let rows: Vec<Vec<String>> =
        [header].into_iter().chain(acting.iter().map(row)).map(Vec::from).collect();
    table(&rows, &[])
}

/// A canary that waits, and how it ends.
pub(super) fn canary(one: &CanaryView) -> String {
    let CanaryView { id, by, command, waits, lapses_in_s, .. } = one;
    let (waits, by) = (waits.join(", "), visible_line(by));
    format!(
        "canary {id}: {command} waits for {waits}, by {by}; tocsin ctl continue {id}, or abandon {id}; it lapses in {lapses_in_s:.0} s"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_a_line_and_a_canary_says_how_it_ends() {
        assert_eq!(faults(&[]), "no fault acts now");
        let cut = ImpairedView {
            number: 3,
            kind: "impaired".to_owned(),
            by: Some("anna".to_owned()),
            until_s: Some(31.25),
            of: "mobile".to_owned(),
            other: Some("alpha".to_owned()),
            what: "cut".to_owned(),
        };
        let dead = ImpairedView {
            number: 4,
            of: "beta".to_owned(),
            what: "has no power".to_owned(),
            by: None,
            other: None,
            until_s: None,
            ..cut.clone()
        };
        let told = faults(&[cut, dead]);
        let lines: Vec<Vec<&str>> = told
            .lines()
            .map(|line| line.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect())
            .collect();
        assert_eq!(lines[1], ["3", "mobile and alpha", "cut", "at 31.2 s", "anna"]);
        assert_eq!(lines[2], ["4", "beta", "has no power", "open", "the campaign"]);
        let waits = CanaryView {
            id: 1,
            by: "anna".to_owned(),
            command: "lock".to_owned(),
            waits: vec!["beta".to_owned()],
            lapses_in_s: 60.0,
            ..CanaryView::default()
        };
        let told = canary(&waits);
        assert!(told.contains("lock waits for beta, by anna; tocsin ctl continue 1"), "{told}");
    }
}
