// The masks, drawn by the page instead of the agent: outline, fill and label of the objects of the very picture that is shown. The video
// then comes without them, and a person may have outlines alone.

import { $ } from "./dom.js";
import { colorOf } from "./palette.js";

const ways = { agent: "painted by the agent", fill: "drawn here", outline: "drawn here, outlines alone" };
const order = Object.keys(ways);
const kept = "segedge.masks", keptOpacity = "segedge.opacity";
const shown = new Set(["tentative", "tracking", "uncertain"]);
const usual = 35; // per cent that the fill covers

export class Masks {
  #player; #way = "agent"; #opacity = usual;

  constructor(player, change) {
    this.#player = player;
    this.change = change;
    $("masks").addEventListener("click", () => this.next());
    $("opacity").addEventListener("input", () => { this.#cover(Number($("opacity").value)); remember(keptOpacity, this.#opacity); this.change(); });
    const opacity = remembered(keptOpacity);
    this.#cover(opacity >= 0 && opacity <= 100 && opacity !== "" ? Number(opacity) : usual);
    const way = remembered(kept);
    this.#set(way in ways ? way : "agent");
  }

  // next is the next way of drawing them; what the agent paints is another video.
  next() {
    this.#set(order[(order.indexOf(this.#way) + 1) % order.length]);
    remember(kept, this.#way);
    this.change();
  }

  #set(way) {
    this.#way = way;
    $("masks").title = `Masks: ${ways[way]} (M)`;
    $("masks").setAttribute("aria-label", $("masks").title);
    $("masks").dataset.way = way;
    $("opacity-label").hidden = way !== "fill";
    this.#player.draw(way === "agent" ? "agent" : "client");
  }

  #cover(percent) {
    this.#opacity = percent;
    $("opacity").value = percent;
    $("opacity").setAttribute("aria-valuetext", `${percent} %`);
  }

  // layers are what is drawn of the objects of a picture. Pictures over HTTP have the agent's masks in them.
  layers(objects) {
    if (this.#way === "agent" || this.#player.state === "stills") return [];
    return objects.filter((o) => o.outline && shown.has(o.state)).map((o) => ({
      outline: o.outline, color: colorOf(o), width: 1.75, fill: this.#way === "fill" ? this.#opacity / 100 : 0, dash: o.state !== "tracking", label: o.name || o.id, box: o.box,
    }));
  }
}

function remembered(key) { try { return localStorage.getItem(key) ?? ""; } catch { return ""; } }

function remember(key, value) { try { localStorage.setItem(key, value); } catch { /* it is for this visit */ } }
