// The page: which section is shown, what is known of the network, and how the way to it stands.

import { follow, get } from "./api.js";
import { byId, clock, happened, put, span } from "./draw.js";
import * as map from "./map.js";
import * as now from "./now.js";
import * as desk from "./desk.js";
import * as calls from "./calls.js";
import * as runs from "./runs.js";

const SECTIONS = ["map", "now", "desk", "calls", "runs"];
const LINES = 500;

/** What is known; sections read it and never write it. */
const known = { network: null, state: null, before: null, past: [], moments: [], lines: [], last: 0, shown: "map", isLive: false };

function show() {
  const wanted = location.hash.slice(1);
  if (!SECTIONS.includes(wanted) && wanted !== "") return;
  known.shown = SECTIONS.includes(wanted) ? wanted : "map";
  for (const name of SECTIONS) {
    byId(`section-${name}`).hidden = name !== known.shown;
    const link = document.querySelector(`nav a[href="#${name}"]`);
    if (name === known.shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  draw();
  if (known.shown === "runs") runs.refresh(known);
  if (known.shown === "calls") calls.refresh(known);
}

/** Draws what is shown, and what stands above every section. */
function draw() {
  const { state } = known;
  const run = state?.run;
  put(byId("run"), run ? `${run.campaign} · ${run.phase} · ${span(run.elapsed_s)} of ${span(run.length_s)} · ${run.status}` : known.network ? `network ${known.network.name}` : "no run");
  const against = [...(run?.against ?? []), ...(run?.alarms ?? []).map((alarm) => `alarm: ${alarm}`)];
  const box = byId("against");
  box.hidden = against.length === 0;
  put(box, against.map((text) => Object.assign(document.createElement("p"), { textContent: `! ${text}` })));
  if (known.shown === "map") map.draw(known);
  if (known.shown === "now") now.draw(known);
  if (known.shown === "desk") desk.draw(known);
}

/** Draws once for all that has come by the next frame; a page that nobody sees draws nothing. */
let isAwaited = false;
const arrived = [];
function soon() {
  if (isAwaited) return;
  isAwaited = true;
  requestAnimationFrame(() => {
    isAwaited = false;
    tellLines();
    draw();
  });
}

/** Lines of the chronicle that have come, into both lists at once. */
function tellLines() {
  if (arrived.length === 0) return;
  const lines = arrived.splice(0).slice(-LINES).reverse();
  for (const id of ["chronicle", "chronicle-whole"]) {
    const list = byId(id);
    list.prepend(...lines.map(happened));
    while (list.children.length > LINES) list.lastElementChild.remove();
  }
}

function connection(state, text) {
  const box = byId("connection");
  if (box.dataset.state !== state || box.textContent !== text) {
    box.dataset.state = state;
    box.textContent = text;
  }
  known.isLive = state === "live";
  document.body.dataset.live = String(known.isLive);
}

/** Says in large letters what has become of the run; nothing takes it away but the next run. */
function banner(text, kind) {
  const box = byId("banner");
  box.hidden = text === null;
  box.dataset.kind = kind ?? "";
  put(box, text ?? "");
}

function on(name, data) {
  if (name === "state") {
    if (known.isLive === false || data.run?.run !== known.state?.run?.run) connection("live", "live");
    // Calls per second are of the last seconds, so that they can be read.
    known.past = [...known.past, data].filter((one) => one.at_ms > data.at_ms - 5500 && one.run?.run === data.run?.run);
    known.before = known.past.length > 1 ? known.past[0] : null;
    known.state = data;
    const moment = data.run?.moment;
    if (moment && moment.at_s > (known.moments.at(-1)?.at_s ?? -1)) {
      known.moments.push(moment);
      if (known.moments.length > 600) known.moments.shift();
    }
    soon();
  } else if (name === "chronicle") {
    known.last = data.number;
    known.lines.unshift(data);
    known.lines.length = Math.min(known.lines.length, LINES);
    arrived.push(data);
    if (arrived.length > 2 * LINES) arrived.splice(0, LINES);
    soon();
  } else if (name === "missed") {
    on("chronicle", { number: known.last + data.lines, at_ms: Date.now(), at_s: null, kind: "note", text: `${data.lines} lines were missed: this page was too slow` });
  } else if (name === "end") {
    connection("ended", "ended");
    banner(`The run has ended: ${data.text}. What you see is what was.`, "ended");
    if (known.state?.run) known.state.run.status = "ended";
    tellLines();
    draw();
  }
}

/** A run begins to be watched: everything of the one before goes. */
async function begin() {
  const network = await get("/v1/network");
  if (!network.ok) return network;
  const isSame = JSON.stringify(network.body) === JSON.stringify(known.network);
  known.network = network.body;
  const history = await get("/v1/history");
  known.moments = history.ok ? history.body.moments : [];
  if (!isSame) {
    map.lay(known);
    desk.lay(known);
  }
  return network;
}

function forget() {
  Object.assign(known, { state: null, before: null, past: [], moments: [], lines: [], last: 0 });
  arrived.length = 0;
  put(byId("chronicle"));
  put(byId("chronicle-whole"));
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until the run has a verdict, and says it. */
async function verdict(run) {
  if (!run) return;
  for (let tries = 0; tries < 240; tries += 1) {
    const answer = await get(`/v1/runs/${encodeURIComponent(run)}`);
    const summary = answer.ok ? answer.body.summary : null;
    if (summary) {
      const reasons = (summary.reasons ?? []).join("; ");
      banner(`${summary.verdict.toUpperCase()}: the run ${run} has ended${reasons ? `: ${reasons}` : ""}. What you see is what was.`, summary.verdict);
      return;
    }
    if (answer.status === 0 || answer.status === 404) break;
    await pause(500);
  }
}

/** Watches whatever runs, for as long as the page is open. */
async function watch() {
  let lostAt = null;
  for (;;) {
    const begun = await begin();
    let ending;
    if (begun.ok) {
      lostAt = null;
      const watched = known.state?.run?.run ?? null;
      ending = await follow(known.last, (name, data) => {
        if (name === "state" && data.run && watched !== null && data.run.run !== watched && known.state?.run?.run === watched) {
          forget();
        }
        if (name === "state" && data.run?.status === "running" && byId("banner").dataset.kind !== "lost") banner(null);
        on(name, data);
      });
    } else {
      ending = { how: begun.status === 0 ? "broken" : "refused", status: begun.status, text: begun.body?.error };
    }
    if (ending.how === "end") {
      await verdict(known.state?.run?.run);
      const ended = known.state?.run?.run;
      await nextRun(ended);
      forget();
      banner(null);
      continue;
    }
    if (ending.how === "refused") {
      if (ending.status === 401) {
        connection("lost", "the link is not right");
        banner("This page has not the token of the console: open the link that it printed.", "lost");
        return;
      }
      if (known.state?.run && document.body.dataset.live === "true") {
        connection("lost", "lost");
        banner(`The run ${known.state.run.run} is gone without a word, since ${clock(Date.now())}. What you see is what was.`, "lost");
        await verdict(known.state.run.run);
        forgetRun();
      } else if (!known.state?.run) {
        connection("waiting", "no run goes on");
        // A run that calls a network of somebody else has no map, and says so.
        if (ending.status === 409 && !ending.text?.startsWith("no run goes on")) banner(ending.text, "lost");
      }
    } else {
      lostAt ??= Date.now();
      connection("lost", `lost since ${clock(lostAt)}`);
      if (Date.now() - lostAt > 1500 && byId("banner").dataset.kind !== "pass") {
        banner(`Nobody answers since ${clock(lostAt)}: the process is gone, or stands still. What you see is what was.`, "lost");
      }
    }
    await pause(lostAt === null ? 1500 : 1000);
  }
}

/** The next run begins at the first line. */
function forgetRun() {
  known.last = 0;
  if (known.state) known.state.run = { ...known.state.run, status: "ended" };
}

/** After the end: waits until another run goes on. */
async function nextRun(ended) {
  for (;;) {
    await pause(1500);
    const state = await get("/v1/state");
    if (state.ok && state.body.run && state.body.run.run !== ended && state.body.run.status !== "ended") return;
    if (state.status === 0) connection("ended", "ended");
  }
}

// Of token.js.
const { takeToken } = globalThis;
if (takeToken()) {
  addEventListener("hashchange", () => {
    if (takeToken()) show();
  });
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width && known.network) {
      width = innerWidth;
      map.lay(known);
      draw();
    }
  });
  desk.begin(known);
  calls.begin(known);
  runs.begin(known);
  show();
  watch();
} else {
  show();
  connection("lost", "no token");
  banner("This page has not the token of the console: open the whole link that it printed, with all that stands behind #.", "lost");
}
