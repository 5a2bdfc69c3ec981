"""A person who points at things, for the walk of docs/data.md: is a camera (MJPEG over HTTP) that shows annotated pictures one after another, clicks on
what is in them through the agent's HTTP door, corrects what is wrong, confirms what is right and rejects the rest. It knows the truth as an annotator
does, and clicks where `evaluate.py` does."""
import argparse
import io
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
from PIL import Image

from data import decode_counts, read, split
from evaluate import centre, iou


def wanted(path, a):
    """A label map with the segments that this person cares for: by their share of the picture, the largest few."""
    label = np.asarray(Image.open(path))
    ids, area = np.unique(label[label > 0], return_counts=True)
    keep = [(n, i) for i, n in zip(ids, area) if a.smallest <= n / label.size <= a.largest]
    out = np.zeros_like(label)
    for k, (_, i) in enumerate(sorted(keep, reverse=True)[: a.objects]):
        out[label == i] = k + 1
    return out


def held(a):
    """Writes the held-out tenth with what this person cares for, as label maps for `segedge eval clicks`."""
    for sub in ("images", "labels"):
        os.makedirs(os.path.join(a.out, sub), exist_ok=True)
    items = split(read(a.data))[1]
    for item in items:
        name = os.path.splitext(os.path.basename(item.image))[0]
        shutil.copy(item.image, os.path.join(a.out, "images", name + ".jpg"))
        Image.fromarray(wanted(item.maps[a.map], a)).save(os.path.join(a.out, "labels", name + ".png"))
    print(f"{len(items)} pictures held out, in {a.out}")


class Camera(ThreadingHTTPServer):
    """Sends the picture that it is given twice a second, until another one comes."""

    daemon_threads = True

    def __init__(self, port, size):
        super().__init__(("127.0.0.1", port), Stream)
        self.size, self.jpeg = size, b""
        self.show(Image.new("RGB", size))
        Thread(target=self.serve_forever, daemon=True).start()

    def show(self, picture):
        canvas, out = Image.new("RGB", self.size), io.BytesIO()
        canvas.paste(picture)
        canvas.save(out, "jpeg", quality=95)
        self.jpeg = out.getvalue()
        return np.asarray(canvas)


class Stream(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        try:
            while True:
                jpeg = self.server.jpeg
                self.wfile.write(b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg))
                time.sleep(0.5)
        except OSError:
            pass  # the agent has gone

    def log_message(self, *_):
        pass


class Agent:
    """A camera of an agent, over HTTP."""

    def __init__(self, url, token, camera):
        self.base, self.token = f"{url.rstrip('/')}/api/v1/cameras/{camera}/", token

    def ask(self, what, body=None):
        """The answer's bytes, or None where the agent refuses or is not there: the person sees it and goes on."""
        head = {"Content-Type": "application/json"} | ({"Authorization": "Bearer " + self.token} if self.token else {})
        request = urllib.request.Request(self.base + what, None if body is None else json.dumps(body).encode(), head)
        try:
            with urllib.request.urlopen(request, timeout=60) as r:
                return r.read()
        except urllib.error.HTTPError as e:
            e.read()
        except urllib.error.URLError:
            pass
        return None

    def do(self, verb, **body):
        answer = self.ask(verb, body)
        return json.loads(answer)["result"] if answer and verb == "prompt" else answer

    def sees(self, picture, patience=60):
        """Waits until the agent shows the picture."""
        end = time.time() + patience
        while time.time() < end:
            jpeg = self.ask("snapshot.jpg?overlay=0")
            shown = jpeg and np.asarray(Image.open(io.BytesIO(jpeg)))
            if jpeg and shown.shape == picture.shape and np.abs(shown.astype(int) - picture).mean() < 8:
                return True
            time.sleep(0.2)
        return False


def mask_of(result, shape):
    m = result["document"].get("mask")
    if not m:
        return np.zeros(shape, bool)
    h, w = m["size"]
    counts = decode_counts(m["counts"])
    return np.repeat(np.arange(len(counts)) % 2, counts).astype(bool).reshape(w, h).T


