//! Our network against programs that nobody here wrote: SIPp, baresip, Kamailio, tshark, sngrep, SIPVicious.
//!
//! ```text
//!   SIPp, baresip ──► Kamailio ──► trunk group ──► call server ──► PSAP: ours, or SIPp, or baresip
//!                                       └── tshark decodes all of it ──┘
//! ```
//!
//! Each side says how a call went in its own words: the exit code and statistics of SIPp, the lines of
//! baresip and the sound that it heard, the dissectors and RTP statistics of tshark, and our call records. Nothing
//! here reads SIP or RTP with our own code: a mistake that both ends of ours share would not show.
//!
//! A peer that is not installed is a failure. `tests/install-peers.sh` installs them all. tshark captures as root
//! or in the group wireshark; SIPp plays a capture file only as root.

mod baresip;
mod capture;
mod hep;
mod kamailio;
mod ladders;
mod loopback;
mod lossy;
mod network;
mod records;
mod sipp;
mod sound;
mod streams;

mod answering_points;
mod callers;
mod collectors;
mod decoding;
mod measurements;
mod media;
mod proxies;
mod registrations;
mod scanners;
mod secured;
mod softphones;
mod targets;
