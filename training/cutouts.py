"""Composes annotated still pictures of cut-outs: photographs of single objects, PNG with alpha, laid over photographs and over training pictures.

The set that it writes is read as any other (images/cutouts_0000.jpg, labels/cutouts_0000.png). Over a training picture that picture's own segments stay labelled
where they are still seen; of a photograph only what was laid over it is. Held-out pictures are not used. `clips.py` does the like for video.
"""
import argparse
import glob
import io
import os

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from data import read, split

LEAST = 50  # pixels that must be seen of an object, as batches.py asks of a segment


def is_photograph(cutout, flattest=0.12, fewest=4.0):
    """Whether a cut-out (RGBA) of some size is a photograph: neighbours hardly ever equal, and many colours for its size. Drawings are flat, or few-coloured."""
    a = np.asarray(cutout).astype(int)
    inside = a[..., 3] > 128
    if max(cutout.size) < 120 or inside.sum() < 3000:
        return False
    both = inside[:, 1:] & inside[:, :-1]
    flat = (np.abs(np.diff(a[..., :3], axis=1)).sum(2) == 0)[both].mean()
    colours = len(np.unique((a[..., :3][inside] >> 2) @ [1, 64, 4096])) / inside.sum() ** 0.5
    return flat < flattest and colours > fewest


def find_cutouts(folder, without=()):
    """The photographs among a folder's PNGs, at any depth, trimmed to what is seen of them; without those whose path ends with one of `without`."""
    out = []
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.png"), recursive=True)):
        if not path.endswith(tuple(without)):
            with Image.open(path) as im:
                im = im.convert("RGBA") if "A" in im.getbands() or "transparency" in im.info else None
            if im and is_photograph(im):
                out.append(im.crop(im.getchannel("A").getbbox()))
    return out


