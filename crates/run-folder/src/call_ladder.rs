//! The ladder of a call of a run, or of a network that is served by hand: from the traces that its programs kept.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::thread;

use account::call::{CallAccount, account_of, served_account_of};
use anyhow::{Context as _, bail};
use ladder::capture::{CapturedPacket, media_packets, packets, write_pcapng};
use ladder::{NamedAddress, RunEvent, Story, Told, join};
use telemetry::BoxKind;
use topology::{Layers, Topology};
use trace::{Keep, KeptCall, TraceReader};

use crate::folder::{CALLS, Folder};
use crate::served::ServedNetwork;
use crate::state::RunState;

/// Everything that was kept of a call. `word` is the id of its attempt, a beginning of it, a Call-ID, or a part of one.
pub fn call_story(folder: &Path, word: &str) -> anyhow::Result<Story> {
    let place = Folder::open(folder);
    let files = place.record_files();
    let account = match ServedNetwork::load(folder)? {
        Some(network) => served_account_of(network.started_us, &files, word)?,
        None if folder.join(CALLS).is_file() => account_of(&place.calls()?, &files, word)?,
        // The run goes on: its records tell what is over.
        None => served_account_of(RunState::load(folder)?.started_us, &files, word)?,
    };
    let attempt = u128::from_str_radix(&account.attempt, 16)
        .with_context(|| format!("{} is no id of an attempt", account.attempt))?;
    let parts = kept_calls(folder, |id| id == attempt)?;
    if parts.is_empty() {
        bail!("of call {} no message was kept: {}", account.attempt, what_is_kept(folder));
    }
    Ok(join(&parts, &told(folder, account)))
}

/// What is in a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured {
    pub messages: usize,
    /// Packets of RTP and RTCP.
    pub media: usize,
}

/// Writes the messages of these calls as a capture in the form of pcapng, with as much of their media as was kept.
///
/// # Errors
/// `output` takes no more.
pub fn write_capture(
    folder: &Path,
    stories: &[Story],
    output: impl io::Write,
) -> io::Result<Captured> {
    let mut all: Vec<CapturedPacket> = stories.iter().flat_map(packets).collect();
    let messages = all.len();
    all.extend(stories.iter().flat_map(media_packets));
    let known = named_addresses(folder).into_iter().map(|named| (named.address.ip(), named.name));
    let columns = stories.iter().flat_map(|story| &story.columns).filter(|it| it.kind.is_some());
    let names: Vec<(IpAddr, String)> =
        known.chain(columns.map(|column| (column.address.ip(), column.name.clone()))).collect();
    write_pcapng(output, &mut all, &names)?;
    Ok(Captured { messages, media: all.len() - messages })
}

/// All parts that were kept of the calls that are `wanted`, process by process.
pub fn kept_calls(
    folder: &Path,
    wanted: impl Fn(u128) -> bool + Sync,
) -> anyhow::Result<Vec<KeptCall>> {
    let files = Folder::open(folder).traces();
    if files.is_empty() {
        bail!("{} has no folder trace: {}", folder.display(), what_is_kept(folder));
    }
    let read = |file: &Path| {
        let mut reader = TraceReader::open(file)?;
        let mut parts = Vec::new();
        while let Some(part) = reader.next_call(&wanted)? {
            parts.push(part);
        }
        anyhow::Ok(parts)
    };
    // Most of a file is skipped block by block: that takes a call of the system for each.
    let parts = thread::scope(|scope| {
        let readers: Vec<_> = files.iter().map(|file| scope.spawn(|| read(file))).collect();
        let joined = readers.into_iter().map(|reader| reader.join().expect("it panics at nothing"));
        joined.collect::<anyhow::Result<Vec<_>>>()
    })?;
    Ok(parts.into_iter().flatten().collect())
}

/// Which calls the run in this folder keeps, and how more are kept, for whoever misses one.
#[must_use]
pub fn what_is_kept(folder: &Path) -> String {
    if ServedNetwork::load(folder).is_ok_and(|network| network.is_some()) {
        return "kept are the calls that --trace-keep of its programs asks for, which are all unless it is given".to_owned();
    }
    let campaign = RunState::load(folder).ok().and_then(|state| state.inputs(folder).ok());
    let Some((campaign, _)) = campaign else {
        return "kept are those that [trace] keep of its campaign asks for; run with --trace all"
            .to_owned();
    };
    match campaign.trace.keep {
        Keep::Off => {
            "this run kept no messages (--trace off); run with --trace failed for those of failed calls, or with --trace all"
                .to_owned()
        }
        Keep::Failed => "kept are failed calls; run with --trace all".to_owned(),
        Keep::Share(share) => {
            format!("kept are failed calls, and of all others a share of {share}; run with --trace all")
        }
        Keep::All => {
            "this run keeps those of all calls, so its boxes were killed first, had no room on the disk, or saw too much \
             since for their [trace] memory"
                .to_owned()
        }
    }
}

/// The boxes of the network of a run, by address.
pub fn named_addresses(folder: &Path) -> Vec<NamedAddress> {
    let file = folder.join("network.toml");
    let Ok(network) = Topology::load(&file, &Layers::none()) else { return Vec::new() };
    let named = |address, name: &str, kind| NamedAddress { address, name: name.to_owned(), kind };
    let trunks = network.trunk_groups.iter();
    let trunks = trunks.map(|it| named(it.address, &it.name, BoxKind::TrunkGroup));
    let servers = network.call_servers();
    let servers = servers.map(|it| named(it.address, &it.name, BoxKind::CallServer));
    let psaps = network.psaps.iter().map(|it| named(it.address, &it.name, BoxKind::Psap));
    let mut boxes: Vec<NamedAddress> = trunks.chain(servers).chain(psaps).collect();
    // Whoever serves a network by hand may have given its boxes other addresses.
    if let Ok(Some(served)) = ServedNetwork::load(folder) {
        for known in &mut boxes {
            known.address = served.addresses.get(&known.name).copied().unwrap_or(known.address);
        }
    }
    boxes
}

fn told(folder: &Path, account: CallAccount) -> Told {
    let event = |event: account::call::CallEvent| RunEvent {
        at_us: event.at_us,
        kind: event.kind,
        site: event.site,
        text: event.what,
    };
    Told {
        names: named_addresses(folder),
        events: account.events.into_iter().map(event).collect(),
        records: account.records,
        cause: account.cause,
    }
}
