"""Trains what a model believes of its masks, and by that their order, all else as it is: minutes where a whole step would be hours.

The masks do not change, so they are computed once: for every training picture, as the agent sees it, some prompts of every kind, with what the IoU
head would see and the IoU that the masks really have. Then only the head is trained, on that. A tenth of the training pictures tells how it goes.
"""
import argparse
import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from data import letterbox, read, split
from export import check, export
from model import from_checkpoint, from_graphs, prompt_maps
from prompts import Prompts
from train import regret

HEAD = ("iou.", "seen.")


def view(item, side, targets, g):
    """A whole picture (1,3,H,W) as the agent feeds it, perhaps mirrored, and up to `targets` of its segments (N,1,H/4,W/4), as covered cells."""
    arr, maps = item.load()
    lab = maps[int(torch.randint(len(maps), (1,), generator=g))]
    if torch.rand(1, generator=g) < 0.5:
        arr, lab = arr[:, ::-1], lab[:, ::-1]
    image, _, (h, w) = letterbox(np.ascontiguousarray(arr), side)
    lab = np.asarray(Image.fromarray(np.ascontiguousarray(lab)).resize((w, h), Image.NEAREST))
    full = np.zeros(image.shape[2:], np.uint8)
    full[:h, :w] = lab
    count = np.bincount(full.ravel(), minlength=2)
    ids = [i for i in range(1, len(count)) if count[i] > 0.002 * full.size]
    ids = [ids[int(k)] for k in torch.randperm(len(ids), generator=g)[:targets]]
    masks = torch.from_numpy(np.stack([full == i for i in ids])[:, None]).float() if ids else torch.zeros(0, 1, *full.shape)
    return torch.from_numpy(image), F.avg_pool2d(masks, 4) if ids else masks


def true_iou(logits, hard):
    got = (logits > 0).float()
    inter = (got * hard).sum((2, 3))
    return inter / (got.sum((2, 3)) + hard.sum((2, 3)) - inter).clamp(min=1)


def collect(model, items, sides, targets, g, say):
    """Rows of (token, held, IoU, is it a lone click, which picture) for prompts on every item."""
    rows, t = [], time.time()
    for k, item in enumerate(items):
        side = sides[int(torch.randint(len(sides), (1,), generator=g))]
        image, target = view(item, side, targets, g)
        item.cache = None
        if not len(target):
            continue
        target = target.repeat(2, 1, 1, 1)
        prompts = Prompts(target, target, g)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            e8, e4 = model.encoder(image.contiguous(memory_format=torch.channels_last))
            maps = prompt_maps(prompts.coords, prompts.labels, prompts.mask, prompts.has)
            logits, token, held = model.decoder.masks(e8, e4, maps.contiguous(memory_format=torch.channels_last))
        rows.append((token.half(), held.half(), true_iou(logits.float(), prompts.hard), prompts.single, torch.full((len(target),), k)))
        if k % 100 == 99:
            say({"pictures": k + 1, "minutes": round((time.time() - t) / 60, 2)})
    return [torch.cat(c) for c in zip(*rows)]


def weights(picture, sets, by_picture=0.5, by_set=0.35):
    """What each row counts (N,), by the picture that it is of and the sets of the pictures: pictures of many segments less than by their number, and so
    sets of many pictures, that many small segments of one kind of picture do not decide what a click means elsewhere. 0 and 0 leave that be, 1 and 1
    let all pictures of a set, and all sets, count alike."""
    rows = torch.bincount(picture, minlength=len(sets)).float()
    seen = {s: sum(1 for k, t in enumerate(sets) if t == s and rows[k]) for s in set(sets)}
    each = torch.tensor([seen[s] ** -by_set if seen[s] else 0.0 for s in sets])
    w = each[picture] * rows[picture] ** -by_picture
    return w / w.mean()


def scores(decoder, rows):
    """Of the lone clicks: mean IoU of the mask believed best, of the best, and of all the prompts the mean error of the belief, weighted."""
    token, held, true, single, _, weight = rows
    with torch.no_grad():
        got = decoder.believe(token, held)
    ranked = true.gather(1, got.argmax(1, keepdim=True))[:, 0]
    mean = lambda v, w: round(float((v * w).sum() / w.sum()), 4)
    lone = weight * single
    return {"ranked": mean(ranked, lone), "best": mean(true.amax(1), lone), "error": mean((got - true).abs().mean(1), weight)}


