//! `--target`: the callers of a run call a network that runs already, ours or any SIP server.
//!
//! Only the generator's process is started then. No other box writes records here, so the ledger is what the callers
//! themselves saw, and says so.

use std::net::SocketAddr;
use std::path::PathBuf;

use campaign::Campaign;
use clap::Args;
use load_program::{TargetArgs, TrunkGroupTarget, address_towards};
use sip_proto::Transport;
use topology::Topology;

/// What a program that drives load says about where it goes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DriveArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// What else a run is told about a network that it does not start.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WatchArgs {
    /// The manage.json of the network at --target, if it is one of ours: what is commanded there by hand stands in this run
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) target_manage: Option<PathBuf>,
}

/// A network that is not started here.
#[derive(Debug, Clone)]
pub(crate) struct TargetNetwork {
    /// Name and address of each trunk group, as callers call it.
    pub(crate) trunk_groups: Vec<(String, SocketAddr)>,
    /// How each is called; `None`: as the size of a request asks for.
    pub(crate) transports: Vec<Option<Transport>>,
    pub(crate) request_uri: Option<String>,
    /// Where the callers are.
    pub(crate) from: SocketAddr,
}

impl DriveArgs {
    /// Where the callers go, if not to a network that is started for them.
    ///
    /// # Errors
    /// A sentence about targets that do not fit the network.
    pub(crate) fn target_network(
        &self,
        topology: &Topology,
    ) -> Result<Option<TargetNetwork>, String> {
        if !self.target.is_given() {
            return match &self.target.request_uri {
                Some(_) => Err("--request-uri is for another network: say --target too".to_owned()),
                None => Ok(None),
            };
        }
        let trunk_groups = self.target.trunk_groups(topology)?;
        let from = SocketAddr::new(address_towards(&trunk_groups), 0);
        let request_uri = self.target.request_uri.as_ref().map(ToString::to_string);
        let transports = self.target.transports(topology);
        Ok(Some(TargetNetwork { trunk_groups, transports, request_uri, from }))
    }
}

impl TargetNetwork {
    /// The addresses, each once.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let mut addresses: Vec<_> = self.trunk_groups.iter().map(|(_, address)| *address).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// What the generator's program is told.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--address".to_owned(), self.from.to_string()];
        for ((name, address), transport) in self.trunk_groups.iter().zip(&self.transports) {
            let target = TrunkGroupTarget {
                trunk_group: Some(name.clone()),
                address: *address,
                transport: *transport,
            };
            arguments.extend(["--target".to_owned(), target.to_string()]);
        }
        if let Some(uri) = &self.request_uri {
            arguments.extend(["--request-uri".to_owned(), uri.clone()]);
        }
        arguments
    }

    /// Checks that a campaign can be run on a network that nobody here commands.
    ///
    /// # Errors
    /// A sentence about what it asks for.
    pub(crate) fn check(campaign: &Campaign) -> Result<(), String> {
        if let Some(one) = campaign.operations.operations.iter().find(|one| one.enabled) {
            let name = &one.name;
            return Err(format!(
                "--target: operations.{name} commands sites, which only a network that tocsin run starts obeys; set \
                 operations.{name}.enabled=false"
            ));
        }
        if !campaign.operations.faults.is_empty() {
            return Err(
                "--target: [[faults]] are for processes of a network that tocsin run starts; take them out of the file"
                    .to_owned(),
            );
        }
        if campaign.compression > 1.0 {
            return Err(
                "--target: a network that runs already has its own clock; set compression=1"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The trunk groups of the file, which write no records here.
    pub(crate) fn unrecorded(&self) -> Vec<String> {
        self.trunk_groups.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The addresses in words.
    pub(crate) fn place(&self) -> String {
        self.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Asks every address whether somebody is there.
    ///
    /// # Errors
    /// A sentence about the first address that says nothing, or refuses.
    pub(crate) fn probe(&self) -> Result<(), String> {
        let mut asked = Vec::new();
        for ((_, address), transport) in self.trunk_groups.iter().zip(&self.transports) {
            if !asked.contains(&(address, transport)) {
                asked.push((address, transport));
                load_program::probe(self.from, *address, *transport)?;
            }
        }
        Ok(())
    }
}
