// The review page: one picture after another. Everything that waits for a person is filled in already; Enter keeps it.

const $ = (id) => document.getElementById(id);
const canvas = $("picture"), g = canvas.getContext("2d");
const colors = ["#4cc9f0", "#ffd166", "#4ade80", "#f78fb3", "#b9a5ff", "#ff9f5a", "#7ae7c7", "#e0e24a"];

let items = [], at = 0, image = null, objects = [], selected = -1, busy = false;
const cross = { x: 0.5, y: 0.5, shown: false };
const ahead = new Map(); // name → promise of what the next picture needs

async function ask(path, body) {
  const r = await fetch("api/items" + path, body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await r.json();
  if (!r.ok) throw new Error(answer.error || `the agent answers ${r.status}`);
  return answer;
}

function load(name) {
  if (!ahead.has(name)) {
    const picture = new Image();
    picture.src = `api/items/${encodeURIComponent(name)}/picture.jpg`;
    ahead.set(name, Promise.all([ask("/" + encodeURIComponent(name)), picture.decode().then(() => picture)]));
  }
  return ahead.get(name);
}

async function show() {
  const name = items[at];
  $("empty").hidden = at < items.length;
  canvas.hidden = at >= items.length;
  $("progress").textContent = at < items.length ? `${at + 1} of ${items.length} · ${name}` : `${items.length} judged`;
  document.body.dataset.at = at;
  objects = [];
  if (at >= items.length) { list(); return; }
  try {
    const [doc, picture] = await load(name);
    ahead.delete(name);
    image = picture;
    objects = doc.objects.map((o) => ({ ...o, accept: o.verdict !== "rejected", points: [], history: [] }));
    selected = objects.findIndex((o) => o.verdict === "proposed");
    if (selected < 0) selected = objects.length - 1;
    canvas.width = doc.width; canvas.height = doc.height;
    const room = canvas.parentElement.getBoundingClientRect(), scale = Math.min((room.width - 16) / doc.width, (room.height - 16) / doc.height);
    canvas.style.width = `${doc.width * scale}px`;
    document.body.dataset.shown = name;
    draw();
    if (at + 1 < items.length) load(items[at + 1]).catch(() => ahead.delete(items[at + 1]));
  } catch (e) {
    ahead.delete(name);
    say(e.message);
  }
}

function say(text) { $("said").textContent = text; }

function path(rings) {
  const p = new Path2D();
  for (const ring of rings) {
    ring.forEach((q, i) => (i ? p.lineTo(q.x * canvas.width, q.y * canvas.height) : p.moveTo(q.x * canvas.width, q.y * canvas.height)));
    p.closePath();
  }
  return p;
}

function draw() {
  g.globalAlpha = 1;
  g.drawImage(image, 0, 0, canvas.width, canvas.height);
  objects.forEach((o, i) => {
    const color = colors[i % colors.length], p = path(o.rings);
    g.fillStyle = g.strokeStyle = color;
    if (o.accept) { g.globalAlpha = i === selected ? 0.5 : 0.3; g.fill(p, "evenodd"); }
    g.globalAlpha = 1;
    g.lineWidth = i === selected ? 2 : 1;
    g.setLineDash(o.accept ? [] : [4, 4]);
    g.stroke(p);
    for (const c of o.points) {
      g.setLineDash([]);
      g.fillStyle = c.label ? "#4ade80" : "#ff6b7a";
      g.beginPath(); g.arc(c.x * canvas.width, c.y * canvas.height, 4, 0, 7); g.fill();
    }
  });
  g.setLineDash([]);
  if (cross.shown) {
    const x = cross.x * canvas.width, y = cross.y * canvas.height;
    g.strokeStyle = "#fff"; g.lineWidth = 1;
    g.beginPath(); g.moveTo(x - 12, y); g.lineTo(x + 12, y); g.moveTo(x, y - 12); g.lineTo(x, y + 12); g.stroke();
  }
  list();
}

function list() {
  $("objects").replaceChildren(...objects.map((o, i) => {
    const li = document.createElement("li");
    li.textContent = `${o.name || "object"} · ${o.id ? o.verdict : "new"}${o.iou ? ` · ${o.iou.toFixed(2)}` : ""}`;
    li.classList.toggle("selected", i === selected);
    li.classList.toggle("rejected", !o.accept);
    li.style.setProperty("--of", colors[i % colors.length]);
    li.onclick = () => { selected = i; draw(); };
    return li;
  }));
}

function add() {
  objects.push({ id: 0, name: "", verdict: "new", rings: [], accept: true, points: [], history: [] });
  selected = objects.length - 1;
  draw();
}

// click asks the model what the selected object is, with one more click.
async function click(x, y, label) {
  if (busy || at >= items.length) return;
  if (selected < 0) { if (!label) return; add(); }
  const o = objects[selected], points = [...o.points, { x, y, label }];
  busy = true;
  say("");
  try {
    const got = await ask(`/${encodeURIComponent(items[at])}/click`, { points, object: o.id, ...(o.mask && { mask: o.mask }) });
    o.history.push({ rings: o.rings, mask: o.mask, points: o.points, iou: o.iou });
    Object.assign(o, { rings: got.rings, mask: got.mask, points, iou: got.iou, accept: true });
  } catch (e) { say(e.message); }
  busy = false;
  document.body.dataset.clicks = 1 + Number(document.body.dataset.clicks || 0);
  draw();
}

function undo() {
  const o = objects[selected];
  if (o?.history.length) { Object.assign(o, o.history.pop()); draw(); }
}

// save keeps what is not crossed out, and shows the next picture once that is written.
async function save() {
  if (busy || at >= items.length) return;
  busy = true;
  say("");
  try {
    const judged = objects.filter((o) => o.id || o.mask).map((o) => ({ id: o.id, accept: o.accept, ...(o.mask && { mask: o.mask, points: o.points }) }));
    await ask("/" + encodeURIComponent(items[at]), { objects: judged });
    at++;
    busy = false;
    await show();
  } catch (e) { say(e.message); }
  busy = false;
}

function move(dx, dy) {
  cross.shown = true;
  cross.x = Math.min(1, Math.max(0, cross.x + dx));
  cross.y = Math.min(1, Math.max(0, cross.y + dy));
  draw();
}

const keys = {
  Enter: save, x: () => { if (objects[selected]) { objects[selected].accept = !objects[selected].accept; draw(); } },
  n: add, u: undo, s: () => { at++; show(); }, b: () => { at = Math.max(0, at - 1); show(); },
  " ": () => click(cross.x, cross.y, 1), "-": () => click(cross.x, cross.y, 0),
};

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const step = e.shiftKey ? 0.005 : 0.025;
  const arrow = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[e.key];
  if (e.key === "Tab" && objects.length > 1) {
    selected = (selected + (e.shiftKey ? objects.length - 1 : 1)) % objects.length;
    draw();
  } else if (arrow && image) move(...arrow);
  else if (keys[e.key]) keys[e.key]();
  else return;
  e.preventDefault();
});

function pointed(e) {
  const r = canvas.getBoundingClientRect();
  return [(e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height];
}
canvas.addEventListener("click", (e) => click(...pointed(e), e.altKey ? 0 : 1));
canvas.addEventListener("contextmenu", (e) => { e.preventDefault(); click(...pointed(e), 0); });

try {
  const got = await ask(location.search.includes("all") ? "?all" : "");
  items = got.items;
  document.body.dataset.ready = items.length;
  show();
} catch (e) { say(e.message); }
