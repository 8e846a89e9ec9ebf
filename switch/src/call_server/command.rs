//! Commands of operators, and the machine's answers. While it hangs or starts it does not answer.

use std::time::Instant;

use contract::Reply;
use operations::Action;
use topology::{Release, format_duration};

use super::CallServer;
use crate::call_control::CallControl;
use crate::machine::{Disk, Installation};

impl CallServer {
    /// Carries a command out. Only those to the power switch or the console reach a machine whose software hangs.
    pub(super) fn carry_out(&mut self, now: Instant, action: Action) -> Reply {
        match action {
            Action::Power(_) | Action::Console(_) => self.reach_from_outside(now, action),
            // It is no operator who does it, and needs no software.
            Action::Arm { defect } => Reply::Done(self.disk_mut().arm(defect)),
            Action::Disarm { defect } => match self.disk_mut().disarm(&defect) {
                Ok(text) => Reply::Done(text),
                Err(sentence) => Reply::Refused(sentence),
            },
            // Software without memory takes no command.
            _ if self.starvation.is_some() => Reply::Silent,
            in_band => {
                let ticket = self.effects.ticket();
                self.carry_out_as(now, in_band, ticket)
            }
        }
    }

    /// Gives the software that runs a command. What takes its time is told under `ticket`.
    pub(super) fn carry_out_as(&mut self, now: Instant, action: Action, ticket: u64) -> Reply {
        let Some(software) = self.software.as_deref_mut() else { return Reply::Silent };
        let done = match action {
            Action::Show => Ok(self.describe()),
            Action::Lock => Ok(relock(software, lock_disk)),
            Action::Drain => Ok(relock(software, lead_away)),
            Action::Unlock => Ok(relock(software, unlock_disk)),
            Action::Disconnect { trunk_group } => disconnect(software, now, trunk_group.as_deref()),
            Action::Reconnect { trunk_group } => reconnect(software, now, trunk_group.as_deref()),
            Action::Restart { clean } => return self.restart_on_demand(now, clean, ticket),
            Action::Isolate => Ok(self.isolate(true)),
            Action::Rejoin if self.isolated => Ok(self.isolate(false)),
            Action::Rejoin => Err("it is not isolated".to_owned()),
            Action::LoadRelease { release } => return self.load(now, &release, ticket),
            Action::Rollback => return self.roll_back(now, ticket),
            Action::Shed { on } => Ok(shed_disk(software.disk_mut(), on)),
            Action::Block { number } => Ok(software.disk_mut().block(&number)),
            Action::Unblock { number } => software.disk_mut().unblock(&number),
            Action::Power(_) | Action::Console(_) | Action::Arm { .. } | Action::Disarm { .. } => {
                Err("it is out of band, and reaches no software".to_owned())
            }
        };
        self.take_output(now);
        match done {
            Ok(text) => Reply::Done(text),
            Err(sentence) => Reply::Refused(sentence),
        }
    }

    pub(super) fn describe(&self) -> String {
        let disk = self.disk();
        let locked = match (disk.locked, disk.diverted) {
            (false, _) => "unlocked",
            (true, true) => "locked, traffic led away",
            (true, false) => "locked",
        };
        let calls = self.software.as_ref().map_or(0, |software| software.calls());
        let isolated = if self.isolated { ", isolated" } else { "" };
        let shedding = if disk.shedding { ", sheds ordinary calls" } else { "" };
        let waiting = match self.inbox.len() {
            0 => String::new(),
            count => format!(", {count} messages wait"),
        };
        let release = &disk.release.name;
        let blocked = match disk.blocked.is_empty() {
            true => String::new(),
            false => {
                let numbers: Vec<&str> = disk.blocked.iter().map(String::as_str).collect();
                format!(", refuses calls for {}", numbers.join(", "))
            }
        };
        let shedding = shedding.to_owned() + &blocked;
        format!("release {release}, {locked}{isolated}{shedding}, {calls} calls{waiting}")
    }

    fn restart_on_demand(&mut self, now: Instant, clean: bool, ticket: u64) -> Reply {
        let how = if clean { "restarted clean by command" } else { "restarted by command" };
        self.restart_by_command(now, how, clean, ticket)
    }

    /// Puts the release before the present one back, and starts again with it.
    fn roll_back(&mut self, now: Instant, ticket: u64) -> Reply {
        let Some(software) = self.software.as_deref_mut() else { return Reply::Silent };
        let disk = software.disk_mut();
        let Some(previous) = disk.previous.take() else {
            return Reply::Refused("there is no earlier release on it".to_owned());
        };
        let why = format!("rolled back to release {}", previous.name);
        disk.release = previous;
        self.restart_by_command(now, &why, false, ticket)
    }

