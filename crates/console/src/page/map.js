// The map: trunk groups, sites and PSAPs as the network file has them, with what is on each of them and between them. Where there are too many
// ways to read a figure on each, those in trouble are drawn, and those of the box that is pointed at.

import { SIGNS, byId, el, put, rate, svg } from "./draw.js";
import * as ways from "./ways.js";

const KINDS = {
  up: "well", shedding: "odd", draining: "odd", locked: "odd", isolated: "odd", starting: "odd", suspect: "odd", unknown: "odd",
  hung: "ill", off: "ill", gone: "ill", down: "ill",
};

/** With more trunk groups, or PSAPs, each is one line high. */
const MANY = { groups: 12, psaps: 24 };
/** More PSAPs stand in the table alone. */
const MOST_PSAPS = 160;
/** A figure on each way makes no picture higher than that. */
const HIGHEST = 900;
const ROW = 26;

/** What the picture is made of, to be filled again every second. */
let parts = null;
/** The box that is pointed at, or has the focus: `[kind, name]`. */
let chosen = null;

/** The places of everything, for the width that there is. */
function places(network, width) {
  const isNarrow = width < 620;
  const [groups, sites] = [Math.max(1, network.trunk_groups.length), Math.max(1, network.sites.length)];
  const shown = Math.min(network.psaps.length, MOST_PSAPS);
  const isDense = { groups: groups > MANY.groups, psaps: shown > MANY.psaps };
  const isLarge = isDense.groups || isDense.psaps;
  const gap = isNarrow ? 12 : 16;
  const lane = isNarrow ? 12 : 15;
  const least = isNarrow ? 74 : 78;
  const hasAll = { groups: !isDense.groups && sites * (groups * lane + 14 + gap) <= HIGHEST, psaps: !isDense.psaps && shown * (sites * lane + 20) <= HIGHEST };
  const siteHeight = hasAll.groups ? Math.max(least, groups * lane + 14) : least;
  const columns = { groups: isDense.groups && !isNarrow && groups > 24 ? 2 : 1, psaps: isDense.psaps && !isNarrow ? 2 : 1 };
  const rows = { groups: Math.ceil(groups / columns.groups), psaps: Math.ceil(Math.max(1, shown) / columns.psaps) };
  const groupHeight = isDense.groups ? ROW : least;
  const wanted = Math.max(sites * (siteHeight + gap), rows.groups * (groupHeight + (isDense.groups ? 4 : gap)), isDense.psaps ? rows.psaps * (ROW + 4) : 0,
    hasAll.psaps ? shown * (Math.max(34, sites * lane + 14) + 6) : 0, 200);
  const psapHeight = isDense.psaps ? ROW : hasAll.psaps ? Math.max(isNarrow ? 62 : 50, sites * lane + 12) : Math.max(34, Math.min(62, Math.floor(wanted / rows.psaps) - 8));
  const height = Math.max(wanted, rows.psaps * (psapHeight + 4));
  const room = isNarrow ? (isLarge ? 14 : 30) : 90;
  const third = Math.floor((width - 4 - 2 * room) / 3);
  const column = isNarrow ? (isLarge ? Math.min(96, third) : third) : Math.min(230, third);
  // Two columns of rows are wider than one of boxes; on a telephone the rows have what the sites leave.
  const side = (count) => (count === 2 || (isNarrow && isLarge) ? Math.floor((width - 4 - column - 2 * room) / 2) : column);
  return { isNarrow, isDense, isLarge, hasAll, columns, rows, width, height, column, lane, siteHeight, groupHeight, psapHeight, shown,
    wide: { groups: side(columns.groups), psaps: side(columns.psaps) }, left: 2, middle: Math.floor((width - column + side(columns.groups) - side(columns.psaps)) / 2) };
}

/** A name as short as its box: the middle of a long one goes, as names of many boxes differ at their ends. */
function short(name, most) {
  if (name.length <= most) return name;
  const end = Math.min(4, most - 2);
  return `${name.slice(0, most - 1 - end)}…${name.slice(name.length - end)}`;
}

