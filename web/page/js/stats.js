// The strip of figures, and the table behind it.

import { $, el, text } from "./dom.js";
import { Series, draw, plot } from "./plot.js";

const minutes = 2; // of the plots

export class Stats {
  #player; #picture; #before = null; #net = {}; #state = null; #info = null; #plots = new Map();

  constructor(player, picture) {
    this.#player = player;
    this.#picture = picture;
    $("stats").addEventListener("click", () => this.toggle());
    setInterval(() => this.#tick(), 1000);
  }

  toggle() {
    const open = $("details").hidden;
    $("details").hidden = !open;
    $("stats").setAttribute("aria-expanded", String(open));
    this.#render();
  }

  state(s) { this.#state = s; this.#render(); }

  // forget drops what the camera before said.
  forget() {
    this.#state = null;
    this.#plots.clear();
  }

  // note adds a second to the plots, each of which has its own height.
  #note() {
    if (!this.#state) return;
    this.#plot("keyframe age", this.#state.keyframe_age);
    for (const [name, l] of Object.entries(this.#state.stages ?? {})) this.#plot(name, l.p50_ms);
  }

  #plot(name, value) {
    if (!this.#plots.has(name)) this.#plots.set(name, { svg: plot(`${name.replaceAll("_", " ")} over the last ${minutes} minutes`), series: new Series(minutes * 60) });
    this.#plots.get(name).series.push(value);
  }

  // drawn is the plot of something, brought up to date.
  #drawn(name) {
    const p = this.#plots.get(name);
    if (!p) return [];
    draw(p.svg, p.series);
    return [p.svg];
  }
  info(i) { this.#info = i; this.#render(); }

  async #tick() {
    const report = await this.#player.stats();
    let video = null, pair = null;
    report.forEach((r) => {
      if (r.type === "inbound-rtp" && r.kind === "video") video = r;
      if (r.type === "candidate-pair" && r.nominated && r.state === "succeeded") pair = r;
    });
    this.#net = video ? measure(this.#before, video, pair) : {};
    this.#before = video;
    this.#note();
    this.#render();
  }

  // latency is capture to screen: what the agent measures up to its encoder, half a round trip, and the player's
  // buffer and decoder. Each clock measures its own part, so none needs to agree with another.
  #latency() {
    const { rtt, buffer, decode } = this.#net;
    if (buffer === undefined) return null;
    const agent = this.#state?.stages?.capture_to_encoded?.p50_ms;
    return { total: (agent ?? 0) + (rtt ?? 0) / 2 + buffer + decode, whole: agent !== undefined };
  }

  #render() {
    const s = this.#state, i = this.#info, latency = this.#latency();
    const live = this.#player.state === "live";
    text($("stat-fps"), live ? String(Math.round(this.#picture.fps())) : "–");
    text($("stat-latency"), live && latency ? `${latency.whole ? "" : "≥ "}${Math.round(latency.total)}` : "–");
    text($("stat-keyframe"), s ? `${s.keyframe_age} f` : "–");
    text($("stat-model"), i?.model || i?.family || "–");
    text($("stat-provider"), i?.provider || "model");
    if (!$("details").hidden) $("details").replaceChildren(...this.#details());
  }

  #details() {
    const s = this.#state ?? {}, i = this.#info ?? {}, n = this.#net;
    const ms = (v) => v === undefined ? "–" : `${v.toFixed(v < 10 ? 1 : 0)} ms`;
    const facts = [
      ["Picture", s.width ? `${s.width} × ${s.height}, ${(s.fps ?? 0).toFixed(1)} fps` : "–"],
      ["Frames", s.captured === undefined ? "–" : `${s.captured} captured, ${s.dropped} dropped`],
      ["Keyframes", s.keyframes === undefined ? "–" : `${s.keyframes}, the newest ${s.keyframe_age} frames ago`, "keyframe age"],
      ["Viewers", String(s.viewers ?? "–")],
      ["Network", n.rate === undefined ? "–" : `${(n.rate / 1e6).toFixed(1)} Mbit/s, ${ms(n.rtt)} round trip, ${n.lost} lost`],
      ["Player", n.buffer === undefined ? "–" : `${ms(n.buffer)} buffer, ${ms(n.decode)} decode`],
      ["Model", [i.model, i.family].filter(Boolean).join(", ") || "–"],
      ["Provider", [i.provider, i.provider_why].filter(Boolean).join(": ") || "–"],
    ];
    const stages = Object.entries(s.stages ?? {});
    return [
      el("dl", {}, ...facts.flatMap(([k, v, plotted]) => [el("dt", {}, k), el("dd", {}, v, ...this.#drawn(plotted))])),
      ...(stages.length ? [el("table", {},
        el("thead", {}, el("tr", {}, ...["stage", "p50", "p95", "p99", `last ${minutes} min`].map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, ...stages.map(([name, l]) => el("tr", {}, el("th", { scope: "row" }, name.replaceAll("_", " ")), ...[l.p50_ms, l.p95_ms, l.p99_ms].map((v) => el("td", {}, ms(v))), el("td", {}, ...this.#drawn(name))))))] : []),
    ];
  }
}

// measure is the last second of a stream, from two reports (W3C webrtc-stats).
function measure(before, now, pair) {
  const d = (key) => (now[key] ?? 0) - (before?.id === now.id ? before[key] ?? 0 : 0);
  const seconds = before?.id === now.id ? (now.timestamp - before.timestamp) / 1000 : 1;
  const frames = d("framesDecoded"), out = d("jitterBufferEmittedCount");
  return {
    rate: d("bytesReceived") * 8 / seconds, lost: now.packetsLost ?? 0,
    rtt: pair?.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1000,
    buffer: out > 0 ? d("jitterBufferDelay") / out * 1000 : undefined,
    decode: frames > 0 ? d("totalDecodeTime") / frames * 1000 : 0,
  };
}
