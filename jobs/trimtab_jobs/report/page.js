"use strict";
// Comfort only: the page says everything without it. Charts that answer to pointer and keyboard, tables that sort.
(() => {
  const { trials } = JSON.parse(document.getElementById("content").textContent);
  const rowOf = new Map(trials.rows.map((row) => [String(row[0]), row]));
  const SVG = "http://www.w3.org/2000/svg";
  const tip = document.body.appendChild(document.createElement("div"));
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");

  const textOfTrial = (number) => {
    const row = rowOf.get(number);
    if (!row) return `trial ${number}`;
    const names = [...trials.metrics, ...trials.params];
    const pairs = names.map((name, index) => [name, row[index + 2]]).filter(([, value]) => value !== "");
    return [`trial ${number}, ${row[1]}`, ...pairs.map((pair) => pair.join(" "))].slice(0, 16).join("\n");
  };
  const placesOf = (part) => [...part.matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)].map((at) => [+at[1], +at[2]]);

  // Every mark of a chart: where it lies, what it says, and the trial that it stands for, if any.
  const marksOf = (svg) => {
    const trialMarks = [...svg.querySelectorAll("[data-n]")].flatMap((path) => {
      const numbers = path.dataset.n.split(" ");
      return path.getAttribute("d").split(/(?=M)/).map((part, index) => {
        const places = placesOf(part);
        const number = numbers[index];
        return { x: places[0][0], y: places[0][1], places, number, text: () => textOfTrial(number) };
      });
    });
    const models = [...svg.querySelectorAll(".mark")].map((mark) => {
      const title = mark.querySelector("title");
      const text = title.textContent;
      title.remove(); // ours replaces the browser's
      const box = mark.getBBox();
      const at = [box.x + box.width / 2, box.y + box.height / 2];
      return { x: at[0], y: at[1], places: [at], text: () => text };
    });
    return [...trialMarks, ...models].sort((one, other) => one.x - other.x);
  };

  const charts = [...document.querySelectorAll("figure.chart > svg")].map((svg) => {
    const pick = svg.appendChild(document.createElementNS(SVG, "path"));
    return { svg, pick, marks: marksOf(svg), at: -1 };
  });

  const drawPick = (chart, mark) => {
    const [x, y] = mark.places[0];
    const isLine = mark.places.length > 1;
    chart.pick.setAttribute("class", isLine ? "pick" : "pick spot");
    chart.pick.setAttribute("d", isLine ? "M" + mark.places.map((place) => place.join(" ")).join("L") : `M${x - 8} ${y}a8 8 0 1 0 16 0a8 8 0 1 0-16 0`);
  };
  let shown = null;
  const clear = () => {
    shown = null;
    tip.hidden = true;
    charts.forEach((chart) => chart.pick.removeAttribute("d"));
  };
  const place = () => {
    const spot = new DOMPoint(shown.mark.x, shown.mark.y).matrixTransform(shown.svg.getScreenCTM());
    const left = Math.min(spot.x + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
    const above = spot.y - tip.offsetHeight - 12;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above > 4 ? above : spot.y + 14}px`;
  };
  const show = (chart, mark) => {
    clear();
    charts.forEach((other) => {
      const same = other === chart ? mark : mark.number && other.marks.find((each) => each.number === mark.number);
      if (same) drawPick(other, same);
    });
    shown = { svg: chart.svg, mark };
    tip.textContent = mark.text();
    tip.hidden = false;
    place();
  };

  const gap = (places, x, y) => {
    if (places.length === 1) return Math.hypot(places[0][0] - x, places[0][1] - y);
    let least = Infinity;
    for (let index = 1; index < places.length; index += 1) {
      const [[x1, y1], [x2, y2]] = [places[index - 1], places[index]];
      if (y >= y1 && y <= y2) least = Math.min(least, Math.abs(x1 + ((x2 - x1) * (y - y1)) / (y2 - y1) - x));
    }
    return least;
  };
  const nearest = (chart, event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.svg.getScreenCTM().inverse());
    const gaps = chart.marks.map((mark) => gap(mark.places, at.x, at.y));
    const least = Math.min(...gaps);
    return least < 14 ? gaps.lastIndexOf(least) : -1;
  };
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

  charts.filter((chart) => chart.marks.length).forEach((chart) => {
    const { svg, marks } = chart;
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-label", `${svg.getAttribute("aria-label")} Arrow keys go from mark to mark.`);
    svg.addEventListener("pointermove", (event) => {
      chart.at = nearest(chart, event);
      if (chart.at < 0) clear();
      else show(chart, marks[chart.at]);
    });
    svg.addEventListener("pointerleave", clear);
    svg.addEventListener("blur", clear);
    svg.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return clear();
      if (!(event.key in steps)) return;
      event.preventDefault();
      chart.at = Math.max(0, Math.min(marks.length - 1, chart.at + steps[event.key]));
      show(chart, marks[chart.at]);
    });
  });
  document.addEventListener("scroll", () => { if (shown) place(); }, { passive: true });

  const key = (row, column) => {
    const cell = row.cells[column];
    const raw = cell.dataset.value ?? cell.textContent.trim();
    const value = Number(raw.replaceAll(",", "").replace("\u2212", "-"));
    return raw === "" || Number.isNaN(value) ? { text: raw } : { value };
  };
  const compare = (one, other) => {
    if ("value" in one !== "value" in other) return "value" in one ? -1 : 1;
    return "value" in one ? one.value - other.value : one.text.localeCompare(other.text);
  };
  const sort = (table, column, heading) => {
    const falling = heading.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    rows.sort((one, other) => compare(one[0], other[0]) * (falling ? -1 : 1));
    body.append(...rows.map(([, row]) => row));
    table.querySelectorAll("[aria-sort]").forEach((each) => each.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
  };
  document.querySelectorAll("table.sortable").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
  });
})();
