// The list of what is followed. Events: "select" {id}, "hover" {id}, "rename" {id, name}, "remove" {id}, and of what is only proposed "keep" {id}, "drop" {id}.

import { $, el, explainFit, icon, text } from "./dom.js";
import { colorOf } from "./palette.js";
import { asks } from "./pick.js";
import { since, span } from "./clock.js";
import { Series, draw, plot } from "./plot.js";

const words = {
  tentative: "finding it", tracking: "tracking", uncertain: "unsure", occluded: "hidden", lost: "lost", ended: "ended",
};

const hidden = new Set(["occluded", "lost"]);
const seconds = 60; // of the area that a row shows

export class ObjectList extends EventTarget {
  #rows = new Map(); #objects = []; #heard = false; #offers = false;
  selected = "";
  offered = () => ""; // of an id: "open" while it is proposed, "kept" when that was taken

  constructor() {
    super();
    setInterval(() => this.#tick(), 1000);
  }

  get objects() { return this.#objects; }
  get current() { return this.#objects.find((o) => o.id === this.selected); }

  // show takes the list as of now. The row being renamed is left alone.
  show(objects) {
    this.#heard = true;
    this.#objects = objects.filter((o) => o.state !== "ended");
    const alive = new Set(this.#objects.map((o) => o.id));
    for (const [id, row] of this.#rows) if (!alive.has(id)) { row.li.remove(); this.#rows.delete(id); }
    for (const o of this.#objects) this.#fill(this.#rows.get(o.id) ?? this.#add(o.id), o);
    const n = this.#objects.length;
    text($("count"), String(n));
    $("empty").hidden = n > 0;
    $("clear").disabled = n === 0;
    this.#reveal();
    if (this.selected && !alive.has(this.selected)) this.select("");
  }

  select(id) {
    if (id === this.selected) return;
    this.selected = id;
    for (const [key, row] of this.#rows) mark(row, key === id);
    if (id) this.#rows.get(id)?.li.scrollIntoView({ block: "nearest" });
    this.#tell("select", { id });
  }

  // step moves the selection by n rows, around the ends.
  step(n) {
    const ids = this.#objects.map((o) => o.id), count = ids.length;
    if (count) this.select(ids[((ids.indexOf(this.selected) + n) % count + count) % count]);
  }

  // refresh says anew what does not come with the list: the time that has gone by, and what is proposed.
  refresh() {
    for (const o of this.#objects) this.#fill(this.#rows.get(o.id), o);
  }

  // tick notes a second's areas, where there is a list of it, and lets the ages go on where there is none.
  #tick() {
    for (const o of this.#heard ? this.#objects : []) {
      const row = this.#rows.get(o.id);
      row.areas.push(hidden.has(o.state) || o.state === "tentative" ? null : o.area);
      draw(row.plot, row.areas);
    }
    this.#heard = false;
    this.refresh();
  }

  light(id) {
    for (const [key, row] of this.#rows) row.li.classList.toggle("lit", key === id);
  }

  // edit turns the name into a field: Enter keeps, Escape leaves, going elsewhere keeps.
  edit(id) {
    const row = this.#rows.get(id);
    if (!row || row.editing) return;
    const was = row.name.textContent;
    const input = el("input", { className: "rename", value: was, maxLength: 64, "aria-label": `New name of ${was}` });
    row.editing = true;
    row.name.replaceWith(input);
    const end = (keep) => {
      if (!row.editing) return;
      row.editing = false;
      const name = input.value.trim();
      input.replaceWith(row.name);
      if (!keep || !name || name === was) return;
      text(row.name, name);
      this.#tell("rename", { id, name });
    };
    input.addEventListener("keydown", (e) => {
      e.stopPropagation();
      if (e.key !== "Enter" && e.key !== "Escape" || e.isComposing) return; // the Enter that ends the typing of a character is none
      e.preventDefault();
      end(e.key === "Enter");
      row.li.focus(); // not the button in it: the same Enter would press it, and take the selection away
    });
    input.addEventListener("blur", () => end(true));
    input.focus();
    input.select();
  }

  // reveal shows the first of what is proposed, which may be far down, when there is something.
  #reveal() {
    const offers = this.#objects.some((o) => this.offered(o.id));
    if (offers && !this.#offers) this.#objects.map((o) => this.#rows.get(o.id).li).find((li) => li.classList.contains("offered"))?.scrollIntoView({ block: "nearest" });
    this.#offers = offers;
  }

  #add(id) {
    const chip = el("span", { className: "chip" });
    const name = el("span", { className: "name" });
    const state = el("span", { className: "state" });
    const meta = el("span", { className: "meta" });
    const area = plot();
    const pick = el("button", { className: "pick-row", type: "button" }, chip, el("span", { className: "words" }, name, el("span", { className: "line" }, state, meta)), area);
    const rename = el("button", { className: "icon small", type: "button", title: "Rename (R)" }, icon("M5 19h3.5L19 8.5 15.5 5 5 15.5zM13 7.5l3.5 3.5"));
    const remove = el("button", { className: "icon small danger", type: "button", title: "Remove (Del)" }, icon("M6 6l12 12M18 6L6 18"));
    const keep = el("button", { className: "text-button plain keep-row", type: "button" }, "Keep");
    const drop = el("button", { className: "text-button drop-row", type: "button" }, "Drop");
    const li = el("li", { className: "object" }, pick, rename, remove, keep, drop);
    li.dataset.id = id;
    li.tabIndex = -1;
    pick.addEventListener("click", () => this.select(this.selected === id ? "" : id));
    pick.addEventListener("dblclick", () => this.edit(id));
    rename.addEventListener("click", () => this.edit(id));
    remove.addEventListener("click", () => this.#tell("remove", { id }));
    keep.addEventListener("click", () => this.#tell("keep", { id }));
    drop.addEventListener("click", () => this.#tell("drop", { id }));
    li.addEventListener("pointerenter", () => this.#tell("hover", { id }));
    li.addEventListener("pointerleave", () => this.#tell("hover", { id: "" }));
    $("objects").append(li);
    const row = { li, chip, name, state, meta, pick, rename, remove, keep, drop, plot: area, areas: new Series(seconds), editing: false };
    this.#rows.set(id, row);
    mark(row, id === this.selected);
    return row;
  }

  #fill(row, o) {
    const name = o.name || o.id;
    if (!row.editing) text(row.name, name);
    row.li.style.setProperty("--c", colorOf(o));
    row.li.dataset.state = o.state;
    const asking = asks(o);
    row.li.classList.toggle("asks", asking);
    text(row.state, asking ? "which one?" : words[o.state] ?? o.state);
    text(row.meta, meta(o));
    explainFit(row.meta, row.pick, `Here ${o.predicted_iou}; how little the mask depends on the threshold (stability): ${o.stability}; mask ${o.mask_age} frames old, ${o.prompt ?? ""}. Followed for ${span(since(o.made) ?? 0)}; area ${(o.area * 100).toFixed(1)} % of the picture, as plotted over the last minute.`);
    row.rename.setAttribute("aria-label", `Rename ${name}`);
    row.remove.setAttribute("aria-label", `Remove ${name}`);
    const offer = this.offered(o.id);
    row.li.classList.toggle("offered", !!offer);
    row.keep.hidden = row.drop.hidden = !offer;
    row.rename.hidden = row.remove.hidden = !!offer;
    row.keep.setAttribute("aria-pressed", String(offer === "kept"));
    text(row.keep, offer === "kept" ? "Kept" : "Keep");
    row.keep.setAttribute("aria-label", `Keep ${name}`);
    row.drop.setAttribute("aria-label", `Drop ${name}`);
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

function mark(row, on) {
  row.li.classList.toggle("selected", on);
  row.pick.setAttribute("aria-pressed", String(on));
}

// meta is how well the mask fits, or since when nothing is seen of it, and the age.
function meta(o) {
  const parts = [], away = hidden.has(o.state) ? since(o.seen) : undefined, age = since(o.made);
  if (away !== undefined) parts.push(`last seen ${span(Math.max(1, away))} ago`);
  else if (o.predicted_iou > 0) parts.push(`${Math.round(o.predicted_iou * 100)} % fit`);
  if (age !== undefined) parts.push(span(age));
  return parts.join(" · ");
}
