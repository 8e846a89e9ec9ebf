//! The console in a real browser, used as a person does: a site dies on the map, another is locked at the desk, a call that failed
//! is opened, a campaign is started.

use std::process::Command;

use serde_json::json;
use system_tests::browser::Browser;
use system_tests::process::{Process, installed, signal};
use system_tests::program::tocsin;

use crate::CampaignFolder;
use crate::api::Api;
use crate::outcomes::child;

/// Starts `tocsin` with these words, and waits for the link to its page.
fn start(workspace: &CampaignFolder, words: &[&str]) -> (Process, String) {
    let mut command = Command::new(tocsin());
    command.current_dir(workspace.folder.path()).args(words);
    let mut process = Process::start("tocsin", &mut command);
    let line = process.until("console at ");
    let link = line.trim().trim_start_matches("console at ").to_owned();
    (process, link)
}

/// The box of a site on the map.
fn on_map(site: &str) -> String {
    format!("#network-map g[data-kind=site][data-name={site}]")
}

/// Nothing went wrong on the page, and it asked nobody but the console.
fn is_clean(browser: &mut Browser, link: &str) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let origin = link.split("/#").next().expect("an address");
    let requests = browser.requests();
    // What it plays it has fetched before; the buttons of a player are pictures of the browser itself.
    let is_own = |url: &str| {
        url.strip_prefix("blob:").unwrap_or(url).starts_with(origin)
            || url.starts_with("data:image/svg+xml;")
    };
    let elsewhere: Vec<_> = requests.iter().filter(|url| !is_own(url)).collect();
    assert!(!requests.is_empty() && elsewhere.is_empty(), "{elsewhere:?}");
    assert!(requests.iter().all(|url| !url.contains("token=")), "the token was sent: {requests:?}");
}

/// The calls that go on: one is opened, and told to its end.
fn follow_a_call(browser: &mut Browser) {
    browser.click("nav a[href='#calls']");
    browser.choose("#calls-form select[name=choice]", "now");
    browser.until_says("#calls-table", "talking");
    browser.until_says("#calls-of", "in progress");
    browser.click("#calls-table tbody tr button");
    browser.until_says("#story-text", "It is in progress");
    browser.until_says("#story-ladder .ladder", "INVITE");
    browser.click("#story-ladder details summary");
    browser.until_says("#story-ladder details pre", "CSeq: 1 INVITE");
    browser.picture("calls-now");
    browser.until_says("#title-story", "has ended meanwhile");
    browser.until_says("#story-text", "It has ended meanwhile");
    browser.choose("#calls-form select[name=choice]", "failed");
}

/// In light and in dark, and on a telephone.
fn look_at_every_section(browser: &mut Browser) {
    for (scheme, width) in [("dark", 1280), ("light", 390), ("dark", 390)] {
        browser.prefer(scheme);
        browser.size(width, 900);
        for section in ["map", "now", "desk", "calls", "runs"] {
            browser.click(&format!("nav a[href='#{section}']"));
            browser.until(&format!("!document.getElementById('section-{section}').hidden"));
            browser.until("document.documentElement.scrollWidth <= innerWidth");
            browser.picture(&format!("{section}-{scheme}-{width}"));
        }
    }
    browser.prefer("light");
    browser.size(1280, 900);
}

