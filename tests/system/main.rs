//! The boxes together, on a simulated network in virtual time.
//!
//! | module | what it asks |
//! |---|---|
//! | `calls`, `refusals`, `failover`, `races`, `sessions` | what one call looks like, as a ladder |
//! | `flood`, `outage`, `pool` | thousands of calls, while links are bad and sites die |
//! | `machine` | what operators command, while there are calls |
//! | `out_of_band` | do the power switch and the console reach a site whatever its software does |
//! | `replication` | answered calls that go on at another site when theirs dies |
//! | `contagion` | what wrong commands to some sites cost, and whether they harm the others |
//! | `hang` | software that hangs before its machine restarts it |
//! | `defects` | each latent defect: trigger, effect, cure, near miss |
//! | `overload` | more calls than call servers can process, with and without control |
//! | `people` | who is reached in the end, when callers call again |
//! | `selection` | which site a trunk group chooses |
//! | `properties` | does anything leak, whatever callers, links and sites do |
//! | `leftovers` | does anything stay behind, whatever peers refuse, forget and lose |
//! | `replies` | peers that answer twice, late, or never |
//! | `capacity` | more at once than there is room for |
//! | `sources` | what one source can hold of a box |
//! | `dialogs` | what crosses when peers refuse, redirect, speak early, or stand behind odd routers |
//! | `media` | what the two ends hear, and what is measured of it |
//! | `transports` | callers with TCP only, and callers behind a translator |
//! | `transparency` | what crosses unchanged |
//! | `hostile` | what bad bytes can do |
//! | `figures` | do benches count right |
//! | `alone`, `counts` | does a box alone do what it does among the others, and does a rise of its instructions fail |
//! | `impairments` | ways that are impaired as a campaign says, and power that comes back |
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod alone;
mod books;
mod calls;
mod capacity;
mod contagion;
mod counts;
mod defects;
mod dialogs;
mod failover;
mod figures;
mod flood;
mod hang;
mod hostile;
mod impairments;
mod leftovers;
mod machine;
mod media;
mod out_of_band;
mod outage;
mod overload;
mod people;
mod pool;
mod properties;
mod races;
mod refusals;
mod reliable_ringing;
mod replication;
mod replies;
mod selection;
mod session_timers;
mod sessions;
mod sources;
mod support;
mod transparency;
mod transports;
