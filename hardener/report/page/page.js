"use strict";
(() => {
  const RANKS = { low: 0, medium: 1, high: 2, critical: 3 };
  const form = document.getElementById("filters");
  const items = [...document.querySelectorAll(".item")].map((element) => ({
    element,
    risks: element.dataset.risk.split(" "),
    grades: element.dataset.grade.split(" "),
    severity: Math.max(-1, ...element.dataset.severity.split(" ").filter(Boolean).map((name) => RANKS[name])),
    file: element.dataset.file,
    group: element.closest(".group"),
    text: null, // read when it is first asked for
  }));
  const groups = [...document.querySelectorAll(".group")];
  const details = () => [...document.querySelectorAll("main details")].filter((element) => !element.hidden);

  function textOf(item) {
    if (item.text === null) {
      const head = item.group ? item.group.querySelector("summary").textContent : "";
      item.text = (head + "\n" + item.element.textContent).toLowerCase();
    }
    return item.text;
  }

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
    const least = wanted.severity ? RANKS[wanted.severity] : -2;
    const full = new Set();
    let shown = 0;
    for (const item of items) {
      const fits =
        (!wanted.risk || item.risks.includes(wanted.risk)) &&
        (!wanted.grade || item.grades.includes(wanted.grade)) &&
        item.severity >= least &&
        (!wanted.file || item.file === wanted.file) &&
        words.every((word) => textOf(item).includes(word));
      item.element.hidden = !fits;
      if (fits) {
        shown += 1;
        full.add(item.group);
      }
    }
    for (const group of groups) group.hidden = !full.has(group);
    for (const section of document.querySelectorAll("main > section")) {
      const own = section.querySelectorAll(".item");
      if (own.length) section.classList.toggle("empty", [...own].every((element) => element.hidden));
    }
    document.getElementById("shown").textContent = `${shown} of ${items.length} records and diffs shown`;
  }

  // The drawing fits the page until somebody asks for another size.
  function zoom() {
    const region = document.getElementById("drawing");
    if (!region) return;
    const svg = region.querySelector("svg");
    const whole = Number(svg.getAttribute("width"));
    const now = () => svg.getBoundingClientRect().width / whole;
    const say = () => (document.getElementById("zoom-now").textContent = `${Math.round(100 * now())} %`);
    const set = (size) => {
      const middle = (region.scrollLeft + region.clientWidth / 2) / region.scrollWidth;
      const centre = (region.scrollTop + region.clientHeight / 2) / region.scrollHeight;
      region.classList.toggle("zoomed", size !== null);
      svg.style.width = size === null ? "" : `${Math.round(whole * Math.min(4, Math.max(0.1, size)))}px`;
      region.scrollLeft = middle * region.scrollWidth - region.clientWidth / 2;
      region.scrollTop = centre * region.scrollHeight - region.clientHeight / 2;
      say();
    };
    const acts = { in: () => set(now() * 1.25), out: () => set(now() / 1.25), fit: () => set(null) };
    const keys = { "+": "in", "=": "in", "-": "out", "0": "fit" };
    for (const id in acts) document.getElementById(`zoom-${id}`).addEventListener("click", acts[id]);
    region.addEventListener("keydown", (event) => {
      const act = acts[keys[event.key]];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
    document.getElementById("zoom").hidden = false;
    addEventListener("resize", say);
    say();
    if (now() < 0.75) document.getElementById("list").open = true; // too small to read on this screen
  }

  // What a link leads to may stand in something closed, or be filtered away.
  function reveal() {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (form && target.closest("[hidden]")) {
      form.reset();
      filter();
    }
    for (let element = target; element; element = element.parentElement) {
      if (element.tagName === "DETAILS") element.open = true;
    }
    target.scrollIntoView();
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    for (const [id, open] of [["open-all", true], ["close-all", false]]) {
      document.getElementById(id).addEventListener("click", () => details().forEach((element) => (element.open = open)));
    }
    filter();
  }
  zoom();
  addEventListener("hashchange", reveal);
  reveal();
})();