#[test]
fn a_person_sees_a_site_die_locks_another_and_opens_a_call_that_failed() {
    let workspace = CampaignFolder::new(300, "3s");
    let (mut run, link) = start(&workspace, &["run", "campaign.toml", "--console"]);
    let mut browser = Browser::open(&link, 1280);
    browser.until_says(&on_map("alpha"), "calls");
    browser.until("Number(document.querySelector('#network-map g[data-name=alpha]').getAttribute('aria-label')?.match(/([0-9]+) calls/)?.[1]) > 5");
    browser.until_says("#connection", "live");
    assert!(
        !browser.look("location.href").to_string().contains("token"),
        "it stands in no history"
    );
    browser.picture("map-light");

    // Somebody looks at every section, in light and in dark, and on a telephone.
    browser.click("nav a[href='#now']");
    browser.until("document.querySelectorAll('#charts path.line').length >= 6");
    browser.until_says("#figures", "answer-seizure ratio");
    browser.picture("now-light");
    browser.click("nav a[href='#desk']");
    browser.click("#command-form input[value=beta]");
    browser.until_says("#blast", "touches 1/2 sites");
    browser.click("#command-form input[value=alpha]");
    browser.until_says("#blast", "nothing speaks against it");
    browser.click("#command-form input[name=canary]");
    browser.choose("#command-form select[name=manner]", "parallel");
    browser.until_says("#blast", "touches 2/2 sites within 0.0 s, inside one detection window");
    browser.until_says("#blast", "no canary");
    browser.picture("desk-light");
    look_at_every_section(&mut browser);

    follow_a_call(&mut browser);

    // A command: who, why, what it touches; a question before it goes out; and what came of it.
    browser.click("nav a[href='#desk']");
    browser.write("#who", "anna");
    browser.write("#why", "a drill");
    browser.click("#command-form input[value=beta]");
    browser.until_says("#blast", "touches 1/2 sites");
    browser.click("#give");
    browser.until_says("#confirm-text", "anna: a drill");
    browser.click("#confirm-yes");
    browser.until_says("#desk-results", "alpha: lock: done");
    browser.click("nav a[href='#map']");
    browser.until_says(&on_map("alpha"), "locked");
    browser.until_says("#chronicle", "anna: a drill: alpha: lock: takes no new calls");

    // By keyboard alone: from a site on the map to the desk.
    browser.look("document.querySelector('#network-map g[data-name=beta]').focus()");
    browser.press("Enter");
    browser.until("location.hash === '#desk' && document.querySelector('#command-form input[value=beta]').checked");
    browser.click("nav a[href='#map']");

    // A process dies: it is said with a word, a shape and a line of the chronicle, and above everything.
    signal("KILL", child(run.id(), &["--site", "beta"]));
    browser
        .until(&format!("document.querySelector('{}').dataset.state === 'gone'", on_map("beta")));
    browser.until_says(&on_map("beta"), "✕ beta");
    browser.until_says("#against", "process site-beta was lost");
    browser.until_says("#chronicle", "process site-beta was lost");
    browser.picture("map-dead");

    // With a site locked and the other dead, calls fail: one is opened.
    browser.click("nav a[href='#calls']");
    browser.until("document.querySelector('#calls-form button').click() || document.querySelectorAll('#calls-table tbody tr').length > 0");
    browser.click("#calls-table tbody tr button");
    browser.until_says("#story-text", "INVITE");
    // Its messages are kept some seconds later, when its last ones have come.
    browser.until("document.querySelector('#story-ladder .ladder')?.textContent.includes('INVITE') || (document.querySelector('#story-ladder p') && document.querySelector('#calls-table tbody tr button').click())");
    browser.click("#story-ladder details summary");
    browser.until_says("#story-ladder details pre", "CSeq: 1 INVITE");
    browser.click("#story-ladder button");
    browser.until_says("#story-ladder [role=status]", "saved");
    browser.picture("call-light");

    // The run ends: the page says so, and shows what was.
    run.interrupt();
    browser.until_says("#banner", "What you see is what was");
    browser.until_says("#banner", "DEGRADED");
    run.finish();
    browser.until_says("#connection", "ended");
    browser.click("nav a[href='#map']");
    browser.until_says(&on_map("beta"), "beta");
    browser.picture("map-ended");
    is_clean(&mut browser, &link);
}

#[test]
fn a_run_that_dies_is_said_to_be_gone() {
    let workspace = CampaignFolder::new(300, "3s");
    let (run, link) = start(&workspace, &["run", "campaign.toml", "--console"]);
    let mut browser = Browser::open(&link, 1280);
    browser.until_says("#connection", "live");
    signal("KILL", run.id());
    browser.until_says("#banner", "Nobody answers since");
    browser.until_says("#banner", "What you see is what was");
    browser.until_says(&on_map("alpha"), "alpha");
    drop(run);
}

