//! The console before a network of sixty trunk groups, six sites and forty PSAPs with 600 calls a second.
//!
//! Its states are made up here, and go to the page by the same API as those of a run: sixty processes with their calls, and a
//! browser beside them, are more than two cores hold. What is tested is the page and not the network.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use cli::TlsArgs;
use cli::manage::{
    Canaries, ChronicleKind, CommandLog, CommandNote, ImpairedView, Intervention, LiveFeed,
    ManagedCallServer, ManagedSites, Moment, NetworkView, RunCounts, RunView,
};
use console::{ConsoleListener, ConsoleSettings, Live};
use contract::{
    BoxState, CallServerSnapshot, CallsWanted, DirectoryEntry, EffectEnd, MemberCounts,
    MemberSnapshot, MemberState, NodeKind, PositionCounts, PsapSnapshot, Reply, Snapshot,
    TowardsCounts, TrunkGroupSnapshot,
};
use operations::Action;
use system_tests::browser::Browser;
use topology::{Layers, Topology};

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

const SITES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];
const GROUPS: usize = 60;
const PSAPS: usize = 40;

/// Calls per second of the whole network.
const RATE: f64 = 600.0;

fn group(number: usize) -> String {
    let kind = ["mobile", "fixe-voip", "operateur-regional"][number % 3];
    format!("{kind}-{number:02}")
}

fn psap(number: usize) -> String {
    let kind = ["samu", "cta-codis", "cic-police-secours", "plateforme-112"][number % 4];
    format!("{kind}-{number:02}")
}

/// The network file of it.
fn network() -> NetworkView {
    let mut text = String::new();
    for site in SITES {
        let _ = writeln!(text, "[sites.{site}]\naddress = \"127.0.0.1:0\"");
    }
    for number in 0..GROUPS {
        let name = group(number);
        let _ = writeln!(
            text,
            "[trunk_groups.{name}]\naddress = \"127.0.0.1:0\"\npolicy = \"round-robin\"\ncircuits = 120"
        );
    }
    for number in 0..PSAPS {
        let name = psap(number);
        let _ = writeln!(
            text,
            "[psaps.{name}]\naddress = \"127.0.0.1:0\"\nnumber = \"03530100{number:02}\"\npositions = 24"
        );
    }
    let psaps: Vec<String> = (0..PSAPS).map(psap).collect();
    let _ = writeln!(text, "[[routes]]\nnumbers = [\"112\"]\npsaps = {psaps:?}");
    let topology = Topology::parse("network.toml", &text, &Layers::none());
    NetworkView::of(&topology.unwrap_or_else(|problems| panic!("{problems}")))
}

/// A network that only says that it is one.
struct Simulated {
    network: NetworkView,
    feed: LiveFeed,
    canaries: Canaries,
    command_log: CommandLog,
    start: Instant,
    /// A site that has died, and a way that is cut.
    is_ill: AtomicBool,
}

impl Simulated {
    /// Calls by now, where so many a second come.
    fn by_now(&self, rate: f64) -> u64 {
        (self.start.elapsed().as_secs_f64() * rate) as u64
    }

    /// How the run stands, as a run tells it each second.
    fn tell(&self) {
        let elapsed_s = self.start.elapsed().as_secs_f64();
        let moment = Moment {
            at_s: elapsed_s,
            offered: RATE,
            answered: RATE * 0.96,
            failed: [("rejected".to_owned(), RATE * 0.04)].into(),
            pdd_p50_us: Some(90_000),
            pdd_p95_us: Some(180_000),
            pdd_p99_us: Some(320_000),
            heard: Some(0.998),
            lag_p99_us: Some(1_200),
            in_progress: 9_000,
        };
        let ill = self.is_ill.load(Ordering::Relaxed);
        let cut = ImpairedView {
            number: 1,
            kind: "impaired".to_owned(),
            of: group(7),
            other: Some("beta".to_owned()),
            what: "cut".to_owned(),
            ..ImpairedView::default()
        };
        let far = ImpairedView {
            number: 2,
            of: psap(5),
            other: None,
            what: "80ms late".to_owned(),
            ..cut.clone()
        };
        self.feed.add(moment.clone());
        self.feed.show(RunView {
            run: "simulated".to_owned(),
            campaign: "sixty trunk groups, simulated".to_owned(),
            phase: "busy hour".to_owned(),
            elapsed_s,
            length_s: 3_600.0,
            status: "running".to_owned(),
            counts: RunCounts { offered: self.by_now(RATE), ..RunCounts::default() },
            moment: Some(moment),
            impaired: if ill { vec![cut, far] } else { Vec::new() },
            ..RunView::default()
        });
        for number in 0..10 {
            let text = format!("{} finds nothing worth telling, {number}", group(number));
            self.feed.tell(ChronicleKind::Note, Some(elapsed_s), &text);
        }
    }

