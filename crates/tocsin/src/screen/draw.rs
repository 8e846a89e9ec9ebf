//! A scene on a terminal. What does not fit is left out: columns, then lines; nothing is cut in the middle.
//!
//! ```text
//!  title, phase, time left
//!  what speaks against the run so far
//!  figures of the callers
//!  thresholds as they stand
//!  calls offered, ASR and post-dial delay as curves
//!  sites                      PSAPs                     columns.rs
//!  what happened                                        overlay.rs: all of it, and the help
//!  keys
//! ```

use std::time::Duration;

use account::text::{self, or_dash};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use super::columns::{self, Column, TableRow, shorten};
use super::overlay;
use super::scene::{PsapRow, RunStatus, Scene, SiteRow, ThresholdRow};
use super::style::{BAD, FAINT, GOOD, PLAIN, WAITING, clock};
use super::view::{Page, View};

/// The widths of a figure, of its name in it, and of a threshold.
const FIGURE: usize = 26;
const NAME: usize = 11;
/// Figures of the callers.
const FIGURES: usize = 12;
const THRESHOLD: usize = 40;
/// Lines for what happened, at most, as long as anything else has use for them.
const NOTES: u16 = 8;

pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene, view: &mut View) {
    let area = frame.area();
    let [top, verdict, middle, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(title(scene, view, usize::from(top.width)), top);
    frame.render_widget(against(scene, usize::from(verdict.width)), verdict);
    match view.page {
        Page::Run => draw_run(frame, scene, middle),
        Page::Help => overlay::help(frame, middle, view),
        Page::Log => overlay::log(frame, middle, scene, view),
    }
    frame.render_widget(key_line(scene, view, usize::from(keys.width)), keys);
}

/// Lines of each part of the picture.
#[derive(Debug, Clone, Copy, Default)]
struct Heights {
    figures: u16,
    thresholds: u16,
    curves: u16,
    tables: u16,
    notes: u16,
}

impl Heights {
    /// Shares out the lines: a little for everything first, and then as much as each can use, by what matters more.
    fn of(scene: &Scene, area: Rect) -> Self {
        let per_line = (usize::from(area.width) / THRESHOLD).max(1);
        let thresholds = scene.thresholds.len().div_ceil(per_line) as u16;
        let rows = scene.sites.len().max(scene.psaps.len()) as u16;
        let tables = if rows > 0 { rows + 1 } else { 0 };
        let mut heights = Self::default();
        let mut left = area.height;
        let left = &mut left;
        let per_figure = (usize::from(area.width) / FIGURE).max(1);
        give(left, &mut heights.figures, FIGURES.div_ceil(per_figure).min(4) as u16);
        give(left, &mut heights.thresholds, thresholds.min(1));
        give(left, &mut heights.tables, tables.min(3));
        give(left, &mut heights.notes, 2);
        if *left >= 3 {
            give(left, &mut heights.curves, 3);
        }
        give(left, &mut heights.tables, tables);
        give(left, &mut heights.thresholds, thresholds);
        for (curves, notes) in [(3, 3), (6, 4), (9, NOTES)] {
            if heights.curves + 3 == curves && *left >= 3 {
                give(left, &mut heights.curves, curves);
            }
            give(left, &mut heights.notes, notes);
        }
        give(left, &mut heights.notes, u16::MAX);
        heights
    }
}

/// Of what is left, as much as a part lacks of so many lines.
fn give(left: &mut u16, part: &mut u16, upto: u16) {
    let more = upto.saturating_sub(*part).min(*left);
    *part += more;
    *left -= more;
}

fn draw_run(frame: &mut Frame<'_>, scene: &Scene, area: Rect) {
    let heights = Heights::of(scene, area);
    let parts = Layout::vertical([
        Constraint::Length(heights.figures),
        Constraint::Length(heights.thresholds),
        Constraint::Length(heights.curves),
        Constraint::Length(heights.tables),
        Constraint::Length(heights.notes),
    ]);
    let [figures, thresholds, curves, tables, happened] = parts.areas(area);
    frame.render_widget(counts(scene, figures), figures);
    frame.render_widget(standing(&scene.thresholds, thresholds), thresholds);
    draw_curves(frame, scene, curves);
    draw_tables(frame, scene, tables);
    frame.render_widget(what_happened(scene, happened), happened);
}

/// As much of it as fits: the phase and the time that is left go first.
fn title(scene: &Scene, view: &View, width: usize) -> Paragraph<'static> {
    let left = scene.length.saturating_sub(scene.elapsed);
    let time = format!("{} of {}", clock(scene.elapsed), clock(scene.length));
    let long_time = format!("{time}, {} left", clock(left));
    let long_name = match view.is_paused {
        true => format!("PAUSED, the run goes on  {}", scene.title),
        false => format!("{}  {}", scene.title, scene.phase),
    };
    let name = if view.is_paused { "PAUSED, the run goes on" } else { &scene.title };
    let bar = Style::new().add_modifier(Modifier::REVERSED);
    let pairs = [(&long_name[..], &long_time[..]), (&long_name[..], &time[..]), (name, &time[..])];
    let length = |(name, time): &(&str, &str)| name.chars().count() + 2 + time.chars().count();
    let fits = pairs.into_iter().find(|pair| length(pair) <= width);
    let words = match fits {
        Some((name, time)) => {
            let gap = width - name.chars().count() - time.chars().count();
            format!("{name}{}{time}", " ".repeat(gap))
        }
        None => format!("{:<width$}", shorten(name, width)),
    };
    Paragraph::new(words).style(bar)
}