#[test]
fn the_console_answers_its_own_page_alone_and_shows_no_file_but_those_of_runs() {
    let workspace = CampaignFolder::new(2, "200ms");
    workspace.run(&["--quiet"]).finish();
    let (_console, link) = start(&workspace, &["console"]);
    let api = Api::of_link(&link);
    let run = api.get("/v1/runs/latest")["name"].as_str().expect("a name").to_owned();
    // Whoever has no token sees the page, which knows nothing, and no more.
    let bare = api.without_token();
    assert_eq!(bare.text("GET", "/", "", "").0, 200);
    for path in ["/v1/runs", "/openapi.json", "/v1/network", "/v1/campaigns", "/nothing"] {
        assert_eq!(bare.text("GET", path, "", "").0, 401, "{path}");
    }
    let path = format!("/runs/{run}/report.html");
    assert_eq!(bare.text("GET", &path, "", "").0, 401);
    // No other page, not even with the token.
    for field in
        ["Origin: http://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"]
    {
        assert_eq!(api.text("GET", "/v1/runs", field, "").0, 421, "{field}");
    }
    let own = format!("Origin: http://{}\r\n", api.address());
    assert_eq!(api.text("GET", "/v1/runs", &own, "").0, 200);
    // A ticket opens the one file, in a world of its own.
    let (status, ticket) = api.post("/v1/tickets", &json!({"run": run, "file": "report.html"}));
    assert_eq!(status, 200, "{ticket}");
    let url = ticket["url"].as_str().expect("a link");
    let (status, page) = bare.text("GET", url, "", "");
    assert!(status == 200 && page.contains("<h1>"), "{status}");
    let other = url.replace("report.html", "summary.json");
    assert_eq!(bare.text("GET", &other, "", "").0, 401);
    for name in ["manage.json", "..%2F..%2Fnetwork.toml", ".running", "calls.sqlite", "records"] {
        let path = format!("/v1/runs/{run}/files/{name}");
        assert_eq!(api.text("GET", &path, "", "").0, 404, "{name}");
    }
    for name in ["..", "%2E%2E", "..%2F..", "etc"] {
        let (status, text) = api.text("GET", &format!("/v1/runs/{name}"), "", "");
        assert_eq!(status, 404, "{name}: {text}");
    }
    // Only campaigns of the list are started, and nothing is an option by its name.
    for body in [
        json!({"file": "/etc/passwd"}),
        json!({"file": "--help"}),
        json!({"again": "../.."}),
        json!({"set": ["a=b"]}),
        json!({"file": "./campaign.toml", "set": ["--help"]}),
    ] {
        let (status, answer) = api.post("/v1/runs", &body);
        assert_eq!(status, 400, "{body}: {answer}");
    }
    // Nobody runs: the network is asked for, and the answer is a sentence.
    let (status, answer) = api.post("/v1/commands", &json!({"command": "lock", "sites": "all"}));
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(status == 409 && error.contains("no run goes on"), "{status}: {answer}");
    // Every path of the document is there.
    let document = api.get("/openapi.json");
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("methods").keys() {
            let path = path
                .replace("{run}", "none")
                .replace("{file}", "x")
                .replace("{attempt}", "x")
                .replace("{id}", "1")
                .replace("{number}", "1");
            let (status, text) = api.text(&method.to_uppercase(), &path, "", "");
            assert!(![401, 405, 421, 500].contains(&status), "{method} {path}: {status} {text}");
            assert!(
                status == 200 || text.contains("\"error\":"),
                "{method} {path}: {status} {text}"
            );
        }
    }
}

#[test]
fn a_campaign_is_checked_started_watched_stopped_and_run_again() {
    let workspace = CampaignFolder::new(300, "300ms");
    let (mut console, link) = start(&workspace, &["console"]);
    let mut browser = Browser::open(&link, 1280);
    browser.until_says("#connection", "no run goes on");
    browser.click("nav a[href='#runs']");
    browser.until_says("#runs-table", "There is no run yet");
    browser.until_says("#check", "✓ right");

    // It is checked as one types.
    browser.write("#start-form textarea", "callers.tlak=1s");
    browser.until_says("#check", "unknown key \"tlak\"");
    browser.until("document.getElementById('start').disabled");
    browser.write("#start-form textarea", "callers.talk=200ms");
    browser.write("#start-form input[name=seed]", "42");
    browser.write("#start-form input[name=duration]", "2m");
    browser.until_says("#check", "✓ right");
    browser.until_says("#check", "seed 42");
    browser.click("#start");
    browser.until_says("#runs-note", "has begun");
    browser.until_says("#runs-table", "▶ running");
    browser.until_says("#runs-table", "on the map");
    browser.click("nav a[href='#map']");
    browser.until("Number(document.querySelector('#network-map g[data-name=alpha]')?.getAttribute('aria-label')?.match(/([0-9]+) calls/)?.[1]) > 0");

    browser.click("nav a[href='#runs']");
    browser.click("#runs-table button.danger");
    browser.until_says("#runs-note", "nobody calls any more");
    browser.until_says("#banner", "PASS");
    browser.until_says("#runs-table", "✓ pass");
    browser.click("#runs-table tbody tr button");
    browser.until_says("#run-detail", "report.html");
    browser.until_says("#run-detail", "--seed=42");
    browser.picture("runs-light");

    // Again, with the same seed; and both side by side.
    browser.look("[...document.querySelectorAll('#runs-table button')].find((one) => one.textContent === 'Run again').click()");
    browser.until("document.querySelectorAll('#runs-table tbody tr').length === 2");
    browser.until_says("#runs-table", "▶ running");
    browser.until("document.getElementById('banner').hidden");
    browser.click("#runs-table button.danger");
    browser.until("[...document.querySelectorAll('#runs-table td')].filter((one) => one.textContent === '✓ pass').length === 2");
    browser.click("#runs-table tbody tr:first-child input");
    browser.click("#runs-table tbody tr:last-child input");
    browser.until_says("#run-detail pre", "answered_share");

    let api = Api::of_link(&link);
    let runs = api.get("/v1/runs");
    for run in runs["runs"].as_array().expect("runs") {
        let detail = api.get(&format!("/v1/runs/{}", run["name"].as_str().expect("a name")));
        assert_eq!(detail["summary"]["seed"], json!(42), "{detail:#}");
    }
    is_clean(&mut browser, &link);
    console.interrupt();
    assert!(console.finish().success(), "{}", console.words());
}

