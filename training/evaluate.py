"""Scores exported models by clicks and boxes, as `segedge eval clicks` does, on held-out images and on first frames of DAVIS.

The first click goes to the object's centre (the place farthest from its outline), each later one to the centre of the largest
error, missed or extra. One click is answered by the mask with the highest predicted IoU of the four, later ones and a box by
mask 0; the previous answer is fed back as logits. IoU is taken at the picture's own size.
"""
import argparse
import json
import os
import time

import numpy as np
from PIL import Image

from data import letterbox, read, split


def distance(mask):
    """Squared Euclidean distance to the nearest place outside the mask or the picture, exact, for the mask's bounding box."""
    ys, xs = np.nonzero(mask)
    y0, y1, x0, x1 = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
    m = np.pad(mask[y0:y1, x0:x1], 1)
    h, w = m.shape
    up = np.zeros((h, w), np.int32)
    for y in range(1, h):
        up[y] = np.where(m[y], up[y - 1] + 1, 0)
    for y in range(h - 2, -1, -1):
        up[y] = np.minimum(up[y], np.where(m[y], up[y + 1] + 1, 0))
    best = up * up
    for dx in range(1, w):
        if dx * dx >= best.max():
            break
        s = up * up + dx * dx
        np.minimum(best[:, dx:], s[:, :-dx], out=best[:, dx:])
        np.minimum(best[:, :-dx], s[:, dx:], out=best[:, :-dx])
    return best[1:-1, 1:-1], x0, y0


def centre(mask):
    """(x, y, squared depth) of the place farthest from the outline, or None."""
    if not mask.any():
        return None
    d, x0, y0 = distance(mask)
    i = int(d.argmax())
    return x0 + i % d.shape[1], y0 + i // d.shape[1], int(d.max())


def iou(a, b):
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


class Onnx:
    def __init__(self, encoder, decoder, threads=1):
        import onnxruntime as ort

        o = ort.SessionOptions()
        o.intra_op_num_threads = threads
        self.enc = ort.InferenceSession(encoder, o, providers=["CPUExecutionProvider"])
        self.dec = ort.InferenceSession(decoder, o, providers=["CPUExecutionProvider"])

    def embed(self, arr, side):
        x, k, size = letterbox(arr, side)
        e8, e4 = self.enc.run(["embed_8", "embed_4"], {"image": x})
        return e8, e4, k, size, arr.shape[:2]

    def decode(self, emb, points, labels, logits=None):
        e8, e4, k = emb[:3]
        mask = np.zeros((1, 1) + e4.shape[2:], np.float32) if logits is None else logits[None, None]
        pts = (np.array([points], np.float32) + 0.5) * k
        out, score = self.dec.run(["low_res_masks", "iou_predictions"], {
            "embed_8": e8, "embed_4": e4, "point_coords": pts.astype(np.float32), "point_labels": np.array([labels], np.float32),
            "mask_input": mask, "has_mask_input": np.array([[float(logits is not None)]], np.float32)})
        return out[0], score[0]

    def full(self, emb, logits):
        """Logits at H/4 -> a bool mask of the picture's size."""
        _, _, _, (nh, nw), (h, w) = emb
        im = Image.fromarray(logits)
        # The picture's part of the padded frame, straight to its own size.
        return np.asarray(im.resize((w, h), Image.BILINEAR, (0, 0, nw / 4, nh / 4))) > 0


def objects(items, per_image, smallest):
    """(item, image, mask) for up to per_image segments of each image's first map, evenly over their sizes."""
    for item in items:
        arr, maps = item.load()
        ids, area = np.unique(maps[0], return_counts=True)
        keep = [(a, i) for i, a in zip(ids, area) if i and a >= smallest * maps[0].size]
        keep = [i for _, i in sorted(keep)]
        if per_image and len(keep) > per_image:
            keep = [keep[round(t)] for t in np.linspace(0, len(keep) - 1, per_image)]
        for i in keep:
            yield item, arr, maps[0] == i


