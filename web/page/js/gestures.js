// Turns what hands do on the picture into prompts. Events: "click" {x, y, kind, time}, "box" {x0, y0, x1, y1, time},
// "stroke" {from, to, path, time} before it, which may be prevented then, "drag" (the box so far, with the path, null when it ends), "hover" (a point, null outside), "menu" (a point: the right button). Coordinates are 0..1 of the picture; kind
// is "plain", "add", "minus" or "new".

const slack = { mouse: 5, pen: 8, touch: 12 }; // px before a press is a drag
const mostPoints = 4096; // of a path
const longPress = 450; // ms before a touch that stays means "not this"

export class Gestures extends EventTarget {
  #picture; #press = null; #pointers = new Set();

  constructor(surface, picture) {
    super();
    this.#picture = picture;
    surface.addEventListener("pointerdown", (e) => this.#down(e, surface));
    surface.addEventListener("pointermove", (e) => this.#move(e));
    surface.addEventListener("pointerup", (e) => this.#up(e));
    surface.addEventListener("pointercancel", (e) => { this.#pointers.delete(e.pointerId); this.cancel(); });
    surface.addEventListener("pointerleave", (e) => this.#tell("hover", null, e));
    surface.addEventListener("contextmenu", (e) => {
      e.preventDefault();
      if (e.pointerType !== "touch") this.#tell("menu", this.#picture.point(e.clientX, e.clientY));
    });
  }

  // cancel drops the press in progress.
  cancel() {
    if (!this.#press) return;
    clearTimeout(this.#press.timer);
    this.#press = null;
    this.#tell("drag", null);
  }

  #down(e, surface) {
    this.#pointers.add(e.pointerId);
    if (this.#pointers.size > 1) return this.cancel(); // two fingers zoom the page
    const from = this.#picture.point(e.clientX, e.clientY);
    if (e.button !== 0 || !from) return;
    surface.setPointerCapture(e.pointerId);
    this.#press = { id: e.pointerId, from, x: e.clientX, y: e.clientY, dragged: false, path: [from], slack: slack[e.pointerType] ?? 5, timer: 0 };
    if (e.pointerType === "touch") this.#press.timer = setTimeout(() => this.#held(e.timeStamp), longPress);
  }

  #held(time) {
    const { from } = this.#press;
    this.cancel();
    navigator.vibrate?.(12);
    this.#tell("click", { ...from, kind: "minus", time: time + longPress });
  }

  #move(e) {
    const press = this.#press;
    if (!press) return this.#tell("hover", this.#picture.point(e.clientX, e.clientY));
    if (e.pointerId !== press.id) return;
    press.dragged ||= Math.hypot(e.clientX - press.x, e.clientY - press.y) > press.slack;
    if (!press.dragged) return;
    clearTimeout(press.timer);
    const coalesced = e.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of coalesced.length ? coalesced : [e]) {
      if (press.path.length < mostPoints) press.path.push(this.#picture.clamped(clientX, clientY));
    }
    this.#tell("drag", { ...box(press.from, this.#picture.clamped(e.clientX, e.clientY)), path: press.path });
  }

  #up(e) {
    this.#pointers.delete(e.pointerId);
    const press = this.#press;
    if (!press || e.pointerId !== press.id) return;
    this.cancel();
    if (!press.dragged) {
      const kind = e.shiftKey ? "minus" : e.ctrlKey || e.metaKey ? "add" : e.altKey ? "new" : "plain";
      return this.#tell("click", { ...press.from, kind, time: e.timeStamp });
    }
    const to = this.#picture.clamped(e.clientX, e.clientY), b = box(press.from, to);
    const stroke = new CustomEvent("stroke", { detail: { from: press.from, to, path: [...press.path, to], time: e.timeStamp }, cancelable: true });
    if (!this.dispatchEvent(stroke)) return;
    if (b.x1 - b.x0 > 0.005 && b.y1 - b.y0 > 0.005) this.#tell("box", { ...b, time: e.timeStamp });
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

function box(a, b) {
  return { x0: Math.min(a.x, b.x), y0: Math.min(a.y, b.y), x1: Math.max(a.x, b.x), y1: Math.max(a.y, b.y) };
}
