//! Our network against programs that nobody here wrote: SIPp, baresip, Kamailio, tshark.
//!
//! ```text
//!   SIPp, baresip ──► Kamailio ──► trunk group ──► call server ──► PSAP: ours, or SIPp, or baresip
//!                                       └── tshark decodes all of it ──┘
//! ```
//!
//! Each side says how a call went in its own words: the exit code and statistics of SIPp, the lines of
//! baresip, the dissectors of tshark, and our call records. Nothing here reads SIP with our own code: a mistake
//! that both ends of ours share would not show.
//!
//! A peer that is not installed is a failure. `tests/install-peers.sh` installs them all.

mod baresip;
mod capture;
mod kamailio;
mod loopback;
mod network;
mod records;
mod sipp;

mod answering_points;
mod callers;
mod decoding;
mod proxies;
mod softphones;
