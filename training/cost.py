"""What a model costs on one CPU thread: the encoder, and the decoder for 1, 5 and 10 prompts, median of many runs."""
import argparse
import json
import os
import time

import numpy as np
import onnxruntime as ort


def median(f, seconds=2.0):
    f(), f()
    times, end = [], time.time() + seconds
    while time.time() < end or len(times) < 5:
        t = time.perf_counter()
        f()
        times.append(time.perf_counter() - t)
    return round(float(np.median(times)) * 1e3, 2)


def cost(folder, side, prompts=(1, 5, 10)):
    o = ort.SessionOptions()
    o.intra_op_num_threads = 1
    enc, dec = (ort.InferenceSession(os.path.join(folder, n + ".onnx"), o, providers=["CPUExecutionProvider"]) for n in ("encoder", "decoder"))
    rng = np.random.default_rng(0)
    image = (rng.random((1, 3, side, side)) * 255).astype(np.float32)
    e8, e4 = enc.run(["embed_8", "embed_4"], {"image": image})
    out = {"encoder": median(lambda: enc.run(None, {"image": image}))}
    for p in prompts:
        feed = {"embed_8": e8, "embed_4": e4, "point_coords": (rng.random((p, 2, 2)) * side).astype(np.float32), "point_labels": np.ones((p, 2), np.float32),
                "mask_input": rng.normal(size=(p, 1, side // 4, side // 4)).astype(np.float32), "has_mask_input": np.ones((p, 1), np.float32)}
        out[f"decoder_{p}"] = median(lambda: dec.run(None, feed))
    out["megabytes"] = round(sum(os.path.getsize(os.path.join(folder, n + ".onnx")) for n in ("encoder", "decoder")) / 1e6, 2)
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("model", nargs="+", help="NAME=FOLDER")
    p.add_argument("--side", type=int, default=320)
    p.add_argument("--json")
    a = p.parse_args()
    rows = {spec.partition("=")[0]: cost(spec.partition("=")[2], a.side) for spec in a.model}
    print(f"| model | encoder, {a.side}² | decoder, 1 prompt | 5 prompts | 10 prompts | MB |\n|---|---|---|---|---|---|")
    for name, r in rows.items():
        print(f"| {name} | " + " | ".join(f"{r[k]:.1f}" for k in ("encoder", "decoder_1", "decoder_5", "decoder_10")) + f" | {r['megabytes']} |")
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"side": a.side, "models": rows}, f, indent=1)


if __name__ == "__main__":
    main()
