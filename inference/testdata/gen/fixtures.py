#!/usr/bin/env python3
"""Writes the fixture graphs: each has the exact signature of a published family and arithmetic that is known.

The mask is, in the model's own frame, a disc around each positive point or the inside of the box, without discs around
negative points, cut with the mask prompt, and only where the picture is red: so a wrong resize, padding, offset, label,
order, scale or a stale embedding all move or empty it. A decoder that wants a padding point answers nothing without it.

    /usr/bin/python3 inference/testdata/gen/fixtures.py inference/testdata/fixtures     (needs onnx, numpy)
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

FAR = 1e4  # a logit that decides
RED = 100.0  # red above this, of 255, belongs to objects
RADII = [60.0, 24.0, 48.0, 96.0]  # of the four tokens, pixels of the model's frame
HOLE = 20.0  # radius of what a negative point takes away
SCORES = [0.5, 0.6, 0.9, 0.7]
MEAN = np.array([123.675, 116.28, 103.53], np.float32).reshape(1, 3, 1, 1)
STD = np.array([58.395, 57.12, 57.375], np.float32).reshape(1, 3, 1, 1)


class Graph:
    """A graph under construction; every method gives the name of its result."""

    def __init__(self):
        self.nodes, self.weights, self.inputs, self.outputs = [], [], [], []

    def input(self, name, shape, kind=T.FLOAT):
        self.inputs.append(h.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, value, name, shape):
        self.nodes.append(h.make_node("Identity", [value], [name]))
        self.outputs.append(h.make_tensor_value_info(name, T.FLOAT, shape))

    def const(self, value, dtype=np.float32):
        name = f"c{len(self.weights)}"
        self.weights.append(nh.from_array(np.asarray(value, dtype), name))
        return name

    def ints(self, *values):
        return self.const(values, np.int64)

    def op(self, kind, *args, **attrs):
        name = f"v{len(self.nodes)}"
        args = [a if isinstance(a, str) else self.const(a) for a in args]
        self.nodes.append(h.make_node(kind, args, [name], **attrs))
        return name

    def save(self, path):
        graph = h.make_graph(self.nodes, path.stem, self.inputs, self.outputs, self.weights)
        model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8, producer_name="segedge fixtures")
        onnx.checker.check_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, str(path))

    # --- shorthands

    def channels(self, x, n):
        """Pads channels with zeros up to n."""
        return self.op("Pad", x, self.ints(0, 0, 0, 0, 0, n - 3, 0, 0))

    def slice(self, x, axis, a, b):
        return self.op("Slice", x, self.ints(a), self.ints(b), self.ints(axis))

    def label(self, labels, value):
        """1 where the label has the value, else 0, as [P,N,1,1]."""
        same = self.op("Cast", self.op("Equal", labels, self.const(value)), to=T.FLOAT)
        return self.op("Unsqueeze", same, self.ints(2, 3))

    def unless(self, condition, value, other):
        """value where condition is 1, other where it is 0."""
        off = self.op("Mul", self.op("Sub", 1.0, condition), other)
        return self.op("Add", self.op("Mul", value, condition), off)

    def reduce(self, how, x):
        """Over the points, axis 1, which stays as 1."""
        if how == "Sum":
            return self.op("ReduceSum", x, self.ints(1), keepdims=1)
        return self.op("Reduce" + how, x, axes=[1], keepdims=1)

    def pool(self, x, n):
        return self.op("AveragePool", x, kernel_shape=[n, n], strides=[n, n])


def packed(g, image, cells=256):
    """A picture of 256 cells a side, put into [1,256,64,64] as published embeddings are."""
    deep = g.op("SpaceToDepth", image, blocksize=cells // 64)
    return g.op("Pad", deep, g.ints(0, 0, 0, 0, 0, 256 - 3 * (cells // 64) ** 2, 0, 0))


def unpacked(g, embedding):
    return g.op("DepthToSpace", g.slice(embedding, 1, 0, 48), blocksize=4)


def red(g, image):
    """How red each cell is, -20 to 20: positive inside objects. image is 0..255 RGB."""
    return g.op("Mul", g.op("Sub", g.slice(image, 1, 0, 1), RED), 0.2)


def mask(g, points, labels, grid, where, tokens, pad, prompt=None, negatives=True, scale=1.0):
    """The known arithmetic. points [P,N,2] from the corner of the first pixel, labels [P,N], grid = (x, y) of the cells'
    centres, prompt = (mask [P,1,H,W], has broadcastable to it); gives [P,K,H,W]."""
    gx, gy = grid
    px = g.op("Unsqueeze", g.slice(points, 2, 0, 1), g.ints(3))
    py = g.op("Unsqueeze", g.slice(points, 2, 1, 2), g.ints(3))
    dx, dy = g.op("Sub", gx, px), g.op("Sub", gy, py)
    d = g.op("Sqrt", g.op("Add", g.op("Mul", dx, dx), g.op("Mul", dy, dy)))
    pos, a, b = g.label(labels, 1.0), g.label(labels, 2.0), g.label(labels, 3.0)
    disc = g.reduce("Max", g.unless(pos, g.op("Neg", d), -FAR))
    disc = g.op("Add", disc, scale * np.array([RADII[t] for t in tokens], np.float32).reshape(1, -1, 1, 1))
    box = g.reduce("Max", a)
    x0, y0 = g.reduce("Sum", g.op("Mul", px, a)), g.reduce("Sum", g.op("Mul", py, a))
    x1, y1 = g.reduce("Sum", g.op("Mul", px, b)), g.reduce("Sum", g.op("Mul", py, b))
    inside = g.op("Min", g.op("Min", g.op("Sub", gx, x0), g.op("Sub", x1, gx)), g.op("Min", g.op("Sub", gy, y0), g.op("Sub", y1, gy)))
    m = g.op("Max", disc, g.unless(box, inside, -FAR))
    m = g.unless(g.op("Max", box, g.reduce("Max", pos)), m, FAR)  # a mask alone
    if negatives:
        neg = g.label(labels, 0.0)
        m = g.op("Min", m, g.reduce("Min", g.unless(neg, g.op("Sub", d, scale * HOLE), FAR)))
    if pad:  # exactly one padding point, and none beside a box
        n = g.op("Add", g.reduce("Sum", g.label(labels, -1.0)), box)
        m = g.unless(g.op("Cast", g.op("Equal", n, 1.0), to=T.FLOAT), m, -FAR)
    if prompt:
        m = g.op("Min", m, g.op("Add", g.op("Mul", prompt[0], prompt[1]), g.op("Mul", g.op("Sub", 1.0, prompt[1]), FAR)))
    return g.op("Min", m, where)


def scores(g, labels, tokens):
    zero = g.op("Mul", g.op("ReduceSum", labels, g.ints(1), keepdims=1), 0.0)
    return g.op("Add", zero, np.array([[SCORES[t] for t in tokens]], np.float32))


def square(n=256, size=1024):
    c = (np.arange(n, dtype=np.float32) + 0.5) * size / n
    return c.reshape(1, 1, 1, n), c.reshape(1, 1, n, 1)


def resize(g, x, lead, size, mode="linear"):
    sizes = g.op("Concat", lead, g.op("Cast", size, to=T.INT64), axis=0)
    return g.op("Resize", x, "", "", sizes, mode=mode, coordinate_transformation_mode="half_pixel")


def sam_encoder(path, size=1024, name="image"):
    g = Graph()
    raw = g.op("Add", g.op("Mul", g.input(name, [1, 3, size, size]), STD), MEAN)
    g.output(packed(g, g.pool(raw, size // 256)), "image_embeddings", [1, 256, 64, 64])
    g.save(path)


def raw_encoder(path):
    """samexporter's with the pre-processing inside: any size up to 1024, padded here."""
    g = Graph()
    x = g.op("Transpose", g.input("input_image", ["image_height", "image_width", 3]), perm=[2, 0, 1])
    hw = g.slice(g.op("Shape", x), 0, 1, 3)
    pads = g.op("Concat", g.ints(0, 0, 0, 0), g.op("Sub", g.ints(1024, 1024), hw), axis=0)
    whole = g.op("Unsqueeze", g.op("Pad", x, pads), g.ints(0))
    g.output(packed(g, g.pool(whole, 4)), "image_embeddings", [1, 256, 64, 64])
    g.save(path)


