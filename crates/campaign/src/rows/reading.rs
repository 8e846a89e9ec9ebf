//! Reads a CSV file into [`CallRows`], and reports what is wrong with it line by line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use csv::{ByteRecord, Position, ReaderBuilder, Trim};
use topology::reader::{Table, kind, nearest};
use topology::{Problem, parse_duration};

use super::{CallRows, Millis, Packed};
use crate::mix::check_dialled;
use crate::place::Commune;
use crate::utc;

/// More rows than this are no campaign on one machine.
const MOST_ROWS: usize = 5_000_000;

/// A file of [`MOST_ROWS`] long rows.
const LARGEST: u64 = 256 << 20;

/// Said of a word that finds no place.
const TOO_MANY: &str = "is one word too many; at most 100000 different ones can be read";

/// Mistakes that are told one by one; the rest is counted.
const MOST_PROBLEMS: usize = 20;

/// No call is longer than this, as no [`topology::Distribution`] draws one.
const LONGEST_CALL: Duration = Duration::from_secs(24 * 3_600);

/// The longest time of a recording: as long as a phase may be.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Which columns a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    /// What is known of callers: at least one of number, commune, trunk group, talk and patience.
    Callers,
    /// The same and, required, the time of each call.
    WithTimes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    At,
    Number,
    Commune,
    TrunkGroup,
    Talk,
    Patience,
}

impl Column {
    const NAMES: [(&'static str, Self); 6] = [
        ("at", Self::At),
        ("number", Self::Number),
        ("commune", Self::Commune),
        ("trunk_group", Self::TrunkGroup),
        ("talk", Self::Talk),
        ("patience", Self::Patience),
    ];

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }
}

impl Columns {
    fn names(self) -> Vec<&'static str> {
        let has = |column: &Column| *column != Column::At || self == Self::WithTimes;
        Column::NAMES.iter().filter(|(_, column)| has(column)).map(|(name, _)| *name).collect()
    }
}

impl CallRows {
    /// Reads the file that the key `file` of `table` names, relative to `folder`. What is wrong with it is reported, and gives
    /// no rows.
    pub(crate) fn read_from(table: &Table<'_>, folder: &Path, columns: Columns) -> (PathBuf, Self) {
        let name = table.required("file", kind::text, String::new());
        let path = folder.join(&name);
        if name.is_empty() {
            return (path, Self::default());
        }
        let rows = match open(&path).and_then(|file| Reading::new(&path, columns).all(file)) {
            Ok(Ok(rows)) => rows,
            Ok(Err(problems)) => {
                problems.into_iter().for_each(|problem| table.document().add(problem));
                Self::default()
            }
            Err(refusal) => {
                table.report("file", format!("{}: {refusal}", path.display()));
                Self::default()
            }
        };
        (path, rows)
    }
}

/// Opens a file that can be read to its end. The error is the end of a sentence.
pub(crate) fn open(path: &Path) -> Result<File, String> {
    let words = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            "there is no such file; the path counts from the campaign's own folder".to_owned()
        }
        _ => format!("cannot read the file: {error}"),
    };
    // Before it is opened: to open a pipe is to wait for its writer.
    let meta = std::fs::metadata(path).map_err(words)?;
    if !meta.is_file() {
        return Err("must be a file of its own, not a folder or a device".to_owned());
    }
    if meta.len() > LARGEST {
        let mib = meta.len() >> 20;
        return Err(format!("has {mib} MiB, and at most {} can be read; split it", LARGEST >> 20));
    }
    File::open(path).map_err(words)
}

/// A file that is being read.
#[derive(Debug)]
struct Reading<'p> {
    path: &'p Path,
    columns: Columns,
    rows: CallRows,
    problems: Vec<Problem>,
    /// Mistakes beyond [`MOST_PROBLEMS`].
    more: usize,
    /// Whether the times are instants, RFC 3339, or counted from the start; told by the first one.
    instants: Option<bool>,
}

