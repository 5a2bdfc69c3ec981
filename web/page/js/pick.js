// The choice among the masks that fit an ambiguous prompt: the one that is followed, and the others that the agent
// offers, a chip each, with its shape cut out of the picture. On the picture itself one is shown at a time. Events: "choose" {object, candidate}, "confirm" {object}
// for the one that is followed already, "look" while a chip is under the pointer.

import { $, el, explainFit } from "./dom.js";
import { candidates as colors, colorOf } from "./palette.js";
import { trace } from "./canvas.js";

export class Picker extends EventTarget {
  #video; #key = ""; #settled = new Set(); #kept = new Set();
  object = null;
  looked = -1;

  constructor(video) {
    super();
    this.#video = video;
    $("pick-close").addEventListener("click", () => this.dismiss());
  }

  get open() { return this.object !== null; }

  // shown is the mask that the picture shows: the one that is looked at, else the one that is followed.
  get shown() { return this.options[Math.max(0, this.looked)]; }

  // step looks at the next mask, or the one before; by area, as repeated clicks on a thing do, from the largest down.
  step(n, byArea = false) {
    const all = this.options, at = Math.max(0, this.looked), count = all.length;
    if (!byArea) return this.#look(((at + n) % count + count) % count);
    const order = all.map((_, i) => i).sort((a, b) => all[b].area - all[a].area);
    this.#look(this.looked < 0 ? order.find((i) => i !== 0) ?? 0 : order[(order.indexOf(at) + n) % count]);
  }

  // options are the masks to choose from, the present one first.
  get options() { return this.object ? options(this.object, this.#kept) : []; }

  // offer shows the choice for an object that is ambiguous, and closes when none is given.
  offer(object) {
    const key = object && (mark(object) === this.#key || asks(object)) && !this.#settled.has(mark(object)) ? mark(object) : "";
    this.object = key ? object : null;
    if (key === this.#key) return;
    this.#key = key;
    this.#kept = new Set(key && options(object).map((c) => c.index)); // what is worth a look is judged once
    $("pick").hidden = !key;
    $("pick").classList.toggle("top", (object?.centroid[1] ?? 0) > 0.55); // not over what it asks about
    $("pick-chips").replaceChildren(...this.options.map((c, i) => this.#chip(c, i)));
    this.#look(-1);
  }

  // dismiss keeps the mask that is there.
  dismiss() { this.choose(0); }

  choose(position) {
    const option = this.options[position], object = this.object?.id;
    if (!option) return;
    this.#settled.add(mark(this.object));
    this.offer(null);
    const verb = option.index === undefined ? "confirm" : "choose";
    this.dispatchEvent(new CustomEvent(verb, { detail: verb === "choose" ? { object, candidate: option.index } : { object } }));
  }

  #chip(c, i) {
    const percent = `${Math.round(c.predicted_iou * 100)} %`, all = this.options;
    const canvas = el("canvas", { width: 192, height: 128 });
    const chip = el("button", { className: "pick-chip", type: "button", "aria-label": `Mask ${i + 1}${i ? "" : ", followed now"}, ${percent} fit, ${share(c.area)} of the picture` },
      canvas, el("span", {}, el("b", {}, String(i + 1)), percent, el("small", {}, `area ${share(c.area)}`)));
    chip.style.setProperty("--c", c.color);
    explainFit(chip, chip);
    chip.addEventListener("click", () => this.choose(i));
    for (const on of ["pointerenter", "focus"]) chip.addEventListener(on, () => this.#look(i));
    for (const off of ["pointerleave", "blur"]) chip.addEventListener(off, () => this.#look(-1));
    thumbnail(canvas, this.#video, all, c);
    return chip;
  }

  #look(index) {
    this.looked = index;
    [...$("pick-chips").children].forEach((c, i) => c.classList.toggle("looked", i === index));
    this.dispatchEvent(new Event("look"));
  }
}

// hopeless is how much worse than the best a mask may be before it is not offered.
const hopeless = 0.4;

// asks reports whether there is anything to choose for an object.
export function asks(o) { return o.candidates?.length > 0 && options(o).length > 1; }

// options are the masks of an object that are offered: those that are kept, else those that are not hopeless.
function options(o, kept) {
  const best = Math.max(o.predicted_iou, ...o.candidates.map((c) => c.predicted_iou));
  const others = o.candidates.filter((c) => c.outline && (kept ? kept.has(c.index) : c.predicted_iou > best - hopeless));
  return [{ ...o, index: undefined, color: colorOf(o) }, ...others.map((c, i) => ({ ...c, color: colors[i % colors.length] }))];
}

// mark names one question, which is asked once: what is offered keeps its scores, that of what is followed changes.
function mark(o) { return [o.id, ...(o.candidates ?? []).map((c) => c.predicted_iou)].join(); }

function share(area) { return `${(area * 100).toFixed(area < 0.1 ? 1 : 0)} %`; }

// thumbnail cuts the surroundings of all candidates out of the picture, and shows one of them.
function thumbnail(canvas, video, all, c) {
  const { videoWidth: w, videoHeight: h } = video;
  if (!w) return;
  const [x0, y0, x1, y1] = all.reduce((b, { box }) => [Math.min(b[0], box[0]), Math.min(b[1], box[1]), Math.max(b[2], box[2]), Math.max(b[3], box[3])], [1, 1, 0, 0]);
  const side = Math.max((x1 - x0) * w, (y1 - y0) * h * 1.5, 48) * 1.2;
  const scale = canvas.width / side, g = canvas.getContext("2d");
  g.translate(canvas.width / 2 - (x0 + x1) / 2 * w * scale, canvas.height / 2 - (y0 + y1) / 2 * h * scale);
  g.drawImage(video, 0, 0, w * scale, h * scale);
  g.fillStyle = "rgba(8,10,13,.55)";
  g.fillRect(0, 0, w * scale, h * scale);
  const r = { w: w * scale, h: h * scale };
  g.save();
  trace(g, c.outline, r);
  g.clip("evenodd");
  g.drawImage(video, 0, 0, w * scale, h * scale);
  g.restore();
  trace(g, c.outline, r);
  g.lineWidth = 4;
  g.strokeStyle = c.color;
  g.stroke();
}
