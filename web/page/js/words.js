// Things that are named: the form, and the phrases that the camera keeps looking for, each with a button that ends that. Event: "found" {object}.

import { $, el, toast } from "./dom.js";

export class Words extends EventTarget {
  #run; #shown = "";

  constructor(run) {
    super();
    this.#run = run;
    $("text-form").addEventListener("submit", (e) => this.#ask(e));
  }

  async #ask(e) {
    e.preventDefault();
    const text = $("text").value.trim();
    if (!text) return;
    const result = await this.#run("prompt", $("keep").checked ? { text, follow: true } : { text });
    if (!result) return;
    $("text").value = "";
    if (result.note) toast(result.note, "info");
    if (result.object) this.dispatchEvent(new CustomEvent("found", { detail: { object: result.object } }));
  }

  // show lists what the camera looks for.
  show({ watches = [] }) {
    const now = JSON.stringify(watches.map((w) => [w.text, w.zones]));
    if (now === this.#shown) return;
    this.#shown = now;
    $("watches").hidden = !watches.length;
    $("watches").replaceChildren(...watches.map((w) => this.#button(w)));
  }

  #button({ text, zones = [] }) {
    const what = zones.length ? `${text} in ${zones.join(", ")}` : text;
    const b = el("button", { className: "watch glass", type: "button", title: "Look for it no longer; what was found stays", "aria-label": `Look for ${what} no longer` }, what, el("span", { "aria-hidden": "true" }, "×"));
    b.addEventListener("click", () => this.#run("prompt", { text, follow: false, ...(zones.length && { zones }) }));
    return b;
  }
}
