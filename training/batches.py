"""Making training batches of annotated images: crops, small segments sought out, compositions, and what a camera does to a picture."""
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from model import PAD


class Batches:
    """Draws augmented batches on `device`, from a torch generator on the CPU (so that a seed gives the same ones)."""

    def __init__(self, items, device="cpu", seed=0, targets=6, small=0.2, groups=0.0):
        self.items, self.device, self.targets, self.small, self.groups = items, device, targets, small, groups
        self.g = torch.Generator().manual_seed(seed)
        count = {}
        for i in items:
            count[i.set] = count.get(i.set, 0) + 1
        self.weights = torch.tensor([count[i.set] ** -0.35 for i in items])
        self.videos = {}
        for i in items:
            if i.set.startswith("davis"):
                self.videos.setdefault((i.set, i.name), []).append(i)

    def rand(self, *shape, lo=0.0, hi=1.0):
        return torch.rand(*shape, generator=self.g) * (hi - lo) + lo

    def choice(self, n):
        return int(torch.randint(n, (1,), generator=self.g))

    def crop(self, item, size, level=None):
        """One image and label map (a certain one, where a level is given), cropped or letterboxed to `size`."""
        h, w = size
        arr, maps = item.load()
        lab = maps[self.choice(len(maps)) if level is None else level]
        ih, iw = lab.shape
        around = self.near_small(lab, h / w) if self.rand(1) < self.small else None
        if around:
            box, out = around, (h, w)
        elif self.rand(1) < 0.35:  # the whole image, as the agent feeds it
            k = min(h / ih, w / iw) * float(self.rand(1, lo=0.8, hi=1.0))
            box, out = (0, 0, iw, ih), (max(8, int(ih * k)), max(8, int(iw * k)))
        else:
            stretch = float(torch.exp(self.rand(1, lo=-0.25, hi=0.25)))
            k = float(self.rand(1, lo=0.3, hi=1.0))  # as far in as the tracker looks
            cw, ch = min(iw, k * iw), min(ih, k * iw * h / w * stretch)
            if ch >= ih:
                cw = min(iw, ih * w / h / stretch)
            x, y = float(self.rand(1)) * (iw - cw), float(self.rand(1)) * (ih - ch)
            box, out = (x, y, x + cw, y + ch), (h, w)
        wh = (out[1], out[0])
        im = np.asarray(Image.fromarray(arr).resize(wh, Image.BILINEAR, box, reducing_gap=None))
        lab = np.asarray(Image.fromarray(lab).resize(wh, Image.NEAREST, box))
        im, lab = torch.from_numpy(im.copy()).permute(2, 0, 1).float(), torch.from_numpy(lab.copy())
        if self.rand(1) < 0.5:
            im, lab = im.flip(2), lab.flip(1)
        full = torch.tensor(PAD)[:, None, None].expand(3, h, w).clone()
        full[:, : out[0], : out[1]] = im
        labels = torch.zeros(h, w, dtype=torch.uint8)
        labels[: out[0], : out[1]] = lab
        return full, labels

    def near_small(self, lab, aspect, most=0.02, least=60):
        """A box (x0, y0, x1, y1) of that height by width around a segment under a fiftieth of the map, which is a twelfth to half as wide or high; None without one."""
        count = np.bincount(lab.ravel())
        ids = [i for i in range(1, len(count)) if least <= count[i] < most * lab.size]
        if not ids:
            return None
        ys, xs = np.nonzero(lab == ids[self.choice(len(ids))])
        x0, y0, x1, y1 = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
        k = float(torch.exp(self.rand(1, lo=0.7, hi=2.5)))
        w = max(48.0, k * max(x1 - x0, (y1 - y0) / aspect))
        w = min(w, lab.shape[1], lab.shape[0] / aspect)
        h = w * aspect
        shift = lambda a, b, n, all_: min(max(0.0, (a + b - n) / 2 + float(self.rand(1, lo=-0.5, hi=0.5)) * max(0.0, n - (b - a))), max(0.0, all_ - n))
        x, y = shift(x0, x1, w, lab.shape[1]), shift(y0, y1, h, lab.shape[0])
        return x, y, min(x + w, lab.shape[1]), min(y + h, lab.shape[0])

    def segments(self, lab):
        """Up to `targets` segments as masks; the rest are repeats, or nothing where the crop shows no segment."""
        count = torch.bincount(lab.flatten().long(), minlength=2)
        count[0] = 0
        ids = torch.nonzero((count > 50) & (count < 0.9 * lab.numel())).flatten()
        if len(ids) == 0:
            return torch.zeros(self.targets, *lab.shape, dtype=torch.bool)
        by_size = 0.2 if self.rand(1) < 0.5 else 0.0
        pick = torch.multinomial(count[ids].float() ** by_size, self.targets, replacement=len(ids) < self.targets, generator=self.g)
        out = lab[None] == ids[pick][:, None, None]
        if self.rand(1) < self.groups:  # one stands for a part of itself, one for itself with its neighbour
            out[0], out[1] = piece(out[0], self.choice(1 << 30)), group(out[1], lab, self.choice(1 << 30))
        return out

    def draw(self, n, size):
        """image (n,3,H,W) 0..255; what is visible of each target and what of it would be without occlusion, (n,targets,H,W) bool."""
        index = torch.multinomial(self.weights, n, generator=self.g)
        ims, labs = zip(*[self.crop(self.items[int(i)], size) for i in index])
        return self.finish(ims, [self.segments(l) for l in labs], 1)

    def pairs(self, n, size):
        """As draw, of n images in pairs (0 and 1, 2 and 3, ...): two views of one image, or two frames of one video, with the same targets in
        the same order, so that one can be found again by what was learnt of the other. A pair that shares no segment has empty targets."""
        ims, visible = [], []
        for i in torch.multinomial(self.weights, n // 2, generator=self.g):
            one = self.items[int(i)]
            same = self.videos.get((one.set, one.name), [one])
            other = same[self.choice(len(same))]
            level = self.choice(len(one.maps)) if other is one and not callable(one.maps) else None
            for _ in range(6):
                a, b = self.crop(one, size, level), self.crop(other, size, level)
                ids = self.shared(a[1], b[1])
                if len(ids):
                    break
            ims += [a[0], b[0]]
            visible += self.both(a[1], b[1], ids)
        return self.finish(ims, visible, 2)

    def shared(self, a, b, least=50):
        """The segments that two label maps show both."""
        count = torch.minimum(*[torch.bincount(lab.flatten().long(), minlength=256) for lab in (a, b)])
        count[0] = 0
        return torch.nonzero((count > least) & (count < 0.9 * a.numel())).flatten()

    def both(self, a, b, ids):
        if not len(ids):
            return [torch.zeros(self.targets, *a.shape, dtype=torch.bool)] * 2
        pick = ids[torch.randint(len(ids), (self.targets,), generator=self.g)] if len(ids) < self.targets else ids[torch.randperm(len(ids), generator=self.g)[: self.targets]]
        return [lab[None] == pick[:, None, None] for lab in (a, b)]

    def finish(self, ims, visible, apart):
        """Composes each image with the one that is `apart` places on, and does to all what a camera does."""
        n = len(ims)
        image, visible = torch.stack(ims).to(self.device), torch.stack(visible).to(self.device)
        whole = visible.clone()
        for i in range(n):
            r = float(self.rand(1))
            if r < 0.5:
                self.paste(image, visible, whole, i, (i + apart) % n, segment=r < 0.3)
        return self.degrade(image), visible, whole

    def paste(self, image, visible, whole, i, j, segment):
        """Composes a segment of image j, or a shape of its texture, over image i; it takes the last target's place."""
        h, w = image.shape[-2:]
        if segment:
            m = visible[j, self.choice(self.targets - 1)].float()
            k = float(torch.exp(self.rand(1, lo=-0.7, hi=0.3)))
            dx, dy = [float(v) for v in self.rand(2, lo=-0.6, hi=0.6)]
            src = torch.cat([image[j], m[None]])
        else:
            noise = F.interpolate(torch.rand(1, 1, 5, 5, generator=self.g), size=(h, w), mode="bicubic", align_corners=False)[0].to(image.device)
            ys, xs = torch.linspace(-1, 1, h, device=image.device)[:, None], torch.linspace(-1, 1, w, device=image.device)[None]
            cx, cy, r = [float(v) for v in self.rand(3)]
            src = torch.cat([image[j], ((noise[0] - 0.5) * 1.2 + (0.15 + 0.45 * r) - ((xs - 2 * cx + 1) ** 2 + (ys - 2 * cy + 1) ** 2).sqrt() > 0).float()[None]])
            k, dx, dy = 1.0, 0.0, 0.0
        theta = torch.tensor([[[1 / k, 0, dx / k], [0, 1 / k, dy / k]]], device=image.device)
        got = F.grid_sample(src[None], F.affine_grid(theta, (1, 4, h, w), align_corners=False), align_corners=False, mode="bilinear")[0]
        m = got[3] > 0.5
        area = int(m.sum())
        if area < 100 or area > 0.5 * h * w:
            return
        alpha = F.avg_pool2d(got[3:][None], 3, 1, 1)[0].clamp(0, 1) if self.rand(1) < 0.7 else m[None].float()
        image[i] = image[i] * (1 - alpha) + got[:3] * alpha
        visible[i] &= ~m
        whole[i, -1], visible[i, -1] = m, m

    def degrade(self, image):
        """Camera: exposure, colour, blur, noise, compression."""
        n, dev = image.shape[0], image.device
        f = lambda lo, hi, c=1: self.rand(n, c, 1, 1, lo=lo, hi=hi).to(dev)
        x = image / 255
        x = x.clamp(0, 1) ** torch.exp(f(-0.35, 0.35)) * f(0.75, 1.25) * f(0.9, 1.1, 3)
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * f(0.3, 1.4)
        x = 0.5 + (x - 0.5) * f(0.75, 1.2)
        some = (f(0, 1) < 0.2).flatten()
        x[some] = F.avg_pool2d(F.pad(x[some], (1, 1, 1, 1), mode="replicate"), 3, 1)
        x = x + torch.where(f(0, 1) < 0.4, f(0, 0.06), f(0, 0)) * torch.randn(x.shape, generator=self.g).to(dev)
        x = (x * 255).clamp(0, 255)
        some, step = (f(0, 1) < 0.25).flatten(), f(6, 45)
        x[some] = compress(x[some], step[some])
        return x


def grown(mask, cells=1):
    """mask (H,W) bool, larger by some cells to every side."""
    return F.max_pool2d(mask[None, None].float(), 2 * cells + 1, 1, cells)[0, 0] > 0


def piece(mask, n, smallest=50):
    """The connected piece of mask (H,W) that holds its n-th place (modulo their number); the whole of it where that piece is too small to be meant."""
    places = torch.nonzero(mask)
    if not len(places):
        return mask
    got = torch.zeros_like(mask)
    got[tuple(places[n % len(places)])] = True
    while True:
        more = grown(got, 2) & mask
        if torch.equal(more, got):
            return got if got.sum() > smallest else mask
        got = more


def group(mask, lab, n):
    """mask (H,W) with the n-th (modulo their number) of the segments of lab that touch it, or alone."""
    near = torch.unique(lab[grown(mask, 2) & ~mask])
    near = near[near > 0]
    return mask | (lab == near[n % len(near)]) if len(near) else mask


def compress(x, step):
    """What JPEG does to a picture: the cosine transform of 8x8 blocks, in steps that grow with the frequency."""
    n, c, h, w = x.shape
    k = torch.arange(8, dtype=torch.float32, device=x.device)
    d = torch.cos((2 * k[None] + 1) * k[:, None] * torch.pi / 16) * 0.5
    d[0] /= 2**0.5
    b = x.reshape(n, c, h // 8, 8, w // 8, 8).permute(0, 1, 2, 4, 3, 5)
    q = step[..., None, None] * (0.4 + (k[:, None] + k[None]) / 7)
    b = torch.round(d @ b @ d.T / q) * q
    return (d.T @ b @ d).permute(0, 1, 2, 4, 3, 5).reshape(n, c, h, w).clamp(0, 255)
