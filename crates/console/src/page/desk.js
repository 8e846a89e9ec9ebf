// The operator's desk: commands to sites, faults, and the load. What an act would touch is said before it is done, and each act
// stands in the chronicle with the words of whoever did it.

import { ask, post, sentence } from "./api.js";
import { byId, calmly, clock, el, field, put, select } from "./draw.js";
import * as defects from "./defects.js";
import * as standing from "./standing.js";

/** Commands: the word, what it does, and what it wants to know. */
const COMMANDS = [
  ["lock", "take no new calls"], ["unlock", "take calls again"], ["drain", "have new calls led elsewhere"],
  ["disconnect", "cut the links towards trunk groups", "group"], ["reconnect", "bring these links back", "group"],
  ["isolate", "cut the site off from pool and trunk groups"], ["rejoin", "end an isolation"],
  ["restart", "start again: calls are lost", "clean"], ["load", "load a software release, and start again with it", "release"],
  ["rollback", "go back to the release before"], ["shed", "refuse ordinary calls, or nothing", "class"],
  ["block", "refuse calls for a number", "number"], ["unblock", "take calls for a number again", "number"],
  ["power off", "switch the machine off"], ["power on", "switch the machine on"], ["power cycle", "off, and on at once"],
];
const FAULTS = [
  ["kill", "loses power"], ["restart", "gets power back"], ["freeze", "stands still for a while"],
  ["cut", "nothing passes"], ["impair", "packets are lost or late"],
];

let picked = [];
let blasts = 0;

export function begin(known) {
  put(byId("author"), el("div", { class: "row" },
    field("Who you are", el("input", { id: "who", maxlength: 24, value: sessionStorage.getItem("tocsin-who") ?? "console", onchange: (event) => sessionStorage.setItem("tocsin-who", event.target.value) })),
    field("Why you do it", el("input", { id: "why", maxlength: 60, placeholder: "your words, in the chronicle" }))));
  byId("command-form").addEventListener("submit", (event) => { event.preventDefault(); command(known); });
  byId("fault-form").addEventListener("submit", (event) => { event.preventDefault(); fault(); });
  byId("surge-form").addEventListener("submit", (event) => { event.preventDefault(); surge(); });
  addEventListener("pick", (event) => pick(known, event.detail));
  loadForm();
}

/** Who does it, and why, in one line. */
function author() {
  const [who, why] = [byId("who").value.trim() || "console", byId("why").value.trim()];
  return why ? `${who}: ${why}` : who;
}

/** The forms, for the network that there is. */
export function lay(known) {
  const { network } = known;
  const form = byId("command-form");
  const again = calmly(() => blast(known), 150);
  picked = [];
  const site = (one) => el("label", { class: "tick" }, el("input", { type: "checkbox", name: "site", value: one.name, onchange: (event) => { order(one.name, event.target.checked); again(); } }),
    el("span", {}, one.name), el("small", { "data-site": one.name }));
  put(form,
    el("h3", {}, "Command sites"),
    field("Command", select("command", COMMANDS.map(([word, does]) => [word, `${word} – ${does}`]), { onchange: () => { parameter(known); again(); } })),
    el("div", { id: "parameter" }),
    el("fieldset", {}, el("legend", {}, "Sites, in the order in which you tick them"),
      el("div", { class: "ticks" }, network.sites.map(site)),
      el("div", { class: "acts" },
        el("button", { type: "button", class: "link", onclick: () => { all(network, true); again(); } }, "all"),
        el("button", { type: "button", class: "link", onclick: () => { all(network, false); again(); } }, "none")),
      el("p", { id: "order", class: "note" })),
    el("div", { class: "row" },
      field("Manner", select("manner", [["serial", "one after the other"], ["parallel", "all at once"]], { onchange: again })),
      field("Between two sites", el("input", { name: "interval", value: "10s", oninput: again })),
      field("Wait for an answer", el("input", { name: "timeout", value: "30s", oninput: again }))),
    el("label", { class: "tick" }, el("input", { type: "checkbox", name: "canary", checked: true, onchange: again }), el("span", {}, "Canary: the first site alone; the others when you say so")),
    el("label", { class: "tick" }, el("input", { type: "checkbox", name: "console", onchange: again }), el("span", {}, "At the console of the machine: it works whatever the software does")),
    el("div", { id: "blast", role: "status", class: "blast" }),
    el("div", { class: "row end" }, el("button", { type: "submit", id: "give", disabled: true }, "Give the command")));
  parameter(known);
  faultForm(network);
  surgeForm(network);
  defects.lay(known, { confirmed, tell, told, author });
  blast(known);
}

