"""Composes short annotated clips, in DAVIS's layout, of what goes wrong on cameras: an object cut out of one picture moves over another.

Five kinds: what comes near grows tenfold within twenty frames; what is small passes posts; what turns shows another side; what has look-alikes
passes among them; what is fast is blurred. `segedge eval video --data OUT` scores a tracker on them.
"""
import argparse
import os

import cv2
import numpy as np

from data import read, split

WIDTH, HEIGHT = 854, 480
GROUND = (1100, 620)  # pixels of the picture that the camera pans over


class Composer:
    """Draws objects and grounds from annotated images, by a seed."""

    def __init__(self, items, seed):
        self.items, self.rng = items, np.random.default_rng(seed)

    def cutout(self):
        """A connected segment that the picture shows whole, BGR (H,W,3), and its mask (H,W)."""
        while True:
            image, maps = self.items[self.rng.integers(len(self.items))].load()
            lab = maps[self.rng.integers(len(maps))]
            whole = [m for m in (lab == i for i in np.unique(lab) if i) if is_whole(m)]
            if whole:
                x0, y0, x1, y1 = bounds(m := whole[self.rng.integers(len(whole))])
                return image[y0:y1, x0:x1, ::-1].copy(), m[y0:y1, x0:x1].astype(np.float32)

    def ground(self):
        while True:
            image, _ = self.items[self.rng.integers(len(self.items))].load()
            if image.shape[1] > image.shape[0]:
                return cv2.resize(image[:, :, ::-1], GROUND, interpolation=cv2.INTER_CUBIC)

    def uniform(self, lo, hi, n=None):
        return self.rng.uniform(lo, hi, n)


def bounds(m):
    ys, xs = np.nonzero(m)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


def is_whole(m, least=2500, most=0.45, full=0.3):
    """Whether a mask is of some size, in one piece, away from the picture's edge and no sliver."""
    n = m.sum()
    if n < least or n > most * m.size:
        return False
    x0, y0, x1, y1 = bounds(m)
    if x0 < 2 or y0 < 2 or x1 > m.shape[1] - 2 or y1 > m.shape[0] - 2 or n < full * (x1 - x0) * (y1 - y0):
        return False
    return cv2.connectedComponentsWithStats(m.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA].max() > 0.95 * n


def placed(shape, x, y, wide, high, turn=0.0):
    """The affine map that puts the middle of a cut-out at (x, y), scaled by (wide, high) and turned."""
    h, w = shape
    c, s = np.cos(turn), np.sin(turn)
    a = np.array([[c * wide, -s * high], [s * wide, c * high]])
    return np.c_[a, np.array([x, y]) - a @ [w / 2, h / 2]]


def panned(ground, dx, dy):
    at = np.array([[1, 0, dx - 120], [0, 1, dy - 70]], float)
    return cv2.warpAffine(ground, at, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT).astype(float)


def smear(image, way):
    """Blur along a way, pixels, as a shutter that is open for so long."""
    n = int(np.hypot(*way) / 2)
    if n < 2:
        return image
    k = np.zeros((2 * n + 1, 2 * n + 1), np.float32)
    end = np.asarray(way) / np.hypot(*way) * n
    cv2.line(k, tuple(int(round(n - v)) for v in end), tuple(int(round(n + v)) for v in end), 1)
    return cv2.filter2D(image, -1, k / k.sum())


