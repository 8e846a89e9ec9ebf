//! What is known as OpenMetrics text.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use serde_json::Value;

use super::Shown;
use super::lag::Lag;
use super::table::{Kind, ROWS};

/// Writes all metrics, ended by `# EOF`.
pub(super) fn expose(shown: Shown) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(shown));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

type Labels = Vec<(&'static str, String)>;

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.state(&mut encoder)?;
        for row in ROWS {
            let samples = self.samples(row.label, row.places);
            write(&mut encoder, row.name, row.help, row.kind, &samples)?;
        }
        self.queues(&mut encoder)?;
        self.members(&mut encoder)?;
        self.lag(&mut encoder)?;
        self.used(&mut encoder)
    }
}

impl Shown {
    fn state(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let up = |(name, entry): (&String, &Value)| {
            let up = matches!(entry["state"].as_str(), Some("running" | "draining"));
            (labels(name, entry), f64::from(u8::from(up)))
        };
        let samples: Vec<_> = self.boxes.iter().map(up).collect();
        let help = "1 while the box runs, 0 once it has ended";
        write(encoder, "tocsin_box_up", help, Kind::Gauge, &samples)
    }

    fn samples(&self, label: &'static str, places: &[super::table::Place]) -> Vec<(Labels, f64)> {
        let mut samples = Vec::new();
        for (name, entry) in &self.boxes {
            for (value, pointers) in places {
                let number = pointers.iter().find_map(|pointer| entry.pointer(pointer)?.as_f64());
                let Some(number) = number else { continue };
                let mut labels = labels(name, entry);
                if !label.is_empty() {
                    labels.push((label, (*value).to_owned()));
                }
                samples.push((labels, number));
            }
        }
        samples
    }

    /// `waiting` is calls at a PSAP and messages at a call server.
    fn queues(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let of = |kind: &str| {
            let waiting = |(name, entry): (&String, &Value)| {
                let waiting = entry.pointer("/snapshot/waiting")?.as_f64()?;
                (entry["kind"] == kind).then(|| (labels(name, entry), waiting))
            };
            self.boxes.iter().filter_map(waiting).collect::<Vec<_>>()
        };
        let help = "Calls in the queue of a PSAP";
        write(encoder, "tocsin_queue_length", help, Kind::Gauge, &of("PSAP"))?;
        let help = "Messages that wait for the processor of a call server";
        write(encoder, "tocsin_messages_waiting", help, Kind::Gauge, &of("call server"))
    }

    /// What trunk groups know of the call servers.
    fn members(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let of = |key: &str| {
            let mut samples = Vec::new();
            for (name, entry) in &self.boxes {
                let members = entry.pointer("/snapshot/members").and_then(Value::as_array);
                for member in members.into_iter().flatten() {
                    let number = member.get(key).and_then(Value::as_f64);
                    let member = member.get("call_server").and_then(Value::as_str);
                    if let (Some(number), Some(member)) = (number, member) {
                        let mut labels = labels(name, entry);
                        labels.push(("call_server", member.to_owned()));
                        samples.push((labels, number));
                    }
                }
            }
            samples
        };
        for (name, help, kind, key) in [
            (
                "tocsin_circuits",
                "Circuits of a trunk group towards a call server",
                Kind::Gauge,
                "circuits",
            ),
            ("tocsin_circuits_seized", "Of those, circuits with a call", Kind::Gauge, "seized"),
            (
                "tocsin_member_falls",
                "Times that a trunk group found a call server down",
                Kind::Counter,
                "falls",
            ),
            (
                "tocsin_calls_kept_away",
                "Calls held back at the wish of a call server",
                Kind::Counter,
                "kept_away",
            ),
        ] {
            write(encoder, name, help, kind, &of(key))?;
        }
        Ok(())
    }

    fn lag(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let lag = |(name, entry): (&String, &Value)| {
            let lag = Lag::of(entry.pointer("/snapshot/lag")?)?;
            Some((labels(name, entry), lag))
        };
        let lags: Vec<_> = self.boxes.iter().filter_map(lag).collect();
        if lags.is_empty() {
            return Ok(());
        }
        let (name, help) =
            ("tocsin_generator_lag_seconds", "From the intended to the actual start of calls");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, lag) in &lags {
            let mut one = metric.encode_family(labels)?;
            one.encode_histogram::<NoLabelSet>(lag.sum, lag.count, &lag.buckets, None)?;
        }
        Ok(())
    }

    fn used(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let of = |figure: fn(&node::Usage) -> f64| {
            let one = |(name, usage): (&String, &node::Usage)| {
                (vec![("process", name.clone())], figure(usage))
            };
            self.processes.iter().map(one).collect::<Vec<_>>()
        };
        let cpu = of(|usage| usage.cpu().as_secs_f64());
        let help = "CPU time of a process, user and system";
        write(encoder, "tocsin_process_cpu_seconds", help, Kind::Counter, &cpu)?;
        let memory = of(|usage| usage.max_rss_kib as f64 * 1_024.0);
        let help = "Most memory of a process that was resident at any time";
        write(encoder, "tocsin_process_resident_max_bytes", help, Kind::Gauge, &memory)
    }
}

/// Writes a metric with all its samples; none is none.
fn write(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kind: Kind,
    samples: &[(Labels, f64)],
) -> fmt::Result {
    if samples.is_empty() {
        return Ok(());
    }
    let metric_type = match kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
    };
    let mut metric = encoder.encode_descriptor(name, help, None, metric_type)?;
    for (labels, number) in samples {
        let one = metric.encode_family(labels)?;
        match kind {
            Kind::Counter => ConstCounter::new(*number).encode(one)?,
            Kind::Gauge => ConstGauge::new(*number).encode(one)?,
        }
    }
    Ok(())
}

/// Which box, of which kind; the site of a call server, and the name of a PSAP as such, so that both can be joined.
fn labels(name: &str, entry: &Value) -> Labels {
    let kind = entry["kind"].as_str().unwrap_or("unknown").to_lowercase().replace(' ', "_");
    let mut labels = vec![("box", name.to_owned())];
    match &kind[..] {
        "call_server" => {
            let site = name.split('.').next().unwrap_or(name);
            labels.push(("site", site.to_owned()));
        }
        "psap" => labels.push(("psap", name.to_owned())),
        _ => {}
    }
    labels.push(("kind", kind));
    labels
}
