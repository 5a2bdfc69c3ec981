"""Reading annotated images, and holding a tenth of them out.

An item is an image with one or more label maps (uint8, 0 unlabelled, n the n-th segment). Sources whose masks overlap (COCO,
SA-1B) are spread over as many maps as are needed, so that everything after the readers sees one form.
"""
import argparse
import glob
import json
import os
import re
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from model import PAD


@dataclass
class Item:
    set: str
    name: str  # what is held out together has the same name: an image's annotators, a sequence's frames
    image: str
    maps: list  # paths of PNG label maps, or functions of nothing to a list of arrays
    cache: tuple = field(default=None, repr=False)

    def load(self, side=608):
        """The image (H,W,3) and its maps (H,W), longest side at most `side`; kept in memory."""
        if self.cache is None:
            im = Image.open(self.image).convert("RGB")
            maps = [Image.open(m) for m in self.maps] if not callable(self.maps) else [Image.fromarray(m) for m in self.maps()]
            k = min(1.0, side / max(im.size))
            size = (max(1, round(im.width * k)), max(1, round(im.height * k)))
            arr = np.asarray(im.resize(size, Image.BILINEAR) if size != im.size else im)
            maps = [np.asarray(m.resize(size, Image.NEAREST) if m.size != size else m, dtype=np.uint8) for m in maps]
            self.cache = arr, [m for m in maps]
        return self.cache


# ---------------------------------------------------------------- readers


def label_maps(folder, sets=None):
    """images/NAME.jpg with labels/NAME.png or labels/NAME_k.png, one map an annotator or level. The set is NAME up to its number."""
    images = {os.path.basename(p)[:-4]: p for p in sorted(glob.glob(os.path.join(folder, "images", "*.jpg")))}
    maps = {}
    for path in sorted(glob.glob(os.path.join(folder, "labels", "*.png"))):
        stem = os.path.basename(path)[:-4]
        maps.setdefault(stem if stem in images else re.sub(r"_\d+$", "", stem), []).append(path)
    items = []
    for base, path in images.items():
        name = re.sub(r"_?\d+$", "", base) or "images"
        if base in maps and (sets is None or name in sets):
            items.append(Item(name, base, path, maps[base]))
    if any(i.set == "davis_train" for i in items):
        name_sequences([i for i in items if i.set == "davis_train"])
    return items


def name_sequences(items, cut=38, shortest=4):
    """Gives the frames of one video one name. Frames of several videos follow one another: a big change of the picture starts a new one."""
    last, run, start = None, 0, 0
    for k, item in enumerate(items):
        small = np.asarray(Image.open(item.image).convert("L").resize((32, 18)), dtype=float)
        if last is not None and np.abs(small - last).mean() > cut and k - start >= shortest:
            run, start = run + 1, k
        last, item.name = small, f"{item.set}_sequence_{run:03d}"


def davis(folder, stride=1, resolution="480p"):
    """JPEGImages/480p/SEQUENCE/NNNNN.jpg with Annotations/480p/SEQUENCE/NNNNN.png."""
    items = []
    for seq in sorted(os.listdir(os.path.join(folder, "JPEGImages", resolution))):
        frames = sorted(glob.glob(os.path.join(folder, "JPEGImages", resolution, seq, "*.jpg")))
        for path in frames[::stride]:
            mask = os.path.join(folder, "Annotations", resolution, seq, os.path.basename(path)[:-4] + ".png")
            if os.path.exists(mask):
                items.append(Item("davis", seq, path, lambda m=mask: [instances(Image.open(m))]))
    return items


def instances(im):
    """DAVIS masks: 0/255, or a palette of objects."""
    a = np.asarray(im if im.mode in ("P", "L") else im.convert("L"))
    return np.where(a == 255, 1, a).astype(np.uint8)


def coco(annotations, images, name="coco"):
    """A COCO instances file and its folder of images."""
    with open(annotations) as f:
        doc = json.load(f)
    by_image = {}
    for a in doc["annotations"]:
        by_image.setdefault(a["image_id"], []).append(a)
    items = []
    for im in doc["images"]:
        todo = by_image.get(im["id"], [])
        if todo:
            size = im["height"], im["width"]
            base = os.path.splitext(im["file_name"])[0]
            items.append(Item(name, base, os.path.join(images, im["file_name"]), lambda t=todo, s=size: layers([segmentation(a["segmentation"], s) for a in t])))
    return items


