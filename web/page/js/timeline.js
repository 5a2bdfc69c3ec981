// The strip of the last minutes: a row an object, its events as marks, and a bar while it was seen. It is one control: the pointer, or the arrow keys, look
// at a mark, a click or Enter takes it. Event: "take" {entry}.

import { $, el, text } from "./dom.js";
import { now, span } from "./clock.js";

const most = 5 * 60000, least = 60000; // ms that the strip shows, as far as there is something to show
const rows = 8; // objects with a row of their own, those with the newest events
const reach = 26; // px from a mark that are still at it
const begins = new Set(["object.new", "object.recovered"]), ends = new Set(["object.occluded", "object.lost", "object.ended"]);

export class Timeline extends EventTarget {
  #entries = []; #marks = []; #at = null; #objects = [];

  constructor() {
    super();
    const strip = $("timeline");
    for (const type of ["pointermove", "pointerdown"]) strip.addEventListener(type, (e) => this.#look(this.#nearest(e)));
    for (const type of ["pointerleave", "blur"]) strip.addEventListener(type, (e) => (e.pointerType !== "touch") && this.#look(null));
    strip.addEventListener("click", (e) => this.#take(this.#nearest(e)));
    strip.addEventListener("keydown", (e) => this.#key(e));
    setInterval(() => document.hidden || this.#draw(), 1000);
  }

  // show takes what happened, the oldest first: {event, color, subject, say, thumb}.
  show(entries) {
    this.#entries = entries;
    this.#draw();
  }

  // objects are those that are followed now.
  objects(list) { this.#objects = list; }

  #draw() {
    const end = now(), seen = this.#entries.filter(({ time }) => time >= end - most);
    const start = Math.min(end - least, Math.max(end - most, (seen[0]?.time ?? end) - 5000));
    text($("timeline-start"), `${span((end - start) / 1000)} ago`);
    $("timeline").hidden = !seen.length;
    const groups = new Map();
    for (const e of seen) groups.set(e.id, [...groups.get(e.id) ?? [], e]);
    const own = [...groups].sort(([, a], [, b]) => b.at(-1).time - a.at(-1).time), rest = own.splice(rows).flatMap(([, es]) => es);
    own.sort(([, a], [, b]) => a[0].time - b[0].time);
    if (rest.length) own.push(["others", rest]);
    const place = (time) => `${Math.max(0, Math.min(100, (time - start) / (end - start) * 100)).toFixed(2)}%`;
    this.#marks = [];
    $("timeline-rows").replaceChildren(...own.map(([id, es]) => this.#row(id, es, place, start, end)));
    this.#marks.sort((a, b) => a.entry.time - b.entry.time);
    $("timeline").setAttribute("aria-valuemax", String(Math.max(0, this.#marks.length - 1)));
    this.#look(this.#marks.find((m) => m.entry === this.#at?.entry) ?? null);
  }

  #row(id, entries, place, start, end) {
    const track = el("span", { className: "track" }), row = el("div", { className: "time-row" }, el("span", { className: "whose" }, id === "others" ? id : entries.at(-1).subject), track);
    if (id !== "others" && entries.at(-1).color) row.style.setProperty("--c", entries.at(-1).color);
    if (id && id !== "others") for (const [from, to] of this.#visible(id, entries, start, end)) {
      const bar = el("i", { className: "seen" });
      bar.style.left = place(from);
      bar.style.width = `calc(${place(to)} - ${place(from)})`;
      track.append(bar);
    }
    for (const entry of entries) {
      const mark = el("i", { className: "mark" });
      mark.dataset.kind = entry.event.type;
      mark.style.left = place(entry.time);
      track.append(mark);
      this.#marks.push({ entry, mark });
    }
    return row;
  }

  // visible are the times from when to when an object was seen, as far as its events tell.
  #visible(id, entries, start, end) {
    const o = this.#objects.find((o) => o.id === id), out = [], first = entries[0];
    let from = ends.has(first.event.type) || o && !begins.has(first.event.type) ? Math.max(start, Date.parse(o?.made) || start) : null;
    for (const { event, time } of entries) {
      if (begins.has(event.type)) from ??= time;
      else if (ends.has(event.type) && from !== null) { out.push([from, time]); from = null; }
    }
    if (from !== null) out.push([from, o ? end : entries.at(-1).time]);
    return out;
  }

  #nearest({ clientX, clientY }) {
    let best = null, least = reach;
    for (const m of this.#marks) {
      const r = m.mark.getBoundingClientRect(), d = Math.hypot(clientX - r.x - r.width / 2, clientY - r.y - r.height / 2);
      if (d < least) { least = d; best = m; }
    }
    return best;
  }

  #look(m) {
    for (const { mark } of this.#marks) mark.classList.toggle("at", mark === m?.mark);
    this.#at = m;
    $("timeline-tip").hidden = !m;
    const strip = $("timeline");
    strip.setAttribute("aria-valuenow", String(Math.max(0, this.#marks.indexOf(m))));
    strip.setAttribute("aria-valuetext", m ? words(m.entry) : `${this.#marks.length} events`);
    if (!m) return;
    text($("timeline-text"), words(m.entry));
    $("timeline-thumb").hidden = !m.entry.thumb;
    if (m.entry.thumb && $("timeline-thumb").src !== m.entry.thumb) $("timeline-thumb").src = m.entry.thumb;
  }

  #take(m) {
    if (!m) return;
    this.#look(m);
    this.dispatchEvent(new CustomEvent("take", { detail: { entry: m.entry } }));
  }

  #key(e) {
    const n = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[e.key], last = this.#marks.length - 1, at = this.#marks.indexOf(this.#at);
    if (n) this.#look(this.#marks[at < 0 ? last : Math.min(last, Math.max(0, at + n))] ?? null);
    else if (e.key === "Home" || e.key === "End") this.#look(this.#marks[e.key === "Home" ? 0 : last] ?? null);
    else if (e.key === "Enter" || e.key === " ") this.#take(this.#at);
    else if (e.key === "Escape" && this.#at) this.#look(null);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }
}

const words = ({ time, subject, say }) => `${new Date(time).toLocaleTimeString()} ${subject} ${say}`;