#[test]
fn what_one_person_begins_at_the_desk_another_one_sees_and_ends() {
    let workspace = CampaignFolder::new(300, "1s");
    let (mut run, link) = start(&workspace, &["run", "campaign.toml", "--console"]);
    let mut browser = Browser::open(&link, 1280);
    let mut other = Browser::open(&link, 390);
    for one in [&mut browser, &mut other] {
        one.until_says(&on_map("alpha"), "up");
        one.click("nav a[href='#desk']");
        one.until_says("#standing", "No canary waits, and no fault acts.");
    }
    // On the map, each way from a site to a PSAP has its calls per second.
    browser.until("[...document.querySelectorAll('#network-map text.load')].filter((one) => one.textContent.endsWith('/s')).length >= 8");

    // A canary: the first site has it, the other waits, for everybody who watches.
    browser.write("#who", "anna");
    browser.click("#command-form input[value=beta]");
    browser.click("#command-form input[value=alpha]");
    browser.until_says("#blast", "nothing speaks against it");
    browser.click("#give");
    browser.until_says("#confirm-text", "beta first, the others when you have looked");
    browser.click("#confirm-yes");
    browser.until_says("#desk-results", "lock waits for alpha");
    other.until_says("#standing", "lock waits for alpha · beta: done · canary 1 by anna");
    other.until_says("#standing time", "lapses in 9:");
    other.picture("canary-390");
    other.write("#who", "bert");
    // By keyboard alone.
    other.look("document.querySelector('#standing button[data-act=abandon]').focus()");
    other.press("Enter");
    other.until_says("#desk-results", "canary 1 is abandoned: lock never goes to alpha");
    for one in [&mut browser, &mut other] {
        one.until_says("#standing", "No canary waits");
        one.click("nav a[href='#map']");
        one.until_says(&on_map("beta"), "locked");
        one.until_says("#chronicle", "bert: canary 1 is abandoned");
        one.click("nav a[href='#desk']");
    }
    browser.choose("#command-form select[name=command]", "unlock");
    browser.until_says("#blast", "touches 2/2 sites");
    browser.click("#give");
    browser.click("#confirm-yes");
    other.click("#standing button[data-act=continue]");
    other.until_says("#desk-results", "alpha: continued: done");
    browser.until_says("#standing", "No canary waits");

    // A way is cut: it is seen on the map, and healed before its time.
    browser.choose("#fault-form select[name=fault]", "cut");
    browser.choose("#fault-form select[name=target]", "alpha");
    browser.choose("#fault-form select[name=other]", "samu-59");
    browser.write("#fault-form input[name=lasts]", "1h");
    browser.click("#fault-form button[type=submit]");
    browser.click("#confirm-yes");
    other.until_says("#standing", "alpha and samu-59");
    browser.click("nav a[href='#map']");
    browser.until_says("#network-map text.load", "✂ cut");
    browser.picture("map-cut");
    other.picture("standing-390");
    other.click("#standing button[data-act=heal]");
    other.until_says("#desk-results", "fault 1 is over: heal alpha and samu-59");
    browser.until("![...document.querySelectorAll('#network-map text.load')].some((one) => one.textContent.includes('✂'))");

    run.interrupt();
    run.finish();
    is_clean(&mut browser, &link);
    is_clean(&mut other, &link);
}

