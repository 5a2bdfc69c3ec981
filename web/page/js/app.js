// The page: joins the player, the picture, the hands and the list. What the agent says arrives as messages; what the
// person does leaves as commands.

import { $, text, toast } from "./dom.js";
import { Player } from "./whep.js";
import { Commands, get } from "./commands.js";
import { Picture, inside } from "./picture.js";
import { Gestures } from "./gestures.js";
import { Canvas } from "./canvas.js";
import { ObjectList } from "./objects.js";
import { Picker } from "./pick.js";
import { Stats } from "./stats.js";
import { colorOf } from "./palette.js";
import { keyboard } from "./keys.js";
import { Link } from "./link.js";
import { Shapes } from "./shapes.js";
import { Sieve } from "./sieve.js";
import { Words } from "./words.js";
import { save } from "./snapshot.js";
import { EventLog } from "./events.js";
import { History } from "./history.js";
import { Thumbs } from "./thumbs.js";
import { Clips } from "./clips.js";
import { Masks } from "./masks.js";
import { Views } from "./views.js";
import { lasso } from "./lasso.js";
import { Crosshair } from "./crosshair.js";
import { Lists } from "./lists.js";

const video = $("video");
const player = new Player(video);
const commands = new Commands(player);
const picture = new Picture(video, () => { player.seen(); app.onFrame(); });
const canvas = new Canvas($("canvas"), picture);
const gestures = new Gestures($("surface"), picture);
const list = new ObjectList();
const picker = new Picker(video);
const stats = new Stats(player, picture);
const link = new Link(player);
const shapes = new Shapes();
const sieve = new Sieve();
const words = new Words((_, fields) => app.ask(fields));
const thumbs = new Thumbs(video);
const events = new EventLog(thumbs);
const clips = new Clips(player, (verb, fields) => app.run(verb, fields));
const lists = new Lists();
const masks = new Masks(player, () => app.redraw());
const crosshair = new Crosshair((p) => app.nameAt(p));
const views = new Views(player, link, (camera) => app.show(camera));
const past = new History(player, (verb, fields) => commands.do(verb, fields), (id) => list.objects.find((o) => o.id === id));

class App {
  mode = "point";
  #hover = ""; #asked = ""; #heard = 0; #listed = 0; #queue = [];

