// The story of a call: what is known of it, its ladder, each of its messages behind a click; of one in progress, as far as it is.

import { get, save, sentence } from "./api.js";
import { byId, el, put } from "./draw.js";
import { listen } from "./listen.js";

/** Which story is shown: whoever waits for another one gives it up. */
let shown = 0;

const pathOf = (run, attempt) => `/v1/runs/${encodeURIComponent(run)}/calls/${encodeURIComponent(attempt)}`;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Shows the place of a story, and puts whoever opened it there. */
function open(title) {
  shown += 1;
  const place = byId("story");
  place.hidden = false;
  put(byId("title-story"), title);
  put(byId("story-text"), "…");
  put(byId("story-ladder"));
  put(byId("story-sound"));
  place.scrollIntoView({ block: "nearest" });
  byId("story-text").focus({ preventScroll: true });
  return shown;
}

/** A call that is over. */
export async function show(run, attempt) {
  const own = open(`Call ${attempt.slice(0, 12)} of ${run}`);
  await tell(own, run, attempt);
  byId("story").scrollIntoView({ block: "nearest" });
}

async function tell(own, run, attempt) {
  const path = pathOf(run, attempt);
  const answer = await get(path);
  if (own !== shown) return;
  put(byId("story-text"), answer.ok ? answer.body.text : sentence(answer));
  if (!answer.ok) return;
  put(byId("story-ladder"), ...messages(answer.body, saver(path, attempt)));
  listen(byId("story-sound"), pathOf(run, answer.body.attempt), () => own === shown);
}

/** A call in progress: looked at until it is over, and then told as a whole. */
export async function showLive(known, run, attempt) {
  const own = open(`Call ${attempt.slice(0, 12)}, in progress`);
  let before = "";
  put(byId("story-sound"), el("p", {}, "It can be heard when it has ended, if its answering point records it."));
  for (;;) {
    const answer = await get(`/v1/calls/${encodeURIComponent(attempt)}`);
    if (own !== shown) return;
    if (answer.ok) {
      const { text, ladder, silent } = answer.body;
      put(byId("story-text"), silent.length === 0 ? text : `${text}\nNo answer from ${silent.join(", ")}: what only they know is missing.`);
      const now = ladder?.text ?? "none";
      if (now !== before) keepOpen(() => put(byId("story-ladder"), ...messages(answer.body, null)));
      before = now;
    }
    const isOver = answer.ok ? answer.body.call === null : answer.status !== 0;
    if (isOver) break;
    await pause(2000);
    while (own === shown && (known.shown !== "calls" || document.visibilityState !== "visible")) await pause(500);
    if (own !== shown) return;
  }
  put(byId("title-story"), `Call ${attempt.slice(0, 12)}, which has ended meanwhile`);
  if (before === "") put(byId("story-text"), "It has ended meanwhile; its records are awaited.");
  put(byId("story-sound"));
  // Its records come to the disk a moment after its end.
  for (let tries = 0; tries < 20 && run; tries += 1) {
    const answer = await get(pathOf(run, attempt));
    if (own !== shown) return;
    if (answer.ok && answer.body.text) {
      put(byId("story-text"), `It has ended meanwhile.\n\n${answer.body.text}`);
      if (tries === 0 || !byId("story-sound").querySelector("audio")) listen(byId("story-sound"), pathOf(run, attempt), () => own === shown);
      // The ladder so far stays where the messages of the whole call were not kept.
      if (answer.body.ladder || ["", "none"].includes(before)) keepOpen(() => put(byId("story-ladder"), ...messages(answer.body, saver(pathOf(run, attempt), attempt))));
      if (answer.body.ladder) return;
    }
    await pause(1000);
    if (own !== shown) return;
  }
}

/** Messages that somebody reads stay open when they are drawn anew. */
function keepOpen(act) {
  const box = byId("story-ladder");
  const numbers = [...box.querySelectorAll("details[open]")].map((one) => one.dataset.number);
  const left = box.querySelector(".ladder")?.scrollLeft ?? 0;
  act();
  for (const one of box.querySelectorAll("details")) one.open = numbers.includes(one.dataset.number);
  const ladder = box.querySelector(".ladder");
  if (ladder) ladder.scrollLeft = left;
}

function saver(path, attempt) {
  const note = el("span", { role: "status" });
  const act = async () => put(note, (await save(`${path}/capture`, `${attempt.slice(0, 12)}.pcapng`)) ?? "saved");
  return el("div", { class: "acts" }, el("button", { type: "button", onclick: act }, "Save as pcapng"), note);
}

function messages({ ladder, no_ladder: why }, acts) {
  if (!ladder) return [el("p", {}, `No ladder: ${why}`)];
  return [
    el("h4", {}, "Ladder"),
    el("pre", { tabindex: 0, class: "ladder" }, ladder.text),
    acts,
    el("h4", {}, "Messages"),
    ...ladder.messages.map(({ number, title, text }) => el("details", { "data-number": number }, el("summary", {}, `${number}  ${title}`), el("pre", {}, text))),
  ];
}
