//! The session establishment rate of a network (RFC 7501, RFC 7502): which rate to try, what a trial showed, the result.

#[cfg(test)]
mod fixture;
mod report;
mod search;
mod trial;

pub use report::{BenchReport, BenchVerdict, Conclusion, brief, header, report, row};
pub use search::{
    Bounds, PlannedTrial, RateLimit, Search, SearchResult, SearchStage, TrialFinding,
};
pub use trial::Trial;
