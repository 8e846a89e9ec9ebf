//! Who may come in: what is checked in an INVITE before the call centre hears of it.

use std::net::IpAddr;

use rand::RngExt;
use rand::rngs::StdRng;
use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::sdp::LocalMedia;

use crate::behaviour::{Behaviours, Plan, Reception};
use crate::destination;
use crate::negotiation::Negotiation;
use crate::refusal::refusal;

/// RTP ports that calls announce in turn: even numbers from 16384 (RFC 3550 §11).
const FIRST_MEDIA_PORT: u16 = 16_384;
const MEDIA_PORTS: u16 = 8_192;

/// The door of a PSAP.
#[derive(Debug)]
pub(crate) struct Admission {
    number: String,
    address: IpAddr,
    behaviours: Behaviours,
    next_media_port: u16,
    closed: bool,
}

impl Admission {
    pub(crate) fn new(config: &topology::Psap) -> Self {
        Self {
            number: config.number.clone(),
            address: config.address.ip(),
            behaviours: Behaviours::new(config.behaviours.clone()),
            next_media_port: 0,
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

    /// Decides how a call will go and what its media will be, or refuses it. Whether there is room is
    /// for the call centre to say.
    pub(crate) fn inspect(
        &mut self,
        invite: &Request,
        rng: &mut StdRng,
    ) -> Result<(Plan, Negotiation), Box<Rejection>> {
        if self.closed {
            return Err(Box::new(refusal(503).with_warning("the PSAP is closing")));
        }
        if !destination::is_served(&invite.uri(), &self.number) {
            return Err(Box::new(refusal(404)));
        }
        let plan = Plan::of(self.behaviours.pick(rng));
        if let Reception::Refuse(status) = plan.reception {
            return Err(Box::new(refusal(status)));
        }
        let session_id = u64::from(rng.random::<u32>());
        let telephone = LocalMedia::telephone(session_id, self.address, self.take_media_port());
        let local = LocalMedia { direction: plan.media, ..telephone };
        match Negotiation::start(local, invite) {
            Ok(media) => Ok((plan, media)),
            Err(error) => Err(Box::new(refusal(error.status()).with_warning(error.to_string()))),
        }
    }

    const fn take_media_port(&mut self) -> u16 {
        let port = FIRST_MEDIA_PORT + 2 * self.next_media_port;
        self.next_media_port = (self.next_media_port + 1) % MEDIA_PORTS;
        port
    }
}