    fn trunk_group(&self, number: usize, ill: bool) -> Snapshot {
        let rate =
            RATE / GROUPS as f64 / SITES.len() as f64 * (0.5 + number as f64 / GROUPS as f64);
        let member = |site: &str| MemberSnapshot {
            call_server: site.to_owned(),
            site: site.to_owned(),
            state: if ill && site == "delta" { MemberState::Down } else { MemberState::Up },
            circuits: 120,
            seized: (20 + number as u32) % 120,
            falls: 0,
            found_after_us: None,
            counts: MemberCounts { offered: self.by_now(rate), ..MemberCounts::default() },
            asked: None,
            kept_away: 0,
        };
        let members: Vec<_> = SITES.into_iter().map(member).collect();
        let counts = contract::TrunkGroupCounts {
            offered: self.by_now(rate * SITES.len() as f64),
            ..contract::TrunkGroupCounts::default()
        };
        TrunkGroupSnapshot { calls: 150, counts, members, ..TrunkGroupSnapshot::default() }.into()
    }

    fn site(&self) -> Snapshot {
        let rate = RATE / SITES.len() as f64;
        let towards = |number: usize| {
            let offered = self.by_now(rate / PSAPS as f64);
            (psap(number), TowardsCounts { offered, answered: offered })
        };
        let counts = contract::CallServerCounts {
            offered: self.by_now(rate),
            ..contract::CallServerCounts::default()
        };
        let shown = CallServerSnapshot {
            calls: 1_500,
            release: "r7".to_owned(),
            contexts: 12_000,
            contexts_used: 3_000,
            counts,
            towards: (0..PSAPS).map(towards).collect(),
            ..CallServerSnapshot::default()
        };
        shown.into()
    }

    fn answering_point(&self, number: usize) -> Snapshot {
        let busy = 4 + number % 20;
        let positions =
            PositionCounts { idle: 24 - busy, talking: busy, ..PositionCounts::default() };
        let shown = PsapSnapshot {
            positions,
            waiting: if number.is_multiple_of(9) { 12 + number } else { 0 },
            offered: self.by_now(RATE / PSAPS as f64),
            ..PsapSnapshot::default()
        };
        shown.into()
    }
}

impl ManagedSites for Simulated {
    fn members(&self) -> Vec<ManagedCallServer> {
        let member = |site: &str| ManagedCallServer { name: site.into(), site: site.into() };
        SITES.map(member).into()
    }

    fn boxes(&self) -> BTreeMap<String, DirectoryEntry> {
        self.tell();
        let ill = self.is_ill.load(Ordering::Relaxed);
        let entry = |kind, snapshot| {
            let listening = DirectoryEntry::listening(kind, ([127, 0, 0, 1], 5060).into());
            DirectoryEntry { state: BoxState::Running, snapshot: Some(snapshot), ..listening }
        };
        let mut boxes: BTreeMap<String, DirectoryEntry> = (0..GROUPS)
            .map(|at| (group(at), entry(NodeKind::TrunkGroup, self.trunk_group(at, ill))))
            .chain((0..PSAPS).map(|at| (psap(at), entry(NodeKind::Psap, self.answering_point(at)))))
            .chain(SITES.map(|site| (site.to_owned(), entry(NodeKind::CallServer, self.site()))))
            .collect();
        if let Some(delta) = boxes.get_mut("delta").filter(|_| ill) {
            delta.state = BoxState::Lost;
        }
        boxes
    }

    fn command(&self, _: &str, _: &Action) -> BoxFuture<Reply> {
        Box::pin(std::future::ready(Reply::Done("nothing happens here".to_owned())))
    }

    fn show_calls(&self, _: &str, _: CallsWanted) -> BoxFuture<Reply> {
        Box::pin(std::future::ready(Reply::Silent))
    }

    fn effect(&self, _: &str, _: u64) -> BoxFuture<EffectEnd> {
        Box::pin(std::future::ready(EffectEnd::Done("nothing happens here".to_owned())))
    }

    fn note(&self, _: CommandNote) {}

    fn network(&self) -> &NetworkView {
        &self.network
    }

    fn feed(&self) -> &LiveFeed {
        &self.feed
    }

    fn canaries(&self) -> &Canaries {
        &self.canaries
    }

    fn command_log(&self) -> &CommandLog {
        &self.command_log
    }

    fn intervene(&self, what: Intervention) -> BoxFuture<Result<String, String>> {
        Box::pin(std::future::ready(Ok(what.what.to_string())))
    }
}

