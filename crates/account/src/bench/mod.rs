//! The session establishment rate of a network (RFC 7501, RFC 7502): which rate to try, what a trial showed, the result.

#[cfg(test)]
mod fixture;
mod report;
mod search;
mod trial;

pub use report::{Bench, BenchVerdict, Conclusion, brief, header, report, row};
pub use search::{Bounds, Finding, Limit, Planned, Search, SearchResult, Stage};
pub use trial::Trial;
