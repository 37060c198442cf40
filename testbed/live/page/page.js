// Draws frames of a run: those that the server streams, or those of a report, which the slider chooses.
"use strict";
(() => {
  const stage = document.getElementById("stage");
  if (!stage) return;
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const fields = (name) => document.querySelectorAll(`[data-of="${name}"]`);
  const put = (name, text) => fields(name).forEach((one) => { if (one.textContent !== text) one.textContent = text; });
  const count = (number) => number.toLocaleString("en");
  const clock = (seconds) => {
    const whole = Math.floor(seconds), two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const drawn = (tag, attributes, text) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // A JSON merge patch (RFC 7396), applied to a copy: earlier frames stay as they are.
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const patched = (target, patch) => {
    if (!isObject(patch)) return patch;
    const result = isObject(target) ? { ...target } : {};
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) delete result[key];
      else result[key] = patched(result[key], value);
    }
    return result;
  };

  // --- the topology ----------------------------------------------------------------------------------

  const COLUMNS = ["client", "balancer", "target", "backend"];
  const HEADINGS = { client: "clients", resolver: "resolvers", alias: "alias", balancer: "balancers", target: "targets", backend: "backends" };
  const topology = byId("topology");
  let layout = "", places = {}, parts = {};

  const place = (frame) => {
    const isTall = stage.clientWidth < 640;
    const nodes = Object.entries(frame.nodes);
    const inColumn = (name) => nodes.filter(([, node]) => node.column === name).map(([id]) => id);
    const columns = COLUMNS.map(inColumn), resolvers = inColumn("resolver"), alias = inColumn("alias");
    const width = 150, height = 44, found = {};
    const most = Math.max(1, ...columns.map((one) => one.length));
    let size;
    if (isTall) {
      const across = Math.max(350, 118 * Math.max(most, resolvers.length));
      const row = (ids, y) => ids.forEach((id, index) => { found[id] = { x: (across * (index + 0.5)) / ids.length, y, w: Math.min(width, across / ids.length - 10), h: height }; });
      row(columns[0], 46);
      row(resolvers, 128);
      alias.forEach((id) => { found[id] = { x: across / 2, y: 204, w: Math.min(230, across - 40), h: height }; });
      row(columns[1], 330); row(columns[2], 452); row(columns[3], 574);
      size = [across, columns[3].length ? 606 : 484];
      return { found, size, isTall };
    }
    const wide = 1100, gap = Math.max(58, 66 - most);
    const xs = { client: 90, balancer: 640, target: 845, backend: 1030 };
    const top = (resolvers.length || alias.length) ? 118 + Math.max(0, resolvers.length - 1) * 54 : 40;
    const tallest = Math.max(2, most);
    COLUMNS.forEach((name, index) => {
      const ids = columns[index], start = top + ((tallest - ids.length) * gap) / 2 + gap / 2;
      ids.forEach((id, at) => { found[id] = { x: xs[name], y: start + at * gap, w: name === "backend" || name === "target" ? 120 : width, h: height }; });
    });
    resolvers.forEach((id, index) => { found[id] = { x: 250, y: 58 + index * 54, w: 120, h: height }; });
    alias.forEach((id) => { found[id] = { x: 430, y: 58, w: 180, h: height }; });
    size = [wide, top + tallest * gap + 12];
    return { found, size, isTall };
  };

  // A curve from node to node, and the point of its label, at `t` of its way.
  const path = (from, to, isTall, t) => {
    let points;
    if (isTall) {
      const y1 = from.y + from.h / 2, y2 = to.y - to.h / 2, bend = (y2 - y1) / 2;
      points = [[from.x, y1], [from.x, y1 + bend], [to.x, y2 - bend], [to.x, y2]];
    } else {
      const x1 = from.x + from.w / 2, x2 = to.x - to.w / 2, bend = Math.max(30, (x2 - x1) * 0.45);
      points = [[x1, from.y], [x1 + bend, from.y], [x2 - bend, to.y], [x2, to.y]];
    }
    const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
    const [x, y] = [0, 1].map((axis) => points.reduce((sum, point, index) => sum + weights[index] * point[axis], 0));
    return [`M${points[0]} C${points.slice(1).join(" ")}`, x, y];
  };

  const fits = (text, width, size) => {
    const most = Math.max(4, Math.floor((width - 14) / size));
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  };

  const build = (frame) => {
    const made = place(frame);
    places = made.found;
    parts = {};
    topology.replaceChildren();
    topology.setAttribute("viewBox", `0 0 ${made.size[0]} ${made.size[1]}`);
    topology.style.minWidth = made.isTall && made.size[0] > 400 ? `${made.size[0]}px` : "";
    const lines = drawn("g", {}), labels = drawn("g", {}), boxes = drawn("g", {});
    if (!made.isTall) {
      for (const name of Object.keys(HEADINGS)) {
        const first = Object.entries(frame.nodes).find(([, node]) => node.column === name);
        if (first) labels.append(drawn("text", { x: places[first[0]].x, y: 14, "text-anchor": "middle", class: "column" }, HEADINGS[name]));
      }
    }
    for (const [id, edge] of Object.entries(frame.edges)) {
      const { start, end } = edge;
      if (!places[start] || !places[end]) continue;
      // Labels of edges to the same node stand at different parts of their ways, so that they do not meet.
      const turn = Object.keys(frame.nodes).filter((one) => frame.nodes[one].column === frame.nodes[start].column).indexOf(start);
      const [d, x, y] = path(places[start], places[end], made.isTall, edge.kind === "points" ? 0.5 : [0.42, 0.7, 0.56, 0.82][turn % 4]);
      const line = drawn("path", { d, class: "edge" });
      const flow = edge.kind === "carries" ? drawn("path", { d, class: "edge flow" }) : null;
      const label = drawn("text", { x, y: y + 4, "text-anchor": "middle", class: "rate" });
      lines.append(line);
      if (flow) lines.append(flow);
      labels.append(label);
      parts[id] = { line, flow, label };
    }
    for (const [id, node] of Object.entries(frame.nodes)) {
      const at = places[id];
      if (!at) continue;
      const group = drawn("g", { class: "node" });
      const label = drawn("text", { x: at.x, y: node.note ? at.y - 3 : at.y + 5, "text-anchor": "middle", class: "label" });
      const note = drawn("text", { x: at.x, y: at.y + 13, "text-anchor": "middle", class: "note" });
      const title = drawn("title", {});
      group.append(title, drawn("rect", { x: at.x - at.w / 2, y: at.y - at.h / 2, width: at.w, height: at.h, rx: 8 }), label, note);
      boxes.append(group);
      parts[id] = { group, label, note, title, width: at.w };
    }
    topology.append(lines, boxes, labels);
  };

  const toneOf = (frame, edge) => {
    for (const end of [edge.start, edge.end]) {
      const node = frame.nodes[end];
      if (node?.state === "lost") return "tone-lost";
      if (node?.tone) return `tone-${node.tone}`;
    }
    return "";
  };

  const draw = (frame) => {
    const wanted = JSON.stringify([Object.keys(frame.nodes), Object.keys(frame.edges), stage.clientWidth < 640]);
    if (wanted !== layout) { layout = wanted; build(frame); }
    const highest = Math.max(20, ...Object.values(frame.edges).map((edge) => edge.rate));
    for (const [id, node] of Object.entries(frame.nodes)) {
      const part = parts[id];
      if (!part) continue;
      part.group.setAttribute("class", `node ${node.state} ${node.tone ? `tone-${node.tone}` : ""}`);
      part.label.textContent = fits(node.label, part.width, 6.8);
      part.note.textContent = fits(node.note, part.width, 5.9);
      part.title.textContent = `${node.label} ${node.note}`;
    }
    for (const [id, edge] of Object.entries(frame.edges)) {
      const part = parts[id];
      if (!part) continue;
      const tone = toneOf(frame, edge);
      if (edge.kind !== "carries") {
        part.line.setAttribute("class", `edge ${edge.kind} ${tone}`);
        part.label.textContent = edge.kind === "points" ? edge.note : "";
        continue;
      }
      const isBusy = edge.rate > 0;
      part.line.setAttribute("class", `edge carries ${tone} ${isBusy ? "" : "idle"} ${edge.losing > 0 ? "losing" : ""}`);
      part.line.style.strokeWidth = isBusy ? `${1.5 + 6.5 * Math.sqrt(edge.rate / highest)}px` : "";
      part.flow.style.display = isBusy ? "" : "none";
      part.flow.style.setProperty("--pace", `${(1.8 - 1.3 * (edge.rate / highest)).toFixed(1)}s`);
      part.label.setAttribute("class", edge.losing > 0 ? "rate bad" : "rate");
      part.label.textContent = edge.losing > 0 ? `${edge.losing} lost/s` : isBusy ? `${edge.rate}/s` : edge.open > 0 ? `${edge.open} open` : "";
    }
  };

  // --- the rest of the page --------------------------------------------------------------------------

  const cells = (row, texts) => texts.map((text, index) => {
    const cell = row.cells[index] ?? row.appendChild(element("td", index >= 2 && row.parentElement?.parentElement?.id === "edges" ? { class: "n" } : {}));
    if (cell.textContent !== text) cell.textContent = text;
    return cell;
  });
  const rows = (body, number) => {
    while (body.rows.length > number) body.deleteRow(-1);
    while (body.rows.length < number) body.insertRow();
  };

  const drawTable = (frame) => {
    if (!byId("edges").closest("details").open) return;
    const carried = Object.entries(frame.edges).filter(([, edge]) => edge.kind === "carries");
    const body = byId("edges").tBodies[0];
    rows(body, carried.length);
    carried.forEach(([id, edge], index) => {
      const [start, end] = [edge.start, edge.end].map((one) => frame.nodes[one]?.label ?? one);
      const row = body.rows[index];
      row.dataset.edge = id;
      cells(row, [start, end, String(edge.rate), String(edge.losing), count(edge.count), count(edge.lost), edge.open ? String(edge.open) : ""]);
    });
  };

  const drawRecords = (frame) => {
    const body = byId("records").tBodies[0], records = Object.values(frame.records);
    rows(body, records.length);
    records.forEach((record, index) => {
      const cell = cells(body.rows[index], [record.name, record.type])[1].nextElementSibling ?? body.rows[index].appendChild(element("td"));
      const text = `${record.value}\n${record.detail}`;
      if (cell.dataset.text === text) return;
      cell.dataset.text = text;
      cell.replaceChildren(record.value, element("small", {}, record.detail));
    });
  };

  let shownSteps = "";
  const drawSteps = (frame) => {
    const wanted = JSON.stringify([frame.step, frame.steps]);
    if (wanted === shownSteps) return;
    shownSteps = wanted;
    const list = byId("steps");
    list.replaceChildren(...Object.entries(frame.steps).map(([number, step]) => {
      const isNow = Number(number) === frame.step;
      const item = element("li", { class: step.outcome, ...(isNow ? { "aria-current": "step" } : {}) });
      item.append(element("span", { class: "when" }, clock(step.at)), element("b", {}, `${number}. ${step.title}`));
      if (step.outcome) item.append(element("span", { class: "unseen" }, ` ${step.outcome}`));
      if (isNow) item.append(element("div", { class: "why" }, step.why));
      return item;
    }));
    if (!list.children.length) list.append(element("li", {}, element("b", {}, "No step yet: what stands before the cutover is made.")));
  };

  const drawVerdict = (verdict) => {
    put("standing", verdict.standing);
    fields("standing").forEach((one) => { one.className = `standing ${verdict.standing.replace(" ", "-")}`; });
    put("verdict", verdict.text);
    fields("reasons").forEach((list) => {
      const wanted = verdict.reasons.join("\n");
      if (list.dataset.text === wanted) return;
      list.dataset.text = wanted;
      list.replaceChildren(...verdict.reasons.map((reason) => element("li", {}, reason)));
    });
  };

  const MOST_LINES = 600;
  const lines = byId("lines");
  let shownLines = 0;
  const line = (entry) => element("div", { class: `of-${entry.kind} is-${entry.level}` }, element("time", {}, clock(entry.at)), element("i", { title: entry.who }, entry.who), element("span", {}, entry.text));
  const drawLines = (entries, wanted) => {
    if (wanted === shownLines) return;
    const isAtEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 24 || wanted < shownLines;
    if (wanted < shownLines || wanted - shownLines > MOST_LINES) {
      lines.replaceChildren(...entries.slice(Math.max(0, wanted - MOST_LINES), wanted).map(line));
    } else {
      lines.append(...entries.slice(shownLines, wanted).map(line));
      while (lines.children.length > MOST_LINES) lines.firstChild.remove();
    }
    shownLines = wanted;
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
  };
  byId("only-logs").addEventListener("change", (event) => lines.classList.toggle("only-logs", event.target.checked));

  const show = (frame, entries) => {
    put("title", frame.title || "Cutover testbed");
    put("about", frame.about || "waiting for the run");
    put("clock", clock(frame.at));
    for (const name of ["rate", "losing"]) put(name, String(frame[name]));
    for (const name of ["ok", "failed", "unknown"]) put(name, count(frame[name]));
    for (const name of ["losing", "failed", "unknown"]) fields(name).forEach((one) => one.closest(".figure")?.classList.toggle("bad", frame[name] > 0));
    put("faults", Object.values(frame.faults).map((text) => `Fault: ${text}`).join(" · "));
    draw(frame);
    drawTable(frame);
    drawRecords(frame);
    drawSteps(frame);
    drawVerdict(frame.verdict);
    drawLines(entries, Math.min(frame.entries, entries.length));
  };

  let again = () => {};
  byId("edges").closest("details").addEventListener("toggle", () => again());
  addEventListener("resize", () => again());

  // --- a finished run: the slider --------------------------------------------------------------------

  const replay = (data) => {
    const frames = [data.first];
    for (const patch of data.patches) frames.push(patched(frames.at(-1), patch));
    const slider = byId("moment"), play = stage.querySelector("[data-do=play]"), last = frames.length - 1;
    stage.querySelector(".slider").hidden = false;
    slider.max = last;
    const begins = [];
    frames.forEach((frame, index) => { if (index === 0 || frame.step !== frames[index - 1].step) begins.push(index); });
    const ticks = stage.querySelector(".ticks");
    let edge = -9;
    for (const index of begins.filter((one) => frames[one].step > 0)) {
      const left = (100 * index) / Math.max(1, last), mark = element("span", {}, left - edge > 2.6 ? String(frames[index].step) : "");
      if (mark.textContent) edge = left;
      mark.style.left = `${left}%`;
      ticks.append(mark);
    }
    const to = (index) => {
      const at = Math.max(0, Math.min(last, index)), frame = frames[at];
      slider.value = at;
      const step = frame.step ? `step ${frame.step}: ${frame.steps[frame.step]?.title ?? ""}` : "before the first step";
      slider.setAttribute("aria-valuetext", `${clock(frame.at)}, ${step}`);
      stage.dataset.wall = frame.wall;
      show(frame, data.entries);
    };
    again = () => to(Number(slider.value));
    let timer = 0;
    const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; play.setAttribute("aria-pressed", "false"); };
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (Number(slider.value) === last) to(0);
      play.textContent = "Stop";
      play.setAttribute("aria-pressed", "true");
      timer = setInterval(() => { to(Number(slider.value) + 1); if (Number(slider.value) === last) stop(); }, 100);
    });
    slider.addEventListener("input", () => { stop(); to(Number(slider.value)); });
    stage.querySelector("[data-do=back]").addEventListener("click", () => { stop(); to(begins.filter((one) => one < Number(slider.value)).at(-1) ?? 0); });
    stage.querySelector("[data-do=forth]").addEventListener("click", () => { stop(); to(begins.find((one) => one > Number(slider.value)) ?? last); });
    to(last);
  };

  // --- a run that goes on: the stream, and the acts --------------------------------------------------

  const live = () => {
    let state = {}, pending = false;
    const entries = [], connection = byId("connection");
    const acts = stage.querySelector(".acts"), gate = byId("gate"), fault = byId("fault"), told = byId("told");
    const control = () => {
      const now = state.control ?? {}, waits = Boolean(now.waits_for), isOver = Boolean(state.isOver);
      acts.hidden = isOver || now.has_steps === undefined;
      gate.hidden = !now.has_steps;
      // A topology that only stands has no story, so no step and no verdict.
      for (const one of [byId("steps").closest(".stage-card"), byId("standing")]) one.hidden = now.has_steps === false;
      byId("gate-says").textContent = waits ? `${now.waits_for} waits. What will happen?` : now.pauses ? "The story pauses before the next step." : "The story goes on by itself.";
      gate.querySelector("[data-act=pause]").hidden = Boolean(now.pauses);
      for (const name of ["next", "go", "end"]) gate.querySelector(`[data-act=${name}]`).hidden = name === "go" ? !now.pauses : !waits;
      for (const field of gate.querySelectorAll(".field")) field.hidden = !waits;
      const names = gate.elements.alias, wanted = (now.names ?? []).join("\n");
      if (names.dataset.names !== wanted) {
        names.dataset.names = wanted;
        names.replaceChildren(names.options[0], ...(now.names ?? []).map((name) => element("option", { value: name }, name)));
      }
      const faults = byId("faults");
      if (faults.children.length !== (now.faults ?? []).length) faults.replaceChildren(...now.faults.map((text) => element("option", { value: text })));
      if (now.told && told.dataset.number !== String(now.told.number)) { told.dataset.number = now.told.number; told.textContent = now.told.text; }
    };
    const act = async (body) => {
      try {
        const answer = await fetch("acts", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
        if (!answer.ok) told.textContent = await answer.text();
      } catch { told.textContent = "The run does not answer any more."; }
    };
    gate.addEventListener("submit", (event) => event.preventDefault());
    gate.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (!button) return;
      const { alias, lost } = gate.elements;
      act({ act: button.dataset.act, alias: alias.value, lost: lost.value });
      alias.value = lost.value = "";
    });
    fault.addEventListener("submit", (event) => {
      event.preventDefault();
      act({ act: "fault", fault: fault.elements.fault.value, for: Number(fault.elements.for.value) });
    });
    again = () => { if (state.frame) show(state.frame, entries); control(); };
    const stream = new EventSource("events");
    stream.onopen = () => { state = {}; entries.length = 0; connection.textContent = "live"; };
    stream.onmessage = (event) => {
      const message = JSON.parse(event.data);
      state = patched(state, message.patch);
      entries.push(...message.entries);
      if (message.is_over) { stream.close(); state.isOver = true; connection.textContent = "the run is over"; }
      // Many messages, one picture: a browser in the background draws none.
      if (!pending) { pending = true; requestAnimationFrame(() => { pending = false; again(); }); }
      if (message.is_over) again();
    };
    stream.onerror = () => { connection.textContent = stream.readyState === EventSource.CLOSED ? "the run is gone" : "connection lost"; };
  };

  const data = byId("replay");
  if (data) replay(JSON.parse(data.textContent));
  else live();
})();
