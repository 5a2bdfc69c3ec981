"""Writes davis.json: masks of this script's own, and what the DAVIS benchmark's published code says of them.

    git clone https://github.com/davisvideochallenge/davis2017-evaluation
    pip install numpy scipy tqdm pandas opencv-python-headless scikit-image pycocotools
    PYTHONPATH=davis2017-evaluation python davis.py DAVIS_FOLDER > davis.json

Of the sequences in the folder it keeps figures only: those of the first frame's mask when nothing moves.
"""
import glob
import json
import os
import sys

import numpy as np
from davis2017.metrics import db_eval_boundary, db_eval_iou
from davis2017.utils import db_statistics
from pycocotools import mask as coco


def ellipse(h, w, cx, cy, rx, ry, turn=0.0):
    y, x = np.mgrid[:h, :w]
    x, y = x - cx * w, y - cy * h
    c, s = np.cos(turn), np.sin(turn)
    return ((c * x + s * y) / (rx * w)) ** 2 + ((c * y - s * x) / (ry * w)) ** 2 < 1


def pairs():
    """name, got, truth"""
    rng = np.random.default_rng(3)
    h, w = 480, 854
    a = ellipse(h, w, 0.5, 0.5, 0.2, 0.1)
    none = np.zeros((h, w), bool)
    yield "the same", a, a
    yield "both empty", none, none
    yield "nothing found", none, a
    yield "nothing there", a, none
    yield "everything", np.ones((h, w), bool), a
    for d in (1, 7, 8, 9, 30):
        yield f"moved by {d}", np.roll(a, d, 1), a
    yield "turned", ellipse(h, w, 0.5, 0.5, 0.2, 0.1, 0.3), a
    yield "a hole", a & ~ellipse(h, w, 0.5, 0.5, 0.05, 0.05), a
    yield "off the right edge", ellipse(h, w, 1.0, 0.6, 0.2, 0.2), ellipse(h, w, 0.98, 0.62, 0.2, 0.2)
    yield "off the lower corner", ellipse(h, w, 0.0, 1.0, 0.3, 0.3, 0.5), ellipse(h, w, 0.01, 1.0, 0.31, 0.29)
    yield "off the upper edge", ellipse(h, w, 0.4, 0.0, 0.1, 0.3), ellipse(h, w, 0.41, 0.02, 0.1, 0.3)
    yield "small", ellipse(h, w, 0.3, 0.3, 0.004, 0.006), ellipse(h, w, 0.302, 0.3, 0.005, 0.005)
    for i, share in enumerate((0.03, 0.5)):
        yield f"noise {share}", rng.random((45 + i, 81)) < share, rng.random((45 + i, 81)) < share
    for side in ("left", "top", "right", "bottom"):
        g, t = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
        {"left": g[:, :3], "top": g[:3], "right": g[:, -3:], "bottom": g[-3:]}[side][:] = True
        {"left": t[:, :2], "top": t[:2], "right": t[:, -1:], "bottom": t[-1:]}[side][:] = True
        yield f"a strip on the {side}", g, t


def rle(m):
    r = coco.encode(np.asfortranarray(m.astype(np.uint8)))
    return {"size": r["size"], "counts": r["counts"].decode()}


out = {"pairs": [], "statistics": []}
for name, got, truth in pairs():
    out["pairs"].append({"name": name, "got": rle(got), "truth": rle(truth),
                         "J": float(db_eval_iou(truth, got)), "F": float(db_eval_boundary(truth, got))})
rng = np.random.default_rng(5)
for n in (4, 5, 10, 38, 47, 78, 102):
    v = np.round(rng.random(n), 4)
    m, r, d = db_statistics(v)
    out["statistics"].append({"values": v.tolist(), "mean": float(m), "recall": float(r), "decay": float(d)})
from PIL import Image  # noqa: E402

out["still"] = {}
for name in ("car-shadow",):
    paths = sorted(glob.glob(os.path.join(sys.argv[1], "Annotations", "480p", name, "*.png")))
    masks = [np.array(Image.open(p)) > 0 for p in paths]
    out["still"][name] = {"J": float(np.mean([db_eval_iou(m, masks[0]) for m in masks[1:-1]])),
                          "F": float(np.mean([db_eval_boundary(m, masks[0]) for m in masks[1:-1]]))}
print(json.dumps(out, indent=1))
