//! The page of a run in a real browser: Chromium draws it, finds nothing to complain of, and asks nobody for anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use system_tests::process::{Process, installed};

use crate::CampaignFolder;
use crate::replay::{OUTAGE, run, workspace};

/// Text that would run, and fetch, if it were markup.
const HOSTILE: &str = "<script>document.title = 'taken'</script> & <img src=http://192.0.2.1/>";

/// Measures the page from inside, and leaves what it found in an element that the DOM is searched for.
const PROBE: &str = r#"
const found = { width: innerWidth, overflow: document.documentElement.scrollWidth - innerWidth };
const seen = [...document.querySelectorAll("svg.figure")].filter((svg) => svg.getBoundingClientRect().width > 0);
found.hidden = document.querySelectorAll("svg.figure").length - seen.length;
found.charts = seen.map((svg) => {
  const { width, height } = svg.getBoundingClientRect();
  const { width: right, height: bottom } = svg.viewBox.baseVal;
  const outside = [...svg.querySelectorAll("text")].filter((text) => {
    const box = text.getBBox();
    return box.x < -2 || box.y < -2 || box.x + box.width > right + 2 || box.y + box.height > bottom + 2;
  });
  const texts = [...svg.querySelectorAll("text")].map((text) => [text.textContent.replace(/[<>&]/g, "?"), text.getBBox()]);
  const touch = (one, other) => one.x < other.x + other.width - 1 && other.x < one.x + one.width - 1
    && one.y + one.height * 0.25 < other.y + other.height * 0.85 && other.y + other.height * 0.25 < one.y + one.height * 0.85;
  const on = texts.flatMap(([words, box], at) =>
    texts.slice(at + 1).filter(([, other]) => touch(box, other)).map(([other]) => `${words} / ${other}`));
  const lines = [...svg.querySelectorAll("path[data-values]")];
  return {
    title: svg.querySelector("title").textContent.replace(/[<>&]/g, "?"),
    width, height,
    on,
    outside: outside.map((text) => text.textContent.replace(/[<>&]/g, "?")),
    lines: lines.length,
    drawn: lines.filter((line) => line.getTotalLength() > 10).length,
    letters: 11.5 * width / right,
    marks: svg.querySelectorAll("path.mark").length,
  };
});
found.wide = [...document.querySelectorAll("body *")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width > 0 && box.right > innerWidth + 1 && !one.closest(".scroll, nav, svg");
}).map((one) => `${one.tagName} ${one.className}`);
found.hints = [...document.querySelectorAll(".scroll")].map((area) => {
  const hint = area.nextElementSibling;
  return { over: area.scrollWidth > area.clientWidth + 1, told: hint.className === "hint" && !hint.hidden };
});
found.results = [...document.querySelectorAll("table.thresholds tbody tr")].map((row) => row.cells[0].getBoundingClientRect().right);
const first = seen[0];
const frame = first.getBoundingClientRect();
const at = { clientX: frame.left + frame.width / 2, clientY: frame.top + frame.height / 2 };
first.dispatchEvent(new PointerEvent("pointermove", at));
found.reading = document.querySelector(".reading").textContent;
const button = [...document.querySelectorAll("th button")].find((one) => one.textContent === "offered");
const table = button.closest("table");
const column = [...table.tHead.rows[0].cells].indexOf(button.closest("th"));
const order = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[column].textContent.replaceAll(",", "")));
button.click();
found.down = order();
button.click();
found.up = order();
found.scripts = document.scripts.length;
found.pictures = document.images.length;
const left = document.createElement("pre");
left.id = "found";
left.textContent = JSON.stringify(found);
document.body.append(left);
"#;

/// Where nobody listens, so that nothing that a browser asks for leaves the machine.
const NOWHERE: &str = "127.0.0.1:9";

/// What is found where nothing is amiss.
const NOTHING: Value = Value::Array(Vec::new());

/// What a browser made of a page.
struct RenderedPage {
    dom: String,
    /// What the page had to complain of.
    console: Vec<String>,
    /// What the page asked for elsewhere.
    requests: Vec<String>,
}

