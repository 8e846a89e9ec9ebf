//! The pictures.

use ladder::watch::CallRow;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::Paragraph;
use telemetry::visible_line;

use super::desk::{Desk, Input, Page};
use super::source::Origin;

/// Draws what is looked at.
pub(super) fn draw(frame: &mut Frame<'_>, desk: &Desk) {
    let rows = Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)]);
    let [head, body, foot] = rows.areas(frame.area());
    let bar = Style::new().add_modifier(Modifier::REVERSED);
    frame.render_widget(Paragraph::new(title(desk, head.width.into())).style(bar), head);
    match desk.page() {
        Page::List => list(frame, desk, body),
        Page::Ladder => {
            let (lines, at) = desk.ladder_lines(usize::from(body.width));
            let height = usize::from(body.height);
            // The last message shows what stands below it too.
            let is_last = desk
                .story
                .as_ref()
                .and_then(|story| story.messages().last())
                .is_some_and(|it| it.number == desk.number);
            let most = lines.len().saturating_sub(height);
            let top = if is_last && at + height > lines.len() {
                most
            } else {
                at.saturating_sub(height / 2).min(most)
            };
            let text: Vec<Line<'_>> = lines
                .iter()
                .enumerate()
                .skip(top)
                .take(height)
                .map(|(place, line)| {
                    let style = if place == at { bar } else { Style::new() };
                    Line::styled(line.clone(), style)
                })
                .collect();
            frame.render_widget(Paragraph::new(Text::from(text)), body);
        }
        Page::Text { text, .. } => {
            let lines: Vec<Line<'_>> = text.lines().skip(desk.down).map(Line::raw).collect();
            frame.render_widget(
                Paragraph::new(Text::from(lines)).wrap(ratatui::widgets::Wrap { trim: false }),
                body,
            );
        }
    }
    frame.render_widget(Paragraph::new(foot_line(desk)).style(bar), foot);
}

fn title(desk: &Desk, width: usize) -> String {
    let from = match &desk.origin {
        Origin::File(path) | Origin::Run(path) => path.display().to_string(),
        Origin::Hep(address) => format!("HEP at {address}"),
    };
    let from = visible_line(&from).into_owned();
    let what = match desk.page() {
        Page::List => {
            let (all, shown) = (desk.list.rows().count(), desk.shown().count());
            let filter = match &desk.filter_text[..] {
                "" => String::new(),
                filter => format!(", filter: {}", visible_line(filter)),
            };
            let paused = if desk.is_paused { ", paused" } else { "" };
            format!("{shown} of {all} calls{filter}{paused}")
        }
        Page::Ladder => {
            let compared =
                desk.compared.map_or_else(String::new, |first| format!(", compare {first} with …"));
            format!("ladder{compared}")
        }
        Page::Text { title, .. } => title.clone(),
    };
    cut(&format!("tocsin watch {from}: {what}"), width)
}

fn foot_line(desk: &Desk) -> String {
    match (&desk.input, &desk.note[..], desk.page()) {
        (Some(Input::Filter(text)), "", _) => format!("filter: {}_", visible_line(text)),
        (Some(Input::Save(name)), "", _) => format!("save as: {}_", visible_line(name)),
        (Some(Input::Filter(text) | Input::Save(text)), note, _) => {
            format!("{}_  {}", visible_line(text), visible_line(note))
        }
        (None, "", Page::List) => {
            "Esc quit  Enter ladder  Space choose  F1 help  F2 save  F3 filter  F5 clear  p pause"
                .to_owned()
        }
        (None, "", Page::Ladder) => {
            "Esc back  Enter message  Space compare  F1 help  F2 save".to_owned()
        }
        (None, "", Page::Text { .. }) => "Esc back  Up Down scroll".to_owned(),
        (None, note, _) => visible_line(note).into_owned(),
    }
}

fn list(frame: &mut Frame<'_>, desk: &Desk, area: Rect) {
    let width = usize::from(area.width);
    let shown: Vec<usize> = desk.shown().collect();
    let height = usize::from(area.height).saturating_sub(1);
    let at = shown.iter().position(|number| Some(*number) == desk.selected).unwrap_or_default();
    let top = at.saturating_sub(height / 2).min(shown.len().saturating_sub(height));
    let mut lines = vec![Line::styled(
        cells(width, ["", "Method", "From", "To", "State", "Code", "Msgs", "Start"]),
        Modifier::BOLD,
    )];
    for (place, number) in shown.iter().enumerate().skip(top).take(height) {
        let Some(row) = desk.list.row(*number) else { continue };
        let mark = if desk.chosen.contains(number) { "*" } else { "" };
        let style =
            if place == at { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        lines.push(Line::styled(line(width, mark, row), style));
    }
    frame.render_widget(Paragraph::new(Text::from(lines)), area);
}

fn line(width: usize, mark: &str, row: &CallRow) -> String {
    let start = campaign::utc::rfc3339(row.start_us);
    let start = start.split('T').nth(1).unwrap_or_default().trim_end_matches('Z');
    let status = row.status.map_or_else(String::new, |status| status.to_string());
    let messages = row.messages.to_string();
    let state = row.state.to_string();
    cells(width, [mark, &row.method, &row.from, &row.to, &state, &status, &messages, start])
}

/// Cells side by side; From and To share what is left.
fn cells(width: usize, cells: [&str; 8]) -> String {
    const FIXED: usize = 1 + 9 + 9 + 4 + 5 + 15;
    let address = width.saturating_sub(FIXED + cells.len()) / 2;
    let widths = [1, 9, address, address, 9, 4, 5, 15];
    let cell =
        |(text, width): (&str, usize)| format!("{:<width$}", cut(&visible_line(text), width));
    let all: Vec<String> = cells.into_iter().zip(widths).map(cell).collect();
    cut(&all.join(" "), width)
}

fn cut(text: &str, width: usize) -> String {
    match text.chars().count() {
        length if length <= width => text.to_owned(),
        _ => text.chars().take(width.saturating_sub(1)).chain(['…']).take(width).collect(),
    }
}
