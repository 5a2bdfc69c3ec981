"""A learned memory: finds an object again in a frame by what frames before looked like and where it was in them. The encoder stays as it is.

The frame's keys are compared with those of all remembered frames once, for all objects (as STCN and XMem do it: Cheng et al. 2021, Cheng and Schwing 2022);
each object reads its own mask through that affinity. A small head makes logits of what was read, of how alike each place is to the object's and the
surroundings' mean key, and of the frame's own features. Fisher's linear discriminant, which the tracker uses without any learning, is here too: to compare
with, and as one of the head's inputs.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from model import EMBED4, EMBED8, up

TOP = 32  # remembered cells that a place reads


def pooled(e8, e4):
    """Both of the encoder's maps at H/8, (B,96,H/8,W/8)."""
    return torch.cat([e8, F.avg_pool2d(e4, 2)], 1)


def around(mask, cells=3):
    """What surrounds a mask (...,h,w) of shares of cells."""
    m = mask.flatten(0, -3)[:, None]
    return (F.max_pool2d(m, 2 * cells + 1, 1, cells) - m).clamp(min=0).reshape(mask.shape)


def read(query, memory, values, scale=1.0, top=TOP):
    """What a frame's places read of remembered cells: query (B,C,N), memory (B,C,M), values (B,K,M) -> (B,K,N), and how near the nearest cell is (B,1,N).
    The affinity is the negative squared distance; each place reads the softmax of its `top` nearest cells."""
    a = 2 * query.transpose(1, 2) @ memory - (memory * memory).sum(1, keepdim=True)
    near, at = a.topk(min(top, a.shape[-1]), -1)  # B,N,top
    w = torch.zeros_like(a).scatter(2, at, (scale * near).softmax(-1))
    return values @ w.transpose(1, 2), near[..., :1].transpose(1, 2) - (query * query).sum(1, keepdim=True)


def spread(e8, e4):
    """The mean and the second moment of a frame's cells at H/8, each with the nearest of H/4's: (96), (96,96)."""
    x = torch.cat([e8, e4[:, 1::2, 1::2]], 0).flatten(1)
    return x.mean(1), x @ x.T / x.shape[1]


def means(e8, e4, masks):
    """Mean features outside and inside of masks (K,2h,2w), shares of H/4's cells: (2,K,96)."""
    out = []
    for m in (1 - masks, masks):
        m8, m4 = F.avg_pool2d(m[:, None], 2)[:, 0].flatten(1), m.flatten(1)
        out.append(torch.cat([(v @ e.flatten(1).T) / v.sum(1, keepdim=True).clamp(min=0.5) for v, e in ((m8, e8), (m4, e4))], 1))
    return torch.stack(out)


def fisher(e8, e4, masks, keep=0.9, anchor=0.5, ridge=0.02):
    """The tracker's discriminant (tracker/look) of frames in their order, all but the last with masks: e8 (T+1,64,h,w), e4 (T+1,32,2h,2w),
    masks (T,K,2h,2w) -> weights (K,96), bias (K) and gain (K), by which places score -1 outside and 1 inside in the mean."""
    mean, second = spread(e8[0], e4[0])
    first = late = means(e8[0], e4[0], masks[0])
    for t in range(1, len(e8)):
        mean, second = [keep * old + (1 - keep) * new for old, new in zip((mean, second), spread(e8[t], e4[t]))]
        if t < len(masks):
            late = keep * late + (1 - keep) * means(e8[t], e4[t], masks[t])
    cov = second - mean[:, None] * mean[None]
    s = cov.diagonal().clamp(min=1e-9).rsqrt()
    corr = cov * s[:, None] * s[None]
    corr = corr + torch.diag(1 + ridge - corr.diagonal())
    out, inside = anchor * first + (1 - anchor) * late
    w = torch.linalg.solve(corr, ((inside - out) * s).T).T * s
    lo, hi = (w * out).sum(1), (w * inside).sum(1)
    return w, (lo + hi) / 2, 2 / (hi - lo).clamp(min=1e-9)


