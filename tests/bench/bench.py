#!/usr/bin/env python3
"""Speed through the socket and in process, beside its limits on the same machine in the same run.

Usage: bench.py --build DIR [--data DIR] [--rounds N] [--seconds S] [--out FILE.md]
       bench.py --build DIR --data DIR --profiles     in process only: profiles fast and accurate against linear, alternating, over the streams of accuracy.py
For every stream: requests a second of (a) a bare echo, (b) decode the request and answer, (c) homerd `test`, over one
connection, pipelined, the three alternating round after round; and (d) the learner alone, in process (bench_model: names to ids + test +
train, lines decoded before). Median [min, max] over the rounds; ratios are medians of the rounds' ratios.
"""
import argparse
import csv
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from accuracy import PUBLISHED as RECORDED
from sources import find, lines_of

SHIPPED = Path(__file__).resolve().parent.parent / "streams"
STREAMS = {"yeast": "dense, 103 numbers", "medical": "sparse", "ng20": "sparse", "arxiv_titles_10k": "text"}
IN_FLIGHT = 256


def start(command, port_of):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return process, port_of(process)


def first_line(process):
    return int(process.stdout.readline().split()[-1])


def from_port_file(path):
    def wait(process):
        while process.poll() is None:
            if path.is_file():
                return json.loads(path.read_text())["tcp"]
            time.sleep(0.01)
        sys.exit("bench: homerd did not start")
    return wait


def drive(build, port, requests, stream, fresh):
    out = subprocess.run([build / "tests/bench/bench_socket", str(port), str(requests), str(IN_FLIGHT), stream,
                          *(["fresh"] if fresh else [])], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    if fresh and int(out[3]):
        sys.exit(f"bench: {out[3]} requests failed")
    return float(out[1]), int(out[2])


def in_process(build, stream, *options):
    done = subprocess.run([build / "tests/bench/bench_model", "--objective", "example_f1", *options, stream], check=True,
                          stdout=subprocess.PIPE, text=True)
    return float(next(csv.DictReader(done.stdout.splitlines(), delimiter="\t"))["per_second"])


def spread(values):
    return f"{statistics.median(values):,.0f} [{min(values):,.0f}, {max(values):,.0f}]"


def ratio(a, b):
    return f"{statistics.median(x / y for x, y in zip(a, b)):.2f}"


def profiles(build, data, rounds):
    """Instances a second in process by profile, and the ratios to linear: medians over the rounds, geometric means over the streams."""
    rates, ratios = {"linear": [], "fast": [], "accurate": []}, {"fast": [], "accurate": []}
    shown = lambda rate, ratio: ", ".join(f"{p} {rate(p):,.0f}" + (f" (ratio {ratio(p):.3f})" if p in ratios else "") for p in rates)
    with tempfile.TemporaryDirectory() as folder:
        for name in (n for n in RECORDED if find(data, n)):
            stream = Path(folder) / f"{name}.jsonl"
            stream.write_bytes(b"\n".join(lines_of(find(data, name))) + b"\n")
            got = {p: [] for p in rates}
            for _ in range(rounds):
                for p in got:
                    got[p].append(in_process(build, stream, "--set", f"model.profile={p}"))
            for p in got:
                rates[p].append(statistics.median(got[p]))
            for p in ratios:
                ratios[p].append(statistics.median(a / b for a, b in zip(got[p], got["linear"])))
            print(f"{name}: {shown(lambda p: rates[p][-1], lambda p: ratios[p][-1])}", flush=True)
    mean = statistics.geometric_mean
    print(f"geometric mean over {len(rates['linear'])} streams: {shown(lambda p: mean(rates[p]), lambda p: mean(ratios[p]))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("HOMER_DATA"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="about how long one measurement takes")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--profiles", action="store_true", help="compare the profiles in process instead")
    args = parser.parse_args()
    if args.profiles:
        if not args.data:
            sys.exit("bench: where are the streams? --data DIR, or the environment's HOMER_DATA")
        profiles(args.build, Path(args.data), args.rounds)
        return
    folder = Path(tempfile.mkdtemp(prefix="homer-bench-"))
    port_file = folder / "port"
    servers = []
    rows = []
    try:
        echo, echo_port = start([args.build / "tests/bench/bench_server", "echo"], first_line)
        servers.append(echo)
        decode, decode_port = start([args.build / "tests/bench/bench_server", "decode"], first_line)
        servers.append(decode)
        daemon, port = start([args.build / "daemon/homerd", "--listen", "127.0.0.1:0", "--port-file", port_file],
                             from_port_file(port_file))
        servers.append(daemon)
        for name, kind in STREAMS.items():
            source = find(SHIPPED, name) or (args.data and find(Path(args.data), name))
            if not source:
                print(f"bench: {name} is not shipped and not in HOMER_DATA: left out", file=sys.stderr)
                continue
            stream = folder / f"{name}.jsonl"
            stream.write_bytes(b"\n".join(lines_of(source)) + b"\n")
            rate, size = drive(args.build, port, 2000, stream, True)
            got = {"echo": [], "decode": [], "homerd": [], "model": []}
            for i in range(args.rounds):
                print(f"bench: {name}, round {i + 1}/{args.rounds}", file=sys.stderr)
                for key, at, speed in (("echo", echo_port, 20), ("decode", decode_port, 2), ("homerd", port, 1)):
                    requests = max(2000, int(rate * args.seconds * min(speed, 10)))
                    got[key].append(drive(args.build, at, requests, stream, key == "homerd")[0])
                got["model"].append(in_process(args.build, stream))
            rows.append(f"| {name} ({kind}, {size:,} B a request) | {spread(got['homerd'])} | {spread(got['decode'])} | "
                        f"{spread(got['echo'])} | {ratio(got['homerd'], got['decode'])} | {ratio(got['homerd'], got['echo'])} | "
                        f"{spread(got['model'])} |")
    finally:
        for process in servers:
            process.send_signal(signal.SIGTERM)
        for process in servers:
            process.wait()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    commit = subprocess.run(["git", "-C", SHIPPED, "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    text = "\n".join([
        f"{cpu}, {os.cpu_count()} cores, commit {commit}, {args.rounds} alternating rounds, {IN_FLIGHT} requests in flight, "
        "one connection; median [min, max].", "",
        "| stream | homerd `test`/s | decode and answer/s | echo/s | homerd : decode | homerd : echo | learner in process/s |",
        "|---|---:|---:|---:|---:|---:|---:|", *rows]) + "\n"
    print(text)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text)


if __name__ == "__main__":
    main()
