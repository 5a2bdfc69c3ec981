// "Segment everything": the agent follows all that it can tell apart, and the person says which of it to keep. Until then all
// are followed, so that the masks stay where the things are. Events: "change", "drop" {ids} for what nobody wanted.

import { $, text } from "./dom.js";

export class Sieve extends EventTarget {
  #found = new Set(); #kept = new Set();

  constructor() {
    super();
    $("sieve-all").addEventListener("click", () => this.#end([]));
    $("sieve-done").addEventListener("click", () => this.#end(this.#others()));
  }

  get open() { return this.#found.size > 0; }

  // offer asks which of the objects to keep.
  offer(ids) {
    this.#found = new Set(ids);
    this.#kept.clear();
    this.#show();
  }

  // proposed reports whether an object waits for the person's word.
  proposed(id) { return this.#found.has(id) && !this.#kept.has(id); }

  // keep takes a proposal, or gives it back when it was taken; false when the object is none.
  keep(id) {
    if (!this.#found.has(id)) return false;
    if (!this.#kept.delete(id)) this.#kept.add(id);
    this.#show();
    return true;
  }

  // done lets go of what was not kept; of nothing while nothing was.
  done() { this.#end(this.#kept.size ? this.#others() : []); }

  #others() { return [...this.#found].filter((id) => !this.#kept.has(id)); }

  #end(ids) {
    this.#found.clear();
    this.#kept.clear();
    this.#show();
    if (ids.length) this.dispatchEvent(new CustomEvent("drop", { detail: { ids } }));
  }

  #show() {
    $("sieve").hidden = !this.open;
    const n = this.#found.size;
    text($("sieve-text"), this.#kept.size ? `${this.#kept.size} of ${n} kept` : `${n} found: click those to follow`);
    text($("sieve-done"), this.#kept.size ? "Drop the others" : "Drop all");
    // What is nearest at hand loses nothing while nothing was chosen.
    $("sieve-done").className = this.#kept.size ? "primary" : "text-button plain";
    $("sieve-all").className = this.#kept.size ? "text-button plain" : "primary";
    this.dispatchEvent(new Event("change"));
  }
}
