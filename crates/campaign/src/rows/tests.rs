//! What a file may hold, what is refused, and how long it takes.

use std::fmt::Write as _;

use proptest::prelude::*;
use topology::reader::Document;
use topology::{Layers, Problems};

use super::*;

/// The rows of a file with this content, read as the key `file` of a table does.
fn read(content: impl AsRef<[u8]>, columns: Columns) -> Result<CallRows, Problems> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("rows.csv"), content).expect("a writable folder");
    let document = Document::parse("campaign.toml", "file = \"rows.csv\"", &Layers::none())?;
    let (path, rows) = document.read(|root| CallRows::read_from(root, folder.path(), columns));
    assert_eq!(path, folder.path().join("rows.csv"));
    document.finish(rows)
}

/// What is wrong, without the folder.
fn mistakes(content: impl AsRef<[u8]>, columns: Columns) -> Vec<String> {
    let problems = read(content, columns).expect_err("a mistake").to_string();
    problems
        .lines()
        .map(|line| line.split_once("rows.csv").unwrap_or(("", line)).1.to_owned())
        .collect()
}

#[test]
fn a_row_gives_what_its_fields_say_and_leaves_the_rest() {
    let text = "\u{feff}number, commune ,trunk_group,talk,patience\r\n\
                # Two people.\r\n\r\n\
                15,59350,mobile,90,1.5m\r\n\
                \"urn:service:sos.fire\",,,0,\r\n";
    let rows = read(text, Columns::Callers).expect("a good file");
    assert_eq!(rows.len(), 2);
    let first = CallRow {
        number: Some("15"),
        commune: "59350".parse().ok(),
        trunk_group: Some("mobile"),
        talk: Some(Duration::from_secs(90)),
        patience: Some(Duration::from_secs(90)),
    };
    assert_eq!(rows.row(0), first);
    let second = CallRow {
        number: Some("urn:service:sos.fire"),
        talk: Some(Duration::ZERO),
        ..CallRow::default()
    };
    assert_eq!(rows.row(1), second);
    assert_eq!(second.or(first), CallRow { commune: first.commune, ..second.or(first) });
    assert_eq!(rows.row(2), CallRow::default());
    assert_eq!(rows.trunk_groups().collect::<Vec<_>>(), [("mobile", 4)]);
}

#[test]
fn a_recording_is_brought_into_the_order_of_time() {
    let text = "number,at\n15,2021-06-02T16:40:01+02:00\n17,2021-06-02T14:40:00.5Z\n18,2021-06-02 16:40:01+02:00\n";
    let rows = read(text, Columns::WithTimes).expect("a good file");
    let told: Vec<_> = (0..3).map(|row| (rows.at(row), rows.row(row).number)).collect();
    let ms = |millis| Some(Duration::from_millis(millis));
    assert_eq!(told, [(ms(0), Some("17")), (ms(500), Some("15")), (ms(500), Some("18"))]);
    // Times that are counted from the start of the phase stay as they are.
    let rows = read("at\n2.5\n1m\n1\n", Columns::WithTimes).expect("a good file");
    let told: Vec<_> = (0..4).map(|row| rows.at(row)).collect();
    assert_eq!(told, [ms(1_000), ms(2_500), ms(60_000), None]);
}

#[test]
fn every_mistake_is_told_with_its_line_and_the_fix() {
    let text = "number,commune,trunk_group,talk,patience\n\n# a comment\n0612345678,75,mobile,soon,1h\n15,59350\n\n15,,,,-1\n";
    assert_eq!(
        mistakes(text, Columns::Callers),
        [
            ":4: commune: must be a whole INSEE code, such as \"59350\" or \"2A004\", got \"75\"",
            ":4: number: must be an emergency number (\"15\"), \"urn:service:sos…\" or a fictitious \
             ten-digit number, got \"0612345678\"",
            ":4: talk: must be at most a day, in seconds such as 90 or with a unit such as 2m, got \"soon\"",
            ":5: has 2 fields, and the first line names 5",
            ":7: patience: must be at most a day, in seconds such as 90 or with a unit such as 2m, got \"-1\"",
        ]
    );
    let at = |text| mistakes(text, Columns::WithTimes);
    assert_eq!(
        at("at\n5\n2021-06-02T16:40:00Z\nnoon\n"),
        [
            ":3: at: must be like the times above it, got \"2021-06-02T16:40:00Z\"",
            ":4: at: must be seconds from the start, such as 12.5, or an instant such as \
             \"2021-06-02T16:40:00+02:00\", got \"noon\"",
        ]
    );
    assert_eq!(at("number\n15\n"), [":1: needs a column \"at\", the time of each call"]);
    assert_eq!(at("at,number\n,15\n").len(), 1, "a call without a time");
}