def sam_decoder(path, tokens=(0, 1, 2, 3), size=True, with_mask=True, order=("masks", "iou_predictions", "low_res_masks"), names=None):
    g = Graph()
    names = names or {}
    e = g.input("image_embeddings", [1, 256, 64, 64])
    points = g.op("Add", g.input("point_coords", [1, "num_points", 2]), 0.5)
    labels = g.input("point_labels", [1, "num_points"])
    prompt = None
    if with_mask:
        prompt = (g.input("mask_input", [1, 1, 256, 256]), g.input("has_mask_input", [1]))
    k = len(tokens)
    m = mask(g, points, labels, square(), red(g, unpacked(g, e)), tokens, True, prompt)
    for o in order:
        if o == "masks":
            hw = g.input("orig_im_size", [2]) if size else None
            g.output(resize(g, m, g.ints(1, k), hw), "masks", [1, k, None, None])
        elif o == "low_res_masks":
            g.output(m, names.get(o, o), [1, k, 256, 256])
        else:
            g.output(scores(g, labels, tokens), names.get(o, o), [1, k])
    g.save(path)


def efficient_sam(folder):
    def encode(g, image):
        whole = g.op("Resize", g.op("Mul", image, 255.0), "", "", g.ints(1, 3, 1024, 1024), mode="linear", coordinate_transformation_mode="half_pixel")
        return g.pool(whole, 4)

    def decode(g, image, size):
        p, l = g.input("batched_point_coords", [1, 1, "num_points", 2]), g.input("batched_point_labels", [1, 1, "num_points"])
        wh = g.op("Cast", g.op("Concat", g.slice(size, 0, 1, 2), g.slice(size, 0, 0, 1), axis=0), to=T.FLOAT)
        p, l = g.op("Squeeze", p, g.ints(1)), g.op("Squeeze", l, g.ints(1))
        q = g.op("Add", g.op("Mul", p, g.op("Div", 1024.0, wh)), 0.5)
        lost = g.op("Less", p, 0.0)  # a coordinate below zero is no place
        q = g.op("Where", lost, -FAR, q)
        m = mask(g, q, l, square(), red(g, image), (1, 2, 3), False, None, negatives=False)
        m = g.op("Unsqueeze", resize(g, m, g.ints(1, 3), size), g.ints(1))
        g.output(m, "output_masks", [1, 1, 3, None, None])
        g.output(g.op("Unsqueeze", scores(g, l, (1, 2, 3)), g.ints(1)), "iou_predictions", [1, 1, 3])

    g = Graph()
    g.output(packed(g, encode(g, g.input("batched_images", ["batch", 3, "height", "width"]))), "image_embeddings", ["batch", 256, 64, 64])
    g.save(folder / "efficientsam" / "encoder.onnx")
    g = Graph()
    e = g.input("image_embeddings", ["batch", 256, 64, 64])
    decode(g, unpacked(g, e), g.input("orig_im_size", [2], T.INT64))
    g.save(folder / "efficientsam" / "decoder.onnx")
    g = Graph()
    x = g.input("batched_images", ["batch", 3, "height", "width"])
    decode(g, encode(g, x), g.slice(g.op("Shape", x), 0, 2, 4))
    g.save(folder / "efficientsam-single" / "model.onnx")