    pub(super) fn isolate(&mut self, isolated: bool) -> String {
        self.isolated = isolated;
        if let Some(software) = self.software.as_mut().filter(|_| isolated) {
            software.note("the site was isolated during the call");
        }
        let (cut, joined) = ("is cut off from pool and trunk groups", "is in the pool again");
        if isolated { cut } else { joined }.to_owned()
    }

    fn load(&mut self, now: Instant, name: &str, ticket: u64) -> Reply {
        let release = match self.release_to_load(name) {
            Ok(release) => release,
            Err(sentence) => return Reply::Refused(sentence),
        };
        let install = self.settings.equipment.install;
        let begun = Installation { until: now + install, release, ticket };
        if let Some(other) = self.installation.replace(begun) {
            self.effects.aborted(other.ticket, format!("load {name} took its place"));
        }
        let text = format!("release {name} runs after a restart in {}", format_duration(install));
        Reply::Accepted { ticket, text }
    }

    /// A release of the network that does not run here. An error says why there is none.
    pub(super) fn release_to_load(&self, name: &str) -> Result<Release, String> {
        let Some(release) = self.topology.release(name).cloned() else {
            let known: Vec<_> = self.topology.releases.iter().map(|one| &one.name[..]).collect();
            return Err(format!("there is no release {name:?}; there are {}", known.join(", ")));
        };
        match self.disk().release.name == name {
            true => Err(format!("release {name} runs already")),
            false => Ok(release),
        }
    }
}

/// As `lock` leaves the disk.
pub(super) fn lock_disk(disk: &mut Disk) -> String {
    // Whether traffic was led away before stays as it is.
    change_lock(disk, true, false);
    "takes no new calls".to_owned()
}

/// As `drain` leaves the disk: trunk groups lead new calls elsewhere; those in progress go on.
pub(super) fn lead_away(disk: &mut Disk) -> String {
    change_lock(disk, true, true);
    "new calls are led away; those in progress go on".to_owned()
}

/// As `unlock` leaves the disk.
pub(super) fn unlock_disk(disk: &mut Disk) -> String {
    change_lock(disk, false, false);
    "takes new calls".to_owned()
}

fn change_lock(disk: &mut Disk, locked: bool, diverts: bool) {
    disk.diverted = locked && (diverts || (disk.locked && disk.diverted));
    disk.locked = locked;
}

/// As `shed` leaves the disk.
pub(super) fn shed_disk(disk: &mut Disk, on: bool) -> String {
    disk.shedding = on;
    if on { "refuses ordinary calls" } else { "takes ordinary calls" }.to_owned()
}

/// Changes the lock of software that runs, and shows that.
fn relock(software: &mut CallControl, change: fn(&mut Disk) -> String) -> String {
    let text = change(software.disk_mut());
    software.show_state();
    text
}

fn disconnect(
    software: &mut CallControl,
    now: Instant,
    trunk_group: Option<&str>,
) -> Result<String, String> {
    let meant = software.disk().links.select(trunk_group)?;
    let connected: Vec<_> =
        meant.into_iter().filter(|link| software.disk().links.is_connected(*link)).collect();
    if connected.is_empty() {
        return Err("the links are disconnected already".to_owned());
    }
    let mut cut = 0;
    for link in &connected {
        software.disk_mut().links.disconnect(*link);
        cut += software.cut_link(now, *link);
    }
    Ok(format!("{} links are disconnected; {cut} calls were cut", connected.len()))
}

fn reconnect(
    software: &mut CallControl,
    now: Instant,
    trunk_group: Option<&str>,
) -> Result<String, String> {
    let meant = software.disk().links.select(trunk_group)?;
    let disk = software.disk_mut();
    let meant: Vec<_> = meant.into_iter().filter(|link| !disk.links.is_connected(*link)).collect();
    if meant.is_empty() {
        return Err("the links are not disconnected".to_owned());
    }
    // The documented order locks the site first. Without that, entries of the calls that were cut may stay in the
    // table of circuits; a release without the defect removes them.
    disk.stale_circuits |= !disk.locked;
    let longest = meant.iter().map(|link| disk.links.reconnect(now, *link)).max();
    let longest = format_duration(longest.unwrap_or_default());
    Ok(format!("{} links come back within {longest}", meant.len()))
}
