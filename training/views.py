"""What the frozen encoder sees of annotated pictures, several views of each, kept in a folder so that a step of training a memory costs little.

A group is what an object can be found again in: frames of one sequence, or views of one picture that differ by place, scale, bend, light, blur and by what
is in front. A label means the same thing in all views of a group; in some of them the thing may be absent.
"""
import argparse
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

import data
from batches import Batches
from model import from_graphs

# Frames of each training sequence of DAVIS 2016 when every sixth is kept, in order: data.py's guess of where one ends errs by some frames.
SEQUENCES = dict(zip(
    "bear bmx-bumps boat breakdance-flare bus car-turn dance-jump dog-agility drift-turn elephant flamingo hike hockey horsejump-low kite-walk lucia "
    "mallard-fly mallard-water motocross-bumps motorbike paragliding rhino rollerblade scooter-gray soccerball stroller surf swing tennis train".split(),
    (14, 15, 13, 12, 14, 14, 10, 5, 11, 14, 14, 14, 13, 10, 14, 12, 12, 14, 10, 8, 12, 15, 6, 13, 8, 16, 10, 10, 12, 14)))
CHOOSING = list(SEQUENCES)[3::5]  # held out to choose by, beside the tenth that data.py holds out
PASTED = 200  # the label of what is pasted into a picture


def sequences(items):
    """DAVIS's training sequences by name, {name: items}."""
    frames = {int(i.image[-8:-4]): i for i in items if i.set == "davis_train"}  # those without a mask are not there
    ends = np.cumsum(list(SEQUENCES.values()))
    return {name: [frames[k] for k in range(e - n, e) if k in frames] for (name, n), e in zip(SEQUENCES.items(), ends)}


def held_out(items):
    """The names of the sequences that no training sees: those to choose by, and those that the tenth holds out for the most part."""
    out = {id(i) for i in data.split(items)[1]}
    return CHOOSING + [n for n, fs in sequences(items).items() if n not in CHOOSING and 2 * sum(id(f) in out for f in fs) > len(fs)]


def letterboxed(item, size):
    """A whole frame as the agent shows it: (3,H,W) and its first label map (H,W)."""
    h, w = size
    arr, maps = item.load()
    k = min(h / arr.shape[0], w / arr.shape[1])
    nh, nw = round(arr.shape[0] * k), round(arr.shape[1] * k)
    scaled = F.interpolate(torch.from_numpy(arr.copy()).permute(2, 0, 1)[None].float(), (nh, nw), mode="bilinear", align_corners=False)[0]
    image = torch.tensor(data.PAD)[:, None, None].expand(3, h, w).clone()
    image[:, :nh, :nw] = scaled
    labels = torch.zeros(h, w, dtype=torch.uint8)
    labels[:nh, :nw] = F.interpolate(torch.from_numpy(maps[0].copy())[None, None].float(), (nh, nw), mode="nearest")[0, 0].byte()
    return image, labels


