// The player: one WHEP session at a time (draft-ietf-wish-whep), reconnecting for as long as the page is open, and the
// data channel beside the video.
//
// Where video finds no way it shows pictures over HTTP instead (stills.js).
//
// Its state is "connecting", "connected" (there is a path, and no picture yet), "live", "frozen" (live, and nothing comes
// any more), "reconnecting", "stills" for pictures over HTTP, "waiting" for a tap, or "resting" while nobody looks.
//
// Events: "link" {state, text, delay}, "frame" (the first picture of a session), "leaving" (its last), "message" (from
// the data channel), "silent" (the channel is gone).

import { Stills } from "./stills.js";

const delays = [400, 800, 1600, 3200, 6400]; // ms before attempt n, the last again and again
const pathTime = 8000; // ms until a path or a picture that should be there is given up
const stillTime = 1250; // ms without a picture or a word until what is on the screen is called frozen
const byeTime = 3000; // ms that the agent has to hear of the end of a session
const deadTime = 5000; // ms without a word until the session is given up

// NoPath is that there is no way for video to this browser: trying again at once would not help.
class NoPath extends Error {}

export class Player extends EventTarget {
  viewer = "";
  camera = "";
  state = "connecting";
  #overlay = "agent"; // who draws the masks
  #video; #pc = null; #channel = null; #resource = ""; #abort = new AbortController(); #tries = 0; #timer = 0; #hidden = 0;
  #word = 0; #picture = 0; // when the agent was last heard, and its newest picture seen
  #still = null; #connected = false;
  #fps = 0; // of the camera, 0 while it does not run

