// Saves the picture that is on the screen, with the masks that the agent painted into it, as PNG.

import { el } from "./dom.js";

// save offers the picture as a download; false when there is none yet.
export async function save(video, camera) {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width) return false;
  const canvas = el("canvas", { width, height });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const href = URL.createObjectURL(blob);
  const when = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  el("a", { href, download: `${camera}-${when}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
  return true;
}