/** A box with a name: it can be reached by keyboard. In a row it is one line high. */
function box(kind, name, { x, y, width, height }, isRow, act) {
  const frame = svg("rect", { x, y, width, height, rx: isRow ? 3 : 5, class: "box" });
  const [at, thick] = isRow ? [y + height - 4, 3] : [y + height - 11, 5];
  const bar = svg("rect", { x: x + 8, y: at, width: width - 16, height: thick, rx: 1.5, class: "bar" });
  const level = svg("rect", { x: x + 8, y: at, width: 0, height: thick, rx: 1.5, class: "level" });
  const texts = isRow
    ? [svg("text", { x: x + 6, y: y + 16, class: "name row" }), svg("text", { x: x + width - 6, y: y + 16, class: "row", "text-anchor": "end" })]
    : [0, 1, 2].map((line) => svg("text", { x: x + 8, y: y + 17 + line * 15, class: line === 0 ? "name" : "" }));
  const group = svg("g", { tabindex: 0, role: "button", "data-kind": kind, "data-name": name }, svg("title", {}, name), frame, bar, level, texts);
  let isTouched = false;
  const press = () => act(kind, name);
  group.addEventListener("pointerdown", (event) => { isTouched = event.pointerType === "touch" && chosen?.[1] !== name; });
  group.addEventListener("pointerenter", () => choose(kind, name));
  group.addEventListener("focus", () => choose(kind, name));
  // Whoever touches a box among many reads its ways first.
  group.addEventListener("click", () => { if (!(isTouched && parts?.at.isLarge)) press(); });
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      press();
    }
  });
  const before = { state: null, lines: [], width: -1, label: "" };
  const say = (state, lines, share, label) => {
    if (before.state !== state) {
      before.state = state;
      group.dataset.state = state;
      group.dataset.tone = KINDS[state] ?? "odd";
    }
    texts.forEach((text, place) => {
      const line = lines[place] ?? "";
      if (before.lines[place] !== line) text.textContent = before.lines[place] = line;
    });
    const full = Math.round(Math.min(1, Math.max(0, share || 0)) * (width - 16));
    if (before.width !== full) {
      before.width = full;
      level.setAttribute("width", full);
      level.classList.toggle("full", share > 0.9);
    }
    if (before.label !== label) group.setAttribute("aria-label", before.label = label);
  };
  return { group, say, width };
}

let last = null;
/** When the tables were filled last. */
let tabledAt = 0;

function choose(kind, name) {
  chosen = [kind, name];
  if (last && parts) drawWays(last);
}

/** A way, with a place for its figure. */
function way(from, to, label, anchor) {
  return { line: svg("path", { d: `M${from.x} ${from.y}L${to.x} ${to.y}`, class: "link", "data-state": "up" }), label: svg("text", { x: label.x, y: label.y, class: "load", "text-anchor": anchor }), told: "", state: "up", thick: "" };
}

