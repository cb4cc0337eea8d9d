#!/usr/bin/env python3
"""The evidence that nothing acknowledged is lost and nothing hostile gets in, at length. The default suite has a short form of each.

Usage: stress.py [NAME...] [--quick] [--seed N] [--folder DIR] [--set NAME=NUMBER]... [--sanitized DIR]

Progress on standard error; at the end a table, also as build/stress/report.md and report.csv. Exit 1 when anything did not hold. Data
folders are made in --folder, which should be on a real disk (default: build/stress/data). --quick divides all numbers by about fifty;
--set changes one of them, e.g. --set kills=200. What there is:
"""
import argparse
import csv
import inspect
import os
import random
import resource
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(Path(__file__).parent)]

# what a test does so often, or so long: in the long form, in the quick one
NUMBERS = {"kills": (1000, 20), "power": (100, 2), "flips": (10_000, 500), "idle": (10_000, 1000), "slow": (1000, 100), "deaf": (100, 10), "beside": (10, 2),
           "sequences": (300, 6), "fuzz": (10_000_000, 100_000), "commit": (5, 2), "records": (1_000_000, 50_000), "megabytes": (500, 20), "soak": (1200, 20)}


class Run:
    """What the tests are given: numbers, a folder that is removed, progress; and where they put what they found."""

    def __init__(self, args):
        self.args, self.rows, self.name = args, [], None
        self.number = {name: pair[args.quick] for name, pair in NUMBERS.items()}
        for assignment in args.set:
            name, _, value = assignment.partition("=")
            if name not in self.number:
                sys.exit(f"stress: no number is called {name}; there are {', '.join(self.number)}")
            self.number[name] = int(value)

    def folder(self, name="data"):
        folder = self.args.folder / self.name / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        return folder

    def progress(self, text):
        print(f"stress: {self.name}: {text}", file=sys.stderr, flush=True)

    def found(self, what, value, bound="", holds=True):
        """One line of the table; `bound` in words, and whether it holds."""
        self.rows.append((self.name, what, value, bound, "yes" if holds else "NO"))
        self.progress(f"{what}: {value}" + (f" ({bound})" if bound else "") + ("" if holds else " DOES NOT HOLD"))


def of(total):
    return lambda done: f"{done:,} of {total:,}"


