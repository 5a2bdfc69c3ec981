// A small plot: the last values as a line from 0 up to the largest; null is a gap. And the values that it shows.

const [w, h] = [100, 20];
const ns = "http://www.w3.org/2000/svg";

// Series are the last values of something, no more than most.
export class Series {
  values = [];

  constructor(most) { this.most = most; }

  push(v) {
    this.values.push(v);
    if (this.values.length > this.most) this.values.shift();
  }
}

// plot makes an empty one; a label makes it something to read.
export function plot(label = "") {
  const svg = document.createElementNS(ns, "svg"), line = document.createElementNS(ns, "path");
  svg.setAttribute("class", "plot");
  svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
  svg.setAttribute("preserveAspectRatio", "none");
  for (const [k, v] of label ? [["role", "img"], ["aria-label", label]] : [["aria-hidden", "true"]]) svg.setAttribute(k, v);
  svg.append(line);
  return svg;
}

// draw shows a series, the newest value at the right end.
export function draw(svg, { values, most }) {
  const top = Math.max(...values.map((v) => v ?? 0), 1e-9), x0 = most - values.length;
  let d = "", pen = "M";
  values.forEach((v, i) => {
    if (v === null) { pen = "M"; return; }
    d += `${pen}${((x0 + i) / (most - 1) * w).toFixed(1)} ${(h - 1 - v / top * (h - 2)).toFixed(1)}`;
    pen = "L";
  });
  svg.firstChild.setAttribute("d", d);
}
