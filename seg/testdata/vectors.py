"""Writes coco_rle.json: masks and their COCO run-length forms as pycocotools makes them.

    pip install pycocotools numpy && python vectors.py > coco_rle.json
"""
import base64
import json

import numpy as np
from pycocotools import mask as coco


def cases():
    rng = np.random.default_rng(7)
    yield "empty", np.zeros((5, 7), np.uint8)
    yield "full", np.ones((5, 7), np.uint8)
    yield "one cell", np.ones((1, 1), np.uint8)
    for name, y, x in (("top left", 0, 0), ("top right", 0, 6), ("bottom left", 4, 0), ("bottom right", 4, 6)):
        m = np.zeros((5, 7), np.uint8)
        m[y, x] = 1
        yield name, m
    m = np.zeros((5, 7), np.uint8)
    m[:, 3] = 1
    yield "column", m
    yield "row", np.pad(np.ones((1, 7), np.uint8), ((2, 2), (0, 0)))
    yield "two columns joined by the edge", np.pad(np.ones((5, 2), np.uint8), ((0, 0), (5, 0)))
    yield "chequers", (np.indices((9, 8)).sum(0) % 2).astype(np.uint8)
    for i, share in enumerate((0.02, 0.5, 0.98)):
        yield f"noise {share}", (rng.random((13 + i, 31 - 2 * i)) < share).astype(np.uint8)
    y, x = np.mgrid[:96, :128]
    yield "ellipse", (((x - 60) / 40) ** 2 + ((y - 40) / 25) ** 2 < 1).astype(np.uint8)
    yield "ring at the edge", (abs(np.hypot(x - 4, y - 90) - 60) < 6).astype(np.uint8)
    y, x = np.mgrid[:480, :854]
    yield "half of a wide frame", (3 * x + y < 1500).astype(np.uint8)


def uncompressed(m):
    flat = m.flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    return [0] + runs if flat[0] else runs


out = []
for name, m in cases():
    rle = coco.encode(np.asfortranarray(m))
    counts = uncompressed(m)
    assert coco.frPyObjects({"size": list(m.shape), "counts": counts}, *m.shape)["counts"] == rle["counts"]
    out.append({
        "name": name,
        "rle": {"size": rle["size"], "counts": rle["counts"].decode()},
        "counts": counts,
        "area": int(coco.area(rle)),
        "box": [int(v) for v in coco.toBbox(rle)],
        "bits": base64.b64encode(np.packbits(m)).decode() if m.size < 20000 else "",
    })
pairs = []
for a, b in (("ellipse", "ring at the edge"), ("full", "column"), ("row", "column")):
    ra, rb = (next(o["rle"] for o in out if o["name"] == n) for n in (a, b))
    enc = [{"size": r["size"], "counts": r["counts"].encode()} for r in (ra, rb)]
    pairs.append({"a": a, "b": b, "iou": float(coco.iou([enc[0]], [enc[1]], [0])[0][0])})
print(json.dumps({"masks": out, "iou": pairs}, indent=1))
