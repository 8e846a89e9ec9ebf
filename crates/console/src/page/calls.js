// Calls: those in progress, those that failed, that were slowest, or the latest. A click opens the story of one (story.js).

import { get, sentence } from "./api.js";
import { byId, calmly, el, field, put, renew, select, span, table } from "./draw.js";
import * as story from "./story.js";

const CHOICES = [["failed", "failed"], ["now", "in progress, the newest"], ["now-oldest", "in progress, the oldest"], ["slowest", "slowest to ring"], ["all", "the latest that are over"]];

let form = null;
let askedFor = 0;

export function begin(known) {
  form = byId("calls-form");
  const again = calmly(() => refresh(known), 250);
  put(form,
    field("Which", select("choice", CHOICES, { onchange: again })),
    field("Search", el("input", { name: "search", type: "search", placeholder: "number, site, reason, id", oninput: again, maxlength: 100 })),
    field("Run", el("input", { name: "run", placeholder: "the one that goes on", oninput: again })),
    el("button", { type: "submit" }, "Look again"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    refresh(known);
  });
  addEventListener("calls-of", (event) => {
    form.elements.run.value = event.detail;
    if (isOfNow()) form.elements.choice.value = "failed";
    location.hash = "#calls";
  });
  // Boxes are asked for their calls as long as somebody looks, and no longer.
  setInterval(() => {
    const isSeen = known.shown === "calls" && known.isLive && document.visibilityState === "visible";
    // Nothing moves away under a pointer.
    const isPointedAt = matchMedia("(hover: hover)").matches && byId("calls-table").matches(":hover");
    if (isOfNow() && isSeen && !isPointedAt) refresh(known);
  }, 2000);
}

const isOfNow = () => form.elements.choice.value.startsWith("now");

export async function refresh(known) {
  form.elements.run.disabled = isOfNow();
  askedFor += 1;
  const own = askedFor;
  const answer = isOfNow() ? await inProgress(known) : await overNow(known);
  if (own !== askedFor) return;
  put(byId("calls-of"), answer.of);
  renew(byId("calls-table"), answer.table);
}

const n = (text) => ({ number: text });
const opener = (attempt, act) => el("button", { type: "button", class: "link", "data-key": `call ${attempt}`, onclick: act }, attempt.slice(0, 12));

/** Calls that go on, as all boxes know them at this moment. */
async function inProgress(known) {
  const query = new URLSearchParams({ order: form.elements.choice.value === "now" ? "newest" : "oldest", search: form.elements.search.value });
  const answer = await get(`/v1/calls?${query}`);
  if (!answer.ok) return { of: sentence(answer), table: null };
  const { calls, total, searched, silent } = answer.body;
  const rest = form.elements.search.value.trim() ? ` with these words, of ${searched} looked through` : "";
  const mute = silent.length === 0 ? "" : `; no answer from ${silent.join(", ")}: what only they know is missing`;
  const run = known.state?.run?.run;
  const now = Date.now();
  const since = (ms) => n(span((now - ms) / 1000));
  const rows = calls.map((call) => [opener(call.attempt, () => story.showLive(known, run, call.attempt)), el("span", { "data-tone": call.state === "talking" ? "well" : null }, `${SIGNS[call.state] ?? ""} ${call.state}`),
    since(call.since_ms), since(call.start_ms), call.caller, call.number, call.trunk_group, call.site, call.psap]);
  return {
    of: `${calls.length === 0 ? "none" : calls.length}${rest}; ${total} in progress${mute}`,
    table: calls.length === 0 ? null : table("Calls in progress, looked at every two seconds unless the pointer is on them", ["call", "state", "for", "in all", "caller", "number", "from", "site", "PSAP"], rows),
  };
}

const SIGNS = { placed: "…", queued: "≡", ringing: "◔", talking: "●", ending: "■" };

/** Calls that are over. */
async function overNow(known) {
  const run = form.elements.run.value.trim() || known.state?.run?.run || "latest";
  const query = new URLSearchParams({ choice: form.elements.choice.value, search: form.elements.search.value });
  const answer = await get(`/v1/runs/${encodeURIComponent(run)}/calls?${query}`);
  if (!answer.ok) return { of: sentence(answer), table: null };
  const { calls, of } = answer.body;
  const counts = known.state?.run?.run === run ? `; ${known.state.run.counts.in_progress} are in progress` : "";
  const figure = (value) => n(value === null ? "–" : value.toFixed(1));
  const rows = calls.map((call) => [opener(call.attempt, () => story.show(run, call.attempt)), figure(call.at_s), call.number, call.trunk_group, call.site, call.psap,
    call.outcome.replace("_", " "), call.status === null ? "–" : String(call.status), figure(call.pdd_ms), call.why]);
  return {
    of: `${run}: ${calls.length === 0 ? "none" : calls.length} of ${of}${counts}`,
    table: calls.length === 0 ? null : table("Calls", ["call", "at s", "number", "from", "site", "PSAP", "outcome", "status", "rang after ms", "why"], rows),
  };
}
