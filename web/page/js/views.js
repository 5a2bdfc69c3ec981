// What is looked at: one camera, or all of them in the grid. The address says which, so that a bookmark keeps it and Back goes back.

import { $ } from "./dom.js";
import { get } from "./commands.js";
import { Grid } from "./grid.js";

const all = "*"; // no camera has that name
const every = 10000; // ms after which the cameras are listed again: they come and go

export class Views {
  #player; #link; #show; #names = []; #grid = new Grid((camera) => this.go(camera));
  view = "";

  // show is called with the camera that is to be seen; with none when the grid is.
  constructor(player, link, show) {
    this.#player = player;
    this.#link = link;
    this.#show = show;
    $("camera").addEventListener("change", () => this.go($("camera").value));
    $("grid-open").addEventListener("click", () => this.toggle());
    addEventListener("popstate", () => this.#follow());
  }

  get grid() { return this.view === all; }

  async start() {
    const answer = await get("cameras");
    if (answer) this.#list(answer.cameras);
    setTimeout(() => this.start(), answer ? every : 2000);
  }

  // toggle goes to the grid, and from there to the camera that was seen last.
  toggle() {
    if (this.grid) this.go($("camera").value);
    else if (this.#names.length > 1) this.go(all);
  }

  go(view) {
    if (view === this.view) return;
    history.pushState(null, "", `#${encodeURIComponent(view)}`);
    this.#open(view);
  }

  #list(names) {
    if (names.join() === this.#names.join()) return;
    const was = $("camera").value;
    this.#names = names;
    if (!names.length) return this.#link.notice("No camera", "This agent has no camera configured.");
    $("camera").replaceChildren(...names.map((n) => new Option(n, n)));
    if (names.includes(was)) $("camera").value = was;
    $("camera-label").hidden = $("grid-open").hidden = names.length < 2;
    if (this.grid && names.length > 1 || names.includes(this.view)) this.#open(this.view); // another camera came or went
    else this.#follow();
  }

  // follow opens what the address says; the first camera where it says nothing, or what is not there.
  #follow() {
    const wanted = decodeURIComponent(location.hash.slice(1));
    this.#open(wanted === all && this.#names.length > 1 || this.#names.includes(wanted) ? wanted : this.#names[0]);
  }

  #open(view) {
    const grid = view === all;
    if (grid) this.#grid.show(this.#names);
    if (view === this.view) return;
    this.view = view;
    document.body.dataset.view = grid ? "grid" : "one";
    $("grid").hidden = !grid;
    $("grid-open").setAttribute("aria-pressed", String(grid));
    if (grid) { this.#player.close(); return this.#show(""); }
    this.#grid.hide();
    $("camera").value = view;
    this.#show(view);
  }
}
