"""The fuzz targets, for long: seeded mutations of their saved corpora, in a build under sanitizers."""
import concurrent.futures
import os
import subprocess
import time

import harness

CORPORA = harness.ROOT / "tests/fuzz/corpus"
SHARED = {"decode": "request"}  # target: whose corpus it begins from
PIECE_SECONDS = 20


def targets():
    return sorted([*SHARED, *(path.name for path in CORPORA.iterdir())])


def execute(build, target, executions, seed):
    """Seconds; a failure is the target's own report, which has the input that did it."""
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
    command, started = [build / "tests/fuzz" / f"fuzz_{target}", CORPORA / SHARED.get(target, target), str(executions), str(seed)], time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, f"fuzz_{target} {executions} {seed}: {ran.stderr[-3000:]}"
    return time.monotonic() - started


def run(build, target, executions, seed, progress=lambda done: None):
    """Executions, on all cores in pieces with a seed of their own; and seconds."""
    started, done, probe = time.monotonic(), 0, min(200, executions)
    rate = probe / (execute(build, target, probe, seed) + 1e-3)
    piece = max(1, min(int(rate * PIECE_SECONDS), executions))
    pieces = -(-executions // piece)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda i: execute(build, target, piece, seed + 1 + i), range(pieces)):
            done += piece
            progress(done)
    return done, time.monotonic() - started
