//! What is asked of a run in virtual time.

use std::path::Path;

use campaign::LoadChange;
use cli::FileArgs;

/// How to run a campaign in virtual time.
#[derive(Debug)]
pub(crate) struct VirtualTimeOptions<'a> {
    /// The file, and all that lies over it.
    pub(crate) file: &'a FileArgs,
    /// The same without what the command line says of the load as a whole, and that: each variant has a load of its own.
    pub(crate) plain: &'a FileArgs,
    pub(crate) change: LoadChange,
    pub(crate) runs: &'a Path,
    pub(crate) quiet: bool,
    /// Only this variant; `base` is the campaign itself. `None`: all of them.
    pub(crate) variant: Option<&'a str>,
    /// Write the records of all boxes into the run folder.
    pub(crate) records: bool,
    /// Only the caller with this number calls.
    pub(crate) only: Option<u32>,
    /// So many seeds, from the campaign's own on.
    pub(crate) seeds: u32,
    /// Vary what the campaign marks as assumed.
    pub(crate) sensitivity: bool,
}
