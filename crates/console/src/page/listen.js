// Listen: what was recorded of a call, both sides together and each alone, each with a line of how loud it is.

import { fetchBlob, get, sentence } from "./api.js";
import { el, put, svg } from "./draw.js";

const SIDES = [
  ["both", (psap) => `Both, as heard at ${psap}: the caller left, the call taker right`],
  ["caller", (psap) => `The caller, as ${psap} heard it`],
  ["call_taker", (psap) => `The call taker of ${psap}, as sent to the caller`],
];

/** Sounds of the story that was shown before. */
let urls = [];

/** Puts what can be heard of a call into `place`. */
export async function listen(place, path, isWanted) {
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
  const title = el("h4", {}, "Listen");
  const answer = await get(`${path}/sounds`);
  if (!isWanted()) return;
  if (!answer.ok || answer.body.recordings.length === 0) {
    put(place, title, el("p", {}, answer.ok ? answer.body.why : sentence(answer)));
    return;
  }
  put(place, title);
  for (const { file, psap, seconds } of answer.body.recordings) {
    const note = el("p", {}, `Recorded by ${psap}: ${seconds.toFixed(1)} s`);
    place.append(note);
    for (const [side, label] of SIDES) {
      const got = await fetchBlob(`${path}/sounds/${encodeURIComponent(file)}?side=${side}`);
      if (!isWanted()) return;
      if (got.error) {
        note.textContent = got.error;
        break;
      }
      place.append(player(label(psap), side, new Blob([got.octets], { type: "audio/wav" }), got.octets));
    }
  }
}

function player(label, side, blob, octets) {
  const url = URL.createObjectURL(blob);
  urls.push(url);
  const audio = el("audio", { controls: true, preload: "metadata", src: url, "aria-label": label });
  const picture = levels(new DataView(octets), side === "both" ? 2 : 1);
  const cursor = svg("path", { class: "cursor" });
  picture.append(cursor);
  audio.addEventListener("timeupdate", () => {
    cursor.setAttribute("d", `M${(audio.currentTime / (audio.duration || 1)) * WIDTH} 0V${HEIGHT}`);
  });
  // The keys of the player do the same.
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    audio.currentTime = ((event.clientX - box.left) / box.width) * audio.duration;
  });
  return el("figure", { class: "sound", "data-side": side }, el("figcaption", {}, label), picture, audio);
}

const [WIDTH, HEIGHT, HEAD] = [600, 48, 44];

/** How loud it is over time: one line for each channel, the left one above. */
function levels(data, channels) {
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const frames = Math.max(0, Math.floor((data.byteLength - HEAD) / (2 * channels)));
  const room = HEIGHT / channels;
  for (let channel = 0; channel < channels; channel += 1) {
    const middle = room * (channel + 0.5);
    let path = "";
    for (let at = 0; at < WIDTH / 2; at += 1) {
      let most = 0;
      const [from, to] = [at, at + 1].map((part) => Math.floor((part / (WIDTH / 2)) * frames));
      for (let frame = from; frame < to; frame += 1) most = Math.max(most, Math.abs(data.getInt16(HEAD + 2 * (frame * channels + channel), true)));
      const tall = Math.max(0.5, (most / 32768) * (room / 2));
      path += `M${at * 2} ${(middle - tall).toFixed(1)}V${(middle + tall).toFixed(1)}`;
    }
    picture.append(svg("path", { d: path, class: `line q${channel}` }));
  }
  return picture;
}
