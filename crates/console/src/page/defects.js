// Latent defects: armed and taken out by hand, in the software that runs; or with a release that has them.

import { ask, post, sentence } from "./api.js";
import { byId, calmly, el, field, put, select } from "./draw.js";

/** What each key of a defect is. */
const KEYS = {
  number: ["Number that triggers it", "112"], numbers: ["Numbers that it counts", "15 112"], busy: ["Calls that must be in progress", "0"],
  ceiling: ["Calls that it serves", "100"], window: ["Messages so close to each other", "10ms"],
};

/** What the desk has for all its forms. */
let desk = null;
let asked = 0;

export function lay(known, shared) {
  desk = shared;
  const { network } = known;
  const form = byId("defect-form");
  const again = calmly(() => blast(), 150);
  const releases = network.releases.filter((one) => one.defects.length > 0);
  put(form,
    el("h3", {}, "Arm a latent defect"),
    field("Defect", select("defect", network.defects.map((one) => one.name), { onchange: () => { keys(network, again); again(); } })),
    el("div", { id: "defect-keys", class: "row" }),
    el("fieldset", {}, el("legend", {}, "Sites"), el("div", { class: "ticks" }, network.sites.map((one) => el("label", { class: "tick" },
      el("input", { type: "checkbox", name: "site", value: one.name, onchange: again }), el("span", {}, one.name), el("small", { "data-defects": one.name }))))),
    el("div", { id: "defect-blast", role: "status", class: "blast" }),
    el("div", { class: "row end" }, el("button", { type: "button", id: "disarm", onclick: () => change(false) }, "Take it out"), el("button", { type: "submit", id: "arm", class: "danger", disabled: true }, "Arm it")),
    releases.length === 0 ? null : el("p", { class: "note" }, `Releases that have some: ${releases.map((one) => `${one.name} (${one.defects.join(", ")})`).join("; ")}. To load one is a command above.`));
  form.onsubmit = (event) => { event.preventDefault(); change(true); };
  keys(network, again);
  blast();
}

/** What sleeps at each site now. */
export function draw(known) {
  for (const site of known.state?.sites ?? []) {
    const beside = document.querySelector(`#defect-form small[data-defects="${CSS.escape(site.name)}"]`);
    const text = site.defects.length === 0 ? " none" : ` ☠ ${site.defects.join(", ")}`;
    if (beside && beside.textContent !== text) beside.textContent = text;
  }
}

function keys(network, again) {
  const of = network.defects.find((one) => one.name === byId("defect-form").elements.defect.value)?.keys ?? [];
  put(byId("defect-keys"), of.map((key) => field(KEYS[key]?.[0] ?? key, el("input", { name: key, value: KEYS[key]?.[1] ?? "", required: true, oninput: again }))));
}

/** The sites that are ticked, and the defect with its keys as text. */
function wanted() {
  const form = byId("defect-form");
  const sites = [...form.querySelectorAll("input[name=site]:checked")].map((one) => one.value);
  const given = [...byId("defect-keys").querySelectorAll("input")].map((one) => [one.name, one.value.trim()]);
  return { sites, defect: form.elements.defect.value, given };
}

/** What it would touch, by the same rules as a command. */
async function blast() {
  asked += 1;
  const own = asked;
  const box = byId("defect-blast");
  const { sites, defect, given } = wanted();
  byId("arm").disabled = true;
  if (sites.length === 0) {
    box.dataset.tone = "";
    put(box, "Tick the sites.");
    return;
  }
  const words = given.map(([key, value]) => `${key}=${value.split(/[\s,]+/).join(",")}`);
  const answer = await post("/v1/blast-radius", { command: ["arm", defect, ...words].join(" "), sites, by: desk.author() });
  if (own !== asked) return;
  if (!answer.ok) {
    box.dataset.tone = "ill";
    put(box, sentence(answer));
    return;
  }
  const { touched, of, against } = answer.body;
  box.dataset.tone = against.length > 0 ? "ill" : "well";
  put(box, el("p", {}, el("b", {}, `touches ${touched}/${of} sites`), ", and shows nothing until its trigger comes"), against.map((text) => el("p", {}, `! ${text}`)));
  byId("arm").disabled = false;
}

async function change(armed) {
  const { sites, defect, given } = wanted();
  if (sites.length === 0) {
    put(byId("defect-blast"), "Tick the sites.");
    return;
  }
  const body = { by: desk.author(), sites, defect };
  if (armed) {
    for (const [key, value] of given) body[key] = key === "numbers" ? value.split(/[\s,]+/) : ["busy", "ceiling"].includes(key) ? Number(value) : value;
  }
  const lines = [...document.querySelectorAll("#defect-blast p")].map((line) => line.textContent);
  const title = armed ? `Arm ${defect} at ${sites.join(", ")}?` : `Take ${defect} out at ${sites.join(", ")}?`;
  if (!(await desk.confirmed(title, [...(armed ? lines : []), `In the chronicle: ${body.by}`]))) return;
  const answer = await ask(armed ? "POST" : "DELETE", "/v1/defects", body);
  if (!answer.ok) desk.tell(`✗ ${sentence(answer)}`, "ill");
  else for (const one of answer.body.results) desk.told(one, `${armed ? "arm" : "disarm"} ${defect}`);
}
