// The map: trunk groups, sites and PSAPs as the network file has them, with what is on each of them and between them.

import { byId, el, put, rate, svg, table } from "./draw.js";

/** A shape and a word for each state: nobody needs the colour. */
const SIGNS = {
  up: "●", shedding: "◒", draining: "◐", locked: "■", isolated: "◇", starting: "▲", hung: "‖", off: "○", gone: "✕", unknown: "?",
  suspect: "▲", down: "✕",
};
const KINDS = {
  up: "well", shedding: "odd", draining: "odd", locked: "odd", isolated: "odd", starting: "odd", suspect: "odd", unknown: "odd",
  hung: "ill", off: "ill", gone: "ill", down: "ill",
};
const MOST_PSAPS = 24;

/** What the picture is made of, to be filled again every second. */
let parts = null;

/** The places of everything, for the width that there is. */
function places(network, width) {
  const isNarrow = width < 620;
  const groups = Math.max(1, network.trunk_groups.length);
  const gap = isNarrow ? 12 : 16;
  const lane = isNarrow ? 12 : 15;
  const siteHeight = Math.max(isNarrow ? 74 : 78, groups * lane + 14);
  const column = isNarrow ? Math.floor((width - 4 - 2 * 30) / 3) : Math.min(230, Math.floor((width - 4 - 2 * 90) / 3));
  const left = 2;
  const middle = Math.floor((width - column) / 2);
  const right = width - column - 2;
  const height = Math.max(network.sites.length * (siteHeight + gap), groups * ((isNarrow ? 74 : 78) + gap), 200);
  const spread = (count, each) => {
    const room = height / Math.max(1, count);
    return (at) => Math.floor(room * at + (room - each) / 2);
  };
  const shown = Math.min(network.psaps.length, MOST_PSAPS);
  const psapHeight = Math.max(34, Math.min(62, Math.floor(height / Math.max(1, shown)) - 8));
  return { isNarrow, width, height: Math.max(height, shown * (psapHeight + 6)), column, left, middle, right, lane, siteHeight,
    groupHeight: isNarrow ? 74 : 78, psapHeight, spread, shown };
}

/** A box with a name: it can be reached by keyboard. */
function box(kind, name, x, y, width, height, act) {
  const frame = svg("rect", { x, y, width, height, rx: 5, class: "box" });
  const bar = svg("rect", { x: x + 8, y: y + height - 11, width: width - 16, height: 5, rx: 2, class: "bar" });
  const level = svg("rect", { x: x + 8, y: y + height - 11, width: 0, height: 5, rx: 2, class: "level" });
  const texts = [0, 1, 2].map((at) => svg("text", { x: x + 8, y: y + 17 + at * 15, class: at === 0 ? "name" : "" }));
  const group = svg("g", { tabindex: 0, role: "button", "data-kind": kind, "data-name": name }, frame, bar, level, texts);
  const press = () => act(kind, name);
  group.addEventListener("click", press);
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      press();
    }
  });
  const say = (state, lines, share) => {
    group.dataset.state = state;
    group.dataset.tone = KINDS[state] ?? "odd";
    texts.forEach((text, at) => { text.textContent = lines[at] ?? ""; });
    level.setAttribute("width", Math.round(Math.min(1, Math.max(0, share || 0)) * (width - 16)));
    level.classList.toggle("full", share > 0.9);
    group.setAttribute("aria-label", `${kind} ${name}: ${state}. ${lines.slice(1).join(". ")}`);
  };
  return { group, say };
}

