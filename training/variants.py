"""Makes half-precision and 8-bit variants of exported graphs, and tells what they cost: masks, bytes and time beside float32.

All keep the contract, float32 at the doors, so that a program takes them as they are. Printed for each: mIoU with the truth at
one click and from a box, mIoU with float32's own masks, and processor time on one thread, measured in turns.
"""
import argparse
import os
import shutil
import time

import numpy as np
import onnx
import onnxruntime as ort

from data import letterbox, read, split
from evaluate import Onnx, box, centre, first_frames, iou, mean, objects

NAMES = ("encoder.onnx", "decoder.onnx")
# What lies between two convolutions is quantised with them, so that it stays in 8 bits.
QUANTISED = ["Conv", "Relu", "Clip", "Add", "Concat", "Mul", "MaxPool", "Resize", "Sigmoid"]


# ---------------------------------------------------------------- making them


def fp16(folder, out):
    """Both graphs with half-precision weights and arithmetic."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    for name in NAMES:
        onnx.save(convert_float_to_float16(onnx.load(os.path.join(folder, name)), keep_io_types=True), os.path.join(out, name))


def int8(folder, out, images):
    """The encoder in 8 bits by ranges measured on `images` (each (1,3,H,W)), weights by channel, but for its first stages.

    The decoder keeps float32: it is asked for exact outlines, and costs little.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.left = iter(images)

        def get_next(self):
            x = next(self.left, None)
            return None if x is None else {"image": x}

    prepared = os.path.join(out, "prepared.onnx")
    quant_pre_process(os.path.join(folder, NAMES[0]), prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared, os.path.join(out, NAMES[0]), Reader(), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        op_types_to_quantize=QUANTISED, nodes_to_exclude=early(prepared))
    os.remove(prepared)
    shutil.copy(os.path.join(folder, NAMES[1]), os.path.join(out, NAMES[1]))


def early(path):
    """Names of the nodes down to stride 4: in 8 bits they spoil all that follows (docs/training.md)."""
    return [n.name for n in onnx.load(path).graph.node if n.name.startswith(("/trunk/stem", "/trunk/d2/", "/trunk/s2/"))]


def make(folder, out, images):
    """Both variants under `out`; their names."""
    ways = {"fp16": lambda o: fp16(folder, o), "int8": lambda o: int8(folder, o, images)}
    for name, way in ways.items():
        os.makedirs(os.path.join(out, name), exist_ok=True)
        way(os.path.join(out, name))
    return list(ways)


# ---------------------------------------------------------------- measuring them


def answers(model, arr, gts, side):
    """For each object: the masks of a click at its centre and of its box."""
    emb, out = model.embed(arr, side), []
    for gt in gts:
        masks, score = model.decode(emb, [centre(gt)[:2]], [1])
        out.append((model.full(emb, masks[int(score.argmax())]), box(model, emb, gt)))
    return out


def agreement(models, objs, side):
    """By model, means over objects: IoU with the truth at a click and from a box, IoU with the first model's masks at both."""
    rows, pictures = {n: [] for n in models}, {}
    for _, arr, gt in objs:
        pictures.setdefault(id(arr), (arr, []))[1].append(gt)
    for arr, gts in pictures.values():
        want = None
        for name, model in models.items():
            got = answers(model, arr, gts, side)
            want = want or got
            rows[name] += [[iou(c, gt), iou(b, gt), iou(c, wc), iou(b, wb)] for gt, (c, b), (wc, wb) in zip(gts, got, want)]
    return {n: mean(r) for n, r in rows.items()}


def shares(models, side, rounds=40):
    """By model: median milliseconds of processor time of the encoder and of the decoder (one prompt), and the median of its share of the first's, run in turns."""
    rng, h = np.random.default_rng(0), side * 9 // 16 // 32 * 32
    image = (rng.random((1, 3, h, side)) * 255).astype(np.float32)
    times = {n: [] for n in models}
    for r in range(rounds + 2):
        for name, m in models.items():
            t0 = time.process_time()
            e8, e4 = m.enc.run(["embed_8", "embed_4"], {"image": image})
            t1 = time.process_time()
            m.decode((e8, e4, 1.0), [(side / 2, h / 2)], [1])
            times[name].append((t1 - t0, time.process_time() - t1))
    times = {n: np.array(t[2:]) * 1e3 for n, t in times.items()}
    first = next(iter(times.values()))
    return {n: (*np.median(t, 0), *np.median(t / first, 0)) for n, t in times.items()}


def table(folders, agree, cost):
    """Markdown, a row a model."""
    lines = ["| graphs | encoder MB | decoder MB | mIoU 1 click | box | same mask as float32: 1 click | box | encoder ms | share | decoder ms | share |", "|" + "---|" * 11]
    for n, folder in folders.items():
        size = [os.path.getsize(os.path.join(folder, f)) / 1e6 for f in NAMES]
        e, d, es, ds = cost[n]
        lines.append(f"| {n} | {size[0]:.2f} | {size[1]:.2f} | " + " | ".join(f"{v:.3f}" for v in agree[n]) + f" | {e:.1f} | {es:.2f} | {d:.1f} | {ds:.2f} |")
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", help="of encoder.onnx and decoder.onnx in float32")
    p.add_argument("--out", required=True, help="a folder for each variant is made here")
    p.add_argument("--data", nargs="+", required=True, help="calibrated on training images, measured on held-out ones: " + read.__doc__)
    p.add_argument("--davis", help="DAVIS folder, whose first frames are measured too")
    p.add_argument("--side", type=int, default=448)
    p.add_argument("--calibrate", type=int, default=48, help="images")
    p.add_argument("--measure", type=int, default=60, help="held-out images")
    a = p.parse_args()
    train, held = split([i for s in a.data for i in read(s)])
    some = lambda items, n: [items[round(t)] for t in np.linspace(0, len(items) - 1, min(n, len(items)))]
    ort.set_default_logger_severity(3)
    names = make(a.folder, a.out, [letterbox(i.load()[0], a.side)[0] for i in some(train, a.calibrate)])
    folders = {"float32": a.folder, **{n: os.path.join(a.out, n) for n in names}}
    models = {n: Onnx(*(os.path.join(f, g) for g in NAMES)) for n, f in folders.items()}
    items = some(held, a.measure) + (first_frames(a.davis) if a.davis else [])
    print(table(folders, agreement(models, objects(items, 3, 0.004), a.side), shares(models, a.side)))


if __name__ == "__main__":
    main()
