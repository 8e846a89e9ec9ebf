//! The network as configured: one TOML file becomes a checked [`Topology`].
//!
//! ```text
//!   file.toml ─► environment (TOCSIN__…) ─► --set KEY=VALUE ─► reader ─► check ─► Topology
//!                                                                 └────────┴────► Problems
//! ```
//!
//! Reading never stops at the first mistake: [`Problems`] holds every one of them, each with file,
//! line, key path and the fix. A [`Topology`] that exists is consistent, so nothing re-checks it.
//!
//! ```
//! let text = r#"
//!     [sites.alpha]
//!     address = "127.0.0.11:5060"
//!     [trunk_groups.mobile]
//!     address = "127.0.0.21:5060"
//!     [psaps.samu-59]
//!     address = "127.0.0.31:5060"
//!     number = "0353010015"
//!     positions = 4
//!     [[routes]]
//!     numbers = ["15", "112"]
//!     psaps = ["samu-59"]
//! "#;
//! let network = topology::Topology::parse("lab.toml", text, &topology::Layers::none())?;
//! let route = network.routes.find("15", Some("59350")).expect("15 has a route");
//! assert_eq!(route.psaps, ["samu-59"]);
//! # Ok::<(), topology::Problems>(())
//! ```

mod access;
mod address_range;
mod check;
mod distribution;
mod duration;
mod equipment;
mod limits;
mod load;
mod media;
mod number;
mod picture;
mod pool;
mod problem;
mod processing;
mod psap;
pub mod reader;
mod region;
mod release;
mod release_words;
mod route;
mod site;
mod tcp;
mod topology;
mod trunk_group;

pub use self::access::{Access, AccessAccount, AccountSecret, CERTIFICATES, DigestAlgorithm};
pub use self::address_range::AddressRange;
pub use self::distribution::{Distribution, ParseDistributionError};
pub use self::duration::{ParseDurationError, format_duration, parse_duration};
pub use self::equipment::Equipment;
pub use self::limits::{SipLimits, SourceLimits};
pub use self::load::{ENVIRONMENT_PREFIX, is_network_key};
pub use self::media::{Audio, Carriage, Clip, Media, Waiting};
pub use self::number::{
    is_commune, is_commune_prefix, is_dialled_number, is_emergency, is_fictitious,
};
pub use self::picture::picture;
pub use self::pool::{Pool, SipTimers};
pub use self::problem::{Problem, Problems};
pub use self::processing::{OverloadMode, Processing};
pub use self::psap::{Behaviour, BehaviourShare, Psap, WhenFull};
pub use self::reader::Layers;
pub use self::region::Region;
pub use self::release::{Defect, Release, SOUND};
pub use self::route::{Route, Routes};
pub use self::site::{CallServer, Site};
pub use self::tcp::TcpLimits;
pub use self::topology::Topology;
pub use self::trunk_group::{Member, Policy, TrunkGroup, WhenSiteDies};
