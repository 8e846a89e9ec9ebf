//! A network as a drawing in text, for people who check a file.

use std::fmt::Write as _;

use crate::duration::format_duration;
use crate::psap::{Psap, WhenFull};
use crate::region::Region;
use crate::route::Route;
use crate::site::{CallServer, Site};
use crate::topology::Topology;
use crate::trunk_group::TrunkGroup;

/// Draws `topology`: the way of a call from top to bottom, then the routes as a table.
///
/// With names of ordinary length no line is wider than 100 columns.
#[must_use]
pub fn picture(topology: &Topology) -> String {
    let mut out = format!(
        "{}: {}, {}, {}\n\n  callers\n",
        topology.name,
        counted(topology.sites.len(), "site"),
        counted(topology.trunk_groups.len(), "trunk group"),
        counted(topology.psaps.len(), "PSAP"),
    );
    if !topology.trunk_groups.is_empty() {
        let groups = topology.trunk_groups.iter().map(trunk_group_row).collect();
        stage(&mut out, &["trunk groups", "address", "policy", "circuits"], groups);
    }
    if !topology.regions.is_empty() {
        let regions = topology.regions.iter().map(region_row).collect();
        stage(&mut out, &["regions", "départements", "sites, under affinity"], regions);
    }
    let sites = topology.sites.iter().flat_map(site_rows).collect();
    stage(&mut out, &["sites", "address", "calls at once", "with media", "next PSAP after"], sites);
    let psaps = topology.psaps.iter().map(psap_row).collect();
    stage(&mut out, &["PSAPs", "address", "number", "positions", "queue", "when full"], psaps);
    routes(&mut out, topology.routes.iter());
    out
}

fn trunk_group_row(group: &TrunkGroup) -> Vec<String> {
    let each = group.members.iter().map(|member| member.circuits);
    let circuits = match (each.clone().min().unwrap_or(0), each.max().unwrap_or(0)) {
        (least, most) if least == most => format!("{} × {most}", group.members.len()),
        (least, most) => format!("{} × {least} to {most}", group.members.len()),
    };
    vec![
        group.name.clone(),
        group.address.to_string(),
        group.policy.as_str().to_owned(),
        format!("{} ({circuits})", group.circuits()),
    ]
}

fn region_row(region: &Region) -> Vec<String> {
    vec![region.name.clone(), region.departments.join(" "), region.sites.join(" ")]
}

fn site_rows(site: &Site) -> Vec<Vec<String>> {
    let row = |call_server: &CallServer| {
        vec![
            call_server.name.clone(),
            call_server.address.to_string(),
            call_server.max_calls.to_string(),
            call_server.max_calls.min(call_server.relayed_calls()).to_string(),
            format!(
                "{} silent, {} ringing",
                format_duration(call_server.response_timeout),
                format_duration(call_server.ring_timeout)
            ),
        ]
    };
    site.call_servers.iter().map(row).collect()
}

fn psap_row(psap: &Psap) -> Vec<String> {
    let when_full = match &psap.when_full {
        WhenFull::Reject(status) => format!("reject {status}"),
        WhenFull::Redirect { psap, .. } => format!("redirect {psap}"),
    };
    vec![
        psap.name.clone(),
        psap.address.to_string(),
        psap.number.clone(),
        psap.positions.to_string(),
        psap.queue_limit.to_string(),
        when_full,
    ]
}

/// One stage of the way: an arrow into it, its name and columns, its boxes.
fn stage(out: &mut String, heads: &[&str], mut boxes: Vec<Vec<String>>) {
    let last = boxes.len().saturating_sub(1);
    for (index, row) in boxes.iter_mut().enumerate() {
        let edge = if index == last { "└─ " } else { "├─ " };
        row[0].insert_str(0, edge);
    }
    boxes.insert(0, heads.iter().map(|&head| head.to_owned()).collect());
    out.push_str("     │\n     ▼\n");
    for line in columns(&boxes) {
        let _ = writeln!(out, "  {line}");
    }
}

fn routes<'t>(out: &mut String, routes: impl Iterator<Item = &'t Route>) {
    let mut rows =
        vec![vec!["numbers".to_owned(), "communes".to_owned(), "PSAPs, in order".to_owned()]];
    for route in routes {
        let communes: Vec<String> = route.communes.iter().map(|code| commune(code)).collect();
        let (mut numbers, mut communes) = (fold(&route.numbers, 36), fold(&communes, 24));
        let mut psaps = fold_with(&route.psaps, 30, " → ");
        let height = numbers.len().max(communes.len()).max(psaps.len());
        for column in [&mut numbers, &mut communes, &mut psaps] {
            column.resize(height, String::new());
        }
        let lines = numbers.into_iter().zip(communes).zip(psaps);
        rows.extend(lines.map(|((number, commune), psap)| vec![number, commune, psap]));
    }
    out.push_str("\n  routes\n");
    for line in columns(&rows) {
        let _ = writeln!(out, "     {line}");
    }
}

/// `59…` for a prefix, so that nobody takes it for a whole code.
fn commune(code: &str) -> String {
    match code {
        "*" => "elsewhere or unknown".to_owned(),
        whole if whole.len() == 5 => whole.to_owned(),
        prefix => format!("{prefix}…"),
    }
}

fn fold(words: &[String], width: usize) -> Vec<String> {
    fold_with(words, width, ", ")
}

/// Joins words into lines of at most `width` columns, where a word allows it.
fn fold_with(words: &[String], width: usize, joint: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + joint.len() + word.chars().count() <= width => {
                line.push_str(joint);
                line.push_str(word);
            }
            Some(line) => {
                line.push_str(joint.trim_end());
                lines.push(word.clone());
            }
            None => lines.push(word.clone()),
        }
    }
    lines
}

/// Pads every cell but the last of a row to the width of its column.
fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let pad = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(pad).collect()
}

fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