def point_at(agent, truth, a):
    """Clicks on one object until its mask is good, at most so many times: (clicks, IoU of the first and the last, what was said)."""
    at, label, name, scores = centre(truth), 1, "", []
    h, w = truth.shape
    while len(scores) < a.clicks:
        body = {"points": [{"x": (at[0] + 0.5) / w, "y": (at[1] + 0.5) / h, "label": label}], "name": a.name, "multimask": False}
        result = agent.do("prompt", **body, **({"object": name} if name else {}))
        if result is None:
            break
        name, got = result["object"], mask_of(result, truth.shape)
        scores.append(iou(got, truth))
        if scores[-1] >= a.good:
            break
        missed, extra = centre(truth & ~got), centre(got & ~truth)
        label = int(extra is None or (missed is not None and missed[2] >= extra[2]))
        at = missed if label else extra
    if not scores:
        return 0, 0.0, 0.0, ""
    verdict = "confirm" if scores[-1] >= a.enough else "reject"
    return len(scores), scores[0], scores[-1], verdict if agent.do(verdict, object=name) else ""


def click(a):
    """Shows the pictures that are not held out, and points at what is in them."""
    items = split(read(a.data))[0]
    items = [items[round(t)] for t in np.linspace(0, len(items) - 1, min(a.pictures, len(items)))]
    pictures = [(Image.open(i.image).convert("RGB"), wanted(i.maps[a.map], a)) for i in items]
    size = tuple(max(p.size[k] for p, _ in pictures) for k in (0, 1))
    camera, agent, done, began = Camera(a.port, size), Agent(a.agent, a.token, a.camera), [], time.time()
    for picture, label in pictures:
        if time.time() - began > 60 * a.minutes:
            break
        if not agent.sees(camera.show(picture)):
            print("the agent does not show the picture", flush=True)
            continue
        canvas = np.zeros(size[::-1], label.dtype)
        canvas[: label.shape[0], : label.shape[1]] = label
        for i in range(1, label.max() + 1):
            done.append(point_at(agent, canvas == i, a))
        agent.do("clear")
    kept = [d for d in done if d[3] == "confirm"]
    mean = lambda values: sum(values) / max(1, len(values))
    print(
        f"{len(done)} objects, {sum(d[0] for d in done)} clicks; IoU {mean([d[1] for d in done]):.3f} at the first, {mean([d[2] for d in done]):.3f} at the last; "
        f"{len(kept)} confirmed (IoU {mean([d[2] for d in kept]):.3f}), {sum(d[3] == 'reject' for d in done)} rejected"
    )


def main():
    p = argparse.ArgumentParser(description=__doc__)
    sub = p.add_subparsers(dest="do", required=True)
    h, c = sub.add_parser("held", help=held.__doc__), sub.add_parser("click", help=click.__doc__)
    h.add_argument("--out", required=True)
    c.add_argument("--port", type=int, default=8090, help="of the camera: http://127.0.0.1:PORT/")
    c.add_argument("--agent", default="http://127.0.0.1:8080")
    c.add_argument("--token", default="")
    c.add_argument("--camera", default="camera")
    c.add_argument("--name", default="thing", help="what the objects are called")
    c.add_argument("--pictures", type=int, default=100, help="at most, evenly over the set")
    c.add_argument("--minutes", type=float, default=60, help="at most")
    c.add_argument("--clicks", type=int, default=5, help="at most, on an object")
    c.add_argument("--good", type=float, default=0.9, help="IoU with the truth that needs no further click")
    c.add_argument("--enough", type=float, default=0.75, help="IoU that is confirmed; what is worse is rejected")
    for s in (h, c):
        s.add_argument("--data", required=True, help=read.__doc__)
        s.add_argument("--map", type=int, default=0, help="which of a picture's label maps is the truth")
        s.add_argument("--objects", type=int, default=3, help="of a picture, the largest")
        s.add_argument("--smallest", type=float, default=0.01, help="share of the picture")
        s.add_argument("--largest", type=float, default=0.35)
    a = p.parse_args()
    held(a) if a.do == "held" else click(a)


if __name__ == "__main__":
    main()
