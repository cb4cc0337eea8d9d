#!/usr/bin/env python3
"""Accuracy of the model on recorded streams: one default configuration, original order and a seeded shuffle.

Usage: accuracy.py --build DIR [--data DIR] [--out DIR] [--streams NAME,...] [--set key=value]...
Runs DIR/tests/bench/bench_model (in process, the daemon's own path from names on) on every NAME.jsonl[.zst|.gz] in the data folder
(default: $HOMER_DATA), all objectives in one pass, and writes to the output folder (default: DIR/accuracy) accuracy.tsv with all figures, summary.md
with the README's tables and full.md with a table for every metric. Published figures: published.tsv beside this file.
"""
import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
STREAMS = ("flags waterquality emotions virusgo birds yeast scene plantpseaac yelp medical slashdot enron langlog "
           "stackex_chess tmc2007_500 ng20 bibtex").split()
METRICS = [("subset", "Subset accuracy", "subset"), ("hamming", "Hamming loss", "hamming"),
           ("example_f1", "Example F1", "example_f1"), ("micro_f1", "Micro F1", "micro_f1"),
           ("macro_f1", "Macro F1", "macro_f1")]  # wire name, title, the objective it is measured under


def lines_of(path):
    tool = {".zst": ["zstd", "-dc"], ".gz": ["gzip", "-dc"]}.get(path.suffix)
    data = subprocess.run([*tool, path], check=True, stdout=subprocess.PIPE).stdout if tool else path.read_bytes()
    return data.splitlines()


def find(data, name):
    for suffix in (".jsonl", ".jsonl.zst", ".jsonl.gz"):
        if (data / (name + suffix)).is_file():
            return data / (name + suffix)
    return None


