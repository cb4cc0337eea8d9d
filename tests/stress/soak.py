"""Memory over a long time: learning, predicting, tracking, labelling, connecting and snapshots, with bounded features and labels."""
import json
import random
import time

import harness
from kills import options
from pipeline import drive
from speed import rows

LINES = 400


def block(seed):
    r, made = random.Random(seed), []
    for i, row in enumerate(rows(LINES // 4, seed=seed)):
        made += [row, {"x": row["x"]}, {"op": "predict", "x": row["x"], "track": True, "id": r.randrange(1000)}, {"op": "test", **row, "src": f"s{i % 9}", "n": 0}]
    return "".join(json.dumps(row) + "\n" for row in made).encode()


def run(folder, seconds=None, blocks=None, progress=lambda text: None):
    """MiB resident, ten samples over the run of so many seconds, or blocks of requests."""
    settings = options({"durability": "interval", "segment_bytes": "1MiB", "sync_interval_ms": 100, "limits.max_line": "64KiB", "limits.max_tracked": 500, "snapshot.every_seconds": 5 if seconds else 1,
                        "model.tree.max_memory": "1MiB"})
    samples, done, started = [], 0, time.monotonic()
    part = block(1)
    with harness.Daemon("--data-dir", folder, *settings) as daemon:
        while len(samples) < 10:
            with daemon.connect() as client:
                drive(client, part, LINES, LINES * 10, 2 * LINES)
            done += 10
            share = (time.monotonic() - started) / seconds if seconds else done / blocks
            if share * 10 >= len(samples) + 1:
                samples.append(daemon.resident_bytes() / (1 << 20))
                progress(f"{samples[-1]:.1f} MiB after {done * LINES:,} requests")
    return samples, done * LINES
