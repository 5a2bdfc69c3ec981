"""Draws learning curves as an SVG, and writes what it drew as JSON: of training logs, means over some steps; of scores.json files (evaluate.py), the
held-out tenth's one click, best of its masks, and box."""
import argparse
import json

COLOURS = ("#1b6ca8", "#d1495b", "#2e933c", "#8d6b94", "#edae49", "#444444")
WIDTH, HEIGHT, LEFT, BOTTOM = 720, 400, 48, 40


def means(path, every):
    """Of a training log's lines: [{step, minutes, ranked, best, last}], each the mean of the lines since the one before."""
    out, window = [], []
    with open(path) as f:
        for line in map(json.loads, f):
            window.append(line)
            if line["step"] >= every * (len(out) + 1):
                keys = [k for k in ("ranked", "best", "last") if k in line]
                out.append({"step": line["step"], "minutes": line["minutes"], **{k: round(sum(w[k] for w in window) / len(window), 4) for k in keys}})
                window = []
    return out


def scored(path, side):
    """Of a scores.json, whose models are named by the minutes that they had been trained: [{minutes, ranked, best, box}]."""
    with open(path) as f:
        found = [r for r in json.load(f) if r["side"] == side]
    rows = [(float(r["model"]), r["sets"]["all"]) for r in found]
    return [{"minutes": m, "ranked": s["miou"][0], "best": s["oracle1"], "box": s["box"]} for m, s in sorted(rows, key=lambda r: r[0])]


def lines_of(curves):
    """(name, [(x, y)]) for every curve and what it measures."""
    return [(f"{name}: {key}", [(p["minutes"], p[key]) for p in points if key in p]) for name, points in curves.items() for key in points[0] if key not in ("step", "minutes")]


def svg(curves):
    lines = lines_of(curves)
    xs, ys = [x for _, l in lines for x, _ in l], [y for _, l in lines for _, y in l]
    right, low, high = max(xs + [1]), int(min(ys) * 20) / 20, int(max(ys) * 20 + 1) / 20
    at = lambda x, y: (LEFT + x / right * (WIDTH - LEFT - 10), (HEIGHT - BOTTOM) * (high - y) / (high - low) + 10)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 18 * len(lines) + 10}" font-family="sans-serif" font-size="12">', f'<rect width="100%" height="100%" fill="#fff"/>']
    for k in range(round((high - low) * 20) + 1):
        x, y = at(0, low + k / 20)
        out.append(f'<path d="M{x:.1f} {y:.1f}H{WIDTH - 10}" stroke="#ddd"/><text x="8" y="{y + 4:.1f}">{low + k / 20:.2f}</text>')
    for k in range(5):
        x, y = at(right * k / 4, low)
        out.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="{"end" if k == 4 else "start"}">{right * k / 4:.0f} min</text>')
    for k, (name, points) in enumerate(lines):
        colour, dash = COLOURS[k % len(COLOURS)], "" if k < len(COLOURS) else ' stroke-dasharray="5 3"'
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in points))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        out.append(f'<text x="{LEFT}" y="{HEIGHT + 18 * k + 14}" fill="{colour}">{name}</text>')
    return "\n".join(out + ["</svg>\n"])


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("curve", nargs="+", help="NAME=log.jsonl, or NAME=scores.json")
    p.add_argument("--every", type=int, default=100, help="steps of a training log that are one point")
    p.add_argument("--side", type=int, default=448, help="of the scores")
    p.add_argument("--out", required=True, help="the .svg; the numbers go beside it, .json")
    a = p.parse_args()
    curves = {}
    for spec in a.curve:
        name, _, path = spec.partition("=")
        curves[name] = means(path, a.every) if path.endswith(".jsonl") else scored(path, a.side)
    with open(a.out, "w") as f:
        f.write(svg(curves))
    with open(a.out.rsplit(".", 1)[0] + ".json", "w") as f:
        json.dump(curves, f, indent=1)


if __name__ == "__main__":
    main()