/// No text of a box reaches beyond it.
const FITS: &str = "[...document.querySelectorAll('#network-map g[role=button]')].flatMap((one) => { \
     const frame = one.querySelector('rect').getBBox(); \
     const texts = [...one.querySelectorAll('text')].filter((text) => text.textContent !== '').map((text) => text.getBBox()); \
     const isIn = (text) => text.x >= frame.x - 1 && text.x + text.width <= frame.x + frame.width + 1; \
     const isApart = texts.every((text, at) => texts.every((other, place) => at >= place || text.x + text.width <= other.x || other.x + other.width <= text.x || Math.abs(text.y - other.y) > 8)); \
     return texts.every(isIn) && isApart ? [] : [one.dataset.name]; }).join(', ')";

/// Looks at each section in this width and colour.
fn look_around(browser: &mut Browser, width: u32, scheme: &str) {
    browser.prefer(scheme);
    browser.size(width, 900);
    for section in ["now", "desk", "calls", "runs", "map"] {
        browser.click(&format!("nav a[href='#{section}']"));
        browser.until(&format!("!document.getElementById('section-{section}').hidden"));
        browser.until("document.documentElement.scrollWidth <= innerWidth");
        browser.picture(&format!("large-{section}-{scheme}-{width}"));
    }
    browser.until(
        "document.querySelectorAll('#network-map g[data-kind=\"trunk group\"] text').length > 0",
    );
    assert_eq!(browser.look(FITS), "", "at {width}, {scheme}");
}

#[test]
fn sixty_trunk_groups_and_forty_psaps_can_be_read_and_cost_a_browser_little() {
    let folder = tempfile::tempdir().expect("a folder");
    let sites = Arc::new(Simulated {
        network: network(),
        feed: LiveFeed::default(),
        canaries: Canaries::default(),
        command_log: CommandLog::default(),
        start: Instant::now(),
        is_ill: AtomicBool::new(false),
    });
    let (address, plain) = (([127, 0, 0, 1], 0).into(), TlsArgs::default());
    let listener = ConsoleListener::bind(address, &plain, folder.path()).expect("a console");
    let link = listener.link();
    let settings = ConsoleSettings {
        runs: folder.path().to_owned(),
        campaigns: Vec::new(),
        program: system_tests::program::tocsin().to_owned(),
    };
    let live = Live::Here(Arc::clone(&sites) as Arc<dyn ManagedSites>, "simulated".to_owned());
    // It answers as long as this test lasts.
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let _console = listener.serve(settings, live).expect("it answers");
            std::future::pending::<()>().await;
        });
    });
    let mut browser = Browser::open(&link, 1280);
    browser.until("document.querySelectorAll('#network-map g[role=button]').length === 106");
    browser.until_says("#network-map g[data-name=alpha]", "1500 calls");
    browser.until_says("#network-map g[data-name=mobile-03]", "/s");
    look_around(&mut browser, 1280, "light");

    // All is well: no way is drawn but those of the box that has the focus.
    let drawn = "[...document.querySelectorAll('#network-map .link')].filter((one) => !one.hidden && !one.hasAttribute('hidden')).length";
    browser.look("document.querySelector('#network-map g[data-name=\"mobile-03\"]').focus()");
    browser.until(&format!("({drawn}) === 6"));
    browser.until_says("#map-chosen", "trunk group mobile-03: mobile-03 → alpha");
    // What is in trouble is drawn whatever one looks at: a way that is cut, and six that are impaired. That a site is dead stands on the site.
    sites.is_ill.store(true, Ordering::Relaxed);
    browser.until_says("#network-map g[data-name=delta]", "✕ delta");
    browser.until_says("#network-map text.load", "✂ cut");
    browser.until_says("#network-map text.load", "≈");
    browser.until(&format!("({drawn}) === 6 + 1 + 6"));
    browser.until("document.querySelector('#network-map g[data-name=\"mobile-03\"]').getAttribute('aria-label').includes('5 of 6 ways up')");
    browser.look("document.querySelector('#map-tables').closest('details').open = true");
    browser.until("document.querySelectorAll('#map-tables tbody tr').length > 600");
    browser.until_says("#map-tables", "cut");
    browser.picture("large-map-ill");
    browser.look("document.querySelector('#map-tables').closest('details').open = false");
    for (width, scheme) in [(1280, "dark"), (390, "light"), (390, "dark")] {
        look_around(&mut browser, width, scheme);
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());

    // What a state costs the browser, for docs/console.md: printed, and no limit, as machines differ.
    browser.size(1280, 900);
    for section in ["map", "now", "desk"] {
        browser.click(&format!("nav a[href='#{section}']"));
        let states = if std::env::var_os("TOCSIN_PICTURES").is_some() { 20 } else { 2 };
        let costs = browser.costs_until(&format!(
            "(window.begun ??= [{section:?}, performance.now()], window.begun[0] === {section:?} ? performance.now() - window.begun[1] > {states} * 1000 : (window.begun = undefined, false))"
        ));
        println!("{section}: in {states} states {costs}");
    }
}
