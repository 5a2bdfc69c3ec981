"""The default model: a small image encoder, run once a frame, and a decoder, run for every prompt.

Everything that does not depend on the prompt is computed once (the encoder, and the decoder's `shared` part, which sees one
image however many prompts there are). A prompt costs about 70 M multiply-adds at 320x320, most of them at H/8 and H/16.

The encoder's trunk (trunk.py) is YOLOX-nano's or EfficientNet-Lite0's, so that their published weights (Apache-2.0) can start it.
The decoder has layer norms, and these on tokens only: a decoder sees other inputs in its first round (no mask) than in later ones, and running
statistics fit neither.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from trunk import TRUNKS, Depthwise

PAD = (124.0, 116.0, 104.0)  # what letterboxing fills with, RGB
EMBED8, EMBED4 = 64, 32


def up(x):
    """Bilinear, twice the size. In float32, whose backward pass on a CPU takes half as long as bfloat16's."""
    return F.interpolate(x.float(), scale_factor=2, mode="bilinear", align_corners=False).to(x.dtype)


def channels_last(x):
    """In training: x with its channels last in memory, and its gradient too. What mixes layouts takes a CPU several times as long."""
    if x.requires_grad:
        x = x.contiguous(memory_format=torch.channels_last)
        x.register_hook(lambda g: g.contiguous(memory_format=torch.channels_last))
    return x


# ---------------------------------------------------------------- encoder


def cbr(i, o, k=3, s=1, act=True):
    m = [nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*m, nn.ReLU(inplace=True)) if act else nn.Sequential(*m)


class Bottle(nn.Module):
    def __init__(self, c, m, zero=False):
        super().__init__()
        self.f = nn.Sequential(cbr(c, m, 1), cbr(m, m, 3), cbr(m, c, 1, act=False))
        if zero:  # starts as the identity, so that it can be added to a trained network
            nn.init.zeros_(self.f[2][1].weight)

    def forward(self, x):
        return F.relu(x + self.f(x))


class Norm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.float())  # also under autocast


class Attention(nn.Module):
    """A transformer block over tokens (B, N, C)."""

    def __init__(self, c, heads=4, ratio=2, zero=False):
        super().__init__()
        self.heads = heads
        self.n1, self.qkv, self.o = Norm(c), nn.Linear(c, 3 * c), nn.Linear(c, c)
        self.n2, self.m = Norm(c), nn.Sequential(nn.Linear(c, ratio * c), nn.ReLU(), nn.Linear(ratio * c, c))
        if zero:
            for last in (self.o, self.m[2]):
                nn.init.zeros_(last.weight), nn.init.zeros_(last.bias)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(self.n1(x)).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5).softmax(-1)
        x = x + self.o((a @ v).transpose(1, 2).reshape(b, n, c))
        return x + self.m(self.n2(x))


def tokens(x):
    return x.flatten(2).transpose(1, 2)


class Encoder(nn.Module):
    """RGB 0..255 (B,3,H,W) -> embed_8 (B,64,H/8,W/8), embed_4 (B,32,H/4,W/4)."""

    def __init__(self, trunk="yolox_nano"):
        super().__init__()
        self.trunk = TRUNKS[trunk]()
        c1, c2, c3, p3, p4, p5 = self.trunk.channels
        self.c3, self.p3 = nn.Conv2d(c3, EMBED8, 1), nn.Conv2d(p3, EMBED8, 1)
        self.p4, self.p5 = nn.Conv2d(p4, EMBED8, 1), nn.Conv2d(p5, EMBED8, 1)
        self.context = Attention(EMBED8, zero=True)
        self.bn8, self.f8 = nn.BatchNorm2d(EMBED8), nn.Sequential(Bottle(EMBED8, 32), Bottle(EMBED8, 32), Bottle(EMBED8, 32, True))
        self.l4, self.u4, self.bn4 = nn.Conv2d(c2, 40, 1), nn.Conv2d(EMBED8, 40, 1), nn.BatchNorm2d(40)
        self.l2 = nn.Conv2d(c1, 40, 2, 2)  # detail of H/2
        nn.init.zeros_(self.l2.weight), nn.init.zeros_(self.l2.bias)
        self.f4 = nn.Sequential(Bottle(40, 20), Bottle(40, 20, True), cbr(40, EMBED4, 1))

    def forward(self, x):
        c1, c2, c3, p3, p4, p5 = self.trunk(x)
        y = self.p4(p4) + up(self.p5(p5))
        y = self.context(tokens(y)).transpose(1, 2).reshape(y.shape)
        e8 = self.f8(self.bn8(self.c3(c3) + self.p3(p3) + up(y)))
        e4 = self.f4(self.bn4(self.l4(c2) + self.l2(c1) + up(self.u4(e8))))
        return e8, e4


