// The lists of objects as they come over the data channel: whole, or as what has changed since the list before (the agent's package stream says
// how).

export class Lists {
  #last = null;

  forget() { this.#last = null; }

  // whole gives the whole list that a message means; null where the list before is not the one that it goes on from.
  whole(m) {
    if (m.type === "delta") m = this.#last?.frame.seq === m.base ? changed(this.#last, m) : null;
    if (m) this.#last = m;
    return m;
  }
}

function changed(was, m) {
  const steps = m.seq - m.base, gone = new Set(m.gone), news = new Map(m.objects.map((o) => [o.id, o]));
  const objects = was.objects.filter((o) => !gone.has(o.id)).map((o) => {
    const changes = news.get(o.id) ?? {};
    news.delete(o.id);
    return merged({ ...o, age: o.age + steps, mask_age: o.mask_age + steps }, changes);
  });
  return { ...was, rtp_time: m.rtp_time, frame: { seq: m.seq }, as_of_seq: m.as_of_seq ?? was.as_of_seq, objects: [...objects, ...news.values()] };
}

// merged has an object's changes in it: null takes a field away, and rings are its outline in steps.
function merged(o, { rings, ...changes }) {
  for (const [name, value] of Object.entries(changes)) if (value === null) delete o[name]; else o[name] = value;
  if (rings) o.outline = rings.map(absolute);
  return o;
}

function absolute(ring) {
  const at = [...ring];
  for (let i = 2; i < at.length; i++) at[i] += at[i - 2];
  return at.map((v) => v / 1000);
}
