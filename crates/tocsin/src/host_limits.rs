//! What this machine allows a run, for its receipt.

use run_folder::HostLimits;

/// Asks the operating system.
pub(crate) fn host_limits() -> HostLimits {
    HostLimits {
        open_files: node::fd_limits().map_err(|error| error.to_string()),
        receive_buffer: node::udp_buffers()
            .map(|(receive, _)| receive as u64)
            .map_err(|error| error.to_string()),
    }
}