/** Draws the network without what happens in it. */
export function lay(known) {
  const { network } = known;
  const room = byId("network-map");
  chosen = null;
  const isLarge = network.trunk_groups.length > MANY.groups || network.psaps.length > MANY.psaps;
  room.closest(".map-and-side").classList.toggle("large", isLarge);
  const width = Math.max(320, Math.floor(room.getBoundingClientRect().width || Math.min(innerWidth - 24, isLarge ? 1232 : 900)));
  const at = places(network, width);
  const picture = svg("svg", { viewBox: `0 0 ${at.width} ${at.height}`, width: at.width, height: at.height, role: "group",
    "aria-label": `Map of the network ${network.name}` });
  const [buses, lines, labels] = [svg("g", {}), svg("g", { class: "links" }), svg("g", {})];
  const spread = (count, each) => {
    const space = at.height / Math.max(1, count);
    return (place) => Math.floor(space * place + (space - each) / 2);
  };
  const grid = (side, x, columns, rows, each) => {
    const y = spread(rows, each);
    const wide = Math.floor((at.wide[side] - (columns - 1) * 6) / columns);
    return (place) => ({ x: x + Math.floor(place / rows) * (wide + 6), y: y(place % rows), width: wide, height: each });
  };
  const siteAt = ((y) => (place) => ({ x: at.middle, y: y(place), width: at.column, height: at.siteHeight }))(spread(network.sites.length, at.siteHeight));
  const groupAt = grid("groups", at.left, at.columns.groups, at.rows.groups, at.groupHeight);
  const right = at.width - at.wide.psaps - 2;
  const psapAt = grid("psaps", right, at.columns.psaps, at.rows.psaps, at.psapHeight);
  const end = (place) => ({ x: place.x + place.width, y: place.y + place.height / 2 });
  const begin = (place) => ({ x: place.x, y: place.y + place.height / 2 });
  // A figure stands beside its site, where no other box is.
  const apart = at.isNarrow ? 12 : 42;
  const along = (from, to, x) => ({ x, y: from.y + ((to.y - from.y) * (x - from.x)) / Math.max(1, to.x - from.x) - 3 });
  const [links, psapLinks] = [new Map(), new Map()];
  const isThere = new Set(network.links.map((link) => `${link.trunk_group} ${link.site}`));
  network.trunk_groups.forEach((group, g) => network.sites.forEach((site, s) => {
    if (!isThere.has(`${group.name} ${site.name}`)) return;
    const from = end(groupAt(g));
    const to = begin(siteAt(s));
    if (at.hasAll.groups) to.y = siteAt(s).y + 12 + g * at.lane + at.lane / 2 - 4;
    links.set(`${group.name} ${site.name}`, way(from, to, at.hasAll.groups ? { x: to.x - 4, y: to.y - 2 } : along(from, to, to.x - apart), at.hasAll.groups ? "end" : "middle"));
  }));
  network.psaps.slice(0, at.shown).forEach((psap, p) => network.sites.forEach((site, s) => {
    const from = end(siteAt(s));
    const to = begin(psapAt(p));
    if (at.hasAll.psaps) to.y = psapAt(p).y + 6 + s * at.lane + at.lane / 2;
    psapLinks.set(`${site.name} ${psap.name}`, way(from, to, at.hasAll.psaps ? { x: to.x - 4, y: to.y - 2 } : along(from, to, from.x + apart), at.hasAll.psaps ? "end" : "middle"));
  }));
  // Where not every way is drawn, a line says what is connected with what.
  const bus = (x, from, to) => {
    const ys = [...from, ...to].map((point) => point.y);
    for (const point of [...from, ...to]) buses.append(svg("path", { d: `M${point.x} ${point.y}H${x}`, class: "way" }));
    buses.append(svg("path", { d: `M${x} ${Math.min(...ys)}V${Math.max(...ys)}`, class: "way" }));
  };
  const siteBegins = network.sites.map((_, s) => begin(siteAt(s)));
  const siteEnds = network.sites.map((_, s) => end(siteAt(s)));
  if (!at.hasAll.groups && network.sites.length > 0) bus(Math.floor((at.left + at.wide.groups + at.middle) / 2), network.trunk_groups.map((_, g) => end(groupAt(g))), siteBegins);
  if (!at.hasAll.psaps && network.sites.length > 0) bus(Math.floor((at.middle + at.column + right) / 2), siteEnds, network.psaps.slice(0, at.shown).map((_, p) => begin(psapAt(p))));
  for (const one of [...links.values(), ...psapLinks.values()]) {
    lines.append(one.line);
    labels.append(one.label);
  }
  const act = (kind, name) => {
    location.hash = "#desk";
    dispatchEvent(new CustomEvent("pick", { detail: { kind, name } }));
  };
  const boxes = [];
  const add = (kind, list, place, isRow) => new Map(list.map((one, nth) => {
    const made = box(kind, one.name, place(nth), isRow, act);
    boxes.push(made.group);
    return [one.name, made];
  }));
  parts = {
    at, links, psapLinks,
    groups: add("trunk group", network.trunk_groups, groupAt, at.isDense.groups),
    sites: add("site", network.sites, siteAt, false),
    psaps: add("PSAP", network.psaps.slice(0, at.shown), psapAt, at.isDense.psaps),
  };
  // Figures stand above the boxes that a way passes.
  picture.append(buses, lines, ...boxes, labels);
  put(room, picture);
  if (network.psaps.length > at.shown) {
    room.append(el("p", { class: "note" }, `and ${network.psaps.length - at.shown} more PSAPs; the table below has all of them`));
  }
  put(byId("network-name"), network.name);
  byId("map-chosen").hidden = at.hasAll.groups && at.hasAll.psaps;
  put(byId("map-legend"), at.isLarge ? "Ways that are well are not drawn; those of the box that you point at, or that has the focus, are, with their calls per second: " : "Lines are the ways from trunk groups to sites, and from there to PSAPs, each with its calls per second: ",
    el("span", { class: "sample up" }), " up ", el("span", { class: "sample suspect" }), " ≈ suspect or impaired ",
    el("span", { class: "sample down" }), " ✕ down, ✂ cut. Bars show how full a box is. Enter or a click leads to the desk.");
}

