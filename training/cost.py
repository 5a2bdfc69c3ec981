"""What models cost on one CPU thread: processor time of the encoder, and of the decoder for 1, 5 and 10 prompts, medians of runs in turns."""
import argparse
import json
import os
import time

import numpy as np
import onnxruntime as ort


def calls(folder, height, width, prompts=(1, 5, 10)):
    """What is timed of a model, by name: functions of nothing."""
    o = ort.SessionOptions()
    o.intra_op_num_threads = 1
    enc, dec = (ort.InferenceSession(os.path.join(folder, n + ".onnx"), o, providers=["CPUExecutionProvider"]) for n in ("encoder", "decoder"))
    rng = np.random.default_rng(0)
    image = (rng.random((1, 3, height, width)) * 255).astype(np.float32)
    e8, e4 = enc.run(["embed_8", "embed_4"], {"image": image})
    out = {"encoder": lambda: enc.run(None, {"image": image})}
    for p in prompts:
        feed = {"embed_8": e8, "embed_4": e4, "point_coords": (rng.random((p, 2, 2)) * height).astype(np.float32), "point_labels": np.ones((p, 2), np.float32),
                "mask_input": rng.normal(size=(p, 1, height // 4, width // 4)).astype(np.float32), "has_mask_input": np.ones((p, 1), np.float32)}
        out[f"decoder_{p}"] = lambda feed=feed: dec.run(None, feed)
    return out


def costs(models, height, width, rounds=30):
    """Median milliseconds by model and call. Models are run in turns, so that a busy machine is as busy for each."""
    todo = {name: calls(folder, height, width) for name, folder in models.items()}
    times = {name: {c: [] for c in fs} for name, fs in todo.items()}
    for r in range(rounds + 2):
        for name, fs in todo.items():
            for c, f in fs.items():
                t = time.process_time()
                f()
                times[name][c].append(time.process_time() - t)
    return {name: {c: round(float(np.median(v[2:])) * 1e3, 2) for c, v in row.items()} for name, row in times.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("model", nargs="+", help="NAME=FOLDER")
    p.add_argument("--size", default="448x256", help="WIDTHxHEIGHT, multiples of 32")
    p.add_argument("--rounds", type=int, default=30)
    p.add_argument("--json")
    a = p.parse_args()
    models = {spec.partition("=")[0]: spec.partition("=")[2] for spec in a.model}
    width, height = map(int, a.size.split("x"))
    rows = costs(models, height, width, a.rounds)
    for name, folder in models.items():
        rows[name]["megabytes"] = round(sum(os.path.getsize(os.path.join(folder, n + ".onnx")) for n in ("encoder", "decoder")) / 1e6, 2)
    print(f"| model | encoder ms, {a.size} | decoder, 1 prompt | 5 prompts | 10 prompts | MB |\n|---|---|---|---|---|---|")
    for name, r in rows.items():
        print(f"| {name} | " + " | ".join(f"{r[k]:.1f}" for k in ("encoder", "decoder_1", "decoder_5", "decoder_10")) + f" | {r['megabytes']} |")
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"size": a.size, "models": rows}, f, indent=1)


if __name__ == "__main__":
    main()
