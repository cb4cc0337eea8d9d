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
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import cells
from runner import Bench
from sources import Generated, Recorded, find

ALL = "accurate fast linear ihomer-paper"
PROFILES = "accurate fast linear"
CONFIGS = {  # the first is shown first
    "accurate": "model.profile=accurate",
    "fast": "model.profile=fast",
    "linear": "model.profile=linear",
    "ihomer-paper": "model.learner=ihomer-paper",
}


@dataclass
class Table:
    module: str
    configs: str  # those that are worth their time in it
    shows: str    # one sentence


TABLES = {
    "accuracy": Table("accuracy", ALL, "How good homerd is on the 17 published streams beside the published learners, on further streams, and when the order is shuffled."),
    "ablation": Table("ablation", "accurate fast", "What each part of the learner is worth: left out in turn, everything else as it is."),
    "late": Table("labels", ALL, "How soon a label that appears late is predicted, by how many positives of it were seen."),
    "tail": Table("labels", ALL, "How well rare labels are predicted."),
    "partial": Table("unknown", PROFILES, "What is still learned when only a part of each instance's labels is told."),
    "delayed": Table("unknown", PROFILES, "What it costs when labels come so many instances after their instance."),
    "drift": Table("drift", ALL, "How soon drifts of known place are seen and made good, and what the answer to them is worth."),
    "structure": Table("drift", "fast", "How soon the hierarchy follows when labels begin to come together otherwise."),
    "calibration": Table("calibration", ALL, "Whether the scores are probabilities."),
    "hierarchy": Table("hierarchy_table", "", "How the label hierarchy, found online, compares with batch clusterings that see all counts at once."),
    "trees": Table("trees", ALL, "How the learner compares with the tree learners of MOA and River on streams that are not linear and drift."),
}
ASKED_FOR = {"trees"}  # run only when named: other people's learners are slow, and to be installed
COST = {"accurate": 6, "fast": 1.5, "ihomer-paper": 3}  # relative to linear, to tell the time that is left
QUICK_CONFIGS, QUICK_ALL = ["fast"], {"accuracy"}  # with --quick: these, but in these tables all
QUICK, QUICK_GENERATED = 60, 300  # and so many instances of one recorded stream a table, and of a generated one


class Study:
    """What the tables need to declare their work: streams, configurations, the programs."""

    def __init__(self, build, data, out, quick, configs, only=None):
        self.build, self.data, self.out, self.quick, self.only = Path(build), data, Path(out), quick, only
        self.bench = Bench(build)
        self.known = {name: s for name, s in CONFIGS.items() if name in configs and self.bench.knows(s)}
        unknown = [name for name in configs if name not in self.known]
        if unknown:
            self.say(f"not in this build: {' '.join(unknown)}")
        self.missing, self.stores = {}, {}
        self.failed = {}  # table -> what could not be run -> why

    def say(self, text):
        print(f"study: {text}", file=sys.stderr, flush=True)

    def configs(self, table):
        """name -> settings of what the table shows, in the order of CONFIGS."""
        listed = TABLES[table].configs.split()
        if self.quick and table not in QUICK_ALL:
            listed = QUICK_CONFIGS
        return {name: settings for name, settings in self.known.items() if name in listed}

    def recorded(self, table, names, every=1):
        """Those of the named streams that are to be had; the others are told as missing. every: see Recorded."""
        found = []
        for name in names:
            path = find(self.data, name)
            if self.only and name not in self.only:
                continue
            if path:
                found.append(Recorded(name, path, QUICK if self.quick else None, 1 if self.quick else every))
            else:
                self.missing.setdefault(table, []).append(name)
        return found[:1] if self.quick else found

    def generated(self, name, **arguments):
        if self.quick:
            shrink = arguments.get("instances", 10000) / QUICK_GENERATED
            arguments["instances"] = QUICK_GENERATED
            if arguments.get("at"):
                arguments["at"] = [int(n / shrink) for n in arguments["at"]]
            arguments["width"] = int(arguments.get("width", 500) / shrink)
        return Generated(name, **arguments)

    def cell(self, store, stream, about, run, cost=1.0, program=None, inputs=(), timed=False):
        """One piece of work on a stream; about: what else says which it is; cost: relative to the stream's size; inputs: further digests;
        timed: see Cell."""
        about = {"stream": stream.name, **about, "program": program or self.bench.digest}
        return cells.Cell(store, about, [stream.digest, *inputs], stream.size * cost * COST.get(about.get("config"), 1), run, timed)

    def store(self, name):
        if name not in self.stores:
            self.stores[name] = cells.Store(self.out / "cells" / f"{name}.tsv")
        return self.stores[name]