def first_frames(folder, stride=0):
    """The first frame of each of DAVIS's sequences, and with a stride every stride-th too."""
    seen, out = {}, []
    for f in read("davis:" + folder):
        k = seen[f.name] = seen.get(f.name, -1) + 1
        if k == 0 or (stride and k % stride == 0):
            out.append(f)
    return out


def clicks(model, emb, gt, n):
    points, labels, ious, oracle, logits = [], [], [], 0.0, None
    want, label = centre(gt), 1
    for k in range(n):
        points.append(want[:2]), labels.append(label)
        out, score = model.decode(emb, points, labels, logits)
        pick = int(score.argmax()) if k == 0 else 0
        if k == 0:
            oracle = max(iou(model.full(emb, m), gt) for m in out[1:])
        logits = out[pick]
        got = model.full(emb, logits)
        ious.append(iou(got, gt))
        missed, extra = centre(gt & ~got), centre(got & ~gt)
        if missed is None and extra is None:
            ious += [1.0] * (n - k - 1)
            break
        want, label = (missed, 1) if extra is None or (missed is not None and missed[2] >= extra[2]) else (extra, 0)
    return ious, oracle


def box(model, emb, gt):
    """The mask that answers the object's box."""
    ys, xs = np.nonzero(gt)
    out, _ = model.decode(emb, [(xs.min() - 0.5, ys.min() - 0.5), (xs.max() + 0.5, ys.max() + 0.5)], [2, 3])
    return model.full(emb, out[0])


