// Keyboard shortcuts. None of them fires while a person is typing.

import { $ } from "./dom.js";

const modes = { p: "point", b: "box", d: "lasso", a: "add", x: "minus" };

export function keyboard(parts) {
  const { app, list, picker, stats, shapes, sieve, clips, masks, views, crosshair } = parts;
  const keys = {
    ArrowDown: () => list.step(1),
    ArrowUp: () => list.step(-1),
    Delete: () => list.selected && app.remove(list.selected),
    Backspace: () => list.selected && app.remove(list.selected),
    r: () => list.selected && list.edit(list.selected),
    F2: () => list.selected && list.edit(list.selected),
    s: () => stats.toggle(),
    o: () => app.togglePanel(),
    e: () => app.everything(),
    c: () => app.snapshot(),
    v: () => clips.toggle(),
    m: () => masks.next(),
    z: () => shapes.begin("zone"),
    l: () => shapes.begin("line"),
    ArrowRight: () => picker.open && picker.step(1),
    ArrowLeft: () => picker.open && picker.step(-1),
    Enter: () => shapes.draft ? shapes.finish() : sieve.open ? sieve.done() : picker.looked >= 0 && picker.choose(picker.looked),
    g: () => views.toggle(),
    k: () => crosshair.toggle(),
    f: full,
    "?": () => $("help").showModal(),
    Escape: () => escape(parts),
  };
  $("full").hidden = !document.fullscreenEnabled;
  $("full").addEventListener("click", full);
  addEventListener("keydown", (e) => {
    if (e.target.matches("input, select, textarea") || $("help").open || $("clip").open) return;
    if (!views.grid && !onControl(e) && crosshair.key(e)) return e.preventDefault();
    if ((e.ctrlKey || e.metaKey) && e.key === "z") { app.undo(); return e.preventDefault(); }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (views.grid && !"gf?".includes(key)) return; // the others are about one camera
    if (picker.open && /^[1-9]$/.test(key)) picker.choose(Number(key) - 1);
    else if (modes[key]) app.setMode(modes[key]);
    else if (key === "Enter" && e.target.matches("button, summary")) return; // presses it
    else if (keys[key]) keys[key]();
    else return;
    e.preventDefault();
  });
}

// onControl says that a key is for the button or the like that has the focus; Escape never is.
function onControl(e) { return e.key !== "Escape" && e.target.matches("button, summary, a, [role=radio]"); }

// full fills the screen with the page, and gives it back.
function full() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.();
}

// escape leaves one thing at a time, the innermost first.
function escape({ app, list, picker, stats, gestures, shapes, sieve }) {
  gestures.cancel();
  if (shapes.draft) shapes.cancel();
  else if (sieve.open) sieve.done();
  else if (picker.open) picker.dismiss();
  else if (!$("details").hidden) stats.toggle();
  else if (app.mode !== "point") app.setMode("point");
  else list.select("");
}
