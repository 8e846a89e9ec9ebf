//! The pictures of a campaign and its variants.

use std::time::Duration;

use account::outcome::{PlacedStep, STEP, VariantOutcome};
use account::series::FEWEST;
use campaign::{Campaign, PlotKind};

use crate::plot::{Axis, Form, LineStyle, Mark, Panel, Plot, PlotLine, Scale, Tornado};

/// The line of a run in a panel of its own.
const OWN: LineStyle = LineStyle::Run { number: 0, dots: false };

/// The files that the campaign, or an analysis of it, asks for: name and content.
pub fn pictures(campaign: &Campaign, outcomes: &[VariantOutcome]) -> Vec<(&'static str, String)> {
    let mut files = Vec::new();
    for kind in &campaign.plots {
        match kind {
            PlotKind::Timeline => {
                files.push(("timeline.svg", timeline(campaign, outcomes).svg()));
                files.push(("attempts.svg", attempts(campaign, outcomes).svg()));
            }
            PlotKind::Goodput => files.push(("goodput.svg", goodput(campaign, outcomes).svg())),
        }
    }
    if let Some(tornado) = outcomes.first().and_then(|run| Tornado::of(&run.summary)) {
        files.push(("sensitivity.svg", tornado.svg(None)));
    }
    files
}

/// The share of emergency attempts that was routed, step by step: a panel for each run, all with the same axes.
fn timeline(campaign: &Campaign, outcomes: &[VariantOutcome]) -> Plot {
    let share = |run: &VariantOutcome| -> Points {
        let steps = run.evidence.steps_of(FEWEST).into_iter();
        steps.map(|step| (step.middle(), step.routed_share().map(|it| it * 100.0))).collect()
    };
    let y = Axis { label: "routed (%)".to_owned(), scale: Scale::Number, end: Some(100.0) };
    let title = format!(
        "{}: emergency attempts routed, in steps of {} min or {FEWEST} attempts",
        campaign.name,
        minutes()
    );
    over_time(campaign, outcomes, title, panels(outcomes, share, &y, (380.0, 84.0)))
}

/// Emergency attempts, among them those of people who dial again, and restarts of call servers.
fn attempts(campaign: &Campaign, outcomes: &[VariantOutcome]) -> Plot {
    let attempts = |run: &VariantOutcome| -> Points {
        run.evidence.steps().map(|step| (step.middle(), Some(step.attempts() as f64))).collect()
    };
    let restarts = |run: &VariantOutcome| -> Points {
        let inside = |step: &PlacedStep| {
            run.restarts.iter().filter(|(at, _, _)| step.holds(*at)).count() as f64
        };
        run.evidence.steps().map(|step| (step.middle(), Some(inside(&step)))).collect()
    };
    let y = |label: &str, points: &dyn Fn(&VariantOutcome) -> Points, steps: f64| {
        let all = outcomes.iter().flat_map(points).filter_map(|(_, y)| y);
        let end = Scale::Count.end(all.fold(0.0, f64::max), steps);
        Axis { label: label.to_owned(), scale: Scale::Count, end: Some(end) }
    };
    let mut all = panels(outcomes, attempts, &y("attempts", &attempts, 4.0), (290.0, 84.0));
    let mut lower = panels(outcomes, restarts, &y("restarts", &restarts, 2.0), (130.0, 44.0));
    for (panel, run) in lower.iter_mut().zip(outcomes).filter(|_| outcomes.len() > 1) {
        panel.title = format!("{}, restarts", run.name);
    }
    all.append(&mut lower);
    let title =
        format!("{}: emergency attempts and restarts, per {} min", campaign.name, minutes());
    over_time(campaign, outcomes, title, all)
}

/// What a line passes.
type Points = Vec<(f64, Option<f64>)>;

/// One panel of the `alone` height, or for each run one of the `together` height, in which the line of the campaign itself
/// stands behind that of the variant.
fn panels(
    outcomes: &[VariantOutcome],
    points: impl Fn(&VariantOutcome) -> Points,
    y: &Axis,
    (alone, together): (f64, f64),
) -> Vec<Panel> {
    let height = if outcomes.len() > 1 { together } else { alone };
    let panel = |(number, run): (usize, &VariantOutcome)| {
        let mut own = PlotLine { look: OWN, ..line(0, run, points(run)) };
        if outcomes.len() > 1 {
            (own.name, own.title) =
                ("this run".to_owned(), "the one that the panel names".to_owned());
        }
        let mut lines = vec![own];
        if let Some(base) = outcomes.first().filter(|_| number > 0) {
            let title = "for comparison, in the panels of the variants".to_owned();
            lines.push(PlotLine {
                look: LineStyle::Reference,
                title,
                ..line(0, base, points(base))
            });
        }
        let title = match outcomes.len() {
            0 | 1 => String::new(),
            _ => shortened(&format!("{}: {}", run.name, run.title)),
        };
        Panel { title, y: y.clone(), height, lines, spans: Vec::new() }
    };
    outcomes.iter().enumerate().map(panel).collect()
}

