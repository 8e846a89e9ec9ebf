//! Circuits towards one call server: seized by a call, released exactly once.

/// A finite number of circuits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuits {
    limit: u32,
    seized: u32,
}

/// The right to one circuit. It is no `Clone`: giving it back consumes it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a circuit that is dropped is leaked"]
pub struct Circuit(());

impl Circuits {
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { limit, seized: 0 }
    }

    /// Takes a free circuit.
    pub fn seize(&mut self) -> Option<Circuit> {
        if self.seized == self.limit {
            return None;
        }
        self.seized += 1;
        Some(Circuit(()))
    }

    /// Gives a circuit back.
    pub fn release(&mut self, circuit: Circuit) {
        let Circuit(()) = circuit;
        self.seized = self.seized.checked_sub(1).expect("each Circuit was made by one seize()");
    }

    #[must_use]
    pub const fn seized(&self) -> u32 {
        self.seized
    }

    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.seized == self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_circuits_as_configured() {
        let mut circuits = Circuits::new(2);
        let first = circuits.seize().unwrap();
        let second = circuits.seize().unwrap();
        assert_eq!(circuits.seize(), None);
        circuits.release(first);
        assert_eq!(circuits.seized(), 1);
        let third = circuits.seize().unwrap();
        circuits.release(second);
        circuits.release(third);
        assert_eq!(circuits.seized(), 0);
    }
}
