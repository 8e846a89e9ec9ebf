// Makes elements. Text is always text: nothing that comes from a network becomes markup.

/** An element with attributes and children; `on…` are listeners, `false` and `null` are left out. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for a picture. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Puts these in place of what an element has. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

/** The same for what is drawn anew again and again: nobody loses a place in it who stands on something with a `data-key`. */
export function renew(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  put(element, ...children);
  if (key) [...element.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus({ preventScroll: true });
}

/** A field with its label. */
export function field(label, input, hint) {
  return el("label", { class: "field" }, el("span", {}, label), input, hint ? el("small", {}, hint) : null);
}

/** A choice; each option is a text, or `[value, text]`. */
export function select(name, options, attributes = {}) {
  const option = (one) => {
    const [value, text] = Array.isArray(one) ? one : [one, one];
    return el("option", { value }, text);
  };
  return el("select", { name, ...attributes }, options.map(option));
}

/** A table: heads, then rows of cells; a cell is text, an element, or `{ number }`. */
export function table(caption, heads, rows, attributes = {}) {
  const cell = (tag) => (one, at) => {
    const isNumber = one !== null && typeof one === "object" && "number" in one;
    const content = isNumber ? one.number : one ?? "–";
    return el(tag === "td" && at === 0 ? "th" : tag, { class: isNumber ? "n" : null, scope: at === 0 && tag === "td" ? "row" : null }, content);
  };
  const line = (row) => (row instanceof Element ? row : el("tr", {}, row.map(cell("td"))));
  return el("table", attributes, el("caption", {}, caption), el("thead", {}, el("tr", {}, heads.map(cell("th")))), el("tbody", {}, rows.map(line)));
}

/** A shape and a word for each state: nobody needs the colour. */
export const SIGNS = {
  up: "●", shedding: "◒", draining: "◐", locked: "■", isolated: "◇", starting: "▲", hung: "‖", off: "○", gone: "✕", unknown: "?",
  suspect: "▲", down: "✕",
};
export const rate = (value) => (value >= 10 ? value.toFixed(0) : value.toFixed(1));
export const percent = (value) => (value === null || value === undefined ? "–" : `${(value * 100).toFixed(1)} %`);
export const millis = (us) => (us === null || us === undefined ? "–" : us >= 1e6 ? `${(us / 1e6).toFixed(2)} s` : `${(us / 1e3).toFixed(us < 1e4 ? 1 : 0)} ms`);
export const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

/** Seconds as minutes and seconds. */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Calls `act` once it has not been wanted for a moment. */
export function calmly(act, ms = 200) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
  };
}

/** A line of the chronicle. Its kind stands before it, once. */
export function happened(line) {
  const text = line.text.replace(/^(ALARM|fault:|crisis:) /, "");
  const at = line.at_s === null || line.at_s === undefined ? clock(line.at_ms) : span(line.at_s);
  return el("li", { "data-kind": line.kind }, el("time", {}, at), " ", el("b", {}, line.kind), " ", text);
}