  constructor(video) {
    super();
    this.#video = video;
    addEventListener("pagehide", () => this.#end(true));
    addEventListener("pageshow", (e) => e.persisted && this.#attempt());
    addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => this.#looked());
    setInterval(() => this.#pulse(), 200);
  }

  // open leaves the camera before, of which nothing stays on the screen, and plays this one.
  open(camera) {
    if (this.camera !== camera) {
      this.state = "connecting";
      this.#end();
      this.#video.srcObject = null;
      this.#fps = 0;
    }
    this.camera = camera;
    this.#tries = 0;
    this.#attempt();
  }

  // close leaves the camera and plays none.
  close() {
    this.state = "resting";
    this.#end();
    this.#video.srcObject = null;
    this.camera = "";
    this.#say("resting", "");
  }

  // draw has the agent paint the masks into the video, or leave that to the client: another video.
  draw(by) {
    if (by === this.#overlay) return;
    this.#overlay = by;
    if (this.camera) this.open(this.camera);
  }

  // retry ends a wait, or the pictures instead of video; it does nothing while there is a session.
  retry() {
    if (this.#timer || this.#still) this.#attempt();
  }

  // playing is whether what is on the screen is of now.
  get playing() { return this.state === "live" || this.state === "stills"; }

  // frame is the sequence of the picture on the screen, where that is known; the pictures of a video have RTP times.
  get frame() { return this.#still?.frame; }

  // looked stops a stream that nobody has looked at for a minute, and starts it when somebody does again.
  #looked() {
    this.#picture = performance.now(); // a hidden page is shown no pictures
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => { this.#end(); this.#say("resting", "resting"); }, 60000);
    else if (this.state === "resting") this.#attempt();
    else this.retry();
  }

  // running takes the camera's frames a second, 0 while it does not run: whether a picture may be expected.
  running(fps) { this.#fps = fps; }

  // seen notes that a picture has reached the screen.
  seen() { this.#picture = performance.now(); this.#pulse(); }

  // pulse tells a picture that moves from one that only looks alive.
  #pulse() {
    if (this.state !== "live" && this.state !== "frozen") return;
    const now = performance.now(), silence = now - Math.max(this.#word, this.#picture);
    const due = !document.hidden && this.#fps > 0 && now - this.#picture > Math.max(stillTime, 3000 / this.#fps);
    if (silence > deadTime) this.#lost("nothing is heard from the agent any more");
    else if (due || silence > stillTime) this.state !== "frozen" && this.#say("frozen", "no new picture comes");
    else if (this.state === "frozen") this.#say("live", "live");
  }

  get talking() { return this.#channel?.readyState === "open"; }

  send(message) { this.#channel.send(JSON.stringify(message)); }

  stats() { return this.#pc ? this.#pc.getStats() : Promise.resolve(new Map()); }

  #say(state, text, delay = 0) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("link", { detail: { state, text, delay } }));
  }

  async #attempt() {
    this.#end();
    if (!this.camera) return;
    const abort = this.#abort = new AbortController();
    this.#say(this.#tries ? "reconnecting" : "connecting", this.#tries ? "reconnecting…" : "connecting…");
    try {
      await this.#connect(abort.signal);
    } catch (e) {
      if (!abort.signal.aborted) e instanceof NoPath ? this.#fallBack(e.message) : this.#lost(e.message);
    }
  }

  async #connect(signal) {
    if (!globalThis.RTCPeerConnection) throw new NoPath("this browser has no WebRTC, or it is switched off");
    const iceServers = await servers(this.#endpoint, signal);
    if (signal.aborted) return;
    const pc = this.#pc = new RTCPeerConnection({ iceServers });
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.addEventListener("track", (e) => this.#show(e.track, e.receiver));
    pc.addEventListener("connectionstatechange", () => this.#watch(pc));
    this.#listen(pc);
    await pc.setLocalDescription();
    await gathered(pc, iceServers.length ? 3000 : 300);
    const answer = await this.#post(pc.localDescription.sdp, signal);
    if (!answer) return;
    if (signal.aborted) return this.#end();
    await pc.setRemoteDescription({ type: "answer", sdp: answer }).catch(() => { throw new Error("this browser cannot use the agent's answer"); });
    await this.#firstFrame(pc, signal);
    this.#tries = 0;
    this.#word = this.#picture = performance.now();
    this.#say("live", "live");
  }

  // endpoint is relative: a proxy may serve the page below a path.
  get #endpoint() { return `whep/${encodeURIComponent(this.camera)}`; }

  // post sends the offer and gives the answer; nothing where the page is loaded again instead.
  async #post(offer, signal) {
    const answer = await fetch(`${this.#endpoint}?objects=delta${this.#overlay === "client" ? "&overlay=client" : ""}`, {
      method: "POST", headers: { "Content-Type": "application/sdp" }, body: offer,
      signal: AbortSignal.any([signal, AbortSignal.timeout(pathTime)]),
    }).catch((e) => { throw new Error(e.name === "TimeoutError" ? "the agent does not answer" : "the agent cannot be reached"); });
    if (answer.status === 401) { location.reload(); return ""; } // the token has changed: the page asks for it
    const body = await answer.text();
    if (!answer.ok) throw new Error(sentence(body) || `the agent answers ${answer.status}`);
    this.viewer = answer.headers.get("Location").split("/").pop(); // what is before it may be another path to a proxy than to us
    this.#resource = `${this.#endpoint}/${this.viewer}`;
    return body;
  }

  #listen(pc) {
    const channel = this.#channel = pc.createDataChannel("segedge");
    channel.addEventListener("message", (e) => {
      if (pc !== this.#pc) return;
      const message = JSON.parse(e.data);
      this.#word = performance.now();
      if (message.type === "hello") this.viewer = message.viewer;
      this.dispatchEvent(new CustomEvent("message", { detail: message }));
    });
    channel.addEventListener("close", () => pc === this.#pc && this.#ended("the connection ended"));
  }

  #show(track, receiver) {
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0; // as live as the network allows
    this.#video.srcObject = new MediaStream([track]);
    this.#video.play().catch((e) => e.name === "NotAllowedError" && this.#beg());
  }

  // beg asks for the tap without which some phones play nothing, to save power.
  #beg() {
    this.#say("waiting", "tap to start");
    addEventListener("pointerup", () => this.#video.play().catch(() => {}), { once: true });
  }

  // firstFrame waits for the picture to move: for a path as long as one takes, and for the picture as long as the camera
  // has one to give. A camera that is down says so itself, over the data channel.
  #firstFrame(pc, signal) {
    const video = this.#video, step = 250;
    let waited = 0, was = "";
    return new Promise((done, fail) => {
      const end = (then) => { clearInterval(clock); then(); };
      const clock = setInterval(() => {
        const connected = pc.connectionState === "connected";
        if (connected && this.state !== "waiting" && this.state !== "connected") this.#say("connected", "connected");
        if (was !== pc.connectionState) [was, waited] = [pc.connectionState, 0];
        if (this.state !== "waiting" && (!connected || this.#fps > 0)) waited += step;
        if (waited > pathTime) end(() => fail(connected ? new Error("connected, but the agent sends no picture") : new NoPath("no path to the agent's video: is UDP to it blocked?")));
      }, step);
      signal.addEventListener("abort", () => end(() => fail(new Error("left"))), { once: true });
      const seen = () => {
        if (video.paused) return video.addEventListener("playing", seen, { once: true }); // it waits for a tap
        end(() => { this.dispatchEvent(new Event("frame")); done(); });
      };
      if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(seen);
      else video.addEventListener("loadeddata", seen, { once: true });
    });
  }

  #watch(pc) {
    if (pc !== this.#pc) return;
    const state = pc.connectionState;
    if (state === "connected") this.#connected = true;
    if (state === "failed" && !this.#connected) return this.#fallBack("no path to the agent's video: is UDP to it blocked?");
    if (state === "closed") return this.#ended("the connection ended");
    if (state === "failed") this.#lost("the connection was lost");
    if (state === "disconnected") setTimeout(() => {
      if (pc === this.#pc && pc.connectionState === "disconnected") this.#lost("the connection was lost");
    }, 2500);
  }

  // fallBack shows pictures over HTTP, until a person asks for video again or they fail as well.
  #fallBack(reason) {
    this.#end();
    this.#say("reconnecting", reason);
    const still = this.#still = new Stills();
    still.start(this.#video, this.camera, () => {
      if (this.#still !== still || this.state === "stills") return;
      this.dispatchEvent(new Event("frame"));
      this.#say("stills", reason);
    }, (why) => this.#still === still && this.#lost(why));
  }

  // ended is a session that the agent has ended: there is none left to end.
  #ended(reason) {
    this.#resource = "";
    this.#lost(reason);
  }

  #lost(reason) {
    this.#end();
    const delay = delays[Math.min(this.#tries++, delays.length - 1)] * (0.8 + 0.4 * Math.random());
    this.#say("reconnecting", reason, delay);
    this.#timer = setTimeout(() => this.#attempt(), delay);
  }

  #end(now = false) {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#abort.abort();
    this.#still?.stop();
    this.#still = null;
    this.#connected = false;
    if (this.state === "live" || this.state === "frozen") this.dispatchEvent(new Event("leaving")); // the last picture can still be had
    const pc = this.#pc, resource = this.#resource;
    this.#pc = this.#channel = null;
    this.#resource = this.viewer = "";
    if (!pc) return;
    this.dispatchEvent(new Event("silent"));
    hangUp(pc, resource, now);
  }
}

// hangUp tells the agent first and closes the connection then: closed first, it has the agent end the session by itself, and then there
// is none to end. A page that goes closes at once, and can come back as it was.
function hangUp(pc, resource, now) {
  for (const r of pc.getReceivers()) r.track.stop(); // it shows nothing more meanwhile
  const told = resource && fetch(resource, { method: "DELETE", keepalive: true, signal: AbortSignal.timeout(byeTime) }).catch(() => {});
  if (!told || now) return pc.close();
  told.finally(() => pc.close());
}

// gathered waits for the local candidates, briefly: the agent also finds a peer that reaches it first, unless a relay is the only way.
function gathered(pc, most) {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((done) => {
    setTimeout(done, most);
    pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && done());
  });
}

// servers are the STUN and TURN servers that the agent names in its Link header (draft-ietf-wish-whep); none where it cannot be
// asked: the offer will tell.
async function servers(endpoint, signal) {
  const answer = await fetch(endpoint, { method: "OPTIONS", signal: AbortSignal.any([signal, AbortSignal.timeout(pathTime)]) }).catch(() => null);
  const found = [];
  for (const [, urls, rest] of (answer?.headers.get("Link") ?? "").matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+=(?:"(?:[^"\\]|\\.)*"|[^",;]*))*)/g)) {
    const value = (key) => rest.match(new RegExp(`;\\s*${key}="((?:[^"\\\\]|\\\\.)*)"`))?.[1].replace(/\\(.)/g, "$1");
    if (value("rel") !== "ice-server") continue;
    found.push(value("username") ? { urls, username: value("username"), credential: value("credential") } : { urls });
  }
  return found;
}

// sentence is the message in an error answer, JSON or plain.
function sentence(body) {
  try {
    return JSON.parse(body).error.message;
  } catch {
    return body.trim().slice(0, 200);
  }
}