def kills(run):
    """SIGKILL at random moments under load: with `always` all acknowledged is there, once; always the model is the uninterrupted one"""
    import kills as test
    for word, many in (("always", run.number["kills"]), ("interval", run.number["kills"] // 10), ("none", run.number["kills"] // 10)):
        progress = lambda n: run.progress(f"{word}: {of(many)(n)}") if n % max(1, many // 50) == 0 else None
        done = test.Kills(run.folder(word), run.args.seed, word).run(many, progress=progress)
        for what, value in done.items():
            run.found(f"{word}: {what}", f"{value:,}", "0" if word == "always" and what == "acknowledged and lost" else "")


def power(run):
    """power losses, failing file operations and allocations on a disk in memory (test_power, test_wal_power)"""
    environment = {**os.environ, "HOMER_TEST_SCALE": str(run.number["power"])}
    for name in ("wal_power", "power"):
        done = subprocess.run([run.args.build / f"tests/unit/daemon/test_{name}"], capture_output=True, text=True, env=environment)
        told = "; ".join(line for line in done.stdout.splitlines() if not line.startswith("["))
        run.found(name, told, "", done.returncode == 0)
        if done.returncode:
            print(done.stderr[-3000:], file=sys.stderr)


def flips(run):
    """single bits flipped in log and snapshots: a state that was, or refused with a message"""
    import flips as test
    test.make(run.folder())
    for (kind, outcome), n in test.run(run.folder(), run.number["flips"], run.args.seed).items():
        run.found(f"{kind}: {outcome}", f"{n:,}")
    run.found("crashes, or states that never were", 0, "0")


def idle(run):
    """what idle connections cost in memory"""
    import hostile as test
    many = run.number["idle"]
    before, after = test.idle(many)
    extra = (after - before) / 1e6
    run.found(f"MB more with {many:,} idle connections", f"{extra:.1f}", "64 for 10,000", extra <= 64 * many / 10_000)


def hostile(run):
    """what slow and deaf clients cost the others, in turn with and without them"""
    import hostile as test
    slow, deaf, rounds = (run.number[name] for name in ("slow", "deaf", "beside"))
    alone, flooded, beside, grown = test.beside(slow, deaf, rounds, 2000, lambda n: run.progress(of(rounds)(n)))
    run.found("p99 of a round trip alone, us", f"{alone * 1e6:.0f}")
    run.found(f"while {deaf:,} clients that read nothing have requests left, us", f"{flooded * 1e6:.0f}", "5,000", flooded <= 5e-3)
    run.found(f"beside {slow:,} slow and {deaf:,} deaf clients, us", f"{beside * 1e6:.0f}", "twice that", beside <= 2 * alone)
    most = (deaf * 4 << 20) + slow * 8192
    run.found("MiB more at most", f"{grown / (1 << 20):.0f}", f"{most >> 20}", grown <= most)


def sequences(run):
    """random requests against a simple model of the daemon, through restarts"""
    import sequences as test
    many, requests, instances = run.number["sequences"], 0, 0
    for i in range(many):
        seed = run.args.seed + i
        try:
            done = test.Sequence(run.folder(str(seed)), seed).run(4)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        requests, instances = requests + done["requests"], instances + done["instances"]
        if (i + 1) % max(1, many // 20) == 0:
            run.progress(of(many)(i + 1))
    run.found("requests answered as the model says", f"{requests:,}")
    run.found("instances learned", f"{instances:,}")


def fuzz(run):
    """every fuzz target under ASan and UBSan (needs --sanitized DIR)"""
    import fuzzing as test
    many = run.number["fuzz"]
    if not run.args.sanitized:
        raise AssertionError("--sanitized DIR names no build under sanitizers")
    for target in test.targets():
        done, seconds = test.run(run.args.sanitized, target, many, run.args.seed, lambda n: run.progress(f"{target}: {of(many)(n)}"))
        run.found(target, f"{done:,} executions in {seconds:,.0f} s")


def commit(run):
    """group commit: learning with `always` beside `none`, alternating"""
    import speed as test
    rounds = run.number["commit"]
    for in_flight in (64, 256, 1024, 4096):
        folder = run.folder(str(in_flight))
        folder.mkdir(parents=True)
        always, none, ratio, sync = test.commit(folder, in_flight, 0.5 if run.args.quick else 2.0, rounds, lambda n: run.progress(f"{in_flight} in flight, {of(rounds)(n)}"))
        run.found(f"{in_flight} in flight: instances/s always, none; fdatasync ms", f"{always:,.0f}, {none:,.0f}; {sync:.2f}")
        bound = in_flight >= 1024
        run.found(f"{in_flight} in flight: ratio", f"{ratio:.2f}", "at least 0.30" if bound else "", ratio >= 0.3 or not bound)


def recovery(run):
    """how fast a log is carried out again"""
    import speed as test
    many = run.number["records"]
    told = set()

    def progress(n):
        if n * 10 // many not in told:
            told.add(n * 10 // many)
            run.progress(of(many)(n))

    done = test.recovery(run.folder(), many, progress)
    run.found(f"{many:,} records of 20 features: log, MiB", f"{done['log bytes'] / (1 << 20):,.0f}")
    run.found("seconds until it learns again", f"{done['recovered in']:.1f}", f"{30 * many / 1e6:.1f}", done["recovered in"] <= 30 * many / 1e6 + 0.5)


def pause(run):
    """the longest pause of learning while a snapshot of a large model is taken"""
    import speed as test
    for what, value in test.pause(run.folder(), run.number["megabytes"], progress=run.progress).items():
        run.found(what, f"{value:,.1f}" if isinstance(value, float) else f"{value:,}")


def soak(run):
    """resident memory over a long time of everything"""
    import soak as test
    samples, requests = test.run(run.folder(), run.number["soak"], progress=run.progress)
    run.found("requests", f"{requests:,}")
    run.found("MiB resident, ten samples", " ".join(f"{sample:.1f}" for sample in samples))
    middle, end = (sum(part) / len(part) for part in (samples[3:6], samples[7:]))
    run.found("MiB more at the end than in the middle", f"{end - middle:+.1f}", "2, or 5 %", end - middle <= max(2, middle / 20))


TESTS = {test.__name__: test for test in (kills, power, flips, idle, hostile, sequences, commit, recovery, pause, soak, fuzz)}


def table(rows):
    return "\n".join(["| test | measured | value | bound | holds |", "|---|---|---:|---:|---|", *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def main():
    listing = "\n".join(f"  {name:10} {inspect.getdoc(test)}" for name, test in TESTS.items())
    parser = argparse.ArgumentParser(description=__doc__ + listing, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--sanitized", type=Path, help="a build under sanitizers, for fuzz")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER", help=f"one of {', '.join(NUMBERS)}")
    args = parser.parse_args()
    for name in args.names:
        if name not in TESTS:
            parser.error(f"there is no test {name}")
    os.environ["HOMER_BUILD"] = str(args.build)
    out = args.build.resolve() / "stress"
    out.mkdir(parents=True, exist_ok=True)
    args.build, args.folder = args.build.resolve(), (args.folder or out / "data").resolve()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    run = Run(args)
    print(f"stress: seed {args.seed}", file=sys.stderr)
    for name in args.names or TESTS:
        if name == "fuzz" and not args.sanitized and not args.names:
            continue
        run.name, started = name, time.monotonic()
        shutil.rmtree(args.folder / name, ignore_errors=True)
        try:
            TESTS[name](run)
        except Exception:  # the others are still worth knowing
            traceback.print_exc()
            run.found("failed", "see above", "", False)
        else:
            shutil.rmtree(args.folder / name, ignore_errors=True)  # what a failure left is kept
        run.found("seconds", f"{time.monotonic() - started:,.0f}")
    (out / "report.md").write_text(table(run.rows))
    with open(out / "report.csv", "w", newline="") as file:
        csv.writer(file).writerows([("test", "measured", "value", "bound", "holds"), *run.rows])
    print(table(run.rows))
    sys.exit(any(row[4] == "NO" for row in run.rows))


if __name__ == "__main__":
    main()
