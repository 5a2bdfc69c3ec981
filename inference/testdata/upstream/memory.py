#!/usr/bin/env python3
"""Runs the published video code of SAM 2.1, Isaac ROS and EdgeTAM with seeded random weights over 20 frames with two objects and a correction,
and writes what inference/memory is compared with: ONNX graphs, the frames, and every frame's masks, scores and object pointers.

It fetches nothing: it takes paths to checkouts, one model a run, since all of them call their package sam2.
    memory.py OUT sam2    --upstream facebookresearch/sam2                     answers and four graphs, as NVIDIA's export writes them
    memory.py OUT nvidia  --upstream NVIDIA-AI-IOT/deepstream_tools/sam2-onnx-tensorrt --exporter facebookresearch/sam2   its own exporter, 1024 pixels
    memory.py OUT isaac   --upstream facebookresearch/sam2 --exporter isaac_ros_image_segmentation/isaac_ros_segment_anything2/scripts
    memory.py OUT edgetam --upstream facebookresearch/EdgeTAM                  answers and four graphs, exported here: it has no exporter
    SEGEDGE_UPSTREAM=OUT go test ./inference/onnx -run UpstreamMemory -v
Needs torch, torchvision, timm, onnx, hydra-core, iopath, tqdm (Python 3.11).

What differs from upstream's video predictor, because the graphs do: a prompt of several points, too, is answered by the mask that is believed
most; what goes into the memory has the sigmoid applied twice (NVIDIA's decoder applies it, and its memory encoder does again). A corrected
frame becomes a conditioning frame (upstream's add_all_frames_to_correct_as_cond).
"""
import argparse
import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from reference import picture, randomise

FRAMES, W, H = 20, 320, 240
SIDE = 256  # of the model's input: the same code as at 1024, in a hundredth of the time
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
# Who is asked about when, in the picture's pixels: two objects, the second two frames later, and a correction of the first.
SCRIPT = {
    0: {1: {"points": [[96, 100]], "labels": [1]}},
    2: {2: {"points": [[200, 60], [280, 170]], "labels": [2, 3]}},
    8: {1: {"points": [[110, 130], [40, 40]], "labels": [1, 0]}},
}


def frames():
    """A picture that drifts, so that no two frames are alike."""
    wide = picture(W + 4 * FRAMES, H + 2 * FRAMES, 11)
    return [np.ascontiguousarray(wide[2 * t:2 * t + H, 4 * t:4 * t + W]) for t in range(FRAMES)]


def squashed(im, side):
    """As upstream loads a video's frames: Pillow's default filter, on bytes."""
    x = torch.from_numpy(np.array(Image.fromarray(im).resize((side, side)))).permute(2, 0, 1).float() / 255
    return ((x - MEAN) / STD)[None]


def points(q, side):
    p = torch.tensor(q["points"], dtype=torch.float) / torch.tensor([W, H]) * side
    return {"point_coords": p[None], "point_labels": torch.tensor(q["labels"], dtype=torch.int32)[None]}


class Writer:
    def __init__(self, out, name):
        self.dir, self.steps = out / name, []
        self.dir.mkdir(parents=True, exist_ok=True)
        for t, im in enumerate(frames()):
            (self.dir / f"{t}.rgb").write_bytes(im.tobytes())

    def add(self, t, obj, q, logits, score, ptr):
        name = f"{t}.{obj}.f32"
        logits.detach().numpy().astype(np.float32).tofile(self.dir / name)
        self.steps.append({"frame": t, "object": obj, "asked": q, "logits": name, "shape": list(logits.shape[-2:]),
                           "score": float(score), "pointer": [float(v) for v in ptr.flatten()[:8]]})

    def close(self):
        (self.dir / "steps.json").write_text(json.dumps({"size": [W, H], "frames": FRAMES, "steps": self.steps}, indent=1))
        s = [abs(x["score"]) for x in self.steps]
        print(f"{self.dir.name}: {len(self.steps)} answers, {sum(x['score'] > 0 for x in self.steps)} present, nearest score to zero {min(s):.3f}")


