//! The catalogue of latent defects: what each copies, what triggers it, and what cures it. Where they act stands in
//! `triggers.rs`.

/// What is known of a defect.
#[derive(Debug, Clone, Copy)]
pub struct LatentDefect {
    /// Its name in a network file: `[releases.NAME.defects.…]`.
    pub name: &'static str,
    /// The public incident that it copies.
    pub incident: &'static str,
    pub trigger: &'static str,
    pub effect: &'static str,
    pub near_miss: &'static str,
    pub cure: &'static str,
    /// Keys of its table, with their meaning.
    pub keys: &'static str,
    pub source: &'static str,
}

/// All defects, in the order of [`topology::Defect::NAMES`].
pub const CATALOGUE: [LatentDefect; 6] = [
    LatentDefect {
        name: "context-leak",
        incident: "Orange, France, 2 June 2021: six call servers, about 11,800 emergency calls",
        trigger: "`reconnect` of a link of a site that is not locked: stale circuits stay in the stored configuration",
        effect: "no call gives its context back; after a few hundred calls the memory is full and the site restarts, with the \
                 same configuration; its load goes to the others, which fill the faster",
        near_miss: "lock, disconnect, reconnect, unlock; or the same wrong order on a site without traffic, until traffic comes",
        cure: "`isolate`, `restart clean`, `rejoin`: isolated, so that no other site hands the configuration back; or `load` of a release \
               without the defect, as `console load` if the site restarts before it is loaded",
        keys: "none; equipment.contexts says how many calls fill the memory",
        source: "https://www.lemondeinformatique.fr/actualites/lire-panne-des-numeros-d-urgence-l-anssi-charge-les-erreurs-et-la-lenteur-d-orange-83671.html",
    },
    LatentDefect {
        name: "recovery-crash",
        incident: "AT&T, United States, 15 January 1990: 114 switches, about half of all calls for nine hours",
        trigger: "two messages of a neighbour that has just recovered come within `window`: it tells the others of each of its first \
                  twenty calls, so that 10 ms are met from a few calls a second at each site on",
        effect: "the receiver restarts, recovers, and tells its neighbours so: a wave of restarts",
        near_miss: "a recovery with little traffic: its messages come one by one",
        cure: "less load: `shed ordinary`, or fewer callers; or `load` of a release without the defect, as `console load` if the site \
               restarts before it is loaded",
        keys: "window (10ms)",
        source: "http://users.csc.calpoly.edu/~jdalbey/SWE/Papers/att_collapse.html",
    },
    LatentDefect {
        name: "poison-call",
        incident: "KPN, Netherlands, 24 June 2019: all four members of the routing platform for 112",
        trigger: "a call for `number` while at least `busy` calls are in progress",
        effect: "the site restarts; the trunk group offers the call to the next site, which does the same",
        near_miss: "the same call on a quiet site",
        cure: "`block` of the number at each site; or `load` of a release without the defect at each site",
        keys: "number; busy (0)",
        source: "https://telecomnieuws.online/markt/infrastructuur/kpn-gaat-diep-door-het-stof-na-rapport-over-onbereikbaarheid-112/",
    },
    LatentDefect {
        name: "counter-ceiling",
        incident: "Intrado, United States, 9 April 2014: 81 answering points, more than 6,600 calls",
        trigger: "`ceiling` calls for `numbers` since the site was delivered",
        effect: "480 for these numbers, and for them alone; health checks stay green, so nothing fails over",
        near_miss: "one call fewer; other numbers",
        cure: "`lock`, so that other sites carry its calls; or `load` of a release without the defect or with a higher ceiling",
        keys: "numbers; ceiling",
        source: "https://communicationsdaily.com/article/2014/05/20/the-fcc-public-safety-bureau-is-starting-an-investigation-into-1405200051",
    },
    LatentDefect {
        name: "silent-lock",
        incident: "Optus, Australia, 18 September 2025: 455 of 605 callers of 000, thirteen hours undetected",
        trigger: "`lock` of a site to which trunk groups still lead calls",
        effect: "emergency calls get silence; ordinary calls are led elsewhere; health checks stay green",
        near_miss: "`drain` before `lock`",
        cure: "`unlock`",
        keys: "none",
        source: "https://internewscast.com/news/au/review-reveals-optus-overlooked-early-alerts-in-emergency-call-outage",
    },
    LatentDefect {
        name: "poison-replica",
        incident: "OpenSIPS and Kamailio: replication whose receiver falls (kamailio #2535, #2547, #2451)",
        trigger: "a replicated record of an answered call for `number`, in a pool with replicate_calls",
        effect: "the partner restarts, reads its journal, and restarts again",
        near_miss: "the same call in a pool that does not replicate",
        cure: "once the call is over, `console restart clean`, which leaves the journal behind; or `console load` of a release without the \
               defect: the site restarts before its software takes a command",
        keys: "number",
        source: "https://github.com/kamailio/kamailio/issues/2451",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_has_each_defect() {
        assert_eq!(CATALOGUE.map(|defect| defect.name), topology::Defect::NAMES);
        for defect in CATALOGUE {
            assert!(defect.source.starts_with("http"), "{}", defect.name);
        }
    }
}
