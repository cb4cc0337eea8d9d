#!/usr/bin/env python3
"""The tables of the accuracy report, each reproduced from its streams; resumable, since what is finished is kept.

Every piece of work is kept as rows of OUT/cells/*.tsv under a key made of the stream's bytes, the order, the settings and the measuring
program's bytes; what is there already is not run again, so that a run may be stopped and started at will. OUT gets TABLE.md and TABLE.csv for
every table, and REPORT.md with all of them.

Streams come from --data (default: $HOMER_DATA), a folder of NAME.jsonl[.zst|.gz]; without it from those in tests/streams, and generated ones. A
table says which streams it lacks. Configurations that this build does not know are left out.
"""
import argparse
import csv
import importlib
import os
import sys
from pathlib import Path

import cells
from runner import Bench
from sources import Generated, Recorded, find

TABLES = {  # name: (module, what it shows)
    "accuracy": ("accuracy", "published and further streams, both orders, beside the published learners"),
    "ablation": ("ablation", "what each part is worth: left out in turn"),
    "late": ("labels", "labels that come late: F1 by positives seen"),
    "tail": ("labels", "rare labels: macro F1, propensity-scored precision"),
    "partial": ("unknown", "learning from partial labels"),
    "delayed": ("unknown", "learning from labels that come late after the instance"),
    "drift": ("drift", "windowed metrics around drifts, recovery, detections"),
    "structure": ("drift", "how soon the hierarchy follows a change of label structure"),
    "calibration": ("calibration", "expected calibration error, log-loss, reliability"),
    "trees": ("trees", "profiles beside the tree learners of MOA and River"),
    "hierarchy": ("hierarchy_table", "the label hierarchy beside batch clusterings"),
}
CONFIGS = {
    "linear": "model.profile=linear",
    "fast": "model.profile=fast",
    "accurate": "model.profile=accurate",
    "ihomer-paper": "model.learner=ihomer-paper",
}
QUICK, QUICK_STREAMS, QUICK_GENERATED = 120, 2, 600  # with --quick: instances of a recorded stream, such streams a table, instances of a generated one


class Study:
    """What the tables need to declare their work: streams, configurations, the programs."""

    def __init__(self, build, data, out, quick, configs, only=None):
        self.build, self.data, self.out, self.quick, self.only = Path(build), data, Path(out), quick, only
        self.bench = Bench(build)
        known = {name: s for name, s in CONFIGS.items() if name in configs and self.bench.knows(s)}
        unknown = [name for name in configs if name not in known]
        if unknown:
            self.say(f"not in this build: {' '.join(unknown)}")
        self.configs, self.missing, self.stores = known, {}, {}
        self.failed = {}  # table -> what could not be run -> why

    def say(self, text):
        print(f"study: {text}", file=sys.stderr, flush=True)

    def recorded(self, table, names):
        """Those of the named streams that are to be had; the others are told as missing."""
        found = []
        for name in names:
            path = find(self.data, name)
            if self.only and name not in self.only:
                continue
            if path:
                found.append(Recorded(name, path, QUICK if self.quick else None))
            else:
                self.missing.setdefault(table, []).append(name)
        return found[:QUICK_STREAMS] if self.quick else found

    def generated(self, name, **arguments):
        if self.quick:
            shrink = arguments.get("instances", 10000) / QUICK_GENERATED
            arguments["instances"] = QUICK_GENERATED
            if arguments.get("at"):
                arguments["at"] = [int(n / shrink) for n in arguments["at"]]
            arguments["width"] = int(arguments.get("width", 500) / shrink)
        return Generated(name, **arguments)

    def cell(self, store, stream, about, run, cost=1.0, program=None, inputs=()):
        """One piece of work on a stream; about: what else says which it is; cost: relative to the stream's size; inputs: further digests."""
        about = {"stream": stream.name, **about, "program": program or self.bench.digest}
        return cells.Cell(store, about, [stream.digest, *inputs], stream.size * cost, run)

    def store(self, name):
        if name not in self.stores:
            self.stores[name] = cells.Store(self.out / "cells" / f"{name}.tsv")
        return self.stores[name]