def write(study, name, module, work):
    """The table's files; returns its text."""
    rows = [row for cell in work for row in study.store(cell.store).rows(cell) or []]
    text = [f"## {name}", "", TABLES[name].shows, "", f"Command: `HOMER_DATA=DIR ./dev study {name}`", ""]
    if study.quick:
        text += [f"Smoke form (--quick): the first {QUICK} instances of a shipped stream. The figures mean nothing.", ""]
    lacking = sum(not study.store(cell.store).rows(cell) for cell in work)
    if lacking:
        text += [f"Not finished: {lacking} of {len(work)} pieces of work are missing.", ""]
    if study.missing.get(name):
        text += ["Streams that were not there: " + " ".join(sorted(set(study.missing[name]))) + ".", ""]
    text += module.text(study, name, rows) if rows else [] if work else ["No stream for it was there."]
    programs = sorted({row["program"] for row in rows})
    if programs:
        text += ["", f"Measured by: {', '.join(programs)} (digests of the measuring program)."]
    text = re.sub(r"(?<!\n)\n(?=\*\*)|\n{3,}", "\n\n", "\n".join(text)).rstrip() + "\n"  # a title begins a paragraph
    (study.out / f"{name}.md").write_text(text)
    with open(study.out / f"{name}.csv", "w", newline="") as f:
        rows = [row for row in rows if module.listed(name, row)] if hasattr(module, "listed") else rows
        columns = list(dict.fromkeys(c for row in rows for c in row if c not in cells.OWN))
        writer = csv.DictWriter(f, columns, lineterminator="\n", extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)
    return text


def arguments(argv):
    listed = "\n".join(f"  {name:<12} {table.shows}" for name, table in TABLES.items())
    p = argparse.ArgumentParser(prog="./dev study", description=f"{__doc__}\ntables (default: all but {' '.join(ASKED_FOR)}):\n{listed}",
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tables", nargs="*", metavar="TABLE")
    p.add_argument("--build", default="build", help=argparse.SUPPRESS)
    p.add_argument("--data", default=os.environ.get("HOMER_DATA"), help="folder of the recorded streams (default: $HOMER_DATA)")
    p.add_argument("--out", help="where results are kept (default: build/study; with --quick build/study/quick)")
    p.add_argument("--quick", action="store_true", help="a smoke run in seconds: one shipped stream a table, few instances, one seed")
    p.add_argument("--configs", default=",".join(CONFIGS), help=f"which of {','.join(CONFIGS)}")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="pieces of work at a time; those that measure speed always run alone (default: a processor each)")
    p.add_argument("--streams", help="only these recorded streams: NAME,NAME...")
    p.add_argument("--report", help="the file of the report of all tables that were ever made (default: REPORT.md in the output folder)")
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
    names = args.tables or [name for name in TABLES if name not in ASKED_FOR]
    work = {}
    for name in names:
        module = importlib.import_module(TABLES[name].module)
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
            failed = cells.complete(every, study.stores, study.say, max(1, args.jobs))
    except KeyboardInterrupt:
        study.say("stopped; what is finished is kept, the same command goes on from here")
        sys.exit(130)
    texts = [write(study, name, importlib.import_module(TABLES[name].module), work[name]) for name in names]
    print("\n".join(texts), flush=True)
    # the report has every table that was ever made here, this run's anew
    made = [name for name in TABLES if (study.out / f"{name}.md").exists()]
    contents = "".join(f"- [{name}](#{name}): {TABLES[name].shows}\n" for name in made)
    parts = [(Path(__file__).parent / "report_head.md").read_text(), contents, *((study.out / f"{name}.md").read_text() for name in made)]
    Path(args.report or study.out / "REPORT.md").write_text("\n".join(parts))
    if failed:
        sys.exit(f"study: {failed} pieces of work failed; the tables lack them")


if __name__ == "__main__":
    main()
