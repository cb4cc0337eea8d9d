"""Recorded and synthetic streams for tests, as lists of {"x": …, "y": […]}."""
import json
import subprocess
import sys

from harness import ROOT

FOLDER = ROOT / "tests" / "streams"
sys.path.insert(0, str(FOLDER))
import generate  # noqa: E402


def path(name):
    return FOLDER / f"{name}.jsonl.zst"


def lines(name, limit=None):
    done = subprocess.run(["zstd", "-dcq", path(name)], check=True, capture_output=True)
    return done.stdout.decode().splitlines()[:limit]


def recorded(name, limit=None):
    return [json.loads(row) for row in lines(name, limit)]


def synthetic(**arguments):
    return [json.loads(generate.line(x, labels)) for x, labels in generate.Stream(**arguments)]


def as_lines(rows, op=None, **fields):
    """Rows as request lines in one block of bytes."""
    head = {"op": op} if op else {}
    return b"".join(json.dumps({**head, **row, **fields}).encode() + b"\n" for row in rows)