def discriminate(e8, e4, w, bias, gain):
    """Fisher's map (K,2h,2w) of a frame."""
    n = e8.shape[0]
    at8 = (w[:, :n] @ e8.flatten(1)).reshape(1, -1, *e8.shape[1:])
    at4 = (w[:, n:] @ e4.flatten(1)).reshape(-1, *e4.shape[1:])
    return (F.interpolate(at8, scale_factor=2, mode="bilinear", align_corners=False)[0] + at4 - bias[:, None, None]) * gain[:, None, None]


class Memory(nn.Module):
    """B frames, K objects each, T remembered frames.

    e8 (B,64,h,w), e4 (B,32,2h,2w): the frame. keys (B,T,C,h/2,w/2): `remembered` of earlier frames; masks (B,T,K,h,w): shares of H/8's cells there;
    prior (B,K,2h,2w): Fisher's map, zero where there is none. Gives logits (B,K,2h,2w) and the logit of the object's being in the frame (B,K)."""

    def __init__(self, c=32, mid=48, local=16, hidden=8):
        super().__init__()
        self.c = c
        self.norm = nn.BatchNorm2d(EMBED8 + EMBED4, affine=False)
        self.first = nn.Sequential(nn.Conv2d(EMBED8 + EMBED4, mid, 1), nn.ReLU())
        self.key = nn.Sequential(nn.Conv2d(mid, mid, 3, 1, 1, groups=mid), nn.ReLU(), nn.Conv2d(mid, c, 1))
        self.local = nn.Conv2d(mid, local, 1)
        self.scale = nn.Parameter(torch.tensor(1.0))  # a logarithm
        self.shared, self.own = nn.Conv2d(local + 1, hidden, 3, 1, 1), nn.Conv2d(6, hidden, 3, 1, 1, bias=False)
        self.mix = nn.Sequential(nn.ReLU(), nn.Conv2d(hidden, hidden, 3, 1, 2, 2), nn.ReLU(), nn.Conv2d(hidden, hidden, 3, 1, 1), nn.ReLU())
        self.out8 = nn.Conv2d(hidden, 2, 1)
        self.fine = nn.Sequential(nn.Conv2d(EMBED4, 16, 1), nn.ReLU(), nn.Conv2d(16, 2, 3, 1, 1))
        self.out4 = nn.Sequential(nn.Conv2d(2 + 2 + 1, 4, 3, 1, 1), nn.ReLU(), nn.Conv2d(4, 1, 1))
        self.trust = nn.Parameter(torch.tensor([0.2, 2.0]))  # in what was read, and in Fisher's map, before the rest speaks
        nn.init.zeros_(self.out4[2].weight), nn.init.zeros_(self.out8.weight[:1]), nn.init.zeros_(self.out8.bias)
        self.there = nn.Sequential(nn.Linear(2 * hidden + 4, 16), nn.ReLU(), nn.Linear(16, 1))

    def keys(self, e8, e4):
        """A frame's keys and local features in one, (B,C,h,w)."""
        x = self.first(self.norm(pooled(e8, e4)))
        return torch.cat([self.key(x) * 4, self.local(x)], 1)  # times 4, so that distances start where a softmax tells them apart

    def remembered(self, e8, e4):
        """What is kept of a frame, (B,C,h/2,w/2)."""
        return F.avg_pool2d(self.keys(e8, e4), 2)

    def forward(self, e8, e4, keys, masks, prior):
        key, local = self.keys(e8, e4).split([self.c, keys.shape[2] - self.c], 1)
        got, near, like = self.recall(key, local, keys, masks)
        b, k, (h, w) = prior.shape[0], prior.shape[1], local.shape[-2:]
        p4 = prior.reshape(b * k, 1, 2 * h, 2 * w).clamp(-4, 4)
        given = (p4 != 0).flatten(1).any(1).to(p4.dtype)[:, None, None, None].expand(-1, 1, h, w)
        own = torch.cat([v.reshape(b * k, 2, h, w) for v in (got, like)] + [F.avg_pool2d(p4, 2), given], 1)
        shared = self.shared(torch.cat([local, near.reshape(b, 1, h, w)], 1))
        y = self.own(own)
        y = self.mix((shared[:, None] + y.reshape(b, k, *y.shape[1:])).flatten(0, 1))
        z = self.out8(y)
        z4 = up(torch.cat([z[:, :1] + self.trust[0] * (2 * own[:, :1] - 1), z[:, 1:]], 1))
        f4 = self.fine(e4)[:, None].expand(-1, k, -1, -1, -1).flatten(0, 1)
        logits = z4[:, :1] + self.trust[1] * p4 + self.out4(torch.cat([z4, f4, p4], 1))
        return logits.reshape(b, k, 2 * h, 2 * w), self.believe(y, logits, own).reshape(b, k)

    def recall(self, key, local, keys, masks):
        """What each place of a frame reads of each object's mask and of what was around it, (B,2K,N); how near its nearest remembered cell is (B,1,N); and how
        alike it is to both in the mean (B,2K,N)."""
        b, t, k = *keys.shape[:2], masks.shape[2]
        kept = F.avg_pool2d(torch.stack([masks, around(masks)], 3).flatten(0, 3)[:, None], 2)
        kept = kept.reshape(b, t, 2 * k, -1).transpose(1, 2).flatten(2)  # B,2K,M
        known, places = keys.transpose(1, 2).flatten(2).split([self.c, keys.shape[2] - self.c], 1)  # B,C,M and B,L,M
        got, near = read(key.flatten(2), known, kept, self.scale.exp())
        mean = (kept @ places.transpose(1, 2)) / (kept.sum(-1, keepdim=True) + 0.1)
        return got, near, F.normalize(mean, dim=-1) @ F.normalize(local, dim=1).flatten(2)

    def believe(self, y, logits, own):
        """Whether an object is in the frame, by what its map holds."""
        p = F.avg_pool2d(logits, 2).sigmoid()
        inside = (y * p).flatten(2).sum(-1) / (p.flatten(2).sum(-1) + 0.1)
        most = lambda v: v.flatten(1).amax(1, keepdim=True)
        most_read = [most(own[:, :1]), most(own[:, 2:3])]
        return self.there(torch.cat([inside, y.flatten(2).amax(-1), most(logits) / 4, *most_read, p.flatten(1).sum(1, keepdim=True).log1p()], 1))


