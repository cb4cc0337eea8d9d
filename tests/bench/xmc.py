#!/usr/bin/env python3
"""Very many labels: homerd's model beside online probabilistic label trees, on streams of tests/streams/many_labels.py.

Usage: xmc.py --build DIR [--rounds N] [--streams SIZE,...] [--peers NAME,...] [--no-socket] [--out FILE.md] [--csv FILE.csv]      SIZE: 4k, 20k, 100k

Every round runs, one after the other, homerd's learner in process (bench_model: names to ids + test + train of decoded lines), and each peer: Vowpal Wabbit --plt as it
comes and with --sgd, its rate with the parsing of its own text format in a thread of its own; napkinXC's online PLT (slow, in the first round only; see peer_xmc.py). Rates
are medians over the rounds with [min, max], ratios medians of the rounds' ratios, memory the most that any round held (of the peer's process, of the
daemon's, as the kernel counts it, and of the model). Through the socket: one connection, 256 requests in flight, one core for homerd and one for the driver. P@k, nDCG@k and
PSP@k (propensities as of before each instance) are those of eval.h for all."""
import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import peers
import text
from runner import sets
from serving import Serving
from sources import SHIPPED  # noqa: F401  (puts tests/streams on the path)
import many_labels

SIZES = {"4k": (4000, 6000, 15000), "20k": (20000, 50000, 20000), "100k": (100000, 100000, 20000)}
BITS = {"4k": 24, "20k": 26, "100k": 28}  # of Vowpal Wabbit's weights: with fewer they collide, and its rankings suffer
PEERS = {"Vowpal Wabbit --plt": "vw -l 0.5", "Vowpal Wabbit --plt --sgd": "vw --sgd -l 0.5", "napkinXC online PLT": "napkinxc 5"}
MEASURES = [f"{name}@{k}" for name in ("p", "ndcg", "psp") for k in (1, 3, 5)]
SETTINGS = "model.max_labels=200000"


def measures(truth, best):
    """P@k, nDCG@k and PSP@k of rankings, prequentially."""
    count, sums, ideals, with_labels = {}, dict.fromkeys(MEASURES, 0.0), {1: 0.0, 3: 0.0, 5: 0.0}, 0
    for seen, (held, ranked) in enumerate(zip(truth, best)):
        c = max(0.0, math.log(seen) - 1) * 2.5 ** 0.55 if seen else 0.0
        weight = {label: 1 + c * (count.get(label, 0) + 1.5) ** -0.55 for label in {*held, *ranked}}
        rarest = sorted((weight[label] for label in held), reverse=True)
        with_labels += bool(held)
        for k in (1, 3, 5):
            hits = [label in held for label in ranked[:k]]
            sums[f"p@{k}"] += sum(hits) / k
            ideal = sum(1 / math.log2(i + 2) for i in range(min(k, len(held))))
            sums[f"ndcg@{k}"] += sum(hit / math.log2(i + 2) for i, hit in enumerate(hits)) / ideal if ideal else 0
            sums[f"psp@{k}"] += sum(weight[label] for label, hit in zip(ranked, hits) if hit)
            ideals[k] += sum(rarest[:k])
        for label in held:
            count[label] = count.get(label, 0) + 1
    whole = {"p": lambda k: len(truth), "ndcg": lambda k: with_labels, "psp": lambda k: ideals[k]}
    return {name: total / (whole[name.split("@")[0]](int(name[-1])) or 1) for name, total in sums.items()}


def waited(command):
    """(standard output, peak MB of the process)"""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=subprocess.PIPE, text=True)
        told = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise peers.Unavailable((told.strip().splitlines() or ["?"])[-1])
        out.seek(0)
        return out.read(), usage.ru_maxrss / 1024


def homerd(build, stream):
    out, _ = waited([build / "tests/bench/bench_model", "--objective", "example_f1", *sets(SETTINGS), stream])
    row = next(csv.DictReader(out.splitlines(), delimiter="\t"))
    return {"rate": float(row["per_second"]), "model_mb": int(row["peak_bytes"]) / 2**20, **{m: float(row[m]) for m in MEASURES}}