impl<'p> Reading<'p> {
    fn new(path: &'p Path, columns: Columns) -> Self {
        let rows = CallRows::default();
        Self { path, columns, rows, problems: Vec::new(), more: 0, instants: None }
    }

    /// Reads everything. The outer error is that of the disk.
    fn all(mut self, file: File) -> Result<Result<CallRows, Vec<Problem>>, String> {
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .comment(Some(b'#'))
            .flexible(true)
            .from_reader(file.take(LARGEST));
        let words = |error: csv::Error| format!("cannot read the file: {error}");
        let head = reader.byte_headers().map_err(words)?.clone();
        let Some(columns) = self.head(&head) else { return Ok(Err(self.told())) };
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(words)? {
            let at = record.position().cloned().unwrap_or_else(Position::new);
            if self.rows.len() == MOST_ROWS {
                self.report(
                    &at,
                    "",
                    format!("at most {MOST_ROWS} rows can be read; split the file"),
                );
                break;
            }
            if record.len() == columns.len() {
                self.row(&columns, &record, &at);
            } else {
                let (has, wants) = (record.len(), columns.len());
                self.report(&at, "", format!("has {has} fields, and the first line names {wants}"));
            }
        }
        if self.problems.is_empty() && self.rows.is_empty() {
            self.report_file("has no row below the names of its columns");
        }
        if !self.problems.is_empty() {
            return Ok(Err(self.told()));
        }
        self.rows.finish(self.instants == Some(true));
        Ok(Ok(self.rows))
    }

    /// What the columns are, or `None` if some of them are unknown.
    fn head(&mut self, head: &ByteRecord) -> Option<Vec<Column>> {
        let known = self.columns.names();
        if head.iter().all(<[u8]>::is_empty) {
            let known = known.join(", ");
            self.report_file(&format!(
                "is empty; its first line must name its columns, of {known}"
            ));
            return None;
        }
        let at = head.position().cloned().unwrap_or_else(Position::new);
        let mut columns = Vec::new();
        for name in head {
            let name = String::from_utf8_lossy(name);
            let column =
                Column::NAMES.iter().find(|(word, _)| *word == name && known.contains(word));
            let mistake = match column {
                Some((_, column)) if columns.contains(column) => "is named twice".to_owned(),
                Some((_, column)) => {
                    columns.push(*column);
                    continue;
                }
                None if name.contains([';', '\t']) => "columns are separated by commas".to_owned(),
                None => match nearest(&name, known.iter().copied()) {
                    Some(meant) => format!("is no column; did you mean {meant:?}?"),
                    None => format!("is no column; the columns are {}", known.join(", ")),
                },
            };
            self.report(&at, &format!("{name:?}"), mistake);
        }
        if self.problems.is_empty()
            && self.columns == Columns::WithTimes
            && !columns.contains(&Column::At)
        {
            self.report(&at, "", "needs a column \"at\", the time of each call".to_owned());
        }
        self.problems.is_empty().then_some(columns)
    }

    fn row(&mut self, columns: &[Column], record: &ByteRecord, at: &Position) {
        let mut packed = Packed::default();
        for (column, field) in columns.iter().zip(record) {
            if field.is_empty() && *column != Column::At {
                continue;
            }
            let read = std::str::from_utf8(field)
                .map_err(|_| "must be UTF-8 text".to_owned())
                .and_then(|text| self.field(*column, text, at, &mut packed));
            if let Err(refusal) = read {
                self.report(at, column.name(), refusal);
            }
        }
        self.rows.packed.push(packed);
    }

