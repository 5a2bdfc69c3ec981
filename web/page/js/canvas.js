// What the page itself draws over the video: the ripple under a click before the agent has answered, the box being
// dragged, the outline under the pointer, and the candidates to choose from. The masks are in the video already.

import { drawShape } from "./shapes.js";

const ink = { plain: "#ffffff", new: "#ffffff", add: "#6ee7a8", minus: "#ff7b89" };
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Canvas {
  #canvas; #ctx; #picture; #ripples = new Set(); #asked = 0;
  drag = null;      // a box, or a path {path}, or null
  crosshair = null; // a point of the picture
  last = null;      // the last picture of a stream that is gone, instead of black
  masks = [];       // as outlines, with a label and a box: the page draws them where the video has none
  outlines = [];    // [{outline, color, width, fill}], drawn in order
  shapes = [];      // zones and lines, as shapes.js has them
  corners = null;   // the box of the selected object, [x0, y0, x1, y1]

  constructor(canvas, picture) {
    this.#canvas = canvas;
    this.#ctx = canvas.getContext("2d");
    this.#picture = picture;
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  // ripple starts at a click and ends when settle is called: at once visible, whatever the network does.
  ripple(p, kind) {
    const r = { p, kind, began: performance.now(), ended: 0, color: ink[kind] };
    this.#ripples.add(r);
    this.draw();
    return { settle: (color) => { r.ended = performance.now(); r.color = color ?? "#ff5c6c"; r.failed = !color; this.draw(); } };
  }

  // freeze keeps a dimmed copy of the video until it is released.
  freeze(video) {
    const copy = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    const c = copy.getContext("2d");
    c.filter = "saturate(.3) brightness(.4) blur(3px)";
    c.drawImage(video, 0, 0);
    this.last = copy.width ? copy : null;
    this.draw();
  }

  release() { this.last = null; this.draw(); }

  // draw asks for a picture with the next refresh of the screen.
  draw() { this.#asked ||= requestAnimationFrame((now) => { this.#asked = 0; this.#paint(now); }); }

  #paint(now) {
    const box = this.#canvas.getBoundingClientRect(), scale = devicePixelRatio || 1;
    const [w, h] = [Math.round(box.width * scale), Math.round(box.height * scale)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) Object.assign(this.#canvas, { width: w, height: h });
    const r = this.#picture.rect(), c = this.#ctx;
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, box.width, box.height);
    if (!r.w) return;
    c.translate(r.x - box.left, r.y - box.top);
    if (this.last) c.drawImage(this.last, 0, 0, r.w, r.h);
    paintMasks(c, this.masks, r);
    for (const s of this.shapes) drawShape(c, s, r);
    for (const o of this.outlines) stroke(c, o, r);
    if (this.corners) brackets(c, this.corners, r);
    if (this.drag) (this.drag.path ? dragPath : dragBox)(c, this.drag, r);
    if (this.crosshair) cross(c, this.crosshair, r);
    for (const ripple of this.#ripples) if (!drop(c, ripple, r, now)) this.#ripples.delete(ripple);
    if (this.#ripples.size) this.draw();
  }
}

const bend = 6; // px before and after a corner in which it is rounded

// trace begins a path with an outline. Its corners are rounded: they are of a coarse grid, and long straight edges stay straight.
export function trace(c, outline, r) {
  c.beginPath();
  for (const ring of outline ?? []) {
    const n = ring.length / 2, at = (i) => [ring[i % n * 2] * r.w, ring[i % n * 2 + 1] * r.h];
    const toward = ([x, y], [u, v]) => { const t = Math.min(0.5, bend / (Math.hypot(u - x, v - y) || 1)); return [x + (u - x) * t, y + (v - y) * t]; };
    for (let i = 1; i <= n; i++) {
      const corner = at(i), to = toward(corner, at(i + 1));
      c[i > 1 ? "lineTo" : "moveTo"](...toward(corner, at(i + n - 1)));
      c.quadraticCurveTo(...corner, ...to);
    }
    c.closePath();
  }
}

// paintMasks draws masks with their labels on a picture of a size.
export function paintMasks(c, masks, r) {
  for (const o of masks) stroke(c, o, r);
  for (const o of masks) label(c, o, r);
}

function label(c, { label, color, box }, r) {
  c.save();
  c.font = `600 ${Math.max(11, Math.min(15, r.h / 40))}px system-ui, sans-serif`;
  c.textBaseline = "middle";
  const w = c.measureText(label).width + 12, h = 20;
  const x = Math.max(2, Math.min(box[0] * r.w, r.w - w - 2)), y = Math.max(2, box[1] * r.h - h - 4);
  c.fillStyle = "rgba(8,10,13,.72)"; c.beginPath(); c.roundRect(x, y, w, h, 5); c.fill();
  c.fillStyle = color; c.fillRect(x, y + h - 3, w, 3);
  c.fillStyle = "#fff"; c.fillText(label, x + 6, y + h / 2);
  c.restore();
}

function stroke(c, o, r) {
  c.save();
  trace(c, o.outline, r);
  if (o.fill) { c.globalAlpha = o.fill; c.fillStyle = o.color; c.fill("evenodd"); c.globalAlpha = 1; }
  c.lineJoin = "round";
  c.lineWidth = o.width + 2; c.strokeStyle = "rgba(0,0,0,.55)"; c.stroke();
  if (o.dash) c.setLineDash([7, 5]);
  c.lineWidth = o.width; c.strokeStyle = o.color; c.stroke();
  c.restore();
}

// brackets mark a box by its corners: they say which object is meant without hiding its edge.
function brackets(c, [x0, y0, x1, y1], r) {
  const gap = 5, [l, t, right, b] = [x0 * r.w - gap, y0 * r.h - gap, x1 * r.w + gap, y1 * r.h + gap];
  const n = Math.max(6, Math.min(18, (right - l) / 4, (b - t) / 4));
  c.beginPath();
  for (const [x, y, dx, dy] of [[l, t, n, n], [right, t, -n, n], [right, b, -n, -n], [l, b, n, -n]]) {
    c.moveTo(x + dx, y); c.lineTo(x, y); c.lineTo(x, y + dy);
  }
  c.lineCap = c.lineJoin = "round";
  c.lineWidth = 4.5; c.strokeStyle = "rgba(0,0,0,.5)"; c.stroke();
  c.lineWidth = 2; c.strokeStyle = "#fff"; c.stroke();
}

function dragBox(c, b, r) {
  const [x, y, w, h] = [b.x0 * r.w, b.y0 * r.h, (b.x1 - b.x0) * r.w, (b.y1 - b.y0) * r.h];
  c.save();
  c.fillStyle = "rgba(76,201,240,.14)"; c.fillRect(x, y, w, h);
  c.lineWidth = 3; c.strokeStyle = "rgba(0,0,0,.5)"; c.strokeRect(x, y, w, h);
  c.lineWidth = 1.5; c.strokeStyle = "#4cc9f0"; c.strokeRect(x, y, w, h);
  c.restore();
}

// dragPath shows what is drawn so far, and the straight way that would close it.
function dragPath(c, { path }, r) {
  c.save();
  c.beginPath();
  for (const [i, p] of path.entries()) c[i ? "lineTo" : "moveTo"](p.x * r.w, p.y * r.h);
  c.fillStyle = "rgba(76,201,240,.14)"; c.fill("nonzero");
  c.lineJoin = c.lineCap = "round";
  c.lineWidth = 4; c.strokeStyle = "rgba(0,0,0,.5)"; c.stroke();
  c.lineWidth = 2; c.strokeStyle = "#4cc9f0"; c.stroke();
  c.beginPath(); c.moveTo(path.at(-1).x * r.w, path.at(-1).y * r.h); c.lineTo(path[0].x * r.w, path[0].y * r.h);
  c.setLineDash([5, 6]); c.lineWidth = 1.5; c.stroke();
  c.restore();
}

// cross is a pointer across the whole picture, open in the middle.
function cross(c, { x, y }, r) {
  const [px, py, gap] = [x * r.w, y * r.h, 8];
  c.save();
  c.beginPath();
  c.moveTo(0, py); c.lineTo(px - gap, py); c.moveTo(px + gap, py); c.lineTo(r.w, py);
  c.moveTo(px, 0); c.lineTo(px, py - gap); c.moveTo(px, py + gap); c.lineTo(px, r.h);
  c.moveTo(px + gap, py); c.arc(px, py, gap, 0, 7);
  c.lineWidth = 3.5; c.strokeStyle = "rgba(0,0,0,.65)"; c.stroke();
  c.lineWidth = 1.5; c.strokeStyle = "#fff"; c.stroke();
  c.restore();
}

// drop paints one ripple; false when it has faded.
function drop(c, { p, kind, began, ended, color, failed }, r, now) {
  // A refresh may have begun before the click that it paints.
  const age = Math.max(0, now - began) / 1000, after = ended ? Math.max(0, now - ended) / 450 : 0;
  if (after >= 1) return false;
  const x = p.x * r.w + (failed ? Math.sin(after * 26) * 4 * (1 - after) : 0), y = p.y * r.h;
  c.save();
  c.globalAlpha = 1 - after * after;
  ring(c, x, y, 7 + after * 6, color, 2.5, failed ? 0.2 : 0.35);
  sign(c, x, y, kind, color);
  const beat = still.matches ? 0.5 : ended ? after : (age * 1.3) % 1;
  c.globalAlpha *= 1 - beat;
  ring(c, x, y, 9 + beat * (ended ? 46 : 24), color, 2, 0);
  c.restore();
  return true;
}

function ring(c, x, y, radius, color, width, fill) {
  const alpha = c.globalAlpha;
  c.beginPath(); c.arc(x, y, radius, 0, 7);
  if (fill) { c.globalAlpha = alpha * fill; c.fillStyle = color; c.fill(); c.globalAlpha = alpha; }
  c.lineWidth = width + 2; c.strokeStyle = "rgba(0,0,0,.4)"; c.stroke();
  c.lineWidth = width; c.strokeStyle = color; c.stroke();
}

function sign(c, x, y, kind, color) {
  c.beginPath(); c.moveTo(x - 3, y); c.lineTo(x + 3, y);
  if (kind !== "minus") { c.moveTo(x, y - 3); c.lineTo(x, y + 3); }
  c.lineWidth = 2; c.strokeStyle = color; c.stroke();
}