/** The sites' states beside their names, so that nobody locks what is down. */
export function draw(known) {
  for (const site of known.state?.sites ?? []) {
    const beside = document.querySelector(`#command-form small[data-site="${CSS.escape(site.name)}"]`);
    if (beside) beside.textContent = ` ${site.state} · ${site.calls} calls`;
  }
  standing.draw(known, end);
  defects.draw(known);
  const load = known.state?.run?.load ?? [];
  const told = load.length === 0 ? "As many calls as the campaign has." : `Now, by hand: ${load.join("; ")}`;
  if (byId("load-now").textContent !== told) byId("load-now").textContent = told;
}

/** Ends something that stands, and tells what came of it. */
async function end(path, body, method = "POST") {
  const answer = await ask(method, path, { ...body, by: author() });
  if (!answer.ok) tell(`✗ ${sentence(answer)}`, "ill");
  else if (answer.body.done) tell(`✓ ${answer.body.done}`, "well");
  else for (const one of answer.body.results) told(one, "continued");
}

function order(name, isTicked) {
  picked = picked.filter((one) => one !== name);
  if (isTicked) picked.push(name);
  put(byId("order"), picked.length > 1 ? `order: ${picked.join(", ")}` : "");
}

function all(network, isTicked) {
  picked = [];
  for (const box of document.querySelectorAll("#command-form input[name=site]")) box.checked = isTicked;
  for (const site of network.sites) order(site.name, isTicked);
}

function pick(known, { kind, name }) {
  if (kind === "site") {
    all(known.network, false);
    const box = document.querySelector(`#command-form input[name=site][value="${CSS.escape(name)}"]`);
    if (box) box.checked = true;
    order(name, true);
    blast(known);
    byId("command-form").elements.command.focus();
  } else {
    const form = byId("fault-form").elements;
    if (kind === "trunk group") form.fault.value = "cut";
    faultFields();
    form.target.value = name;
    form.fault.focus();
  }
}

/** What the command wants to know. */
function parameter(known) {
  const form = byId("command-form");
  const [, , wants] = COMMANDS.find(([word]) => word === form.elements.command.value);
  const again = calmly(() => blast(known), 150);
  const fields = {
    group: () => field("Towards", select("parameter", [["", "all trunk groups"], ...known.network.trunk_groups.map((one) => one.name)], { onchange: again })),
    clean: () => field("Stored configuration", select("parameter", [["", "kept"], ["clean", "left behind (clean)"]], { onchange: again })),
    release: () => field("Release", select("parameter", known.network.releases.map((one) => [one.name, one.defects.length ? `${one.name} (defects: ${one.defects.join(", ")})` : one.name]), { onchange: again })),
    class: () => field("Refuse", select("parameter", ["ordinary", "nothing"], { onchange: again })),
    number: () => field("Number", el("input", { name: "parameter", required: true, oninput: again })),
  };
  put(byId("parameter"), wants ? fields[wants]() : null);
}

/** The command as the API takes it. */
function request(sites) {
  const { command: word, parameter: more, manner, interval, timeout, console: atConsole } = byId("command-form").elements;
  const words = [atConsole.checked ? "console" : "", word.value, more?.value ?? ""].filter((one) => one !== "").join(" ");
  return { command: words, sites, manner: manner.value, interval: interval.value || "0s", timeout: timeout.value || "30s", by: author(), wait: false };
}

/** What it would touch, as one fills the form in. */
async function blast(known) {
  blasts += 1;
  const own = blasts;
  const box = byId("blast");
  const give = byId("give");
  give.disabled = true;
  if (picked.length === 0) {
    box.dataset.tone = "";
    put(box, "Tick the sites.");
    return;
  }
  const form = byId("command-form").elements;
  const canary = form.canary.checked && picked.length > 1;
  const answer = await post(`/v1/blast-radius?canary=${canary}`, request(picked));
  if (own !== blasts) return;
  if (!answer.ok) {
    box.dataset.tone = "ill";
    put(box, sentence(answer));
    return;
  }
  const { touched, of, against } = answer.body;
  box.dataset.tone = against.length > 0 ? "ill" : "well";
  const window = known.network.detection_s.toFixed(1);
  put(box, el("p", {}, el("b", {}, `touches ${touched}/${of} sites`), ` – the pool finds a dead site within ${window} s`),
    against.map((text) => el("p", {}, `! ${text}`)), against.length === 0 ? el("p", {}, "✓ nothing speaks against it") : null);
  give.disabled = false;
  give.dataset.against = against.length;
}