def build(config_dir, name, overrides):
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.utils import instantiate
    from omegaconf import OmegaConf
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str(config_dir.resolve()), version_base="1.2"):
        cfg = compose(config_name=name, overrides=overrides + [
            "++model.sam_mask_decoder_extra_args.dynamic_multimask_via_stability=true",
            "++model.sam_mask_decoder_extra_args.dynamic_multimask_stability_delta=0.05",
            "++model.sam_mask_decoder_extra_args.dynamic_multimask_stability_thresh=0.98"])
        OmegaConf.resolve(cfg)
        return instantiate(cfg.model, _recursive_=True).eval()


def seeded(model, bias):
    """Seeded weights; the occlusion score is moved so that objects are there in some frames and not in others."""
    randomise(model, 1.0)
    with torch.no_grad():
        model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias += bias
        model.maskmem_tpos_enc.copy_(torch.randn(model.maskmem_tpos_enc.shape, generator=torch.Generator().manual_seed(3)) * 0.5)
        for layer in model.memory_attention.layers:  # at random, attention spreads over all keys alike, and every memory would look the same
            a = layer.cross_attn_image
            for p in a.q_proj, a.k_proj:
                p.weight *= 2
    return model


def sigmoid_twice(model):
    encode = model._encode_new_memory
    model._encode_new_memory = lambda pred_masks_high_res, **k: encode(
        pred_masks_high_res=torch.sigmoid(pred_masks_high_res) * model.sigmoid_scale_for_mem_enc + model.sigmoid_bias_for_mem_enc, **k)


def follow(model, w):
    """Upstream's track_step, frame by frame and object by object, with its own choice of memories."""
    model.multimask_max_pt_num = 9
    sigmoid_twice(model)
    memory = {}
    for t, im in enumerate(frames()):
        _, feats, pos, sizes = model._prepare_backbone_features(model.forward_image(squashed(im, model.image_size)))
        asked = SCRIPT.get(t, {})
        for obj in sorted(set(memory) | set(asked)):
            new = obj not in memory
            mine = memory.setdefault(obj, {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}})
            out = model.track_step(
                frame_idx=t, is_init_cond_frame=new, current_vision_feats=feats, current_vision_pos_embeds=pos, feat_sizes=sizes,
                point_inputs=points(asked[obj], model.image_size) if obj in asked else None, mask_inputs=None, output_dict=mine, num_frames=FRAMES)
            mine["cond_frame_outputs" if obj in asked else "non_cond_frame_outputs"][t] = out
            w.add(t, obj, asked.get(obj), out["pred_masks"][0, 0], out["object_score_logits"], out["obj_ptr"])
            print(t, obj, float(out["object_score_logits"]), float(out["pred_masks"].min()), float(out["pred_masks"].max()), flush=True)


def tiny(o, side, overrides=()):
    """SAM 2.1's smallest, for an input of this size."""
    cells = f"[{side // 16},{side // 16}]"
    return seeded(build(o.upstream / "sam2" / "configs" / "sam2.1", "sam2.1_hiera_t", [
        f"model.image_size={side}", f"model.memory_attention.layer.self_attention.feat_sizes={cells}",
        f"model.memory_attention.layer.cross_attention.feat_sizes={cells}", *overrides]), o.bias)


def sam2(out, o):
    sys.path.insert(0, str(o.upstream))
    model = tiny(o, SIDE)
    w = Writer(out, "sam2-memory")
    with torch.no_grad():
        follow(model, w)
    w.close()
    in_real_numbers()
    with torch.no_grad():
        export(model, w.dir, SIDE)


def nvidia(out, o):
    """NVIDIA's export_sam2_onnx.py, its four functions, at the 1024 pixels that it is written for."""
    sys.path.insert(0, str(o.upstream))
    import export_sam2_onnx as ex
    model = tiny(o, 1024, ["model.memory_attention.num_layers=1"])
    w = Writer(out, "nvidia-memory")
    folder = str(w.dir) + "/"
    ex.export_image_encoder(ex.ImageEncoder(model), folder)
    ex.export_mask_decoder(ex.MaskDecoder(model), folder)
    with torch.no_grad():
        ex.export_memory_attention(ex.MemAttention(model), folder)
    ex.export_memory_encoder(ex.MemEncoder(model), folder)
    torch.save(model.state_dict(), w.dir / "weights.pt")


