//! How fast calls may come.

/// More calls per second than any one machine places.
pub(crate) const MOST: f64 = 100_000.0;