    fn field(
        &mut self,
        column: Column,
        text: &str,
        at: &Position,
        packed: &mut Packed,
    ) -> Result<(), String> {
        match column {
            Column::At => {
                let time = self.time(text)?;
                self.rows.at_us.push(time);
            }
            Column::Number => {
                check_dialled(text)?;
                let place = self.rows.numbers.place(text, || at.line());
                packed.number = Some(place.ok_or(TOO_MANY)?);
            }
            Column::Commune => {
                let commune = text.parse::<Commune>();
                packed.commune = Some(commune.map_err(|error| format!("{error}, got {text:?}"))?);
            }
            Column::TrunkGroup => {
                if !kind::is_name(text) {
                    return Err(format!("must be the name of a trunk group, got {text:?}"));
                }
                let path = self.path;
                let place = self.rows.trunk_groups.place(text, || line_of(path, at));
                packed.trunk_group = Some(place.ok_or(TOO_MANY)?);
            }
            Column::Talk => packed.talk = Some(Millis::new(length(text)?)),
            Column::Patience => packed.patience = Some(Millis::new(length(text)?)),
        }
        Ok(())
    }

    /// A time of the recording, in microseconds: since 1970, or since its start.
    fn time(&mut self, text: &str) -> Result<u64, String> {
        let refuse = || {
            format!(
                "must be seconds from the start, such as 12.5, or an instant such as \
                 \"2021-06-02T16:40:00+02:00\", got {text:?}"
            )
        };
        let instant = utc::parse_rfc3339(text);
        let counted = seconds(text).filter(|time| *time <= LONGEST);
        let counted = counted.and_then(|time| u64::try_from(time.as_micros()).ok());
        let time = instant.or(counted).ok_or_else(refuse)?;
        let is_instant = instant.is_some();
        if *self.instants.get_or_insert(is_instant) != is_instant {
            return Err(format!("must be like the times above it, got {text:?}"));
        }
        Ok(time)
    }

    fn report(&mut self, at: &Position, column: &str, message: String) {
        if self.problems.len() == MOST_PROBLEMS {
            self.more += 1;
            return;
        }
        let line = usize::try_from(line_of(self.path, at)).ok();
        self.problems.push(self.problem(line, column, message));
    }

    fn report_file(&mut self, message: &str) {
        self.problems.push(self.problem(None, "", message.to_owned()));
    }

    fn problem(&self, line: Option<usize>, column: &str, message: String) -> Problem {
        Problem::new(self.path.display().to_string(), line, column.to_owned(), message)
    }

    /// All mistakes.
    fn told(mut self) -> Vec<Problem> {
        if self.more > 0 {
            let last = self.problems.last().and_then(|problem| problem.line);
            let message = format!("and {} more mistakes further down", self.more);
            self.problems.push(self.problem(last.map(|line| line + 1), "", message));
        }
        self.problems
    }
}

/// The line of the record that the reader found at `at`, where it began to look for it: before empty lines and comments.
pub(crate) fn line_of(path: &Path, at: &Position) -> u64 {
    let skipped = || -> std::io::Result<u64> {
        let mut file = BufReader::new(File::open(path)?);
        file.seek(SeekFrom::Start(at.byte()))?;
        let (mut lines, mut line) = (0, Vec::new());
        loop {
            line.clear();
            // A line that is longer than this is neither empty nor a comment of ours.
            let read = file.by_ref().take(4_096).read_until(b'\n', &mut line)?;
            let passed_over = line.trim_ascii().is_empty() || line.starts_with(b"#");
            if read == 0 || !passed_over {
                return Ok(lines);
            }
            lines += u64::from(line.ends_with(b"\n"));
        }
    };
    at.line() + skipped().unwrap_or_default()
}

/// `90`, `90.5` in seconds, or with a unit: `90s`, `1.5m`.
fn seconds(text: &str) -> Option<Duration> {
    // `f64` reads "1e9", "inf" and "-1" too; a time is plain digits.
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match plain {
        true => Duration::try_from_secs_f64(text.parse().ok()?).ok(),
        false => parse_duration(text).ok(),
    }
}

fn length(text: &str) -> Result<Duration, String> {
    seconds(text).filter(|length| *length <= LONGEST_CALL).ok_or_else(|| {
        format!(
            "must be at most a day, in seconds such as 90 or with a unit such as 2m, got {text:?}"
        )
    })
}