def isaac(out, o):
    """Isaac ROS's one graph, and its wrapper in PyTorch; between frames what its state manager keeps (SAM2Object::updateMemory)."""
    sys.path[:0] = [str(o.upstream), str(o.exporter)]
    import sam2_onnx_exporter as ex
    import sam2.modeling.sam.transformer as tr
    tr.apply_rotary_enc = ex.apply_rotary_enc_real  # its patch reaches only the module that defines it
    model = tiny(o, SIDE)
    wrapper = ex.SAM2Wrapper(model).eval()
    w = Writer(out, "isaac-memory")
    ex.export_sam2_to_onnx(wrapper, str(w.dir / "model.onnx"), (1, 3, SIDE, SIDE), (5, 4, 64, SIDE // 16, SIDE // 16))
    keep = {}
    scale = SIDE / max(W, H)
    small_h, small_w = round(H * scale) // 4, round(W * scale) // 4  # it is told that the picture is as large as its own masks
    to_small = torch.tensor([small_w / W, small_h / H])
    for t, im in enumerate(frames()):
        x = torch.zeros(3, SIDE, SIDE)
        small = torch.from_numpy(np.array(Image.fromarray(im).resize((round(W * scale), round(H * scale)), Image.BILINEAR))).permute(2, 0, 1).float()
        x[:, :small.shape[1], :small.shape[2]] = small
        x = ((x / 255 - MEAN) / STD)[None]
        asked = SCRIPT.get(t, {})
        old = [k for k in sorted(keep) if k not in asked]
        by_points = [k for k in sorted(asked) if 2 not in asked[k]["labels"]]
        by_box = [k for k in sorted(asked) if 2 in asked[k]["labels"]]
        order = old + by_points + by_box
        mem, ptr = torch.zeros(len(order), 4, 64, SIDE // 16, SIDE // 16), torch.zeros(len(order), 2, 256)
        for i, k in enumerate(old):
            mem[i], ptr[i] = torch.stack(keep[k][0]), torch.stack(keep[k][1])
        pts, labels = torch.zeros(len(by_points) + 1, 5, 2), -torch.ones(len(by_points) + 1, 5, dtype=torch.int32)
        for i, k in enumerate(by_points):
            n = len(asked[k]["labels"])
            pts[i, :n], labels[i, :n] = torch.tensor(asked[k]["points"]) * to_small, torch.tensor(asked[k]["labels"], dtype=torch.int32)
        boxes = torch.stack([(torch.tensor(asked[k]["points"]) * to_small).flatten() for k in by_box] + [torch.zeros(4)])
        masks, score, feat, pos, op = wrapper(x, mem, ptr, torch.tensor([small_h, small_w], dtype=torch.int32), torch.arange(len(order)), boxes, pts, labels)
        for i, k in enumerate(order):
            first = k not in old
            was = keep.get(k)
            keep[k] = ([feat[i], pos[i], feat[i], pos[i]] if first else was[0][:2] + [feat[i], pos[i]], [op[i], op[i]] if first else was[1][:1] + [op[i]])
            w.add(t, k, asked.get(k), masks[i, 0], score[i], op[i])
        print(t, [float(s) for s in score], flush=True)
    w.close()


def rotate(x, cis, repeat):
    """Rotary positions in real numbers, since ONNX has no complex ones: tokens that have a place in the grid are turned by it, others stay."""
    if repeat == 0 or x.shape[-2] == 0:
        return x
    b, heads, n, c = x.shape
    grid = cis.shape[0]
    x = x.reshape(b, heads, repeat, -1, c)
    still, x = x[..., :x.shape[3] - grid, :], x[..., x.shape[3] - grid:, :]
    re, im = x[..., 0::2], x[..., 1::2]
    cos, sin = cis.real, cis.imag
    x = torch.stack([re * cos - im * sin, re * sin + im * cos], -1).flatten(-2)
    return torch.cat([still, x], 3).reshape(b, heads, n, c)


def in_real_numbers():
    import sam2.modeling.sam.transformer as tr
    tr.apply_rotary_enc = lambda q, k, freqs_cis, repeat_freqs_k=False: (
        rotate(q, freqs_cis, 1), rotate(k, freqs_cis, k.shape[-2] // freqs_cis.shape[0] if repeat_freqs_k else 1))
    tr.apply_rotary_enc_v2 = lambda x, freqs_cis, repeat_freqs: rotate(x, freqs_cis, repeat_freqs)


def by_label(self, points, labels, pad):
    """EdgeTAM's PromptEncoder._embed_points with torch.where in the place of masked assignments, which are exported for one number of points."""
    points = points + 0.5
    if pad:
        points = torch.cat([points, torch.zeros((points.shape[0], 1, 2))], dim=1)
        labels = torch.cat([labels, -torch.ones((labels.shape[0], 1))], dim=1)
    x = self.pe_layer.forward_with_coords(points, self.input_image_size)
    labels = labels[..., None]
    x = torch.where(labels == -1, self.not_a_point_embed.weight, x)
    for i, e in enumerate(self.point_embeddings):
        x = torch.where(labels == i, x + e.weight, x)
    return x


def edgetam(out, o):
    sys.path.insert(0, str(o.upstream))
    import timm.models
    import sam2.modeling.backbones.timm as backbone
    backbone.create_model = lambda *a, pretrained=False, **k: timm.models.create_model(*a, pretrained=False, **k)  # nothing is fetched
    cells = f"[{SIDE // 16},{SIDE // 16}]"
    model = seeded(build(o.upstream / "sam2" / "configs", "edgetam", [
        f"model.image_size={SIDE}", f"model.memory_attention.layer.cross_attention.q_sizes={cells}",
        f"model.memory_attention.layer.self_attention.feat_sizes={cells}"]), o.bias)
    w = Writer(out, "edgetam-memory")
    with torch.no_grad():
        follow(model, w)
    w.close()
    from sam2.modeling.sam.prompt_encoder import PromptEncoder
    PromptEncoder._embed_points = by_label
    in_real_numbers()
    torch.Tensor.view = torch.Tensor.reshape  # its perceiver views what only one object leaves in one piece
    with torch.no_grad():
        export(model, w.dir, SIDE)


class Encoder(torch.nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, image):
        b = self.m.forward_image(image)
        _, feats, pos, _ = self.m._prepare_backbone_features(b)
        f = b["backbone_fpn"]
        return f[2], f[0], f[1], f[2] + self.m.no_mem_embed.view(1, -1, 1, 1), pos[-1]


class Decoder(torch.nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, point_coords, point_labels, image_embed, high_res_feats_0, high_res_feats_1):
        n = point_coords.shape[0]
        _, _, ious, low, high, ptr, occ = self.m._forward_sam_heads(
            image_embed, {"point_coords": point_coords, "point_labels": point_labels},
            high_res_features=[high_res_feats_0.repeat(n, 1, 1, 1), high_res_feats_1.repeat(n, 1, 1, 1)], multimask_output=True)
        mask = torch.sigmoid(high) * self.m.sigmoid_scale_for_mem_enc + self.m.sigmoid_bias_for_mem_enc
        return ptr, mask, low, ious.max(-1, keepdim=True)[0], occ


class Attention(torch.nn.Module):
    """SAM 2.1's pointers are told apart by their age, and the graph is told that of the first; EdgeTAM's are not."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, current_vision_feat, current_vision_pos_embed, memory_0, memory_1, memory_pos_embed, cond_frame_id_diff=None):
        m = self.m
        b, n, k = memory_0.shape[0], memory_0.shape[1], memory_1.shape[1]
        side = current_vision_feat.shape[-1]
        curr = (current_vision_feat - m.no_mem_embed.view(1, -1, 1, 1)).flatten(2).permute(2, 0, 1).repeat(1, b, 1)
        spatial = memory_1.flatten(3).transpose(2, 3) if memory_1.dim() == 5 else memory_1
        memory = torch.cat([spatial.flatten(1, 2), memory_0.reshape(b, n * 4, 64)], 1).permute(1, 0, 2)
        if cond_frame_id_diff is not None:
            from sam2.modeling.sam2_utils import get_1d_sine_pe
            age = torch.cat([cond_frame_id_diff[None], torch.arange(1, n, dtype=torch.float)])
            code = m.obj_ptr_tpos_proj(get_1d_sine_pe(age / (m.max_obj_ptrs_in_encoder - 1), dim=256)).repeat_interleave(4, dim=0)
            spatial = memory_pos_embed[:, :memory_pos_embed.shape[1] - 4 * n]
            memory_pos_embed = torch.cat([spatial, code[None].repeat(b, 1, 1)], 1)
        kwds = {"num_spatial_mem": k} if hasattr(m, "spatial_perceiver") else {}
        x = m.memory_attention(curr=curr, curr_pos=current_vision_pos_embed.repeat(1, b, 1), memory=memory,
                               memory_pos=memory_pos_embed.permute(1, 0, 2), num_obj_ptr_tokens=n * 4, **kwds)
        return x.permute(1, 2, 0).reshape(b, 256, side, side)


class Memory(torch.nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, mask_for_mem, pix_feat, occ_logit):
        b, side = mask_for_mem.shape[0], pix_feat.shape[-1]
        feats = pix_feat.flatten(2).permute(2, 0, 1).repeat(1, b, 1)
        encode = type(self.m)._encode_new_memory
        f, p = encode(self.m, current_vision_feats=[feats], feat_sizes=[(side, side)], pred_masks_high_res=mask_for_mem,
                      object_score_logits=occ_logit, is_mask_from_pts=True)
        return f, p[0] if p[0].dim() == 3 else p[0].flatten(2).transpose(1, 2), self.m.maskmem_tpos_enc


def export(m, folder, side):
    s, batch = side // 16, {0: "objects"}
    image = torch.zeros(1, 3, side, side)

    def save(module, name, args, inputs, outputs, axes):
        torch.onnx.export(module.eval(), args, str(folder / name), opset_version=17, input_names=inputs, output_names=outputs, dynamic_axes=axes)

    pix, h0, h1, vision, pos = Encoder(m)(image)
    save(Encoder(m), "image_encoder.onnx", image, ["image"], ["pix_feat", "high_res_feat0", "high_res_feat1", "vision_feats", "vision_pos_embed"], {})
    names = ["point_coords", "point_labels", "image_embed", "high_res_feats_0", "high_res_feats_1"]
    some = {0: "objects", 1: "points"}
    save(Decoder(m), "mask_decoder.onnx", (torch.rand(2, 2, 2) * side, torch.ones(2, 2), vision.repeat(2, 1, 1, 1), h0, h1), names,
         ["obj_ptr", "mask_for_mem", "pred_mask", "iou", "occ_logit"],
         {"point_coords": some, "point_labels": some, "image_embed": batch, "obj_ptr": batch, "mask_for_mem": batch, "pred_mask": batch, "iou": batch, "occ_logit": batch})
    timed = m.add_tpos_enc_to_obj_ptrs
    memory, tokens = ((2, 2, 64, s, s), s * s) if timed else ((2, 2, 512, 64), 512)
    save(Attention(m), "memory_attention.onnx",
         (vision, pos, torch.rand(2, 3, 256), torch.rand(memory), torch.rand(2, 2 * tokens + 12, 64)) + ((torch.tensor(10.0),) if timed else ()),
         ["current_vision_feat", "current_vision_pos_embed", "memory_0", "memory_1", "memory_pos_embed"] + ["cond_frame_id_diff"] * timed, ["image_embed"],
         {"memory_0": {0: "objects", 1: "pointers"}, "memory_1": {0: "objects", 1: "memories"}, "memory_pos_embed": {0: "objects", 1: "tokens"}, "image_embed": batch})
    save(Memory(m), "memory_encoder.onnx", (torch.rand(2, 1, side, side), pix, torch.ones(2, 1)), ["mask_for_mem", "pix_feat", "occ_logit"],
         ["maskmem_features", "maskmem_pos_enc", "temporal_code"], {"mask_for_mem": batch, "occ_logit": batch, "maskmem_features": batch, "maskmem_pos_enc": batch})


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("out", type=pathlib.Path)
    a.add_argument("what", choices=["sam2", "nvidia", "isaac", "edgetam"])
    a.add_argument("--upstream", type=lambda s: pathlib.Path(s).resolve(), required=True)
    a.add_argument("--exporter", type=lambda s: pathlib.Path(s).resolve())
    a.add_argument("--bias", type=float, default=0.0, help="moves the occlusion score")
    o = a.parse_args()
    torch.manual_seed(7)
    globals()[o.what](o.out.resolve(), o)


if __name__ == "__main__":
    main()