#[test]
fn a_surge_and_a_latent_defect_begin_at_the_desk() {
    let workspace = CampaignFolder::new(300, "1s");
    let (mut run, link) = start(&workspace, &["run", "campaign.toml", "--console"]);
    let mut browser = Browser::open(&link, 1280);
    let mut other = Browser::open(&link, 390);
    for one in [&mut browser, &mut other] {
        one.until_says(&on_map("alpha"), "up");
        one.click("nav a[href='#desk']");
    }
    browser.write("#who", "anna");

    // From where people call, and no other place.
    browser.write("#surge-form input[name=communes]", "59351");
    browser.click("#surge-form button[type=submit]");
    browser.click("#confirm-yes");
    browser
        .until_says("#desk-results", "nobody in this campaign calls from 59351; near it are 59350");
    browser.write("#surge-form input[name=communes]", "59350");
    browser.write("#surge-form input[name=lasts]", "1h");
    browser.click("#surge-form button[type=submit]");
    browser.click("#confirm-yes");
    browser.until_says("#load-now", "surge: 3 times as many calls from 59350 for 1h, by anna");
    other.until_says("#load-now", "surge: 3 times as many calls");
    browser.click("nav a[href='#now']");
    browser.until_says("#figures", "by surges");

    // A latent defect: it is told before what it touches, and beside each site what sleeps there.
    browser.click("nav a[href='#desk']");
    browser.choose("#defect-form select[name=defect]", "poison-call");
    browser.write("#defect-form input[name=number]", "0612345678");
    browser.click("#defect-form input[value=beta]");
    browser.until_says("#defect-blast", "poison-call: number:");
    browser.write("#defect-form input[name=number]", "196");
    browser.until_says("#defect-blast", "touches 1/2 sites");
    browser.click("#arm");
    browser.until_says("#confirm-text", "touches 1/2 sites");
    browser.click("#confirm-yes");
    browser.until_says("#defect-form small[data-defects=beta]", "☠ poison-call");
    other.until_says("#defect-form small[data-defects=beta]", "☠ poison-call");
    browser.picture("desk-armed");
    browser.click("#disarm");
    browser.click("#confirm-yes");
    browser.until_says("#defect-form small[data-defects=beta]", "none");

    browser.click("#load-form button.danger");
    browser.click("#confirm-yes");
    browser.until_says("#banner", "What you see is what was");
    run.finish();
    is_clean(&mut browser, &link);
    is_clean(&mut other, &link);
}

