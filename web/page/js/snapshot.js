// Saves the picture that is on the screen, with the masks that the agent painted into it, or the page on it, as PNG.

import { el } from "./dom.js";
import { paintMasks } from "./canvas.js";

// save offers the picture as a download; false when there is none yet.
export async function save(video, camera, masks = []) {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width) return false;
  const canvas = el("canvas", { width, height });
  const c = canvas.getContext("2d");
  c.drawImage(video, 0, 0);
  paintMasks(c, masks, { w: width, h: height });
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const href = URL.createObjectURL(blob);
  const when = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  el("a", { href, download: `${camera}-${when}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
  return true;
}
