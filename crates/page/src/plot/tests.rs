//! Plots of every shape are XML that a reader of SVG understands.

use super::*;

fn axis(label: &str, scale: Scale) -> Axis {
    Axis { label: label.to_owned(), scale, end: None }
}

fn line(number: usize, name: &str, points: &[(f64, Option<f64>)]) -> PlotLine {
    let look = LineStyle::Run { number, dots: number.is_multiple_of(2) };
    PlotLine { name: name.to_owned(), title: "R&D <b>".to_owned(), look, points: points.to_vec() }
}

fn panel(y: Axis, lines: Vec<PlotLine>) -> Panel {
    Panel { title: String::new(), y, height: 300.0, lines, spans: Vec::new() }
}

fn plot(lines: Vec<PlotLine>) -> Plot {
    let panel = panel(axis("calls \"per\" s", Scale::Number), lines);
    let low = Panel { height: 80.0, ..panel.clone() };
    Plot {
        title: "<overload> & more".to_owned(),
        x: axis("time (h:mm)", Scale::Clock { begins: 0 }),
        panels: vec![panel, low],
        bands: vec![Band { from: 0.0, to: 300.0, name: "rise & fall".to_owned(), is_shaded: true }],
        marks: vec![Mark {
            at: 60.0,
            label: "alarm <1>".to_owned(),
            title: "at <noon>".to_owned(),
        }],
        form: Form::Sheet,
    }
}

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).expect("well-formed XML");
    assert!(document.root_element().has_tag_name(("http://www.w3.org/2000/svg", "svg")));
    let told = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    told.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

#[test]
fn text_comes_out_as_it_went_in() {
    let lines = vec![
        line(0, "base", &[(0.0, Some(1.0)), (300.0, Some(4.0)), (600.0, None), (900.0, Some(2.0))]),
        line(1, "it's", &[(0.0, Some(0.5))]),
        PlotLine {
            look: LineStyle::Reference,
            ..line(2, "y = x", &[(0.0, Some(0.0)), (900.0, Some(3.0))])
        },
    ];
    let svg = plot(lines).svg();
    let texts = texts(&svg);
    for told in ["<overload> & more", "calls \"per\" s", "alarm <1>", "it's", "R&D <b>", "0:04"] {
        assert!(texts.iter().any(|text| text == told), "{told}: {texts:?}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn a_plot_of_nothing_says_so() {
    let empty = Plot { panels: Vec::new(), ..plot(Vec::new()) };
    assert!(!texts(&empty.svg()).is_empty());
    let gaps = [(0.0, None), (f64::NAN, Some(1.0)), (60.0, Some(f64::NAN)), (-1.0, Some(1.0))];
    for lines in [Vec::new(), vec![line(0, "base", &[])], vec![line(0, "base", &gaps)]] {
        let svg = plot(lines).svg();
        assert!(texts(&svg).contains(&"nothing was measured".to_owned()), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

#[test]
fn many_lines_never_look_the_same() {
    let looks = (0..42).map(|number| LineStyle::Run { number, dots: false }.style());
    let different: std::collections::BTreeSet<String> = looks.collect();
    assert_eq!(different.len(), 42);
}

#[test]
fn a_figure_of_a_page_carries_its_values_and_no_legend() {
    let lines = vec![
        line(0, "\"5 % & <more>\"", &[(0.0, Some(2.0)), (60.0, None), (120.0, Some(40.0))]),
        PlotLine {
            look: LineStyle::Surface,
            ..line(1, "all", &[(0.0, Some(5.0)), (120.0, Some(50.0))])
        },
    ];
    let figure = Plot { form: Form::Figure { width: 400.0 }, ..plot(lines) };
    let svg = figure.svg();
    let document = roxmltree::Document::parse(&svg).expect("well-formed XML");
    let named = |name: &str| {
        let mut nodes = document.descendants();
        nodes.find(|node| node.attribute("data-name") == Some(name)).expect("the line")
    };
    let values = named("\"5 % & <more>\"").attribute("data-values");
    assert_eq!(values, Some("0.000000 2.0000,120.000000 40.0000"));
    assert!(svg.contains("class=\"surface\"") && svg.contains("class=\"band\""), "{svg}");
    assert!(!texts(&svg).contains(&"R&D <b>".to_owned()), "the page has the legend");
}

#[test]
fn outliers_do_not_press_a_logarithmic_axis_flat() {
    let scale = Scale::Log { from: 1.0 };
    let lines =
        vec![line(1, "p99", &[(0.0, Some(4.0)), (60.0, Some(32_000.0)), (90.0, Some(0.1))])];
    let panel = panel(axis("ms", scale), lines);
    let svg = Plot { panels: vec![panel], ..plot(Vec::new()) }.svg();
    let texts = texts(&svg);
    for tick in ["1", "10", "100", "1,000", "10,000", "100,000"] {
        assert!(texts.iter().any(|text| text == tick), "{tick}: {texts:?}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}
