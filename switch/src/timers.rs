//! The SIP timers of a network, in the form that the SIP core takes.

use sip_proto::timer::Timers;
use topology::Topology;

pub(crate) fn sip_timers(topology: &Topology) -> Timers {
    Timers { t1: topology.timers.t1, t2: topology.timers.t2, t4: topology.timers.t4 }
}