fn against(scene: &Scene, width: usize) -> Line<'static> {
    match scene.against.split_first() {
        None => Line::styled(shorten("nothing against the run so far", width), GOOD),
        Some((first, [])) => Line::styled(shorten(&format!("! {first}"), width), BAD),
        Some((first, more)) => {
            let rest = format!(" (and {} more)", more.len());
            let room = width.saturating_sub(rest.chars().count());
            Line::styled(shorten(&format!("! {first}"), room) + &rest, BAD)
        }
    }
}

/// The figures, those first that matter most, as many beside each other as fit.
fn counts(scene: &Scene, area: Rect) -> Paragraph<'static> {
    let counts = &scene.counts;
    let per_line = (usize::from(area.width) / FIGURE).max(1);
    let room = (usize::from(area.width) / per_line).saturating_sub(NAME + 2);
    // The rate gives way before the count.
    let rate = |count: u64, rate: f64| {
        let words = format!("{count} ({rate:.1}/s)");
        if words.len() <= room { words } else { count.to_string() }
    };
    let alarming = |count: u64| if count > 0 { BAD } else { PLAIN };
    let asr = or_dash(counts.asr.map(|asr| format!("{:.1} %", asr * 100.0)));
    let delay = |micros: Option<u64>| or_dash(micros.map(millis));
    let figures: [(&str, String, Style); FIGURES] = [
        ("offered", rate(counts.offered, counts.offered_rate), PLAIN),
        ("answered", rate(counts.answered, counts.answered_rate), PLAIN),
        ("failed", rate(counts.failed, counts.failed_rate), alarming(counts.failed)),
        ("ASR", asr, PLAIN),
        ("PDD p50", delay(counts.pdd.p50), PLAIN),
        ("PDD p99", delay(counts.pdd.p99), PLAIN),
        ("in progress", counts.in_progress.to_string(), PLAIN),
        ("talking", counts.talking.to_string(), PLAIN),
        ("abandoned", counts.abandoned.to_string(), PLAIN),
        ("set-up p99", delay(counts.setup.p99), PLAIN),
        ("lag p99", delay(counts.lag_p99), PLAIN),
        (
            "late",
            match format!("{}, {} unsent", counts.late, counts.not_started) {
                words if words.len() <= room => words,
                _ => (counts.late + counts.not_started).to_string(),
            },
            alarming(counts.late + counts.not_started),
        ),
    ];
    let line = |figures: &[(&str, String, Style)]| {
        let spans = figures.iter().flat_map(|(name, value, style)| {
            [
                Span::styled(format!("{name:<NAME$} "), FAINT),
                Span::styled(format!("{value:<room$} "), *style),
            ]
        });
        Line::from_iter(spans)
    };
    Paragraph::new(figures.chunks(per_line).map(line).collect::<Vec<_>>())
}

