//! How far each assumed key moves a figure: a bar each, the longest above.

use account::summary::{KeyEffect, SensitivityFigures, Summary};

use super::svg::{Anchor, Kind, Svg};
use super::ticks::Scale;

/// Of a file of its own.
const SHEET: f64 = 960.0;
const ROW: f64 = 30.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 40.0;
/// A letter is about so wide.
const LETTER: f64 = 6.4;

/// People who were never reached, for each assumed key.
#[derive(Debug)]
pub(crate) struct Tornado<'a> {
    figures: &'a SensitivityFigures,
    /// What the campaign itself came to.
    own: f64,
}

impl<'a> Tornado<'a> {
    /// `None` where nothing was varied.
    pub(crate) fn of(summary: &'a Summary) -> Option<Self> {
        let figures = summary.sensitivity.as_ref().filter(|figures| !figures.keys.is_empty())?;
        let seeds = summary.seeds.iter().map(|seed| seed.harm.never_reached as f64);
        let median = account::summary::Spread::of(seeds).map(|spread| spread.median);
        let alone = summary.harm.as_ref().map(|harm| harm.whole.never_reached as f64);
        Some(Self { figures, own: median.or(alone)? })
    }

    fn ends(&self, effect: &KeyEffect) -> (f64, f64) {
        effect.ends(self.own, |trial| trial.never_reached)
    }

    /// As a figure of a page that is so wide, or as a file of its own.
    pub(crate) fn svg(&self, width: Option<f64>) -> String {
        let (width, kind) = match width {
            Some(width) => (width, Kind::Figure { reading: String::new() }),
            None => (SHEET, Kind::Sheet),
        };
        let rows = self.figures.keys.len() as f64;
        let (top, height) = (TOP, TOP + ROW * rows + BOTTOM);
        let longest = self.figures.keys.iter().map(|one| name(one).chars().count()).max();
        let left = (longest.unwrap_or_default() as f64 * LETTER + 14.0).min(width * 0.45);
        let most = self.figures.keys.iter().map(|one| self.ends(one).1).fold(self.own, f64::max);
        let end = Scale::Count.end(most.max(1.0), 5.0);
        let x = |people: f64| left + (width - left - 24.0) * people / end;
        let mut svg = Svg::new((width, height), "People never reached, by assumed key", &kind);
        for (tick, label) in Scale::Count.ticks(end, if width < 500.0 { 3.0 } else { 6.0 }) {
            let at = x(tick);
            svg.line((at, top), (at, height - BOTTOM), "class=\"grid\" stroke=\"#e6e9ed\"");
            svg.text(
                (at, height - BOTTOM + 16.0),
                Anchor::Middle,
                "class=\"tick\" fill=\"#57606a\"",
                &label,
            );
        }
        for (number, effect) in self.figures.keys.iter().enumerate() {
            let y = top + ROW * number as f64;
            let (low, high) = self.ends(effect);
            svg.text((left - 8.0, y + 19.0), Anchor::End, "", &shortened(&name(effect), left));
            let bar = (x(low), y + 7.0);
            let size = ((x(high) - x(low)).max(1.0), ROW - 14.0);
            svg.rect(bar, size, "class=\"surface edge\" fill=\"#dfe4ea\" stroke=\"#7d868f\"");
        }
        let (own, foot) = (x(self.own), height - BOTTOM);
        svg.line(
            (own, top - 6.0),
            (own, foot),
            "class=\"axis\" stroke=\"#222\" stroke-width=\"2\"",
        );
        let told = format!("as it is: {:.0}", self.own);
        svg.text((own, top - 12.0), Anchor::Middle, "", &told);
        let middle = f64::midpoint(left, width - 24.0);
        svg.text(
            (middle, height - 6.0),
            Anchor::Middle,
            "class=\"unit\" fill=\"#57606a\"",
            "people never reached",
        );
        svg.finish()
    }
}

/// With a sign, not a colour alone, where the conclusion hangs on it.
fn name(effect: &KeyEffect) -> String {
    let sign = if effect.decisive.is_empty() { "" } else { "◆ " };
    format!("{sign}{}", effect.key)
}

/// The end of a key says more than its beginning.
fn shortened(name: &str, room: f64) -> String {
    let letters = ((room - 14.0) / LETTER).max(4.0) as usize;
    let all = name.chars().count();
    if all <= letters {
        return name.to_owned();
    }
    let sign: String = name.chars().take_while(|letter| *letter == '◆').collect();
    let rest = all - letters + 1 + sign.chars().count();
    format!("{sign}…{}", name.chars().skip(rest).collect::<String>())
}
