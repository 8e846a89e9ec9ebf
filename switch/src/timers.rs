//! The SIP timers and limits of a network, in the form that the SIP core takes.

use sip_proto::sources::Sources;
use sip_proto::timer::Timers;
use topology::{SourceLimits, Topology};

pub(crate) fn sip_timers(topology: &Topology) -> Timers {
    Timers { t1: topology.timers.t1, t2: topology.timers.t2, t4: topology.timers.t4 }
}

/// The sources of a box: one is barred for 64·T1 the first time.
pub(crate) fn sources(limits: &SourceLimits, topology: &Topology) -> Sources {
    Sources::new(limits.calls, limits.unacknowledged, sip_timers(topology).give_up())
}
