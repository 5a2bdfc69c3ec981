// Says how the connection and the camera are: a pill that is always there, and a notice over the picture when there
// is nothing to see.

import { $, text } from "./dom.js";

export class Link {
  #player; #countdown = 0; #until = 0; #seen = false; #camera = null;

  constructor(player) {
    this.#player = player;
    player.addEventListener("link", (e) => this.#show(e.detail));
    $("link").addEventListener("click", () => player.retry());
  }

  notice(title, words) {
    $("notice").hidden = !title;
    text($("notice-title"), title);
    text($("notice-text"), words);
  }

  // camera takes the camera's own state: a stalled camera is not a lost connection.
  camera(state) {
    this.#camera = state;
    this.#player.running(state.state === "running" ? Math.max(state.fps, 0.05) : 0);
    if (this.#player.playing) this.#live();
    if (this.#player.state === "connected") this.#dark();
  }

  // forget drops what the camera before said.
  forget() { this.#camera = null; this.#seen = false; }

  #show({ state, text: words, delay }) {
    clearInterval(this.#countdown);
    document.body.dataset.link = state;
    $("link").title = state === "stills" ? `Pictures instead of video: ${words}. Click to try video again` : "Connect now";
    if (this.#player.playing) { this.#seen = true; return this.#live(); }
    if (state === "connected") return this.#dark();
    if (state === "frozen") { text($("link-text"), "frozen"); return this.notice("The picture stands still", words); }
    if (state === "waiting" || state === "resting") {
      text($("link-text"), words);
      return this.notice(state === "waiting" ? "Tap to start the picture" : "", "");
    }
    this.#until = performance.now() + delay;
    const tick = () => {
      const left = Math.ceil((this.#until - performance.now()) / 1000);
      text($("link-text"), delay && left > 0 ? `reconnecting in ${left} s…` : state === "connecting" ? "connecting…" : "reconnecting…");
    };
    tick();
    if (delay) this.#countdown = setInterval(tick, 250);
    if (state === "connecting" && !this.#seen) this.notice("Connecting", "");
    else this.notice("Reconnecting", delay ? words : "");
  }

  #live() {
    if (!this.#trouble()) this.notice("", "");
  }

  // dark says why there is a connection and no picture yet.
  #dark() {
    if (!this.#trouble()) this.notice("Connected", "The first picture is on its way.");
  }

  // trouble names what is the matter with the camera; false when it runs.
  #trouble() {
    const s = this.#camera, state = s?.state ?? "running";
    document.body.dataset.link = state === "running" ? this.#player.state : state;
    text($("link-text"), state !== "running" ? state : this.#player.state === "stills" ? "pictures, no video" : this.#player.state);
    if (state === "stalled") this.notice(this.#seen ? "The camera has stalled" : "The camera gives no picture", s.reason ?? "It is opened again as soon as it answers.");
    else if (state === "stopped") this.notice("The camera has stopped", s.reason ?? "");
    else if (state === "paused" && this.#player.state === "connected") this.notice("The camera is paused", "");
    else return false;
    return true;
  }
}
