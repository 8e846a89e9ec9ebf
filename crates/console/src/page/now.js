// Now: the figures of this moment, and charts of the last minutes. Each line has a name, a dash and a colour of its own.

import { byId, el, millis, percent, put, rate, span, svg } from "./draw.js";

const MINUTES = 5;

/** Each chart: title, unit, and its lines by what they show of a second. */
const CHARTS = [
  { title: "Calls per second", unit: "calls/s", lines: [["offered", (it) => it.offered], ["answered", (it) => it.answered], ["failed", (it) => total(it)]] },
  { title: "Failed by cause", unit: "calls/s", lines: ["rejected", "timed_out", "lost", "abandoned"].map((cause) => [cause.replace("_", " "), (it) => it.failed[cause] ?? 0]) },
  { title: "Post-dial delay", unit: "ms", lines: [["p50", (it) => ms(it.pdd_p50_us)], ["p95", (it) => ms(it.pdd_p95_us)], ["p99", (it) => ms(it.pdd_p99_us)]] },
  { title: "Heard", unit: "%", most: 100, lines: [["packets heard for each sent", (it) => (it.heard === null ? null : it.heard * 100)]] },
  { title: "Calls in progress", unit: "calls", lines: [["in progress", (it) => it.in_progress]] },
  { title: "Lateness of the generator", unit: "ms", lines: [["p99", (it) => ms(it.lag_p99_us)]] },
];

const ms = (us) => (us === null || us === undefined ? null : us / 1000);
const total = (it) => (it.failed.rejected ?? 0) + (it.failed.timed_out ?? 0) + (it.failed.lost ?? 0);

/** What the pointer, or the arrow keys, are at: seconds before the last one. */
let cursor = null;

export function draw(known) {
  const run = known.state?.run;
  if (!run) {
    put(byId("figures"), el("div", {}, el("dt", {}, "no run"), el("dd", {}, "–")));
    put(byId("charts"));
    return;
  }
  const { counts } = run;
  const last = known.moments.at(-1);
  const figures = [
    ["offered", counts.offered, `${rate(last?.offered ?? 0)}/s`], ["answered", counts.answered, `${rate(last?.answered ?? 0)}/s`],
    ["rejected", counts.rejected], ["timed out", counts.timed_out], ["lost", counts.lost], ["given up", counts.abandoned],
    ["in progress", counts.in_progress, `${counts.talking} talk`], ["answer-seizure ratio", percent(counts.asr)],
    ["post-dial delay p50", millis(counts.pdd_p50_us)], ["post-dial delay p99", millis(counts.pdd_p99_us)],
    ...(counts.surged ? [["by surges", counts.surged]] : []), ...(counts.held_back ? [["held back", counts.held_back]] : []), ...(counts.not_started ? [["not started", counts.not_started]] : []),
  ];
  put(byId("figures"), figures.map(([name, value, more]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value), more ? el("small", {}, ` ${more}`) : null))));
  const sign = (holds) => (holds === null ? "…" : holds ? "✓" : "✗");
  const word = (holds) => (holds === null ? "not known yet" : holds ? "holds" : "does not hold");
  put(byId("thresholds"), run.thresholds.length === 0 ? el("li", {}, "none") : run.thresholds.map((one) => el("li", { "data-tone": one.holds === null ? "odd" : one.holds ? "well" : "ill" },
    `${sign(one.holds)} ${one.subject}: ${one.measured ?? "–"}, ${one.bounds}: ${word(one.holds)}`)));
  put(byId("alarms"), run.alarms.length === 0 ? el("li", {}, "none") : run.alarms.map((alarm) => el("li", { "data-tone": "ill" }, `▲ ${alarm}`)));
  const room = byId("charts");
  const shown = known.moments.slice(-MINUTES * 60);
  if (room.children.length !== CHARTS.length) put(room, CHARTS.map((chart) => frame(chart)));
  CHARTS.forEach((chart, at) => fill(room.children[at], chart, shown));
}

function frame(chart) {
  const figure = el("figure", { tabindex: 0, "aria-label": `${chart.title}; arrow keys read it` },
    el("figcaption", {}, el("b", {}, chart.title), " ", el("small", {}, chart.unit)), el("div", { class: "plot" }), el("p", { class: "reading" }));
  figure.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    cursor = Math.max(0, (cursor ?? 0) + step);
  });
  figure.addEventListener("pointermove", (event) => {
    const plot = figure.querySelector(".plot").getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - plot.left) / plot.width));
    cursor = Math.round((1 - share) * (Number(figure.dataset.count) - 1));
  });
  figure.addEventListener("pointerleave", () => { cursor = null; });
  figure.addEventListener("blur", () => { cursor = null; });
  return figure;
}

/** The next round figure above. */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

function fill(figure, chart, moments) {
  const [width, height, left, bottom] = [360, 150, 40, 18];
  figure.dataset.count = moments.length;
  const values = chart.lines.map(([, of]) => moments.map(of));
  const most = chart.most ?? round(Math.max(1, ...values.flat().filter((value) => value !== null)) * 1.05);
  const x = (at) => left + (moments.length < 2 ? 0 : (at / (moments.length - 1)) * (width - left - 4));
  const y = (value) => 8 + (1 - Math.min(1, value / most)) * (height - bottom - 8);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told(chart, moments.at(-1)) });
  for (const share of [0, 0.5, 1]) {
    const level = most * share;
    picture.append(svg("path", { d: `M${left} ${y(level)}H${width - 4}`, class: "grid" }),
      svg("text", { x: left - 5, y: y(level) + 4, "text-anchor": "end" }, level >= 100 || Number.isInteger(level) ? level.toFixed(0) : level.toFixed(1)));
  }
  if (moments.length > 1) {
    picture.append(svg("text", { x: left, y: height - 4 }, span(moments[0].at_s)), svg("text", { x: width - 4, y: height - 4, "text-anchor": "end" }, span(moments.at(-1).at_s)));
  }
  values.forEach((line, at) => {
    let path = "";
    line.forEach((value, place) => {
      if (value === null) return;
      path += `${path === "" || line[place - 1] === null ? "M" : "L"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    });
    if (path) picture.append(svg("path", { d: path, class: `line q${at}`, "data-values": line.length }));
  });
  const place = cursor === null ? null : moments.length - 1 - Math.min(cursor, moments.length - 1);
  if (place !== null && place >= 0) picture.append(svg("path", { d: `M${x(place)} 8V${height - bottom}`, class: "cursor" }));
  put(figure.querySelector(".plot"), picture);
  const of = moments[place ?? moments.length - 1];
  put(figure.querySelector(".reading"), of ? `${span(of.at_s)} ` : "", chart.lines.map(([name, value], at) => [
    svg("svg", { viewBox: "0 0 22 8", class: "sample", "aria-hidden": "true" }, svg("path", { d: "M0 4H22", class: `line q${at}` })),
    ` ${name} ${of && value(of) !== null ? value(of).toFixed(value(of) >= 100 ? 0 : 1) : "–"}  `]));
}

function told(chart, last) {
  const values = chart.lines.map(([name, value]) => `${name} ${last && value(last) !== null ? value(last).toFixed(1) : "not known"}`);
  return `${chart.title}, ${chart.unit}, now: ${values.join(", ")}`;
}