def measure(bench, lines, name, order, settings):
    """Rows of bench_model for one stream in one order."""
    if order == "shuffled":
        random.Random(1).shuffle(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.jsonl"
        path.write_bytes(b"\n".join(lines) + b"\n")
        done = subprocess.run([bench, *settings, path], check=True, stdout=subprocess.PIPE, text=True)
    rows = list(csv.DictReader(done.stdout.splitlines(), delimiter="\t"))
    return [{"order": order, **row} for row in rows]


def published():
    text = [line for line in (HERE / "published.tsv").read_text().splitlines() if not line.startswith("#")]
    return {(r["stream"], r["metric"]): r for r in csv.DictReader(text, delimiter="\t")}


def mean(values):
    values = [float(v) for v in values]
    return sum(values) / len(values)


def better(metric, a, b):
    return a < b if metric == "hamming" else a > b


def short(text):
    return f"{float(text):.3f}".replace("0.", ".") if text else "–"


def number(text):
    return f"{float(text):.4f}".replace("0.", ".") if text else "–"


def table(rows, order, names, known):
    """Markdown: per stream and metric homerd / NO-CHANGE / MAJORITY, and in original order the published figures."""
    cell = {(r["stream"], r["by"]): r for r in rows if r["order"] == order}
    for metric, title, objective in METRICS:
        head = ["homerd", "NO-CHANGE", "MAJORITY"]
        if order == "original":
            head += ["MLHAT", "iHOMER", "best of 17"]
        yield f"\n**{title}**{' (lower is better)' if metric == 'hamming' else ''}, {order} order\n"
        yield "| stream | " + " | ".join(head) + " |"
        yield "|---|" + "---:|" * len(head)
        columns = {h: [] for h in head}
        for name in names:
            values = [cell[name, by][metric] for by in (objective, "NO-CHANGE", "MAJORITY")]
            shown = [number(v) for v in values]
            if order == "original":
                p = known.get((name, metric), {"mlhat": "", "ihomer": "", "best17": "", "best17_learner": ""})
                values += [p["mlhat"], p["ihomer"], p["best17"]]
                shown += [number(p["mlhat"]), number(p["ihomer"]),
                          f"{number(p['best17'])} {p['best17_learner']}".strip()]
            best = min if metric == "hamming" else max
            if values[0] == best((v for v in values if v), key=float):
                shown[0] = f"**{shown[0]}**"
            for h, v in zip(head, values):
                columns[h].append(v)
            yield f"| {name} | " + " | ".join(shown) + " |"
        means = [number(mean(columns[h])) if all(columns[h]) else "–" for h in head]
        yield "| *mean* | " + " | ".join(means) + " |"


def means(rows, names, known):
    """Markdown: the means over the streams, and how often homerd is ahead."""
    head = [title for _, title, _ in METRICS]
    yield "| mean over " + str(len(names)) + " streams | " + " | ".join(head) + " |"
    yield "|---|" + "---:|" * len(head)
    for order in ("original", "shuffled"):
        cell = {(r["stream"], r["by"]): r for r in rows if r["order"] == order}
        for who in ("homerd", "NO-CHANGE", "MAJORITY"):
            values = [mean(cell[n, objective if who == "homerd" else who][m] for n in names) for m, _, objective in METRICS]
            yield f"| {who}, {order} order | " + " | ".join(number(v) for v in values) + " |"
        if order == "original":
            for key, title in (("mlhat", "MLHAT, published"), ("best17", "best of 17 published, chosen per stream and metric")):
                have = [[known.get((n, m), {}).get(key) for n in names] for m, _, _ in METRICS]
                if all(all(v) for v in have):
                    yield f"| {title} | " + " | ".join(number(mean(v)) for v in have) + " |"
    original = {(r["stream"], r["by"]): r for r in rows if r["order"] == "original"}
    ahead = {}
    for key in ("mlhat", "ihomer", "best17"):
        pairs = [(m, float(original[n, o][m]), known.get((n, m), {}).get(key)) for m, _, o in METRICS for n in names]
        pairs = [(m, ours, float(theirs)) for m, ours, theirs in pairs if theirs]
        ahead[key] = f"{sum(better(m, a, b) for m, a, b in pairs)} of {len(pairs)}"
    yield (f"\nAhead of MLHAT in {ahead['mlhat']} published figures, of iHOMER in {ahead['ihomer']}, of the best of the 17 learners "
           f"of the MLHAT paper, chosen per stream and metric, in {ahead['best17']}.")


def compact(rows, order, names, known):
    """Markdown: one row a stream; in each cell homerd, the better trivial baseline, then MLHAT and iHOMER in original order."""
    cell = {(r["stream"], r["by"]): r for r in rows if r["order"] == order}
    yield f"\n| {order} order | " + " | ".join(title for _, title, _ in METRICS) + " |"
    yield "|---|" + "---|" * len(METRICS)
    for name in names:
        row = []
        for metric, _, objective in METRICS:
            best = min if metric == "hamming" else max
            ours = cell[name, objective][metric]
            values = [best((cell[name, by][metric] for by in ("NO-CHANGE", "MAJORITY")), key=float)]
            if order == "original":
                p = known.get((name, metric), {})
                values += [p.get("mlhat", ""), p.get("ihomer", "")]
            mark = "**" if all(not v or not better(metric, float(v), float(ours)) for v in values) else ""
            row.append(" ".join([f"{mark}{short(ours)}{mark}", *map(short, values)]))
        yield f"| {name} | " + " | ".join(row) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("HOMER_DATA"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--streams", default=",".join(STREAMS))
    parser.add_argument("--set", action="append", default=[], dest="settings")
    args = parser.parse_args()
    names = args.streams.split(",")
    if not args.data:
        sys.exit("accuracy: where are the streams? --data DIR, or the environment's HOMER_DATA")
    args.data = Path(args.data)
    args.out = args.out or args.build / "accuracy"
    missing = [n for n in names if not find(args.data, n)]
    if missing:
        print(f"accuracy: not in {args.data}: {' '.join(missing)}", file=sys.stderr)
        names = [n for n in names if n not in missing]
    if not names:
        sys.exit(f"accuracy: no stream found in {args.data}; set HOMER_DATA to the folder with NAME.jsonl.zst files")
    settings = [word for s in args.settings for word in ("--set", s)]
    bench = args.build / "tests/bench/bench_model"
    rows = []
    for i, name in enumerate(names):
        for order in ("original", "shuffled"):
            print(f"accuracy: {i + 1}/{len(names)} {name}, {order} order", file=sys.stderr)
            rows += measure(bench, lines_of(find(args.data, name)), name, order, settings)
    args.out.mkdir(parents=True, exist_ok=True)
    with open(args.out / "accuracy.tsv", "w", newline="") as f:
        writer = csv.DictWriter(f, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    known = published()
    summary = "\n".join([*means(rows, names, known), *compact(rows, "original", names, known),
                         *compact(rows, "shuffled", names, known)]) + "\n"
    full = "\n".join([*means(rows, names, known), *table(rows, "original", names, known),
                      *table(rows, "shuffled", names, known)]) + "\n"
    (args.out / "summary.md").write_text(summary)
    (args.out / "full.md").write_text(full)
    print(summary)


if __name__ == "__main__":
    main()
