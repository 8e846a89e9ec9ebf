//! What is known of one call.

/// A row of `attempts`, as far as it is told.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownAttempt {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) commune: Option<String>,
    pub(super) nth: Option<i64>,
    pub(super) site: Option<String>,
    pub(super) psap: Option<String>,
    pub(super) outcome: String,
    pub(super) caller_saw: String,
    pub(super) status: Option<i64>,
    pub(super) reason: Option<String>,
    pub(super) lost_in: Option<String>,
    /// The first cause of its failure.
    pub(super) why: Option<String>,
    pub(super) contradiction: Option<String>,
    pub(super) heard_by_caller: Option<String>,
    pub(super) heard_by_psap: Option<String>,
    pub(super) intended_us: i64,
    pub(super) ring_us: Option<i64>,
    pub(super) answer_us: Option<i64>,
    pub(super) end_us: i64,
    pub(super) call_id: Option<String>,
}

/// What one box says, with times since the start of the campaign in microseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownRecord {
    pub(super) kind: String,
    pub(super) node: String,
    pub(super) tried: String,
    pub(super) start_us: i64,
    pub(super) ring_us: Option<i64>,
    pub(super) answer_us: Option<i64>,
    pub(super) end_us: i64,
    pub(super) outcome: String,
    pub(super) status: Option<i64>,
    pub(super) reason: Option<String>,
}

/// Something that happened while the call lived, or just around it.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownEvent {
    pub(super) at_us: i64,
    pub(super) kind: String,
    pub(super) site: Option<String>,
    pub(super) what: String,
}
