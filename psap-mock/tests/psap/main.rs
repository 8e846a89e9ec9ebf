//! The PSAP as its callers see it: packets in, packets and call records out.
#![allow(clippy::disallowed_methods, reason = "a test begins at any instant")]

mod calls;
mod conservation;
mod offers;
mod phone;
