//! The PSAP as its callers see it: packets in, packets and call records out.

mod calls;
mod conservation;
mod phone;
