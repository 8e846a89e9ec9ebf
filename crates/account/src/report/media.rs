//! What the report says of sound.

use std::fmt::Write as _;

use super::lines::{millis, percent, push, score, table};
use crate::summary::{MediaFigures, MediaGroup, word};
use crate::text::counted;

const WORST_CALLS: usize = 3;

/// What was heard: two lines and the worst calls.
pub(super) fn media(out: &mut String, media: Option<&MediaFigures>) {
    let Some(media) = media else { return };
    // Of those that could be judged, which may be fewer than had media; and the whole is told of nothing less.
    let is_nearly_all = media.heard_share.is_some_and(|share| (0.9995..1.0).contains(&share));
    let share = percent(media.heard_share, if is_nearly_all { 3 } else { 1 });
    let share = format!("{share} of {} judged", media.judged());
    push(
        out,
        &format!(
            "media  {}: {} heard both ways ({share}), {} one way, {} not at all, {} not judged",
            counted(media.calls, "call", "calls"),
            media.heard_both_ways,
            media.one_way,
            media.no_way,
            media.unjudged
        ),
    );
    if media.heard_by_caller > 0 {
        push(
            out,
            &format!(
                "       {} heard by the caller, with an end that is not ours ({share})",
                media.heard_by_caller
            ),
        );
    }
    let (mos, jitter) = (&media.mos, &media.jitter);
    let mut line = format!(
        "MOS p50 {} p5 {} min {}   jitter p50 {} p99 {} ms   loss {}",
        score(mos.p50),
        score(mos.p5),
        score(mos.min),
        millis(jitter.p50),
        millis(jitter.p99),
        percent(media.loss, 2)
    );
    if media.round_trip.count > 0 {
        let _ = write!(line, "   round trip p50 {} ms", millis(media.round_trip.p50));
    }
    push(out, &line);
    push(out, "");
    let title = ["calls", "heard", "MOS p50", "MOS p5", "loss", "jitter p99"];
    let row = |group: &MediaGroup| {
        [
            group.calls.to_string(),
            (group.heard_both_ways + group.heard_by_caller).to_string(),
            score(group.mos.p50),
            score(group.mos.p5),
            percent(group.loss, 2),
            format!("{} ms", millis(group.jitter.p99)),
        ]
    };
    table(out, "media by site", title, &media.by_site, row);
    if media.stopped > 0 {
        push(
            out,
            &format!(
                "  media stopped without a BYE in {}",
                counted(media.stopped, "call", "calls")
            ),
        );
    }
    failures(out, media);
    if media.stopped > 0 || !media.worst.is_empty() || !media.refused_without_port.is_empty() {
        push(out, "");
    }
}

/// Calls without a port, and the worst of those that had one.
fn failures(out: &mut String, media: &MediaFigures) {
    for (process, calls) in &media.refused_without_port {
        push(
            out,
            &format!(
                "  {process} had no RTP port, or no file for one, for {} and refused them with 503",
                counted(*calls, "call", "calls")
            ),
        );
    }
    for call in media.worst.iter().take(WORST_CALLS) {
        let said = |verdict: Option<media::SoundVerdict>| verdict.map_or("no record", word);
        let mos = score(call.mos);
        push(
            out,
            &format!(
                "  worst: {} {} {}  caller: {}, PSAP: {}, MOS {mos}, loss {}",
                call.attempt,
                call.site,
                call.psap,
                said(call.towards_caller),
                said(call.towards_psap),
                percent(call.loss, 1)
            ),
        );
    }
}
