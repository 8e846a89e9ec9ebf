//! A checked campaign.

use std::path::PathBuf;
use std::time::Duration;

use telemetry::Rules;

use crate::arrivals::{Arrivals, Level, Phase};
use crate::assumed::Assumed;
use crate::callers::Callers;
use crate::comparison::{PlotKind, Time, Variant};
use crate::feed::Feed;
use crate::figure::ComparedFigure;
use crate::mix::MixEntry;
use crate::threshold::Threshold;
use crate::trace::TraceSettings;
use crate::validity::Validity;

/// A checked campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// The key `name`, else the file's name without its ending.
    pub name: String,
    /// What it is beside its variants, in words.
    pub title: String,
    /// The network file. A relative path is resolved against the campaign's own folder.
    pub network: PathBuf,
    /// Every random draw of the run follows from it.
    pub seed: u64,
    /// At least one; they follow each other without a pause.
    pub phases: Vec<Phase>,
    /// At least one; each attempt is drawn from these by weight.
    pub mix: Vec<MixEntry>,
    /// Rows that say of each caller what they have; the mix says the rest.
    pub feed: Option<Feed>,
    pub callers: Callers,
    /// After the last phase, calls in progress may go on for this long; then they are ended.
    pub drain_timeout: Duration,
    /// Attempts at once; beyond it the generator does not start more, and says so.
    pub max_in_progress: u32,
    /// No caller lets it ring longer than this, whatever patience is drawn.
    pub ring_limit: Duration,
    /// Beyond these the run measures the generator.
    pub validity: Validity,
    /// Which calls are kept with their messages.
    pub trace: TraceSettings,
    /// Callers outside the campaign, such as a lab phone, may call too: their attempts are counted
    /// apart. Otherwise each is a fault of the ledger.
    pub foreign_callers: bool,
    /// PSAPs of the network that write no records, because another program plays them.
    pub unrecorded: Vec<String>,
    /// All must hold for the run to pass. May be empty.
    pub thresholds: Vec<Threshold>,
    /// What must hold, of all attempts so far, before the first fault or operation that is due by the clock.
    pub steady_state: Vec<Threshold>,
    /// Between two lines of live progress.
    pub progress_interval: Duration,
    /// What operators do to the network, and what they see of it.
    pub operations: operations::OperationsSettings,
    /// Figures that the report compares, with what was published.
    pub figures: Vec<ComparedFigure>,
    /// The same campaign with something changed, for a comparison.
    pub variants: Vec<Variant>,
    /// Keys whose values no public report gives.
    pub assumed: Vec<Assumed>,
    /// Pictures that a run leaves behind.
    pub plots: Vec<PlotKind>,
    /// In which time it runs if the command line does not say.
    pub time: Time,
    /// The time of day at its start, for reports that retell an evening.
    pub begins: Duration,
    /// On real sockets, everything goes so many times faster than the file says.
    pub compression: f64,
}

impl Campaign {
    /// The length of all phases, without the drain.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.phases.iter().map(|phase| phase.duration).sum()
    }

    /// The spans in which calls begin at one rate, in order.
    #[must_use]
    pub fn levels(&self) -> Vec<Level> {
        let mut start = Duration::ZERO;
        let of_phase = |phase: &Phase| {
            let levels = phase.levels(start);
            start += phase.duration;
            levels
        };
        self.phases.iter().flat_map(of_phase).collect()
    }

    /// What the ledger of a run takes as normal.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules { foreign_callers: self.foreign_callers, unrecorded: self.unrecorded.clone() }
    }

    /// How many attempts the phases are expected to make.
    #[must_use]
    pub fn expected_attempts(&self) -> f64 {
        self.phases.iter().map(Phase::expected_attempts).sum()
    }

    /// The CSV files that it reads beside its own, each with the key that names it: a feed, recordings, and a usual day.
    #[must_use]
    pub fn row_paths(&self) -> Vec<(String, PathBuf)> {
        let feed = self.feed.iter().map(|feed| ("feed.file".to_owned(), feed.file.to_path_buf()));
        let recording = |(index, phase): (usize, &Phase)| match &phase.arrivals {
            Arrivals::Replay(replay) => {
                Some((format!("phases[{index}].arrivals.file"), replay.file.to_path_buf()))
            }
            _ => None,
        };
        let recordings = self.phases.iter().enumerate().filter_map(recording);
        feed.chain(recordings).chain(self.usual_path()).collect()
    }
}
