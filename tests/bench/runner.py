"""Runs the measuring programs on lines of a stream, and reads what they say."""
import csv
import json
import subprocess
import tempfile
from pathlib import Path

from sources import digest_of_files


class Run:
    """What bench_model said: rows by objective or baseline, windows by --every, and if asked for the predictions and the calibration bins."""

    def __init__(self, rows, record, bins):
        self.windows = [row for row in rows if row["per_second"] == "nan"]
        self.rows = [row for row in rows if row["per_second"] != "nan"]
        self.by = {row["by"]: row for row in self.rows}
        self.bins = bins
        self.predicted = {}  # objective -> a frozenset of label names for each line
        if record:
            *lines, names = record
            told = json.loads(names)
            name = told["labels"]
            columns = [line.split("\t") for line in lines]
            for k, by in enumerate(told["by"]):
                self.predicted[by] = [frozenset(name[int(i)] for i in row[k].split()) for row in columns]


class Bench:
    def __init__(self, build):
        self.model_program = Path(build) / "tests/bench/bench_model"
        self.hierarchy_program = Path(build) / "tests/bench/bench_hierarchy"
        self.digest = digest_of_files(self.model_program)
        self.hierarchy_digest = digest_of_files(self.hierarchy_program)

    def model(self, lines, *options, settings="", record=False, bins=False):
        """settings: "key=value key=value"."""
        with tempfile.TemporaryDirectory() as folder:
            stream, recorded, binned = (Path(folder) / name for name in ("stream.jsonl", "record.tsv", "bins.tsv"))
            stream.write_bytes(b"\n".join(lines) + b"\n" if lines else b"")
            options = [*sets(settings), *options]
            options += ["--record", recorded] if record else []
            options += ["--bins", binned] if bins else []
            done = subprocess.run([self.model_program, *map(str, options), stream], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                raise RuntimeError(f"bench_model {' '.join(map(str, options))}: exit {done.returncode}: {done.stderr.strip()}")
            rows = list(csv.DictReader(done.stdout.splitlines(), delimiter="\t"))
            return Run(rows, recorded.read_text().splitlines() if record else None,
                       list(csv.DictReader(binned.read_text().splitlines(), delimiter="\t")) if bins else None)

    def knows(self, settings, *options):
        """Whether this build takes these settings."""
        done = subprocess.run([self.model_program, *sets(settings), *options, "/dev/null"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode == 0

    def hierarchy(self, lines, *options):
        with tempfile.TemporaryDirectory() as folder:
            stream = Path(folder) / "stream.jsonl"
            stream.write_bytes(b"\n".join(lines) + b"\n")
            out = subprocess.run([self.hierarchy_program, *options, stream], check=True, stdout=subprocess.PIPE).stdout
            return json.loads(out)


def sets(settings):
    return [word for s in settings.split() for word in ("--set", s)]
