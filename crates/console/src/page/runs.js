// Runs: start a campaign with changed values, and what became of those before.

import { get, openFile, post, sentence } from "./api.js";
import { byId, calmly, el, field, millis, percent, put, renew, select, table } from "./draw.js";

let form = null;
let campaigns = [];
let checks = 0;
const chosen = new Set();

export function begin(known) {
  form = byId("start-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start(request(), known);
  });
  setInterval(() => known.shown === "runs" && list(known), 3000);
}

/** Everything of the section anew. */
export async function refresh(known) {
  await list(known);
  const answer = await get("/v1/campaigns");
  campaigns = answer.ok ? answer.body.campaigns : [];
  if (!form.elements.file) fields();
}

function fields() {
  if (campaigns.length === 0) {
    put(form, el("p", {}, "This page belongs to one run. tocsin console starts others."));
    return;
  }
  const again = calmly(check, 300);
  put(form,
    el("h3", {}, "Start a campaign"),
    el("div", { class: "row" },
      field("Campaign", select("file", campaigns.map((one) => one.file), { onchange: () => { text(); again(); } })),
      field("Seed", el("input", { name: "seed", inputmode: "numeric", placeholder: "as the file", oninput: again })),
      field("Length", el("input", { name: "duration", placeholder: "as the file", oninput: again })),
      field("Highest rate", el("input", { name: "rate", inputmode: "decimal", placeholder: "as the file", oninput: again }))),
    field("Changed values, one KEY=VALUE on a line", el("textarea", { name: "set", rows: 3, spellcheck: "false", placeholder: "callers.talk=3s\nsites.alpha.max_calls=10", oninput: again })),
    el("details", {}, el("summary", {}, "The file"), el("pre", { id: "campaign-text", tabindex: 0 })),
    el("pre", { id: "check", role: "status", tabindex: 0 }),
    el("div", { class: "row end" }, el("button", { type: "submit", id: "start" }, "Start")));
  text();
  check();
}

function text() {
  put(byId("campaign-text"), campaigns.find((one) => one.file === form.elements.file.value)?.text ?? "");
}

function request() {
  const { file, set, seed, duration, rate } = form.elements;
  const asked = { file: file.value, set: set.value.split("\n").map((line) => line.trim()).filter((line) => line !== "") };
  if (seed.value.trim()) asked.seed = Number(seed.value);
  if (duration.value.trim()) asked.duration = duration.value.trim();
  if (rate.value.trim()) asked.rate = Number(rate.value);
  return asked;
}

async function check() {
  checks += 1;
  const own = checks;
  const answer = await post("/v1/check", request());
  if (own !== checks) return;
  const isRight = answer.ok && answer.body.is_right;
  const box = byId("check");
  box.dataset.tone = isRight ? "well" : "ill";
  put(box, `${isRight ? "✓ right" : "✗ not right"}\n${answer.ok ? answer.body.text : sentence(answer)}`);
  byId("start").disabled = !isRight;
}

async function start(asked, known) {
  const note = byId("runs-note");
  put(note, "starting …");
  const answer = await post("/v1/runs", asked);
  put(note, answer.ok ? `${answer.body.run} has begun` : `not started: ${sentence(answer)}`);
  list(known);
}

async function list(known) {
  const answer = await get("/v1/runs");
  if (!answer.ok) {
    put(byId("runs-note"), answer.status === 0 ? "Nobody answers: what you see is what was." : sentence(answer));
    return;
  }
  const { runs, attached, can_start: canStart } = answer.body;
  const n = (text) => ({ number: text });
  const rows = runs.map((run) => {
    const goesOn = ["running", "starting"].includes(run.verdict);
    const acts = el("span", { class: "acts" },
      el("button", { type: "button", "data-key": `look ${run.name}`, onclick: () => detail(run.name) }, "Look"),
      goesOn ? el("button", { type: "button", class: "danger", "data-key": `stop ${run.name}`, onclick: () => stop(run.name, known) }, "Stop") : null,
      canStart && !goesOn ? el("button", { type: "button", "data-key": `again ${run.name}`, onclick: () => start({ again: run.name }, known) }, "Run again") : null);
    const tick = el("input", { type: "checkbox", "data-key": `tick ${run.name}`, "aria-label": `compare ${run.name}`, checked: chosen.has(run.name), onchange: (event) => choose(run.name, event.target) });
    const tone = { pass: "well", fail: "ill", degraded: "odd", invalid: "odd", broken: "ill" }[run.verdict] ?? "";
    const sign = { pass: "✓", fail: "✗", degraded: "!", invalid: "?", broken: "✕", running: "▶", starting: "▲" }[run.verdict] ?? "";
    return [el("span", {}, tick, " ", run.name, run.name === attached ? el("b", {}, " · on the map") : null), run.campaign,
      el("span", { "data-tone": tone }, `${sign} ${run.verdict}`), n(String(run.attempts ?? "–")), n(percent(run.asr)), n(millis(run.pdd_p99_us)), n(run.duration_s === null ? "–" : `${run.duration_s.toFixed(0)} s`), acts];
  });
  renew(byId("runs-table"), runs.length === 0 ? el("p", {}, "There is no run yet.") : table("Runs, the newest first; tick two to compare them", ["run", "campaign", "verdict", "attempts", "ASR", "pdd p99", "length", ""], rows));
}

function choose(name, box) {
  if (box.checked) chosen.add(name);
  else chosen.delete(name);
  if (chosen.size === 2) compare(...chosen);
}

async function compare(after, before) {
  chosen.clear();
  const answer = await get(`/v1/compare?${new URLSearchParams({ before, after })}`);
  const box = byId("run-detail");
  box.hidden = false;
  put(box, el("h3", {}, `${before} and ${after}`), el("pre", { tabindex: 0 }, answer.ok ? answer.body.text : sentence(answer)));
  for (const tick of document.querySelectorAll("#runs-table input")) tick.checked = false;
  box.scrollIntoView({ block: "nearest" });
}

async function stop(name, known) {
  const answer = await post(`/v1/runs/${encodeURIComponent(name)}/stop`);
  put(byId("runs-note"), answer.ok ? `${name}: ${answer.body.done}` : sentence(answer));
  list(known);
}

async function detail(name) {
  const answer = await get(`/v1/runs/${encodeURIComponent(name)}`);
  const box = byId("run-detail");
  box.hidden = false;
  if (!answer.ok) {
    put(box, sentence(answer));
    return;
  }
  const run = answer.body;
  const said = el("p", { role: "status" });
  const open = async (file) => { put(said, (await openFile(run.name, file)) ?? `${file} opens in a window of its own`); };
  const { summary } = run;
  put(box, el("h3", {}, run.name), el("p", {}, summary ? `${summary.verdict.toUpperCase()} ${(summary.reasons ?? []).join("; ")}` : run.standing),
    run.command ? el("p", {}, el("code", {}, run.command)) : null,
    run.complained ? el("pre", { tabindex: 0 }, run.complained) : null,
    el("p", { class: "acts" }, run.files.map((file) => el("button", { type: "button", class: "link", onclick: () => open(file) }, file))),
    el("p", { class: "acts" }, el("button", { type: "button", onclick: () => dispatchEvent(new CustomEvent("calls-of", { detail: run.name })) }, "Its calls")),
    said);
  box.scrollIntoView({ block: "nearest" });
}