def fit(decoder, rows, a, g, say):
    """Trains the head on nine tenths of the pictures; returns how it does on the other tenth, which says whether it learns what holds elsewhere."""
    token, held, true, single, picture, weight = rows
    tenth = picture % 10 == 9
    other = [c[tenth] for c in rows]
    head = [p for n, p in decoder.named_parameters() if n.startswith(HEAD)]
    opt = torch.optim.AdamW(head, lr=a.lr, weight_decay=a.decay)
    say({"epoch": 0, **scores(decoder, other), "on": "a tenth of the training pictures"})
    index = torch.nonzero(~tenth).flatten()
    for epoch in range(1, a.epochs + 1):
        for group in opt.param_groups:
            group["lr"] = a.lr * 0.5 * (1 + np.cos(np.pi * (epoch - 1) / a.epochs))
        order = index[torch.randperm(len(index), generator=g)]
        for i in range(0, len(order), a.batch):
            j = order[i:i + a.batch]
            got = decoder.believe(token[j], held[j])
            loss = (weight[j] * (((got - true[j]) ** 2).sum(1) + a.order * regret(got, true[j]) * single[j])).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
        now = scores(decoder, other)
        say({"epoch": epoch, **now})
    return now


def average(decoder, others):
    """Puts the mean weights of its own head and of others' in a decoder: heads that began as one can be averaged, and err less together."""
    with torch.no_grad():
        for name, p in decoder.named_parameters():
            if name.startswith(HEAD):
                p.copy_(torch.stack([p, *(o.get_parameter(name) for o in others)]).mean(0))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("start", help="a checkpoint, or a folder of exported graphs")
    p.add_argument("--data", nargs="+", required=True, help=read.__doc__)
    p.add_argument("--run", required=True, help="folder of what is computed once, and of the log; what is found there is used again")
    p.add_argument("--out", required=True, help="folder of the graphs")
    p.add_argument("--sides", type=int, nargs="+", default=[320, 384, 448])
    p.add_argument("--targets", type=int, default=8, help="segments a picture, each with two prompts")
    p.add_argument("--epochs", type=int, default=12)
    p.add_argument("--batch", type=int, default=512)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--decay", type=float, default=0.05)
    p.add_argument("--order", type=float, default=2.0, help="weight of the loss by order")
    p.add_argument("--by-picture", type=float, default=0.5, help="how much less each click of a picture of many counts")
    p.add_argument("--by-set", type=float, default=0.35, help="how much less each picture of a set of many counts")
    p.add_argument("--average", nargs="*", default=[], help="folders of graphs of the same masks, whose heads' weights are averaged with the one trained here")
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    g = torch.Generator().manual_seed(a.seed)
    os.makedirs(a.run, exist_ok=True)
    model = (from_graphs if os.path.isdir(a.start) else from_checkpoint)(a.start).eval()
    log = open(os.path.join(a.run, "log.jsonl"), "a")

    def say(line):
        print(json.dumps(line), flush=True)
        print(json.dumps(line), file=log, flush=True)

    path = os.path.join(a.run, "rows.pt")
    train = split([i for s in a.data for i in read(s)])[0]
    if not os.path.exists(path):
        torch.save(collect(model.to(memory_format=torch.channels_last), train, a.sides, a.targets, g, say), path + ".new")
        os.replace(path + ".new", path)
    rows = [c.float() if c.dtype == torch.float16 else c for c in torch.load(path)]
    rows.append(weights(rows[4], [i.set for i in train], a.by_picture, a.by_set))
    say({"prompts": len(rows[0]), "clicks": int(rows[3].sum()), "after": fit(model.decoder, rows, a, g, say)})
    average(model.decoder, [from_graphs(f).decoder for f in a.average])
    export(model, a.out)
    print(f"exported to {a.out}; largest relative difference from PyTorch {check(model, a.out):.1e}")


if __name__ == "__main__":
    main()
