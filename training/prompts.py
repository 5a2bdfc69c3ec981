"""Simulated prompts: what a person clicks, what a tracker hands over, and the corrections that follow. Masks here are at H/4."""
import torch
import torch.nn.functional as F

SLOTS = 6  # points a prompt can have: click, box (2), up to three corrections


def depth(m, steps=24):
    """How far inside the mask a place is, in cells, by repeated erosion; the outside of the image is outside. m (P,1,h,w) 0/1."""
    e = F.pad(m > 0.5, (1, 1, 1, 1))
    out, inner = torch.zeros_like(m), e[..., 1:-1, 1:-1]
    for k in range(steps):
        if not inner.any():
            break
        out += inner
        c = e[..., :-2] & e[..., 1:-1] & e[..., 2:]
        r = e[..., :-2, 1:-1] & e[..., 2:, 1:-1]
        # squares and crosses in turn come near a circle
        inner = c[..., :-2, :] & c[..., 1:-1, :] & c[..., 2:, :] if k % 3 == 2 else r & c[..., 1:-1, :]
        e = F.pad(inner, (1, 1, 1, 1))
    return out


def pick(score, g):
    """The place of the highest score as input pixels (P,2), moved a little inside its cell."""
    p, _, h, w = score.shape
    i = score.flatten(1).argmax(1)
    xy = torch.stack([i % w, i // w], 1).float()
    return (xy + 0.5) * 4 + (torch.rand(p, 2, generator=g).to(score.device) - 0.5) * 3


class Prompts:
    """The state of P prompts: points so far, and the mask that goes with them."""

    def __init__(self, target, whole, g):
        """target, whole (P,1,h,w): how much of each cell the visible, the unoccluded object covers."""
        self.g, self.target, self.dev = g, target, target.device
        p = target.shape[0]
        self.coords = torch.zeros(p, SLOTS, 2, device=self.dev)
        self.labels = torch.full((p, SLOTS), -1.0, device=self.dev)
        self.mask = torch.zeros_like(target)
        self.has = torch.zeros(p, 1, device=self.dev)
        self.used = 3  # the slot of the next correction
        hard = (target > 0.5).float()
        self.hard = torch.where(hard.flatten(1).any(1)[:, None, None, None], hard, (target >= target.amax((1, 2, 3), keepdim=True) - 1e-6).float())
        kind = self.rand(p)
        point, box, several, track = kind < 0.40, (kind >= 0.40) & (kind < 0.54), (kind >= 0.54) & (kind < 0.62), kind >= 0.62
        d = depth(self.hard)
        self.click(0, d, self.hard, 1.0, point | several | (track & (self.rand(p) < 0.4)))
        self.box(box | (track & (self.rand(p) < 0.1)))
        self.click(5, d, self.hard, 1.0, several & (self.rand(p) < 0.5))
        near = F.max_pool2d(self.hard, 9, 1, 4) - self.hard
        self.click(4, near, near, 0.0, several)
        if track.any():
            self.mask[track] = propagated(whole[track], g)
            self.has[track] = 1.0
        self.single = point

    def rand(self, *shape):
        return torch.rand(*shape, generator=self.g).to(self.dev)

    def click(self, slot, d, region, label, where):
        """A click at the centre of a region (as evaluation and most people do) or anywhere in it."""
        p = d.shape[0]
        centre = (self.rand(p) < 0.5)[:, None, None, None]
        score = torch.where(centre, d * (1 + 0.15 * self.rand(*d.shape)), region * (d > 0) * self.rand(*d.shape))
        ok = where & region.flatten(1).any(1)
        self.coords[:, slot] = torch.where(ok[:, None], pick(score, self.g), self.coords[:, slot])
        lab = label if torch.is_tensor(label) else torch.full_like(self.labels[:, slot], label)
        self.labels[:, slot] = torch.where(ok, lab, self.labels[:, slot])

    def box(self, where):
        p, _, h, w = self.hard.shape
        xs, ys = torch.arange(w, device=self.dev), torch.arange(h, device=self.dev)
        cols, rows = self.hard.amax((1, 2)) > 0, self.hard.amax((1, 3)) > 0
        x0, y0 = torch.where(cols, xs, w).amin(1), torch.where(rows, ys, h).amin(1)
        x1, y1 = torch.where(cols, xs + 1, 0).amax(1), torch.where(rows, ys + 1, 0).amax(1)
        b = torch.stack([x0, y0, x1, y1], 1).float() * 4
        size = (b[:, 2:] - b[:, :2]).repeat(1, 2)
        noise = (torch.randn(p, 4, generator=self.g).to(self.dev) * 0.06 * size * self.rand(p, 1)).clamp(-20, 20)
        b = b + noise
        for slot, label, xy in ((1, 2.0, b[:, :2]), (2, 3.0, b[:, 2:])):
            self.coords[:, slot] = torch.where(where[:, None], xy, self.coords[:, slot])
            self.labels[:, slot] = torch.where(where, torch.full_like(self.labels[:, slot], label), self.labels[:, slot])

    def correct(self, logits, click=True):
        """The next round: the answer is fed back and, unless it is one of the rounds without, a click put where it errs most."""
        self.mask, self.has = logits.detach().float(), torch.ones_like(self.has)
        self.single = torch.zeros_like(self.single)
        if not click:
            return
        got = (self.mask > 0).float()
        missed, extra = depth(self.hard * (1 - got), 12), depth(got * (1 - self.hard), 12)
        more = missed.amax((1, 2, 3)) >= extra.amax((1, 2, 3))
        pickm = more[:, None, None, None]
        d = torch.where(pickm, missed, extra)
        slot = 3 + (self.used - 3) % 3
        self.click(slot, d, (d > 0).float(), more.float(), torch.ones_like(more))
        self.used += 1


def propagated(m, g):
    """The mask a tracker would hand over for m (P,1,h,w), as logits: moved alone, or moved, scaled, bent, grown or shrunk, partly missing or spilt."""
    p, _, h, w = m.shape
    dev = m.device
    r = lambda *s, lo=0.0, hi=1.0: torch.rand(*s, generator=g).to(dev) * (hi - lo) + lo
    n = lambda *s: torch.randn(*s, generator=g).to(dev)
    ys, xs = torch.linspace(-1, 1, h, device=dev)[:, None], torch.linspace(-1, 1, w, device=dev)[None]
    area = m.sum((1, 2, 3)).clamp(min=1.0)
    extent = (area / (h * w)).sqrt() * 2  # side of the object in grid units
    cx, cy = (m * xs).sum((1, 2, 3)) / area, (m * ys).sum((1, 2, 3)) / area
    angle, scale = n(p) * 0.12, torch.exp(n(p) * 0.12)
    sx, sy = scale * torch.exp(n(p) * 0.06), scale * torch.exp(n(p) * 0.06)
    c, s = torch.cos(angle) / sx, torch.sin(angle) / sy
    tx, ty = n(p) * 0.12 * extent, n(p) * 0.12 * extent
    a = torch.stack([torch.stack([c, -s, cx - c * cx + s * cy + tx], 1), torch.stack([s, c, cy - s * cx - c * cy + ty], 1)], 1)
    grid = F.affine_grid(a, (p, 1, h, w), align_corners=False)
    bend = F.interpolate(n(p, 2, 5, 5), size=(h, w), mode="bilinear", align_corners=True).permute(0, 2, 3, 1)
    grid = grid + bend * (extent * 0.06 * r(p))[:, None, None, None]
    x = F.grid_sample(m, grid, align_corners=False)
    pick_ = lambda q: (r(p) < q)[:, None, None, None]
    x = torch.where(pick_(0.25), F.max_pool2d(x, 3, 1, 1), x)
    x = torch.where(pick_(0.12), F.max_pool2d(x, 5, 1, 2), x)
    x = torch.where(pick_(0.25), -F.max_pool2d(-x, 3, 1, 1), x)
    blob = lambda: F.interpolate(r(p, 1, 4, 4), size=(h, w), mode="bicubic", align_corners=False)
    x = torch.where(pick_(0.25) & (blob() > 0.62), torch.zeros_like(x), x)  # holes and lost parts
    near = F.max_pool2d(x, 9, 1, 4)
    x = torch.where(pick_(0.25) & (blob() > 0.62), near, x)  # spilt over
    cut = torch.cos(r(p) * 6.2832)[:, None, None, None] * (xs - cx[:, None, None, None]) + torch.sin(r(p) * 6.2832)[:, None, None, None] * (ys - cy[:, None, None, None])
    x = torch.where(pick_(0.15) & (cut > (extent * r(p, lo=0.0, hi=0.4))[:, None, None, None]), torch.zeros_like(x), x)  # one side lost
    x = torch.where(pick_(0.5), F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1), x)
    ways = r(p) * 6.2832
    step = torch.stack([torch.cos(ways) * area.sqrt() / w, torch.sin(ways) * area.sqrt() / h], 1) * 2 * r(p, 1, lo=0.02, hi=0.18)
    a = torch.cat([torch.eye(2, device=dev).expand(p, 2, 2), step[..., None]], 2)
    x = torch.where(pick_(0.3), F.grid_sample(m, F.affine_grid(a, (p, 1, h, w), align_corners=False), align_corners=False), x)
    return (x - 0.5) * r(p, 1, 1, 1, lo=4.0, hi=24.0)
