
(() => {
  "use strict";

  const number = (value) =>
    Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));

  // As the ticks of the axis are written: "clock SECONDS FORM", "share", or "number".
  const place = (reading, value) => {
    const [kind, begins, form] = reading.split(" ");
    if (kind === "share") return `${Number((value * 100).toPrecision(6))} %`;
    if (kind !== "clock") return number(value);
    const two = (part) => String(part).padStart(2, "0");
    const zero = Number(begins);
    const all = Math.floor(value) + zero;
    const hours = Math.floor(all / 3600);
    const [minutes, seconds] = [Math.floor(all / 60) % 60, two(all % 60)];
    if (form === "m:ss") return `${minutes}:${seconds}`;
    return `${zero > 0 ? hours % 24 : hours}:${two(minutes)}:${seconds}`;
  };

  const box = document.createElement("div");
  box.className = "reading";
  box.hidden = true;
  document.body.append(box);

  for (const svg of document.querySelectorAll("svg.figure")) {
    // Each drawn point is a place in the path and a pair of values, in the same order.
    const lines = [...svg.querySelectorAll("[data-values]")].reverse().map((path) => {
      const pixels = [...path.getAttribute("d").matchAll(/[ML]([\d.]+) ([\d.]+)/g)];
      const values = path.dataset.values.split(",").filter(Boolean);
      const points = values.map((pair, at) => {
        const [x, y] = pair.split(" ").map(Number);
        return { x, y, pixel: Number(pixels[at][1]) };
      });
      const { name, unit } = path.dataset;
      return { name, unit: name === unit ? "" : ` ${unit}`, points };
    });
    const all = lines.flatMap((line) => line.points);
    if (all.length === 0) continue;
    const cross = document.createElementNS("http://www.w3.org/2000/svg", "line");
    const height = svg.viewBox.baseVal.height;
    cross.setAttribute("class", "cross");
    cross.setAttribute("y1", "0");
    cross.setAttribute("y2", String(height - 36));

    svg.addEventListener("pointermove", (event) => {
      const frame = svg.getBoundingClientRect();
      const at = ((event.clientX - frame.left) / frame.width) * svg.viewBox.baseVal.width;
      const nearer = (one, other) => (Math.abs(other.pixel - at) < Math.abs(one.pixel - at) ? other : one);
      const nearest = all.reduce(nearer);
      const told = lines.flatMap(({ name, unit, points }) => {
        const point = points.find(({ x }) => x === nearest.x);
        return point ? [`${name}: ${number(point.y)}${unit}`] : [];
      });
      for (const end of ["x1", "x2"]) cross.setAttribute(end, String(nearest.pixel));
      if (!cross.isConnected) svg.append(cross);
      box.textContent = [place(svg.dataset.x, nearest.x), ...told].join("\n");
      box.hidden = false;
      const aside = event.clientX + 16 + box.offsetWidth > innerWidth ? -16 - box.offsetWidth : 16;
      box.style.left = `${Math.max(0, event.clientX + aside)}px`;
      box.style.top = `${Math.max(0, Math.min(event.clientY + 12, innerHeight - box.offsetHeight))}px`;
    });
    svg.addEventListener("pointerleave", () => {
      box.hidden = true;
      cross.remove();
    });
  }

  // Whoever cannot see all columns is told so.
  const scrolls = [...document.querySelectorAll(".scroll")].map((area) => {
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.setAttribute("aria-hidden", "true");
    area.after(hint);
    const tell = () => {
      const hidden = area.scrollWidth - area.clientWidth;
      const left = area.scrollLeft > 1 ? "← " : "";
      const right = area.scrollLeft < hidden - 1 ? " →" : "";
      hint.hidden = hidden <= 1;
      hint.textContent = `${left}more columns${right}`;
    };
    area.addEventListener("scroll", tell, { passive: true });
    return { tell };
  });
  const tellAll = () => scrolls.forEach(({ tell }) => tell());
  tellAll();
  addEventListener("resize", tellAll);
  for (const fold of document.querySelectorAll("details")) fold.addEventListener("toggle", tellAll);

  // What is folded is printed too.
  const folded = [...document.querySelectorAll("details.folded")];
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = folded.filter((fold) => !fold.open);
    for (const fold of closed) fold.open = true;
  });
  addEventListener("afterprint", () => closed.forEach((fold) => (fold.open = false)));

  // Figures by size, what is no figure by the alphabet.
  const size = (text) => {
    const value = parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(value) ? -Infinity : value;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.textContent === "") return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.ariaSort !== "descending";
        for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
        head.ariaSort = down ? "descending" : "ascending";
        const text = (row) => row.cells[column].textContent;
        const rows = [...body.rows].sort((one, other) =>
          column === 0 ? text(other).localeCompare(text(one)) : size(text(other)) - size(text(one)));
        body.replaceChildren(...(down ? rows : rows.reverse()));
      });
    });
  }
})();
