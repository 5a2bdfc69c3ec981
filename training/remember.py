"""Trains a memory (memory.py) on what the encoder saw (views.py), and compares it with Fisher's discriminant on sequences that it never saw."""
import argparse
import json
import os
import time

import torch
import torch.nn.functional as F

import views
from memory import Exported, Memory, discriminate, export, fisher, inputs, pooled

LEAST, SHOWN = 12, 4  # cells of H/4 that an object must have where it is remembered, and more than which it has where it counts as being there


class Episodes:
    """Draws frames to remember and one to look in, of the same group, with the objects of the first."""

    def __init__(self, folder, seed=0, objects=4):
        self.maps, self.groups = views.load(folder)
        self.g, self.objects = torch.Generator().manual_seed(seed), objects
        self.videos = [i for i, (name, _, _) in enumerate(self.groups) if name in views.SEQUENCES]
        self.stills = [i for i, (name, _, _) in enumerate(self.groups) if name not in views.SEQUENCES]

    def choice(self, n):
        return int(torch.randint(n, (1,), generator=self.g))

    def chance(self, p):
        return float(torch.rand(1, generator=self.g)) < p

    def frames(self, n):
        """n views of one group, of a sequence in any order, and its objects."""
        while True:
            some = self.videos if self.videos and (not self.stills or self.chance(0.6)) else self.stills
            _, first, count = self.groups[some[self.choice(len(some))]]
            if count < n:
                continue
            at = [first + int(i) for i in torch.randperm(count, generator=self.g)[:n]]
            area = torch.bincount(torch.from_numpy(self.maps["labels"][at[0]].ravel().astype(int)), minlength=2)
            area[0] = 0
            ids = torch.nonzero((area >= LEAST) & (area < 0.6 * area.sum().clamp(min=4096))).flatten()
            if len(ids) >= self.objects:
                return at, ids[torch.randperm(len(ids), generator=self.g)[: self.objects]]
            if len(ids):  # some are there twice
                return at, ids[torch.randint(len(ids), (self.objects,), generator=self.g)]

    def seen(self, at):
        get = lambda k: torch.from_numpy(self.maps[k][at].astype("float32"))
        return get("e8"), get("e4"), torch.from_numpy(self.maps["labels"][at])

    def draw(self, batch, remembered):
        """e8 (B,T+1,64,h,w), e4 (B,T+1,32,2h,2w) and masks (B,T+1,K,2h,2w) as floats; the last of each is looked in."""
        drawn = []
        for _ in range(batch):
            at, ids = self.frames(remembered + 1)
            elsewhere = self.chance(0.08)  # another scene altogether: nothing of it is there
            if elsewhere:
                at[-1] = self.frames(1)[0][0]
            e8, e4, labels = self.seen(at)
            masks = (labels[:, None] == ids[None, :, None, None]).float()
            if elsewhere:
                masks[-1] = 0
            drawn.append((e8, e4, masks))
        return [torch.stack(v) for v in zip(*drawn)]


def priors(e8, e4, masks):
    """Fisher's maps of the last frames by those before, (B,K,2h,2w)."""
    return torch.stack([discriminate(x8[-1], x4[-1], *fisher(x8, x4, m[:-1])) for x8, x4, m in zip(e8, e4, masks)])


def answer(model, e8, e4, masks, prior):
    """Logits and presence of the last frames (B,K,...)."""
    b, t = e8.shape[0], e8.shape[1] - 1
    keys = model.remembered(e8[:, :-1].flatten(0, 1), e4[:, :-1].flatten(0, 1)).unflatten(0, (b, t))
    shares = F.avg_pool2d(masks[:, :-1].flatten(0, 2)[:, None], 2).reshape(b, t, masks.shape[2], *e8.shape[-2:])
    return model(e8[:, -1], e4[:, -1], keys, shares, prior)


def loss_of(logits, there, target):
    """Cross-entropy, dice where the object is, and the presence's cross-entropy."""
    p = logits.sigmoid()
    present = (target.flatten(2).sum(-1) > SHOWN).float()
    dice = 1 - (2 * (p * target).flatten(2).sum(-1) + 1) / (p.flatten(2).sum(-1) + target.flatten(2).sum(-1) + 1)
    even = F.binary_cross_entropy_with_logits(logits, target, reduction="none").flatten(2).mean(-1)
    return (8 * even + dice * present).mean() + 0.2 * F.binary_cross_entropy_with_logits(there, present)


