// Brings back what was removed: its outline becomes a mask, which the agent follows as a new object of the same name.

import { toast } from "./dom.js";

const [w, h] = [320, 180];
const time = 8000; // ms for second thoughts

export class Regret {
  #player; #picture; #prompt; #last = null;

  constructor(player, picture, prompt) {
    this.#player = player;
    this.#picture = picture;
    this.#prompt = prompt;
  }

  // now names the picture that outlines of this moment belong to.
  now() { return { camera: this.#player.camera, viewer: this.#player.viewer, rtp: this.#picture.rtpAt(Infinity) }; }

  // offer is for what was removed, as it was on a picture.
  offer(gone, when) {
    const prompts = gone.map(prompt).filter((p) => p);
    if (!prompts.length) return;
    const mine = this.#last = { prompts, when };
    toast(`${gone.length === 1 ? gone[0].name || gone[0].id : `${gone.length} objects`} removed`, "info", { label: "Undo", run: () => this.#last === mine && this.undo() });
    setTimeout(() => { if (this.#last === mine) this.#last = null; }, time);
  }

  // undo brings the last back.
  async undo() {
    if (!this.#last) return;
    const { prompts, when: { camera, viewer, rtp } } = this.#last;
    this.#last = null;
    if (this.#player.camera !== camera) return toast("that was another camera's", "info");
    const seen = rtp !== undefined && viewer && viewer === this.#player.viewer ? { viewer, rtp_time: rtp } : {};
    for (const p of prompts) await this.#prompt({ ...p, ...seen });
  }
}

// prompt is what makes an object again; null for one without an outline, which nothing is known of.
function prompt({ name, outline }) {
  if (!outline?.length) return null;
  const c = Object.assign(document.createElement("canvas"), { width: w, height: h }).getContext("2d", { willReadFrequently: true });
  c.beginPath();
  for (const ring of outline) {
    for (let i = 0; i < ring.length; i += 2) c[i ? "lineTo" : "moveTo"](ring[i] * w, ring[i + 1] * h);
    c.closePath();
  }
  c.fill("evenodd");
  const { data } = c.getImageData(0, 0, w, h);
  const mask = { size: [h, w], counts: counts(runs((x, y) => data[4 * (y * w + x) + 3] > 127)) };
  return name ? { mask, name } : { mask };
}

// runs are the lengths of the runs of empty and full cells in turn, column by column, the first of empty ones (COCO's RLE).
function runs(full) {
  const out = [];
  let was = false, n = 0;
  for (let x = 0; x < w; x++) for (let y = 0; y < h; y++) {
    if (full(x, y) !== was) { out.push(n); n = 0; was = !was; }
    n++;
  }
  out.push(n);
  return out;
}

// counts writes runs as COCO's text: differences to the run two before, in groups of five bits.
function counts(lengths) {
  let out = "";
  lengths.forEach((n, i) => {
    let v = i > 2 ? n - lengths[i - 2] : n;
    for (let more = true; more;) {
      let bits = v & 31;
      v >>= 5;
      more = bits & 16 ? v !== -1 : v !== 0;
      if (more) bits |= 32;
      out += String.fromCharCode(bits + 48);
    }
  });
  return out;
}
