#!/usr/bin/env python3
"""Runs the published code of SAM, MobileSAM, NanoSAM, EdgeSAM, SAM 2 and EfficientSAM with seeded random weights, and writes what our engine
is compared with: ONNX files made by their own exporters, pictures, prompts, and the logits of their own Python predictors.

It fetches nothing: it takes paths to checkouts of
    facebookresearch/segment-anything  ChaoningZhang/MobileSAM  NVIDIA-AI-IOT/nanosam  chongzhou96/EdgeSAM  facebookresearch/sam2
    vietanhdev/samexporter  yformer/EfficientSAM
and needs torch, torchvision, timm, onnx, onnxruntime, opencv-python-headless, hydra-core, iopath (Python 3.11);
NanoSAM and EdgeSAM want timm 0.9, EdgeSAM also yacs.

    reference.py OUT --sam DIR --mobilesam DIR --nanosam DIR --edgesam DIR --sam2 DIR --samexporter DIR --efficientsam DIR
    SEGEDGE_UPSTREAM=OUT go test ./inference/onnx -run TestUpstream -v

Random weights answer with nearly constant logits, so the decoder's are scaled up until a prompt and the picture matter;
the table says how much the logits vary, and how much they move when a point moves by half a pixel.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch

SEED = 7


def picture(w, h, seed):
    """Smooth blobs with some noise, uint8 RGB."""
    r = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    im = np.zeros((h, w, 3), np.float32) + r.uniform(60, 160, 3)
    for _ in range(12):
        cx, cy, s = r.uniform(0, w), r.uniform(0, h), r.uniform(0.05, 0.25) * w
        im += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * s * s))[..., None] * r.uniform(-120, 120, 3)
    return np.clip(im + r.normal(0, 12, im.shape), 0, 255).astype(np.uint8)


PICTURES = {"wide": picture(854, 480, 1), "tall": picture(333, 500, 2), "large": picture(1600, 1000, 3)}


def prompts(w, h):
    """In the upstream predictors' own pixel coordinates."""
    a, b = [0.4 * w, 0.55 * h], [0.62 * w, 0.3 * h]
    box = [0.2 * w, 0.25 * h, 0.7 * w, 0.8 * h]
    return [
        {"name": "one click", "points": [a], "labels": [1]},
        {"name": "two clicks", "points": [a, b], "labels": [1, 0]},
        {"name": "box", "box": box},
        {"name": "box and a click", "points": [a], "labels": [1], "box": box},
        {"name": "click and mask", "points": [a], "labels": [1], "mask": True},
        {"name": "one click, moved half a pixel", "points": [[a[0] + 0.5, a[1]]], "labels": [1], "moved": True},
    ]


def randomise(model, gain):
    """Seeded weights of the same size everywhere, so that nothing vanishes on the way through the network."""
    g = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                fan = p[0].numel()
                p.copy_(torch.randn(p.shape, generator=g) * gain / fan**0.5)
            else:
                p.add_(torch.randn(p.shape, generator=g) * 0.05)
    return model.eval()


class Writer:
    def __init__(self, out, name):
        self.dir, self.cases = out / name, []
        self.dir.mkdir(parents=True, exist_ok=True)

    def add(self, pic, im, p, logits, scores, mask=None):
        n = len(self.cases)
        case = dict(p, picture=pic, size=[im.shape[1], im.shape[0]], logits=f"{n}.f32", shape=list(logits.shape), scores=[float(s) for s in scores])
        logits.astype(np.float32).tofile(self.dir / f"{n}.f32")
        if mask is not None:
            case["mask"] = f"{n}.mask.f32"
            mask.astype(np.float32).tofile(self.dir / case["mask"])
        else:
            case.pop("mask", None)
        self.cases.append(case)

    def close(self):
        for k, im in PICTURES.items():
            (self.dir / f"{k}.rgb").write_bytes(im.tobytes())
        (self.dir / "cases.json").write_text(json.dumps(self.cases, indent=1))


def predict_sam(w, predictor, sam2=False):
    """SamPredictor and SAM2ImagePredictor have the same interface. One click: several masks; more: the single one, which
    samexporter's SAM 2 decoder does not give, so there it is several always."""
    for pic, im in PICTURES.items():
        predictor.set_image(im)
        low = None
        for p in prompts(im.shape[1], im.shape[0]):
            several = sam2 or ("box" not in p and not p.get("mask") and len(p["points"]) == 1)
            _, scores, logits = predictor.predict(
                point_coords=np.array(p["points"], np.float32) if "points" in p else None,
                point_labels=np.array(p["labels"]) if "points" in p else None,
                box=np.array(p["box"], np.float32) if "box" in p else None,
                mask_input=low if p.get("mask") else None,
                multimask_output=several)
            if low is None:
                low = logits[:1]
            w.add(pic, im, p, logits, scores, low if p.get("mask") else None)


def export_square_encoder(model, path):
    torch.onnx.export(model, torch.zeros(1, 3, 1024, 1024), str(path), opset_version=17, input_names=["image"], output_names=["image_embeddings"])


