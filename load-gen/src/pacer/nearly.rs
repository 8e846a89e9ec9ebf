//! How exact sums of rates are.

/// Sums of decimal fractions are off by less than this part of a call.
pub(super) const NEARLY: f64 = 1e-6;