def sam2(folder, sized):
    g = Graph()
    raw = g.op("Add", g.op("Mul", g.input("image", [1, 3, 1024, 1024]), STD), MEAN)
    g.output(g.channels(g.pool(raw, 4), 32), "high_res_feats_0", [1, 32, 256, 256])
    g.output(g.channels(g.pool(raw, 8), 64), "high_res_feats_1", [1, 64, 128, 128])
    g.output(g.channels(g.pool(raw, 16), 256), "image_embed", [1, 256, 64, 64])
    g.save(folder / "encoder.onnx")

    g = Graph()
    g.input("image_embed", [1, 256, 64, 64])
    fine = g.input("high_res_feats_0", [1, 32, 256, 256])
    g.input("high_res_feats_1", [1, 64, 128, 128])
    points = g.op("Add", g.input("point_coords", ["num_labels", "num_points", 2]), 0.5)
    labels = g.input("point_labels", ["num_labels", "num_points"])
    given = g.input("mask_input", ["num_labels", 1, 256, 256])
    has = g.input("has_mask_input", ["num_labels"])  # multiplies along the last axis, as in the published export
    tokens = (1, 2, 3)
    m = mask(g, points, labels, square(), red(g, fine), tokens, False, (given, has))
    if sized:
        hw = g.input("orig_im_size", [2], T.INT32)
        lead = g.op("Concat", g.slice(g.op("Shape", labels), 0, 0, 1), g.ints(3), axis=0)
        m = resize(g, m, lead, hw)
    g.output(m, "masks", ["num_labels", 3, None, None] if sized else ["num_labels", 3, 256, 256])
    g.output(scores(g, labels, tokens), "iou_predictions", ["num_labels", 3])
    g.save(folder / "decoder.onnx")


