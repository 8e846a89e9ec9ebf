// Calls: those that failed, that were slowest, or the latest; and the story of one.

import { get, save, sentence } from "./api.js";
import { byId, calmly, el, field, put, select, table } from "./draw.js";

let form = null;
let run = "latest";
let askedFor = 0;

export function begin(known) {
  form = byId("calls-form");
  const again = calmly(() => refresh(known), 250);
  put(form,
    field("Which", select("choice", [["failed", "failed"], ["slowest", "slowest to ring"], ["all", "the latest"]], { onchange: again })),
    field("Search", el("input", { name: "search", type: "search", placeholder: "number, site, reason, id", oninput: again, maxlength: 100 })),
    field("Run", el("input", { name: "run", placeholder: "the one that goes on", oninput: again })),
    el("button", { type: "submit" }, "Look again"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    refresh(known);
  });
  addEventListener("calls-of", (event) => {
    form.elements.run.value = event.detail;
    location.hash = "#calls";
  });
}

export async function refresh(known) {
  run = form.elements.run.value.trim() || known.state?.run?.run || "latest";
  askedFor += 1;
  const own = askedFor;
  const query = new URLSearchParams({ choice: form.elements.choice.value, search: form.elements.search.value });
  const answer = await get(`/v1/runs/${encodeURIComponent(run)}/calls?${query}`);
  if (own !== askedFor) return;
  const counts = known.state?.run?.run === run ? `; ${known.state.run.counts.in_progress} are in progress and stand here when they are over` : "";
  if (!answer.ok) {
    put(byId("calls-of"), sentence(answer));
    put(byId("calls-table"));
    return;
  }
  const { calls, of } = answer.body;
  put(byId("calls-of"), `${run}: ${calls.length === 0 ? "none" : calls.length} of ${of}${counts}`);
  const n = (value) => ({ number: value === null ? "–" : value.toFixed(1) });
  put(byId("calls-table"), calls.length === 0 ? null : table("Calls", ["call", "at s", "number", "from", "site", "PSAP", "outcome", "status", "rang after ms", "why"],
    calls.map((call) => {
      const open = el("button", { type: "button", class: "link", onclick: () => show(call.attempt) }, call.attempt.slice(0, 12));
      return [open, n(call.at_s), call.number, call.trunk_group, call.site, call.psap, call.outcome.replace("_", " "), call.status === null ? "–" : String(call.status), n(call.pdd_ms), call.why];
    })));
}

/** The story of a call: what is known of it, its ladder, and each of its messages behind a click. */
async function show(attempt) {
  const story = byId("story");
  story.hidden = false;
  put(byId("title-story"), `Call ${attempt.slice(0, 12)} of ${run}`);
  put(byId("story-text"), "…");
  put(byId("story-ladder"));
  const path = `/v1/runs/${encodeURIComponent(run)}/calls/${encodeURIComponent(attempt)}`;
  const answer = await get(path);
  put(byId("story-text"), answer.ok ? answer.body.text : sentence(answer));
  if (answer.ok) put(byId("story-ladder"), ...messages(answer.body, path, attempt));
  story.scrollIntoView({ block: "nearest" });
  byId("story-text").focus({ preventScroll: true });
}

function messages({ ladder, no_ladder: why }, path, attempt) {
  if (!ladder) return [el("p", {}, `No ladder: ${why}`)];
  const note = el("span", { role: "status" });
  const button = el("button", {
    type: "button",
    onclick: async () => put(note, (await save(`${path}/capture`, `${attempt.slice(0, 12)}.pcapng`)) ?? "saved"),
  }, "Save as pcapng");
  return [
    el("h4", {}, "Ladder"),
    el("pre", { tabindex: 0, class: "ladder" }, ladder.text),
    el("div", { class: "acts" }, button, note),
    el("h4", {}, "Messages"),
    ...ladder.messages.map(({ number, title, text }) => el("details", {}, el("summary", {}, `${number}  ${title}`), el("pre", {}, text))),
  ];
}
