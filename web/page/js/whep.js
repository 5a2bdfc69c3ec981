// The player: one WHEP session at a time (draft-ietf-wish-whep), reconnecting for as long as the page is open, and the
// data channel beside the video.
//
// Events: "link" {state, text, delay}, "frame" (the first picture of a session), "leaving" (its last), "message" (from
// the data channel), "silent" (the channel is gone).

const delays = [400, 800, 1600, 3200, 6400]; // ms before attempt n, the last again and again

export class Player extends EventTarget {
  viewer = "";
  camera = "";
  state = "connecting";
  #video; #pc = null; #channel = null; #resource = ""; #abort = new AbortController(); #tries = 0; #timer = 0; #hidden = 0;

  constructor(video) {
    super();
    this.#video = video;
    addEventListener("pagehide", () => this.#end());
    addEventListener("pageshow", (e) => e.persisted && this.#attempt());
    addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => this.#seen());
  }

  // open leaves the camera before and plays this one.
  open(camera) {
    this.camera = camera;
    this.#tries = 0;
    this.#attempt();
  }

  // retry ends a wait; it does nothing while there is a session.
  retry() {
    if (this.#timer) this.#attempt();
  }

  // seen stops a stream that nobody has looked at for a minute, and starts it when somebody does again.
  #seen() {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => { this.#end(); this.#say("resting", "resting"); }, 60000);
    else if (this.state === "resting") this.#attempt();
    else this.retry();
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
    const abort = this.#abort = new AbortController();
    this.#say(this.#tries ? "reconnecting" : "connecting", this.#tries ? "reconnecting…" : "connecting…");
    try {
      await this.#connect(abort.signal);
    } catch (e) {
      if (!abort.signal.aborted) this.#lost(e.message);
    }
  }

  async #connect(signal) {
    const pc = this.#pc = new RTCPeerConnection();
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.addEventListener("track", (e) => this.#show(e.track, e.receiver));
    pc.addEventListener("connectionstatechange", () => this.#watch(pc));
    this.#listen(pc);
    await pc.setLocalDescription();
    await gathered(pc);
    const answer = await fetch(`/whep/${encodeURIComponent(this.camera)}`, {
      method: "POST", headers: { "Content-Type": "application/sdp" }, body: pc.localDescription.sdp,
      signal: AbortSignal.any([signal, AbortSignal.timeout(8000)]),
    });
    if (answer.status === 401) return location.reload(); // the token has changed: the page asks for it
    const body = await answer.text();
    if (!answer.ok) throw new Error(sentence(body) || `the agent answers ${answer.status}`);
    this.#resource = new URL(answer.headers.get("Location"), location.href).pathname;
    this.viewer = decodeURIComponent(this.#resource.split("/").pop());
    if (signal.aborted) return this.#end();
    await pc.setRemoteDescription({ type: "answer", sdp: body });
    await this.#firstFrame(signal);
    this.#tries = 0;
    this.#say("live", "live");
  }

  #listen(pc) {
    const channel = this.#channel = pc.createDataChannel("segedge");
    channel.addEventListener("message", (e) => {
      const message = JSON.parse(e.data);
      if (message.type === "hello") this.viewer = message.viewer;
      this.dispatchEvent(new CustomEvent("message", { detail: message }));
    });
    channel.addEventListener("close", () => {
      this.dispatchEvent(new Event("silent"));
      if (pc === this.#pc) this.#lost("the connection ended");
    });
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

  // firstFrame waits for the picture to move: a session without one is no session.
  #firstFrame(signal) {
    const video = this.#video;
    return new Promise((done, fail) => {
      const end = (then) => { clearInterval(late); then(); };
      const late = setInterval(() => {
        if (this.state !== "waiting") end(() => fail(new Error("connected, but no picture arrives: is UDP to the agent blocked?")));
      }, 8000);
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
    if (state === "failed" || state === "closed") this.#lost("the connection was lost");
    if (state === "disconnected") setTimeout(() => {
      if (pc === this.#pc && pc.connectionState === "disconnected") this.#lost("the connection was lost");
    }, 2500);
  }

  #lost(reason) {
    this.#end();
    const delay = delays[Math.min(this.#tries++, delays.length - 1)] * (0.8 + 0.4 * Math.random());
    this.#say("reconnecting", reason, delay);
    this.#timer = setTimeout(() => this.#attempt(), delay);
  }

  #end() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#abort.abort();
    if (this.state === "live") this.dispatchEvent(new Event("leaving")); // the last picture can still be had
    const pc = this.#pc;
    this.#pc = this.#channel = null;
    pc?.close();
    if (this.#resource) fetch(this.#resource, { method: "DELETE", keepalive: true }).catch(() => {});
    this.#resource = this.viewer = "";
  }
}

// gathered waits for the local candidates, briefly: the agent also finds a peer that reaches it first.
function gathered(pc) {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((done) => {
    setTimeout(done, 300);
    pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && done());
  });
}

// sentence is the message in an error answer, JSON or plain.
function sentence(body) {
  try {
    return JSON.parse(body).error.message;
  } catch {
    return body.trim().slice(0, 200);
  }
}