class Composer:
    """Draws grounds, cut-outs and where these go, by a seed."""

    def __init__(self, cutouts, photographs, items, seed=0):
        """cutouts: RGBA; photographs: paths; items: annotated training pictures. One of the last two may be empty."""
        self.cutouts, self.items, self.rng = cutouts, items, np.random.default_rng(seed)
        self.photographs = [shrunk(p) for p in photographs]

    def uniform(self, lo, hi):
        return float(self.rng.uniform(lo, hi))

    def chance(self, p):
        return self.rng.random() < p

    def one_of(self, things):
        return things[int(self.rng.integers(len(things)))]

    def ground(self):
        """A picture of 480 to 640 pixels' longest side, cropped of a ground, and its label map (0 all over of a photograph)."""
        if self.items and (not self.photographs or self.chance(0.65)):
            image, maps = self.one_of(self.items).load(640)
            image, lab = Image.fromarray(image), Image.fromarray(self.one_of(maps))
        else:
            image = self.one_of(self.photographs)
            lab = Image.new("L", image.size)
        k, aspect = self.uniform(0.5, 1), self.one_of((4 / 3, 16 / 9, 1.0, 3 / 4))
        w = k * min(image.width, image.height * aspect)
        h = w / aspect
        x, y = self.uniform(0, image.width - w), self.uniform(0, image.height - h)
        side = self.uniform(480, 640) / max(w, h)
        size, box = (round(w * side), round(h * side)), (x, y, x + w, y + h)
        return image.resize(size, Image.BICUBIC, box), np.array(lab.resize(size, Image.NEAREST, box))

    def turned(self, cutout, side):
        """The cut-out with that longest side (not much enlarged), mirrored, turned and blurred by chance, its edge drawn in a little and soft."""
        k = min(side / max(cutout.size), 1.5)
        im = cutout.resize((max(4, round(cutout.width * k)), max(4, round(cutout.height * k))), Image.BICUBIC)
        if self.chance(0.5):
            im = im.transpose(Image.FLIP_LEFT_RIGHT)
        if self.chance(0.5):
            im = im.rotate(self.rng.normal(0, 12), Image.BICUBIC, expand=True)
        if self.chance(0.3):
            im = im.filter(ImageFilter.GaussianBlur(self.uniform(0.3, 1.2)))
        alpha = im.getchannel("A")
        if min(im.size) > 24:  # the outermost pixels still hold what was behind the object
            alpha = alpha.filter(ImageFilter.MinFilter(3))
        im.putalpha(alpha.filter(ImageFilter.GaussianBlur(self.uniform(0.3, 1.1))))
        return im

    def lay(self, image, lab, cutout, side, at):
        """Lays a cut-out over the picture (H,W,3 float) and the map, its middle at `at` (x, y): lit a little as what is there, over a shadow by chance."""
        off = round(0.08 * side)
        im = ImageOps.expand(self.turned(cutout, side), 2 * off)  # with room for its shadow
        x, y = round(at[0] - im.width / 2), round(at[1] - im.height / 2)
        rows, columns = slice(max(0, y), max(0, y + im.height)), slice(max(0, x), max(0, x + im.width))
        there, ids = image[rows, columns], lab[rows, columns]
        seen = (slice(max(0, -y), max(0, -y) + ids.shape[0]), slice(max(0, -x), max(0, -x) + ids.shape[1]))
        rgba = np.asarray(im).astype(float)[seen]
        alpha = rgba[..., 3:] / 255
        if lab.max() == 255 or (alpha > 0.5).sum() < LEAST:
            return
        if self.chance(0.5):
            shade = np.asarray(im.getchannel("A").filter(ImageFilter.GaussianBlur(max(1, off / 2)))) / 255
            way = int(self.uniform(0, off)), int(self.uniform(-off, off))
            there *= 1 - self.uniform(0.1, 0.5) * np.roll(shade, way, (0, 1))[seen][..., None]
        around, own = there.mean((0, 1)), (rgba[..., :3] * alpha).sum((0, 1)) / alpha.sum()
        light = np.clip((around + 20) / (own + 20), 0.5, 2) ** self.uniform(0, 0.5)
        there[:] = there * (1 - alpha) + rgba[..., :3] * light * alpha
        ids[alpha[..., 0] > 0.5] = lab.max() + 1

    def picture(self):
        """A picture and its label map: one to five objects, small ones often, each before those laid first."""
        ground, lab = self.ground()
        image, (w, h) = np.asarray(ground).astype(float), ground.size
        at, cutout = (w / 2, h / 2), None
        for _ in range(int(self.rng.integers(1, 6))):
            if cutout is None or not self.chance(0.15):  # else: its look-alike
                cutout = self.one_of(self.cutouts)
            side = max(w, h) * np.exp(self.uniform(np.log(0.06), np.log(0.7)))
            if self.chance(0.4):  # near the last one, so that they hide one another
                at = at[0] + self.rng.normal(0, 0.5) * side, at[1] + self.rng.normal(0, 0.5) * side
            else:
                at = self.uniform(0.05, 0.95) * w, self.uniform(0.05, 0.95) * h
            self.lay(image, lab, cutout, side, at)
        return self.shot(image), cleared(lab)

    def shot(self, image):
        """What one camera does to all of it, so that nothing tells what was laid over it: blur, noise, compression."""
        im = Image.fromarray(image.clip(0, 255).astype(np.uint8))
        if self.chance(0.5):
            im = im.filter(ImageFilter.GaussianBlur(self.uniform(0.2, 0.9)))
        noisy = np.asarray(im) + self.rng.normal(0, self.uniform(0, 5), image.shape)
        buffer = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=int(self.uniform(70, 96)))
        return buffer.getvalue()


def shrunk(path, side=1600):
    with Image.open(path) as im:
        im.draft("RGB", (side, side))
        im = im.convert("RGB")
    im.thumbnail((side, side), Image.BICUBIC)
    return im


def cleared(lab):
    """The map without segments of which too little is seen."""
    count = np.bincount(lab.ravel(), minlength=256)
    return np.where(count[lab] < LEAST, 0, lab).astype(np.uint8)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--cutouts", required=True, help="folder of PNGs with alpha; drawings among them are left out")
    p.add_argument("--without", nargs="*", default=[], help="ends of the paths of cut-outs that are not wanted")
    p.add_argument("--photographs", nargs="*", default=[], help="pictures to lay them over")
    p.add_argument("--data", nargs="*", default=[], help="annotated pictures to lay them over: " + read.__doc__)
    p.add_argument("--out", required=True)
    p.add_argument("--pictures", type=int, default=1500)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    c = Composer(find_cutouts(a.cutouts, a.without), a.photographs, split([i for s in a.data for i in read(s)])[0], a.seed)
    print(f"{len(c.cutouts)} cut-outs over {len(c.photographs)} photographs and {len(c.items)} annotated pictures", flush=True)
    for sub in ("images", "labels"):
        os.makedirs(os.path.join(a.out, sub), exist_ok=True)
    for k in range(a.pictures):
        jpeg, lab = c.picture()
        with open(os.path.join(a.out, "images", f"cutouts_{k:04d}.jpg"), "wb") as f:
            f.write(jpeg)
        Image.fromarray(lab).save(os.path.join(a.out, "labels", f"cutouts_{k:04d}.png"))
    print(f"{a.pictures} pictures in {a.out}")


if __name__ == "__main__":
    main()
