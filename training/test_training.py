"""A smoke run of the whole making of a model, and tests of its parts. Everything it reads it draws itself."""
import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import numpy as np
import torch
from PIL import Image, ImageDraw

import data
import curve
import cutouts
import evaluate
import person
import memory
import prompts
import remember
import views
from batches import Batches, group, piece
from export import check, export
from model import Decoder, Model, from_graphs, holds, load_graphs, prompt_maps
from train import matching_loss, regret
from trunk import TRUNKS, load_published

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


class Pairs(unittest.TestCase):
    def test_both_of_a_pair_show_the_same_targets(self):
        with tempfile.TemporaryDirectory() as d:
            draw(d, 4)
            image, visible, _ = Batches(data.read(d), seed=3, targets=2).pairs(4, (128, 128))
        self.assertEqual((image.shape, visible.shape), ((4, 3, 128, 128), (4, 2, 128, 128)))
        for k in range(0, 4, 2):
            for one, other in zip(visible[k].flatten(1).any(1), visible[k + 1].flatten(1).any(1)):
                self.assertEqual(bool(one), bool(other))

    def test_what_the_maps_tell_apart_is_found_again_and_what_they_do_not_costs(self):
        g = torch.Generator().manual_seed(1)
        visible = torch.zeros(2, 1, 64, 64, dtype=torch.bool)
        visible[0, 0, 8:32, 8:32], visible[1, 0, 24:56, 16:48] = True, True
        def maps(strength):
            e8, e4 = torch.randn(2, 8, 8, 8, generator=g), torch.randn(2, 4, 16, 16, generator=g)
            e8[:, :1] += strength * torch.nn.functional.avg_pool2d(visible.float(), 8)
            return e8.requires_grad_(), e4
        e8, e4 = maps(8.0)
        told, found = matching_loss(e8, e4, visible)
        untold, lost = matching_loss(*maps(0.0), visible)
        self.assertGreater(found, 0.8)
        self.assertLess(lost, 0.5)
        self.assertLess(float(told), float(untold))
        told.backward()
        self.assertTrue(torch.isfinite(e8.grad).all() and e8.grad.abs().sum() > 0)

    def test_a_pair_without_a_target_costs_nothing(self):
        loss, found = matching_loss(torch.randn(2, 8, 8, 8), torch.randn(2, 4, 16, 16), torch.zeros(2, 3, 64, 64, dtype=torch.bool))
        self.assertEqual((float(loss), found), (0.0, 0.0))


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

    def test_small_segments_are_sought(self):
        lab = np.zeros((200, 300), np.uint8)
        lab[:, 150:], lab[90:102, 40:55] = 1, 2
        seek = Batches([], seed=1)
        boxes = [seek.near_small(lab, 0.75) for _ in range(50)]
        for x0, y0, x1, y1 in boxes:
            self.assertTrue(0 <= x0 <= 40 and x1 >= 55 and x1 <= 300 and 0 <= y0 <= 90 and 102 <= y1 <= 200, (x0, y0, x1, y1))
            self.assertAlmostEqual((y1 - y0) / (x1 - x0), 0.75, 6)
        self.assertGreater(np.ptp([b[2] - b[0] for b in boxes]), 50)
        self.assertIsNone(seek.near_small(np.ones((200, 300), np.uint8), 0.75), "nothing small is there")

    def test_a_box_around_a_small_segment_lies_in_the_picture(self):
        lab = np.zeros((53, 300), np.uint8)  # heights that are no whole multiple of the aspect, and segments large enough to want all of it
        lab[20:30, 100:115] = 1
        for seed in range(300):
            x0, y0, x1, y1 = Batches([], seed=seed).near_small(lab, 0.1 + 0.0037 * seed)
            self.assertTrue(0 <= x0 < x1 <= 300 and 0 <= y0 < y1 <= 53, (x0, y0, x1, y1))

    def test_parts_and_groups(self):
        lab = torch.zeros(40, 60, dtype=torch.uint8)
        lab[5:20, 5:20], lab[5:20, 30:50], lab[20:35, 5:20] = 1, 1, 2
        one = piece(lab == 1, 0)
        self.assertTrue(bool(one[10, 10]) and not one[10, 40])
        self.assertEqual(int(piece(lab == 1, 0, smallest=400).sum()), int((lab == 1).sum()), "too small to be meant alone")
        self.assertEqual(int(group(lab == 2, lab, 5).sum()), int((lab > 0).sum()))
        self.assertTrue(torch.equal(group(lab == 1, lab * (lab == 1), 5), lab == 1), "nothing touches it")

    def test_regret_is_what_the_order_costs(self):
        true = torch.tensor([[0.2, 0.8, 0.5]])
        right, wrong = torch.tensor([[0.1, 0.9, 0.2]]), torch.tensor([[0.9, 0.1, 0.2]])
        self.assertLess(float(regret(right, true)), 0.01)
        self.assertGreater(float(regret(wrong, true)), 0.59)
        near = torch.tensor([[0.5, 0.5, 0.5]], requires_grad=True)
        regret(near, true).sum().backward()
        self.assertTrue(near.grad[0, 1] < 0 < near.grad[0, 0])

    def test_what_masks_hold(self):
        m = torch.full((1, 4, 32, 32), -9.0)
        m[0, 0, 8:16, 8:16], m[0, 1, 8:16, 8:16], m[0, 2, 8:16, 8:24] = 9, 0.2, 9
        x = torch.zeros(1, 3, 16, 16)
        x[0, 1, 4:8, 4:8], x[0, 2, :, 12:] = 1, 1
        got = holds(m, x)[0]
        self.assertEqual(tuple(got.shape), (4, 13))
        self.assertTrue(got[0, 1] > 0.9 * got[:, 1].max() and got[0, 1] > 2 * got[2, 1] * 0.9, "the mean inside each")
        self.assertTrue(got[2, 6] < got[3, 6] + 1 and got[0, 7] > got[1, 7] and got[0, 8] > got[1, 8], "the sure mask is surer and steadier than the faint one")
        self.assertTrue(torch.allclose(got[:, 9:], got[:, 9:].t(), atol=1e-5) and 0.4 < float(got[0, 11]) < 0.55, "a half of the mask twice as large")

    def test_masks_that_only_moved(self):
        t = torch.zeros(400, 1, 64, 64)
        t[:, :, 20:44, 16:40] = 1
        got = (prompts.propagated(t, torch.Generator().manual_seed(2)) > 0).float()
        same = (got.sum((1, 2, 3)) - 576).abs() < 6  # corners are shared by four cells
        self.assertTrue(0.25 < float(same.float().mean()) < 0.45, float(same.float().mean()))

    def test_learning_changes_no_answer(self):
        d = Decoder()
        e8, e4 = torch.randn(2, 64, 8, 8), torch.randn(2, 32, 16, 16)
        maps = prompt_maps(torch.rand(4, 2, 2) * 60, torch.ones(4, 2), torch.randn(4, 1, 16, 16), torch.ones(4, 1))
        with torch.no_grad():
            want = d(e8, e4, maps)
        for a, b in zip(d(e8, e4, maps), want):
            self.assertTrue(torch.allclose(a, b, atol=1e-4))

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


