//! RTP streams as tshark measures them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use crate::capture::Packets;

/// A line of tshark's statistics. Times are milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) to: SocketAddr,
    pub(crate) packets: u64,
    pub(crate) lost: u64,
    pub(crate) mean_jitter: f64,
    pub(crate) max_jitter: f64,
}

/// All streams of a capture, and to whom they belong.
#[derive(Debug)]
pub(crate) struct Streams {
    streams: Vec<Stream>,
    /// By Call-ID and address: where the session descriptions of that call say that media goes.
    ports: HashMap<(String, IpAddr), u16>,
}

impl Streams {
    /// Measures what was captured.
    pub(crate) fn of(packets: &Packets) -> Self {
        let streams = Self::measure(packets, &[]);
        let fields = ["sip.Call-ID", "sdp.connection_info.address", "sdp.media.port"];
        let mut arguments = vec!["-Y", "sdp", "-T", "fields"];
        arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
        let port = |line: &String| {
            let mut words = line.split('\t');
            let call_id = words.next()?.to_owned();
            let ip = words.next()?.parse().ok()?;
            Some(((call_id, ip), words.next()?.parse().ok()?))
        };
        let lines = packets.read(&arguments);
        let ports = lines.iter().map(|line| {
            port(line).unwrap_or_else(|| panic!("not one audio stream at one address: {line}"))
        });
        Self { streams, ports: ports.collect() }
    }

    /// Measures again without so many packets at the end of each of these streams: a box had looked for the last time.
    pub(crate) fn without_last(self, packets: &Packets, late: &[(SocketAddr, usize)]) -> Self {
        let later = |(to, count): &(SocketAddr, usize)| {
            let filter = format!("rtp && ip.dst == {} && udp.dstport == {}", to.ip(), to.port());
            let frames = packets.read(&["-Y", &filter, "-T", "fields", "-e", "frame.number"]);
            frames.into_iter().rev().take(*count)
        };
        let late = late.iter().filter(|(_, count)| *count > 0);
        let later: Vec<String> = late.flat_map(later).collect();
        Self { streams: Self::measure(packets, &later), ports: self.ports }
    }

    /// All streams, without the frames of these numbers.
    fn measure(packets: &Packets, without: &[String]) -> Vec<Stream> {
        let statistics = ["-q", "-z", "rtp,streams"];
        let table = match without {
            [] => packets.read(&statistics),
            _ => packets.read_without(without, &statistics),
        };
        table.iter().filter_map(|line| Stream::parse(line)).collect()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    /// The stream to a box in the call that has this Call-ID there.
    pub(crate) fn to(&self, ip: IpAddr, call_id: &str) -> Stream {
        let port = self.ports.get(&(call_id.to_owned(), ip));
        let port = port.unwrap_or_else(|| panic!("{ip} announces no port in the call {call_id}"));
        let to = SocketAddr::new(ip, *port);
        let found: Vec<_> = self.streams.iter().filter(|stream| stream.to == to).collect();
        let [stream] = found[..] else { panic!("not one stream to {to}: {:#?}", self.streams) };
        *stream
    }
}

impl Stream {
    /// Start, end, source and its port, destination and its port, SSRC, formats, packets, lost, share of lost;
    /// least, mean and greatest interval; least, mean and greatest jitter. Other lines are headings.
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split_whitespace().collect();
        // The formats are any number of words.
        let share = words.iter().position(|word| word.starts_with('(') && word.ends_with("%)"))?;
        let milliseconds = |at: usize| words.get(share + at)?.parse().ok();
        Some(Self {
            to: SocketAddr::new(words.get(4)?.parse().ok()?, words.get(5)?.parse().ok()?),
            packets: words.get(share - 2)?.parse().ok()?,
            lost: words.get(share - 1)?.parse().ok()?,
            mean_jitter: milliseconds(5)?,
            max_jitter: milliseconds(6)?,
        })
    }
}