/** Asks before something is done; true for yes. */
function confirmed(title, lines) {
  const dialog = byId("confirm");
  put(byId("confirm-title"), title);
  put(byId("confirm-text"), lines.map((line) => el("p", {}, line)));
  dialog.showModal();
  byId("confirm-no").focus();
  return new Promise((done) => {
    const end = (answer) => () => { dialog.close(); done(answer); };
    byId("confirm-yes").onclick = end(true);
    byId("confirm-no").onclick = end(false);
    dialog.oncancel = () => done(false);
  });
}

function tell(text, tone) {
  byId("desk-results").prepend(el("li", { "data-tone": tone }, el("time", {}, clock(Date.now())), " ", text));
}

async function command() {
  const form = byId("command-form").elements;
  const sites = [...picked];
  const whole = request(sites);
  const warnings = [...document.querySelectorAll("#blast p")].map((line) => line.textContent);
  const isCanary = form.canary.checked && sites.length > 1;
  const how = isCanary ? `${sites[0]} first, the others when you have looked` : whole.manner === "serial" ? `one after the other, ${whole.interval} between them` : "all at once";
  if (!(await confirmed(`${whole.command}: ${sites.join(", ")}`, [how, ...warnings, `In the chronicle: ${whole.by}`]))) return;
  await give(isCanary ? { ...whole, canary: true } : whole);
}

/** What one call server made of a command. */
function told(one, what) {
  const isWell = ["done", "accepted"].includes(one.result);
  tell(`${isWell ? "✓" : "✗"} ${one.name}: ${what}: ${one.result.replace("_", " ")}: ${one.text}`, isWell ? "well" : "ill");
}

/** Gives a command, and tells what came of it. */
async function give(asked) {
  tell(`${asked.command}: given to ${asked.canary ? `${asked.sites[0]} as a canary` : asked.sites.join(", ")} …`, "");
  const answer = await post("/v1/commands", asked);
  if (!answer.ok) {
    tell(`${asked.command}: ${sentence(answer)}`, "ill");
    return;
  }
  for (const one of answer.body.results) told(one, asked.command);
  const waits = answer.body.canary;
  if (waits) tell(`${asked.command} waits for ${waits.waits.join(", ")}: look at ${asked.sites[0]} on the map, then continue or abandon it above`, "odd");
}

function faultForm(network) {
  const form = byId("fault-form");
  const names = [...network.sites, ...network.psaps].map((one) => one.name);
  put(form,
    el("h3", {}, "Inject a fault"),
    el("div", { class: "row" },
      field("Fault", select("fault", FAULTS.map(([word, does]) => [word, `${word} – ${does}`]), { onchange: faultFields })),
      field("Of", select("target", [...names, ...network.trunk_groups.map((one) => one.name)])),
      field("Only the way to", select("other", [["", "everybody"], ...network.trunk_groups.map((one) => one.name), ...names])),
      field("For", el("input", { name: "lasts", value: "30s" })),
      field("Lost share", el("input", { name: "loss", inputmode: "decimal", placeholder: "0.05" })),
      field("Delay", el("input", { name: "delay", placeholder: "80ms" })),
      field("Jitter", el("input", { name: "jitter", placeholder: "20ms" }))),
    el("div", { class: "row end" }, el("button", { type: "submit", class: "danger" }, "Inject")));
  faultFields();
}

/** Only what a fault knows is asked. */
function faultFields() {
  const form = byId("fault-form").elements;
  const word = form.fault.value;
  const uses = { kill: [], restart: [], freeze: ["lasts"], cut: ["other", "lasts"], impair: ["other", "lasts", "loss", "delay", "jitter"] }[word];
  for (const name of ["other", "lasts", "loss", "delay", "jitter"]) form[name].closest("label").hidden = !uses.includes(name);
}