/** Draws the network without what happens in it. */
export function lay(known) {
  const { network } = known;
  const room = byId("network-map");
  const width = Math.max(320, Math.floor(room.getBoundingClientRect().width || Math.min(innerWidth - 24, 900)));
  const at = places(network, width);
  const picture = svg("svg", { viewBox: `0 0 ${at.width} ${at.height}`, width: at.width, height: at.height, role: "group",
    "aria-label": `Map of the network ${network.name}` });
  const lines = svg("g", { class: "links" });
  const labels = svg("g", {});
  picture.append(lines, labels);
  const groupY = at.spread(network.trunk_groups.length, at.groupHeight);
  const siteY = at.spread(network.sites.length, at.siteHeight);
  const psapY = at.spread(at.shown, at.psapHeight);
  const links = new Map();
  network.trunk_groups.forEach((group, g) => {
    network.sites.forEach((site, s) => {
      if (!network.links.some((link) => link.trunk_group === group.name && link.site === site.name)) return;
      const x1 = at.left + at.column;
      const y1 = groupY(g) + at.groupHeight / 2;
      const x2 = at.middle;
      const y2 = siteY(s) + 12 + g * at.lane + at.lane / 2 - 4;
      const line = svg("path", { d: `M${x1} ${y1}L${x2} ${y2}`, class: "link" });
      const label = svg("text", { x: x2 - 4, y: y2 - 2, class: "load", "text-anchor": "end" });
      lines.append(line);
      labels.append(label);
      links.set(`${group.name} ${site.name}`, { line, label });
    });
  });
  const bus = Math.floor((at.middle + at.column + at.right) / 2);
  network.sites.forEach((_, s) => {
    const y = siteY(s) + at.siteHeight / 2;
    lines.append(svg("path", { d: `M${at.middle + at.column} ${y}H${bus}`, class: "way" }));
  });
  for (let p = 0; p < at.shown; p += 1) {
    lines.append(svg("path", { d: `M${bus} ${psapY(p) + at.psapHeight / 2}H${at.right}`, class: "way" }));
  }
  const ends = [siteY(0) + at.siteHeight / 2, siteY(network.sites.length - 1) + at.siteHeight / 2, psapY(0) + at.psapHeight / 2,
    psapY(Math.max(0, at.shown - 1)) + at.psapHeight / 2];
  lines.append(svg("path", { d: `M${bus} ${Math.min(...ends)}V${Math.max(...ends)}`, class: "way" }));
  const act = (kind, name) => {
    location.hash = "#desk";
    dispatchEvent(new CustomEvent("pick", { detail: { kind, name } }));
  };
  const add = (kind, list, x, y, height) => new Map(list.map((one, place) => {
    const made = box(kind, one.name, x, y(place), at.column, height, act);
    picture.append(made.group);
    return [one.name, made];
  }));
  parts = {
    at, links,
    groups: add("trunk group", network.trunk_groups, at.left, groupY, at.groupHeight),
    sites: add("site", network.sites, at.middle, siteY, at.siteHeight),
    psaps: add("PSAP", network.psaps.slice(0, at.shown), at.right, psapY, at.psapHeight),
  };
  put(room, picture);
  if (network.psaps.length > at.shown) {
    room.append(el("p", { class: "note" }, `and ${network.psaps.length - at.shown} more PSAPs; the table below has all of them`));
  }
  put(byId("network-name"), network.name);
  put(byId("map-legend"), "Lines are the ways from trunk groups to sites, each with its calls per second: ",
    el("span", { class: "sample up" }), " up ", el("span", { class: "sample suspect" }), " suspect ",
    el("span", { class: "sample down" }), " down or cut. Bars show how full a box is. Enter or a click leads to the desk.");
}

/** Between two states, in seconds. */
const since = (known) => (known.before ? Math.max(0.2, (known.state.at_ms - known.before.at_ms) / 1000) : 0);

/** Calls per second of something, by its count in two states. */
function pace(known, list, is) {
  const seconds = since(known);
  if (!seconds) return 0;
  const count = (state) => state[list].filter(is).reduce((sum, one) => sum + one.offered, 0);
  return Math.max(0, count(known.state) - count(known.before)) / seconds;
}

/** What is cut or impaired on the way between two boxes. */
function suffers(known, one, other) {
  const touches = (fault, name) => fault.of === name || fault.other === name;
  return known.state.run?.impaired.find((fault) => fault.kind === "impaired" &&
    (fault.other ? touches(fault, one) && touches(fault, other) : fault.of === one || fault.of === other));
}

