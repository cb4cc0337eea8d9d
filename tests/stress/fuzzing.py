"""The fuzz targets, for long: seeded mutations of their saved corpora, in a build under sanitizers."""
import os
import subprocess
import time

import harness

CORPORA = harness.ROOT / "tests/fuzz/corpus"
PIECE_SECONDS = 20


def targets():
    return sorted(path.name for path in CORPORA.iterdir())


def run(build, target, executions, seed, progress=lambda done: None):
    """Executions and seconds; a failure is the target's own report, which has the input that did it."""
    program = build / "tests/fuzz" / f"fuzz_{target}"
    done, piece, started = 0, 100, time.monotonic()
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
    while done < executions:
        piece = min(piece, executions - done)
        before = time.monotonic()
        ran = subprocess.run([program, CORPORA / target, str(piece), str(seed + done)], capture_output=True, text=True, env=environment)
        assert ran.returncode == 0, f"fuzz_{target} {piece} {seed + done}: {ran.stderr[-3000:]}"
        done += piece
        progress(done)
        piece = int(piece * min(10, max(0.5, PIECE_SECONDS / (time.monotonic() - before + 1e-3)))) + 1
    return done, time.monotonic() - started
