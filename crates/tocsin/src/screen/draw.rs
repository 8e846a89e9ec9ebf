//! A scene on a terminal.
//!
//! ```text
//!  title, phase, time left
//!  what speaks against the run so far
//!  figures of the callers
//!  calls offered, as a curve
//!  sites                      PSAPs
//!  what happened
//!  keys
//! ```

use std::time::Duration;

use account::text::{self, or_dash};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Sparkline, Table};

use super::scene::{PsapRow, RunStatus, Scene, SiteRow};

/// Lines for what happened, at least and at most.
const NOTES: (u16, u16) = (3, 8);

const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const GOOD: Style = Style::new().fg(Color::Green);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene) {
    let rows = scene.sites.len().max(scene.psaps.len()) as u16 + 1;
    let rest = frame.area().height.saturating_sub(10);
    let notes = rest.saturating_sub(rows).clamp(NOTES.0, NOTES.1);
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(4),
        Constraint::Length(3),
        Constraint::Min(2),
        Constraint::Length(notes),
        Constraint::Length(1),
    ]);
    let [top, verdict, figures, curve, tables, happened, keys] = parts.areas(frame.area());
    frame.render_widget(title(scene, top.width), top);
    frame.render_widget(against(scene), verdict);
    frame.render_widget(counts(scene), figures);
    draw_curve(frame, scene, curve);
    draw_tables(frame, scene, tables);
    frame.render_widget(what_happened(scene, happened.height), happened);
    frame.render_widget(help(scene), keys);
}

fn title(scene: &Scene, width: u16) -> Paragraph<'static> {
    let left = scene.length.saturating_sub(scene.elapsed);
    let time = format!("{} of {}, {} left", clock(scene.elapsed), clock(scene.length), clock(left));
    let name = format!("{}  {}", scene.title, scene.phase);
    let gap = usize::from(width).saturating_sub(name.chars().count() + time.len()).max(2);
    let bar = Style::new().add_modifier(Modifier::REVERSED);
    Paragraph::new(format!("{name}{}{time}", " ".repeat(gap))).style(bar)
}

fn against(scene: &Scene) -> Line<'static> {
    match scene.against.split_first() {
        None => Line::styled("nothing against the run so far", GOOD),
        Some((first, [])) => Line::styled(format!("! {first}"), BAD),
        Some((first, more)) => Line::styled(format!("! {first} (and {} more)", more.len()), BAD),
    }
}

fn counts(scene: &Scene) -> Paragraph<'static> {
    let counts = &scene.counts;
    let figure = |name: &str, value: String, style: Style| {
        let padded = format!("{name} ");
        [Span::styled(padded, FAINT), Span::styled(format!("{value:<17}"), style)]
    };
    let rate = |count: u64, rate: f64| format!("{count} ({rate:.1}/s)");
    let alarming = |count: u64| if count > 0 { BAD } else { Style::new() };
    let plain = Style::new();
    let asr = or_dash(counts.asr.map(|asr| format!("{:.1} %", asr * 100.0)));
    let millis = |micros: Option<u64>| or_dash(micros.map(|micros| text::millis(micros as f64)));
    let lines = [
        [
            figure("offered    ", rate(counts.offered, counts.offered_rate), plain),
            figure("answered ", rate(counts.answered, counts.answered_rate), plain),
            figure("failed     ", rate(counts.failed, counts.failed_rate), alarming(counts.failed)),
        ],
        [
            figure("in progress", counts.in_progress.to_string(), plain),
            figure("talking  ", counts.talking.to_string(), plain),
            figure("abandoned  ", counts.abandoned.to_string(), plain),
        ],
        [
            figure("ASR        ", asr, plain),
            figure("lag p99  ", millis(counts.lag_p99), plain),
            figure(
                "late, unsent",
                format!("{}, {}", counts.late, counts.not_started),
                alarming(counts.late + counts.not_started),
            ),
        ],
        // The last line is the first to go where there is little room.
        [
            figure("PDD p50    ", millis(counts.pdd.p50), plain),
            figure("PDD p99  ", millis(counts.pdd.p99), plain),
            figure("set-up p99 ", millis(counts.setup.p99), plain),
        ],
    ];
    let lines = lines.into_iter().map(|figures| Line::from_iter(figures.into_iter().flatten()));
    Paragraph::new(lines.collect::<Vec<_>>())
}

fn draw_curve(frame: &mut Frame<'_>, scene: &Scene, area: Rect) {
    let [label, curve] =
        Layout::horizontal([Constraint::Length(12), Constraint::Min(10)]).areas(area);
    let most = scene.history.iter().max().copied().unwrap_or_default();
    let lines = vec![Line::from(format!("{most:>6}")), Line::from("calls/s"), Line::from("     0")];
    frame.render_widget(Paragraph::new(lines).style(FAINT), label);
    let from = scene.history.len().saturating_sub(usize::from(curve.width));
    frame.render_widget(Sparkline::default().data(&scene.history[from..]), curve);
}

fn draw_tables(frame: &mut Frame<'_>, scene: &Scene, area: Rect) {
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(area);
    let total: u64 = scene.sites.iter().map(|site| site.offered).sum();
    let site = |site: &SiteRow| {
        let share = site.offered as f64 * 100.0 / total.max(1) as f64;
        let style = if site.state == "up" { Style::new() } else { BAD };
        let cells = [
            site.name.clone(),
            site.state.to_owned(),
            format!("{:>5}", site.calls),
            format!("{share:>4.0}%"),
            format!("{:>8}", site.restarts),
        ];
        Row::new(cells).style(style)
    };
    let widths = [11, 9, 5, 5, 8].map(Constraint::Length);
    let header = Row::new(["site", "state", "calls", "share", "restarts"]).style(FAINT);
    if !scene.sites.is_empty() {
        let rows = scene.sites.iter().map(site);
        frame.render_widget(Table::new(rows, widths).header(header), left);
    }
    let psap = |psap: &PsapRow| {
        let style = if psap.waiting > 0 { Style::new().fg(Color::Yellow) } else { Style::new() };
        let cells = [
            psap.name.clone(),
            format!("{:>5}", psap.waiting),
            format!("{:>9}", format!("{}/{}", psap.busy, psap.positions)),
            format!("{:>8}", psap.answered),
        ];
        Row::new(cells).style(style)
    };
    let widths = [11, 5, 9, 8].map(Constraint::Length);
    let header = Row::new(["PSAP", "queue", "positions", "answered"]).style(FAINT);
    if !scene.psaps.is_empty() {
        let rows = scene.psaps.iter().map(psap);
        frame.render_widget(Table::new(rows, widths).header(header), right);
    }
}

fn what_happened(scene: &Scene, height: u16) -> Paragraph<'static> {
    let from = scene.notes.len().saturating_sub(usize::from(height));
    let line = |(at, what): &(Duration, String)| {
        let style = if what.starts_with("ALARM") { BAD } else { Style::new() };
        Line::from(vec![
            Span::styled(format!("{:>7}  ", clock(*at)), FAINT),
            Span::styled(what.clone(), style),
        ])
    };
    Paragraph::new(scene.notes[from..].iter().map(line).collect::<Vec<_>>())
}

fn help(scene: &Scene) -> Line<'static> {
    let text = match scene.ending {
        RunStatus::Running => "q ends the calls and the run   Q stops at once",
        RunStatus::Draining => "draining: calls in progress are ended   q or Q stops at once",
        RunStatus::Stopping => "stopping at once",
    };
    Line::styled(text, FAINT)
}

/// Minutes and seconds, and hours where there are any.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