def paint(image, thing, at, way=(0, 0)):
    """The picture with a cut-out painted over it, and where that is."""
    pixels, mask = thing
    small = abs(at[0, 0]) + abs(at[1, 0]) < 1
    over = cv2.warpAffine(pixels, at, (WIDTH, HEIGHT), flags=cv2.INTER_AREA if small else cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    alpha = cv2.warpAffine(mask, at, (WIDTH, HEIGHT))
    soft = smear(alpha, way)[..., None]
    return image * (1 - soft) + smear(over * alpha[..., None], way), alpha > 0.5


def approach(c, frames=40):
    thing, ground = c.cutout(), c.ground()
    high, pan, x0, y0 = c.uniform(26, 40), c.uniform(-2, 2, 2), c.uniform(250, 600), c.uniform(180, 300)
    for k in range(frames):
        t = min(k, 20) / 20
        scale = min(high * 10**t, 1.5 * HEIGHT) / thing[1].shape[0]
        x, y = x0 + (WIDTH / 2 - x0) * t + k * np.sign(pan[0]), y0 + (0.55 * HEIGHT - y0) * t
        yield paint(panned(ground, *(-pan * (k - frames / 2))), thing, placed(thing[1].shape, x, y, scale, scale, 0.05 * np.sin(k / 3)))


def posts(c, frames=48):
    thing, ground, texture = c.cutout(), c.ground(), cv2.resize(c.ground(), (WIDTH, HEIGHT))
    scale, speed, y0 = c.uniform(40, 70) / thing[1].shape[0], c.uniform(9, 16), c.uniform(150, 330)
    stand = [slice(x, x + int(c.uniform(14, 34))) for x in (260, 430, 600)]
    for k in range(frames):
        at = placed(thing[1].shape, 90 + speed * k, y0 + 8 * np.sin(k / 4), scale, scale)
        image, mask = paint(panned(ground, 0, 0), thing, at, (0.4 * speed, 0.01))
        for s in stand:
            image[:, s], mask[:, s] = 0.6 * texture[:, s], False
        yield image, mask


def turn(c, frames=48):
    thing, ground = c.cutout(), c.ground()
    scale, pan = c.uniform(140, 240) / thing[1].shape[0], c.uniform(-3, 3, 2)
    for k in range(frames):
        side = np.cos(1.5 * np.pi * k / frames)
        side = np.sign(side) * max(abs(side), 0.3)
        at = placed(thing[1].shape, 300 + 5 * k, 240 + 20 * np.sin(k / 5), scale * side, scale, 0.1 * np.sin(k / 6))
        yield paint(panned(ground, *(-pan * (k - frames / 2))), thing, at)


def alike(c, frames=48):
    thing, ground = c.cutout(), c.ground()
    scale = c.uniform(110, 160) / thing[1].shape[0]
    for k in range(frames):
        phase = 2 * np.pi * (k / frames + np.arange(3) / 3)
        image, own = panned(ground, 0, 0), None
        for i in np.argsort(np.sin(phase)):  # what is further down lies in front
            image, m = paint(image, thing, placed(thing[1].shape, 427 + 150 * np.cos(phase[i]), 250 + 30 * np.sin(phase[i]), scale, scale))
            own = m if i == 0 else own if own is None else own & ~m
        yield image, own


def blurred(c, frames=48):
    thing, ground = c.cutout(), c.ground()
    high, at, speed = c.uniform(50, 110) / thing[1].shape[0], np.array([427.0, 240.0]), np.array([8.0, 0.0])
    for k in range(frames):
        speed = 0.8 * speed + c.rng.normal(0, 7, 2) + 0.03 * (np.array([427, 240]) - at)
        at, scale = at + speed, high * (1 + 0.2 * np.sin(k / 7))
        yield paint(panned(ground, -2 * np.sin(k / 5), 0), thing, placed(thing[1].shape, *at, scale, scale, 0.3 * np.sin(k / 9)), 0.7 * speed)


def write(out, name, frames, rng):
    """Pictures with a sensor's noise, as JPEG, and masks as PNG."""
    pictures, masks = (os.path.join(out, d, "480p", name) for d in ("JPEGImages", "Annotations"))
    os.makedirs(pictures, exist_ok=True), os.makedirs(masks, exist_ok=True)
    for k, (image, mask) in enumerate(frames):
        noisy = (image + rng.normal(0, 2.5, image.shape)).clip(0, 255).astype(np.uint8)
        cv2.imwrite(os.path.join(pictures, f"{k:05d}.jpg"), noisy, [cv2.IMWRITE_JPEG_QUALITY, 92])
        cv2.imwrite(os.path.join(masks, f"{k:05d}.png"), mask.astype(np.uint8) * 255)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("spec", nargs="+", help=read.__doc__ + " Held-out images are left out.")
    p.add_argument("--out", required=True)
    p.add_argument("--each", type=int, default=4, help="clips of each kind")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    c = Composer(split([i for s in a.spec for i in read(s)])[0], a.seed)
    for n in range(a.each):
        for kind in (approach, posts, turn, alike, blurred):
            write(a.out, f"{kind.__name__}-{n}", kind(c), c.rng)
            print(f"{kind.__name__}-{n}", flush=True)


if __name__ == "__main__":
    main()
