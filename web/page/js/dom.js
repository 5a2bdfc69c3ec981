// A few lines instead of a framework.

export const $ = (id) => document.getElementById(id);

// el makes an element: properties, then children. Text stays text.
export function el(tag, props = {}, ...children) {
  const e = Object.assign(document.createElement(tag), props);
  for (const [k, v] of Object.entries(props)) if (k.includes("-") || k === "role") e.setAttribute(k, v);
  e.append(...children);
  return e;
}

// icon is a stroked path on a 24×24 grid.
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const p = document.createElementNS("http://www.w3.org/2000/svg", "path");
  p.setAttribute("d", path);
  svg.append(p);
  return svg;
}

// explainFit says what a "fit" is, predicted IoU, where one is shown: in its tooltip, and to who cannot see that. The sentence stands in the help.
export function explainFit(shown, control, more = "") {
  shown.title = $("fit-help").textContent + (more && ` ${more}`);
  control.setAttribute("aria-describedby", "fit-help");
}

// text changes an element's text only when it differs: no work for the browser, no noise for screen readers.
export function text(e, s) {
  if (e.textContent !== s) e.textContent = s;
}

// toast says something for a few seconds. kind is "error" or "info"; an action, {label, run}, becomes a button in it: such a message begins with a name, which
// stays as it was written.
export function toast(message, kind = "error", action = null) {
  const box = $("toasts");
  const same = [...box.children].find((t) => t.dataset.message === message);
  same?.remove();
  const t = el("div", { className: `toast glass ${kind}` }, action ? message : message.charAt(0).toUpperCase() + message.slice(1));
  t.dataset.message = message;
  t.addEventListener("click", () => t.remove());
  if (action) {
    const button = el("button", { type: "button" }, action.label);
    button.addEventListener("click", action.run);
    t.append(button);
  }
  box.append(t);
  while (box.children.length > 3) box.firstChild.remove();
  const stay = action ? 8000 : 5200;
  setTimeout(() => t.classList.add("leaving"), stay);
  setTimeout(() => t.remove(), stay + 400);
}
