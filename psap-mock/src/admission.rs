//! Which calls are let in: what is checked in an INVITE before the call centre gets the call.

use rand::rngs::StdRng;
use sip_proto::Rejection;
use sip_proto::message::Request;

use crate::behaviour::{Behaviours, Plan, Reception};
use crate::destination;
use crate::refusal::refusal;

/// Decides which calls a PSAP takes.
#[derive(Debug)]
pub(crate) struct Admission {
    number: String,
    behaviours: Behaviours,
    closed: bool,
}

impl Admission {
    pub(crate) fn new(config: &topology::Psap) -> Self {
        Self {
            number: config.number.clone(),
            behaviours: Behaviours::new(config.behaviours.clone()),
            closed: false,
        }
    }

    /// Refuses every call from now on.
    pub(crate) const fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Decides how a call will go, or refuses it. It does not check for room: the call centre does.
    pub(crate) fn inspect(
        &self,
        invite: &Request,
        rng: &mut StdRng,
    ) -> Result<Plan, Box<Rejection>> {
        if self.closed {
            return Err(Box::new(refusal(503).with_warning("the PSAP is closing")));
        }
        if !destination::is_served(&invite.uri(), &self.number) {
            return Err(Box::new(refusal(404)));
        }
        let plan = Plan::of(self.behaviours.draw(rng));
        if let Reception::Refuse(status) = plan.reception {
            return Err(Box::new(refusal(status)));
        }
        Ok(plan)
    }
}