/** Fills the map with what is known now. */
export function draw(known) {
  if (!parts || !known.state) return;
  last = known;
  const { state, network } = known;
  const { isNarrow, isDense } = parts.at;
  const pace = ways.paces(known);
  const most = (made) => Math.max(6, Math.floor((made.width - 14) / (isNarrow ? 7.2 : 7.4)));
  const upTo = new Map();
  const dead = new Set(state.sites.filter((site) => ["gone", "off"].includes(site.state)).map((site) => site.name));
  for (const link of state.links) {
    const [up, all, odd] = upTo.get(link.trunk_group) ?? [0, 0, 0];
    const isCut = ways.suffers(state, link.trunk_group, link.site)?.what.includes("cut");
    const isUp = link.state === "up" && !isCut;
    // That a site is dead stands on the site, and not on each trunk group too.
    upTo.set(link.trunk_group, [up + (isUp ? 1 : 0), all + 1, odd + (isUp || dead.has(link.site) ? 0 : 1)]);
  }
  for (const group of state.trunk_groups) {
    const made = parts.groups.get(group.name);
    if (!made) continue;
    const calls = rate(pace.groups.get(group.name) ?? 0);
    const [up, all, odd] = upTo.get(group.name) ?? [0, 0, 0];
    const share = group.circuits ? group.seized / group.circuits : 0;
    const word = group.state === "up" && odd > 0 ? (up === 0 ? "down" : "suspect") : group.state;
    const label = `trunk group ${group.name}: ${group.state}. ${calls} calls/s, ${group.seized}/${group.circuits} circuits, ${up} of ${all} ways up`;
    if (isDense.groups) {
      // There is room for one figure on a telephone: that which tells of trouble.
      const told = up === all || (isNarrow && odd === 0) ? (isNarrow ? calls : `${calls}/s`) : isNarrow ? `${up}/${all}` : `${calls}/s ${up}/${all}`;
      made.say(word, [`${SIGNS[word] ?? "?"} ${short(group.name, most(made) - told.length - 2)}`, told], share, label);
    } else {
      made.say(group.state, [
        `${SIGNS[group.state] ?? "?"} ${group.name}`,
        isNarrow ? `${calls}/s` : `${calls} calls/s${group.state === "up" ? "" : ` · ${group.state}`}`,
        isNarrow ? `${group.seized}/${group.circuits}` : `${group.seized}/${group.circuits} circuits`,
      ], share, label);
    }
  }
  for (const site of state.sites) {
    const frozen = state.run?.impaired.some((fault) => fault.of === site.name && fault.kind === "frozen");
    const word = frozen && site.state !== "gone" ? "hung" : site.state;
    const isDead = ["gone", "off"].includes(site.state);
    const calls = rate(isDead ? 0 : pace.sites.get(site.name) ?? 0);
    const told = frozen && site.state !== "gone" ? "stands still" : site.state;
    const lines = [
      `${SIGNS[word] ?? "?"} ${site.name}${isNarrow ? "" : ` · ${told}`}`,
      isNarrow ? told : `${site.calls} calls · ${calls}/s${site.release ? ` · ${site.release}` : ""}`,
      isNarrow ? `${site.calls} · ${calls}/s` : `${site.contexts_used}/${site.contexts} contexts${site.defects.length > 0 ? ` · ☠ ${site.defects.length}` : ""}`,
    ];
    const latent = site.defects.length > 0 ? `, latent: ${site.defects.join(", ")}` : "";
    parts.sites.get(site.name)?.say(word, lines, site.contexts ? site.contexts_used / site.contexts : 0, `site ${site.name}: ${word}. ${lines.slice(1).join(". ")}${latent}`);
  }
  for (const psap of state.psaps) {
    const made = parts.psaps.get(psap.name);
    if (!made) continue;
    const positions = psap.idle + psap.ringing + psap.talking + psap.wrap_up;
    const busy = positions - psap.idle;
    const sign = psap.state !== "up" ? SIGNS[psap.state] : psap.waiting > 0 ? "◕" : "●";
    const queue = psap.waiting > 0 ? `queue ${psap.waiting}` : "no queue";
    const told = psap.waiting === 0 ? `${busy}/${positions}` : isNarrow ? `q${psap.waiting}` : `q${psap.waiting} ${busy}/${positions}`;
    const lines = isDense.psaps ? [`${sign} ${short(psap.name, most(made) - told.length - 2)}`, told]
      : isNarrow && parts.at.psapHeight >= 60 ? [`${sign} ${psap.name}`, queue, `${busy}/${positions}`]
      : isNarrow || parts.at.psapHeight < 50 ? [`${sign} ${psap.name}`, `${queue} · ${busy}/${positions}`]
      : [`${sign} ${psap.name}${psap.state === "up" ? "" : ` · ${psap.state}`}`, `${queue} · ${busy}/${positions} positions`];
    made.say(psap.state === "up" && psap.waiting > 0 ? "suspect" : psap.state, lines, positions ? busy / positions : 0,
      `PSAP ${psap.name}: ${psap.state}. ${queue}, ${busy} of ${positions} positions busy`);
  }
  drawWays(known);
  // Hundreds of rows are read more slowly than once a second.
  const isOpen = byId("map-tables").closest("details").open;
  if (!isOpen) tabledAt = 0;
  else if (state.at_ms - tabledAt > (network.links.length + state.psap_links.length > 100 ? 2900 : 900)) {
    tabledAt = state.at_ms;
    ways.tables(known, byId("map-tables"));
  }
}

