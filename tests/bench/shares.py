#!/usr/bin/env python3
"""Where the daemon's processor time goes while a stream is sent as pipelined `test` requests: shares by part of the program, sampled by perf.

Usage: shares.py --build DIR [--data DIR] [--seconds S] [--streams A,B,...] [--profiles A,B] [--out FILE.md]
Needs `perf` (Debian: linux-perf) and, but for yeast and the shipped streams, a folder of recorded streams. A sample counts for the file that its
function was compiled from; parts are folders or files of the source.
"""
import argparse
import bisect
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from measured import table
from serving import Serving
from sources import find_or_say, lines_of

STREAMS = ["yeast", "medical", "ng20", "delicious", "corel5k", "arxiv_titles_10k"]
PARTS = [  # the first that matches the beginning of the object's source path
    ("sockets", ("kernel", "libuv", "daemon/conn", "daemon/server", "daemon/tls", "proto/line")),
    ("decode", ("libjansson", "strtod", "daemon/ahead", "proto/request", "proto/arena", "proto/scan", "proto/decode", "proto/utf8", "proto/number", "proto/hot")),
    ("names", ("daemon/resolve", "core/schema", "core/base/map", "proto/text", "proto/token", "libutf8proc")),
    ("reply, log", ("proto/", "daemon/")),
    ("scaling", ("core/scale",)),
    ("stack", ("core/leaf/stack",)),
    ("experts", ("core/leaf", "core/near", "core/second", "core/flat")),
    ("trees", ("core/tree", "core/clusters")),
    ("hierarchy, drift", ("core/labels", "core/drift")),
    ("rules", ("core/decide",)),
    ("metrics", ("core/eval",)),
    ("sparse", ("core/sparse",)),
    ("copying, other", ("",)),
]


def part_of(source):
    return next(part for part, begins in PARTS if source.startswith(begins))


def sources_by_function(build):
    """(Function, file's base name) -> source file without its suffix, from the object files."""
    found = {}
    root = Path(__file__).resolve().parents[2]
    for folder in ("core", "proto", "daemon"):
        for path in (root / folder).rglob("*.c"):
            name = str(path.relative_to(root / folder)).replace("/", "_") + ".o"
            for built in (Path(build) / folder).glob(f"*.p/{name}"):
                listed = subprocess.run(["nm", "--defined-only", built], stdout=subprocess.PIPE, text=True, check=True).stdout
                for line in listed.splitlines():
                    *_, kind, symbol = line.split()
                    if kind in "tTWi":
                        found[symbol.split(".")[0], path.name] = str(path.relative_to(root).with_suffix(""))
    return found


class Program:
    """Places in the executable's file -> source files, from its symbol table: a local function belongs to the FILE entry before it."""

    def __init__(self, build):
        self.path = Path(build) / "daemon/homerd"
        sources = sources_by_function(build)
        public = {function: source for (function, _), source in sources.items() if function.startswith("homer_")}
        table, current = {}, ""
        for field in map(str.split, self.read("-s")):
            if len(field) < 8 or not field[0].rstrip(":").isdigit():
                continue
            if field[3] == "FILE":
                current = field[7]
            elif field[3] in ("FUNC", "IFUNC") and int(field[1], 16):
                function = field[7].split(".")[0]
                table[int(field[1], 16)] = public.get(function) or sources.get((function, Path(current).name), "?")
        self.at = sorted(table)
        self.source = [table[a] for a in self.at]
        self.segments = [(int(f[1], 16), int(f[2], 16), int(f[4], 16)) for f in map(str.split, self.read("-l")) if f[:1] == ["LOAD"]]

    def read(self, what):
        return subprocess.run(["readelf", what, "-W", self.path], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()

    def lookup(self, offset):
        address = next((v + offset - o for o, v, size in self.segments if o <= offset < o + size), offset)
        i = bisect.bisect_right(self.at, address) - 1
        return self.source[i] if i >= 0 else "?"


def sample(serving, program, stream, profile, seconds):
    """Counter of parts, and requests answered a second."""
    to = serving.daemon(f"model.profile={profile} model.max_labels=200000")
    daemon, data = serving.processes[-1], serving.folder / "perf.data"
    drive = lambda n: serving.rate(to, "test", "--model", "default", "--fresh", "--requests", n, stream)
    rate = drive(4000)
    perf = subprocess.Popen(["perf", "record", "-q", "-F", "1999", "-o", data, "-p", str(daemon.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.2)
    rate = drive(int(rate * seconds))
    perf.terminate()
    perf.wait()
    script = subprocess.run(["perf", "script", "-i", data, "--show-mmap-events", "-F", "comm,ip,sym,dso"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    maps, count = [], Counter()
    for line in script.splitlines():
        mapped = re.search(r"PERF_RECORD_MMAP2? .*\[0x([0-9a-f]+)\(0x([0-9a-f]+)\) @ (0x[0-9a-f]+|0).*\]: r.xp (\S+)", line)
        if mapped:
            if mapped[4].endswith("/homerd"):
                maps.append((int(mapped[1], 16), int(mapped[2], 16), int(mapped[3], 0)))
            continue
        got = re.search(r"([0-9a-f]{6,16}) (.*) \((\S+)\)\s*$", line)
        if got:
            count[part_of(origin(program, maps, int(got[1], 16), got[2], got[3]))] += 1
    return count, rate


def origin(program, maps, ip, symbol, dso):
    if "kernel" in dso:
        return "kernel"
    if dso.endswith("/homerd"):
        base = next(((ip - start + offset) for start, size, offset in maps if start <= ip < start + size), None)
        return program.lookup(base) if base is not None else "?"
    if re.search("strto|localeconv|mpn|^round_", symbol):
        return "strtod"
    return Path(dso).name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("HOMER_DATA"))
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--streams", default=",".join(STREAMS))
    parser.add_argument("--profiles", default="linear,fast")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if not shutil.which("perf"):
        sys.exit("shares: perf is missing; on Debian: apt-get install linux-perf")
    program = Program(args.build)
    names = [part for part, _ in PARTS]
    rows = []
    with Serving(args.build) as serving:
        for name in args.streams.split(","):
            source = find_or_say(args.data, name)
            if not source:
                continue
            stream = serving.folder / f"{name}.jsonl"
            stream.write_bytes(b"\n".join(lines_of(source)) + b"\n")
            for profile in args.profiles.split(","):
                count, rate = sample(serving, program, stream, profile, args.seconds)
                total = sum(count.values())
                if not total:
                    sys.exit("shares: perf has taken no sample; is it allowed to (kernel.perf_event_paranoid)?")
                rows.append([f"{name}, {profile}", f"{rate:,.0f}", *(f"{100 * count[n] / total:.0f}" for n in names)])
                print("shares:", *rows[-1], file=sys.stderr)
    text = table(["stream, profile", "`test`/s", *names], rows, left=1)
    print(text)
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