def write(study, name, module, work):
    """The table's files; returns its text."""
    rows = [row for cell in work for row in study.store(cell.store).rows(cell) or []]
    text = [f"## {name}: {TABLES[name][1]}", "", f"`./dev study {name}`", ""]
    if study.quick:
        text += [f"Smoke form (--quick): the first {QUICK} instances of {QUICK_STREAMS} shipped streams. The figures mean nothing.", ""]
    lacking = sum(not study.store(cell.store).rows(cell) for cell in work)
    if lacking:
        text += [f"Not finished: {lacking} of {len(work)} pieces of work are missing.", ""]
    if study.missing.get(name):
        text += ["Streams that were not there: " + " ".join(sorted(set(study.missing[name]))) + ".", ""]
    programs = sorted({row["program"] for row in rows})
    if programs:
        text += [f"Measured by: {', '.join(programs)} (digests of the measuring program).", ""]
    text += module.text(study, name, rows) if rows else ["No stream for it was there."]
    text = "\n".join(text).rstrip() + "\n"
    (study.out / f"{name}.md").write_text(text)
    with open(study.out / f"{name}.csv", "w", newline="") as f:
        columns = list(dict.fromkeys(c for row in rows for c in row if c not in cells.OWN))
        writer = csv.DictWriter(f, columns, lineterminator="\n", extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)
    return text


def arguments(argv):
    listed = "\n".join(f"  {name:<12} {what}" for name, (_, what) in TABLES.items())
    p = argparse.ArgumentParser(prog="./dev study", description=f"{__doc__}\ntables (default: all):\n{listed}",
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tables", nargs="*", metavar="TABLE")
    p.add_argument("--build", default="build", help=argparse.SUPPRESS)
    p.add_argument("--data", default=os.environ.get("HOMER_DATA"), help="folder of the recorded streams (default: $HOMER_DATA)")
    p.add_argument("--out", help="where results are kept (default: build/study; with --quick build/study/quick)")
    p.add_argument("--quick", action="store_true", help="a smoke run in seconds: shipped streams, few instances, one seed")
    p.add_argument("--configs", default=",".join(CONFIGS), help=f"which of {','.join(CONFIGS)}")
    p.add_argument("--streams", help="only these recorded streams: NAME,NAME...")
    p.add_argument("--report", help="where the report of all tables goes (default: REPORT.md in the output folder)")
    p.add_argument("--list", action="store_true", help="says what is to be done, and does nothing")
    p.add_argument("--done", action="store_true", help="makes the tables of what is finished so far, and runs nothing")
    args = p.parse_args(argv)
    unknown = [t for t in args.tables if t not in TABLES] + [c for c in args.configs.split(",") if c not in CONFIGS]
    if unknown:
        p.error(f"unknown: {' '.join(unknown)}")
    if args.data and not Path(args.data).is_dir():
        p.error(f"no folder {args.data}")
    if args.quick:
        args.data = None
    args.out = Path(args.out or Path(args.build) / "study" / ("quick" if args.quick else ""))
    return args


def main(argv=None):
    args = arguments(argv)
    study = Study(args.build, args.data, args.out, args.quick, args.configs.split(","), args.streams and args.streams.split(","))
    if not args.data and not args.quick:
        study.say("no HOMER_DATA: only streams that are shipped or generated")
    names = args.tables or list(TABLES)
    work = {}
    for name in names:
        module = importlib.import_module(TABLES[name][0])
        work[name] = list(module.cells(study, name))
    every = [cell for name in names for cell in work[name]]
    for cell in every:
        study.store(cell.store)
    if args.list:
        for name in names:
            todo = [c for c in work[name] if not study.store(c.store).rows(c)]
            print(f"{name:<12} {len(work[name])} pieces of work, {len(todo)} to do")
        return
    study.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    try:
        if not args.done:
            failed = cells.complete(every, study.stores, study.say)
    except KeyboardInterrupt:
        study.say("stopped; what is finished is kept, the same command goes on from here")
        sys.exit(130)
    texts = [write(study, name, importlib.import_module(TABLES[name][0]), work[name]) for name in names]
    print("\n".join(texts), flush=True)
    # the report has every table that was ever made here, this run's anew
    parts = [Path(__file__).parent / "report_head.md", *(study.out / f"{name}.md" for name in TABLES)]
    Path(args.report or study.out / "REPORT.md").write_text("\n".join(part.read_text() for part in parts if part.exists()))
    if failed:
        sys.exit(f"study: {failed} pieces of work failed; the tables lack them")


if __name__ == "__main__":
    main()
