// Thumbnails: what something looked like when something happened to it, cut out of the picture on the screen.

import { now } from "./clock.js";

const [w, h] = [96, 72];
const fresh = 4000; // ms: what happened before is no longer in the picture
const patience = 1500; // ms until the picture that is there is taken for one that does not come
const queue = 16; // that wait
const each = 3; // cut out of one picture
const places = 128; // that are remembered

export class Thumbs {
  #video; #waiting = []; #boxes = new Map();

  constructor(video) { this.#video = video; }

  forget() { this.#waiting = []; this.#boxes.clear(); }

  // want has an event's thumbnail made when its picture is on the screen: done gets its address. One that comes too late, or when many wait, has none.
  want(event, done) {
    if (Math.abs(now() - Date.parse(event.time)) < fresh && this.#waiting.length < queue) this.#waiting.push({ event, done, at: performance.now() });
  }

  // shown takes the list of the picture that is on the screen.
  shown({ frame, objects }) {
    for (const o of objects) {
      if (!(o.box[2] > o.box[0])) continue; // it is where it was
      this.#boxes.delete(o.id);
      this.#boxes.set(o.id, o.box);
    }
    while (this.#boxes.size > places) this.#boxes.delete(this.#boxes.keys().next().value);
    let made = 0;
    this.#waiting = this.#waiting.filter(({ event, done, at }) => {
      if (made === each || frame.seq < event.frame && performance.now() - at < patience) return true;
      const box = event.object ? this.#boxes.get(event.object.id) : [0, 0, 1, 1];
      if (box && this.#video.videoWidth) { made++; done(cut(this.#video, box)); }
      return false;
    });
  }
}

// cut is a box of the picture with something around it, as the address of a JPEG.
function cut(video, [x0, y0, x1, y1]) {
  const { videoWidth: vw, videoHeight: vh } = video;
  const scale = Math.min(Math.max((x1 - x0) * vw / w, (y1 - y0) * vh / h, 0.25) * 1.3, vw / w, vh / h);
  const [sw, sh] = [w * scale, h * scale], within = (v, most) => Math.min(Math.max(v, 0), most);
  const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
  canvas.getContext("2d").drawImage(video, within((x0 + x1) / 2 * vw - sw / 2, vw - sw), within((y0 + y1) / 2 * vh - sh / 2, vh - sh), sw, sh, 0, 0, w, h);
  return canvas.toDataURL("image/jpeg", 0.7);
}