/// Opens a page as a tester would, but for the window.
fn open(page: &Path) -> RenderedPage {
    let profile = tempfile::tempdir().expect("a folder for the browser");
    let log = profile.path().join("net.json");
    let mut command = Command::new(installed("chromium", "chromium"));
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0"])
        .arg(format!("--proxy-server={NOWHERE}"))
        .arg("--proxy-bypass-list=<-loopback>")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--log-net-log={}", log.display()))
        .args(["--window-size=1280,4000", "--dump-dom"])
        .arg(format!("file://{}", page.display()));
    let mut browser = Process::start("chromium", &mut command);
    let status = browser.finish();
    assert!(status.success(), "{status}; {}", browser.words());
    let said = browser.said();
    let console = said.iter().filter(|line| line.contains(":CONSOLE")).cloned().collect();
    let log = fs::read_to_string(log).expect("the browser's log of its network");
    RenderedPage { dom: said.concat(), console, requests: requests(&log) }
}

/// The addresses, other than of files, that a page asked for. A browser asks its maker on its own too; of those requests no
/// page is the initiator, and the log says so.
fn requests(log: &str) -> Vec<String> {
    let log: Value = serde_json::from_str(log).expect("a whole log");
    let events = log["events"].as_array().expect("events");
    let of_page = |event: &Value| {
        let (initiator, url) =
            (event["params"]["initiator"].as_str()?, event["params"]["url"].as_str()?);
        (initiator != "not an origin" && !url.starts_with("file:")).then(|| url.to_owned())
    };
    assert!(!events.is_empty(), "a browser that logged nothing");
    events.iter().filter_map(of_page).collect()
}

/// A run in virtual time with an outage, alarms and a variant, and its page.
fn page(workspace: &CampaignFolder) -> PathBuf {
    let title = "the same commands on a release without the defect";
    let threshold = "[[thresholds]]\nmetric = \"answered_share\"\nmin = 0.01\n";
    workspace.write("outage.toml", &(OUTAGE.replace(title, HOSTILE) + threshold));
    run(workspace, &["--quiet"]);
    let page = workspace.path("runs/latest/report.html");
    fs::canonicalize(page).expect("the page of the run")
}

/// The same page beside it, changed.
fn changed(page: &Path, name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let text = fs::read_to_string(page).expect("a page");
    let copy = page.with_file_name(name);
    fs::write(&copy, change(text)).expect("a page beside it");
    copy
}

/// A page without its policy, that measures itself.
fn probed(text: &str) -> String {
    let (before, after) = text.split_once("<meta http-equiv").expect("a policy");
    let after = after.split_once('>').map_or(after, |(_, after)| after);
    let script = format!("<script>{PROBE}</script></body>");
    format!("{before}{after}").replace("</body>", &script)
}

/// What the probe of a page found.
fn found(page: &RenderedPage) -> Value {
    let found = page.dom.split_once("<pre id=\"found\">").expect("what the probe found").1;
    let found = found.split('<').next().unwrap_or_default();
    serde_json::from_str(found).unwrap_or_else(|error| panic!("{error}: {found}"))
}

/// A page in a window of this width. A browser's own window cannot be as narrow as a telephone, so that this one is a frame.
fn in_frame(text: &str, width: u32) -> String {
    let text = probed(text).replace('&', "&amp;").replace('"', "&quot;");
    let take = "const left = document.createElement('pre'); left.id = 'found';
        left.textContent = document.querySelector('iframe').contentDocument.getElementById('found').textContent;
        document.body.append(left);";
    format!(
        "<!DOCTYPE html><body style=\"margin: 0\"><iframe width=\"{width}\" height=\"3000\" style=\"border: 0\" \
         onload=\"{take}\" srcdoc=\"{text}\"></iframe></body>"
    )
}

