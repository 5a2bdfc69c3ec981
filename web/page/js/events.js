// The log: what happened at the camera lately, the newest on top, all of it or what is asked for, and the strip of the last minutes above it. Events: "select" {id} for the
// object of a row, "clip" {clip} for its clip.

import { $, el, text } from "./dom.js";
import { colorOf, objectColor } from "./palette.js";
import { now } from "./clock.js";
import { Timeline } from "./timeline.js";

const most = 1000, least = 100, lately = 5 * 60000; // rows, those that stay however old, and ms after which the others go
const pictures = 60; // rows with a thumbnail
const scenes = { ok: "sees well again", dark: "sees next to nothing: it is dark", blurred: "sees nothing sharp", frozen: "shows the same picture for ever", moved: "has another view" };
// For each type what the filter calls it, and what a row says.
const words = {
  "object.new": ["Followed", () => "is followed"], "object.ambiguous": ["Ambiguous", () => "may be one of several"], "object.occluded": ["Hidden", () => "is hidden"],
  "object.lost": ["Lost", () => "is lost"], "object.recovered": ["Back", () => "is back"],
  "object.ended": ["Ended", (e) => (e.double_of ? `was ${e.double_of} too` : "is no longer followed")],
  "zone.entered": ["Zone entered", (e) => `entered ${e.zone}`], "zone.left": ["Zone left", (e) => `left ${e.zone}${e.dwell_s ? ` after ${Math.round(e.dwell_s)} s` : ""}`],
  "line.crossed": ["Line crossed", (e) => `crossed ${e.line}${e.direction ? `, ${e.direction}` : ""}`],
  "camera.stalled": ["Camera stalled", (e) => `stalled${e.reason ? `: ${e.reason}` : ""}`], "camera.recovered": ["Camera back", () => "is back"],
  "camera.scene": ["Camera's view", (e) => scenes[e.scene] ?? e.scene], "model.changed": ["Model changed", (e) => `changed${e.to?.name ? ` to ${e.to.name}` : ""}`],
  "clip.finished": ["Clips", (e) => `is kept${e.clip?.event ? `: ${title(e.clip.event)}` : ""}`],
  "command.rejected": ["Refused", (e) => `refused${e.message ? `: ${e.message}` : ""}`], "events.dropped": ["Events lost", () => "were lost"],
};
// title names a type of event.
export const title = (type) => words[type]?.[0] ?? type;

const kinds = { camera: "The camera", model: "The model", clip: "A clip", command: "A command", events: "Events" };

export class EventLog extends EventTarget {
  #seen = new Set(); #entries = []; #selected = ""; #thumbs; #timeline = new Timeline(); #colors = new Map();