/// What curl, which nobody here wrote, gets from an address.
fn curl(words: &[&str]) -> (bool, String) {
    let asked = Command::new(installed("curl", "curl"))
        .args(["-sS", "--max-time", "30"])
        .args(words)
        .output();
    let asked = asked.expect("curl");
    let said = [asked.stdout, asked.stderr].concat();
    (asked.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn beyond_this_machine_the_console_speaks_tls_with_a_certificate_that_is_kept() {
    let workspace = CampaignFolder::new(3, "200ms");
    workspace.run(&["--quiet"]).finish();
    let (mut console, link) = start(&workspace, &["console", "0.0.0.0:0"]);
    let told = console.until("SHA-256 ");
    let fingerprint = told.rsplit(' ').next().expect("a fingerprint").trim().to_owned();
    console.until("runs/.console.pem for the next start");
    assert!(link.starts_with("https://"), "{link}");
    let kept = workspace.path("runs/.console.pem");
    let port = link.split("/#").next().and_then(|it| it.rsplit(':').next()).expect("a port");
    let (url, token) =
        (format!("https://127.0.0.1:{port}"), link.rsplit('=').next().expect("a token"));
    let bearer = format!("Authorization: Bearer {token}");
    let trusted = kept.display().to_string();

    // Who trusts the certificate, and nobody else without being asked to.
    let runs = format!("{url}/v1/runs/latest");
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let limit: Vec<&str> = version.split('=').collect();
        let words = [&limit[..], &["--cacert", &trusted, "-H", &bearer, &runs]].concat();
        let (is_well, answer) = curl(&words);
        assert!(is_well && answer.contains("summary"), "{version}: {answer}");
    }
    let (is_well, answer) = curl(&["-H", &bearer, &runs]);
    assert!(!is_well && answer.contains("certificate"), "{answer}");
    let (_, answer) = curl(&[&runs.replace("https", "http")]);
    assert!(answer.contains("TLS is spoken here"), "{answer}");
    let (_, answer) = curl(&["-k", "-H", &bearer, "-H", "Host: evil.example", &runs]);
    assert!(answer.contains("ask for an address"), "{answer}");
    let plain = format!("Origin: http://127.0.0.1:{port}");
    let (_, answer) = curl(&["-k", "-H", &bearer, "-H", &plain, &runs]);
    assert!(answer.contains("only the page that is served here"), "{answer}");

    // A person goes on where the browser asks, and the page is as ever.
    let page = format!("{url}/#token={token}");
    let mut browser = Browser::open_trusting(&page, 1280);
    browser.until_says("#connection", "no run goes on");
    browser.click("nav a[href='#runs']");
    browser.until_says("#runs-table", "✓ pass");
    is_clean(&mut browser, &page);
    console.interrupt();
    assert!(console.finish().success(), "{}", console.words());

    // At the next start it is the same one.
    let (mut again, _) = start(&workspace, &["console", "0.0.0.0:0"]);
    assert!(again.until("SHA-256 ").contains(&fingerprint));
    again.interrupt();
    again.finish();
    let mut mixed = Command::new(tocsin());
    let files = ["--certificate", "runs/.console.pem", "--key", "campaign.toml"];
    mixed.current_dir(workspace.folder.path()).arg("console").args(files);
    let mut mixed = Process::start("tocsin console", &mut mixed);
    assert_eq!(mixed.finish().code(), Some(2), "{}", mixed.words());
    assert!(mixed.words().contains("campaign.toml has no private key"), "{}", mixed.words());
}

#[test]
fn a_recorded_call_is_heard_side_by_side_and_one_that_was_not_says_how_to() {
    let workspace = CampaignFolder::new(3, "2s");
    workspace.run(&["--quiet", "--set", "psaps.samu-59.record=1"]).finish();
    let (_console, link) = start(&workspace, &["console"]);
    let api = Api::of_link(&link);
    let calls = api.get("/v1/runs/latest/calls?choice=all");
    let of_samu =
        calls["calls"].as_array().into_iter().flatten().find(|it| it["psap"] == "samu-59");
    let attempt = of_samu.expect("a call to it")["attempt"].as_str().expect("its id").to_owned();
    let path = format!("/v1/runs/latest/calls/{attempt}/sounds");
    let sounds = api.get(&path);
    let seconds = sounds["recordings"][0]["seconds"].as_f64().expect("a recording");
    assert!(seconds > 1.0 && sounds["recordings"][0]["psap"] == "samu-59", "{sounds:#}");
    let file = sounds["recordings"][0]["file"].as_str().expect("a file");
    let (status, part) = api.text("GET", &format!("{path}/{file}"), "Range: bytes=0-3\r\n", "");
    assert_eq!((status, &part[..]), (206, "RIFF"));
    for wrong in ["..%2F..%2Fmanage.json", "%2Fetc%2Fpasswd", "x.wav", "..", "report.html"] {
        let (status, text) = api.text("GET", &format!("{path}/{wrong}"), "", "");
        assert_eq!(status, 404, "{wrong}: {text}");
    }

    let mut browser = Browser::open(&link, 1280);
    browser.click("nav a[href='#calls']");
    browser.choose("#calls-form select[name=choice]", "all");
    browser.until("document.querySelectorAll('#calls-table tbody tr').length > 2");
    browser.look(&format!("[...document.querySelectorAll('#calls-table button')].find((one) => one.textContent === '{}').click()", &attempt[..12]));
    browser.until("document.querySelectorAll('#story-sound audio').length === 3");
    browser.until_says("#story-sound", "the caller left, the call taker right");
    browser.until_says("#story-sound", "The caller, as samu-59 heard it");
    browser.until(&format!("[...document.querySelectorAll('#story-sound audio')].every((one) => Math.abs(one.duration - {seconds}) < 0.01)"));
    browser.picture("listen");
    is_clean(&mut browser, &link);

    // The next run records nothing, and says how it would.
    workspace.run(&["--quiet"]).finish();
    let calls = api.get("/v1/runs/latest/calls?choice=all");
    let call = &calls["calls"][0];
    let (attempt, psap) = (&call["attempt"], &call["psap"]);
    let (attempt, psap) = (attempt.as_str().expect("an id"), psap.as_str().expect("its PSAP"));
    let sounds = api.get(&format!("/v1/runs/latest/calls/{attempt}/sounds"));
    let advice = format!("--set psaps.{psap}.record=1");
    assert!(sounds["why"].to_string().contains(&advice), "{sounds:#}");
}