#[test]
fn nothing_is_wider_than_a_telephone() {
    let workspace = workspace();
    let page = page(&workspace);
    for width in [360, 390, 768] {
        let framed = changed(&page, &format!("{width}.html"), |text| in_frame(&text, width));
        let found = found(&open(&framed));
        let width = f64::from(width);
        assert_eq!(found["width"].as_f64(), Some(width), "{found:#}");
        assert!(found["overflow"].as_f64() <= Some(0.0), "wider than the window: {found:#}");
        assert_eq!(found["wide"], serde_json::json!([]), "{found:#}");
        for chart in found["charts"].as_array().expect("charts") {
            assert!(chart["letters"].as_f64() >= Some(9.5), "too small to read: {chart:#}");
            assert!(chart["width"].as_f64() <= Some(width), "{chart:#}");
            assert_eq!((&chart["on"], &chart["outside"]), (&NOTHING, &NOTHING), "{chart:#}");
        }
        // Whatever goes on to the side says so.
        let areas = found["hints"].as_array().expect("tables");
        assert!(areas.iter().all(|area| area["over"] == area["told"]), "{areas:?}");
        assert!(width > 400.0 || areas.iter().any(|area| area["over"] == true), "{areas:?}");
        let results = found["results"].as_array().expect("thresholds");
        assert!(results.iter().all(|right| right.as_f64() <= Some(width)), "{results:?}");
        assert!(!results.is_empty(), "{found:#}");
    }
}

#[test]
fn a_browser_draws_the_page_and_asks_nobody() {
    let workspace = workspace();
    let page = page(&workspace);

    let seen = open(&page);
    assert_eq!((seen.console, seen.requests), (Vec::new(), Vec::new()));
    for heading in [
        "Who was not reached",
        "What happened when",
        "Key figures",
        "Variants",
        "All figures",
        "Ledger",
        "What happened",
    ] {
        assert!(seen.dom.contains(&format!("<h2>{heading}</h2>")), "{heading}: {}", seen.dom);
    }
    assert!(seen.dom.contains("<h1>PASS</h1>"), "{}", seen.dom);
    assert!(!seen.dom.contains("<title>taken"), "text of the campaign ran as a script");

    // Without its policy, and with a picture from elsewhere, a request is seen.
    let picture = "<img src=\"http://tocsin.invalid/picture.png\"></main>";
    let measured =
        open(&changed(&page, "measured.html", |text| probed(&text).replace("</main>", picture)));
    assert_eq!(measured.requests, ["http://tocsin.invalid/picture.png"]);
    judge(&found(&measured));

    // With its policy the picture is not asked for, and the browser says so: the console is heard.
    let refused = open(&changed(&page, "refused.html", |text| text.replace("</main>", picture)));
    assert_eq!(refused.requests, Vec::<String>::new());
    assert!(
        refused.console.iter().any(|line| line.contains("Content Security Policy")),
        "{:?}",
        refused.console
    );
}

/// What the page looks like from inside.
fn judge(found: &Value) {
    let charts = found["charts"].as_array().expect("charts");
    let titles: Vec<&str> = charts.iter().filter_map(|chart| chart["title"].as_str()).collect();
    for title in [
        "Calls per second",
        "Calls in progress",
        "Answer-seizure ratio",
        "Post-dial delay",
        "Post-dial delay of the slowest calls",
        "Calls per second by site",
    ] {
        assert!(titles.contains(&title), "{title}: {titles:?}");
    }
    for chart in charts {
        let number = |name: &str| chart[name].as_f64().expect("a number");
        assert!(number("width") > 100.0 && number("height") > 80.0, "{chart:#}");
        assert!(number("lines") > 0.0 && number("lines") == number("drawn"), "{chart:#}");
        assert_eq!((&chart["on"], &chart["outside"]), (&NOTHING, &NOTHING), "{chart:#}");
        let over_time = chart["title"] != "Post-dial delay of the slowest calls";
        assert_eq!(number("marks") > 0.0, over_time, "{chart:#}");
    }
    assert!(found["overflow"].as_f64() <= Some(0.0), "wider than the window: {found:#}");
    let reading = found["reading"].as_str().expect("a reading");
    assert!(reading.starts_with("16:4") && reading.contains("offered: "), "{reading}");
    let numbers = |name: &str| {
        let list = found[name].as_array().expect("a column");
        list.iter().filter_map(Value::as_f64).collect::<Vec<f64>>()
    };
    let (down, up) = (numbers("down"), numbers("up"));
    assert!(down.len() > 1 && down.is_sorted_by(|one, other| one >= other), "{down:?}");
    assert!(up.is_sorted(), "{up:?}");
    // Ours and the probe; and the picture that the test put there.
    let counted = (found["scripts"].as_u64(), found["pictures"].as_u64());
    assert_eq!(counted, (Some(2), Some(1)));
}
