// The log: what happened at the camera lately, the newest on top. Events: "select" {id} for the object of a row, "clip" {clip} for its clip.

import { $, el, text } from "./dom.js";
import { objectColor } from "./palette.js";

const most = 100;
const scenes = { ok: "sees well again", dark: "sees next to nothing: it is dark", blurred: "sees nothing sharp", frozen: "shows the same picture for ever", moved: "has another view" };
const words = {
  "object.new": () => "is followed", "object.ambiguous": () => "may be one of several", "object.occluded": () => "is hidden", "object.lost": () => "is lost",
  "object.recovered": () => "is back", "object.ended": (e) => (e.double_of ? `was ${e.double_of} too` : "is no longer followed"),
  "zone.entered": (e) => `entered ${e.zone}`, "zone.left": (e) => `left ${e.zone}${e.dwell_s ? ` after ${Math.round(e.dwell_s)} s` : ""}`,
  "line.crossed": (e) => `crossed ${e.line}${e.direction ? `, ${e.direction}` : ""}`,
  "camera.stalled": (e) => `stalled${e.reason ? `: ${e.reason}` : ""}`, "camera.recovered": () => "is back",
  "camera.scene": (e) => scenes[e.scene] ?? e.scene, "model.changed": (e) => `changed${e.to?.name ? ` to ${e.to.name}` : ""}`,
  "clip.finished": (e) => `is kept${e.clip?.event ? `: ${e.clip.event}` : ""}`, "command.rejected": (e) => `refused${e.message ? `: ${e.message}` : ""}`, "events.dropped": () => "were lost",
};

export class EventLog extends EventTarget {
  #seen = new Set(); #rows = []; #only = "";

  constructor() {
    super();
    $("events-only").addEventListener("change", () => this.#filter());
  }

  // add takes events, the oldest first; one that is there already stays where it is.
  add(events) {
    for (const e of events) {
      const key = JSON.stringify(e);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      const row = this.#row(e);
      $("events").prepend(row);
      this.#rows.push({ row, key });
    }
    while (this.#rows.length > most) {
      const { row, key } = this.#rows.shift();
      row.remove();
      this.#seen.delete(key);
    }
    this.#filter();
  }

  forget() { this.#seen.clear(); this.#rows = []; $("events").replaceChildren(); this.only(""); }

  // only is the selected object, to which the log can be narrowed.
  only(id) { this.#only = id; this.#filter(); }

  #filter() {
    $("events-only").disabled = !this.#only;
    const narrow = $("events-only").checked && this.#only;
    for (const { row } of this.#rows) row.hidden = !!narrow && row.dataset.object !== this.#only;
    $("events-empty").hidden = this.#rows.some(({ row }) => !row.hidden);
  }

  #row(e) {
    const [kind] = e.type.split("."), id = e.object?.id ?? "";
    const subject = e.object?.name || id || { camera: "The camera", model: "The model", clip: "A clip", command: "A command", events: "Events" }[kind] || e.camera;
    const when = new Date(e.time), say = (words[e.type] ?? (() => e.type))(e);
    const row = el("li", { className: "event" },
      el("time", { dateTime: e.time, title: when.toLocaleString() }, when.toLocaleTimeString()),
      el("button", { type: "button", disabled: !id && !e.clip }, el("b", {}, subject), ` ${say}`));
    row.dataset.object = id;
    row.dataset.kind = e.type;
    if (id) row.style.setProperty("--c", objectColor(Number(id.split("-").pop())));
    row.lastChild.addEventListener("click", () => this.dispatchEvent(new CustomEvent(e.clip ? "clip" : "select", { detail: { id, clip: e.clip } })));
    return row;
  }
}