class Views:
    def __init__(self, items, size, seed=0):
        self.size, self.b = size, Batches(items, seed=seed, small=0.1)
        self.stills = [i for i in items if not i.set.startswith("davis")]

    def bend(self, image, labels, most=1.0):
        """A rotation, a scale and a smooth bend (a grid of 4x4 random shifts) of both."""
        h, w = labels.shape
        turn, k = float(self.b.rand(1, lo=-0.25, hi=0.25)) * most, float(torch.exp(self.b.rand(1, lo=-0.2, hi=0.2)))
        theta = torch.tensor([[[np.cos(turn) / k, -np.sin(turn) / k * h / w, 0], [np.sin(turn) / k * w / h, np.cos(turn) / k, 0]]], dtype=torch.float32)
        shifts = self.b.rand(1, 2, 4, 4, lo=-0.06, hi=0.06) * most
        grid = F.affine_grid(theta, (1, 1, h, w), align_corners=False) + F.interpolate(shifts, (h, w), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
        image = F.grid_sample(image[None], grid, padding_mode="border", align_corners=False)[0]
        return image, F.grid_sample(labels[None, None].float(), grid, mode="nearest", align_corners=False)[0, 0].byte()

    def piece(self):
        """A segment to paste: its picture (3,H,W) and mask (H,W)."""
        while True:
            image, labels = self.b.crop(self.stills[self.b.choice(len(self.stills))], self.size)
            count = torch.bincount(labels.flatten().long(), minlength=2)
            count[0] = 0
            ids = torch.nonzero((count > 600) & (count < 0.3 * labels.numel())).flatten()
            if len(ids):
                return image, labels == ids[self.b.choice(len(ids))]

    def paste(self, image, labels, piece):
        src = torch.cat([piece[0], piece[1][None].float()])
        k, (dx, dy) = float(torch.exp(self.b.rand(1, lo=-0.6, hi=0.3))), [float(v) for v in self.b.rand(2, lo=-0.7, hi=0.7)]
        theta = torch.tensor([[[1 / k, 0, dx / k], [0, 1 / k, dy / k]]])
        got = F.grid_sample(src[None], F.affine_grid(theta, (1, *src.shape), align_corners=False), align_corners=False)[0]
        image = image * (1 - got[3:]) + got[:3] * got[3:]
        return image, torch.where(got[3] > 0.5, torch.tensor(PASTED, dtype=torch.uint8), labels)

    def still(self, item, n):
        """n views of a picture; over two thirds of the pictures the same segment of another one is pasted, into most views."""
        level, over = self.b.choice(len(item.maps)), self.piece() if self.b.rand(1) < 0.67 else None
        out = []
        for _ in range(n):
            v = self.bend(*self.b.crop(item, self.size, level))
            out.append(self.paste(*v, over) if over and self.b.rand(1) < 0.8 else v)
        return torch.stack([self.b.degrade(v[0][None])[0] for v in out]), torch.stack([v[1] for v in out])

    def frames(self, items, changed):
        """A sequence's frames; changed, 1: mirrored at random, bent a little, and as cameras see it, with something pasted over half of them; 2: each
        cropped in its own way, too, so that things come near or go away."""
        views = [letterboxed(i, self.size) if changed < 2 else self.b.crop(i, self.size, 0) for i in items]
        if not changed:
            return torch.stack([v[0] for v in views]), torch.stack([v[1] for v in views])
        mirrored, over = changed < 2 and self.b.rand(1) < 0.5, self.piece()
        views = [(v[0].flip(2), v[1].flip(1)) if mirrored else v for v in views]
        views = [self.bend(*v, most=0.4) for v in views]
        views = [self.paste(*v, over) if self.b.rand(1) < 0.5 else v for v in views]
        return torch.stack([self.b.degrade(v[0][None])[0] for v in views]), torch.stack([v[1] for v in views])


def plan(views, items, names, still_views, twice, stills):
    """What to make: functions that give a group's images and labels, with its name. So many still pictures, drawn at random."""
    held = set(held_out(items))
    out = {id(i) for i in data.split(items)[1]}
    for name, frames in sequences(items).items():
        frames = frames if names == "held" else [f for f in frames if id(f) not in out]
        if (name in held) != (names == "held") or len(frames) < 2:
            continue
        for changed in range(1 if names == "held" else 1 + twice):
            yield name, lambda f=frames, c=changed: views.frames(f, (c + 1) // 2)
    if names == "train":
        for at in torch.randperm(len(views.stills), generator=views.b.g)[:stills].tolist():
            i = views.stills[at]
            yield i.name, lambda i=i: views.still(i, still_views)


def write(encoder, groups, folder, batch=8):
    """embed_8 and embed_4 as float16 and labels at H/4, all views in a row, and groups.json: [name, first view, number of views]."""
    os.makedirs(folder, exist_ok=True)
    files = {k: open(os.path.join(folder, k + ".bin"), "wb") for k in ("e8", "e4", "labels")}
    table, shapes, n = [], {}, 0
    for name, make in groups:
        images, labels = make()
        for i in range(0, len(images), batch):
            with torch.no_grad():
                e8, e4 = encoder(images[i : i + batch])
            got = {"e8": e8.half().numpy(), "e4": e4.half().numpy(), "labels": labels[i : i + batch, 2::4, 2::4].numpy()}
            for k, v in got.items():
                files[k].write(np.ascontiguousarray(v).tobytes())
                shapes[k] = v.shape[1:]
        table.append([name, n, len(images)])
        n += len(images)
        if len(table) % 100 == 0:
            print(f"{len(table)} groups, {n} views", flush=True)
    for f in files.values():
        f.close()
    with open(os.path.join(folder, "groups.json"), "w") as f:
        json.dump({"groups": table, "shapes": shapes}, f)


def load(folder):
    """The arrays of a folder, mapped, and its groups."""
    with open(os.path.join(folder, "groups.json")) as f:
        doc = json.load(f)
    kinds = {"e8": np.float16, "e4": np.float16, "labels": np.uint8}
    return {k: np.memmap(os.path.join(folder, k + ".bin"), kinds[k], "r").reshape(-1, *doc["shapes"][k]) for k in kinds}, doc["groups"]


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--data", required=True)
    p.add_argument("--model", default="../models/default")
    p.add_argument("--out", required=True, help="gets train/ and held/")
    p.add_argument("--size", default="256x448")
    p.add_argument("--views", type=int, default=3, help="of a still picture")
    p.add_argument("--stills", type=int, default=600, help="how many still pictures")
    p.add_argument("--twice", type=int, default=4, help="how often a sequence is seen changed")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    items = data.read(a.data)
    encoder = from_graphs(a.model).encoder.eval()
    size = tuple(int(v) for v in a.size.split("x"))
    for part in ("held", "train"):
        views = Views(data.split(items)[0], size, a.seed)
        write(encoder, plan(views, items, part, a.views, a.twice, a.stills), os.path.join(a.out, part))


if __name__ == "__main__":
    main()
