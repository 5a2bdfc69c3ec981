// Commands travel over the data channel, and over HTTP where there is none. Either way: one promise, one reply.

import { heard } from "./clock.js";

export class Commands {
  #player; #waiting = new Map(); #next = 0; #prefix = Math.random().toString(36).slice(2, 8);

  constructor(player) {
    this.#player = player;
    player.addEventListener("message", (e) => e.detail.type === "reply" && this.#settle(e.detail));
    player.addEventListener("silent", () => this.#giveUp());
  }

  // do sends a command and gives its result, or throws with the agent's sentence.
  async do(verb, fields = {}) {
    const id = `${this.#prefix}-${++this.#next}`;
    const reply = await (this.#player.talking ? this.#overChannel(verb, id, fields) : this.#overHTTP(verb, id, fields));
    if (reply.ok) return reply.result ?? {};
    const error = new Error(reply.error?.message ?? "the agent refused without a word");
    error.code = reply.error?.code;
    throw error;
  }

  #overChannel(verb, id, fields) {
    return new Promise((done, fail) => {
      const late = setTimeout(() => this.#waiting.delete(id) && fail(new Error("the agent has not answered for 15 seconds")), 15000);
      this.#waiting.set(id, { done: (r) => { clearTimeout(late); done(r); }, fail: (e) => { clearTimeout(late); fail(e); } });
      this.#player.send({ verb, id, ...fields });
    });
  }

  async #overHTTP(verb, id, fields) {
    const url = `api/v1/cameras/${encodeURIComponent(this.#player.camera)}/${encodeURIComponent(verb)}`;
    let answer;
    try {
      answer = await fetch(url, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ id, ...fields }), signal: AbortSignal.timeout(20000),
      });
      return await answer.json();
    } catch {
      throw new Error(answer ? `the agent answers ${answer.status}` : "the agent cannot be reached");
    }
  }

  #settle(reply) {
    this.#waiting.get(reply.id)?.done(reply);
    this.#waiting.delete(reply.id);
  }

  #giveUp() {
    for (const w of this.#waiting.values()) w.fail(new Error("the connection ended before the agent answered"));
    this.#waiting.clear();
  }
}

// get reads a document of the API; null when it cannot be had.
export async function get(path) {
  try {
    const answer = await fetch(`api/v1/${path}`, { signal: AbortSignal.timeout(5000) });
    heard(answer.headers.get("Date"));
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
