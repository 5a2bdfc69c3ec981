// What a person has done on this page that can be taken back, newest last: an object made or corrected, objects removed. One step back is one
// command, whichever kind the newest is.

import { toast } from "./dom.js";

const most = 50; // steps
const over = new Set(["conflict", "unknown_object", "bad_request", "unsupported"]); // refusals of what can never be taken back

export class History {
  #player; #do; #find; #steps = []; #cameras = new Set(); #open = new Set();

  // perform does a command, as Commands.do; find gives an object that is followed.
  constructor(player, perform, find) {
    this.#player = player;
    this.#do = perform;
    this.#find = find;
  }

  // during hears of work that may note a step when the agent has answered: a step back waits for it, else it would be an older one.
  during(work) {
    const done = () => this.#open.delete(work);
    this.#open.add(work);
    work.then(done, done);
    return work;
  }

  // corrected notes that what is known of an object was changed.
  corrected(object) { this.#note({ verb: "undo", fields: { object } }); }

  // made notes objects that were not there before; taking that back removes them.
  made(...objects) { if (objects.length) this.#note({ verb: "remove", fields: { objects } }); }

  // removed notes objects that are followed no longer, and offers to bring them back.
  removed(objects) { if (objects.length) this.#offer(objects, this.#note(back(objects))); }

  // undo takes back the newest step; of a page that never knew one, what the agent does: the last correction of the selected object, else what
  // was removed last. Where all of the page's own is taken back, that would be what this person took away, or what another removed.
  async undo(selected) {
    await Promise.allSettled(this.#open);
    const step = this.#steps.findLast((s) => s.camera === this.#player.camera && !s.taken);
    if (!step && !selected && this.#cameras.has(this.#player.camera)) return toast("nothing is left to undo", "info");
    await this.#take(step ?? { verb: "undo", fields: selected ? { object: selected } : {} });
  }

  #note(step) {
    step.camera = this.#player.camera;
    this.#cameras.add(step.camera);
    this.#steps.push(step);
    if (this.#steps.length > most) this.#steps.shift();
    return step;
  }

  #offer(objects, step) {
    const what = objects.length > 1 ? `${objects.length} objects` : objects[0].name || objects[0].id;
    toast(`${what} removed`, "info", { label: "Undo", run: () => this.#take(step) });
  }

  // take takes one step back. A step whose command did not reach the agent stays.
  async #take(step) {
    if (step.camera && step.camera !== this.#player.camera) return toast("that was another camera's", "info");
    if (step.taken) return; // the key and the toast are the same step
    step.taken = true;
    const gone = step.verb === "remove" && step.fields.objects.map((id) => this.#find(id) ?? { id });
    try {
      const { objects } = await this.#do(step.verb, step.fields);
      if (gone) this.#offer(gone, { ...back(gone), camera: step.camera });
      const asked = step.fields.objects?.length;
      if (step.verb === "undo" && objects?.length < asked) toast(`${objects.length} of ${asked} could be brought back`, "info");
    } catch (e) {
      toast(e.message);
      step.taken = over.has(e.code);
    }
    if (step.taken) this.#steps = this.#steps.filter((s) => s !== step);
  }
}

// back is the step that brings objects back.
function back(objects) { return { verb: "undo", fields: { objects: objects.map((o) => o.id) } }; }
