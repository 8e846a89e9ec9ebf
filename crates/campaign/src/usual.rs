//! The usual day of `[supervision.usual]`: read from a CSV file, or computed from what the campaign expects.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use csv::{ByteRecord, Position, ReaderBuilder, Trim};
use operations::supervision::usual::HALF_HOUR;
use operations::supervision::{UsualDay, UsualSource};
use topology::reader::{Document, kind};
use topology::{Problem, Topology};

use crate::campaign::Campaign;
use crate::comparison::time_of_day;
use crate::mix::MixEntry;
use crate::rows::{CallRow, line_of, open};

/// The key that says where the day comes from.
const KEY: &str = "supervision.usual.arrivals";

/// A thousand PSAPs with a row for each half hour, twice over.
const MOST_ROWS: usize = 100_000;
/// The longest line of a file that can be meant.
const LARGEST: u64 = 16 << 20;
/// Mistakes that are told one by one.
const MOST_PROBLEMS: usize = 20;
/// The columns, in this order.
const HEAD: [&str; 3] = ["time", "psap", "arrivals"];
/// More calls than a PSAP gets in half an hour.
const MOST_ARRIVALS: f64 = 10_000_000.0;

/// The length of a slot of a day that is computed.
const SLOT: Duration = Duration::from_secs(60);

impl Campaign {
    /// Reads the file of the usual day, if the campaign names one; `folder` is where the campaign is.
    pub(crate) fn read_usual_day(&mut self, folder: &Path, document: &Document) {
        let begins = self.begins;
        let Some(supervision) = &mut self.operations.supervision else { return };
        let Some(UsualSource::File(file)) = &mut supervision.usual else { return };
        *file = folder.join(&*file);
        let reading = Reading { path: file, problems: Vec::new() };
        match open(file).and_then(|opened| reading.all(opened, begins)) {
            Ok(Ok(day)) => supervision.usual_day = Some(day),
            Ok(Err(problems)) => problems.into_iter().for_each(|one| document.add(one)),
            Err(refusal) => document.report(KEY, format!("{}: {refusal}", file.display())),
        }
    }

    /// The file of the usual day with the key that names it, if there is one.
    pub(crate) fn usual_path(&self) -> Option<(String, PathBuf)> {
        match self.operations.supervision.as_ref()?.usual.as_ref()? {
            UsualSource::File(file) => Some((KEY.to_owned(), file.clone())),
            UsualSource::Computed => None,
        }
    }

    /// Computes the usual day on `network`, if the campaign wants that.
    pub(crate) fn compute_usual_day(&mut self, network: &Topology) {
        let supervision = self.operations.supervision.as_ref();
        if supervision.is_some_and(|one| one.usual == Some(UsualSource::Computed)) {
            let day = self.expected_day(network);
            if let Some(supervision) = &mut self.operations.supervision {
                supervision.usual_day = Some(day);
            }
        }
    }

    /// Reports PSAPs of the usual day that the network does not have.
    pub(crate) fn check_usual_day(&self, network: &Topology, document: &Document) {
        let supervision = self.operations.supervision.as_ref();
        let Some(day) = supervision.and_then(|supervision| supervision.usual_day.as_ref()) else {
            return;
        };
        for name in day.psaps().filter(|name| network.psap(name).is_none()) {
            let known: Vec<&str> = network.psaps.iter().map(|psap| &psap.name[..]).collect();
            let message = format!(
                "the file tells of {name:?}, and no PSAP is called so; the PSAPs are {}",
                known.join(", ")
            );
            document.report(KEY, message);
        }
    }

    /// How many calls each PSAP of `network` is expected to get in each minute of a day without faults.
    ///
    /// Every call goes to the first PSAP of its route. Those of people who call again because nobody answered in time are not
    /// expected, and neither is overflow to the next PSAP.
    #[must_use]
    pub fn expected_day(&self, network: &Topology) -> UsualDay {
        let mut day = UsualDay::of_campaign(SLOT);
        let shares = self.psap_shares(network);
        let mut start = Duration::ZERO;
        for phase in &self.phases {
            let end = start + phase.duration;
            let mut from = start;
            while from < end {
                let slot = from.as_secs() / SLOT.as_secs();
                let to = end.min(Duration::from_secs((slot + 1) * SLOT.as_secs()));
                let calls = phase.expected_until(to - start) - phase.expected_until(from - start);
                for (psap, share) in &shares {
                    day.add(psap, slot, calls * share);
                }
                from = to;
            }
            start = end;
        }
        day
    }

