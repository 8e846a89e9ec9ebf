//! What every box allows peers that speak SIP over TCP.

use std::time::Duration;

use crate::reader::{Table, kind};

/// Limits of each box, so that no peer locks the others out by connections that cost it nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpLimits {
    /// Most connections that peers opened. One more takes the place of the idlest.
    pub connections: u32,
    /// Most of them from one source: an IPv4 address, or an IPv6 network of 64 bits.
    pub connections_per_source: u32,
    /// Most of those from one source that have not carried a whole message yet.
    pub silent_per_source: u32,
    /// How long a message may take from its first byte to its last.
    pub message_time: Duration,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self {
            connections: 2_000,
            connections_per_source: 1_000,
            silent_per_source: 100,
            message_time: Duration::from_secs(10),
        }
    }
}

impl TcpLimits {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        // What is written for all bounds the parts unless they are written too.
        let connections = table.or("connections", kind::count(1..=100_000), base.connections);
        let of_source = base.connections_per_source.min(connections);
        let connections_per_source =
            table.or("connections_per_source", kind::count(1..=100_000), of_source);
        let silent = base.silent_per_source.min(connections_per_source);
        Self {
            connections,
            connections_per_source,
            silent_per_source: table.or("silent_per_source", kind::count(1..=100_000), silent),
            message_time: table.or(
                "message_time",
                kind::duration(Duration::from_millis(100)),
                base.message_time,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Layers, Topology};

    fn read(tcp: &str) -> Result<Topology, crate::Problems> {
        let text = format!(
            "[tcp]\n{tcp}\n[sites.alpha]\naddress = \"127.0.0.11:5060\"\n[trunk_groups.mobile]\n\
             address = \"127.0.0.21:5060\"\n[psaps.samu-59]\naddress = \"127.0.0.31:5060\"\nnumber = \"0353010015\"\n\
             positions = 4\n[[routes]]\nnumbers = [\"15\"]\npsaps = [\"samu-59\"]\n"
        );
        Topology::parse("lab.toml", &text, &Layers::none())
    }

    #[test]
    fn a_limit_for_all_bounds_that_of_each_source() {
        let tcp = read("connections = 50").expect("a network").tcp;
        let limits = (tcp.connections, tcp.connections_per_source, tcp.silent_per_source);
        assert_eq!(limits, (50, 50, 50));
        let tcp =
            read("connections_per_source = 20\nmessage_time = \"1s\"").expect("a network").tcp;
        let limits = (tcp.connections, tcp.connections_per_source, tcp.silent_per_source);
        assert_eq!((limits, tcp.message_time.as_secs()), ((2_000, 20, 20), 1));
    }

    #[test]
    fn a_limit_that_shuts_everybody_out_is_refused() {
        let problems =
            read("connections = 0\nmessage_time = \"1ms\"\nidle = 1").expect_err("wrong");
        let told = problems.to_string();
        for part in
            ["tcp.connections: must be 1..=100000", "tcp.message_time: ", "unknown key \"idle\""]
        {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