def peer(build, name, stream, truth, folder):
    command = PEERS[name] + (f" -b {BITS[stream.stem]}" if PEERS[name].startswith("vw") else "")
    out = Path(folder) / "out"
    _, mb = waited([peers.python(build, PEERS[name].split()[0]), Path(__file__).with_name("peer_xmc.py"), command, stream, out])
    *best, told = map(json.loads, out.read_text().splitlines())
    return {"rate": told["per_second"], "mb": mb, **measures(truth, best)}


def through_socket(build, stream, n):
    with Serving(build) as serving:
        rate = serving.rate(serving.daemon(SETTINGS), "test", "--model", "default", "--fresh", "--requests", n, stream)
        status = Path(f"/proc/{serving.processes[-1].pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return {"socket": rate, "mb": peak / 1024}


def measure(build, size, rounds, names, socket, folder):
    """{name: [a result a round]}; who is missing could not be had."""
    stream, results = Path(folder) / f"{size}.jsonl", {"homerd": []}
    lines = list(many_labels.lines(*SIZES[size]))
    stream.write_text("\n".join(lines) + "\n")
    truth = [set(json.loads(line)["y"]) for line in lines]
    for i in range(rounds):
        print(f"xmc: {size}, round {i + 1}/{rounds}", file=sys.stderr, flush=True)
        results["homerd"].append(homerd(build, stream))
        if socket:
            results["homerd"][-1].update(through_socket(build, stream, len(lines)))
        for name in names:
            if i and name.startswith("napkinXC"):
                continue
            try:
                results.setdefault(name, []).append(peer(build, name, stream, truth, folder))
            except peers.Unavailable as why:
                print(f"xmc: {name}: {why}", file=sys.stderr, flush=True)
    return results


def rows_of(size, results):
    ours = results["homerd"]
    for name, got in ((name, got) for name, got in results.items() if got):
        rates = [r["rate"] for r in got]
        yield {"labels": size, "learner": name, **{m: got[0][m] for m in MEASURES}, "per_second": round(statistics.median(rates)),
               "least": round(min(rates)), "most": round(max(rates)), "homerd_is": round(statistics.median(a["rate"] / b["rate"] for a, b in zip(ours, got)), 2),
               "socket_per_second": round(statistics.median(r["socket"] for r in got)) if "socket" in got[0] else "",
               "peak_mb": round(max(r["mb"] for r in got)) if "mb" in got[0] else "", "model_mb": round(max(r["model_mb"] for r in got)) if "model_mb" in got[0] else ""}


def markdown(rows):
    shown = lambda row: [row["labels"], row["learner"], *(text.number(row[m]) for m in MEASURES), f"{row['per_second']:,} [{row['least']:,}, {row['most']:,}]",
                         row["homerd_is"], f"{row['socket_per_second'] or 0:,}" if row["socket_per_second"] else "", row["peak_mb"], row["model_mb"]]
    head = ["labels", "learner", *(m.upper().replace("NDCG", "nDCG") for m in MEASURES), "test + train a second", "homerd : it", "through a socket", "peak MB", "of the model"]
    return "\n".join(text.table(head, map(shown, rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", default=",".join(SIZES))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--no-socket", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    sizes, names = args.streams.split(","), [name for name in args.peers.split(",") if name]
    if not set(sizes) <= set(SIZES) or not set(names) <= set(PEERS):
        sys.exit(f"xmc: streams are {', '.join(SIZES)}, peers {', '.join(PEERS)}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            rows += rows_of(size, measure(args.build, size, args.rounds, names, not args.no_socket, folder))
    print(markdown(rows))
    if args.out:
        args.out.write_text(markdown(rows) + "\n")
    if args.csv:
        with open(args.csv, "w", newline="") as f:
            writer = csv.DictWriter(f, rows[0])
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
