//! What SIPp counted, as it writes it with `-trace_stat`.

/// The counts of a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SippCounts {
    /// Calls that were in progress then.
    pub current: u64,
    pub successful: u64,
    pub failed: u64,
    pub retransmissions: u64,
}

impl SippCounts {
    /// Reads the last whole line of the file; the first names the columns. `None` when a count is not there.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        // While it runs, the last line may be half written.
        let whole = &text[..text.rfind('\n')?];
        let names = whole.lines().next()?;
        let values: Vec<&str> = whole.lines().last()?.split(';').collect();
        let count = |name: &str| {
            let at = names.split(';').position(|have| have == name)?;
            values.get(at)?.parse().ok()
        };
        Some(Self {
            current: count("CurrentCall")?,
            successful: count("SuccessfulCall(C)")?,
            failed: count("FailedCall(C)")?,
            retransmissions: count("Retransmissions(C)")?,
        })
    }
}
