// "Segment everything": the agent follows all that it can tell apart, and the person says which of it to keep. Until then all
// are followed, so that the masks stay where the things are. It is said on the picture, in the list, or for all at once. Events: "change", "drop" {ids} for what nobody wanted.

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

  // offered is "open" for an object that waits for the person's word, "kept" for one that is to stay, else nothing.
  offered(id) { return !this.#found.has(id) ? "" : this.#kept.has(id) ? "kept" : "open"; }

  // drop lets one go.
  drop(id) {
    this.#kept.delete(id);
    if (this.#found.delete(id)) this.dispatchEvent(new CustomEvent("drop", { detail: { ids: [id] } }));
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
    const kept = this.#kept.size;
    text($("sieve-text"), kept ? `${kept} of ${n} kept` : `${n} found: click those to follow`);
    text($("sieve-done"), !kept ? "Drop all" : kept < n ? `Keep ${kept}, drop ${n - kept}` : "Done");
    // What is nearest at hand keeps: all while nothing was chosen, then what was.
    $("sieve-done").className = kept ? "primary" : "text-button plain";
    $("sieve-all").className = kept ? "text-button plain" : "primary";
    this.dispatchEvent(new Event("change"));
  }
}