# ---------------------------------------------------------------- decoder


class Block(nn.Module):
    """ConvNeXt's block without its norm: mixing in space by a depthwise convolution, in channels by two dense ones."""

    def __init__(self, c, k, ratio=2):
        super().__init__()
        self.d, self.a, self.b = Depthwise(c, k), nn.Conv2d(c, ratio * c, 1), nn.Conv2d(ratio * c, c, 1)
        with torch.no_grad():
            self.b.weight *= 0.3

    def forward(self, x):
        return x + self.b(F.relu(self.a(self.d(x))))


class Decoder(nn.Module):
    """Embeddings of B images and the prompt maps of P = B*M prompts -> logits (P,4,H/4,W/4) and IoU (P,4)."""

    def __init__(self, c16=96, c8=48, c4=16, cs=32):
        super().__init__()
        self.c4 = c4
        # once an image
        self.s16, self.s8, self.s4 = nn.Conv2d(EMBED8, c16, 3, 2, 1), nn.Conv2d(EMBED8, c8, 1), nn.Conv2d(EMBED4, c4, 1)
        self.sim8 = nn.Conv2d(EMBED8, cs, 1)
        # once a prompt
        self.m8 = nn.Conv2d(6, 32, 4, 2, 1)
        self.in8 = nn.Conv2d(32 + 3, c8, 1)
        self.down16, self.b16 = nn.Conv2d(c8, c16, 2, 2), Block(c16, 7)
        self.down32 = nn.Conv2d(c16, c16, 2, 2)
        self.query = nn.Linear(cs, c16)
        self.token = nn.Parameter(torch.randn(7, c16) * 0.02)
        self.att = nn.Sequential(Attention(c16), Attention(c16))
        self.norm = Norm(c16)
        self.up16, self.a16 = nn.Conv2d(c16, c16, 1), Block(c16, 5)
        self.up8, self.b8 = nn.Conv2d(c16, c8, 1), Block(c8, 5, 1)
        self.up4, self.m4 = nn.Conv2d(c8, c4, 1), nn.Conv2d(6, c4, 3, 1, 1)
        self.d4 = nn.Conv2d(c4, c4, 3, 1, 1)
        self.kernel = nn.Linear(c16, c4 + 1)
        self.iou = nn.Sequential(nn.Linear(c16, 64), nn.ReLU(), nn.Linear(64, 1))
        self.seen = nn.Linear(2 * c8 + 7, 64)  # starts as nothing, so that it can be added to a trained decoder
        nn.init.zeros_(self.seen.weight), nn.init.zeros_(self.seen.bias)

    def forward(self, e8, e4, maps):
        masks, token, held = self.masks(e8, e4, maps)
        return masks, self.believe(token, held)

    def believe(self, token, held):
        """The IoU expected of masks (P,4) by their tokens and by what they hold."""
        return self.iou[2](F.relu(self.iou[0](token) + self.seen(held))).squeeze(-1).sigmoid()

    def masks(self, e8, e4, maps):
        """Logits (P,4,H/4,W/4), the masks' tokens (P,4,C), and what the masks hold (P,4,D)."""
        b, p = e8.shape[0], maps.shape[0]
        one_each = b == 1 or torch.onnx.is_in_onnx_export()  # an exported decoder gets one embedding, or one for each prompt
        def both(t, y):  # an image's features and those of its prompts
            return t + y if one_each else (channels_last(t)[:, None] + y.unflatten(0, (b, -1))).flatten(0, 1)

        # Where the prompt looks: mean features under the positive, the negative clicks and the region, and how alike every place is.
        w = F.avg_pool2d(torch.cat([maps[:, :2], torch.maximum(maps[:, 4:5], maps[:, 2:3])], 1), 2).flatten(2)
        h8, w8 = e8.shape[-2:]
        f = F.normalize(channels_last(self.sim8(e8)).float(), dim=1).flatten(2)  # B,cs,hw
        w = w / (w.sum(-1, keepdim=True) + 1e-4)
        if not torch.onnx.is_in_onnx_export():
            w = w.reshape(b, -1, h8 * w8)
        q = w @ f.transpose(1, 2)  # B,M*3,cs
        sim = (q @ f).reshape(-1, 3, h8, w8)
        q = self.query(q.reshape(-1, 3, q.shape[-1]))

        x8 = F.relu(both(self.s8(e8), self.in8(channels_last(torch.cat([F.relu(self.m8(maps)), sim], 1)))))
        x16 = self.b16(both(self.s16(e8), self.down16(x8)))
        x32 = self.down32(x16)
        t = torch.cat([self.token + torch.cat([q, torch.zeros_like(q[:, :1]).expand(-1, 4, -1)], 1), tokens(x32)], 1)
        t = self.norm(self.att(t))
        x32 = channels_last(t[:, 7:].transpose(1, 2).reshape(x32.shape))
        x16 = self.a16(x16 + up(self.up16(x32)))
        x8 = self.b8(x8 + up(self.up8(x16)))
        x4 = F.relu(both(self.s4(e4), up(self.up4(x8)) + self.m4(maps)))
        x4 = channels_last(x4 + F.relu(self.d4(x4)))
        k = self.kernel(t[:, 3:7])
        masks = ((k[..., :-1] @ x4.flatten(2)) + k[..., -1:]).reshape(-1, 4, x4.shape[-2], x4.shape[-1])
        return masks, t[:, 3:7], holds(masks.detach().float(), x8.float())


