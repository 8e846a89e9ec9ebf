//! What is known as OpenMetrics text.

use std::fmt;

use contract::{DirectoryEntry, MemberSnapshot, NodeKind, Snapshot, Usage};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use telemetry::visible;

use super::lag::Lag;
use super::latest_state::LatestState;
use super::table::{MetricKind, Place, ROWS};

/// Writes all metrics, ended by `# EOF`.
pub(super) fn expose(shown: LatestState) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(shown));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

type Labels = Vec<(&'static str, String)>;

impl Collector for LatestState {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.state(&mut encoder)?;
        for row in ROWS {
            let samples = self.samples(row.label, row.places);
            write(&mut encoder, row.name, row.help, row.kind, &samples)?;
        }
        self.members(&mut encoder)?;
        self.lag(&mut encoder)?;
        self.used(&mut encoder)
    }
}

impl LatestState {
    fn state(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let up = |(name, entry): (&String, &DirectoryEntry)| {
            (labels(name, entry), f64::from(u8::from(entry.state.is_up())))
        };
        let samples: Vec<_> = self.boxes.iter().map(up).collect();
        let help = "1 while the box runs, 0 once it has ended";
        write(encoder, "tocsin_box_up", help, MetricKind::Gauge, &samples)
    }

    fn samples(&self, label: &'static str, places: &[Place]) -> Vec<(Labels, f64)> {
        let mut samples = Vec::new();
        for (name, entry) in &self.boxes {
            for (value, figure) in places {
                let Some(number) = figure(entry) else { continue };
                let mut labels = labels(name, entry);
                if !label.is_empty() {
                    labels.push((label, (*value).to_owned()));
                }
                samples.push((labels, number));
            }
        }
        samples
    }

    /// What trunk groups know of the call servers.
    fn members(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        type Figure = fn(&MemberSnapshot) -> f64;
        let of = |figure: Figure| {
            let mut samples = Vec::new();
            for (name, entry) in &self.boxes {
                let Some(Snapshot::TrunkGroup(group)) = &entry.snapshot else { continue };
                for member in &group.members {
                    let mut labels = labels(name, entry);
                    labels.push(("call_server", visible(&member.call_server).into_owned()));
                    samples.push((labels, figure(member)));
                }
            }
            samples
        };
        let members: [(_, _, _, Figure); 4] = [
            (
                "tocsin_circuits",
                "Circuits of a trunk group towards a call server",
                MetricKind::Gauge,
                |member| member.circuits as f64,
            ),
            (
                "tocsin_circuits_seized",
                "Of those, circuits with a call",
                MetricKind::Gauge,
                |member| member.seized as f64,
            ),
            (
                "tocsin_member_falls",
                "Times that a trunk group found a call server down",
                MetricKind::Counter,
                |member| member.falls as f64,
            ),
            (
                "tocsin_calls_kept_away",
                "Calls held back at the wish of a call server",
                MetricKind::Counter,
                |member| member.kept_away as f64,
            ),
        ];
        for (name, help, kind, figure) in members {
            write(encoder, name, help, kind, &of(figure))?;
        }
        Ok(())
    }

    fn lag(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let lag = |(name, entry): (&String, &DirectoryEntry)| {
            let generator = entry.snapshot.as_ref()?.generator()?;
            Some((labels(name, entry), Lag::of(&generator.lag)))
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
        let of = |figure: fn(&Usage) -> f64| {
            let one = |(name, usage): (&String, &Usage)| {
                (vec![("process", visible(name).into_owned())], figure(usage))
            };
            self.processes.iter().map(one).collect::<Vec<_>>()
        };
        let cpu = of(|usage| usage.cpu().as_secs_f64());
        let help = "CPU time of a process, user and system";
        write(encoder, "tocsin_process_cpu_seconds", help, MetricKind::Counter, &cpu)?;
        let memory = of(|usage| usage.max_rss_kib as f64 * 1_024.0);
        let help = "Most memory of a process that was resident at any time";
        write(encoder, "tocsin_process_resident_max_bytes", help, MetricKind::Gauge, &memory)?;
        let counts: [UsageRow; 4] = [
            (
                "tocsin_records_written",
                "Call records in the file of a process, or waiting for it",
                MetricKind::Counter,
                |usage| usage.records.written as f64,
            ),
            (
                "tocsin_records_waiting_bytes",
                "Call records that wait for the file of a process; 8 MiB at most",
                MetricKind::Gauge,
                |usage| usage.records.waiting_bytes as f64,
            ),
            (
                "tocsin_records_dropped",
                "Call records that found no place in the file, and none to wait",
                MetricKind::Counter,
                |usage| usage.records.dropped as f64,
            ),
            (
                "tocsin_snapshots_dropped",
                "Snapshots that a process did not tell tocsin run, which did not read",
                MetricKind::Counter,
                |usage| usage.snapshots_dropped as f64,
            ),
        ];
        for (name, help, kind, figure) in counts {
            write(encoder, name, help, kind, &of(figure))?;
        }
        Ok(())
    }
}

/// A metric of each process: name, help, kind, and where the number is.
type UsageRow = (&'static str, &'static str, MetricKind, fn(&Usage) -> f64);

/// Writes a metric with all its samples; none is none.
fn write(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kind: MetricKind,
    samples: &[(Labels, f64)],
) -> fmt::Result {
    if samples.is_empty() {
        return Ok(());
    }
    let metric_type = match kind {
        MetricKind::Counter => MetricType::Counter,
        MetricKind::Gauge => MetricType::Gauge,
    };
    let mut metric = encoder.encode_descriptor(name, help, None, metric_type)?;
    for (labels, number) in samples {
        let one = metric.encode_family(labels)?;
        match kind {
            MetricKind::Counter => ConstCounter::new(*number).encode(one)?,
            MetricKind::Gauge => ConstGauge::new(*number).encode(one)?,
        }
    }
    Ok(())
}

/// Which box, of which kind; the site of a call server, and the name of a PSAP as such, so that both can be joined.
fn labels(name: &str, entry: &DirectoryEntry) -> Labels {
    let name = &*visible(name);
    let mut labels = vec![("box", name.to_owned())];
    match entry.kind {
        NodeKind::CallServer => {
            let site = name.split('.').next().unwrap_or(name);
            labels.push(("site", site.to_owned()));
        }
        NodeKind::Psap => labels.push(("psap", name.to_owned())),
        NodeKind::TrunkGroup
        | NodeKind::AccessNode
        | NodeKind::PoolMonitor
        | NodeKind::Generator => {}
    }
    labels.push(("kind", entry.kind.to_string().to_lowercase().replace(' ', "_")));
    labels
}