class Cutouts(unittest.TestCase):
    """What is laid over what, of made-up cut-outs: noise within a disc, which is a photograph by every measure."""

    def cutout(self, colour, size=160, flat=False):
        rng = np.random.default_rng(1)
        a = np.zeros((size, size, 4), np.uint8)
        a[..., :3] = np.clip(np.array(colour) + (0 if flat else rng.integers(-30, 31, (size, size, 3))), 0, 255)
        ys, xs = np.mgrid[:size, :size] - size // 2
        a[..., 3] = (xs**2 + ys**2 < (size // 2 - 10) ** 2) * 255
        return Image.fromarray(a)

    def composer(self, folder, seed=1):
        path = os.path.join(folder, "ground.png")
        Image.new("RGB", (700, 500), (20, 20, 200)).save(path)
        return cutouts.Composer([self.cutout((220, 60, 30))], [path], [], seed)

    def test_photographs_are_told_from_drawings(self):
        self.assertTrue(cutouts.is_photograph(self.cutout((120, 90, 60))))
        self.assertFalse(cutouts.is_photograph(self.cutout((120, 90, 60), flat=True)))
        self.assertFalse(cutouts.is_photograph(self.cutout((120, 90, 60), size=80)), "too small to be of use")

    def test_cutouts_are_found_and_trimmed(self):
        with tempfile.TemporaryDirectory() as d:
            os.makedirs(os.path.join(d, "a", "b"))
            self.cutout((120, 90, 60)).save(os.path.join(d, "a", "b", "photograph.png"))
            self.cutout((120, 90, 60)).save(os.path.join(d, "a", "unwanted.png"))
            self.cutout((120, 90, 60), flat=True).save(os.path.join(d, "a", "drawing.png"))
            self.cutout((120, 90, 60)).convert("RGB").save(os.path.join(d, "a", "opaque.png"))
            found = cutouts.find_cutouts(d, ["a/unwanted.png"])
        self.assertEqual([c.size for c in found], [(139, 139)])

    def test_labels_are_where_the_objects_are(self):
        with tempfile.TemporaryDirectory() as d:
            c, inside, outside = self.composer(d), [], []
            for _ in range(8):
                jpeg, lab = c.picture()
                image = np.asarray(Image.open(io.BytesIO(jpeg))).astype(int)
                self.assertEqual(image.shape[:2], lab.shape)
                self.assertTrue(479 <= max(lab.shape) <= 641)
                red = image[..., 0] > image[..., 2]
                inside.append(red[lab > 0].mean()), outside.append(red[lab == 0].mean())
                self.assertTrue((np.bincount(lab.ravel())[np.unique(lab)] >= cutouts.LEAST).all())
        self.assertGreater(np.mean(inside), 0.95)
        self.assertLess(np.mean(outside), 0.02)

    def test_what_lies_before_hides_what_lies_behind(self):
        with tempfile.TemporaryDirectory() as d:
            c = self.composer(d)
            image, lab = np.full((200, 300, 3), 128.0), np.zeros((200, 300), np.uint8)
            lab[:100] = 7  # as of a training picture
            c.lay(image, lab, c.cutouts[0], 100, (150, 100))
            c.lay(image, lab, c.cutouts[0], 40, (150, 100))
            c.lay(image, lab, c.cutouts[0], 100, (-400, 100))  # not seen at all
        self.assertEqual(list(np.unique(lab)), [0, 7, 8, 9])
        self.assertEqual((lab[10, 10], lab[190, 10], lab[70, 150], lab[130, 150], lab[100, 150]), (7, 0, 8, 8, 9))

    def test_writes_a_set_that_repeats_and_leaves_the_held_out_alone(self):
        with tempfile.TemporaryDirectory() as d:
            draw(os.path.join(d, "train"), 10)
            held = data.split(data.read(os.path.join(d, "train")))[1][0].image
            Image.open(held).close(), os.truncate(held, 0)  # whoever reads it fails
            os.makedirs(os.path.join(d, "stamps"))
            self.cutout((120, 90, 60)).save(os.path.join(d, "stamps", "one.png"))
            run = lambda out, seed: subprocess.run(
                [sys.executable, "cutouts.py", "--cutouts", os.path.join(d, "stamps"), "--data", os.path.join(d, "train"), "--out", os.path.join(d, out), "--pictures", "12", "--seed", seed],
                cwd=HERE, check=True, capture_output=True, text=True).stdout
            self.assertIn("1 cut-outs over 0 photographs and 9 annotated pictures", run("one", "3"))
            run("same", "3"), run("other", "4")
            loaded = lambda out: [(image.tolist(), maps[0].tolist()) for image, maps in (i.load() for i in data.read(os.path.join(d, out)))]
            self.assertEqual(loaded("one"), loaded("same"))
            self.assertNotEqual(loaded("one"), loaded("other"))
            self.assertEqual({i.set for i in data.read(os.path.join(d, "one"))}, {"cutouts"})
            image, visible, _ = Batches(data.read(os.path.join(d, "one")), seed=1).draw(2, (128, 128))
            self.assertTrue(visible.any() and image.isfinite().all())


class Trunks(unittest.TestCase):
    def test_each_exports_and_starts_again(self):
        for name in TRUNKS:
            torch.manual_seed(5)
            model = Model(name).eval()
            with torch.no_grad():
                e8, e4 = model.encoder(torch.rand(1, 3, 64, 96) * 255)
            self.assertEqual((tuple(e8.shape), tuple(e4.shape)), ((1, 64, 8, 12), (1, 32, 16, 24)), name)
            with tempfile.TemporaryDirectory() as d:
                export(model, d)
                again = from_graphs(d)
                self.assertEqual(again.trunk, name)
                self.assertLess(check(again, d), 1e-3, name)

    def test_published_weights_load_in_order(self):
        theirs = Model("efficientnet_lite0").encoder.trunk.state_dict()
        theirs = {k: torch.full_like(v, i) for i, (k, v) in enumerate(theirs.items())}
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "lite0.pth")
            torch.save({**theirs, "_conv_head.weight": torch.zeros(1), "_fc.bias": torch.zeros(1)}, path)
            for name in ("efficientnet_lite0", "efficientnet_lite0_16"):
                trunk = Model(name).encoder.trunk
                load_published(trunk, path)
                self.assertTrue(all(torch.equal(v, theirs[k]) for k, v in trunk.state_dict().items()))
            torch.save({k: v[:1] for k, v in theirs.items() if v.dim()}, path)
            with self.assertRaises(ValueError):
                load_published(Model("efficientnet_lite0").encoder.trunk, path)


class Curves(unittest.TestCase):
    def test_of_logs_and_scores(self):
        with tempfile.TemporaryDirectory() as d:
            log, scores, out = (os.path.join(d, n) for n in ("log.jsonl", "scores.json", "c.svg"))
            with open(log, "w") as f:
                f.writelines(json.dumps({"step": s, "minutes": s / 10, "ranked": s / 1000, "best": 0.5}) + "\n" for s in range(20, 201, 20))
            with open(scores, "w") as f:
                json.dump([{"model": m, "side": 448, "sets": {"all": {"miou": [0.1 * int(m) / 30], "oracle1": 0.4, "box": 0.5}}} for m in ("60", "30")], f)
            self.assertEqual(curve.means(log, 100), [{"step": 100, "minutes": 10.0, "ranked": 0.06, "best": 0.5}, {"step": 200, "minutes": 20.0, "ranked": 0.16, "best": 0.5}])
            curves = {"r": curve.means(log, 100), "held out": curve.scored(scores, 448)}
            self.assertEqual([p["minutes"] for p in curves["held out"]], [30, 60])
            drawn = curve.svg(curves)
            self.assertEqual(drawn.count("<polyline"), 5)


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
                sets = json.load(f)[0]["sets"]
            self.assertEqual(len(sets["made"]["miou"]), 5)
            self.assertEqual(sum(v["objects"] for k, v in sets.items() if k.startswith("size: ")), 3)
            ranked = os.path.join(d, "ranked")
            python("rank.py", out, "--data", made, "--run", ranked, "--out", os.path.join(ranked, "model"), "--sides", "96", "--epochs", "3", "--targets", "3")
            old, new = (from_graphs(f).state_dict() for f in (out, os.path.join(ranked, "model")))
            self.assertTrue(all(torch.allclose(old[k], new[k], atol=1e-4) for k in old if not k.startswith(("decoder.iou.", "decoder.seen."))))
            table = python("cost.py", "a=" + out, "b=" + ranked + "/model", "--size", "96x64", "--rounds", "1")
            self.assertRegex(table, r"\| a \|[\s\S]*\| b \|")
            table = python("variants.py", out, "--out", os.path.join(d, "variants"), "--data", made, "--side", "128", "--calibrate", "3", "--measure", "2")
            self.assertRegex(table, r"\| float32 \|[\s\S]*\| fp16 \|[\s\S]*\| int8 \|")


class Memories(unittest.TestCase):
    """Maps with a disc whose features are its own, on ground that varies."""

    def scene(self, x, seed, strength=2.0, size=(16, 24)):
        g = torch.Generator().manual_seed(seed)
        h, w = size
        ys, xs = torch.arange(2 * h)[:, None], torch.arange(2 * w)[None]
        mask = (((xs - x) ** 2 + (ys - h) ** 2) < 36).float()[None]
        e8, e4 = torch.randn(64, h, w, generator=g), torch.randn(32, 2 * h, 2 * w, generator=g)
        e8[:8] += strength * torch.nn.functional.avg_pool2d(mask, 2)
        e4[:4] += strength * mask
        return e8, e4, mask

    def test_fishers_map_tells_the_object_from_the_rest(self):
        a8, a4, here = self.scene(14, 1)
        b8, b4, there = self.scene(34, 2)
        w, bias, gain = memory.fisher(a8[None], a4[None], here[None])
        got = memory.discriminate(b8, b4, w, bias, gain)
        self.assertGreater(float(remember.iou(got > 0, there > 0.5)), 0.6)
        same = memory.discriminate(a8, a4, w, bias, gain)
        self.assertLess(abs(float((same * here).sum() / here.sum()) - 1), 0.2)
        self.assertLess(abs(float((same * (1 - here)).sum() / (1 - here).sum()) + 1), 0.2)
        self.assertTrue(torch.equal(remember.priors(*[torch.stack(v)[None] for v in ((a8, b8), (a4, b4), (here, there))])[0], memory.discriminate(b8, b4, *memory.fisher(torch.stack([a8, b8]), torch.stack([a4, b4]), here[None]))))

    def test_a_place_reads_what_is_nearest(self):
        cells = torch.tensor([[[0.0, 4.0, 8.0]]])
        got, near = memory.read(torch.tensor([[[0.1, 7.9]]]), cells, torch.tensor([[[1.0, 0.0, 0.5]]]), scale=5.0, top=2)
        self.assertTrue(torch.allclose(got, torch.tensor([[[1.0, 0.5]]]), atol=1e-3))
        self.assertTrue(torch.allclose(near, torch.tensor([[[-0.01, -0.01]]]), atol=1e-4))

    def test_an_object_does_not_see_the_others(self):
        torch.manual_seed(4)
        m = memory.Memory().eval()
        x = memory.inputs(m, 8, 12, 2, 3)
        with torch.no_grad():
            every = memory.Exported(m)(*x.values())
            x["masks"], x["prior"] = x["masks"][:, 1:2], x["prior"][1:2]
            alone = memory.Exported(m)(*x.values())
            x["masks"] = torch.zeros_like(x["masks"])
            nowhere = memory.Exported(m)(*x.values())
        self.assertTrue(torch.allclose(every[0][1:2], alone[0], atol=1e-4) and torch.allclose(every[1][1:2], alone[1], atol=1e-4))
        self.assertTrue(torch.allclose(every[2], alone[2]) and all(torch.isfinite(v).all() for v in nowhere))

    def test_the_first_and_the_newest_are_remembered(self):
        self.assertEqual([remember.recall(4, t) for t in (1, 3, 6)], [[0], [0, 1, 2], [0, 3, 4, 5]])
        self.assertEqual(remember.recall(1, 6), [0])

    def test_a_step_learns_and_absence_costs(self):
        wrong, right = torch.full((1, 1, 8, 8), 4.0), torch.full((1, 1, 8, 8), -4.0)
        nothing, sure = torch.zeros(1, 1, 8, 8), torch.tensor([[4.0]])
        self.assertGreater(float(remember.loss_of(wrong, sure, nothing)), 10 * float(remember.loss_of(right, -sure, nothing)))

    def test_see_train_resume_compare_and_export(self):
        with tempfile.TemporaryDirectory() as d:
            made, seen, run = (os.path.join(d, n) for n in ("made", "seen", "run"))
            draw(made, 6)
            draw(made, 48, name="davis_train")  # bear, bmx-bumps, boat, and the first frames of breakdance-flare, which is held out
            export(Model(), os.path.join(d, "model"))
            def python(*args):
                got = subprocess.run([sys.executable, *args], cwd=HERE, capture_output=True, text=True)
                self.assertEqual(got.returncode, 0, got.stdout + got.stderr)
                return got.stdout
            python("views.py", "--data", made, "--model", os.path.join(d, "model"), "--out", seen, "--size", "64x96", "--twice", "2", "--stills", "3")
            held = views.load(os.path.join(seen, "held"))[1]
            maps, train = views.load(os.path.join(seen, "train"))
            self.assertEqual(held, [["breakdance-flare", 0, 6]])
            self.assertEqual(len([g for g in train if g[0] in views.SEQUENCES]), 9)
            self.assertEqual([len(maps["e8"]), maps["e8"].shape[1:], maps["labels"].shape[1:]], [train[-1][1] + train[-1][2], (64, 8, 12), (16, 24)])
            with_views = ["remember.py", "--views", seen, "--run", run, "--batch", "2"]
            python(*with_views, "--steps", "2")
            self.assertIn("from step 2", python(*with_views, "--steps", "3"))
            table = python(*with_views, "--compare", "--export", os.path.join(d, "memory.onnx"))
            self.assertRegex(table, r"\| 6 \| 50 \|[\s\S]*\| Fisher's discriminant \|[\s\S]*\| trained, sees Fisher's map \|")


class PersonTest(unittest.TestCase):
    """Against an agent that answers the first click with half of the object and the second with all of it."""

    def test_clicks_until_it_is_right(self):
        truth = np.zeros((60, 80), bool)
        truth[10:50, 20:60] = True
        half = truth.copy()
        half[:, 40:] = False
        for enough, answers, want in [(0.75, [half, truth], (2, "confirm")), (0.75, [half, half], (2, "reject")), (0.4, [half, half], (2, "confirm")), (0.75, [truth], (1, "confirm")), (0.75, [], (0, ""))]:
            agent = FakeAgent(answers)
            options = argparse.Namespace(clicks=2, good=0.9, enough=enough, name="thing")
            clicks, first, last, said = person.point_at(agent, truth, options)
            self.assertEqual((clicks, said), want)
            for x, y, label in agent.clicked:
                self.assertTrue(truth[int(y * 60), int(x * 80)] and label == 1)  # what is missed is clicked on, and nothing is too much
            if len(agent.clicked) > 1:
                self.assertGreater(agent.clicked[1][0], 0.5)

    def test_is_a_camera(self):
        camera = person.Camera(0, (64, 48))
        shown = camera.show(Image.new("RGB", (40, 48), (200, 30, 30)))
        with urllib.request.urlopen(f"http://127.0.0.1:{camera.server_port}/", timeout=20) as r:
            self.assertIn(b"--picture", r.readline())
            while (line := r.readline().strip()):
                if line.startswith(b"Content-Length"):
                    size = int(line.split(b":")[1])
            got = np.asarray(Image.open(io.BytesIO(r.read(size))))
        camera.shutdown(), camera.server_close()
        self.assertEqual(got.shape, (48, 64, 3))
        self.assertLess(np.abs(got.astype(int) - shown).mean(), 8)


class FakeAgent:
    def __init__(self, answers):
        self.answers, self.clicked = list(answers), []

    def do(self, verb, **body):
        if verb != "prompt":
            return b"{}"
        if not self.answers:
            return None
        p = body["points"][0]
        self.clicked.append((p["x"], p["y"], p["label"]))
        m = self.answers.pop(0)
        flat = m.T.ravel().astype(int)
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[-1], flat, [-1]]))))
        counts = ([0] if flat[0] else []) + [int(v) for v in runs]
        return {"object": "cam-1", "document": {"mask": {"size": list(m.shape), "counts": encode(counts)}}}


def encode(counts):
    """COCO's letters, the way back of data.decode_counts."""
    out = ""
    for i, v in enumerate(counts):
        v -= counts[i - 2] if i > 2 else 0
        more = True
        while more:
            low, v = v & 31, v >> 5
            more = v != (-1 if low & 16 else 0)
            out += chr(48 + low + (32 if more else 0))
    return out


if __name__ == "__main__":
    unittest.main()