def sam(out, checkout, package, name, build, gain):
    sys.path[:0] = [str(checkout), str(checkout / "scripts")]
    lib = __import__(package)
    model = randomise(build(lib), gain)
    w = Writer(out, name)
    lib.sam_model_registry["seeded"] = lambda checkpoint=None: model
    import importlib.util
    spec = importlib.util.spec_from_file_location(package + "_export", checkout / "scripts" / "export_onnx_model.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.run_export("seeded", "", str(w.dir / "decoder.onnx"), 16, False)
    with torch.no_grad():
        export_square_encoder(model.image_encoder, w.dir / "encoder.onnx")
        predict_sam(w, lib.SamPredictor(model.eval()))  # an export may leave parts of a model in training mode
    w.close()
    sys.path[:2] = []


def small_sam(lib):
    """Meta's classes at a small size: a ViT of 4 blocks."""
    from segment_anything.build_sam import _build_sam
    return _build_sam(encoder_embed_dim=96, encoder_depth=4, encoder_num_heads=4, encoder_global_attn_indexes=[1, 3])


def absent(*names):
    """Stands in for modules that upstream imports at its top and that nothing here calls: TensorRT, detection heads."""
    from unittest import mock
    for n in names:
        parts = n.split(".")
        for i in range(1, len(parts) + 1):
            sys.modules.setdefault(".".join(parts[:i]), mock.MagicMock())


def nanosam(out, checkout):
    """Its predictor, with PyTorch modules in place of the TensorRT engines and the CPU in place of CUDA. Its demos leave out the padding
    point that SAM's decoders are trained with where there is no box; it is given here, as the engine gives it."""
    import PIL.Image
    absent("torch2trt", "tensorrt")
    sys.path[:0] = [str(checkout)]
    torch.Tensor.cuda = lambda self, *a, **k: self
    from nanosam.mobile_sam import sam_model_registry
    from nanosam.mobile_sam.utils.onnx import SamOnnxModel
    from nanosam.models.timm_image_encoder import TimmImageEncoder
    from nanosam.tools import export_sam_mask_decoder_onnx as ex
    from nanosam.utils.predictor import Predictor
    sam = randomise(sam_model_registry["vit_t"](checkpoint=None), 1.0)
    encoder = randomise(TimmImageEncoder("resnet18"), 1.0)
    w = Writer(out, "nanosam")
    ex.sam_model_registry = {"seeded": lambda checkpoint=None: sam}
    ex.run_export("seeded", "", str(w.dir / "decoder.onnx"), 16, False)
    with torch.no_grad():
        export_square_encoder(encoder, w.dir / "encoder.onnx")
        p = Predictor.__new__(Predictor)
        p.image_encoder_engine, p.mask_decoder_engine = encoder.eval(), SamOnnxModel(model=sam.eval(), return_single_mask=False)
        p.image_encoder_size = p.orig_image_encoder_size = 1024
        for pic, im in PICTURES.items():
            p.set_image(PIL.Image.fromarray(im))
            low = None
            for q in prompts(im.shape[1], im.shape[0]):
                pts, labels = list(q.get("points", [])), list(q.get("labels", []))
                pts, labels = (pts + [q["box"][:2], q["box"][2:]], labels + [2, 3]) if "box" in q else (pts + [[0, 0]], labels + [-1])
                _, scores, logits = p.predict(np.array(pts), np.array(labels), low if q.get("mask") else None)
                several = "box" not in q and not q.get("mask") and len(q["points"]) == 1
                keep = slice(1, 4) if several else slice(0, 1)
                w.add(pic, im, q, logits[0, keep].numpy(), scores[0, keep].numpy(), low[0].numpy() if q.get("mask") else None)
                if low is None:
                    low = logits[:, 1:2].clone()
    w.close()
    sys.path[:1] = []


def edge_sam(out, checkout):
    absent("mmdet.models.dense_heads", "mmdet.models.necks", "mmengine", "projects.EfficientDet", "loralib", "kornia.contrib", "cv2", "matplotlib.pyplot")
    sys.path[:0] = [str(checkout)]
    from edge_sam import SamPredictor, sam_model_registry
    import importlib.util
    spec = importlib.util.spec_from_file_location("edge_sam_export", checkout / "scripts" / "export_onnx_model.py")
    ex = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ex)
    model = randomise(sam_model_registry["edge_sam"](upsample_mode="bilinear"), 1.0)
    w = Writer(out, "edgesam")
    args = argparse.Namespace(checkpoint=str(w.dir / "x.pth"), gelu_approximate=False, use_stability_score=False)
    with torch.no_grad():
        ex.export_decoder_to_onnx(model, args)
        forward = model.forward
        ex.export_encoder_to_onnx(model, args)
        model.forward = forward
        for part in "encoder", "decoder":
            (w.dir / f"x_{part}.onnx").rename(w.dir / f"{part}.onnx")
        predictor = SamPredictor(model.eval())
        for pic, im in PICTURES.items():
            predictor.set_image(im)
            for p in prompts(im.shape[1], im.shape[0]):
                if p.get("mask"):
                    continue
                several = "box" not in p and len(p["points"]) == 1
                _, scores, logits = predictor.predict(
                    point_coords=np.array(p["points"], np.float32) if "points" in p else None,
                    point_labels=np.array(p["labels"]) if "points" in p else None,
                    box=np.array(p["box"], np.float32) if "box" in p else None, num_multimask_outputs=3 if several else 1)
                w.add(pic, im, p, logits, scores)
    w.close()
    sys.path[:1] = []


