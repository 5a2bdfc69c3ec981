// The picture as the person sees it: where it lies on the screen, and which frame is on it.

export class Picture {
  #video; #shown = []; #rate = [];

  constructor(video, onFrame) {
    this.#video = video;
    this.onFrame = onFrame;
    if (video.requestVideoFrameCallback) this.#follow();
  }

  // follow notes every picture that reaches the screen, with its RTP time and when it is seen.
  #follow() {
    this.#video.requestVideoFrameCallback((now, meta) => {
      this.#shown.push({ rtp: meta.rtpTimestamp, at: meta.expectedDisplayTime });
      if (this.#shown.length > 16) this.#shown.shift();
      this.#rate.push(now);
      while (this.#rate[0] < now - 2000) this.#rate.shift();
      this.onFrame?.(meta);
      this.#follow();
    });
  }

  // rtpAt is the RTP time of what was on the screen at a time of performance.now(); undefined where the browser does
  // not tell.
  rtpAt(time) {
    const i = this.#shown.findLastIndex((s) => s.at <= time);
    return this.#shown[Math.max(i, 0)]?.rtp;
  }

  // forget drops the pictures of a stream that is gone: another counts its time anew.
  forget() { this.#shown = []; this.#rate = []; }

  // fps is what the screen got over the last two seconds.
  fps(now = performance.now()) {
    const seen = this.#rate.filter((t) => t > now - 2000);
    return seen.length < 2 ? 0 : (seen.length - 1) * 1000 / (seen.at(-1) - seen[0]);
  }

  // rect is the picture within the element, without the bars that object-fit: contain leaves, in page pixels.
  rect() {
    const box = this.#video.getBoundingClientRect();
    return fit(box, this.#video.videoWidth, this.#video.videoHeight);
  }

  // point maps a place on the page to 0..1 of the picture; null outside it.
  point(clientX, clientY) {
    const r = this.rect();
    const p = { x: (clientX - r.x) / r.w, y: (clientY - r.y) / r.h };
    return r.w > 0 && p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1 ? p : null;
  }

  // near reports whether two points are within a fingertip of each other on the screen.
  near(a, b) {
    const r = this.rect();
    return Math.hypot((a.x - b.x) * r.w, (a.y - b.y) * r.h) < 14;
  }

  // clamped is point with places outside moved to the edge.
  clamped(clientX, clientY) {
    const r = this.rect();
    return { x: unit((clientX - r.x) / r.w), y: unit((clientY - r.y) / r.h) };
  }
}

// fit is the largest rectangle of the given shape in the middle of a box.
export function fit(box, width, height) {
  if (!width || !height) return { x: box.left, y: box.top, w: 0, h: 0 };
  const scale = Math.min(box.width / width, box.height / height);
  const w = width * scale, h = height * scale;
  return { x: box.left + (box.width - w) / 2, y: box.top + (box.height - h) / 2, w, h };
}

const unit = (v) => Math.min(1, Math.max(0, v));

// inside reports whether a point lies in an outline: a list of rings, each [x, y, x, y, …], filled even-odd.
export function inside(outline, p) {
  let odd = false;
  for (const ring of outline ?? []) {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [x, y, px, py] = [ring[i], ring[i + 1], ring[j], ring[j + 1]];
      if ((y > p.y) !== (py > p.y) && p.x < (px - x) * (p.y - y) / (py - y) + x) odd = !odd;
    }
  }
  return odd;
}