/// As a panel of a sheet has room for.
fn shortened(title: &str) -> String {
    const LETTERS: usize = 110;
    match title.chars().count() {
        0..=LETTERS => title.to_owned(),
        _ => title.chars().take(LETTERS - 1).chain(['…']).collect(),
    }
}

/// What is answered of what is offered, phase by phase.
fn goodput(campaign: &Campaign, outcomes: &[VariantOutcome]) -> Plot {
    let mut most = 0.0_f64;
    let mut lines: Vec<PlotLine> = Vec::new();
    for (number, run) in outcomes.iter().enumerate() {
        let points = run.goodput.points().map(|point| {
            most = most.max(point.offered);
            (point.offered, Some(point.answered))
        });
        let look = LineStyle::Run { number, dots: true };
        lines.push(PlotLine { look, ..line(number, run, points.collect()) });
    }
    // The diagonal goes no further than the lines need, or they would be flat.
    let answered = lines.iter().flat_map(|line| &line.points).filter_map(|(_, y)| *y);
    let y_end = answered.fold(1.0, f64::max) * 1.15;
    let end = most.min(y_end);
    lines.push(PlotLine {
        name: "y = x".to_owned(),
        title: "everything is answered".to_owned(),
        look: LineStyle::Reference,
        points: vec![(0.0, Some(0.0)), (end, Some(end))],
    });
    let axis = |label: &str| Axis { label: label.to_owned(), scale: Scale::Number, end: None };
    let y = axis("answered calls per second");
    Plot {
        title: format!("{}: goodput, one point for each phase", campaign.name),
        x: axis("offered attempts per second"),
        panels: vec![Panel { title: String::new(), y, height: 400.0, lines, spans: Vec::new() }],
        bands: Vec::new(),
        marks: Vec::new(),
        form: Form::Sheet,
    }
}

fn over_time(
    campaign: &Campaign,
    outcomes: &[VariantOutcome],
    title: String,
    panels: Vec<Panel>,
) -> Plot {
    let begins = u32::try_from(campaign.begins.as_secs()).unwrap_or_default();
    let zero = if begins > 0 { "time of day" } else { "time since the start of the campaign" };
    let scale = Scale::Clock { begins };
    let end = campaign.duration().as_secs_f64();
    let x =
        Axis { label: format!("{zero} ({})", scale.clock_form(end, 10.0)), scale, end: Some(end) };
    let marks = outcomes.first().map(marks).unwrap_or_default();
    Plot { title, x, panels, bands: Vec::new(), marks, form: Form::Sheet }
}

fn line(number: usize, run: &VariantOutcome, points: Vec<(f64, Option<f64>)>) -> PlotLine {
    let (name, title) = (run.name.clone(), run.title.clone());
    PlotLine { name, title, look: LineStyle::Run { number, dots: false }, points }
}

/// The first command, the first alarm of each rule, and what the crisis reached.
fn marks(run: &VariantOutcome) -> Vec<Mark> {
    let mark =
        |at: Duration, label: String| Mark { at: at.as_secs_f64(), label, title: String::new() };
    let first = run.operations.fault_at.map(|at| mark(at, "first command".to_owned()));
    let mut marks: Vec<Mark> = first.into_iter().collect();
    let mut rules: Vec<&str> = Vec::new();
    for alarm in run.operations.alarms.iter().filter(|alarm| alarm.is_raised()) {
        if !rules.contains(&&alarm.rule[..]) {
            rules.push(&alarm.rule);
            marks.push(mark(alarm.at, format!("alarm {}", alarm.rule)));
        }
    }
    let milestones = run.operations.milestones.iter();
    marks.extend(milestones.map(|(at, milestone)| mark(*at, milestone.to_string())));
    marks
}

fn minutes() -> u64 {
    STEP.as_secs() / 60
}