def iou(got, want):
    both = (got & want).flatten(-2).sum(-1).float()
    return both / (got | want).flatten(-2).sum(-1).clamp(min=1)


# ---------------------------------------------------------------- held-out sequences


def recall(count, t):
    """Of a sequence's frames before frame t, those that are remembered: the first and the newest."""
    return [0] + [i for i in range(max(1, t - count + 1), t)]


@torch.no_grad()
def compare(episodes, methods, counts=(1, 4)):
    """{remembered: {method: {sequence: mean IoU at H/4}}}, of all frames but the first, by the true masks of the frames that are remembered."""
    out = {}
    for count in counts:
        for name, first, n in episodes.groups:
            e8, e4, lab = episodes.seen(list(range(first, first + n)))
            masks = (lab == 1)[:, None].float()
            for method, f in methods.items():
                got = []
                for t in range(1, n):
                    at = recall(count, t) + [t]
                    got.append(float(iou(f(e8[None, at], e4[None, at], masks[None, at])[0] > 0, masks[t] > 0.5)[0]))
                out.setdefault(count, {}).setdefault(method, {})[name] = sum(got) / len(got)
    return out


def untrained(coarse, scale=10.0, top=32):
    """The encoder's maps as keys, normed by the remembered frames; each place reads its nearest cells, of H/16 or of H/8."""

    def f(e8, e4, masks):
        x = pooled(e8[0], e4[0])
        x = (x - x[:-1].mean((0, 2, 3), keepdim=True)) / x[:-1].std((0, 2, 3), keepdim=True).clamp(min=1e-3) / x.shape[1] ** 0.5
        m, memory = F.avg_pool2d(masks[0, :-1], 2), x[:-1]
        if coarse:
            memory, m = F.avg_pool2d(memory, 2), F.avg_pool2d(m, 2)
        a = -torch.cdist(x[-1].flatten(1).T, memory.transpose(0, 1).flatten(1).T) ** 2
        near, at = a.topk(min(top, a.shape[-1]), -1)
        got = (m.flatten()[at] * (scale * near).softmax(-1)).sum(-1)
        return F.interpolate(got.reshape(1, 1, *x.shape[-2:]), scale_factor=2, mode="bilinear", align_corners=False) - 0.5

    return f


def trained(model, with_prior):
    def f(e8, e4, masks):
        prior = priors(e8, e4, masks)
        return answer(model, e8, e4, masks, prior if with_prior else torch.zeros_like(prior))[0]

    return f


def table(scores):
    for count, methods in scores.items():
        names = sorted(next(iter(methods.values())))
        print(f"\nremembered: {'the first frame' if count == 1 else f'the first frame and the {count - 1} before'}\n")
        print("| method | mean | " + " | ".join(names) + " |\n|---" + "|---:" * (len(names) + 1) + "|")
        for m, s in methods.items():
            print(f"| {m} | {sum(s.values()) / len(s):.3f} | " + " | ".join(f"{s[n]:.3f}" for n in names) + " |", flush=True)


# ---------------------------------------------------------------- training


def train(a):
    os.makedirs(a.run, exist_ok=True)
    path = os.path.join(a.run, "memory.pt")
    episodes, held = Episodes(os.path.join(a.views, "train"), a.seed), Episodes(os.path.join(a.views, "held"))
    torch.manual_seed(a.seed)
    model = Memory()
    opt = torch.optim.AdamW(model.parameters(), a.lr, weight_decay=1e-3)
    step, spent, ema = 0, 0.0, None
    if os.path.exists(path):
        ck = torch.load(path, map_location="cpu")
        model.load_state_dict(ck["model"]), opt.load_state_dict(ck["opt"])
        step, spent, ema = ck["step"], ck["spent"], ck["ema"]
        episodes.g.manual_seed(a.seed + step)
        print(f"from step {step}", flush=True)
    start, saved, seen = time.time() - spent, time.time(), []
    while (share := step / a.steps if a.steps else (time.time() - start) / 60 / a.minutes) < 1:
        for group in opt.param_groups:
            group["lr"] = a.lr * min(1, (step + 1) / 50) * max(0.02, 1 - share)
        seen.append(learn(model, opt, episodes, a.batch))
        step += 1
        ema = averaged(ema, model, min(0.99, step / (step + 10)))
        if step % 50 == 0:
            tell(step, (time.time() - start) / 60, seen)
            seen = []
        if time.time() - saved > 120:
            save(path, model, opt, step, time.time() - start, ema)
            saved = time.time()
            scored(held, ema, (1,))
    save(path, model, opt, step, time.time() - start, ema)
    scored(held, ema, (1, 4))


