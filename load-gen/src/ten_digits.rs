//! The ten-digit numbers of the PSAPs, which the public learns when the short ones fail.

use std::collections::HashMap;

use topology::{Routes, Topology};

/// For each number and commune, the ten digits of the PSAP that would answer there.
///
/// The default knows none.
#[derive(Debug, Clone, Default)]
pub struct TenDigits {
    routes: Routes,
    /// By name of the PSAP.
    numbers: HashMap<String, String>,
}

impl TenDigits {
    /// The numbers of this network.
    #[must_use]
    pub fn of(topology: &Topology) -> Self {
        let number = |psap: &topology::Psap| (psap.name.clone(), psap.number.clone());
        Self {
            routes: topology.routes.clone(),
            numbers: topology.psaps.iter().map(number).collect(),
        }
    }

    /// The ten digits of the first PSAP to which `number`, dialled in `commune`, is routed.
    #[must_use]
    pub fn find(&self, number: &str, commune: Option<&str>) -> Option<&str> {
        let first = self.routes.find(number, commune)?.psaps.first()?;
        self.numbers.get(first).map(String::as_str)
    }
}