def holds(masks, x8):
    """What four masks hold, by which they can be told apart (P,4,2*C+7): mean features inside each and around it, how large, how sure and how steady
    each is, and its IoU with each of the four. masks (P,4,H/4,W/4) logits, x8 (P,C,H/8,W/8)."""
    m = F.avg_pool2d(masks, 2)
    p = m.sigmoid()
    around = (F.max_pool2d(p, 5, 1, 2) - p).flatten(2)
    inside, x = p.flatten(2), tokens(x8)
    area = inside.sum(-1, keepdim=True)
    mean = lambda w: (w @ x) / (w.sum(-1, keepdim=True) + 1)
    sure = (inside * inside).sum(-1, keepdim=True) / (area + 1)
    steady = (m - 1).sigmoid().flatten(2).sum(-1, keepdim=True) / ((m + 1).sigmoid().flatten(2).sum(-1, keepdim=True) + 1)
    both = inside @ inside.transpose(1, 2)
    return torch.cat([mean(inside), mean(around), torch.log(area + 1) / 4, sure, steady, both / (area + area.transpose(1, 2) - both + 1)], -1)


def prompt_maps(coords, labels, mask, has):
    """Draws prompts at H/4: positive clicks, negative clicks, box, its edges, the mask, whether there is a mask. (P,6,H/4,W/4)

    coords (P,N,2) in input pixels, labels (P,N): 1 positive, 0 negative, 2 and 3 a box's corners, -1 nothing;
    mask (P,1,H/4,W/4) logits, has (P,1).
    """
    ys = torch.ones_like(mask[0, 0, :, 0]).cumsum(0) * 4 - 2
    xs = torch.ones_like(mask[0, 0, 0, :]).cumsum(0) * 4 - 2
    dx = xs[None, None, None, :] - coords[:, :, 0:1, None]  # P,N,1,W
    dy = ys[None, None, :, None] - coords[:, :, 1:2, None]  # P,N,H,1
    is_ = lambda v: (labels == v).to(mask.dtype)[:, :, None, None]
    gx, gy = torch.exp(-dx * dx / 72), torch.exp(-dy * dy / 72)
    pos = ((gx * is_(1)) * gy).amax(1, keepdim=True)
    neg = ((gx * is_(0)) * gy).amax(1, keepdim=True)
    a, b = is_(2), is_(3)
    any_ = b.amax(1, keepdim=True)
    sx, sy = torch.sigmoid(dx / 2), torch.sigmoid(dy / 2)
    inx = (sx * a).amax(1, keepdim=True) * ((1 - sx) * b).amax(1, keepdim=True)
    iny = (sy * a).amax(1, keepdim=True) * ((1 - sy) * b).amax(1, keepdim=True)
    ex = (torch.exp(-dx * dx / 50) * (a + b)).amax(1, keepdim=True)
    ey = (torch.exp(-dy * dy / 50) * (a + b)).amax(1, keepdim=True)
    has = has[:, :, None, None] * torch.ones_like(mask)
    return torch.cat([pos, neg, inx * iny * any_, torch.maximum(ex + ey * 0, ey + ex * 0), torch.sigmoid(mask) * has, has], 1)


class ExportedDecoder(nn.Module):
    """The decoder as its contract has it: P prompts in Segment Anything's form, one embedding for all of them or each its own."""

    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, embed_8, embed_4, point_coords, point_labels, mask_input, has_mask_input):
        return self.decoder(embed_8, embed_4, prompt_maps(point_coords, point_labels, mask_input, has_mask_input))


