//! What goes wrong after a run was judged.

use super::{RunVerdict, Summary};

impl Summary {
    /// The network did not do what is asked of it, as the comparison of figures and variants shows. `why` is a sentence.
    pub(crate) fn fail(&mut self, why: String) {
        self.reasons.push(why);
        if matches!(self.verdict, RunVerdict::Pass | RunVerdict::Interrupted) {
            self.verdict = RunVerdict::Fail;
        }
    }

    /// Something of the run went wrong after it was judged. `why` is a sentence.
    pub fn degrade(&mut self, why: String) {
        // Among the reasons in the order of their gravity: before what is said against the network.
        let told = self.reasons.iter().rposition(|reason| self.degraded.contains(reason));
        let place = match (told, self.verdict) {
            (Some(last), _) => last + 1,
            (None, RunVerdict::Invalid | RunVerdict::Unsteady) => self.reasons.len(),
            (None, _) => 0,
        };
        self.reasons.insert(place, why.clone());
        self.degraded.push(why);
        if !matches!(self.verdict, RunVerdict::Invalid | RunVerdict::Unsteady) {
            self.verdict = RunVerdict::Degraded;
        }
    }
}
