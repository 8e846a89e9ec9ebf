//! A process that the campaign has killed is started again, as its machine gets power back; and impairments, which it is told anew.

use std::collections::BTreeMap;

use conductor::ImpairedWay;
use contract::{BoxOrder, Snapshot, StoredDisk};
use run_folder::Folder;
use topology::Topology;

use super::child::Child;
use super::fleet::Fleet;
use super::plan::Tier;
use super::prepared::Prepared;

impl Fleet {
    /// Tells the boxes of a way that it is impaired or healed. One whose process is gone is told when it starts again.
    pub(super) fn impair(&mut self, network: &Topology, way: &ImpairedWay) -> Result<(), String> {
        let orders = way.boxes(network).into_iter().map(|name| {
            let order = way.order(&name, network);
            (name, order)
        });
        let orders: Vec<_> = orders.collect();
        let planned =
            |name: &String| self.processes.iter().any(|process| process.planned.has(name));
        if let Some((name, _)) = orders.iter().find(|(name, _)| !planned(name)) {
            return Err(format!("no box of this run is called {name:?}"));
        }
        for (name, order) in &orders {
            drop(self.console.order(name, BoxOrder::Impair(order.clone())));
        }
        match way.what {
            Some(_) => self.impairing.insert(way.id, orders),
            None => self.impairing.remove(&way.id),
        };
        Ok(())
    }

    /// The box `name`, which has just started again, is told what holds for it.
    pub(super) fn impair_again(&self, name: &str) {
        let held = self.impairing.values().flatten().filter(|(one, _)| one == name);
        for (name, order) in held {
            drop(self.console.order(name, BoxOrder::Impair(order.clone())));
        }
    }

    /// Starts the process of a site or PSAP again that the campaign has killed. Tells why it cannot.
    pub(super) fn restart(
        &mut self,
        prepared: &Prepared,
        folder: &Folder,
        target: &str,
    ) -> Result<(), String> {
        let index = self.index_of(target)?;
        let process = &mut self.processes[index];
        match (&process.child, process.killed) {
            (Some(_), false) => return Err(format!("process {} runs", process.planned.name)),
            (Some(_), true) => {
                return Err(format!("process {} has not ended yet", process.planned.name));
            }
            (None, _) => {}
        }
        process.starts += 1;
        let starts = process.starts;
        let name = process.planned.file_name(starts);
        let mut arguments = process.planned.arguments(prepared, folder, &self.addresses, starts);
        if process.planned.tier == Tier::Sites {
            let disks: BTreeMap<&String, &StoredDisk> = process
                .boxes
                .iter()
                .filter_map(|(name, entry)| {
                    let shown = entry.snapshot.as_ref().and_then(Snapshot::call_server)?;
                    Some((name, &shown.disk))
                })
                .collect();
            let file = folder.path().join("logs").join(format!("{name}.disk.json"));
            let text = serde_json::to_vec(&disks).map_err(|error| error.to_string())?;
            std::fs::write(&file, text)
                .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
            arguments.extend(["--power-on".into(), file.into()]);
        }
        let log = folder.log(&name);
        let child = Child::start(index, &process.planned, arguments, &log, self.sender.clone());
        process.child = Some(child.map_err(|error| format!("{error:#}"))?);
        process.past_losses.extend(process.lost.take());
        process.killed = false;
        process.usage = None;
        Ok(())
    }
}