async function fault() {
  const { fault: word, target, other, lasts, loss, delay, jitter } = byId("fault-form").elements;
  const asked = { by: author() };
  if (["kill", "restart", "freeze"].includes(word.value)) {
    asked[word.value] = target.value;
  } else {
    if (other.value) asked.between = [target.value, other.value];
    else asked.of = target.value;
    if (word.value === "cut") asked.cut = true;
    else {
      if (loss.value) asked.loss = Number(loss.value);
      if (delay.value) asked.delay = delay.value;
      if (jitter.value) asked.jitter = jitter.value;
    }
  }
  if (!lasts.closest("label").hidden && lasts.value) asked.for = lasts.value;
  const where = asked.between ? asked.between.join(" and ") : target.value;
  if (!(await confirmed(`${word.value} ${where}?`, [`In the chronicle: ${asked.by}`]))) return;
  const answer = await post("/v1/faults", asked);
  tell(answer.ok ? `✓ ${answer.body.done}` : `✗ ${sentence(answer)}`, answer.ok ? "well" : "ill");
}

function loadForm() {
  const act = async (asked) => {
    const answer = await post("/v1/load", { ...asked, by: author() });
    tell(answer.ok ? `✓ ${answer.body.done}` : `✗ ${sentence(answer)}`, answer.ok ? "well" : "ill");
  };
  const button = (text, asked, attributes = {}) => el("button", { type: "button", onclick: () => act(asked), ...attributes }, text);
  const factor = el("input", { name: "factor", inputmode: "decimal", value: "2", "aria-label": "factor" });
  put(byId("load-form"),
    el("h3", {}, "Load"),
    el("div", { class: "acts" }, button("Pause", { load: "pause" }), button("Resume", { load: "resume" }), button("× 0.5", { load: "rate", factor: 0.5 }), button("× 2", { load: "rate", factor: 2 }),
      el("span", {}, factor, " ", el("button", { type: "submit" }, "times as many calls")),
      el("button", { type: "button", class: "danger", onclick: async () => {
        if (await confirmed("End the campaign?", ["Nobody calls any more, and the run tells its result."])) act({ load: "drain" });
      } }, "End the campaign")),
    el("p", { id: "load-now", class: "note", role: "status" }));
  byId("load-form").addEventListener("submit", (event) => {
    event.preventDefault();
    act({ load: "rate", factor: Number(factor.value) });
  });
}

/** More calls from some communes for a while. */
function surgeForm(network) {
  const size = el("input", { name: "size", inputmode: "decimal", value: "3" });
  const inDepartments = [...new Set(network.communes.map((code) => code.slice(0, code.startsWith("97") ? 3 : 2)))];
  put(byId("surge-form"),
    el("h3", {}, "Surge"),
    el("datalist", { id: "known-communes" }, [...network.communes.slice(0, 500), ...inDepartments].map((value) => el("option", { value }))),
    field("Communes or departments, by INSEE code", el("input", { name: "communes", list: "known-communes", required: true, placeholder: [...network.communes.slice(0, 2), inDepartments[0]].join(" ") })),
    el("div", { class: "row" },
      field("How much", select("unit", [["factor", "times as many"], ["rate", "more a second"]])),
      field("By", size),
      field("For", el("input", { name: "lasts", value: "60s", required: true }))),
    el("div", { class: "row end" }, el("button", { type: "submit", class: "danger", disabled: network.communes.length === 0 }, "Let them call")),
    network.communes.length === 0 ? el("p", { class: "note" }, "No caller of this campaign is in a commune: its mix names none.") : null);
}

async function surge() {
  const { communes, unit, size, lasts } = byId("surge-form").elements;
  const asked = { load: "surge", communes: communes.value.trim().split(/[\s,]+/), [unit.value]: Number(size.value), for: lasts.value, by: author() };
  const how = unit.value === "factor" ? `${asked.factor} times as many calls` : `${asked.rate} more calls a second`;
  if (!(await confirmed(`Surge from ${asked.communes.join(", ")}?`, [`${how} for ${asked.for}; then as the campaign says.`, `In the chronicle: ${asked.by}`]))) return;
  const answer = await post("/v1/load", asked);
  tell(answer.ok ? `✓ ${answer.body.done}` : `✗ ${sentence(answer)}`, answer.ok ? "well" : "ill");
}
