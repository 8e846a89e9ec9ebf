// What goes over the ways of the network: calls per second, and what is cut or impaired; and all of it as tables.

import { SIGNS, el, put, rate, table } from "./draw.js";

/** The counts of a state by what they are of; each state is summed up once. */
const summed = new WeakMap();

function counts(state) {
  const known = summed.get(state);
  if (known) return known;
  const by = (list, key) => {
    const sums = new Map();
    for (const one of list) {
      const name = key(one);
      sums.set(name, (sums.get(name) ?? 0) + one.offered);
    }
    return sums;
  };
  const made = {
    groups: by(state.trunk_groups, (one) => one.name), sites: by(state.sites, (one) => one.name), psaps: by(state.psaps, (one) => one.name),
    links: by(state.links, (one) => `${one.trunk_group} ${one.site}`), members: by(state.links, (one) => `${one.trunk_group} ${one.call_server}`),
    psapLinks: by(state.psap_links, (one) => `${one.site} ${one.psap}`),
  };
  summed.set(state, made);
  return made;
}

/** Calls per second between the state before and this one, by what they are of. */
export function paces(known) {
  const now = counts(known.state);
  const seconds = known.before ? Math.max(0.2, (known.state.at_ms - known.before.at_ms) / 1000) : 0;
  const before = known.before ? counts(known.before) : null;
  const of = (list) => new Map([...now[list]].map(([key, count]) => [key, seconds ? Math.max(0, count - (before[list].get(key) ?? 0)) / seconds : 0]));
  return Object.fromEntries(Object.keys(now).map((list) => [list, of(list)]));
}

/** What is cut or impaired on the way between two boxes. */
export function suffers(state, one, other) {
  const touches = (fault, name) => fault.of === name || fault.other === name;
  return state.run?.impaired.find((fault) => fault.kind === "impaired" &&
    (fault.other ? touches(fault, one) && touches(fault, other) : fault.of === one || fault.of === other));
}

/** What is on each way: its state, its calls per second, and both in a few signs. */
export function onWays(known, isNarrow) {
  const { state } = known;
  const pace = paces(known);
  const worst = new Map();
  for (const link of state.links) {
    const key = `${link.trunk_group} ${link.site}`;
    const now = link.state === "down" ? "down" : link.state === "up" ? "up" : "suspect";
    const before = worst.get(key) ?? "up";
    worst.set(key, before === "down" || now === "down" ? "down" : before === "suspect" || now === "suspect" ? "suspect" : "up");
  }
  const ends = new Map([...state.sites, ...state.psaps].map((one) => [one.name, ["gone", "off"].includes(one.state)]));
  const told = (from, to, own, calls) => {
    const fault = suffers(state, from, to);
    const isCut = fault?.what.includes("cut");
    const now = isCut ? "down" : own === "down" ? "down" : fault ? "suspect" : own;
    const text = isCut ? "✂ cut" : own === "down" ? "✕" : fault ? `≈ ${rate(calls)}` : isNarrow ? rate(calls) : `${rate(calls)}/s`;
    // Of what is dead all ways are down: it says so itself.
    const isOdd = fault !== undefined || (now !== "up" && !ends.get(from) && !ends.get(to));
    return { state: now, calls, text, isOdd };
  };
  return {
    toSite: (group, site) => told(group, site, worst.get(`${group} ${site}`) ?? "up", pace.links.get(`${group} ${site}`) ?? 0),
    toPsap: (site, psap) => {
      const calls = pace.psapLinks.get(`${site} ${psap}`);
      const isDead = calls !== undefined && (ends.get(site) || ends.get(psap));
      return { ...told(site, psap, isDead ? "down" : "up", calls ?? 0), isUsed: calls !== undefined };
    },
  };
}

/** The same as the map, as tables. */
export function tables(known, room) {
  const { state, network } = known;
  const n = (number) => ({ number: String(number) });
  const pace = paces(known);
  const onEach = onWays(known, false);
  const policies = new Map(network.trunk_groups.map((one) => [one.name, one.policy]));
  const numbers = new Map(network.psaps.map((one) => [one.name, one.number]));
  put(room,
    el("div", { class: "scroll" }, table("Sites", ["site", "state", "release", "calls", "contexts", "offered", "answered", "rejected", "lost", "restarts", "latent defects"],
      state.sites.map((one) => [one.name, `${SIGNS[one.state]} ${one.state}`, one.release, n(one.calls), n(`${one.contexts_used}/${one.contexts}`), n(one.offered), n(one.answered), n(one.rejected), n(one.lost), n(one.restarts), one.defects.join(", ") || "none"]))),
    el("div", { class: "scroll" }, table("Trunk groups", ["trunk group", "policy", "calls", "circuits", "offered", "answered", "rejected", "lost"],
      state.trunk_groups.map((one) => [one.name, policies.get(one.name), n(one.calls), n(`${one.seized}/${one.circuits}`), n(one.offered), n(one.answered), n(one.rejected), n(one.lost)]))),
    el("div", { class: "scroll" }, table("Ways from trunk groups", ["from", "to", "state", "circuits", "calls/s", "offered", "failed"],
      state.links.map((one) => [one.trunk_group, one.call_server, suffers(state, one.trunk_group, one.site)?.what ?? `${SIGNS[one.state]} ${one.state}`, n(`${one.seized}/${one.circuits}`), n(rate(pace.members.get(`${one.trunk_group} ${one.call_server}`) ?? 0)), n(one.offered), n(one.failed)]))),
    el("div", { class: "scroll" }, table("Ways to PSAPs", ["from", "to", "state", "calls/s", "offered", "answered"],
      state.psap_links.map((one) => {
        const on = onEach.toPsap(one.site, one.psap);
        return [one.site, one.psap, suffers(state, one.site, one.psap)?.what ?? `${SIGNS[on.state]} ${on.state}`, n(rate(on.calls)), n(one.offered), n(one.answered)];
      }))),
    el("div", { class: "scroll" }, table("PSAPs", ["PSAP", "number", "queue", "oldest", "calls/s", "idle", "ringing", "talking", "wrap-up", "answered", "given up"],
      state.psaps.map((one) => [one.name, numbers.get(one.name), n(one.waiting), n(one.oldest_waiting_s === null ? "–" : `${one.oldest_waiting_s.toFixed(0)} s`), n(rate(pace.psaps.get(one.name) ?? 0)), n(one.idle), n(one.ringing), n(one.talking), n(one.wrap_up), n(one.answered), n(one.abandoned)]))));
}
