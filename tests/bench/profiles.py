#!/usr/bin/env python3
"""Profiles fast and accurate against linear, in process, over the streams of accuracy.py: alternating runs, stream by stream.

Usage: profiles.py --build DIR --data DIR [--rounds N]
Medians over the rounds, geometric means over the streams."""
import argparse
import os
import statistics
import sys
from pathlib import Path

from accuracy import PUBLISHED as RECORDED
from serving import Serving
from sources import find, lines_of

PROFILES, BASE = ("linear", "fast", "accurate"), "linear"


def line(name, rates, ratios):
    return f"{name}: " + ", ".join(f"{p} {rates[p]:,.0f}" + (f" (ratio {ratios[p]:.3f})" if p != BASE else "") for p in PROFILES)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("HOMER_DATA"))
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if not args.data:
        sys.exit("bench: where are the streams? --data DIR, or the environment's HOMER_DATA")
    rates, ratios = {p: [] for p in PROFILES}, {p: [] for p in PROFILES}
    with Serving(args.build) as serving:
        for name in (n for n in RECORDED if find(args.data, n)):
            stream = serving.folder / "stream.jsonl"
            stream.write_bytes(b"\n".join(lines_of(find(args.data, name))) + b"\n")
            rounds = [{p: serving.in_process(stream, f"model.profile={p}", 1) for p in PROFILES} for _ in range(args.rounds)]
            for p in PROFILES:
                rates[p].append(statistics.median(r[p] for r in rounds))
                ratios[p].append(statistics.median(r[p] / r[BASE] for r in rounds))
            print(line(name, {p: rates[p][-1] for p in PROFILES}, {p: ratios[p][-1] for p in PROFILES}), flush=True)
    mean = statistics.geometric_mean
    print(line(f"geometric mean over {len(rates[BASE])} streams", {p: mean(rates[p]) for p in PROFILES}, {p: mean(ratios[p]) for p in PROFILES}))


if __name__ == "__main__":
    main()
