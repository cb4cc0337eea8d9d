#!/usr/bin/env python3
"""Drift: how fast it is seen and followed, and what the answers to it are worth. Needs no data but what it generates, save for --data.

Usage: drift.py --build DIR [--data DIR] [--out DIR]
Three studies, on streams of tests/streams/generate.py whose drifts are known (24 labels in groups of 6, 20 features, 12,000 instances, the
change after 6,000):

  structure  which labels come together is dealt anew. By seed: instances after the change until the clusters agree with the new groups
             (adjusted Rand index of at least .9), and the drifts reported before the change, of any kind. Also how well the clusters
             agreed with the old groups when the change came. Hierarchy: bench_hierarchy; drifts of loss: bench_model.
  concept    P(y|x) of one group changes, or of all, or of none: log-loss by model.drift.scope over the 2,000 instances after the
             change, mean over the seeds, and what was detected.
  trees      profile fast beside linear on the streams of --data (default: $HOMER_DATA) that are generated with non-linear concepts, each
             metric under its own objective. Left out when there is no such folder.

Writes drift.md, also printed, and drift.tsv (study, stream, seed, setting, figure, value) to --out (default: DIR/bench).
"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from accuracy import find, lines_of
from hierarchy import adjusted_rand, assignment, short

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "streams"))
import generate  # noqa: E402

LABELS, GROUP, LENGTH, AT, AFTER, STEP = 24, 6, 12000, 6000, 2000, 20
SHAPE = {"labels": LABELS, "group": GROUP, "instances": LENGTH, "at": [AT], "cardinality": 5}
SEEDS = range(1, 8)
AGREE = 0.9
SCOPES = ["off", "cluster", "global", "both"]
CONCEPTS = [("cluster", "one group of four"), ("sudden", "all groups"), ("none", "nothing")]
TREE_STREAMS = ["SynRBFSud", "SynTreeSud", "SynHPGrad"]
SEEN_BY = ["cluster_drifts", "global_drifts", "structure_drifts"]


class Bench:
    """Runs the measuring programs, and keeps every figure for drift.tsv."""

    def __init__(self, build, folder):
        self.tools, self.folder, self.rows = build / "tests/bench", Path(folder), []

    def keep(self, *row):
        self.rows.append(dict(zip(("study", "stream", "seed", "setting", "figure", "value"), row)))

    def generated(self, **arguments):
        stream, path = generate.Stream(**SHAPE, **arguments), self.folder / "stream.jsonl"
        path.write_text("".join(generate.line(x, y) + "\n" for x, y in stream))
        return stream, path

    def hierarchy(self, path):
        return json.loads(subprocess.run([self.tools / "bench_hierarchy", "--events", path], check=True, stdout=subprocess.PIPE).stdout)

    def model(self, path, *arguments):
        out = subprocess.run([self.tools / "bench_model", *arguments, path], check=True, stdout=subprocess.PIPE, text=True).stdout
        return list(csv.DictReader(out.splitlines(), delimiter="\t"))

    def windows(self, path, scope):
        rows = self.model(path, "--objective", "hamming", "--every", str(STEP), "--set", f"model.drift.scope={scope}")
        return rows[:LENGTH // STEP]


def total(rows, columns, after, until):
    return sum(int(row[c]) for row in rows for c in columns if after < int(row["instances"]) <= until)


def log_loss(rows, after, until):
    return statistics.mean(float(row["log_loss"]) for row in rows if after < int(row["instances"]) <= until)


def agreement(path, stream):
    """How well clusters, as label ids of bench_hierarchy, agree with the stream's groups at place n: a function of both."""
    ids = {}
    for row in path.read_text().splitlines():
        for label in json.loads(row)["y"]:
            ids.setdefault(int(label[1:]), len(ids))
    order = sorted(ids, key=ids.get)
    return lambda clusters, n: adjusted_rand(assignment(clusters, len(ids)), [stream.membership(n)[label] for label in order])