/// Each threshold as it stands, the broken ones first; where there is no room for all, how many there are of each.
fn standing(thresholds: &[ThresholdRow], area: Rect) -> Paragraph<'static> {
    let mut rows: Vec<&ThresholdRow> = thresholds.iter().collect();
    rows.sort_by_key(|row| match row.holds {
        Some(false) => 0,
        Some(true) => 1,
        None => 2,
    });
    let width = usize::from(area.width);
    let per_line = (width / THRESHOLD).max(1);
    let room = width / per_line;
    let places = per_line * usize::from(area.height);
    if rows.len() > places {
        rows.truncate(places.saturating_sub(1));
    }
    let hidden = thresholds.len() - rows.len();
    let mut spans: Vec<Span<'static>> = rows.iter().map(|row| threshold(row, room)).collect();
    if hidden > 0 {
        let broken = thresholds.iter().filter(|row| row.holds == Some(false)).count();
        let text = format!("and {hidden} more thresholds; {broken} of {} broken", thresholds.len());
        spans.push(Span::styled(format!("{:<room$}", shorten(&text, room)), FAINT));
    }
    Paragraph::new(spans.chunks(per_line).map(|line| Line::from(line.to_vec())).collect::<Vec<_>>())
}

/// In as many letters: the bound gives way before what was measured.
fn threshold(row: &ThresholdRow, room: usize) -> Span<'static> {
    let (sign, style) = match row.holds {
        Some(true) => ("✓", GOOD),
        Some(false) => ("✗", BAD),
        None => ("–", FAINT),
    };
    let measured = match (&row.measured, row.is_live) {
        (Some(measured), _) => measured.clone(),
        (None, true) => "nothing yet".to_owned(),
        (None, false) => "at the end".to_owned(),
    };
    let short = format!("{sign} {} {measured}", row.subject);
    let long = format!("{short} ({})", row.bounds);
    let text = if long.chars().count() < room { long } else { shorten(&short, room - 1) };
    Span::styled(format!("{text:<room$}"), style)
}

/// Calls offered, ASR and post-dial delay of each second, as far back as the width goes.
fn draw_curves(frame: &mut Frame<'_>, scene: &Scene, area: Rect) {
    if area.height < 3 {
        return;
    }
    let parts = Layout::vertical([Constraint::Length(area.height / 3); 3]);
    let [rate, asr, delay]: [Rect; 3] = parts.areas(area);
    let [_, columns] = halves(area);
    let from = scene.history.len().saturating_sub(usize::from(columns.width));
    let shown = &scene.history[from..];
    let offered: Vec<Option<u64>> = shown.iter().map(|one| Some(one.offered)).collect();
    let most = offered.iter().flatten().max().copied().unwrap_or_default();
    draw_curve(frame, rate, "calls/s", &most.to_string(), (&offered, most));
    let ratios: Vec<Option<u64>> =
        shown.iter().map(|one| one.asr.map(|asr| (asr * 1_000.0).round() as u64)).collect();
    let last = shown.iter().rev().find_map(|one| one.asr);
    let last = or_dash(last.map(|asr| format!("{:.0} %", asr * 100.0)));
    draw_curve(frame, asr, "ASR", &last, (&ratios, 1_000));
    let delays: Vec<Option<u64>> = shown.iter().map(|one| one.delay).collect();
    let most = delays.iter().flatten().max().copied().unwrap_or_default();
    let word = if most == 0 { "-".to_owned() } else { millis(most) };
    draw_curve(frame, delay, "PDD p95", &word, (&delays, most));
}

/// A place for words, and one for a column each second.
fn halves(area: Rect) -> [Rect; 2] {
    Layout::horizontal([Constraint::Length(20), Constraint::Min(0)]).areas(area)
}

/// A name, a figure, and the curve up to so much; the last second is at the right.
fn draw_curve(
    frame: &mut Frame<'_>,
    area: Rect,
    name: &str,
    figure: &str,
    (points, most): (&[Option<u64>], u64),
) {
    let [label, curve] = halves(area);
    let words = Line::styled(format!("{name:<8} {figure:>10}"), FAINT);
    frame.render_widget(words, label);
    let gap = usize::from(curve.width).saturating_sub(points.len());
    let padded = std::iter::repeat_n(None, gap).chain(points.iter().copied());
    frame.render_widget(Sparkline::default().data(padded).max(most.max(1)), curve);
}

