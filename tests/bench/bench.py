#!/usr/bin/env python3
"""Speed through the socket, beside its limits on the same machine in the same rounds.

Usage: bench.py --build DIR [--data DIR] [--rounds N] [--seconds S] [--only NAME] [--out DIR]

For every stream and profile: learn, test and predict requests a second over one connection, 256 under way, no data folder; learn and
test of whole passes, the model made anew before each; predict from a model that has learned one pass; labels without scores. Beside
them the yardsticks: an echo on the daemon's connection layer, the same decoding and answering requests, jansson parsing the lines, the
learner alone in process (decoded lines; names to ids, test, train). Then the round trip of one request at a time, the 99th percentile
of predictions under full learning load, and what durability costs. Everything alternates, round after round. Writes DIR/bench.md and
DIR/bench.csv (every round); DIR is BUILD/bench. --only: what has NAME in its part, stream, profile or verb, such as yeast or durability.
"""
import argparse
import functools
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import targets
from measured import Measured, ratio, spread, table
from serving import IN_FLIGHT, Serving
from sources import HERE, find_or_say, lines_of

STREAMS = {  # what it is, and how many of its lines: a pass must not take seconds
    "yeast": ("dense, 103 numbers", None), "medical": ("sparse", None), "ng20": ("sparse", None), "arxiv_titles_10k": ("text", None),
    "delicious": ("983 labels", 2000), "corel5k": ("374 labels", None)}
PROFILES = ("linear", "fast")
LATENCY_SECONDS = 1.5  # at least: quantiles need many


class Stream:
    """Lines in a file of the scratch folder."""

    def __init__(self, name, lines, folder):
        self.name, self.lines, self.size, self.path = name, len(lines), sum(map(len, lines)) // len(lines), folder / f"{name}.jsonl"
        self.path.write_bytes(b"\n".join(lines) + b"\n")


class Bench:
    """What can be measured, on servers that start when they are needed first."""

    def __init__(self, serving, seconds):
        self.serving, self.seconds = serving, seconds
        self.daemon = functools.cache(lambda profile: serving.daemon(f"model.profile={profile} limits.max_models=64"))
        self.durable = functools.cache(lambda durability: serving.daemon(f"durability={durability}", keep=True))
        self.yardstick = functools.cache(serving.yardstick)
        self.passes = {}

    def fresh(self, to, verb, stream):
        """Whole passes, as many as come near the time; the first call finds out how many those are."""
        options = ("--model", "default", "--fresh", stream.path, "--requests")
        if (to, verb, stream) not in self.passes:
            rate = self.serving.rate(to, verb, *options, stream.lines)
            self.passes[to, verb, stream] = max(1, round(rate * self.seconds / stream.lines))
        return self.serving.rate(to, verb, *options, stream.lines * self.passes[to, verb, stream])

    @functools.cache
    def trained(self, profile, stream):
        """The name of a model of the profile that has learned the stream once."""
        self.serving.load(self.daemon(profile), "--model", stream.name, "--mix", "learn", "--requests", stream.lines, stream.path)
        return stream.name

    def predict(self, profile, stream):
        model = self.trained(profile, stream)
        return self.serving.rate(self.daemon(profile), "predict", "--model", model, "--seconds", self.seconds, stream.path)

    def served(self, kind, stream):
        return self.serving.rate(self.yardstick(kind), "test", "--model", "default", "--seconds", self.seconds, stream.path)

    def in_process(self, profile, stream):
        passes = self.passes.get((self.daemon(profile), "test", stream), 1)
        return self.serving.in_process(stream.path, f"model.profile={profile}", passes)

    def round_trip(self, to, model, stream):
        return self.serving.latency(to, "predict", "p50", "--pipeline", 1, "--model", model, "--seconds", self.seconds, "--warmup", 0.1, stream.path)

    def p99(self, stream, *rate):
        """Of predictions of 50 connections while the same model learns."""
        to, model = self.daemon("fast"), self.trained("fast", stream)
        return self.serving.under_load(
            to, ("--model", model, "--mix", "learn", stream.path),
            lambda: self.serving.latency(to, "predict", "p99", "--connections", 50, "--pipeline", 1, *rate, "--model", model, "--warmup", 0.2,
                                         "--seconds", max(self.seconds, LATENCY_SECONDS), stream.path))


def plan(bench, streams):
    """(part, stream, profile, what) -> what measures it once."""
    todo = {}
    for s in streams.values():
        for profile in PROFILES:
            for verb in ("learn", "test"):
                todo["speed", s.name, profile, verb] = lambda p=profile, v=verb, s=s: bench.fresh(bench.daemon(p), v, s)
            todo["speed", s.name, profile, "predict"] = lambda p=profile, s=s: bench.predict(p, s)
            todo["speed", s.name, profile, "in process"] = lambda p=profile, s=s: bench.in_process(p, s)
        for kind in ("echo", "decode"):
            todo["yardstick", s.name, "", kind] = lambda k=kind, s=s: bench.served(k, s)
        todo["yardstick", s.name, "", "jansson"] = lambda s=s: bench.serving.jansson(s.path, bench.seconds)
    for s in (streams[n] for n in ("yeast", "medical") if n in streams):
        for profile in PROFILES:
            todo["round trip", s.name, profile, "predict"] = lambda p=profile, s=s: bench.round_trip(bench.daemon(p), bench.trained(p, s), s)
        todo["round trip", s.name, "", "echo"] = lambda s=s: bench.round_trip(bench.yardstick("echo"), "default", s)
    if "yeast" in streams:
        s = streams["yeast"]
        todo["p99 under load", s.name, "fast", "predict as fast as answered"] = lambda: bench.p99(s)
        todo["p99 under load", s.name, "fast", "predict at 2,000/s"] = lambda: bench.p99(s, "--rate", 2000)
        for durability in ("always", "interval", "none"):
            todo["durability", s.name, "fast", durability] = lambda d=durability: bench.fresh(bench.durable(d), "learn", s)
    return todo