def structure(bench):
    yield f"**Structure: which labels come together is dealt anew after {AT:,} instances** (correlation .8)\n"
    yield "| seed | agreement with the old groups at the change | instances until the clusters follow | drifts reported before the change |"
    yield "|---|---:|---:|---:|"
    delays, early = [], 0
    for seed in SEEDS:
        stream, path = bench.generated(seed=seed, drift="structure", correlation=0.8)
        agree = agreement(path, stream)
        changes = bench.hierarchy(path)["changes"]
        before = agree([c for c in changes if c["seq"] <= AT][-1]["clusters"], 0)
        # a tree that never follows counts as the whole rest of the stream
        delay = next((c["seq"] - AT for c in changes if c["seq"] > AT and agree(c["clusters"], AT) >= AGREE), LENGTH - AT)
        false = total(bench.windows(path, "both"), SEEN_BY, 0, AT)
        delays.append(delay)
        early += false
        for figure, value in (("agreement before", before), ("delay", delay), ("drifts before", false)):
            bench.keep("structure", "structure", seed, "", figure, value)
        yield f"| {seed} | {short(before)} | {delay:,}{' (never)' if delay == LENGTH - AT else ''} | {false} |"
    yield f"| *median; worst* | | {statistics.median(delays):,.0f}; {max(delays):,} | {early} |\n"


def concept(bench):
    yield (f"**Concepts: log-loss over the {AFTER:,} instances after the change**, mean of {len(SEEDS)} seeds, by `model.drift.scope`; in brackets in how many "
           "of them it is lower than without\n")
    yield "| what changes | " + " | ".join(SCOPES) + " | detections before the change: cluster, global | after: cluster, global | first seen after, median |"
    yield "|---|" + "---:|" * (len(SCOPES) + 3)
    for kind, title in CONCEPTS:
        loss, seen, first = {s: [] for s in SCOPES}, {"before": [0, 0], "after": [0, 0]}, []
        for seed in SEEDS:
            _, path = bench.generated(seed=seed, drift=kind)
            for scope in SCOPES:
                rows = bench.windows(path, scope)
                loss[scope].append(log_loss(rows, AT, AT + AFTER))
                bench.keep("concept", kind, seed, scope, "log-loss after", loss[scope][-1])
                bench.keep("concept", kind, seed, scope, "log-loss of the 1,000 before", log_loss(rows, AT - 1000, AT))
                for i, by in enumerate(SEEN_BY):
                    counts = total(rows, [by], 0, AT), total(rows, [by], AT, LENGTH)
                    bench.keep("concept", kind, seed, scope, f"{by} before", counts[0])
                    bench.keep("concept", kind, seed, scope, f"{by} after", counts[1])
                    if scope == "both" and i < 2:
                        seen["before"][i] += counts[0]
                        seen["after"][i] += counts[1]
                if scope == "both":
                    first += [int(r["instances"]) - AT for r in rows if total([r], SEEN_BY[:2], AT, LENGTH)][:1]
        cells = []
        for scope in SCOPES:
            lower = sum(a < b for a, b in zip(loss[scope], loss["off"]))
            cells.append(f"{statistics.mean(loss[scope]):.4f}"[1:] + ("" if scope == "off" else f" ({lower})"))
        counts = [", ".join(map(str, seen[when])) for when in ("before", "after")]
        yield f"| {title} | " + " | ".join(cells) + f" | {counts[0]} | {counts[1]} | {statistics.median(first) if first else '–'} |"
    yield "\nDetections: sums over the seeds under `both`.\n"


def trees(bench, data):
    yield "**Trees: profile `fast` beside `linear`**, each metric under its own objective\n"
    yield "| stream | Hamming fast | linear | micro F1 fast | linear |"
    yield "|---|---:|---:|---:|---:|"
    for name in TREE_STREAMS:
        source = find(data, name)
        if not source:
            print(f"drift: no {name} in {data}: left out", file=sys.stderr)
            continue
        path, cells = bench.folder / f"{name}.jsonl", []
        path.write_bytes(b"\n".join(lines_of(source)) + b"\n")
        for metric in ("hamming", "micro_f1"):
            for profile in ("fast", "linear"):
                value = bench.model(path, "--objective", metric, "--set", f"model.profile={profile}")[0][metric]
                bench.keep("trees", name, "", profile, metric, value)
                cells.append(f"{float(value):.4f}"[1:])
        yield f"| {name} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("HOMER_DATA"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    out, text = args.out or args.build / "bench", []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.build, folder)
        studies = [structure(bench), concept(bench)] + ([trees(bench, Path(args.data))] if args.data else [])
        for study in studies:
            for row in study:
                text.append(row)
                print(row, flush=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / "drift.md").write_text("\n".join(text) + "\n")
    with open(out / "drift.tsv", "w", newline="") as f:
        writer = csv.DictWriter(f, list(bench.rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(bench.rows)


if __name__ == "__main__":
    main()
