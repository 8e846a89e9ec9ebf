//! Elements of an SVG file, as text.

use std::fmt::{Display, Write as _};

/// Which end of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// What the SVG is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// White paper.
    Sheet,
    /// A part of a page, with its ground and letters, and a word on how places on its x axis are read.
    Figure { reading: String },
}

/// The colours of a sheet on a dark screen; on paper it stays white.
const DARK: &str = include_str!("dark.css");

/// An SVG file that is being written: no scripts, no fonts of its own, nothing from elsewhere.
#[derive(Debug)]
pub(super) struct Svg {
    text: String,
}

impl Svg {
    /// So many pixels wide and high.
    pub(super) fn new((width, height): (f64, f64), title: &str, kind: &Kind) -> Self {
        let (class, letters) = match kind {
            Kind::Sheet => ("sheet".to_owned(), 13.0),
            Kind::Figure { reading } => (format!("figure\" data-x=\"{reading}"), 11.5),
        };
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{class}\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" font-size=\"{letters}\" \
             font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\" fill=\"#222\">\n"
        );
        let _ = writeln!(text, "<title>{}</title>", escape(title));
        if *kind == Kind::Sheet {
            let _ = writeln!(text, "<style>{}</style>", DARK.trim());
            text.push_str("<rect class=\"paper\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        }
        Self { text }
    }

    /// A straight line; `style` are attributes.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), style: impl Display) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.text,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {style}/>"
        );
    }

    /// A vertical line that says what it is to whoever points at it.
    pub(super) fn mark(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        style: &str,
        what: &str,
    ) {
        let what = escape(what);
        let _ = writeln!(
            self.text,
            "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" fill=\"none\" {style}><title>{what}</title></path>"
        );
    }

    pub(super) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), style: &str) {
        let _ = writeln!(
            self.text,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {style}/>"
        );
    }

    /// A tinted stretch with a thick lower edge, which says what it is to whoever points at it.
    pub(super) fn span(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), what: &str) {
        let (edge, what) = (y + height - 3.0, escape(what));
        let _ = writeln!(
            self.text,
            "<g class=\"down\" fill=\"#b3261e\"><title>{what}</title>\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill-opacity=\"0.16\"/>\
             <rect x=\"{x:.1}\" y=\"{edge:.1}\" width=\"{width:.1}\" height=\"3\"/></g>"
        );
    }

    /// What lies between a line through `points` and `bottom`, with a gap wherever there is no point.
    pub(super) fn surface(&mut self, points: &[Option<(f64, f64)>], bottom: f64, style: &str) {
        let mut way = String::new();
        for piece in points.split(|point| point.is_none()) {
            let mut piece = piece.iter().flatten();
            let Some((first, y)) = piece.next() else { continue };
            let _ = write!(way, "M{first:.1} {bottom:.1}V{y:.1}");
            let mut last = first;
            for (x, y) in piece {
                let _ = write!(way, "L{x:.1} {y:.1}");
                last = x;
            }
            let _ = write!(way, "L{last:.1} {bottom:.1}Z");
        }
        if !way.is_empty() {
            let _ = writeln!(self.text, "<path d=\"{way}\" {style}/>");
        }
    }

    /// A line through `points`, which has a gap wherever there is none.
    pub(super) fn path(&mut self, points: &[Option<(f64, f64)>], style: impl Display) {
        let mut way = String::new();
        let mut is_down = false;
        for point in points {
            if let Some((x, y)) = point {
                let _ = match is_down {
                    true => write!(way, "L{x:.1} {y:.1}"),
                    // A point alone is seen as a dot: a line without a length, with round ends.
                    false => write!(way, "M{x:.1} {y:.1}h0"),
                };
            }
            is_down = point.is_some();
        }
        if !way.is_empty() {
            let _ = writeln!(
                self.text,
                "<path d=\"{way}\" fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\" {style}/>"
            );
        }
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), style: impl Display) {
        let _ = writeln!(self.text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" {style}/>");
    }

    /// One line of text.
    pub(super) fn text(
        &mut self,
        (x, y): (f64, f64),
        anchor: Anchor,
        style: impl Display,
        text: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        let _ = writeln!(
            self.text,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{text}</text>"
        );
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

/// As text of an XML document (XML 1.0 §2.2 and §2.4): what may not stand there becomes U+FFFD.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other if other.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_escaped() {
        assert_eq!(
            escape("<a href=\"x\">R&D's</a>"),
            "&lt;a href=&quot;x&quot;&gt;R&amp;D&#39;s&lt;/a&gt;"
        );
        assert_eq!(escape("préfet\n\u{7}\u{ffff}"), "préfet \u{fffd}\u{fffd}");
    }

    #[test]
    fn a_line_has_a_gap_where_there_is_no_point() {
        let mut svg = Svg::new((10.0, 10.0), "", &Kind::Sheet);
        svg.path(&[Some((0.0, 1.0)), Some((1.0, 1.0)), None, Some((3.0, 1.0))], "");
        svg.surface(&[Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 1.0))], 9.0, "");
        let svg = svg.finish();
        assert!(svg.contains("d=\"M0.0 1.0h0L1.0 1.0M3.0 1.0h0\""), "{svg}");
        assert!(svg.contains("d=\"M0.0 9.0V1.0L1.0 2.0L1.0 9.0ZM3.0 9.0V1.0L3.0 9.0Z\""), "{svg}");
    }
}
