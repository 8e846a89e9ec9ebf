//! Option tags of the extensions that a user agent may take part in (RFC 3261 §19.2).

/// Session timers (RFC 4028 §10.1).
pub const TIMER: &str = "timer";

/// Provisional responses that are acknowledged (RFC 3262 §8.1).
pub const RELIABLE: &str = "100rel";