def measure(todo, rounds):
    measured, begin, n = Measured(), time.monotonic(), len(todo) * rounds
    for i in range(rounds):
        for j, (key, once) in enumerate(todo.items()):
            done = i * len(todo) + j
            left = (time.monotonic() - begin) / done * (n - done) if done else 0
            print(f"bench: {done + 1}/{n}, round {i + 1}: {' '.join(filter(None, key))}" + (f", {left:.0f} s left" if done else ""), file=sys.stderr)
            try:
                measured.add(key, once())
            except KeyboardInterrupt:
                print("bench: interrupted; this is what was measured so far", file=sys.stderr)
                return measured
    return measured


def speeds(m, streams):
    for s in streams.values():
        for profile in PROFILES:
            got = {what: m.of("speed", s.name, profile, what) for what in ("learn", "test", "predict", "in process")}
            beside = {kind: m.of("yardstick", s.name, "", kind) for kind in ("decode", "jansson")}
            if any(got.values()):
                yield [f"{s.name} ({STREAMS[s.name][0]}, {s.size:,} B)", f"`{profile}`", *map(spread, got.values()),
                       ratio(got["learn"], beside["decode"]), ratio(got["learn"], beside["jansson"]), ratio(got["test"], got["in process"])]


def tables(m, streams):
    if rows := list(speeds(m, streams)):
        yield table(["stream", "profile", "learn/s", "test/s", "predict/s", "in process/s", "learn : decode", "learn : jansson", "test : in process"], rows)
    rows = [[s.name, f"{s.lines:,} lines", *(spread(m.of("yardstick", s.name, "", kind)) for kind in ("echo", "decode", "jansson"))] for s in streams.values()
            if any(m.of("yardstick", s.name, "", kind) for kind in ("echo", "decode", "jansson"))]
    if rows:
        yield "Yardsticks, a second:\n\n" + table(["stream", "", "echo", "decode and answer", "jansson alone"], rows)
    rows = [[f"{s.name}: one predict at a time", f"`{p}`", f"{spread(got)} ms", f"{spread(echo)} ms", ratio(got, echo)] for s in streams.values()
            for p in PROFILES for echo in [m.of("round trip", s.name, "", "echo")] if (got := m.of("round trip", s.name, p, "predict"))]
    none = m.of("durability", "yeast", "fast", "none")
    rows += [[f"yeast: learn with a data folder, `durability: {d}`", "`fast`", f"{spread(got)}/s", f"{spread(none)}/s (`none`)", ratio(got, none)]
             for d in ("always", "interval") if (got := m.of("durability", "yeast", "fast", d))]
    if rows:
        yield table(["", "profile", "measured", "beside it", "ratio"], rows)
    yield targets.told(m)


def origin(build, rounds, *words):
    """One line: machine, commit, compilers, command."""
    run = lambda *command: subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    log = (build / "meson-logs/meson-log.txt").read_text(errors="replace")
    compiler = next((line.split("(", 1)[-1].split(' "')[0] for line in log.splitlines() if line.startswith("C compiler for the host")), "?")
    changed = " with changes" if run("git", "status", "--porcelain", "-uno") else ""
    return (f"{cpu}, {os.cpu_count()} cores, Linux {platform.release()}, commit {run('git', 'rev-parse', '--short', 'HEAD')}{changed}"
            f", {compiler}; `./dev {' '.join(['bench', *words, *sys.argv[3:]])}`: {rounds} alternating rounds, {IN_FLIGHT} requests in flight, "
            "one connection, no data folder unless said; median [min, max].")


def finish(out, name, text, measured):
    print(text)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.md").write_text(text)
    measured.write(out / f"{name}.csv")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("HOMER_DATA"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.7, help="about how long one measurement takes")
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    out = args.out or args.build / "bench"
    with Serving(args.build) as serving:
        streams = {}
        for name, (_, limit) in STREAMS.items():
            if source := find_or_say(args.data, name):
                streams[name] = Stream(name, lines_of(source)[:limit], serving.folder)
        todo = {key: once for key, once in plan(Bench(serving, args.seconds), streams).items() if args.only in " ".join(key)}
        if not todo:
            sys.exit(f"bench: nothing has {args.only} in its name")
        measured = measure(todo, args.rounds)
    text = "\n".join([origin(args.build, args.rounds), "", *tables(measured, streams)])
    finish(out, "bench", text, measured)


if __name__ == "__main__":
    main()
