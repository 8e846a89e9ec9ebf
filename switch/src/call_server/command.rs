//! Commands of operators, and the machine's answers. While it hangs or starts it does not answer.

use std::time::Instant;

use contract::Reply;
use operations::Action;
use topology::format_duration;

use super::CallServer;
use crate::call_control::CallControl;
use crate::machine::Installation;

impl CallServer {
    pub(super) fn carry_out(&mut self, now: Instant, action: Action) -> Reply {
        if self.starvation.is_some() {
            return Reply::Silent;
        }
        let Some(software) = self.software.as_deref_mut() else { return Reply::Silent };
        let done = match action {
            Action::Show => Ok(self.describe()),
            Action::Lock => Ok(lock(software)),
            Action::Drain => Ok(lead_traffic_away(software)),
            Action::Unlock => Ok(unlock(software)),
            Action::Disconnect { trunk_group } => disconnect(software, now, trunk_group.as_deref()),
            Action::Reconnect { trunk_group } => reconnect(software, now, trunk_group.as_deref()),
            Action::Restart { clean } => return self.restart_on_demand(now, clean),
            Action::Isolate => Ok(self.isolate(true)),
            Action::Rejoin if self.isolated => Ok(self.isolate(false)),
            Action::Rejoin => Err("it is not isolated".to_owned()),
            Action::LoadRelease { release } => return self.load(now, &release),
            Action::Rollback => return self.roll_back(now),
            Action::Shed { on } => Ok(shed(software, on)),
        };
        self.take_output(now);
        match done {
            Ok(text) => Reply::Done(text),
            Err(sentence) => Reply::Refused(sentence),
        }
    }

    fn describe(&self) -> String {
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
        format!("release {release}, {locked}{isolated}{shedding}, {calls} calls{waiting}")
    }

    fn restart_on_demand(&mut self, now: Instant, clean: bool) -> Reply {
        let how = if clean { "restarted clean by command" } else { "restarted by command" };
        let (ticket, text) = self.restart_by_command(now, how, clean);
        Reply::Accepted { ticket, text }
    }

    /// Puts the release before the present one back, and starts again with it.
    fn roll_back(&mut self, now: Instant) -> Reply {
        let Some(software) = self.software.as_deref_mut() else { return Reply::Silent };
        let disk = software.disk_mut();
        let Some(previous) = disk.previous.take() else {
            return Reply::Refused("there is no earlier release on it".to_owned());
        };
        let why = format!("rolled back to release {}", previous.name);
        disk.release = previous;
        let (ticket, text) = self.restart_by_command(now, &why, false);
        Reply::Accepted { ticket, text: format!("{text}, {why}") }
    }

    fn isolate(&mut self, isolated: bool) -> String {
        self.isolated = isolated;
        if let Some(software) = self.software.as_mut().filter(|_| isolated) {
            software.note("the site was isolated during the call");
        }
        let (cut, joined) = ("is cut off from pool and trunk groups", "is in the pool again");
        if isolated { cut } else { joined }.to_owned()
    }

    fn load(&mut self, now: Instant, name: &str) -> Reply {
        let Some(release) = self.topology.release(name).cloned() else {
            let known: Vec<_> = self.topology.releases.iter().map(|one| &one.name[..]).collect();
            let known = known.join(", ");
            return Reply::Refused(format!("there is no release {name:?}; there are {known}"));
        };
        if self.disk().release.name == name {
            return Reply::Refused(format!("release {name} runs already"));
        }
        let install = self.settings.equipment.install;
        let ticket = self.effects.ticket();
        let begun = Installation { until: now + install, release, ticket };
        if let Some(other) = self.installation.replace(begun) {
            self.effects.aborted(other.ticket, format!("load {name} took its place"));
        }
        let text = format!("release {name} runs after a restart in {}", format_duration(install));
        Reply::Accepted { ticket, text }
    }
}

fn lock(software: &mut CallControl) -> String {
    // Whether traffic was led away before stays as it is.
    change_lock(software, true, false);
    "takes no new calls".to_owned()
}

/// Trunk groups lead new calls elsewhere; those in progress go on.
fn lead_traffic_away(software: &mut CallControl) -> String {
    change_lock(software, true, true);
    "new calls are led away; those in progress go on".to_owned()
}

fn unlock(software: &mut CallControl) -> String {
    change_lock(software, false, false);
    "takes new calls".to_owned()
}

fn change_lock(software: &mut CallControl, locked: bool, diverts: bool) {
    let disk = software.disk_mut();
    disk.diverted = locked && (diverts || (disk.locked && disk.diverted));
    disk.locked = locked;
    software.show_state();
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

fn shed(software: &mut CallControl, on: bool) -> String {
    software.disk_mut().shedding = on;
    if on { "refuses ordinary calls" } else { "takes ordinary calls" }.to_owned()
}
