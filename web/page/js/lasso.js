// What is drawn round a thing, as a prompt: the inside as a mask, and a click in the deepest place of it. With a click the model is asked what
// is there; a mask alone would be taken at its word, and what a hand draws is loose.

const width = 320; // of the mask, cells

// lasso turns a path, [{x, y}] in 0..1 of a picture of that shape, into a prompt; null where it goes round nothing. The box is for models
// that take no masks.
export function lasso(path, ratio) {
  const w = width, h = Math.max(1, Math.round(width * ratio)), full = inside(path, w, h);
  const deep = depths(full, w, h), at = deep.reduce((best, d, i) => d > deep[best] ? i : best, 0);
  if (deep[at] < 2) return null;
  const xs = path.map((p) => p.x), ys = path.map((p) => p.y), round = (v) => Math.round(v * 1e5) / 1e5;
  return {
    points: [{ x: round((at % w + 0.5) / w), y: round((Math.floor(at / w) + 0.5) / h), label: 1 }],
    mask: { size: [h, w], counts: counts(runs(full, w, h)) },
    box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)].map(round),
  };
}

// inside has 1 for each cell in a path, row by row.
function inside(path, w, h) {
  const c = Object.assign(document.createElement("canvas"), { width: w, height: h }).getContext("2d", { willReadFrequently: true });
  c.beginPath();
  for (const [i, p] of path.entries()) c[i ? "lineTo" : "moveTo"](p.x * w, p.y * h);
  c.fill("nonzero"); // a hand that crosses its own line means no hole
  const { data } = c.getImageData(0, 0, w, h);
  return Uint8Array.from({ length: w * h }, (_, i) => data[4 * i + 3] > 127 ? 1 : 0);
}

// depths are how many cells each is from the nearest outside, in steps to the eight neighbours (Rosenfeld and Pfaltz 1968).
function depths(full, w, h) {
  const d = Uint16Array.from(full, (v) => v && 65535);
  const least = (i, x, y, dx, dy) => Math.min(d[i], x + dx < 0 || x + dx >= w || y + dy < 0 || y + dy >= h ? 1 : d[i + dy * w + dx] + 1);
  const pass = (i, side) => {
    const x = i % w, y = Math.floor(i / w);
    if (d[i]) for (const [dx, dy] of [[-1, 0], [-1, -1], [0, -1], [1, -1]]) d[i] = least(i, x, y, side * dx, side * dy);
  };
  for (let i = 0; i < d.length; i++) pass(i, 1);
  for (let i = d.length - 1; i >= 0; i--) pass(i, -1);
  return d;
}

// runs are the lengths of the runs of empty and full cells in turn, column by column, the first of empty ones (COCO's RLE).
function runs(full, w, h) {
  const out = [];
  let was = 0, n = 0;
  for (let x = 0; x < w; x++) for (let y = 0; y < h; y++) {
    if (full[y * w + x] !== was) { out.push(n); n = 0; was = 1 - was; }
    n++;
  }
  out.push(n);
  return out;
}

// counts writes runs as COCO's text: differences to the run two before, in groups of five bits.
function counts(lengths) {
  let out = "";
  lengths.forEach((n, i) => {
    let v = i > 2 ? n - lengths[i - 2] : n;
    for (let more = true; more;) {
      let bits = v & 31;
      v >>= 5;
      more = bits & 16 ? v !== -1 : v !== 0;
      if (more) bits |= 32;
      out += String.fromCharCode(bits + 48);
    }
  });
  return out;
}
