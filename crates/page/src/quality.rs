//! What callers and call takers heard of each other.

use std::collections::BTreeSet;

use account::summary::{MediaFigures, MediaGroup, Summary, word};
use maud::{Markup, html};

use crate::figures::{count, counted, percent, quantile, score, table};

/// Nothing where no call had media.
pub(crate) fn media(summary: &Summary) -> Option<Markup> {
    let media = summary.media.as_ref()?;
    let mut rows = vec![overall(media)];
    rows.extend(media.by_site.iter().map(|(site, group)| of_site(site, group)));
    let heads = [
        "",
        "calls",
        "heard both ways",
        "MOS p50",
        "MOS p5",
        "MOS min",
        "lost or late",
        "jitter p50, ms",
        "jitter p99, ms",
    ];
    let words: BTreeSet<_> = media.towards_caller.keys().chain(media.towards_psap.keys()).collect();
    let directions = words.into_iter().map(|verdict| {
        let of = |counts: &std::collections::BTreeMap<_, u64>| {
            count(counts.get(verdict).copied().unwrap_or_default())
        };
        vec![word(*verdict).to_owned(), of(&media.towards_caller), of(&media.towards_psap)]
    });
    let directions: Vec<Vec<String>> = directions.collect();
    Some(html! {
        p {
            (counted(media.calls, "answered call", "answered calls")) " had media: "
            (counted(media.heard_both_ways, "was", "were")) " heard both ways, "
            @if media.heard_by_caller > 0 {
                (count(media.heard_by_caller)) " by the caller, with an end that is not ours, "
            }
            (count(media.one_way)) " one way, " (count(media.no_way)) " not at all; "
            (count(media.unjudged)) " could not be judged. MOS is that of the E-model (ITU-T G.107)."
        }
        (table("Whole run, and by site", &heads, &rows))
        div.pair {
            (table("What was heard, by direction", &["verdict", "by callers", "by PSAPs"], &directions))
            (packets(media))
        }
    })
}

fn overall(media: &MediaFigures) -> Vec<String> {
    let group = MediaGroup {
        calls: media.calls,
        heard_both_ways: media.heard_both_ways,
        heard_by_caller: media.heard_by_caller,
        mos: media.mos,
        loss: media.loss,
        jitter: media.jitter,
    };
    of_site("all", &group)
}

fn of_site(site: &str, group: &MediaGroup) -> Vec<String> {
    vec![
        site.to_owned(),
        count(group.calls),
        count(group.heard_both_ways + group.heard_by_caller),
        score(group.mos.p50),
        score(group.mos.p5),
        score(group.mos.min),
        percent(group.loss),
        quantile(&group.jitter, |jitter| jitter.p50),
        quantile(&group.jitter, |jitter| jitter.p99),
    ]
}

fn packets(media: &MediaFigures) -> Markup {
    let mut rows = vec![
        vec!["RTP packets received".to_owned(), count(media.received)],
        vec!["lost on the way".to_owned(), count(media.lost)],
        vec!["too late to be played".to_owned(), count(media.discarded)],
        vec!["calls whose media stopped without a BYE".to_owned(), count(media.stopped)],
        vec!["round trip p50, ms".to_owned(), quantile(&media.round_trip, |it| it.p50)],
        vec!["round trip p99, ms".to_owned(), quantile(&media.round_trip, |it| it.p99)],
    ];
    let refused = media.refused_without_port.iter();
    rows.extend(refused.map(|(process, calls)| {
        vec![format!("calls that {process} refused for want of a port or a file"), count(*calls)]
    }));
    table("Packets", &["", "count"], &rows)
}
