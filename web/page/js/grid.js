// The grid: every camera small, its picture a few times a second and how it is. The pictures come over HTTP, reduced by the agent, and only
// those in sight are asked for. A click on one enters that camera.

import { $, el, text } from "./dom.js";
import { get } from "./commands.js";

const width = 480; // pixels of a picture, at most
const pause = 400; // ms between two pictures of a camera, more where there are many
const share = 80; // ms for each camera: a dozen pictures a second in all
const abreast = 4; // requests at a time: a browser has six for a host
const told = 2000; // ms after which a camera's state is asked for again
const patience = 8000; // ms until a picture is given up
const old = 3000; // ms after which a picture is not live any more

export class Grid {
  #tiles = new Map(); #enter; #places = abreast; #waiting = []; #sight;

  constructor(enter) {
    this.#enter = enter;
    this.#sight = new IntersectionObserver((seen) => { for (const s of seen) s.target.seen = s.isIntersecting; }, { root: $("grid") });
  }

  // show has a tile for each camera, in their order.
  show(cameras) {
    for (const [name, tile] of this.#tiles) if (!cameras.includes(name)) this.#drop(name, tile);
    for (const name of cameras) if (!this.#tiles.has(name)) this.#tiles.set(name, this.#add(name));
    const n = cameras.length, columns = Math.min(4, Math.ceil(Math.sqrt(n)));
    $("grid").style.setProperty("--columns", columns);
    $("grid").style.setProperty("--narrow", n > 3 ? 2 : 1);
    $("grid").style.setProperty("--rows", Math.ceil(n / columns));
    $("grid").append(...cameras.map((name) => this.#tiles.get(name).button));
  }

  hide() { for (const [name, tile] of this.#tiles) this.#drop(name, tile); }

  #drop(name, { stop, button }) {
    stop.abort();
    this.#sight.unobserve(button);
    button.remove();
    this.#tiles.delete(name);
  }

  #add(name) {
    const canvas = el("canvas", { width: 16, height: 9, "aria-hidden": "true" }), why = el("span", { className: "why" }, "opening…");
    const dot = el("i"), state = el("span", { className: "meta" });
    const button = el("button", { type: "button", className: "tile" }, canvas, why, el("span", { className: "label" }, dot, el("b", {}, name), state));
    const tile = { button, canvas, why, state, name, stop: new AbortController(), at: 0, heard: 0 };
    button.dataset.name = name;
    button.seen = true; // until the observer says otherwise
    button.addEventListener("click", () => this.#enter(name));
    this.#sight.observe(button);
    this.#follow(tile);
    return tile;
  }

  // follow keeps a tile's picture and state fresh until it is dropped.
  async #follow(tile) {
    const { signal } = tile.stop;
    while (!signal.aborted) {
      if (!document.hidden && tile.button.seen) {
        await this.#place();
        try { if (!signal.aborted) await refresh(tile, signal); } finally { this.#free(); }
      }
      await new Promise((done) => setTimeout(done, Math.max(pause, share * this.#tiles.size)));
    }
  }

  #place() {
    if (this.#places > 0) { this.#places--; return Promise.resolve(); }
    return new Promise((go) => this.#waiting.push(go));
  }

  #free() {
    const next = this.#waiting.shift();
    if (next) next(); else this.#places++;
  }
}

async function refresh(tile, signal) {
  const path = `cameras/${encodeURIComponent(tile.name)}`;
  if (performance.now() - tile.heard > told) {
    const state = await get(`${path}/state`);
    if (state) tile.heard = performance.now();
    if (signal.aborted) return;
    say(tile, state);
  }
  if (tile.button.dataset.state === "running" || tile.button.dataset.state === "paused") await draw(tile, `api/v1/${path}/snapshot.jpg?width=${width}`, signal);
  if (performance.now() - tile.at > old) tile.button.classList.add("old");
}

async function draw(tile, address, signal) {
  try {
    const answer = await fetch(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
    if (!answer.ok) throw new Error(await answer.json().then((r) => r.error.message, () => `the agent answers ${answer.status}`));
    const picture = await createImageBitmap(await answer.blob());
    if (tile.canvas.width !== picture.width || tile.canvas.height !== picture.height) Object.assign(tile.canvas, { width: picture.width, height: picture.height });
    tile.canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    tile.at = performance.now();
    tile.button.classList.remove("old");
    text(tile.why, "");
  } catch (e) {
    if (!signal.aborted && tile.button.dataset.state === "running") text(tile.why, e instanceof TypeError || e.name === "TimeoutError" ? "the agent cannot be reached" : e.message);
  }
}

// say shows how a camera is; null is that the agent does not answer.
function say(tile, s) {
  const state = s?.state ?? "unknown", n = s?.objects ?? 0;
  tile.button.dataset.state = state;
  text(tile.state, state !== "running" ? (s ? state : "no answer") : `${n === 1 ? "1 object" : `${n} objects`} · ${Math.round(s.fps)} fps${s.recording ? " · recording" : ""}`);
  if (!s) text(tile.why, "the agent cannot be reached");
  else if (state === "stalled" || state === "stopped") text(tile.why, s.reason || `the camera has ${state}`);
  else if (state === "paused") text(tile.why, "paused");
  tile.button.setAttribute("aria-label", `${tile.name}: ${tile.state.textContent}. Watch it`);
}
