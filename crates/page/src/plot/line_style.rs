//! How lines look: by colour, and by something that a copy in grey keeps.
//!
//! Every element has its look twice: as attributes, for a file of its own, and as a class, with which a page lays its own
//! colours over them.

/// Colours that people with any kind of colour vision can tell apart (Okabe and Ito), without the yellow, which is hard to
/// see on white; and dashes, so that a copy in grey can be read too. Six and seven have no common factor.
const COLOURS: [&str; 7] =
    ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b97700"];
const DASHES: [&str; 6] = ["none", "9 5", "2 5", "12 4 2 4", "18 5", "6 4 2 4 2 4"];

/// Of quantities of one run: colour, dashes, width.
const QUANTITIES: [(&str, &str, f64); 4] = [
    ("#0072b2", "none", 1.9),
    ("#c2410c", "5 2.5", 1.9),
    ("#007a5e", "1.5 3", 2.2),
    ("#7b4fa3", "9 3 2 3", 1.6),
];

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineStyle {
    /// In the colour and dashes of this number; with a dot at each point or without. The first one is thick.
    Run { number: usize, dots: bool },
    /// One of a few quantities of the same run.
    Quantity { number: usize },
    /// The pale surface below it: the whole of which other lines are parts.
    Surface,
    /// Thin and grey: something to compare with.
    Reference,
}

impl LineStyle {
    /// The attributes of its line.
    pub(super) fn style(self) -> String {
        match self {
            Self::Run { number, .. } => {
                let (colour, dash) = (number % COLOURS.len(), DASHES[number % DASHES.len()]);
                format!(
                    "class=\"run{colour}\" stroke=\"{}\" stroke-dasharray=\"{dash}\" stroke-width=\"{}\"",
                    COLOURS[colour],
                    if number == 0 { 2.6 } else { 1.9 }
                )
            }
            Self::Quantity { number } => {
                let number = number % QUANTITIES.len();
                let (colour, dash, width) = QUANTITIES[number];
                format!(
                    "class=\"quantity{number}\" stroke=\"{colour}\" stroke-dasharray=\"{dash}\" stroke-width=\"{width}\""
                )
            }
            Self::Surface => "class=\"edge\" stroke=\"#8a8f96\" stroke-width=\"1\"".to_owned(),
            Self::Reference => "class=\"reference\" stroke=\"#999\" stroke-width=\"1\"".to_owned(),
        }
    }

    /// The attributes of a dot at each of its points, if it has any.
    pub(super) fn dot(self) -> Option<String> {
        match self {
            Self::Run { number, dots: true } => {
                let number = number % COLOURS.len();
                Some(format!("class=\"dot{number}\" fill=\"{}\"", COLOURS[number]))
            }
            _ => None,
        }
    }

    /// The attributes of the surface below it, if it has one.
    pub(super) fn surface(self) -> Option<&'static str> {
        (self == Self::Surface).then_some("class=\"surface\" fill=\"#e3e6ea\"")
    }

    /// A piece of a stretch in which something was not as usual, as [`sample`](Self::sample).
    pub(crate) fn sample_of_span() -> &'static str {
        "<svg class=\"sample\" width=\"30\" height=\"12\" viewBox=\"0 0 30 12\" aria-hidden=\"true\">\
         <g class=\"down\" fill=\"#b3261e\"><rect width=\"30\" height=\"12\" fill-opacity=\"0.16\"/>\
         <rect y=\"9\" width=\"30\" height=\"3\"/></g></svg>"
    }

    /// A short piece of it, as an SVG element for a legend in a page.
    pub(crate) fn sample(self) -> String {
        let surface = self.surface().map_or_else(String::new, |style| {
            format!("<rect x=\"0\" y=\"2\" width=\"30\" height=\"10\" {style}/>")
        });
        let y = if surface.is_empty() { 6 } else { 2 };
        let style = self.style();
        format!(
            "<svg class=\"sample\" width=\"30\" height=\"12\" viewBox=\"0 0 30 12\" aria-hidden=\"true\">\
             {surface}<path d=\"M0 {y}h30\" fill=\"none\" {style}/></svg>"
        )
    }
}
