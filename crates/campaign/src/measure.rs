//! What a figure of the comparison measures.

/// What a run can be asked for. Attempts and people are those of emergency callers; an attempt is routed when it rang or was
/// answered at an answering point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Attempts,
    Unrouted,
    UnroutedShare,
    RoutedShare,
    /// Share of attempts that were routed in the hour in which it was least.
    WorstHourRouted,
    /// Answered calls that the network lost.
    Cut,
    /// Calls that arrived at answering points.
    Arrivals,
    /// Restarts of call servers.
    Restarts,
    /// Call servers that restarted.
    SitesRestarted,
    /// Operator commands that got no answer.
    CommandsTimedOut,
    /// Time from the first to the last step of five minutes in which less than the usual share of the attempts was routed.
    Disturbed,
    /// How many such steps there were.
    DisturbedSteps,
    /// From the first command to the first alarm.
    Detected,
    /// From the first command until all was well for good.
    Recovered,
    /// Share of emergency callers who spoke to somebody in the end.
    CallersReached,
    /// The same of all other callers.
    OrdinaryReached,
    /// People who never spoke to anybody, however often they called.
    NeverReached,
    NeverReachedShare,
    /// People who spoke to somebody later than this after their first call was due.
    ReachedLate1m,
    ReachedLate5m,
    ReachedLate15m,
    /// People with a conversation that the network cut.
    CutCallers,
    /// Answered calls in a second of the phase, or step, in which they were most.
    MostGoodput,
    /// The same of the phase, or step, in which most was offered.
    PeakGoodput,
}

const MEASURES: [(&str, Measure); 24] = [
    ("attempts", Measure::Attempts),
    ("unrouted", Measure::Unrouted),
    ("unrouted_share", Measure::UnroutedShare),
    ("routed_share", Measure::RoutedShare),
    ("worst_hour_routed", Measure::WorstHourRouted),
    ("cut", Measure::Cut),
    ("arrivals", Measure::Arrivals),
    ("restarts", Measure::Restarts),
    ("sites_restarted", Measure::SitesRestarted),
    ("commands_timed_out", Measure::CommandsTimedOut),
    ("disturbed", Measure::Disturbed),
    ("disturbed_steps", Measure::DisturbedSteps),
    ("detected", Measure::Detected),
    ("recovered", Measure::Recovered),
    ("callers_reached", Measure::CallersReached),
    ("ordinary_reached", Measure::OrdinaryReached),
    ("never_reached", Measure::NeverReached),
    ("never_reached_share", Measure::NeverReachedShare),
    ("reached_late_1m", Measure::ReachedLate1m),
    ("reached_late_5m", Measure::ReachedLate5m),
    ("reached_late_15m", Measure::ReachedLate15m),
    ("cut_callers", Measure::CutCallers),
    ("most_goodput", Measure::MostGoodput),
    ("peak_goodput", Measure::PeakGoodput),
];

impl Measure {
    pub(super) const WORDS: &'static [(&'static str, Self)] = &MEASURES;

    /// Its name in a campaign.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = MEASURES.iter().find(|(_, measure)| *measure == self);
        named.map_or("", |(name, _)| name)
    }

    /// Whether it counts attempts or people, so that a part of them can be asked for.
    #[must_use]
    pub const fn counts(self) -> bool {
        !matches!(
            self,
            Self::Restarts
                | Self::SitesRestarted
                | Self::CommandsTimedOut
                | Self::Detected
                | Self::Recovered
                | Self::OrdinaryReached
                | Self::MostGoodput
                | Self::PeakGoodput
        )
    }

    /// Whether it counts people.
    #[must_use]
    pub const fn is_of_people(self) -> bool {
        matches!(
            self,
            Self::CallersReached
                | Self::NeverReached
                | Self::NeverReachedShare
                | Self::ReachedLate1m
                | Self::ReachedLate5m
                | Self::ReachedLate15m
                | Self::CutCallers
        )
    }

    /// Whether it depends on what share of attempts is usual.
    #[must_use]
    pub const fn has_usual(self) -> bool {
        matches!(self, Self::Disturbed | Self::DisturbedSteps)
    }
}