def segedge(folder):
    g = Graph()
    x = g.input("image", [1, 3, "height", "width"])
    g.output(g.channels(g.pool(x, 8), 64), "embed_8", [1, 64, "h8", "w8"])
    g.output(g.channels(g.pool(x, 4), 32), "embed_4", [1, 32, "h4", "w4"])
    g.save(folder / "encoder.onnx")

    segedge_decoder(folder / "decoder.onnx", 1)
    segedge_decoder(folder / "decoder-stacks.onnx", "embeddings")


def segedge_decoder(path, embeddings):
    """embeddings is 1 where all prompts share one, or the name of a dimension: one for all, or each prompt its own."""
    g = Graph()
    g.input("embed_8", [embeddings, 64, "h8", "w8"])
    fine = g.input("embed_4", [embeddings, 32, "h4", "w4"])
    points, labels = g.input("point_coords", ["prompts", "points", 2]), g.input("point_labels", ["prompts", "points"])
    given, has = g.input("mask_input", ["prompts", 1, "h4", "w4"]), g.input("has_mask_input", ["prompts", 1])

    def axis(i, shape):
        n = g.op("Squeeze", g.slice(g.op("Shape", fine), 0, i, i + 1))
        r = g.op("Cast", g.op("Range", g.const(0, np.int64), n, g.const(1, np.int64)), to=T.FLOAT)
        return g.op("Reshape", g.op("Add", g.op("Mul", r, 4.0), 2.0), g.ints(*shape))

    grid = axis(3, (1, 1, 1, -1)), axis(2, (1, 1, -1, 1))
    has = g.op("Unsqueeze", has, g.ints(2, 3))
    tokens = (0, 1, 2, 3)
    m = mask(g, points, labels, grid, red(g, fine), tokens, False, (given, has), scale=0.5)
    g.output(m, "low_res_masks", ["prompts", 4, "h4", "w4"])
    g.output(scores(g, labels, tokens), "iou_predictions", ["prompts", 4])
    g.save(path)


