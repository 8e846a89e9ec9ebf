//! The sections of a campaign that are about operators and faults: `[operations.NAME]`, `[[faults]]`, `[supervision]`,
//! `[crisis]`.

use std::time::Duration;

use topology::reader::Table;

use crate::crisis::CrisisSettings;
use crate::fault::Fault;
use crate::operation::{Operation, OperationSites, OperationStart};
use crate::supervision::SupervisionSettings;

/// What a campaign has operators do, and what they see of the network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OperationsSettings {
    /// In the order of the file.
    pub operations: Vec<Operation>,
    pub faults: Vec<Fault>,
    pub supervision: Option<SupervisionSettings>,
    pub crisis: Option<CrisisSettings>,
}

impl OperationsSettings {
    /// Reads the sections from the top level of a campaign; those that are absent are empty.
    #[must_use]
    pub fn read(root: &Table<'_>) -> Self {
        let settings = Self {
            operations: root.named("operations", Operation::read),
            faults: root.tables("faults", Fault::read),
            supervision: root
                .has("supervision")
                .then(|| root.section("supervision", SupervisionSettings::read)),
            crisis: root.has("crisis").then(|| root.section("crisis", CrisisSettings::read)),
        };
        settings.check_references(root);
        settings
    }

    /// What the operations ask for and the network does not have: the key path and a sentence for
    /// each.
    #[must_use]
    pub fn check(
        &self,
        pool: &[String],
        trunk_groups: &[String],
        psaps: &[String],
    ) -> Vec<(String, String)> {
        let of = |operation: &Operation| {
            let found = operation.check(pool, trunk_groups).into_iter();
            let path = format!("operations.{}", operation.name);
            found.map(move |(key, sentence)| (format!("{path}.{key}"), sentence))
        };
        let of_fault = |(index, fault): (usize, &Fault)| {
            Some((
                format!("faults[{index}].{}", fault.key()),
                fault.check(pool, trunk_groups, psaps)?,
            ))
        };
        let faults = self.faults.iter().enumerate().filter_map(of_fault);
        self.operations.iter().flat_map(of).chain(faults).collect()
    }

    /// Whether anything can happen that a timeline would tell.
    #[must_use]
    pub const fn is_eventful(&self) -> bool {
        !self.operations.is_empty() || !self.faults.is_empty() || self.supervision.is_some()
    }

    /// The time over which figures are taken.
    #[must_use]
    pub fn window(&self) -> Duration {
        let default = || SupervisionSettings::default().window;
        self.supervision.as_ref().map_or_else(default, |one| one.window)
    }

    /// Whether anything has to be watched while the campaign runs.
    #[must_use]
    pub fn needs_supervision(&self) -> bool {
        self.supervision.is_some()
            || self.operations.iter().any(|one| {
                one.enabled && (one.canary.is_some() || one.sites == OperationSites::Affected)
            })
    }

    /// Reports sections that name each other and do not fit.
    fn check_references(&self, root: &Table<'_>) {
        for operation in &self.operations {
            let OperationStart::After { milestone, .. } = &operation.start else {
                continue;
            };
            let key = format!("operations.{}.after", operation.name);
            match &self.crisis {
                None => root
                    .document()
                    .report(&key, "needs a section [crisis], which has the milestones"),
                Some(crisis) if !crisis.reaches(milestone) => {
                    let message = format!("[crisis] never reaches {:?}", milestone.to_string());
                    root.document().report(&key, format!("{message}; give it a delay there"));
                }
                Some(_) => {}
            }
        }
    }
}