    /// The share of all calls that each PSAP gets.
    fn psap_shares(&self, network: &Topology) -> Vec<(String, f64)> {
        let mut shares = vec![0.0; network.psaps.len()];
        let mut give = |number: &str, commune: Option<&str>, share: f64| {
            let route = network.routes.find(number, commune);
            let psap = route.and_then(|route| route.psaps.first());
            let place =
                psap.and_then(|name| network.psaps.iter().position(|one| one.name == *name));
            if let Some(place) = place {
                shares[place] += share;
            }
        };
        match &self.feed {
            None => self.spread(CallRow::default(), 1.0, &mut give),
            Some(feed) => {
                let share = 1.0 / feed.rows.len().max(1) as f64;
                (0..feed.rows.len())
                    .for_each(|row| self.spread(feed.rows.row(row), share, &mut give));
            }
        }
        network.psaps.iter().map(|psap| psap.name.clone()).zip(shares).collect()
    }

    /// Spreads a share of the calls, of which this is given, over what the mix says of the rest.
    fn spread(
        &self,
        given: CallRow<'_>,
        share: f64,
        give: &mut impl FnMut(&str, Option<&str>, f64),
    ) {
        let fits = |entry: &&MixEntry| given.number.is_none_or(|number| number == entry.number);
        let commune = given.commune.as_ref().map(|commune| commune.as_str());
        if let Some(number) = given.number
            && (commune.is_some() || !self.mix.iter().any(|entry| fits(&entry)))
        {
            return give(number, commune, share);
        }
        let total: f64 = self.mix.iter().filter(fits).map(|entry| entry.weight).sum();
        for entry in self.mix.iter().filter(fits) {
            let share = share * entry.weight / total;
            let communes: Vec<&str> = match commune {
                Some(commune) => vec![commune],
                None => entry.communes.iter().map(String::as_str).collect(),
            };
            match communes.len() {
                0 => give(&entry.number, None, share),
                count => communes
                    .iter()
                    .for_each(|one| give(&entry.number, Some(one), share / count as f64)),
            }
        }
    }
}

/// A file that is being read.
struct Reading<'p> {
    path: &'p Path,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    /// Reads everything. The outer error is that of the disk.
    fn all(
        mut self,
        file: File,
        begins: Duration,
    ) -> Result<Result<UsualDay, Vec<Problem>>, String> {
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .comment(Some(b'#'))
            .flexible(true)
            .from_reader(file.take(LARGEST));
        let words = |error: csv::Error| format!("cannot read the file: {error}");
        let head = reader.byte_headers().map_err(words)?.clone();
        if !head.iter().eq(HEAD.map(str::as_bytes)) {
            let at = head.position().cloned().unwrap_or_else(Position::new);
            let wanted = HEAD.join(",");
            self.report(&at, "", format!("the first line must be {wanted:?}"));
            return Ok(Err(self.problems));
        }
        let mut day = UsualDay::of_half_hours(begins);
        let (mut record, mut rows) = (ByteRecord::new(), 0);
        while reader.read_byte_record(&mut record).map_err(words)? {
            let at = record.position().cloned().unwrap_or_else(Position::new);
            rows += 1;
            if rows > MOST_ROWS {
                self.report(&at, "", format!("at most {MOST_ROWS} rows can be read"));
                break;
            }
            if let Err((column, refusal)) = row(&record, &mut day) {
                self.report(&at, column, refusal);
            }
            if self.problems.len() == MOST_PROBLEMS {
                self.report(&at, "", "and perhaps more mistakes further down".to_owned());
                break;
            }
        }
        if rows == 0 {
            self.report(&Position::new(), "", "has no row below its first line".to_owned());
        }
        Ok(if self.problems.is_empty() { Ok(day) } else { Err(self.problems) })
    }

    fn report(&mut self, at: &Position, column: &str, message: String) {
        self.problems.push(Problem::new(
            self.path.display().to_string(),
            usize::try_from(line_of(self.path, at)).ok(),
            column.to_owned(),
            message,
        ));
    }
}

/// Adds one row to `day`. The error is its column and the end of a sentence.
fn row(record: &ByteRecord, day: &mut UsualDay) -> Result<(), (&'static str, String)> {
    if record.len() != HEAD.len() {
        return Err(("", format!("has {} fields, and the first line names 3", record.len())));
    }
    let [time, psap, arrivals] = [0, 1, 2].map(|place| String::from_utf8_lossy(&record[place]));
    let half_hour = |time: &Duration| time.as_secs().is_multiple_of(HALF_HOUR.as_secs());
    let begins = time_of_day(&time).filter(half_hour).ok_or_else(|| {
        ("time", format!("must be the beginning of a half hour such as \"16:30\", got {time:?}"))
    })?;
    if !kind::is_name(&psap) {
        return Err(("psap", format!("must be the name of a PSAP, got {psap:?}")));
    }
    let count = arrivals.parse::<f64>().ok().filter(|count| (0.0..=MOST_ARRIVALS).contains(count));
    let count = count.ok_or_else(|| {
        let message = format!("must be a number from 0 to {MOST_ARRIVALS}, got {arrivals:?}");
        ("arrivals", message)
    })?;
    let slot = begins.as_secs() / HALF_HOUR.as_secs();
    if day.has(&psap, slot) {
        return Err(("", format!("{psap} has a row for {time} already")));
    }
    day.add(&psap, slot, count);
    Ok(())
}
