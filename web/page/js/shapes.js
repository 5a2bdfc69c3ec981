// Zones and lines: drawn on the picture, listed, and taken away. A zone tells who enters and leaves it, a line who crosses
// it and which way. Events: "put" {verb, name, points, settle}, where no points remove and settle is called with whether it was
// done, and "change" when there is something to draw.

import { $, el, icon, text } from "./dom.js";

const icons = { zone: "M5 8.5 12 4l7 4.5-2 9.5H7z", line: "M5 19 19 5M12 5h7v7" };
const most = 64; // corners that the agent takes
const named = 4; // of those in a zone

export class Shapes extends EventTarget {
  #all = []; #known = {}; #sent = new Map(); #rows = ""; #lit = "";
  called = (id) => id; // the name of an object
  draft = null; // {kind, points, at}: the shape being drawn, and where the pointer is

  constructor() {
    super();
    for (const kind of ["zone", "line"]) $(`new-${kind}`).addEventListener("click", () => this.begin(kind));
    $("draft").addEventListener("submit", (e) => { e.preventDefault(); this.finish(); });
    $("draft-cancel").addEventListener("click", () => this.cancel());
    $("draft-name").addEventListener("keydown", (e) => e.key === "Escape" && this.cancel());
  }

  // shapes are what the picture shows: those that the agent knows, and the draft.
  get drawn() {
    const all = this.#all.map((s) => ({ ...s, lit: s.kind + s.name === this.#lit }));
    if (!this.draft) return all;
    const { kind, points, at } = this.draft;
    return [...all, { kind, points: at && points.length < limit(kind) ? [...points, [at.x, at.y]] : points, name: "", draft: true }];
  }

