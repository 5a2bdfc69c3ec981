"""Exports a checkpoint to encoder.onnx and decoder.onnx, checks them against PyTorch. See variants.py for others."""
import argparse
import os
import warnings

import numpy as np
import torch

from model import EMBED4, EMBED8, ExportedDecoder, from_checkpoint

OPSET = 17
INPUTS = ["embed_8", "embed_4", "point_coords", "point_labels", "mask_input", "has_mask_input"]
OUTPUTS = ["low_res_masks", "iou_predictions"]


def example(p, n, h, w, seed=0, e=1):
    """Decoder inputs for p prompts of n points, e embeddings of a frame of h x w."""
    g = torch.Generator().manual_seed(seed)
    r = lambda *s: torch.randn(*s, generator=g)
    return (r(e, EMBED8, h // 8, w // 8), r(e, EMBED4, h // 4, w // 4), torch.rand(p, n, 2, generator=g) * min(h, w),
            torch.randint(-1, 4, (p, n), generator=g).float(), r(p, 1, h // 4, w // 4) * 5, torch.randint(0, 2, (p, 1), generator=g).float())


def export(model, folder):
    os.makedirs(folder, exist_ok=True)
    model = model.to(memory_format=torch.contiguous_format).eval()
    dec = ExportedDecoder(model.decoder)
    new = {} if torch.__version__ < "2.5" else {"dynamo": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.encoder, torch.rand(1, 3, 256, 320) * 255, os.path.join(folder, "encoder.onnx"), opset_version=OPSET, input_names=["image"], output_names=["embed_8", "embed_4"],
            dynamic_axes={"image": {2: "H", 3: "W"}, "embed_8": {2: "H8", 3: "W8"}, "embed_4": {2: "H4", 3: "W4"}}, **new)
        p, e, s = {0: "P"}, {0: "E"}, {2: "H4", 3: "W4"}
        torch.onnx.export(
            dec, example(2, 3, 256, 320), os.path.join(folder, "decoder.onnx"), opset_version=OPSET, input_names=INPUTS, output_names=OUTPUTS,
            dynamic_axes={"embed_8": {**e, 2: "H8", 3: "W8"}, "embed_4": {**e, **s}, "point_coords": {**p, 1: "N"}, "point_labels": {**p, 1: "N"}, "mask_input": {**p, **s},
                          "has_mask_input": p, "low_res_masks": {**p, **s}, "iou_predictions": p}, **new)
    tidy(folder, model.trunk)


def tidy(folder, trunk):
    """Drops from the graphs what says nothing to a reader (producer paths in doc strings), and adds the trunk's name."""
    import onnx

    for name in ("encoder", "decoder"):
        path = os.path.join(folder, name + ".onnx")
        m = onnx.load(path)
        m.doc_string = ""
        for n in m.graph.node:
            n.doc_string = ""
        if name == "encoder":  # what from_graphs makes again
            onnx.helper.set_model_props(m, {"trunk": trunk})
        onnx.checker.check_model(m)
        onnx.save(m, path)


def check(model, folder):
    """The largest difference between PyTorch and ONNX Runtime, over sizes, prompts and points that the export did not see."""
    import onnxruntime as ort

    model.eval()
    enc, dec = (ort.InferenceSession(os.path.join(folder, n + ".onnx"), providers=["CPUExecutionProvider"]) for n in ("encoder", "decoder"))
    worst = 0.0
    with torch.no_grad():
        for p, n, h, w, e in ((1, 1, 256, 256, 1), (3, 2, 320, 192, 1), (10, 6, 192, 320, 1), (2, 1, 512, 512, 1), (5, 2, 96, 128, 5)):
            image = torch.rand(1, 3, h, w) * 255
            want = model.encoder(image)
            got = enc.run(None, {"image": image.numpy()})
            args = example(p, n, h, w, e=e)
            want = [*want, *ExportedDecoder(model.decoder)(*args)]
            got += dec.run(None, dict(zip(INPUTS, (a.numpy() for a in args))))
            worst = max([worst] + [float(np.abs(a.numpy() - b).max() / (1 + np.abs(b).max())) for a, b in zip(want, got)])
    if worst > 1e-3:
        raise SystemExit(f"the exported graphs differ from PyTorch by {worst:.2g}")
    return worst


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("checkpoint")
    p.add_argument("--out", required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    model = from_checkpoint(a.checkpoint)
    export(model, a.out)
    print(f"exported to {a.out}; largest relative difference from PyTorch {check(model, a.out):.1e}")
    sizes = {n: os.path.getsize(os.path.join(a.out, n + ".onnx")) for n in ("encoder", "decoder")}
    print(a.out, *(f"{n} {s / 1e6:.2f} MB" for n, s in sizes.items()))


if __name__ == "__main__":
    main()