/** Draws what is on the ways: on all of them, or on those that somebody should see. */
function drawWays(known) {
  const { at } = parts;
  const told = [];
  const show = (made, { state, calls, text, isOdd }, hasAll, isChosen, [from, to]) => {
    const isSeen = hasAll || isChosen || isOdd;
    // All the ways of a site meet there: their figures stand below the map.
    const label = hasAll || isOdd || (isChosen && chosen[0] !== "site") ? text : "";
    if (made.isSeen !== isSeen) {
      made.isSeen = isSeen;
      made.line.toggleAttribute("hidden", !isSeen);
    }
    if (!isSeen && made.told === "") return;
    if (made.state !== state) made.line.dataset.state = made.label.dataset.state = made.state = state;
    const thick = Math.min(7, 1.2 + Math.sqrt(calls) * 0.6).toFixed(1);
    if (made.thick !== thick) made.line.setAttribute("stroke-width", made.thick = thick);
    if (made.told !== label) made.label.textContent = made.told = label;
    if (isChosen) told.push(`${from} → ${to} ${text}`);
  };
  const isOf = (kind, name) => chosen !== null && chosen[0] === kind && chosen[1] === name;
  const isTold = !(at.hasAll.groups && at.hasAll.psaps);
  const onWays = ways.onWays(known, at.isNarrow);
  for (const [key, made] of parts.links) {
    const [group, site] = key.split(" ");
    show(made, onWays.toSite(group, site), at.hasAll.groups, isTold && (isOf("trunk group", group) || isOf("site", site)), [group, site]);
  }
  for (const [key, made] of parts.psapLinks) {
    const [site, psap] = key.split(" ");
    const on = onWays.toPsap(site, psap);
    // A way on which nobody ever called is drawn where something is wrong with it.
    const isUsed = on.isUsed || on.isOdd;
    show(made, on, at.hasAll.psaps && isUsed, isTold && isUsed && (isOf("PSAP", psap) || isOf("site", site)), [site, psap]);
  }
  if (!isTold) return;
  const box = byId("map-chosen");
  const text = chosen === null ? "Point at a box, or go to it by Tab: its ways are drawn and told here." : `${chosen[0]} ${chosen[1]}: ${told.length === 0 ? "no calls on its ways" : told.join(" · ")}`;
  if (box.textContent !== text) box.textContent = text;
}
