//! The console: a web page on this machine, and the routes that it asks beside the management API.
//!
//! ```text
//!  browser ──► page.rs      the page itself: files that are in the program
//!     │
//!     ├─ token ─► live.rs   the management API of a run: of this process, or of one that goes on in the folder of runs
//!     ├─ token ─► runs.rs   runs that were, their files, two of them side by side
//!     ├─ token ─► calls.rs  calls of a run, and the story of one
//!     ├─ token ─► sounds.rs what was recorded of a call
//!     └─ token ─► starts.rs campaigns: look, check, start, stop
//! ```
//!
//! What the command line can tell, the console lets the command line tell (`program.rs`): it never says something else than
//! `tocsin check`, `tocsin runs` or `tocsin compare`.

mod byte_range;
mod calls;
mod folder_work;
mod live;
mod open_api;
mod page;
mod program;
mod run_name;
mod runs;
mod server;
mod shared;
mod sounds;
mod started;
mod starts;
mod tickets;

pub use live::Live;
pub use open_api::document;
pub use server::{Console, ConsoleListener};
pub use shared::ConsoleSettings;
