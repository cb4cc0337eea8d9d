"""Where a study's streams come from: recorded ones by name, generated ones by their arguments. A stream tells its digest, which is part of
what determines a result, without being read whole; its lines come when they are asked for."""
import functools
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parent / "streams"
sys.path.insert(0, str(SHIPPED))
import generate  # noqa: E402


def digest_of(*parts):
    """16 hex digits of anything that JSON or bytes can hold."""
    h = hashlib.sha256()
    for part in parts:
        h.update(part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode())
        h.update(b"\0")
    return h.hexdigest()[:16]


def digest_of_files(*paths):
    return digest_of(*(Path(path).read_bytes() for path in paths))


def lines_of(path):
    """The lines of a .jsonl file, plain or compressed, as bytes."""
    tool = {".zst": ["zstd", "-dcq"], ".gz": ["gzip", "-dc"]}.get(path.suffix)
    data = subprocess.run([*tool, path], check=True, stdout=subprocess.PIPE).stdout if tool else path.read_bytes()
    return data.splitlines()


def find(data, name):
    """The file of a recorded stream: in the folder of streams if there is one, else among those that are shipped; None: nowhere."""
    for folder in filter(None, (data, SHIPPED)):
        for suffix in (".jsonl", ".jsonl.zst", ".jsonl.gz"):
            if (Path(folder) / (name + suffix)).is_file():
                return Path(folder) / (name + suffix)
    return None


def find_or_say(data, name):
    """The same, and what is not there is told."""
    found = find(data, name)
    if not found:
        print(f"bench: {name} is not shipped and not in HOMER_DATA: left out", file=sys.stderr)
    return found


class Recorded:
    def __init__(self, name, path, limit=None, every=1):
        """limit: of its first so many lines; every: each so many-th (a drift stays where it is, in parts of the stream)."""
        self.name, self.path, self.limit, self.every = name, path, limit, every
        size = path.stat().st_size * (1 if path.suffix == ".jsonl" else 8)  # a guess at the bytes, to estimate time by
        self.size = 20000 + (size if limit is None else min(size, 1000 * limit)) // every
        self.digest = digest_of(path.read_bytes(), limit, *([every] if every > 1 else []))

    def lines(self):
        return lines_of(self.path)[:self.limit][::self.every]


@functools.lru_cache(maxsize=4)  # several configurations ask for the same stream in a row
def generated_lines(arguments):
    return [generate.line(x, y).encode() for x, y in generate.Stream(**json.loads(arguments))]


class Generated:
    """A stream of tests/streams/generate.py: the same arguments, the same bytes."""

    def __init__(self, name, **arguments):
        self.name, self.arguments = name, arguments
        self.size = arguments.get("instances", 10000) * arguments.get("features", 20) * 14
        self.digest = digest_of(Path(generate.__file__).read_bytes(), arguments)

    def stream(self):
        return generate.Stream(**self.arguments)

    def lines(self):
        return generated_lines(json.dumps(self.arguments))


def in_order(lines, order):
    """original: as they are; "shuffled SEED": Python's random.Random(SEED).shuffle of the list of lines."""
    if order == "original":
        return lines
    lines = list(lines)
    random.Random(int(order.split()[1])).shuffle(lines)
    return lines


def truths(lines):
    """The labelsets of complete labellings."""
    return [frozenset(json.loads(line)["y"]) for line in lines]