def sa1b(folder):
    """SA-1B: NAME.json beside NAME.jpg."""
    items = []
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        def maps(p=path):
            with open(p) as f:
                doc = json.load(f)
            size = doc["image"]["height"], doc["image"]["width"]
            return layers([segmentation(a["segmentation"], size) for a in doc["annotations"]])
        items.append(Item("sa1b", os.path.basename(path)[:-5], path[:-5] + ".jpg", maps))
    return items


def segmentation(seg, size):
    """Polygons, or run lengths, plain or in COCO's compressed letters, to a bool mask."""
    h, w = size
    if isinstance(seg, list):
        im = Image.new("1", (w, h))
        for poly in seg:
            ImageDraw.Draw(im).polygon([float(v) for v in poly], fill=1)
        return np.asarray(im)
    counts = seg["counts"] if isinstance(seg["counts"], list) else decode_counts(seg["counts"])
    flat = np.repeat(np.arange(len(counts)) % 2, counts).astype(bool)
    return flat.reshape(seg["size"][1], seg["size"][0]).T


def decode_counts(text):
    counts, value, shift = [], 0, 0
    for ch in text.encode() if isinstance(text, str) else text:
        c = ch - 48
        value |= (c & 31) << shift
        shift += 5
        if not c & 32:
            if c & 16:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value, shift = 0, 0
    return counts


def layers(masks):
    """Spreads masks that overlap over several label maps, large ones first."""
    maps = []
    for m in sorted(masks, key=lambda m: -m.sum()):
        for a in maps:
            if a.max() < 255 and not (a[m] > 0).any():
                a[m] = a.max() + 1
                break
        else:
            maps.append(m.astype(np.uint8))
    return maps


def read(spec):
    """DIR of label maps, davis:DIR, sa1b:DIR or coco:FILE.json:IMAGES; DIR@set,set takes some sets only."""
    kind, _, rest = spec.partition(":")
    if kind == "davis":
        return davis(rest)
    if kind == "sa1b":
        return sa1b(rest)
    if kind == "coco":
        return coco(*rest.split(":"))
    folder, _, sets = spec.partition("@")
    return label_maps(folder, sets.split(",") if sets else None)


def split(items):
    """(training items, held-out items): the tenth, twentieth, ... name of each set, in order, is held out with all that share it."""
    names = {}
    for i in items:
        names.setdefault(i.set, set()).add(i.name)
    out = {(s, n) for s in names for n in sorted(names[s])[9::10]}
    return [i for i in items if (i.set, i.name) not in out], [i for i in items if (i.set, i.name) in out]


# ---------------------------------------------------------------- letterbox, as the agent does it


def letterbox(arr, side, multiple=32):
    """(H,W,3) uint8 -> (1,3,H',W') float32 padded right and bottom, and the scale. Nothing is enlarged."""
    h, w = arr.shape[:2]
    k = min(1.0, side / max(h, w))
    nh, nw = max(1, int(h * k + 0.5)), max(1, int(w * k + 0.5))
    out = np.empty((-(-nh // multiple) * multiple, -(-nw // multiple) * multiple, 3), np.float32)
    out[:] = PAD
    out[:nh, :nw] = np.asarray(Image.fromarray(arr).resize((nw, nh), Image.BILINEAR))
    return out.transpose(2, 0, 1)[None], k, (nh, nw)


def main():
    p = argparse.ArgumentParser(description="Copies items into a folder of images and label maps: the held-out tenth, for other programs, or all, smaller, to travel.")
    p.add_argument("spec", nargs="+", help=read.__doc__)
    p.add_argument("--out", required=True)
    p.add_argument("--held-out", action="store_true", help="only the held-out tenth, each image with its first map")
    p.add_argument("--side", type=int, default=416)
    p.add_argument("--quality", type=int, default=92)
    a = p.parse_args()
    items = [i for s in a.spec for i in read(s)]
    if a.held_out:
        items = split(items)[1]
    for sub in ("images", "labels"):
        os.makedirs(os.path.join(a.out, sub), exist_ok=True)
    for i in items:
        arr, maps = i.load(a.side)
        base = os.path.splitext(os.path.basename(i.image))[0] if i.set != "davis" else f"davis_{i.name}_{os.path.basename(i.image)[:-4]}"
        Image.fromarray(arr).save(os.path.join(a.out, "images", base + ".jpg"), quality=a.quality)
        for k, m in enumerate(maps[:1] if a.held_out else maps):
            Image.fromarray(m).save(os.path.join(a.out, "labels", base + (".png" if a.held_out else f"_{k}.png")))
        i.cache = None
    print(f"{len(items)} images in {a.out}")


if __name__ == "__main__":
    main()
