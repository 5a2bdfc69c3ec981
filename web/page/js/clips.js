// Clips: records what the camera shows, lists what was recorded, and plays it.

import { $, el, icon, text } from "./dom.js";
import { get } from "./commands.js";
import { title } from "./events.js";

const fresh = 15000; // ms after which the list is asked for again
const most = 50;

export class Clips {
  #player; #run; #recording = ""; #asked = 0; #rows = "";

  constructor(player, run) {
    this.#player = player;
    this.#run = run;
    $("record").addEventListener("click", () => this.toggle());
    $("clip").addEventListener("close", () => { $("clip-video").removeAttribute("src"); $("clip-video").load(); });
  }

  // toggle begins a recording, or ends the one that there is.
  async toggle() {
    const button = $("record");
    if (button.disabled) return;
    button.disabled = true;
    const done = await this.#run("record", { action: this.#recording ? "stop" : "start" });
    button.disabled = false;
    if (!done) return;
    this.#mark(done.recording ? done.name : "");
    this.#list();
  }

  // state takes the camera's state: what is recorded may have begun elsewhere.
  state({ recording = "" }) {
    const changed = recording !== this.#recording;
    this.#mark(recording);
    if (changed || performance.now() - this.#asked > fresh) this.#list();
  }

  // heard takes events: a clip that has become whole changes the list.
  heard(events) {
    if (events.some((e) => e.type === "clip.finished")) this.#list();
  }

  forget() {
    this.#mark("");
    this.#asked = 0;
    this.#show([]);
  }

  #mark(recording) {
    this.#recording = recording;
    const button = $("record"), label = recording ? "Stop recording" : "Record a clip";
    button.setAttribute("aria-pressed", String(!!recording));
    button.setAttribute("aria-label", label);
    button.title = `${label} (V)`;
  }

  async #list() {
    const camera = this.#player.camera;
    this.#asked = performance.now();
    const answer = await get(`cameras/${encodeURIComponent(camera)}/clips`);
    if (answer && camera === this.#player.camera) this.#show(answer.clips.slice(0, most));
  }

  #show(clips) {
    const rows = JSON.stringify(clips);
    if (rows === this.#rows) return;
    this.#rows = rows;
    $("clips").replaceChildren(...clips.map((c) => this.#row(c)));
    $("clips-empty").hidden = clips.length > 0;
  }

  #row(c) {
    const from = new Date(c.from), href = address(c);
    const length = c.recording ? "recording…" : duration((Date.parse(c.until) - from) / 1000);
    const play = el("button", { type: "button", className: "play", title: from.toLocaleString() },
      el("time", { dateTime: c.from }, from.toLocaleTimeString()), el("span", { className: "name" }, c.event ? title(c.event) : "By hand"), el("span", { className: "meta" }, length));
    play.addEventListener("click", () => this.play(c));
    const keep = el("a", { href: `${href}?download=1`, download: `${c.camera}-${c.name}`, className: "icon small", title: "Download", "aria-label": `Download the clip of ${from.toLocaleTimeString()}` }, icon("M12 4v10M8 10.5l4 4 4-4M5 19h14"));
    const row = el("li", { className: "clip" }, play, keep);
    row.dataset.name = c.name;
    row.classList.toggle("recording", c.recording);
    return row;
  }

  play(c) {
    const href = address(c);
    text($("clip-title"), `${c.camera}, ${new Date(c.from).toLocaleString()}${c.event ? `: ${title(c.event)}` : ""}`);
    $("clip-keep").href = `${href}?download=1`;
    $("clip-video").src = href;
    $("clip").showModal();
    $("clip-video").play().catch(() => {}); // it has a button of its own
  }
}

const address = (c) => `api/v1/cameras/${encodeURIComponent(c.camera)}/clips/${encodeURIComponent(c.name)}`;

function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}