def learn(model, opt, episodes, batch):
    """One step. Returns the loss, the mean IoU of the objects that are there, and how often the presence is right."""
    e8, e4, masks = episodes.draw(batch, (1, 1, 2, 3)[episodes.choice(4)])
    given = torch.rand(batch, 1, 1, 1, generator=episodes.g) < 0.9  # so that it works without Fisher's map, too
    logits, there = answer(model, e8, e4, masks, priors(e8, e4, masks) * given)
    loss = loss_of(logits, there, masks[:, -1])
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    present = masks[:, -1].flatten(2).sum(-1) > SHOWN
    return loss.item(), iou(logits > 0, masks[:, -1] > 0.5)[present].mean().item(), ((there > 0) == present).float().mean().item()


def averaged(ema, model, rate):
    now = {k: v.clone() for k, v in model.state_dict().items()}
    if ema is None:
        return now
    return {k: ema[k] * rate + v * (1 - rate) if v.is_floating_point() else v for k, v in now.items()}


def tell(step, minutes, seen):
    loss, found, right = torch.tensor(seen).nanmean(0).tolist()
    print(json.dumps({"step": step, "minutes": round(minutes, 1), "loss": round(loss, 4), "iou": round(found, 3), "presence": round(right, 3)}), flush=True)


def save(path, model, opt, step, spent, ema):
    torch.save({"model": model.state_dict(), "opt": opt.state_dict(), "step": step, "spent": spent, "ema": ema}, path + ".new")
    os.replace(path + ".new", path)


def loaded(weights):
    model = Memory()
    model.load_state_dict(weights)
    return model.eval()


def scored(held, weights, counts):
    model = loaded(weights)
    table(compare(held, {"trained": trained(model, False), "trained, sees Fisher's map": trained(model, True)}, counts))


def exported(model, path, rounds=5):
    """Writes the graph, checks it against PyTorch at another size, and prints what it costs at 448x256."""
    import onnxruntime

    export(model, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    given = inputs(model, 20, 24, 3, 2)
    with torch.no_grad():
        want = Exported(model)(*given.values())
    for w, g in zip(want, session.run(None, {k: v.numpy() for k, v in given.items()})):
        if (miss := float((w - torch.from_numpy(g)).abs().max() / w.abs().max())) > 1e-3:
            raise SystemExit(f"the graph differs from PyTorch by {miss:.2g} of the largest value")
    print(f"\n{os.path.getsize(path)} bytes\n\n| remembered frames | objects | ms |\n|---:|---:|---:|")
    for frames, objects in ((1, 1), (6, 1), (1, 50), (6, 50)):
        feed, took = {k: v.numpy() for k, v in inputs(model, 32, 56, frames, objects).items()}, []
        for _ in range(rounds):
            start = time.process_time()
            session.run(None, feed)
            took.append(time.process_time() - start)
        print(f"| {frames} | {objects} | {1000 * min(took):.1f} |", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--views", help="what views.py made")
    p.add_argument("--run", required=True, help="trains there, or goes on")
    p.add_argument("--minutes", type=float, default=25)
    p.add_argument("--steps", type=int, default=0, help="so many in place of minutes")
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--compare", action="store_true", help="what the run trained beside what needs no training")
    p.add_argument("--export", metavar="FILE", help="writes what the run trained as ONNX")
    a = p.parse_args()
    torch.set_num_threads(1)
    if not a.compare and not a.export:
        return train(a)
    model = loaded(torch.load(os.path.join(a.run, "memory.pt"), map_location="cpu")["ema"])
    if a.export:
        exported(model, a.export)
    if a.compare:
        methods = {"Fisher's discriminant": priors, "nearest cells of raw maps, H/8": untrained(False), "nearest cells of raw maps, H/16": untrained(True)}
        methods |= {"Fisher's and the nearest of H/8": lambda *x: priors(*x).clamp(-1.5, 1.5) / 2 + 2 * untrained(False)(*x)}
        methods |= {"trained": trained(model, False), "trained, sees Fisher's map": trained(model, True)}
        table(compare(Episodes(os.path.join(a.views, "held")), methods))


if __name__ == "__main__":
    main()
