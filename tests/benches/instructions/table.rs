//! Counts beside the record, as people read them.

use system_tests::counted::record::{Change, Comparison, MOST_FOR_RECORDING};

/// What records the counts anew.
pub(crate) const COMMAND: &str = "make instructions-recorded";

/// A line for each subject.
pub(crate) fn table(profile: &str, compared: &[Comparison]) -> String {
    let mut text = format!("{:<34} {:>13} {:>13}\n", profile, "recorded", "counted");
    for one in compared {
        let [recorded, counted] = [one.recorded, one.counted].map(shown);
        let mark = if one.change == Change::Kept { "" } else { word(one.change) };
        let (name, difference) = (&one.name, one.difference());
        let line = format!("{name:<34} {recorded:>13} {counted:>13} {difference:>9}  {mark}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What the flight recorder adds to a call, box by box.
pub(crate) fn recording(shares: &[(String, f64)]) -> String {
    let lines =
        shares.iter().map(|(name, share)| format!("{name:<34} {:>+12.1} %\n", share * 100.0));
    format!(
        "\nwhat recording adds; the aim is at most {:.0} %\n{}",
        MOST_FOR_RECORDING * 100.0,
        lines.collect::<String>()
    )
}

/// What is wrong with one.
pub(crate) fn sentence(one: &Comparison) -> String {
    let [recorded, counted] = [one.recorded, one.counted].map(shown);
    match one.change {
        Change::Unrecorded => format!("{}: {counted} instructions, and none on record", one.name),
        Change::Gone => format!("{}: {recorded} instructions on record, and not counted", one.name),
        _ => format!(
            "{}: {counted} instructions, {recorded} on record ({})",
            one.name,
            one.difference()
        ),
    }
}

const fn word(change: Change) -> &'static str {
    match change {
        Change::Kept => "kept",
        Change::Risen => "risen",
        Change::Fallen => "fallen",
        Change::Unrecorded => "not on record",
        Change::Gone => "not counted",
    }
}

/// With a comma between thousands.
fn shown(count: Option<u64>) -> String {
    let Some(count) = count else { return "-".to_owned() };
    let digits = count.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(",")
}
