//! A page of its own: the picture, what is known of the cause, and each message behind a click. It asks nobody for anything.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::render::message::wire_text;
use crate::render::phrases::{begun, is_bad, label, plain, remark, seconds, title};
use crate::render::svg;
use crate::story::{Arrow, Story};

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:1rem;color:#1a1a1a;background:#fff}@media(prefers-color-scheme:dark)\
{body{color:#e8e8e8;background:#16181c}}h1{font-size:1.25rem}h1,p,li{overflow-wrap:anywhere}h2{font-size:1.05rem}.picture{overflow-x:auto}pre{overflow-x:auto;font:13px \
ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0 1rem 1rem}summary{cursor:pointer;font:13px ui-monospace,monospace}\
#rtcp:checked~.bare,#rtcp:not(:checked)~.reported{display:none}.bad{font-weight:bold}:target{outline:2px solid}.small{opacity:.75}";

/// The page.
#[must_use]
pub fn html(story: &Story) -> String {
    let style = format!("{STYLE}{}", svg::STYLE);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(&style))
    );
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(story)) }
                style { (PreEscaped(&style)) }
            }
            body { (body(story)) }
        }
    };
    markup.into_string()
}

fn body(story: &Story) -> Markup {
    html! {
        h1 { (title(story)) }
        p.small { "from " (begun(story)) }
        @for line in story.cause.lines() { p { (plain(line)) } }
        (picture(story))
        @if !story.findings.is_empty() {
            h2 { "What the standard says of it" }
            ul {
                @for found in &story.findings {
                    li {
                        @for number in &found.messages { a href=(format!("#m{number}")) { (number) } " " }
                        (plain(&found.seen)) ". Expected: " (found.expected) " (" (found.rule) ")."
                    }
                }
            }
        }
        @for gap in &story.gaps { p.small { (plain(gap)) } }
        h2 { "Messages" }
        @for arrow in story.messages() { (message(story, arrow)) }
    }
}

/// The picture, and where RTCP was seen a second one without it: a box to tick chooses, without a script.
fn picture(story: &Story) -> Markup {
    let drawn = |story: &Story| PreEscaped(svg::inline(story));
    html! {
        @if story.has_reports() {
            input #rtcp type="checkbox" checked;
            label for="rtcp" { " RTCP reports" }
            div.picture.reported { (drawn(story)) }
            div.picture.bare { (drawn(&story.clone().without_reports())) }
        } @else {
            div.picture { (drawn(story)) }
        }
    }
}

/// What is inside a closed `details` opens by itself when a link leads to it (HTML, §6.13, revealing).
fn message(story: &Story, arrow: &Arrow) -> Markup {
    let (from, to) = (plain(story.name(arrow.from)), plain(story.name(arrow.to)));
    html! {
        details {
            summary.bad[is_bad(arrow)] {
                (arrow.number) " · " (seconds(arrow.at_us())) " s · " (label(arrow)) " · " (from) " → " (to)
                @if let Some((remark, _)) = remark(story, arrow) { " · " (remark) }
            }
            pre id=(format!("m{}", arrow.number)) { (wire_text(&arrow.bytes)) }
        }
    }
}