  constructor(thumbs) {
    super();
    this.#thumbs = thumbs;
    for (const id of ["events-type", "events-object"]) {
      $(id).addEventListener("change", () => this.#filter());
      $(id).addEventListener("blur", () => this.#offer());
    }
    this.#timeline.addEventListener("take", ({ detail: { entry } }) => this.#take(entry));
  }

  // add takes events, the oldest first; one that is there already stays where it is.
  add(events) {
    for (const event of events) {
      const key = JSON.stringify(event);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      const entry = this.#entry(event);
      $("events").prepend(entry.row);
      this.#entries.push(entry);
      this.#thumbs.want(event, (src) => this.#picture(entry, src));
    }
    const over = () => this.#entries.length > most || this.#entries.length > least && this.#entries[0].time < now() - lately;
    while (over()) this.#entries.shift().row.remove(); // seen it stays: the agent may tell of it again
    for (const key of this.#seen) {
      if (this.#seen.size <= 2 * most) break;
      this.#seen.delete(key);
    }
    this.#offer();
    this.#filter();
  }

  forget() {
    this.#seen.clear();
    this.#entries = [];
    this.#colors.clear();
    $("events").replaceChildren();
    $("events-object").value = ""; // they are another camera's
    this.#offer();
    this.only("");
  }

  // only is the selected object, to which the log can be narrowed.
  only(id) { this.#selected = id; this.#filter(); }

  // objects are those that are followed now.
  objects(list) {
    for (const o of list) this.#paint(o.id, colorOf(o));
    this.#timeline.objects(list);
  }

  // paint notes an object's colour, which its events keep when it is followed no longer.
  #paint(id, color) {
    if (this.#colors.get(id) === color) return;
    this.#colors.delete(id);
    this.#colors.set(id, color);
    if (this.#colors.size > most) this.#colors.delete(this.#colors.keys().next().value);
    for (const e of this.#entries) if (e.id === id) { e.color = color; e.row.style.setProperty("--c", color); }
  }

  // offer lists what there is to choose from; what was chosen stays, though nothing of it is left.
  #offer() {
    const types = new Map(), objects = new Map();
    for (const { event, id, subject } of this.#entries) {
      types.set(event.type, title(event.type));
      if (id) objects.set(id, subject);
    }
    choices($("events-type"), [["", "All events"], ...[...types].sort(([, a], [, b]) => a.localeCompare(b))]);
    choices($("events-object"), [["", "All objects"], ["selected", "The selected one"], ...[...objects].sort(([a], [b]) => number(a) - number(b))]);
  }

  #filter() {
    const type = $("events-type").value, object = $("events-object").value, id = object === "selected" ? this.#selected : object;
    const shown = this.#entries.filter((e) => (!type || e.event.type === type) && (!object || !!id && e.id === id)), set = new Set(shown);
    for (const e of this.#entries) e.row.hidden = !set.has(e);
    text($("events-empty"), object === "selected" && !id ? "No object is selected." : this.#entries.length ? "Nothing of that has happened lately." : "Nothing has happened yet.");
    $("events-empty").hidden = shown.length > 0;
    this.#timeline.show(shown);
  }

  #entry(event) {
    const [kind] = event.type.split("."), id = event.object?.id ?? "", when = new Date(event.time);
    const subject = event.object?.name || id || kinds[kind] || event.camera, say = (words[event.type]?.[1] ?? (() => event.type))(event);
    const button = el("button", { type: "button", disabled: !id && !event.clip }, el("b", {}, subject), ` ${say}`);
    const row = el("li", { className: "event" }, el("time", { dateTime: event.time, title: when.toLocaleString() }, when.toLocaleTimeString()), button);
    const entry = { event, id, subject, say, row, time: when.getTime(), color: id && (this.#colors.get(id) ?? objectColor(number(id))), thumb: "" };
    row.dataset.object = id;
    row.dataset.kind = event.type;
    if (id) row.style.setProperty("--c", entry.color);
    button.addEventListener("click", () => this.#tell(entry));
    return entry;
  }

  #picture(entry, src) {
    entry.thumb = src;
    entry.row.append(el("img", { className: "thumb", src, alt: "" }));
    const all = this.#entries.filter((e) => e.thumb);
    for (const old of all.slice(0, Math.max(0, all.length - pictures))) {
      old.thumb = "";
      old.row.querySelector(".thumb").remove();
    }
  }

  #take(entry) {
    for (const { row } of this.#entries) row.classList.toggle("lit", row === entry.row);
    entry.row.scrollIntoView({ block: "nearest" });
    if (entry.id || entry.event.clip) this.#tell(entry);
  }

  #tell({ id, event: { clip } }) { this.dispatchEvent(new CustomEvent(clip ? "clip" : "select", { detail: { id, clip } })); }
}

const number = (id) => Number(id.split("-").pop());

// choices puts options into a select, unless somebody is choosing or they are there.
function choices(select, options) {
  const value = select.value, chosen = [...select.options].find((o) => o.value === value);
  if (chosen && !options.some(([v]) => v === value)) options.push([value, chosen.text]);
  if (document.activeElement === select && select.options.length || [...select.options].map((o) => o.value + o.text).join() === options.map(([v, t]) => v + t).join()) return;
  select.replaceChildren(...options.map(([v, t]) => new Option(t, v)));
  select.value = value;
}
