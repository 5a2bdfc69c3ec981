// The masks, drawn by the page instead of the agent: outline, fill and label of the objects of the very picture that is shown. The video
// then comes without them, and a person may have outlines alone.

import { $ } from "./dom.js";
import { colorOf } from "./palette.js";

const ways = { agent: "painted by the agent", fill: "drawn here", outline: "drawn here, outlines alone" };
const order = Object.keys(ways);
const kept = "segedge.masks";
const shown = new Set(["tentative", "tracking", "uncertain"]);
const fill = 0.35;

export class Masks {
  #player; #way = "agent";

  constructor(player, change) {
    this.#player = player;
    this.change = change;
    $("masks").addEventListener("click", () => this.next());
    this.#set(remembered());
  }

  // next is the next way of drawing them; what the agent paints is another video.
  next() {
    this.#set(order[(order.indexOf(this.#way) + 1) % order.length]);
    try { localStorage.setItem(kept, this.#way); } catch { /* it is for this visit */ }
    this.change();
  }

  #set(way) {
    this.#way = way;
    $("masks").title = `Masks: ${ways[way]} (M)`;
    $("masks").setAttribute("aria-label", $("masks").title);
    $("masks").dataset.way = way;
    this.#player.draw(way === "agent" ? "agent" : "client");
  }

  // layers are what is drawn of the objects of a picture. Pictures over HTTP have the agent's masks in them.
  layers(objects) {
    if (this.#way === "agent" || this.#player.state === "stills") return [];
    return objects.filter((o) => o.outline && shown.has(o.state)).map((o) => ({
      outline: o.outline, color: colorOf(o), width: 2, fill: this.#way === "fill" ? fill : 0, dash: o.state !== "tracking", label: o.name || o.id, box: o.box,
    }));
  }
}

function remembered() {
  try { const way = localStorage.getItem(kept); return way in ways ? way : "agent"; } catch { return "agent"; }
}
