// What stands until somebody ends it: commands that wait after their canary, and faults that act. Whoever watches sees them and may
// end them.

import { byId, el, put, span } from "./draw.js";

/** What is shown, so that a button that has the focus is not drawn anew each second. */
let shown = "";

/** Draws it; `act(path, body, method)` asks for something and tells what came of it. */
export function draw(known, act) {
  const { state } = known;
  const canaries = state?.canaries ?? [];
  const faults = state?.run?.impaired ?? [];
  const key = JSON.stringify([canaries.map((one) => one.id), faults.map((one) => [one.number, one.until_s])]);
  if (key !== shown) {
    shown = key;
    const held = document.activeElement?.closest?.("#standing li")?.dataset.key;
    put(byId("standing"), el("h3", {}, "What stands"),
      canaries.length + faults.length === 0 ? el("p", { class: "note" }, "No canary waits, and no fault acts.") : null,
      el("ul", { class: "plain" }, canaries.map((one) => canary(one, act)), faults.map((one) => fault(one, act))));
    // What was ended is gone: the next one takes the focus, for whoever works by keyboard.
    if (held !== undefined) (document.querySelector(`#standing li[data-key="${held}"] button`) ?? document.querySelector("#standing button"))?.focus();
  }
  for (const one of canaries) tellTime(`canary-${one.id}`, ` lapses in ${span(one.lapses_in_s)}`);
  const now = state?.run?.elapsed_s ?? 0;
  for (const one of faults) tellTime(`fault-${one.number}`, one.until_s === null ? " until somebody ends it" : ` for ${span(one.until_s - now)} more`);
}

function tellTime(key, text) {
  const place = document.querySelector(`#standing li[data-key="${key}"] time`);
  if (place && place.textContent !== text) place.textContent = text;
}

function canary(one, act) {
  const got = one.results.map((it) => `${it.name}: ${it.result.replace("_", " ")}`).join(", ");
  const end = (how) => act(`/v1/canaries/${one.id}/${how}`, {});
  return el("li", { "data-key": `canary-${one.id}`, class: "standing" },
    el("span", {}, "◔ ", el("b", {}, `${one.command}`), ` waits for ${one.waits.join(", ")} · ${got} · canary ${one.id} by ${one.by} ·`, el("time", {})),
    el("span", { class: "acts" },
      el("button", { type: "button", "data-act": "continue", onclick: () => end("continue") }, "Continue"),
      el("button", { type: "button", "data-act": "abandon", onclick: () => end("abandon") }, "Abandon")));
}

const SIGNS = { killed: "✕", frozen: "‖", impaired: "≈" };
const ENDS = { killed: "Give power back", frozen: "Let it go on", impaired: "Heal" };

function fault(one, act) {
  const of = one.other ? `${one.of} and ${one.other}` : one.of;
  return el("li", { "data-key": `fault-${one.number}`, class: "standing" },
    el("span", {}, `${one.what.includes("cut") ? "✂" : SIGNS[one.kind] ?? "!"} `, el("b", {}, of), `: ${one.what} · fault ${one.number} by ${one.by ?? "the campaign"} ·`, el("time", {})),
    el("span", { class: "acts" }, el("button", { type: "button", "data-act": "heal", onclick: () => act(`/v1/faults/${one.number}`, {}, "DELETE") }, ENDS[one.kind] ?? "End it")));
}