  // show takes what the agent knows. What it was told and may not know yet, since its word was under way, is shown as told.
  show(known) {
    this.#known = known;
    const { zones = [], lines = [] } = known;
    this.#all = [...zones.map((z) => ({ kind: "zone", ...z })), ...lines.map((l) => ({ kind: "line", ...l }))];
    for (const [key, { shape, until }] of this.#sent) {
      const there = this.#all.find((s) => s.kind + s.name === key);
      if (performance.now() > until || String(there?.points ?? "") === String(shape.points)) { this.#sent.delete(key); continue; }
      this.#all = this.#all.filter((s) => s !== there);
      if (shape.points.length) this.#all.push(shape);
    }
    const rows = this.#all.map((s) => s.kind + s.name).join("\n");
    if (rows !== this.#rows) {
      this.#rows = rows;
      $("shapes").replaceChildren(...this.#all.map((s) => this.#row(s)));
    }
    this.#all.forEach((s, i) => text($("shapes").children[i].querySelector(".tally"), this.#tally(s, known.counts ?? {})));
    this.#tell("change");
  }

  begin(kind) {
    this.draft = { kind, points: [], at: null };
    let n = 1;
    while (this.#all.some((s) => s.kind === kind && s.name === `${kind} ${n}`)) n++;
    $("draft-name").value = `${kind} ${n}`;
    this.#draw();
  }

  // click adds a corner; on the first one it closes a zone. near reports whether two points look like one.
  click(p, near) {
    const { kind, points } = this.draft, [first] = points;
    if (kind === "zone" && points.length > 2 && near(p, { x: first[0], y: first[1] })) return this.finish();
    if (points.length >= limit(kind)) points.pop();
    points.push([round(p.x), round(p.y)]);
    this.#draw();
  }

  // stroke is a drag: a line from end to end, a zone from corner to corner.
  stroke(from, to) {
    const [x0, y0, x1, y1] = [from.x, from.y, to.x, to.y].map(round);
    this.draft.points = this.draft.kind === "line" ? [[x0, y0], [x1, y1]] : [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
    this.#draw();
  }

  hover(p) {
    this.draft.at = p;
    this.#tell("change");
  }

  finish() {
    const { kind, points } = this.draft, name = $("draft-name").value.trim();
    if (points.length < least(kind) || !name) return;
    this.draft = null;
    this.#put(kind, name, points);
  }

  cancel() {
    this.draft = null;
    this.#draw();
  }

  // forget leaves the camera that all this belongs to.
  forget() {
    this.#sent.clear();
    this.cancel();
    this.show({});
  }

  // tally says what a zone or line has counted: who is inside, and how often somebody came and went; of a line to the right of its arrow is in, as over MQTT.
  #tally({ kind, name }, counts) {
    const of = (what) => Object.hasOwn(counts[what] ?? {}, name) ? counts[what][name] : null; // people give names
    if (kind === "line") {
      const { left, right } = of("lines") ?? { left: 0, right: 0 };
      return `${right} in · ${left} out`;
    }
    const { entered, left } = of("zones") ?? { entered: 0, left: 0 }, there = of("inside") ?? [];
    const names = there.slice(0, named).map((id) => this.called(id)).join(", "), more = there.length - named;
    return `${there.length ? `${there.length} inside: ${names}${more > 0 ? ` and ${more} more` : ""}` : "nobody inside"} · ${entered} in · ${left} out`;
  }

  #row(s) {
    const remove = el("button", { className: "icon small danger", type: "button", title: "Remove", "aria-label": `Remove the ${s.kind} ${s.name}` }, icon("M6 6l12 12M18 6L6 18"));
    const li = el("li", { className: "shape" }, icon(icons[s.kind]), el("span", { className: "words" }, el("span", { className: "name" }, s.name), el("span", { className: "tally", title: s.kind === "line" ? "in: to the right of the arrow; out: to its left" : "" })), remove);
    remove.addEventListener("click", () => this.#put(s.kind, s.name, []));
    li.addEventListener("pointerenter", () => this.#light(s.kind + s.name));
    li.addEventListener("pointerleave", () => this.#light(""));
    return li;
  }

  #light(key) { this.#lit = key; this.#tell("change"); }

  // put shows the change at once; a refusal takes it back.
  #put(kind, name, points) {
    const key = kind + name, told = { shape: { kind, name, points }, until: Infinity };
    this.#sent.set(key, told);
    const settle = (done) => {
      told.until = done ? performance.now() + 3000 : 0; // a state that it was in time for comes within a second
      this.show(this.#known);
    };
    this.#draw();
    this.show(this.#known);
    this.#tell("put", { verb: kind, name, points, settle });
  }

  #draw() {
    const d = this.draft;
    $("draft").hidden = !d;
    $("stage").classList.toggle("drawing", !!d);
    if (d) {
      const n = d.points.length, done = n >= least(d.kind);
      text($("draft-text"), d.kind === "line" ? (done ? "From the first place to the second" : n ? "Click where the line ends" : "Click where the line begins, or drag it")
        : done ? "Click more corners, or keep it" : n ? "Click the next corner" : "Click the zone's corners, or drag a box");
      $("draft-done").disabled = !done;
    }
    this.#tell("change");
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

const limit = (kind) => kind === "line" ? 2 : most, least = (kind) => kind === "line" ? 2 : 3;
const round = (v) => Math.round(v * 1e5) / 1e5;

// drawShape paints a zone or a line on the canvas: a line has an arrow head at its end.
export function drawShape(c, s, r) {
  const pts = s.points.map(([x, y]) => [x * r.w, y * r.h]);
  if (!pts.length) return;
  c.save();
  c.beginPath();
  pts.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x, y));
  if (s.kind === "zone" && pts.length > 2) c.closePath();
  if (s.kind === "line" && pts.length === 2) arrow(c, ...pts);
  c.lineJoin = c.lineCap = "round";
  c.lineWidth = s.lit || s.draft ? 5 : 3.5; c.strokeStyle = "rgba(0,0,0,.5)"; c.stroke();
  c.lineWidth = s.lit || s.draft ? 3 : 1.5; c.strokeStyle = "#ffd166"; c.stroke();
  if (s.kind === "zone") { c.globalAlpha = s.lit || s.draft ? 0.16 : 0.06; c.fillStyle = "#ffd166"; c.fill(); c.globalAlpha = 1; }
  if (s.draft) for (const [x, y] of pts) { c.beginPath(); c.arc(x, y, 4.5, 0, 7); c.fillStyle = "#ffd166"; c.fill(); }
  label(c, s.name, pts);
  c.restore();
}

function arrow(c, [x0, y0], [x1, y1]) {
  const a = Math.atan2(y1 - y0, x1 - x0), n = 11;
  for (const side of [a + 2.6, a - 2.6]) { c.moveTo(x1, y1); c.lineTo(x1 + n * Math.cos(side), y1 + n * Math.sin(side)); }
}

// label writes the name at the uppermost place of the shape.
function label(c, name, pts) {
  if (!name) return;
  const [x, y] = pts.reduce((top, p) => p[1] < top[1] ? p : top);
  c.font = "600 12px system-ui, sans-serif";
  c.lineWidth = 3; c.strokeStyle = "rgba(0,0,0,.7)"; c.fillStyle = "#ffd166";
  c.strokeText(name, x + 7, Math.max(y - 6, 14)); c.fillText(name, x + 7, Math.max(y - 6, 14));
}
