//! What the machine allows: the limits that a load generator meets before its network does.

use std::fs;

use serde_json::{Map, Value, json};

/// What only a program with sockets can ask its machine; where it could not, the reason.
#[derive(Debug, Clone)]
pub struct HostLimits {
    /// How many files a process may open: now, and up to which it may raise that itself.
    pub open_files: Fact<(u64, u64)>,
    /// Bytes that the kernel grants a box that asks for 4 MiB, on loopback.
    pub receive_buffer: Fact<u64>,
}

/// Facts of this machine. One that cannot be found is `null`, and `missing` says why.
pub(super) fn host(limits: HostLimits) -> Value {
    let mut facts = Facts::default();
    let sysctl = |path: &str| read(&format!("/proc/sys/{path}"));
    facts.add("cores", cores());
    facts.add("cpu_model", field("/proc/cpuinfo", "model name"));
    facts.add("memory_kib", field("/proc/meminfo", "MemTotal").and_then(kib));
    facts.add("kernel", sysctl("kernel/osrelease"));
    facts.add("system", Ok(std::env::consts::OS.to_owned()));
    facts.add("architecture", Ok(std::env::consts::ARCH.to_owned()));
    let open_files = |(soft, hard)| json!({"soft": soft, "hard": hard});
    facts.add("open_files", limits.open_files.map(open_files));
    facts.add("net_core_rmem_max", sysctl("net/core/rmem_max").and_then(number));
    facts.add("net_core_wmem_max", sysctl("net/core/wmem_max").and_then(number));
    facts.add("net_core_rmem_default", sysctl("net/core/rmem_default").and_then(number));
    facts.add("ip_local_port_range", sysctl("net/ipv4/ip_local_port_range").map(words));
    facts.add("loopback_receive_buffer", limits.receive_buffer);
    facts.add("load_average_at_start", read("/proc/loadavg").map(words));
    facts.add(
        "clock_source",
        read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    );
    facts.finish()
}

/// What is known of a machine, or why it is not.
pub type Fact<T> = Result<T, String>;

#[derive(Debug, Default)]
struct Facts {
    found: Map<String, Value>,
    missing: Map<String, Value>,
}

impl Facts {
    fn add(&mut self, name: &str, fact: Fact<impl Into<Value>>) {
        let value = match fact {
            Ok(value) => value.into(),
            Err(why) => {
                self.missing.insert(name.to_owned(), why.into());
                Value::Null
            }
        };
        self.found.insert(name.to_owned(), value);
    }

    fn finish(mut self) -> Value {
        self.found.insert("missing".to_owned(), self.missing.into());
        self.found.into()
    }
}

fn read(path: &str) -> Fact<String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(text.trim().to_owned())
}

fn field(path: &str, name: &str) -> Fact<String> {
    let text = read(path)?;
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let mut values =
        fields.filter(|(field, _)| field.trim() == name).map(|(_, value)| value.trim());
    values.next().map(str::to_owned).ok_or_else(|| format!("{path} has no {name:?}"))
}

fn number(text: String) -> Fact<u64> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

fn kib(text: String) -> Fact<u64> {
    number(text.trim_end_matches("kB").trim().to_owned())
}

fn words(text: String) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn cores() -> Fact<u64> {
    std::thread::available_parallelism()
        .map(|cores| cores.get() as u64)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_null_with_a_reason() {
        let mut facts = Facts::default();
        facts.add("there", Ok(7));
        facts.add("not_there", read("/proc/no/such/file"));
        let facts = facts.finish();
        assert_eq!((&facts["there"], &facts["not_there"]), (&json!(7), &Value::Null));
        assert!(
            facts["missing"]["not_there"]
                .as_str()
                .is_some_and(|why| why.contains("/proc/no/such/file"))
        );
        assert!(facts["missing"]["there"].is_null());
    }

    #[test]
    fn every_fact_of_this_machine_is_known_or_excused() {
        let open_files = Ok((1_024, 4_096));
        let host = host(HostLimits { open_files, receive_buffer: Err("no socket".to_owned()) });
        assert_eq!(host["open_files"], json!({"soft": 1_024, "hard": 4_096}));
        assert_eq!(host["missing"]["loopback_receive_buffer"], "no socket");
        for (name, value) in host.as_object().expect("an object") {
            assert!(!value.is_null() || host["missing"][name].is_string(), "{name}");
        }
        assert!(host["cores"].as_u64().is_some_and(|cores| cores > 0));
    }
}
