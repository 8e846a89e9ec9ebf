//! What a campaign demands of its network.

use topology::Topology;
use topology::reader::Document;

use crate::callers::CallerAudio;
use crate::campaign::Campaign;

impl Campaign {
    /// Reports what this campaign asks of the network and the network does not have.
    pub(crate) fn check_against(&self, network: &Topology, document: &Document) {
        let groups: Vec<&str> = network.trunk_groups.iter().map(|group| &group.name[..]).collect();
        if groups.is_empty() {
            document.report("network", "the network has no trunk group; callers need one to call");
        }
        for (index, entry) in self.mix.iter().enumerate() {
            let Some(group) = &entry.trunk_group else {
                continue;
            };
            if network.trunk_group(group).is_none() {
                let message = format!(
                    "no trunk group is called {group:?}; the trunk groups are {}",
                    groups.join(", ")
                );
                document.report(&format!("mix[{index}].trunk_group"), message);
            }
        }
        let redial = self.callers.redial.as_ref();
        if let Some(group) = redial.and_then(|redial| redial.ten_digit_trunk_group.as_ref())
            && network.trunk_group(group).is_none()
        {
            let known = groups.join(", ");
            let message =
                format!("no trunk group is called {group:?}; the trunk groups are {known}");
            document.report("callers.redial.ten_digit_trunk_group", message);
        }
        for (index, figure) in self.figures.iter().enumerate() {
            for (place, group) in figure.selection.trunk_groups.iter().enumerate() {
                if network.trunk_group(group).is_none() {
                    let known = groups.join(", ");
                    let message =
                        format!("no trunk group is called {group:?}; the trunk groups are {known}");
                    document.report(&format!("figures[{index}].trunk_groups[{place}]"), message);
                }
            }
            for (place, name) in figure.selection.psaps.iter().enumerate() {
                if network.psap(name).is_none() {
                    let known: Vec<&str> =
                        network.psaps.iter().map(|psap| &psap.name[..]).collect();
                    let message =
                        format!("no PSAP is called {name:?}; the PSAPs are {}", known.join(", "));
                    document.report(&format!("figures[{index}].psaps[{place}]"), message);
                }
            }
        }
        for (index, name) in self.unrecorded.iter().enumerate() {
            if network.psap(name).is_none() {
                let known: Vec<&str> = network.psaps.iter().map(|psap| &psap.name[..]).collect();
                let message =
                    format!("no PSAP is called {name:?}; the PSAPs are {}", known.join(", "));
                document.report(&format!("ledger.unrecorded[{index}]"), message);
            }
        }
        self.check_thresholds(network, document);
        self.check_rows_against(network, document);
        self.check_operations(network, document);
        self.check_usual_day(network, document);
        if let CallerAudio::Clip(name) = &self.callers.audio
            && network.media.clip(name).is_none()
        {
            document.report("callers.audio", network.media.unknown_clip(name));
        }
        let endless = network.psaps.iter().find(|psap| psap.talk.is_none());
        if let Some(psap) = endless.filter(|_| self.callers.caller_hangs_up < 1.0) {
            let message = format!(
                "nobody would end some calls to PSAP {:?}; set it to 1, or set that PSAP's talk",
                psap.name
            );
            document.report("callers.caller_hangs_up", message);
        }
    }

    /// Reports impairments between two boxes that cannot be told from others: packets are known by their IP addresses.
    fn check_ways(&self, network: &Topology, document: &Document) {
        for (index, fault) in self.operations.faults.iter().enumerate() {
            let Some((Some(other), _)) = fault.impairment() else { continue };
            let of_other = network.ips_of(other);
            let key = format!("faults[{index}].between");
            if let Some(any) = of_other.iter().find(|ip| ip.is_unspecified()) {
                let message = format!(
                    "tells boxes apart by their IP addresses, and {other} listens on {any}; give it an address of its own"
                );
                document.report(&key, message);
                continue;
            }
            let sites = network.sites.iter().map(|site| &site.name);
            let groups = network.trunk_groups.iter().map(|group| &group.name);
            let psaps = network.psaps.iter().map(|psap| &psap.name);
            let mut others = sites.chain(groups).chain(psaps).filter(|name| *name != other);
            let shared = others.find_map(|name| {
                let ips = network.ips_of(name);
                ips.intersection(&of_other).next().map(|ip| (name, *ip))
            });
            if let Some((name, ip)) = shared {
                let message = format!(
                    "tells boxes apart by their IP addresses, and {other} shares {ip} with {name}; give {other} an address of its own, such as 127.0.0.{}:5060",
                    200 + index % 50
                );
                document.report(&key, message);
            }
        }
    }

    /// Reports operations on what the network does not have, or after the end of the campaign.
    fn check_operations(&self, network: &Topology, document: &Document) {
        let sites: Vec<String> = network.sites.iter().map(|site| site.name.clone()).collect();
        let groups: Vec<String> =
            network.trunk_groups.iter().map(|group| group.name.clone()).collect();
        let psaps: Vec<String> = network.psaps.iter().map(|psap| psap.name.clone()).collect();
        for (key, sentence) in self.operations.check(&sites, &groups, &psaps) {
            document.report(&key, sentence);
        }
        self.check_ways(network, document);
        let length = self.duration();
        for (index, fault) in self.operations.faults.iter().enumerate() {
            if fault.at > length {
                let message = format!(
                    "would come after the end of the campaign, which lasts {}",
                    topology::format_duration(length)
                );
                document.report(&format!("faults[{index}].at"), message);
            }
        }
        for operation in &self.operations.operations {
            if let operations::OperationStart::At(at) = operation.start
                && at > length
            {
                let message = format!(
                    "would begin after the end of the campaign, which lasts {}",
                    topology::format_duration(length)
                );
                document.report(&format!("operations.{}.at", operation.name), message);
            }
        }
    }
}