def sam2(out, checkout, exporter):
    sys.path[:0] = [str(checkout), str(exporter)]
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from sam2.build_sam import build_sam2
    from sam2.sam2_image_predictor import SAM2ImagePredictor
    from samexporter import export_sam2 as ex
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str((checkout / "sam2" / "configs" / "sam2.1").resolve()), version_base="1.2"):
        model = build_sam2("sam2.1_hiera_t.yaml", None, device="cpu")
    randomise(model, 1.0)
    w = Writer(out, "sam2")
    f = torch.float
    with torch.no_grad():
        enc, dec = ex.SAM2ImageEncoder(model).eval(), ex.SAM2ImageDecoder(model, multimask_output=True).eval()
        im = torch.zeros(1, 3, 1024, 1024)
        hr0, hr1, e = enc(im)
        torch.onnx.export(enc, im, str(w.dir / "encoder.onnx"), opset_version=17, input_names=["image"],
                          output_names=["high_res_feats_0", "high_res_feats_1", "image_embed"])
        torch.onnx.export(dec, (e, hr0, hr1, torch.rand(1, 5, 2) * 1024, torch.ones(1, 5, dtype=f), torch.zeros(1, 1, 256, 256), torch.ones(1)),
                          str(w.dir / "decoder.onnx"), opset_version=17,
                          input_names=["image_embed", "high_res_feats_0", "high_res_feats_1", "point_coords", "point_labels", "mask_input", "has_mask_input"],
                          output_names=["masks", "iou_predictions"],
                          dynamic_axes={"point_coords": {0: "num_labels", 1: "num_points"}, "point_labels": {0: "num_labels", 1: "num_points"},
                                        "mask_input": {0: "num_labels"}, "has_mask_input": {0: "num_labels"}})
        predict_sam(w, SAM2ImagePredictor(model.eval()), sam2=True)
    w.close()
    sys.path[:2] = []


def efficient_sam(out, checkout):
    """Its predictor is its forward; points and boxes go in as labelled points. Its answer is enlarged to the picture by
    bicubic interpolation; the engine takes the 256 x 256 before that, which is the same call with another output size."""
    import os
    sys.path[:0] = [str(checkout)]
    os.chdir(checkout)
    import export_to_onnx as ex
    from efficient_sam.efficient_sam import build_efficient_sam
    model = randomise(build_efficient_sam(encoder_patch_embed_dim=192, encoder_num_heads=3).eval(), 1.0)
    w = Writer(out, "efficientsam")
    with torch.no_grad():
        ex.export_onnx_esam_encoder(model, str(w.dir / "encoder.onnx"))
        ex.export_onnx_esam_decoder(model, str(w.dir / "decoder.onnx"))
        for pic, im in PICTURES.items():
            x = torch.from_numpy(im).permute(2, 0, 1)[None].float() / 255
            e = model.get_image_embeddings(x)
            for p in prompts(im.shape[1], im.shape[0]):
                if p.get("mask") or 0 in p.get("labels", []):
                    continue
                pts, labels = list(p.get("points", [])), list(p.get("labels", []))
                if "box" in p:
                    pts, labels = pts + [p["box"][:2], p["box"][2:]], labels + [2, 3]
                h, wd = im.shape[:2]
                logits, scores = model.predict_masks(e, torch.tensor(pts)[None, None].float(), torch.tensor(labels)[None, None].float(), True, h, wd, 256, 256)
                w.add(pic, im, p, logits[0, 0].numpy(), scores[0, 0].numpy())
    w.close()
    sys.path[:1] = []


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("out", type=pathlib.Path)
    for n in "sam", "mobilesam", "nanosam", "edgesam", "sam2", "samexporter", "efficientsam":
        a.add_argument("--" + n, type=lambda s: pathlib.Path(s).resolve())
    o = a.parse_args()
    o.out = o.out.resolve()
    torch.manual_seed(SEED)
    if o.sam:
        sam(o.out, o.sam, "segment_anything", "sam", small_sam, 1.0)
    if o.mobilesam:
        sam(o.out, o.mobilesam, "mobile_sam", "mobilesam", lambda lib: lib.sam_model_registry["vit_t"](checkpoint=None), 1.0)
    if o.nanosam:
        nanosam(o.out, o.nanosam)
    if o.edgesam:
        edge_sam(o.out, o.edgesam)
    if o.efficientsam:
        efficient_sam(o.out, o.efficientsam)
    if o.sam2 and o.samexporter:
        sam2(o.out, o.sam2, o.samexporter)


if __name__ == "__main__":
    main()
