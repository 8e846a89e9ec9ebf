//! A browser as a person uses it: Chromium without a window, told by the DevTools protocol over two pipes what to press.
//!
//! ```text
//!  test ── commands, a NUL after each ──► descriptor 3 of Chromium
//!       ◄── answers and events ────────── descriptor 4
//! ```

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::installed;

/// Only a failing test waits for so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks at what no event tells.
const LOOK_AGAIN: Duration = Duration::from_millis(30);

/// A browser with one tab. It is killed when dropped.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    /// Events that came while an answer was waited for.
    events: VecDeque<Value>,
    next: u64,
    session: Option<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser, and opens `link` in a window of this width.
    ///
    /// # Panics
    /// When there is none, or it does not do what it is told; as all that follows.
    pub fn open(link: &str, width: u32) -> Self {
        Self::begin(link, width, false)
    }

    /// The same, of somebody who goes on where a browser asks whether to trust a certificate.
    pub fn open_trusting(link: &str, width: u32) -> Self {
        Self::begin(link, width, true)
    }

    fn begin(link: &str, width: u32, trusts: bool) -> Self {
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>&2"]);
        command.arg(installed("chromium", "chromium"));
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage"])
            .args(["--remote-debugging-pipe", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("a browser");
        let (to, output) = (child.stdin.take().expect("a pipe"), child.stdout.take());
        let (sender, from) = channel();
        let mut output = BufReader::new(output.expect("a pipe"));
        thread::spawn(move || {
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { return };
                if sender.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let mut browser = Self {
            child,
            to,
            from,
            events: VecDeque::new(),
            next: 0,
            session: None,
            _profile: profile,
        };
        let target = browser.tell("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.tell("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.tell(&format!("{domain}.enable"), json!({}));
        }
        browser.tell("Security.setIgnoreCertificateErrors", json!({ "ignore": trusts }));
        browser.size(width, 900);
        browser.tell("Page.navigate", json!({ "url": link }));
        browser
    }

    /// Gives the tab a width and a height.
    pub fn size(&mut self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", size);
    }

    /// Prefers `light` or `dark`.
    pub fn prefer(&mut self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.tell("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
    }

    /// What an expression is on the page.
    pub fn look(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.tell("Runtime.evaluate", asked);
        let wrong = &answer["exceptionDetails"];
        assert!(wrong.is_null(), "{expression}: {wrong:#}");
        answer["result"]["value"].clone()
    }

    /// Looks again and again until an expression is true.
    pub fn until(&mut self, expression: &str) {
        let end = Instant::now() + LIMIT;
        while self.look(&format!("Boolean({expression})")) != true {
            if Instant::now() > end {
                let seen = self.look("document.body.innerText");
                panic!(
                    "never so: {expression}\n{}\n{:?}",
                    seen.as_str().unwrap_or("?"),
                    self.complaints()
                );
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until an element is there whose text has these words.
    pub fn until_says(&mut self, selector: &str, words: &str) {
        let (selector, words) = (json!(selector), json!(words));
        self.until(&format!(
            "[...document.querySelectorAll({selector})].some((one) => one.textContent.includes({words}))"
        ));
    }

    /// Clicks with the mouse on the first element that is seen there, once it is.
    pub fn click(&mut self, selector: &str) {
        let quoted = json!(selector);
        let seen = format!(
            "[...document.querySelectorAll({quoted})].find((one) => one.getBoundingClientRect().width > 0 && !one.disabled)"
        );
        self.until(&seen);
        let place = self.look(&format!(
            "(() => {{ const one = {seen}; one.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const box = one.getBoundingClientRect(); \
             return [box.left + box.width / 2, box.top + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let at = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.tell("Input.dispatchMouseEvent", at);
        }
    }

    /// Writes into a field, in place of what stands there.
    pub fn write(&mut self, selector: &str, text: &str) {
        self.click(selector);
        let quoted = json!(selector);
        self.look(&format!("document.querySelector({quoted}).select()"));
        self.tell("Input.insertText", json!({ "text": text }));
    }

    /// Chooses an option of a list.
    pub fn choose(&mut self, selector: &str, value: &str) {
        let (selector, value) = (json!(selector), json!(value));
        self.until(&format!("document.querySelector({selector})"));
        self.look(&format!(
            "(() => {{ const one = document.querySelector({selector}); one.value = {value}; \
             one.dispatchEvent(new Event('change', {{ bubbles: true }})); return one.value; }})()"
        ));
    }

    /// Presses a key: `Tab`, `Enter`.
    pub fn press(&mut self, key: &str) {
        let text = if key == "Enter" { "\r" } else { "" };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let pressed = json!({
                "type": kind, "key": key, "code": key, "text": if kind == "keyDown" { text } else { "" },
                "windowsVirtualKeyCode": code,
            });
            self.tell("Input.dispatchKeyEvent", pressed);
        }
    }

    /// Writes a picture of the whole page, where the variable `TOCSIN_PICTURES` names a folder for it.
    pub fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("TOCSIN_PICTURES") else { return };
        let wanted = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.tell("Page.captureScreenshot", wanted);
        let octets = STANDARD.decode(picture["data"].as_str().expect("a picture"));
        let path = Path::new(&folder).join(format!("{name}.png"));
        fs::write(path, octets.expect("base64")).expect("a picture on the disk");
    }

    /// What the page cost the browser until an expression is true, by its counters: milliseconds of script, of layout and style, and of all tasks.
    pub fn costs_until(&mut self, expression: &str) -> String {
        self.tell("Performance.enable", json!({}));
        let before = self.counters();
        self.until(expression);
        let after = self.counters();
        let ms = |names: &[&str]| {
            let sum = |counters: &[(String, f64)]| -> f64 {
                let counted = counters.iter().filter(|(name, _)| names.contains(&&name[..]));
                counted.map(|(_, seconds)| seconds * 1_000.0).sum()
            };
            sum(&after) - sum(&before)
        };
        format!(
            "{:.1} ms script, {:.1} ms layout and style, {:.1} ms in all tasks",
            ms(&["ScriptDuration"]),
            ms(&["LayoutDuration", "RecalcStyleDuration"]),
            ms(&["TaskDuration"])
        )
    }

    fn counters(&mut self) -> Vec<(String, f64)> {
        let answer = self.tell("Performance.getMetrics", json!({}));
        let metrics = answer["metrics"].as_array().cloned().unwrap_or_default();
        let counter =
            |one: &Value| Some((one["name"].as_str()?.to_owned(), one["value"].as_f64()?));
        metrics.iter().filter_map(counter).collect()
    }

    /// What the page complained of so far.
    pub fn complaints(&mut self) -> Vec<String> {
        self.gather();
        let complaint = |event: &Value| {
            let params = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled" if params["type"] == "error" => {
                    Some(params["args"].to_string())
                }
                // That an address answers 4xx is the page's to tell, and no complaint.
                "Log.entryAdded"
                    if params["entry"]["level"] == "error"
                        && params["entry"]["source"] != "network" =>
                {
                    Some(params["entry"]["text"].to_string())
                }
                _ => None,
            }
        };
        self.events.iter().filter_map(complaint).collect()
    }

    /// Every address that the page asked for.
    pub fn requests(&mut self) -> Vec<String> {
        self.gather();
        let asked = self.events.iter().filter(|it| it["method"] == "Network.requestWillBeSent");
        let address = |event: &Value| event["params"]["request"]["url"].as_str().map(str::to_owned);
        asked.filter_map(address).collect()
    }

    fn gather(&mut self) {
        self.events.extend(self.from.try_iter());
    }

    fn tell(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let sent = self.to.write_all(format!("{message}\0").as_bytes());
        sent.and_then(|()| self.to.flush()).expect("a browser that listens");
        loop {
            let answer = self.from.recv_timeout(LIMIT);
            let answer = answer.unwrap_or_else(|error| panic!("no answer to {method}: {error}"));
            if answer["id"] == self.next {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.events.push_back(answer);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
