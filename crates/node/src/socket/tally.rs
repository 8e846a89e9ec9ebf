//! The counters of a box's sockets, while it runs.

use std::cell::RefCell;
use std::rc::Rc;

use contract::SocketCounts;

/// The counters as the parts of one box share them, all on one thread.
#[derive(Debug, Clone)]
pub(crate) struct Tally(Rc<RefCell<SocketCounts>>);

impl Tally {
    pub(super) fn new(receive_buffer: usize, send_buffer: usize) -> Self {
        let counts = SocketCounts { receive_buffer, send_buffer, ..SocketCounts::default() };
        Self(Rc::new(RefCell::new(counts)))
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut SocketCounts)) {
        change(&mut self.0.borrow_mut());
    }

    pub(crate) fn read(&self) -> SocketCounts {
        *self.0.borrow()
    }
}