def sam2_video(folder, side=256):
    """SAM 2's four video graphs as NVIDIA exports them, at 256 pixels. Memory is where the object was, in cells of 16 pixels; what is tracked is
    the red within three cells of any memory; there is an object where anything of it is seen."""
    cells, low = side // 16, side // 4
    g = Graph()
    raw = g.op("Add", g.op("Mul", g.input("image", [1, 3, side, side]), STD), MEAN)
    coarse = g.channels(g.pool(raw, 16), 256)
    g.output(coarse, "pix_feat", [1, 256, cells, cells])
    g.output(g.channels(g.pool(raw, 4), 32), "high_res_feat0", [1, 32, low, low])
    g.output(g.channels(g.pool(raw, 8), 64), "high_res_feat1", [1, 64, side // 8, side // 8])
    g.output(coarse, "vision_feats", [1, 256, cells, cells])
    g.output(g.op("Expand", 0.0, g.ints(cells * cells, 1, 256)), "vision_pos_embed", [cells * cells, 1, 256])
    g.save(folder / "image_encoder.onnx")

    g = Graph()
    g.input("current_vision_feat", [1, 256, cells, cells])
    g.input("current_vision_pos_embed", [cells * cells, 1, 256])
    pointers = g.input("memory_0", ["batch_size", "num", 256])
    memories = g.input("memory_1", ["batch_size", "buff_size", 64, cells, cells])
    g.input("memory_pos_embed", ["batch_size", "buff_size_embed", 64])
    age = g.input("cond_frame_id_diff", [])
    was = g.slice(g.op("ReduceMax", memories, axes=[1], keepdims=0), 1, 0, 1)
    near = g.op("MaxPool", was, kernel_shape=[7, 7], pads=[3, 3, 3, 3])
    used = g.op("Mul", g.op("Add", g.op("ReduceSum", pointers, g.ints(1, 2), keepdims=1), age), 0.0)
    near = g.op("Add", near, g.op("Unsqueeze", used, g.ints(3)))
    g.output(g.op("Pad", near, g.ints(0, 3, 0, 0, 0, 252, 0, 0)), "image_embed", ["batch_size", 256, cells, cells])
    g.save(folder / "memory_attention.onnx")

    g = Graph()
    points = g.op("Add", g.input("point_coords", ["batch_size", "num_points", 2]), 0.5)
    labels = g.input("point_labels", ["batch_size", "num_points"])
    embed = g.input("image_embed", ["batch_size", 256, cells, cells])
    where = red(g, g.input("high_res_feats_0", [1, 32, low, low]))
    g.input("high_res_feats_1", [1, 64, side // 8, side // 8])
    asked = mask(g, points, labels, square(low, side), where, (0,), False, scale=0.5)
    wide = g.op("Resize", g.slice(embed, 1, 3, 4), "", g.const([1.0, 1.0, 4.0, 4.0]), mode="nearest", coordinate_transformation_mode="asymmetric",
                nearest_mode="floor")
    tracked = g.op("Min", where, g.op("Mul", g.op("Sub", wide, 0.25), 40.0))
    said = g.op("ReduceMax", labels, axes=[1], keepdims=1)
    said = g.op("Unsqueeze", g.op("Cast", g.op("Greater", said, 0.0), to=T.FLOAT), g.ints(2, 3))
    m = g.unless(said, asked, tracked)
    high = g.op("Resize", m, "", g.const([1.0, 1.0, 4.0, 4.0]), mode="linear", coordinate_transformation_mode="half_pixel")
    most = g.op("ReduceMax", m, axes=[2, 3], keepdims=0)
    g.output(g.op("Mul", most, np.ones((1, 256))), "obj_ptr", ["batch_size", 256])
    g.output(g.op("Sub", g.op("Mul", g.op("Sigmoid", high), 20.0), 10.0), "mask_for_mem", ["batch_size", 1, side, side])
    g.output(m, "pred_mask", ["batch_size", 1, low, low])
    g.output(g.op("Add", g.op("Mul", most, 0.0), 0.9), "iou", ["batch_size", 1])
    g.output(most, "occ_logit", ["batch_size", 1])
    g.save(folder / "mask_decoder.onnx")

    g = Graph()
    given = g.input("mask_for_mem", ["batch_size", 1, side, side])
    g.input("pix_feat", [1, 256, cells, cells])
    seen = g.input("occ_logit", ["batch_size", 1])
    was = g.op("Div", g.op("Add", g.pool(given, 16), 10.0), 20.0)
    was = g.op("Add", was, g.op("Unsqueeze", g.op("Mul", seen, 0.0), g.ints(2, 3)))
    g.output(g.op("Pad", was, g.ints(0, 0, 0, 0, 0, 63, 0, 0)), "maskmem_features", ["batch_size", 64, cells, cells])
    zeros = g.op("Mul", g.op("Unsqueeze", seen, g.ints(2)), g.op("Expand", 0.0, g.ints(1, cells * cells, 64)))
    g.output(zeros, "maskmem_pos_enc", ["batch_size", cells * cells, 64])
    g.output(g.op("Expand", 0.0, g.ints(7, 1, 1, 64)), "temporal_code", [7, 1, 1, 64])
    g.save(folder / "memory_encoder.onnx")


def main(folder):
    segedge(folder / "segedge")
    sam_encoder(folder / "sam" / "encoder.onnx")
    sam_decoder(folder / "sam" / "decoder.onnx")
    sam_decoder(folder / "sam" / "decoder-single.onnx", tokens=(2,))
    raw_encoder(folder / "sam-raw" / "encoder.onnx")
    sam_encoder(folder / "nanosam" / "encoder-512.onnx", size=512)
    sam_decoder(folder / "nanosam" / "decoder.onnx", size=False, order=("iou_predictions", "low_res_masks"))
    sam_decoder(folder / "edgesam" / "decoder.onnx", size=False, with_mask=False, order=("iou_predictions", "low_res_masks"),
                names={"iou_predictions": "scores", "low_res_masks": "masks"})
    efficient_sam(folder)
    sam2(folder / "sam2", False)
    sam2(folder / "sam2-sized", True)
    sam2_video(folder / "sam2-video")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
