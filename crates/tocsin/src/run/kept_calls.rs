//! What one process saw end badly is kept by all others too.

use contract::ProcessOrder;

use super::fleet::Fleet;

impl Fleet {
    /// The process with the number `teller` saw these attempts end badly.
    pub(super) fn keep_calls(&self, teller: usize, attempts: &[String]) {
        let others = self.processes.iter().enumerate().filter(|(index, _)| *index != teller);
        for child in others.filter_map(|(_, process)| process.child.as_ref()) {
            child.order(ProcessOrder::KeepCalls { attempts: attempts.to_vec() });
        }
    }
}