class Model(nn.Module):
    def __init__(self, trunk="yolox_nano"):
        super().__init__()
        self.trunk = trunk  # its name
        self.encoder, self.decoder = Encoder(trunk), Decoder()


def from_checkpoint(path):
    """The averaged weights of a training run's checkpoint."""
    ck = torch.load(path, map_location="cpu")
    model = Model(ck.get("trunk", "yolox_nano"))
    model.load_state_dict({"decoder.seen." + k: v for k, v in model.decoder.seen.state_dict().items()} | ck["ema"])
    return model


def from_graphs(folder):
    """The model of exported graphs."""
    import os

    import onnx

    named = {p.key: p.value for p in onnx.load(os.path.join(folder, "encoder.onnx")).metadata_props}
    model = Model(named.get("trunk", "yolox_nano"))
    load_graphs(model, folder)
    return model


def load_bootstrap(encoder, path):
    """Starts an encoder from the bootstrap's checkpoint: its trunk and neck; what is new here starts as the identity."""
    old = torch.load(path, map_location="cpu")["e"]
    flat = sorted((int(k[6:]), v) for k, v in old.items() if k.startswith("bb.w.w"))  # weight, bias, weight, bias, ...
    for conv, (_, w), (_, b) in zip(encoder.trunk.convs(), flat[0::2], flat[1::2]):
        conv.weight.data.copy_(w)
        conv.bias.data.copy_(b)
    neck = {k.replace("f4.1.", "f4.2."): v for k, v in old.items() if not k.startswith(("bb.", "l2.", "d2."))}
    missing, unexpected = encoder.load_state_dict(neck, strict=False)
    assert not unexpected, unexpected
    return [k for k in missing if not k.startswith("trunk.")]


def load_graphs(model, folder):
    """Starts the whole model from exported graphs (export.py), as a later round does when no checkpoint is left. The export folds each norm that
    follows a convolution into it, so those norms come back as a shift alone: train on with --freeze-norms."""
    import os

    import onnx
    from onnx import numpy_helper

    state = model.state_dict()
    for part, name in ((model.encoder, "encoder"), (model.decoder, "decoder")):
        graph = onnx.load(os.path.join(folder, name + ".onnx")).graph
        init = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in graph.initializer}
        for n in graph.node:  # of equal tensors the export keeps one
            if n.op_type == "Identity" and n.input[0] in init:
                init[n.output[0]] = init[n.input[0]]
        named = {k: v for k, v in init.items() if not k.startswith("onnx::")}
        for k, v in named.items():
            state[k if k.startswith(name) else f"{name}.{k}"] = v
        weights = lambda op: iter(init[n.input[1]] for n in graph.node if n.op_type == op and n.input[1] in init and n.input[1] not in named)
        biases = iter(init[n.input[2]] for n in graph.node if n.op_type == "Conv" and n.input[1] not in named)
        convs, dense = weights("Conv"), weights("MatMul")
        for prefix, m in in_order(part):
            at = f"{name}.{prefix}."
            if isinstance(m, nn.Linear) and prefix + ".bias" not in named and at + "bias" not in named:
                continue  # made before there was such a layer: it starts as nothing
            if isinstance(m, nn.Linear):
                state[at + "weight"] = next(dense).t()
            elif isinstance(m, nn.Conv2d) and m.bias is None:
                state[at + "weight"] = next(convs)
            elif isinstance(m, nn.BatchNorm2d) and prefix + ".weight" not in named:
                state[at + "weight"], state[at + "bias"] = torch.ones(m.num_features), next(biases)
                state[at + "running_mean"], state[at + "running_var"] = torch.zeros(m.num_features), torch.full((m.num_features,), 1 - m.eps)
        if next(convs, next(dense, next(biases, None))) is not None:
            raise ValueError(f"{folder}/{name}.onnx has more weights than this model")
    model.load_state_dict(state)


def in_order(part):
    """The modules of an encoder or a decoder in the order in which they run, which is that of an exported graph's nodes."""
    ran, hooks = [], []
    for k, m in part.named_modules():
        if not list(m.children()):
            hooks.append(m.register_forward_hook(lambda m, i, o, k=k: ran.append((k, m))))
    part.eval()
    with torch.no_grad():
        part(torch.zeros(1, 3, 64, 64)) if isinstance(part, Encoder) else part(torch.zeros(1, EMBED8, 8, 8), torch.zeros(1, EMBED4, 16, 16), torch.zeros(1, 6, 16, 16))
    for h in hooks:
        h.remove()
    part.train()
    return ran


def cpu_memory_format(model):
    """Channels last is what CPU bf16 convolutions and tensor cores want."""
    return model.to(memory_format=torch.channels_last)
