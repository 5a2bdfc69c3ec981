"""A smoke run of the whole making of a model, and tests of its parts. Everything it reads it draws itself."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import torch
from PIL import Image, ImageDraw

import data
import evaluate
import prompts
from data import Batches, Item
from export import check, export
from model import Decoder, Model, load_graphs, prompt_maps, up

torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))


def draw(folder, n, annotators=1, name="made", seed=0):
    rng = np.random.default_rng(seed)
    for sub in ("images", "labels"):
        os.makedirs(os.path.join(folder, sub), exist_ok=True)
    for k in range(n):
        w, h = int(rng.integers(120, 200)), int(rng.integers(100, 160))
        im, lab = Image.new("RGB", (w, h), tuple(rng.integers(0, 255, 3))), Image.new("L", (w, h))
        for i in range(1, 4):
            x, y, r = rng.integers(10, w - 10), rng.integers(10, h - 10), rng.integers(12, 30)
            box = [int(v) for v in (x - r, y - r, x + r, y + r)]
            ImageDraw.Draw(im).ellipse(box, fill=tuple(int(v) for v in rng.integers(0, 255, 3)))
            ImageDraw.Draw(lab).ellipse(box, fill=i)
        im.save(os.path.join(folder, "images", f"{name}_{k:04d}.jpg"))
        for a in range(annotators):
            lab.save(os.path.join(folder, "labels", f"{name}_{k:04d}_{a}.png"))


class Readers(unittest.TestCase):
    def test_label_maps_and_split(self):
        with tempfile.TemporaryDirectory() as d:
            draw(d, 20, annotators=2)
            items = data.read(d)
            self.assertEqual((len(items), items[0].set, len(items[0].maps)), (20, "made", 2))
            train, held = data.split(items)
            self.assertEqual([i.name for i in held], ["made_0009", "made_0019"])
            self.assertFalse({i.name for i in train} & {i.name for i in held})

    def test_a_sequence_is_held_out_whole(self):
        with tempfile.TemporaryDirectory() as d:
            os.makedirs(os.path.join(d, "images")), os.makedirs(os.path.join(d, "labels"))
            for k in range(60):
                Image.new("RGB", (64, 48), (255, 255, 255) if k // 6 % 2 else (0, 0, 0)).save(os.path.join(d, "images", f"davis_train_{k:04d}.jpg"))
                Image.new("L", (64, 48), 1).save(os.path.join(d, "labels", f"davis_train_{k:04d}_0.png"))
            train, held = data.split(data.read(d))
            self.assertEqual((len(train), len(held), len({i.name for i in held})), (54, 6, 1))

    def test_davis(self):
        with tempfile.TemporaryDirectory() as d:
            for kind, ext in (("JPEGImages", "jpg"), ("Annotations", "png")):
                os.makedirs(os.path.join(d, kind, "480p", "cat"))
                Image.new("L", (40, 30), 255).convert("RGB" if ext == "jpg" else "L").save(os.path.join(d, kind, "480p", "cat", "00000." + ext))
            (item,) = data.read("davis:" + d)
            self.assertEqual(item.load()[1][0].max(), 1)

    def test_coco_and_sa1b(self):
        with tempfile.TemporaryDirectory() as d:
            Image.new("RGB", (6, 4)).save(os.path.join(d, "a.jpg"))
            seg = [{"size": [4, 6], "counts": [8, 4, 12]}, {"size": [4, 6], "counts": [4, 8, 12]}]  # columns 2, and 1 to 2: they overlap
            with open(os.path.join(d, "a.json"), "w") as f:
                json.dump({"image": {"width": 6, "height": 4}, "annotations": [{"segmentation": s} for s in seg]}, f)
            with open(os.path.join(d, "coco"), "w") as f:
                json.dump({"images": [{"id": 1, "file_name": "a.jpg", "width": 6, "height": 4}], "annotations": [{"image_id": 1, "segmentation": s} for s in seg + [[[4, 0, 5, 0, 5, 3]]]]}, f)
            for spec, n in ((f"sa1b:{d}", 2), (f"coco:{d}/coco:{d}", 2)):
                (item,) = data.read(spec)
                maps = item.load()[1]
                self.assertEqual(len(maps), n, spec)
                self.assertTrue((maps[0][:, 1:3] > 0).all())

    def test_compressed_run_lengths(self):
        # Differences to the count two before, five bits a letter, lowest first: 6, 1, 40, 4 (-> 5), 5 (-> 45), 2 (-> 7).
        def letters(v):
            out = ""
            while True:
                c, v = v & 31, v >> 5
                more = not (v == 0 and not c & 16) and not (v == -1 and c & 16)
                out += chr(48 + (c | 32 if more else c))
                if not more:
                    return out

        counts, text = [6, 1, 40, 5, 45, 7], ""
        for i, c in enumerate(counts):
            text += letters(c - (counts[i - 2] if i > 2 else 0))
        self.assertEqual(data.decode_counts(text), counts)


class Parts(unittest.TestCase):
    def test_batches_repeat_from_a_seed(self):
        with tempfile.TemporaryDirectory() as d:
            draw(d, 4)
            a, b = (Batches(data.read(d), seed=3, targets=3).draw(3, (96, 128)) for _ in range(2))
            for x, y in zip(a, b):
                self.assertTrue(torch.equal(x, y))
            image, visible, whole = a
            self.assertEqual((tuple(image.shape), tuple(visible.shape)), ((3, 3, 96, 128), (3, 3, 96, 128)))
            self.assertFalse((visible & ~whole).any())
            self.assertTrue(0 <= image.min() and image.max() <= 255)

    def test_up_by_hand_is_interpolate(self):
        x = torch.randn(2, 3, 5, 7)
        with torch.no_grad():
            want = up(x)
        self.assertLess(float((up(x) - want).abs().max()), 1e-5)

    def test_depth_peaks_at_the_centre(self):
        m = torch.zeros(1, 1, 32, 32)
        m[..., 5:20, 8:23] = 1
        self.assertEqual(int(prompts.depth(m).flatten().argmax()), 12 * 32 + 15)

    def test_prompts_are_where_they_say(self):
        g = torch.Generator().manual_seed(0)
        t = torch.zeros(64, 1, 40, 48)
        t[:, :, 10:20, 12:30] = 1
        p = prompts.Prompts(t, t, g)
        inside = p.labels[:, 0] == 1
        self.assertTrue(inside.any() and (p.has > 0).float().mean() > 0.2)
        xy = p.coords[inside, 0]
        self.assertTrue(((xy[:, 0] > 46) & (xy[:, 0] < 122) & (xy[:, 1] > 38) & (xy[:, 1] < 82)).all())
        p.correct(torch.full_like(t, -5.0))  # everything was missed
        self.assertTrue((p.labels[:, 3] == 1).all())
        p.correct(torch.full_like(t, 5.0))  # everything is too much
        self.assertTrue((p.labels[:, 4] == 0).all())

    def test_propagated_masks_resemble_the_object(self):
        t = torch.zeros(200, 1, 64, 64)
        t[:, :, 20:44, 16:40] = 1
        got = (prompts.propagated(t, torch.Generator().manual_seed(1)) > 0).float()
        iou = (got * t).sum((1, 2, 3)) / ((got + t) > 0).sum((1, 2, 3))
        self.assertTrue(0.5 < float(iou.mean()) < 0.85, float(iou.mean()))

    def test_a_prompt_does_not_see_the_others(self):
        d = Decoder().eval()
        e8, e4 = torch.randn(1, 64, 16, 20), torch.randn(1, 32, 32, 40)
        maps = prompt_maps(torch.rand(3, 2, 2) * 100, torch.tensor([[1.0, -1], [1, 0], [2, 3]]), torch.randn(3, 1, 32, 40), torch.tensor([[0.0], [1], [0]]))
        with torch.no_grad():
            every, alone = d(e8, e4, maps), d(e8, e4, maps[1:2])
            twice = d(e8.repeat(2, 1, 1, 1), e4.repeat(2, 1, 1, 1), maps.repeat(2, 1, 1, 1))
        for a, b, c in zip(every, alone, twice):
            self.assertTrue(torch.allclose(a[1:2], b, atol=1e-4) and torch.allclose(a, c[3:], atol=1e-4))

    def test_padding_points_and_absent_masks_change_nothing(self):
        maps = lambda n, mask: prompt_maps(torch.tensor([[[30.0, 20]] + [[0.0, 0]] * n]), torch.tensor([[1.0] + [-1.0] * n]), mask, torch.zeros(1, 1))
        a, b = maps(0, torch.zeros(1, 1, 16, 16)), maps(3, torch.randn(1, 1, 16, 16))
        self.assertTrue(torch.equal(a, b))

    def test_centre(self):
        m = np.zeros((40, 50), bool)
        m[0:21, 3:24] = True
        m[30:33, 0:50] = True
        x, y, d = evaluate.centre(m)
        self.assertEqual((x, y, d), (13, 10, 121))
        self.assertIsNone(evaluate.centre(m & False))


class Smoke(unittest.TestCase):
    def test_a_round_starts_from_exported_graphs(self):
        torch.manual_seed(3)
        made, again = Model(), Model()
        for m in made.modules():  # norms as a training run leaves them
            if isinstance(m, torch.nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.5), m.running_var.uniform_(0.5, 2), m.weight.data.uniform_(0.5, 2), m.bias.data.normal_()
        with tempfile.TemporaryDirectory() as d:
            export(made, d)
            with self.assertRaises(SystemExit):  # other weights are told apart
                check(again, d)
            load_graphs(again, d)
            self.assertLess(check(again, d), 1e-3)

    def test_train_resume_export_evaluate(self):
        with tempfile.TemporaryDirectory() as d:
            made, run, out = (os.path.join(d, n) for n in ("made", "run", "model"))
            draw(made, 12)
            def python(*args):
                got = subprocess.run([sys.executable, *args], cwd=HERE, capture_output=True, text=True)
                self.assertEqual(got.returncode, 0, got.stdout + got.stderr)
                return got.stdout
            small = ["--batch", "2", "--targets", "2", "--sizes", "96x128,128x96"]
            python("train.py", "--data", made, "--run", run, "--steps", "4", *small)
            self.assertIn("from step 4", python("train.py", "--data", made, "--run", run, "--steps", "8", *small))
            twice = os.path.join(d, "twice")
            python("train.py", "--data", made, "--run", twice, "--steps", "4", *small)
            again = os.path.join(d, "again")
            python("train.py", "--data", made, "--run", again, "--steps", "4", *small)
            python("train.py", "--data", made, "--run", os.path.join(d, "on"), "--start", os.path.join(run, "checkpoint.pt"), "--steps", "1", *small[:-1], "320x96")
            a, b = (torch.load(os.path.join(r, "checkpoint.pt"))["model"] for r in (twice, again))
            self.assertTrue(all(torch.equal(a[k], b[k]) for k in a), "the same seed gives the same weights")
            self.assertIn("largest relative difference", python("export.py", os.path.join(run, "checkpoint.pt"), "--out", out))
            table = python("evaluate.py", "--data", made, "--model", "new=" + out, "--side", "128", "--clicks", "5", "--json", os.path.join(d, "r.json"))
            self.assertIn("| made | 3 | new | 128 |", table)
            with open(os.path.join(d, "r.json")) as f:
                self.assertEqual(len(json.load(f)[0]["sets"]["made"]["miou"]), 5)
            table = python("variants.py", out, "--out", os.path.join(d, "variants"), "--data", made, "--side", "128", "--calibrate", "3", "--measure", "2")
            self.assertRegex(table, r"\| float32 \|[\s\S]*\| fp16 \|[\s\S]*\| int8 \|")


if __name__ == "__main__":
    unittest.main()
