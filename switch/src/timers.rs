//! The SIP timers of a network, as the SIP core wants them.

use sip_proto::timer::Timers;
use topology::Topology;

pub(crate) fn sip_timers(topology: &Topology) -> Timers {
    Timers { t1: topology.timers.t1, t2: topology.timers.t2, t4: topology.timers.t4 }
}