fn draw_tables(frame: &mut Frame<'_>, scene: &Scene, area: Rect) {
    let longest = |names: &mut dyn Iterator<Item = &String>| {
        names.map(|name| name.chars().count()).max().unwrap_or_default().clamp(5, 20) as u16
    };
    let site_columns = [
        Column::text("site", longest(&mut scene.sites.iter().map(|site| &site.name)), 0),
        Column::text("state", 9, 0),
        Column::number("calls", 5, 2),
        Column::number("share", 5, 3),
        Column::number("restarts", 8, 4),
    ];
    let psap_columns = [
        Column::text("PSAP", longest(&mut scene.psaps.iter().map(|psap| &psap.name)), 0),
        Column::number("queue", 5, 0),
        Column::number("positions", 9, 2),
        Column::number("answered", 8, 3),
    ];
    let (sites, psaps) = (site_rows(scene), psap_rows(scene));
    let needed = columns::width_of(&site_columns);
    let left = match (sites.is_empty(), psaps.is_empty()) {
        (true, _) => 0,
        (_, true) => area.width,
        _ if needed + 3 + columns::width_of(&psap_columns) <= area.width => needed,
        _ => area.width.saturating_sub(3) * 11 / 20,
    };
    let gap = if left > 0 && left < area.width { 3 } else { 0 };
    let [left, _, right] =
        Layout::horizontal([Constraint::Length(left), Constraint::Length(gap), Constraint::Min(0)])
            .areas(area);
    columns::draw(frame, left, &site_columns, sites);
    columns::draw(frame, right, &psap_columns, psaps);
}

fn site_rows(scene: &Scene) -> Vec<TableRow> {
    let total: u64 = scene.sites.iter().map(|site| site.offered).sum();
    let row = |site: &SiteRow| {
        let share = site.offered as f64 * 100.0 / total.max(1) as f64;
        let is_usual = site.state == "up";
        let cells = vec![
            site.name.clone(),
            site.state.to_owned(),
            site.calls.to_string(),
            format!("{share:.0}%"),
            site.restarts.to_string(),
        ];
        TableRow { cells, style: if is_usual { PLAIN } else { BAD }, is_usual }
    };
    scene.sites.iter().map(row).collect()
}

fn psap_rows(scene: &Scene) -> Vec<TableRow> {
    let row = |psap: &PsapRow| {
        let is_usual = psap.waiting == 0;
        let cells = vec![
            psap.name.clone(),
            psap.waiting.to_string(),
            format!("{}/{}", psap.busy, psap.positions),
            psap.answered.to_string(),
        ];
        TableRow { cells, style: if is_usual { PLAIN } else { WAITING }, is_usual }
    };
    scene.psaps.iter().map(row).collect()
}

/// The last lines of the log.
fn what_happened(scene: &Scene, area: Rect) -> Paragraph<'static> {
    let from = scene.notes.len().saturating_sub(usize::from(area.height));
    let room = usize::from(area.width).saturating_sub(9);
    let line = |(at, what): &(Duration, String)| {
        let style = if what.starts_with("ALARM") { BAD } else { PLAIN };
        Line::from(vec![
            Span::styled(format!("{:>7}  ", clock(*at)), FAINT),
            Span::styled(shorten(what, room), style),
        ])
    };
    Paragraph::new(scene.notes[from..].iter().map(line).collect::<Vec<_>>())
}

/// Keys, as many as fit; the one for the help is never left out.
fn key_line(scene: &Scene, view: &View, width: usize) -> Line<'static> {
    let ending = match scene.ending {
        RunStatus::Running => "q ends the calls and the run   Q stops at once",
        RunStatus::Draining => "draining: calls in progress are ended   q or Q stops at once",
        RunStatus::Stopping => "stopping at once",
    };
    let pause = if view.is_paused { "p goes on" } else { "p pauses" };
    let rest = match view.page {
        Page::Run => format!("{pause}   l log   ? help"),
        Page::Help => "Esc back".to_owned(),
        Page::Log => "arrows, PgUp, PgDn   Esc back".to_owned(),
    };
    let short = match scene.ending {
        RunStatus::Running => "q ends   Q stops",
        RunStatus::Draining => "draining   q stops",
        RunStatus::Stopping => "stopping",
    };
    let choices =
        [format!("{ending}   {rest}"), format!("{short}   {rest}"), format!("{short}   ? help")];
    let fits = choices.iter().find(|text| text.chars().count() <= width);
    Line::styled(fits.cloned().unwrap_or_else(|| shorten("? help   q ends", width)), FAINT)
}

fn millis(micros: u64) -> String {
    text::millis(micros as f64)
}
