//! Where a call may go: the answering points of its route, in order, each at most once.

use std::collections::VecDeque;

use sip_proto::Rejection;
use sip_proto::message::{Request, Response, Uri};
use sip_proto::reason::Reason;
use topology::{Psap, Topology};

/// The answering points that are still to be tried, as indices into the topology.
#[derive(Debug, Clone, Default)]
pub(super) struct RouteList {
    ahead: VecDeque<usize>,
    tried: Vec<usize>,
}

impl RouteList {
    /// The route for what `invite` dials, from where its caller is (the PDAAU of French departments).
    pub(super) fn find(topology: &Topology, invite: &Request) -> Result<Self, Rejection> {
        let not_found = || Rejection::new(404).with_reason(Reason::q850(1, "Unallocated number"));
        let number = invite.uri().dialled().ok_or_else(|| {
            not_found().with_warning("the Request-URI has no number; dial sip:112@…")
        })?;
        if let Some(at) = topology.psaps.iter().position(|psap| psap.number == number) {
            return Ok(Self { ahead: [at].into(), tried: Vec::new() });
        }
        let commune = invite.commune();
        let route = topology.routes.find(&number, commune).ok_or_else(|| {
            let from = commune.unwrap_or("an unknown commune");
            not_found().with_warning(format!("no route for {number} from {from}"))
        })?;
        let at = |name: &String| topology.psaps.iter().position(|psap| psap.name == *name);
        Ok(Self { ahead: route.psaps.iter().filter_map(at).collect(), tried: Vec::new() })
    }

    /// Takes the next answering point.
    pub(super) fn next<'a>(&mut self, topology: &'a Topology) -> Option<&'a Psap> {
        loop {
            let at = self.ahead.pop_front()?;
            if !self.tried.contains(&at) {
                self.tried.push(at);
                return topology.psaps.get(at);
            }
        }
    }

    /// Follows a 3xx to those of its Contacts that have the number of an answering point of this network, the greatest q
    /// first, and else in their order (RFC 3261 §8.1.3.4, §20.10). An address outside the network is not followed: anybody
    /// could place calls through the call server then.
    pub(super) fn redirect(&mut self, topology: &Topology, response: &Response) {
        let mut targets: Vec<(u16, usize)> = response
            .contacts()
            .filter_map(|contact| {
                let number = Uri::dialled(&contact.uri())?;
                let at = topology.psaps.iter().position(|psap| psap.number == number)?;
                Some((preference(contact.param("q")), at))
            })
            .collect();
        targets.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
        for (_, at) in targets.into_iter().rev() {
            self.ahead.push_front(at);
        }
    }
}

/// A q value in thousandths: 1 if none is given, and last what cannot be read.
fn preference(q: Option<&str>) -> u16 {
    let Some(q) = q else { return 1_000 };
    let q = q.trim().parse::<f64>().ok().filter(|q| (0.0..=1.0).contains(q));
    q.map_or(0, |q| (q * 1_000.0) as u16)
}
