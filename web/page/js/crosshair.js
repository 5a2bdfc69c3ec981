// A pointer for those who use the keyboard: the arrow keys move it over the picture, Enter clicks there. Events: "click" {x, y, kind, time} as
// gestures has it, "move" (a point, null when it goes).

import { $, text } from "./dom.js";

const step = { slow: 0.01, fast: 0.05 }; // of the picture
const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const settle = 350; // ms of rest before its place is said

export class Crosshair extends EventTarget {
  #at = null; #last = { x: 0.5, y: 0.5 }; #timer = 0;

  // under names what is at a point, for who cannot see it.
  constructor(under) {
    super();
    this.under = under;
  }

  get on() { return this.#at !== null; }

  toggle() { this.on ? this.leave() : this.#go(this.#last, "Crosshair on. The arrow keys move it, with Shift faster. Enter follows what is there, Shift and Enter exclude it from the selected object, Escape leaves."); }

  leave() {
    if (!this.on) return;
    clearTimeout(this.#timer);
    this.#at = null;
    text($("crosshair"), "Crosshair off.");
    this.#tell("move", null);
  }

  // key takes a key that is meant for it; false for any other.
  key(e) {
    if (!this.on) return false;
    const way = ways[e.key], far = e.shiftKey ? step.fast : step.slow;
    if (way) this.#go({ x: unit(this.#at.x + way[0] * far), y: unit(this.#at.y + way[1] * far) });
    else if (e.key === "Enter" && !e.repeat) this.#tell("click", { ...this.#at, kind: e.shiftKey ? "minus" : e.ctrlKey || e.metaKey ? "add" : e.altKey ? "new" : "plain", time: e.timeStamp });
    else if (e.key === "Escape") this.leave();
    else return e.key === "Enter";
    return true;
  }

  #go(to, words) {
    this.#at = this.#last = to;
    if (words) $("surface").focus({ focusVisible: false });
    this.#tell("move", to);
    clearTimeout(this.#timer);
    if (words) text($("crosshair"), words);
    else this.#timer = setTimeout(() => this.#say(), settle);
  }

  #say() {
    const { x, y } = this.#at, what = this.under(this.#at);
    text($("crosshair"), `${percent(x)} from the left, ${percent(y)} from the top${what ? `, on ${what}` : ""}`);
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

const unit = (v) => Math.min(1, Math.max(0, Math.round(v * 1e4) / 1e4));
const percent = (v) => `${Math.round(v * 100)} %`;