  start() {
    player.addEventListener("message", (e) => this.#message(e.detail));
    player.addEventListener("frame", () => { canvas.release(); this.#hint(); });
    player.addEventListener("leaving", () => { canvas.masks = []; canvas.outlines = []; canvas.corners = null; canvas.freeze(video); });
    player.addEventListener("link", () => this.#hint());
    gestures.addEventListener("click", (e) => this.#click(e.detail));
    gestures.addEventListener("box", (e) => this.#box(e.detail));
    gestures.addEventListener("drag", (e) => this.#drag(e.detail));
    gestures.addEventListener("hover", (e) => this.#point(e.detail));
    gestures.addEventListener("stroke", (e) => this.#stroke(e));
    crosshair.addEventListener("click", (e) => this.#click(e.detail));
    crosshair.addEventListener("move", (e) => { canvas.crosshair = e.detail; canvas.draw(); this.#point(e.detail); });
    gestures.addEventListener("menu", (e) => list.select(this.#under(e.detail)?.id ?? ""));
    list.addEventListener("select", () => this.#selected());
    list.addEventListener("hover", (e) => this.#light(e.detail.id));
    list.addEventListener("rename", (e) => this.run("rename", { object: e.detail.id, name: e.detail.name }));
    list.addEventListener("remove", (e) => this.remove(e.detail.id));
    picker.addEventListener("confirm", (e) => this.run("confirm", e.detail));
    picker.addEventListener("choose", (e) => past.during(this.#choose(e.detail)));
    picker.addEventListener("look", () => this.#outline());
    shapes.addEventListener("change", () => { canvas.shapes = shapes.drawn; canvas.draw(); this.#hint(); });
    shapes.addEventListener("put", ({ detail: { verb, name, points, settle } }) => this.run(verb, { name, points }).then((done) => settle(!!done)));
    events.addEventListener("clip", (e) => clips.play(e.detail.clip));
    events.addEventListener("select", (e) => list.objects.some((o) => o.id === e.detail.id) ? list.select(e.detail.id) : toast("it is not followed any more", "info"));
    list.addEventListener("keep", (e) => sieve.keep(e.detail.id));
    list.addEventListener("drop", (e) => sieve.drop(e.detail.id));
    list.offered = (id) => sieve.offered(id);
    shapes.called = (id) => list.objects.find((o) => o.id === id)?.name || id;
    sieve.addEventListener("change", () => { list.refresh(); this.#outline(); });
    sieve.addEventListener("drop", (e) => this.remove(...e.detail.ids));
    $("everything").addEventListener("click", () => this.everything());
    $("snapshot").addEventListener("click", () => this.snapshot());
    $("undo").addEventListener("click", () => this.undo());
    $("clear").addEventListener("click", () => past.during(this.#clear()));
    words.addEventListener("found", (e) => this.#follow(e.detail.object));
    for (const b of document.querySelectorAll("[data-mode]")) b.addEventListener("click", () => this.setMode(b.dataset.mode));
    $("panel-toggle").addEventListener("click", () => this.togglePanel());
    $("help-open").addEventListener("click", () => $("help").showModal());
    video.addEventListener("resize", () => this.#shape());
    setInterval(() => this.#poll(), 1000);
    this.setMode("point");
    views.start();
    this.#about();
  }

  // run does a command and shows its refusal; where the agent cannot do it with these fields, with others.
  async run(verb, fields, others) {
    try {
      return await commands.do(verb, fields);
    } catch (e) {
      if (e.code === "unsupported" && others) return this.run(verb, others);
      toast(e.message);
      return null;
    }
  }

  // ask prompts, and notes what came of it so that it can be taken back.
  // simpler is what to say where the model does not take it.
  ask(fields, simpler) { return past.during(this.#ask(fields, simpler)); }

  async #ask(fields, simpler) {
    const before = new Set(list.objects.map((o) => o.id));
    const result = await this.run("prompt", fields, simpler && (({ points, mask, ...rest }) => ({ ...rest, ...simpler }))(fields));
    if (result && fields.object) past.corrected(fields.object);
    else if (result) past.made(...(result.objects ?? [result.object]).filter((id) => id && !before.has(id)));
    return result;
  }

  async #choose(fields) {
    if (await this.run("choose", fields)) past.corrected(fields.object);
  }

  // remove lets objects go, and offers to bring them back.
  remove(...ids) { return past.during(this.#remove(ids)); }

  async #remove(ids) {
    const gone = ids.map((id) => list.objects.find((o) => o.id === id) ?? { id }); // the list may not have what was just made
    list.show(list.objects.filter((o) => !ids.includes(o.id))); // gone at once; a refusal brings them back with the next list
    this.#outline();
    if (await this.run("remove", gone.length === 1 ? { object: gone[0].id } : { objects: gone.map((o) => o.id) })) past.removed(gone);
  }

  // everything has the agent follow all that it can tell apart, and asks what of it to keep.
  async everything() {
    const button = $("everything");
    if (button.disabled) return;
    if (!player.playing) return this.#dead();
    button.disabled = true;
    shapes.cancel();
    const result = await this.run("automask", {});
    button.disabled = false;
    if (!result) return;
    if (!result.objects?.length) return toast("nothing was found that is not followed already", "info");
    list.select("");
    past.made(...result.objects);
    sieve.offer(result.objects);
  }

  async snapshot() {
    if (!await save(video, player.camera, canvas.masks)) toast("there is no picture to save yet", "info");
  }

  // undo takes back what was done last, whatever it was.
  undo() { return past.undo(list.selected); }

  setMode(mode) {
    if ((mode === "add" || mode === "minus") && !list.selected) {
      if (list.objects.length !== 1) return toast("first choose the object in the list, or point at a new one", "info");
      list.select(list.objects[0].id);
    }
    this.mode = mode;
    $("stage").dataset.mode = mode;
    for (const b of document.querySelectorAll("[data-mode]")) b.setAttribute("aria-checked", String(b.dataset.mode === mode));
  }

  togglePanel() {
    const hidden = document.body.classList.toggle("wide");
    $("panel-toggle").setAttribute("aria-pressed", String(!hidden));
  }

  // shape tells the layout how high the picture is for its width.
  #shape() {
    if (video.videoWidth) $("stage").style.setProperty("--ratio", video.videoHeight / video.videoWidth);
    canvas.draw();
  }

  // onFrame lets the outlines follow the picture that they belong to: a list is shown with its frame, not before.
  onFrame() {
    const rtp = picture.rtpAt(Infinity);
    let due = null;
    while (this.#queue.length && (rtp === undefined || ((rtp - this.#queue[0].rtp_time) | 0) >= 0)) due = this.#queue.shift();
    if (due) this.#show(due);
  }

  // show plays a camera; none while the grid shows all of them.
  show(camera) {
    this.#leave();
    crosshair.leave();
    if (camera) player.open(camera);
    this.#poll();
  }

  // leave forgets what belongs to the camera before.
  #leave() {
    this.#queue = [];
    this.#heard = this.#listed = 0;
    this.#asked = "";
    stats.forget();
    thumbs.forget();
    picture.forget();
    link.forget();
    events.forget();
    canvas.release();
    list.show([]);
    picker.offer(null);
    sieve.offer([]);
    shapes.forget();
    clips.forget();
  }

  async #about() {
    const info = await get("info");
    if (info) {
      stats.info(info);
      $("text-form").hidden = !info.grounding;
      text($("about"), `${info.agent ? info.agent + " · " : ""}segedge ${info.version}`);
    }
    setTimeout(() => this.#about(), info ? 10000 : 2000);
  }

  #message(m) {
    if (m.type === "hello") { this.#queue = []; lists.forget(); } // a new stream counts its time anew
    if (m.type === "events" && m.camera === player.camera) { clips.heard(m.events); return events.add(m.events); }
    if (m.type === "state") { this.#heard = performance.now(); this.#state(m); }
    if (m.type === "objects" || m.type === "delta") this.#objects(lists.whole(m));
  }

  #objects(m) {
    if (!m) return;
    this.#heard = this.#listed = performance.now();
    if (m.rtp_time === undefined || !video.requestVideoFrameCallback) return this.#show(m);
    this.#queue.push(m);
    if (this.#queue.length > 60) this.#show(this.#queue.shift());
    this.onFrame();
  }

  // poll asks over HTTP for what the data channel does not say: everything while there is none, and the list while no picture comes.
  async #poll() {
    const camera = player.camera, path = `cameras/${encodeURIComponent(camera)}`, late = (at) => performance.now() - at > 3000;
    if (!camera) return;
    const [state, objects] = await Promise.all([late(this.#heard) && get(`${path}/state`), late(this.#listed) && get(`${path}/objects`)]);
    if (camera !== player.camera) return;
    if (state && late(this.#heard)) this.#state(state);
    if (objects && late(this.#listed)) this.#show(objects);
  }

  #state(s) {
    stats.state(s);
    link.camera(s);
    if (s.camera !== player.camera) return;
    shapes.show(s);
    clips.state(s);
    words.show(s);
  }

  #show(m) {
    if (m.camera !== player.camera) return;
    list.show(m.objects);
    events.objects(list.objects);
    thumbs.shown(m);
    if (this.#asked && list.selected === "" && list.objects.some((o) => o.id === this.#asked)) { list.select(this.#asked); this.#asked = ""; }
    picker.offer(list.current);
    this.#outline();
    this.#hint();
  }

  redraw() { this.#outline(); }

  #outline() {
    canvas.masks = masks.layers(list.objects);
    const out = [], find = (id) => id && list.objects.find((o) => o.id === id);
    if (picker.open) {
      const { outline, color } = picker.shown, looked = picker.looked >= 0;
      out.push({ outline, color, width: looked ? 3 : 2, fill: looked ? 0.35 : 0 });
    }
    for (const o of list.objects) if (sieve.proposed(o.id)) out.push({ outline: o.outline, color: colorOf(o), width: 3, fill: 0.14, dash: true });
    const current = list.current;
    canvas.corners = !picker.open && current && current.box[2] > current.box[0] ? current.box : null;
    const hover = !picker.open && this.#hover !== list.selected && find(this.#hover);
    if (hover) out.push({ outline: hover.outline, color: colorOf(hover), width: 2.5, fill: 0.18 });
    canvas.outlines = out.filter((o) => o.outline);
    canvas.draw();
  }

  // under is the object at a point of the picture, the one on top where there are several.
  #under(p) { return p ? list.objects.findLast((o) => inside(o.outline, p)) : undefined; }

  // nameAt is what is followed at a point, in words.
  nameAt(p) { const o = this.#under(p); return o ? o.name || o.id : ""; }

  #point(p) {
    if (shapes.draft) return shapes.hover(p);
    this.#light(this.#under(p)?.id ?? "");
  }

  #light(id) {
    if (id === this.#hover) return;
    this.#hover = id;
    list.light(id);
    this.#outline();
  }

  #selected() {
    if (!list.selected && (this.mode === "add" || this.mode === "minus")) this.setMode("point");
    picker.offer(list.current);
    events.only(list.selected);
    this.#outline();
  }

  #click({ x, y, kind, time }) {
    if (!player.playing) return this.#dead();
    if (shapes.draft) return shapes.click({ x, y }, (a, b) => picture.near(a, b));
    const there = kind === "plain" && this.mode !== "add" && this.mode !== "minus" && this.#under({ x, y });
    if (there) return this.#again(there);
    if (kind === "plain" && (this.mode === "add" || this.mode === "minus")) kind = this.mode;
    const fresh = kind === "plain" || kind === "new";
    if (!fresh && !list.selected) return toast("first choose the object in the list, or point at a new one", "info");
    const object = fresh ? undefined : list.selected;
    this.#prompt({ object, points: [{ x: round(x), y: round(y), label: kind === "minus" ? 0 : 1 }] }, time, canvas.ripple({ x, y }, kind));
  }

  // dead says that a click went nowhere: what it points at is no living picture.
  #dead() { if (player.state !== "waiting") toast("the picture is not live: nothing was sent", "info"); }

  // again is a click on what is followed already: it is selected, not followed twice.
  #again(o) {
    if (sieve.keep(o.id)) return;
    if (picker.open && picker.object.id === o.id) return picker.step(1, true);
    if (o.id === list.selected) toast("it is followed already: Add or Exclude correct it, Alt-click or a box follow a part of it", "info");
    list.select(o.id);
  }

  #box({ x0, y0, x1, y1, time }) {
    if (!player.playing) return this.#dead();
    this.#prompt({ box: [x0, y0, x1, y1].map(round) }, time, canvas.ripple({ x: (x0 + x1) / 2, y: (y0 + y1) / 2 }, "plain"));
    if (this.mode === "box") this.setMode("point");
  }

  #drag(box) {
    canvas.drag = !box || shapes.draft?.kind === "line" ? null : this.mode === "lasso" && !shapes.draft ? { path: box.path } : { ...box, path: null };
    canvas.draw();
  }

  // stroke is a drag that means no box: while a shape is drawn, and with the lasso.
  #stroke(e) {
    const { from, to, path, time } = e.detail;
    if (shapes.draft) shapes.stroke(from, to);
    else if (this.mode === "lasso") this.#lasso(path, time);
    else return;
    e.preventDefault();
  }

  // lasso follows what was drawn round; a model that takes no masks is asked about the box.
  async #lasso(path, time) {
    if (!player.playing) return this.#dead();
    const drawn = lasso(path, video.videoHeight / video.videoWidth);
    if (!drawn) return toast("draw round the whole thing: the line went round nothing", "info");
    const { points, mask, box } = drawn;
    this.setMode("point");
    this.#prompt({ points, mask }, time, canvas.ripple(points[0], "plain"), { box });
  }

  // prompt sends what the person meant, with the picture that was on the screen at that moment.
  async #prompt(fields, time, ripple, simpler) {
    const rtp = picture.rtpAt(time);
    if (rtp !== undefined && player.viewer) Object.assign(fields, { viewer: player.viewer, rtp_time: rtp });
    else if (player.frame) fields.frame = player.frame;
    $("hint").hidden = true;
    const result = await this.ask(fields, simpler);
    ripple.settle(result && colorOf(result.document ?? { id: result.object }));
    if (!result) return;
    if (result.frame_gone) toast("the picture that you meant is gone; the newest was used", "info");
    this.#follow(result.object);
  }

  #follow(id) {
    if (list.objects.some((o) => o.id === id)) return list.select(id);
    this.#asked = id; // selected as soon as the list has it
    list.select("");
  }

  async #clear() {
    const gone = list.objects;
    if (await this.run("clear", {})) { list.show([]); past.removed(gone); }
    this.#outline();
  }

  #hint() {
    const show = player.playing && list.objects.length === 0 && !shapes.draft && !sieve.open;
    text($("hint"), matchMedia("(pointer: coarse)").matches ? "Tap anything to follow it" : "Click anything to follow it");
    $("hint").hidden = !show;
  }
}

const round = (v) => Math.round(v * 1e5) / 1e5;
const app = new App();
app.start();
keyboard({ app, list, picker, stats, gestures, shapes, sieve, clips, masks, views, crosshair });