#[test]
fn columns_that_are_none_are_named() {
    let head = |text: &str| mistakes(text, Columns::Callers).join("\n");
    assert_eq!(head("numbr,commune\n"), ":1: \"numbr\": is no column; did you mean \"number\"?");
    assert_eq!(
        head("number;commune\n15;59350\n"),
        ":1: \"number;commune\": columns are separated by commas"
    );
    assert_eq!(head("number,number\n"), ":1: \"number\": is named twice");
    let known = "the columns are number, commune, trunk_group, talk, patience";
    assert_eq!(head("at,number\n5,15\n"), format!(":1: \"at\": is no column; {known}"));
    let columns = "number, commune, trunk_group, talk, patience";
    assert_eq!(head(""), format!(": is empty; its first line must name its columns, of {columns}"));
    assert_eq!(head("number\n# nobody\n"), ": has no row below the names of its columns");
}

#[test]
fn twenty_mistakes_are_told_and_the_rest_is_counted() {
    let mut text = "talk\n".to_owned();
    for row in 0..57 {
        writeln!(text, "never-{row}").expect("a text grows");
    }
    let told = mistakes(&text, Columns::Callers);
    assert_eq!(told.len(), 21);
    assert!(told[19].starts_with(":21: talk: "), "{}", told[19]);
    assert_eq!(told[20], ":22: and 37 more mistakes further down");
}

#[test]
fn a_file_that_is_none_is_refused_at_the_key_that_names_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, words) in [
        ("none.csv", "there is no such file; the path counts from the campaign's own folder"),
        (".", "must be a file of its own, not a folder or a device"),
        ("/dev/zero", "must be a file of its own, not a folder or a device"),
    ] {
        let text = format!("\nfile = \"{name}\"");
        let document = Document::parse("campaign.toml", &text, &Layers::none()).expect("TOML");
        let (_, rows) =
            document.read(|root| CallRows::read_from(root, folder.path(), Columns::Callers));
        assert!(rows.is_empty());
        let problems = document.finish(()).expect_err("no file").to_string();
        assert!(problems.starts_with("campaign.toml:2: file: "), "{problems}");
        assert!(problems.ends_with(words), "{problems}");
    }
}

#[test]
fn a_row_is_as_small_as_it_is_said_to_be() {
    assert_eq!(size_of::<Packed>(), 24);
    for millis in [0, 1, 86_400_000] {
        let duration = Duration::from_millis(millis);
        assert_eq!(Millis::new(duration).get(), duration);
    }
}

#[test]
fn words_have_an_end() {
    let mut text = "number,trunk_group\n".to_owned();
    for row in 0..=MOST_WORDS {
        writeln!(text, "urn:service:sos.a{row},Mobile").expect("a text grows");
    }
    let told = mistakes(&text, Columns::Callers);
    assert_eq!(told[0], ":2: trunk_group: must be the name of a trunk group, got \"Mobile\"");
    let text = text.replace("Mobile", "mobile");
    let wanted = ":100002: number: is one word too many; at most 100000 different ones can be read";
    assert_eq!(mistakes(&text, Columns::Callers), [wanted]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_are_rows_or_a_sentence(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        fields in "[a-z,;\"0-9\r\n#.:TZ+é-]{0,200}",
    ) {
        for columns in [Columns::Callers, Columns::WithTimes] {
            for content in [
                bytes.clone(),
                fields.clone().into_bytes(),
                [b"at,number,talk\n", &bytes[..]].concat(),
                [b"at,commune\n", fields.as_bytes()].concat(),
            ] {
                match read(&content, columns) {
                    Ok(rows) => prop_assert!(!rows.is_empty()),
                    Err(problems) => prop_assert!(!problems.0.is_empty() && problems.0.len() <= 21),
                }
            }
        }
    }
}