/** Fills the map with what is known now. */
export function draw(known) {
  if (!parts || !known.state) return;
  const { state, network } = known;
  const { isNarrow } = parts.at;
  for (const group of state.trunk_groups) {
    const calls = rate(pace(known, "trunk_groups", (one) => one.name === group.name));
    parts.groups.get(group.name)?.say(group.state, [
      `${SIGNS[group.state] ?? "?"} ${group.name}`,
      isNarrow ? `${calls}/s` : `${calls} calls/s${group.state === "up" ? "" : ` · ${group.state}`}`,
      isNarrow ? `${group.seized}/${group.circuits}` : `${group.seized}/${group.circuits} circuits`,
    ], group.circuits ? group.seized / group.circuits : 0);
  }
  for (const site of state.sites) {
    const frozen = state.run?.impaired.some((fault) => fault.of === site.name && fault.kind === "frozen");
    const word = frozen && site.state !== "gone" ? "hung" : site.state;
    const isDead = ["gone", "off"].includes(site.state);
    const calls = rate(isDead ? 0 : pace(known, "sites", (one) => one.name === site.name));
    const told = frozen && site.state !== "gone" ? "stands still" : site.state;
    parts.sites.get(site.name)?.say(word, [
      `${SIGNS[word] ?? "?"} ${site.name}${isNarrow ? "" : ` · ${told}`}`,
      isNarrow ? told : `${site.calls} calls · ${calls}/s${site.release ? ` · ${site.release}` : ""}`,
      isNarrow ? `${site.calls} · ${calls}/s` : `${site.contexts_used}/${site.contexts} contexts`,
    ], site.contexts ? site.contexts_used / site.contexts : 0);
  }
  for (const psap of state.psaps) {
    const positions = psap.idle + psap.ringing + psap.talking + psap.wrap_up;
    const busy = positions - psap.idle;
    const sign = psap.state !== "up" ? SIGNS[psap.state] : psap.waiting > 0 ? "◕" : "●";
    const queue = psap.waiting > 0 ? `queue ${psap.waiting}` : "no queue";
    const lines = isNarrow && parts.at.psapHeight >= 60 ? [`${sign} ${psap.name}`, queue, `${busy}/${positions}`]
      : isNarrow || parts.at.psapHeight < 50 ? [`${sign} ${psap.name}`, `${queue} · ${busy}/${positions}`]
      : [`${sign} ${psap.name}${psap.state === "up" ? "" : ` · ${psap.state}`}`, `${queue} · ${busy}/${positions} positions`];
    parts.psaps.get(psap.name)?.say(psap.state === "up" && psap.waiting > 0 ? "suspect" : psap.state, lines, positions ? busy / positions : 0);
    const group = parts.psaps.get(psap.name)?.group;
    group?.setAttribute("aria-label", `PSAP ${psap.name}: ${psap.state}. ${queue}, ${busy} of ${positions} positions busy`);
  }
  for (const [key, { line, label }] of parts.links) {
    const [group, site] = key.split(" ");
    const own = state.links.filter((link) => link.trunk_group === group && link.site === site);
    const fault = suffers(known, group, site);
    const worst = own.some((link) => link.state === "down") ? "down" : own.some((link) => link.state !== "up") ? "suspect" : "up";
    const isCut = fault?.what.includes("cut");
    line.dataset.state = isCut ? "down" : fault ? "suspect" : worst;
    const calls = pace(known, "links", (link) => link.trunk_group === group && link.site === site);
    line.setAttribute("stroke-width", Math.min(7, 1.2 + Math.sqrt(calls) * 0.6).toFixed(1));
    label.textContent = isCut ? "✂ cut" : worst === "down" ? "✕" : fault ? `≈ ${rate(calls)}` : isNarrow ? rate(calls) : `${rate(calls)}/s`;
    label.dataset.state = line.dataset.state;
  }
  if (byId("map-tables").closest("details").open) tables(known, network);
}

function tables(known, network) {
  const { state } = known;
  const n = (number) => ({ number: String(number) });
  put(byId("map-tables"),
    el("div", { class: "scroll" }, table("Sites", ["site", "state", "release", "calls", "contexts", "offered", "answered", "rejected", "lost", "restarts"],
      state.sites.map((one) => [one.name, `${SIGNS[one.state]} ${one.state}`, one.release, n(one.calls), n(`${one.contexts_used}/${one.contexts}`), n(one.offered), n(one.answered), n(one.rejected), n(one.lost), n(one.restarts)]))),
    el("div", { class: "scroll" }, table("Trunk groups", ["trunk group", "policy", "calls", "circuits", "offered", "answered", "rejected", "lost"],
      state.trunk_groups.map((one) => [one.name, network.trunk_groups.find((it) => it.name === one.name)?.policy, n(one.calls), n(`${one.seized}/${one.circuits}`), n(one.offered), n(one.answered), n(one.rejected), n(one.lost)]))),
    el("div", { class: "scroll" }, table("Ways", ["from", "to", "state", "circuits", "calls/s", "offered", "failed"],
      state.links.map((one) => [one.trunk_group, one.call_server, `${SIGNS[one.state]} ${one.state}`, n(`${one.seized}/${one.circuits}`), n(rate(pace(known, "links", (it) => it.trunk_group === one.trunk_group && it.call_server === one.call_server))), n(one.offered), n(one.failed)]))),
    el("div", { class: "scroll" }, table("PSAPs", ["PSAP", "number", "queue", "oldest", "idle", "ringing", "talking", "wrap-up", "answered", "given up"],
      state.psaps.map((one) => [one.name, network.psaps.find((it) => it.name === one.name)?.number, n(one.waiting), n(one.oldest_waiting_s === null ? "–" : `${one.oldest_waiting_s.toFixed(0)} s`), n(one.idle), n(one.ringing), n(one.talking), n(one.wrap_up), n(one.answered), n(one.abandoned)]))));
}