class Exported(nn.Module):
    """One frame: embed_8 (1,64,h,w), embed_4 (1,32,2h,2w), keys (T,C,h/2,w/2), masks (T,K,h,w), prior (K,2h,2w) -> logits (K,2h,2w), presence (K) and the
    frame's own key (1,C,h/2,w/2), for the caller to remember."""

    def __init__(self, memory):
        super().__init__()
        self.memory = memory

    def forward(self, embed_8, embed_4, keys, masks, prior):
        logits, there = self.memory(embed_8, embed_4, keys[None], masks[None], prior[None])
        return logits[0], there[0], self.memory.remembered(embed_8, embed_4)


def inputs(memory, h, w, frames, objects):
    """Made-up inputs of an exported memory, by name."""
    c = memory.c + memory.local.out_channels
    shapes = {"embed_8": (1, EMBED8, h, w), "embed_4": (1, EMBED4, 2 * h, 2 * w), "keys": (frames, c, h // 2, w // 2)}
    return {n: torch.rand(s) for n, s in (shapes | {"masks": (frames, objects, h, w), "prior": (objects, 2 * h, 2 * w)}).items()}


def export(memory, path):
    """Writes a memory as ONNX: pictures of any size that is a multiple of 32, any number of frames and objects."""
    sizes = {"embed_8": {2: "h", 3: "w"}, "embed_4": {2: "2h", 3: "2w"}, "keys": {0: "frames", 2: "h/2", 3: "w/2"}}
    sizes |= {"masks": {0: "frames", 1: "objects", 2: "h", 3: "w"}, "prior": {0: "objects", 1: "2h", 2: "2w"}}
    sizes |= {"logits": {0: "objects", 1: "2h", 2: "2w"}, "presence": {0: "objects"}, "key": {2: "h/2", 3: "w/2"}}
    example = inputs(memory, 32, 56, 2, 3)
    torch.onnx.export(
        Exported(memory).eval(), tuple(example.values()), path, input_names=list(example), output_names=["logits", "presence", "key"],
        dynamic_axes=sizes, opset_version=17)
