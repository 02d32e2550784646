"use strict";
// Comfort only: the page says everything without it. Tooltips on charts, and tables that sort.
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const trials = new Map(content.trials.map((trial) => [String(trial.number), trial]));
  const tip = document.body.appendChild(document.createElement("div"));
  tip.id = "tip";
  tip.hidden = true;

  const pairs = (values) => Object.entries(values || {}).map(([name, value]) => `${name} ${value}`).join("\n");
  const textOf = (mark) => {
    if (mark.dataset.tip) return mark.dataset.tip;
    const trial = trials.get(mark.dataset.trial);
    return trial
      ? [`trial ${trial.number}, ${trial.state}`, pairs(trial.metrics), pairs(trial.params)].filter(Boolean).join("\n")
      : `trial ${mark.dataset.trial}`;
  };
  const hide = () => { tip.hidden = true; };
  const show = (event) => {
    const mark = event.target.closest("[data-tip],[data-trial]");
    if (!mark) return hide();
    tip.textContent = textOf(mark);
    tip.hidden = false;
    const at = mark.getBoundingClientRect();
    const left = Math.min(at.right + 8, window.innerWidth - tip.offsetWidth - 8);
    const above = at.top - tip.offsetHeight - 6;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above > 4 ? above : at.bottom + 6}px`;
  };
  document.querySelectorAll("figure").forEach((figure) => {
    figure.querySelectorAll("title").forEach((title) => title.remove()); // ours replaces the browser's
    figure.addEventListener("pointerover", show);
    figure.addEventListener("pointerleave", hide);
  });
  document.addEventListener("scroll", hide, { passive: true });

  const key = (row, column) => {
    const cell = row.cells[column];
    const raw = cell.dataset.value ?? cell.textContent.trim();
    const value = Number(raw);
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
