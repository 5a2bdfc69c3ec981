// Pictures over HTTP, one after another, for where WebRTC finds no way: slower and without sound of the network, but there. They are
// drawn on a canvas whose stream the video element plays, so that all that works on the video works on them.

const pause = 150; // ms between two pictures
const widest = 1280;

export class Stills {
  frame = 0; // the sequence of the picture that is shown
  #stop = new AbortController();

  // start shows a camera's pictures until stop, and calls back after each; failed hears why there is none.
  async start(video, camera, shown, failed) {
    const { signal } = this.#stop, canvas = document.createElement("canvas"), c = canvas.getContext("2d");
    const width = Math.min(widest, Math.max(320, Math.round(video.clientWidth * (devicePixelRatio || 1))));
    while (!signal.aborted) {
      try {
        const answer = await fetch(`api/v1/cameras/${encodeURIComponent(camera)}/snapshot.jpg?width=${width}`, { signal: AbortSignal.any([signal, AbortSignal.timeout(8000)]) });
        if (!answer.ok) throw new Error(await answer.json().then((r) => r.error.message, () => `the agent answers ${answer.status}`));
        const picture = await createImageBitmap(await answer.blob());
        if (signal.aborted) return;
        if (canvas.width !== picture.width || canvas.height !== picture.height) Object.assign(canvas, { width: picture.width, height: picture.height });
        c.drawImage(picture, 0, 0);
        picture.close();
        this.frame = Number(answer.headers.get("X-Frame"));
        if (!video.srcObject?.stills) {
          video.srcObject = Object.assign(canvas.captureStream(), { stills: true });
          video.play().catch(() => {});
        }
        shown();
        await new Promise((done) => setTimeout(done, pause));
      } catch (e) {
        if (signal.aborted) return;
        failed(e instanceof TypeError || e.name === "TimeoutError" ? "the agent cannot be reached" : e.message);
        await new Promise((done) => setTimeout(done, 2000));
      }
    }
  }

  stop() { this.#stop.abort(); }
}
