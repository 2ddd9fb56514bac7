"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { names, rows, commits, owners } = data; // texts by column, and for each column the number of its text in each row
  const total = rows.state.length;
  const STATES = names.state;
  const OPEN = STATES.map((state) => state !== "waived");
  const PENDING = STATES.indexOf("pending");
  const CRITICAL = names.severity.indexOf("critical");
  const GRADES = names.grade.length - 1; // the last is that of what has none
  const FIRST = { repository: 100, rule: 100, team: 100, waves: 50, points: 100 }; // lines that are drawn at first
  const form = document.getElementById("filters");
  const tables = [...document.querySelectorAll("table[data-by]")];
  const all = Uint32Array.from({ length: total }, (_, index) => index);
  const TEXTS = (by) => names[by === "team" ? "owner" : by]; // a file may have several owners
  let hits = all;

  // What a line of a table shows: a text, or a number.
  function cells(table, line) {
    const made = document.createElement("tr");
    line.forEach((value, column) => {
      const head = table.tHead.rows[0].cells[column];
      const cell = document.createElement(column === 0 && table.dataset.by !== "points" ? "th" : "td");
      if (cell.tagName === "TH") cell.scope = "row";
      cell.className = head.className;
      cell.dataset.label = head.textContent;
      cell.textContent = value;
      made.append(cell);
    });
    return made;
  }

  // Draws the first lines; a button draws more of them.
  function draw(table, count, line) {
    const body = table.tBodies[0];
    const button = document.getElementById(`more-${table.dataset.by}`);
    const step = FIRST[table.dataset.by] || 100;
    let drawn = 0;
    const more = () => {
      const end = Math.min(count, drawn + step);
      const made = document.createDocumentFragment();
      for (; drawn < end; drawn += 1) made.append(cells(table, line(drawn)));
      body.append(made);
      button.hidden = drawn === count;
      button.textContent = `Show ${Math.min(step, count - drawn)} more of ${count}`;
    };
    body.replaceChildren();
    if (!count) {
      const none = body.insertRow().insertCell();
      none.colSpan = table.tHead.rows[0].cells.length;
      none.textContent = "Nothing fits the filter.";
    }
    more();
    button.onclick = more;
  }

  // Counts by a column: points by state, critical and open, and repositories that have any.
  function counted(by) {
    const texts = TEXTS(by);
    const size = texts.length;
    const lines = by === "team" ? (index) => owners[rows.team[index]] : (index) => [rows[by][index]];
    const found = { states: new Uint32Array(size * STATES.length), open: new Uint32Array(size), critical: new Uint32Array(size) };
    const pairs = new Set();
    for (const index of hits) {
      const state = rows.state[index];
      for (const code of lines(index)) {
        found.states[code * STATES.length + state] += 1;
        pairs.add(code * names.repository.length + rows.repository[index]);
        if (!OPEN[state]) continue;
        found.open[code] += 1;
        if (rows.severity[index] === CRITICAL) found.critical[code] += 1;
      }
    }
    found.repositories = new Uint32Array(size);
    for (const pair of pairs) found.repositories[Math.floor(pair / names.repository.length)] += 1;
    return found;
  }

  function drawCounts(table, by, filtered) {
    const found = counted(by);
    const ordered = by === "grade" || by === "severity";
    const texts = TEXTS(by);
    const codes = texts.map((_, code) => code).filter((code) => found.repositories[code] || (by === "repository" && !filtered));
    // The names are in their order, which a sort keeps where the numbers are equal.
    if (!ordered) codes.sort((a, b) => found.critical[b] - found.critical[a] || found.open[b] - found.open[a] || a - b);
    draw(table, codes.length, (line) => {
      const code = codes[line];
      const states = STATES.map((_, state) => found.states[code * STATES.length + state]);
      const last = by === "repository" ? commits[code] : found.repositories[code];
      return [texts[code], ...states, found.critical[code], last];
    });
  }

  function drawWaves(table) {
    const found = new Map();
    for (const index of hits) {
      if (rows.state[index] !== PENDING || rows.grade[index] === GRADES) continue;
      const key = rows.rule[index] * names.grade.length + rows.grade[index];
      if (!found.has(key)) found.set(key, { rule: rows.rule[index], grade: rows.grade[index], objects: 0, repositories: new Set() });
      const wave = found.get(key);
      wave.objects += 1;
      wave.repositories.add(rows.repository[index]);
    }
    const waves = [...found.values()].sort((a, b) => a.grade - b.grade || b.repositories.size - a.repositories.size || a.rule - b.rule);
    draw(table, waves.length, (line) => {
      const wave = waves[line];
      return [names.rule[wave.rule], names.grade[wave.grade], wave.repositories.size, wave.objects];
    });
  }

  function drawPoints(table) {
    const columns = [...table.tHead.rows[0].cells].map((head) => head.dataset.column);
    draw(table, hits.length, (line) => columns.map((column) => names[column][rows[column][hits[line]]]));
  }

  // Which texts of a column hold a word, read once for each word and column.
  const lower = {};
  function holding(column, word) {
    lower[column] ||= names[column].map((name) => name.toLowerCase());
    return Uint8Array.from(lower[column], (name) => (name.includes(word) ? 1 : 0));
  }

  function tests(wanted) {
    const made = [];
    for (const column of ["rule", "grade", "state"]) {
      const code = wanted[column] ? Number(wanted[column]) : -1;
      if (code >= 0) made.push((index) => rows[column][index] === code);
    }
    if (wanted.team) made.push((index) => owners[rows.team[index]].includes(Number(wanted.team)));
    // They are in order, the worst first.
    if (wanted.severity) made.push((index) => rows.severity[index] <= Number(wanted.severity));
    const part = wanted.repository.trim().toLowerCase();
    if (part) {
      const held = holding("repository", part);
      made.push((index) => held[rows.repository[index]]);
    }
    for (const word of wanted.text.toLowerCase().split(/\s+/).filter(Boolean)) {
      const columns = data.searched.map((column) => [rows[column], holding(column, word)]);
      made.push((index) => columns.some(([codes, held]) => held[codes[index]]));
    }
    return made;
  }

  function filter() {
    const asked = tests(Object.fromEntries(new FormData(form)));
    hits = asked.length ? all.filter((index) => asked.every((test) => test(index))) : all;
    for (const table of tables) {
      const by = table.dataset.by;
      if (by === "waves") drawWaves(table);
      else if (by === "points") drawPoints(table);
      else drawCounts(table, by, asked.length > 0);
    }
    say();
  }

  function say() {
    const repositories = new Set();
    for (const index of hits) repositories.add(rows.repository[index]);
    document.getElementById("shown").textContent =
      `${hits.length} of ${total} points shown, in ${repositories.size} of ${names.repository.length} repositories`;
  }

  let waiting = 0;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 100); // a word is typed letter by letter
  });
  form.addEventListener("reset", () => setTimeout(filter));
  form.hidden = false;
  filter();
})();