def moved(model, emb, gt, seed):
    """A tracker's mask of the object, moved by a tenth of its size, and what the model makes of it (IoU before, after)."""
    rng = np.random.default_rng(seed)
    ys, xs = np.nonzero(gt)
    side = max(2.0, np.sqrt(gt.sum()) * 0.1)
    a = rng.uniform(0, 2 * np.pi)
    dx, dy = int(round(side * np.cos(a))), int(round(side * np.sin(a)))
    m = np.zeros_like(gt)
    h, w = gt.shape
    m[max(0, dy):h + min(0, dy), max(0, dx):w + min(0, dx)] = gt[max(0, -dy):h + min(0, -dy), max(0, -dx):w + min(0, -dx)]
    if not m.any():
        return 0.0, 0.0
    e8, e4, k, (nh, nw), _ = emb
    low = np.zeros(e4.shape[2:], np.float32)
    part = np.asarray(Image.fromarray((m * 255).astype(np.uint8)).resize((max(1, nw // 4), max(1, nh // 4)), Image.BOX), np.float32) / 255
    low[: part.shape[0], : part.shape[1]] = part
    out, _ = model.decode(emb, [(0, 0)], [-1], (low - 0.5) * 12)
    return iou(m, gt), iou(model.full(emb, out[0]), gt)


def grabcut(arr, gt, how):
    """OpenCV's GrabCut from the same first click (a disc) or box."""
    import cv2

    mask = np.full(gt.shape, cv2.GC_PR_BGD, np.uint8)
    ys, xs = np.nonzero(gt)
    if how == "box":
        rect = (int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
        cv2.grabCut(arr[..., ::-1].copy(), mask, rect, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_RECT)
    else:
        x, y, _ = centre(gt)
        r = max(3, int(0.12 * max(gt.shape)))
        cv2.circle(mask, (int(x), int(y)), r, cv2.GC_PR_FGD, -1)
        cv2.circle(mask, (int(x), int(y)), max(2, r // 4), cv2.GC_FGD, -1)
        cv2.grabCut(arr[..., ::-1].copy(), mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    return iou((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), gt)


def mean(rows):
    return [round(float(v), 4) for v in np.mean(rows, 0)]


def size_of(gt):
    """The name under which an object's size is told, as `segedge eval clicks` has it: under a fiftieth of the picture, over a tenth, or between."""
    share = gt.mean()
    return "size: small" if share < 0.02 else "size: large" if share > 0.1 else "size: medium"


def evaluate(model, objs, side, n=5, classical=False):
    """By set and by size: mIoU at 1..n clicks, the oracle over three at one click, from a box, and of a moved mask before and after."""
    rows, sizes, t, last, emb = {}, {}, time.time(), None, None
    for k, (item, arr, gt) in enumerate(objs):
        if classical:
            row = [grabcut(arr, gt, "click"), grabcut(arr, gt, "box")]
        else:
            if last is not arr:
                emb, last = model.embed(arr, side), arr
            ious, oracle = clicks(model, emb, gt, n)
            row = ious + [oracle, iou(box(model, emb, gt), gt), *moved(model, emb, gt, k)]
        rows.setdefault(item.set, []).append(row)
        sizes.setdefault(size_of(gt), []).append(row)
    every = [r for v in rows.values() for r in v]
    out = {}
    for name, v in [*sorted(rows.items()), *sorted(sizes.items()), ("all", every)]:
        m = mean(v)
        out[name] = {"objects": len(v), "grabcut_click": m[0], "grabcut_box": m[1]} if classical else {
            "objects": len(v), "miou": m[:n], "oracle1": m[n], "box": m[n + 1], "moved": m[n + 2], "moved_answer": m[n + 3],
            "noc85": noc(v, n, 0.85), "noc90": noc(v, n, 0.90)}
    out["seconds"] = round(time.time() - t, 1)
    return out


def noc(rows, n, want):
    """Mean number of clicks to an IoU; n where it is not reached."""
    return round(float(np.mean([next((k + 1 for k in range(n) if r[k] >= want), n) for r in rows])), 3)


def table(results):
    """Markdown, a row a set, model and side."""
    lines = ["| set | objects | model | side | 1 click | 2 | 3 | 5 | best of three, 1 click | box | moved mask: given → answered |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    f = lambda v: f"{v:.3f}"[1:] if v < 1 else "1"
    names = sorted({s for r in results for s in r["sets"] if s not in ("seconds", "all")}) + ["all"]
    for s in names:
        for r in results:
            v = r["sets"].get(s)
            if v and "miou" in v:
                lines.append(f"| {s} | {v['objects']} | {r['model']} | {r['side']} | " + " | ".join(f(v["miou"][k]) for k in (0, 1, 2, 4) if k < len(v["miou"])) + f" | {f(v['oracle1'])} | {f(v['box'])} | {f(v['moved'])} → {f(v['moved_answer'])} |")
            elif v:
                lines.append(f"| {s} | {v['objects']} | {r['model']} | – | {f(v['grabcut_click'])} | | | | | {f(v['grabcut_box'])} | |")
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", nargs="*", default=[], help="sources whose held-out tenth is used: " + read.__doc__)
    p.add_argument("--davis", help="DAVIS folder, evaluated whole: first frames")
    p.add_argument("--davis-stride", type=int, default=0, help="every n-th frame instead of the first only")
    p.add_argument("--model", nargs="+", required=True, help="NAME=FOLDER with encoder.onnx and decoder.onnx; grabcut is OpenCV's (needs cv2)")
    p.add_argument("--side", type=int, nargs="+", default=[320, 448])
    p.add_argument("--clicks", type=int, default=5)
    p.add_argument("--per-image", type=int, default=3, help="objects an image, 0 for all")
    p.add_argument("--smallest", type=float, default=0.004, help="of the picture's area")
    p.add_argument("--limit", type=int, default=0, help="images a set")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--json")
    a = p.parse_args()
    items = split([i for s in a.data for i in read(s)])[1]
    if a.davis:
        items += first_frames(a.davis, a.davis_stride)
    if a.limit:
        count = {}
        items = [i for i in items if count.setdefault(i.set, []).append(i) or len(count[i.set]) <= a.limit]
    objs = list(objects(items, a.per_image, a.smallest))
    results = []
    for spec in a.model:
        name, _, folder = spec.partition("=")
        if name == "grabcut":
            results.append({"model": name, "side": 0, "sets": evaluate(None, objs, 0, classical=True)})
            continue
        model = Onnx(os.path.join(folder, "encoder.onnx"), os.path.join(folder, "decoder.onnx"), a.threads)
        for side in a.side:
            results.append({"model": name, "side": side, "sets": evaluate(model, objs, side, a.clicks)})
            if a.json:
                with open(a.json, "w") as f:
                    json.dump(results, f, indent=1)
    print(table(results))
    if a.json:
        with open(a.json, "w") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
