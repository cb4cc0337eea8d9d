"""Single bits flipped in the log and the snapshots of a real data folder, each followed by a recovery (flips.c)."""
import subprocess

import harness
import streams
from kills import options


def make(folder):
    """A folder of a killed daemon: several snapshots, several segments, all of the log."""
    rows = streams.recorded("flags", 190)
    with harness.Daemon("--data-dir", folder, *options({"durability": "always", "segment_bytes": "64KiB", "limits.max_line": "2KiB", "snapshot.keep": 9,
                                                        "snapshot.every_instances": 0})) as daemon, daemon.connect() as client:
        for i in range(0, len(rows), 19):
            for j, row in enumerate(rows[i:i + 19]):
                client.ok({**row, "src": "here", "n": i + j})
                client.ok({"op": "predict", "x": row["x"], "track": True, "id": j})
            client.ok({"op": "label", "ref": 3, "y": row["y"]})
            if i in (38, 95, 133):
                client.ok("snapshot")
        daemon.kill()


def run(folder, count, seed):
    """{(kind of file, outcome): count}."""
    done = subprocess.run([harness.BUILD / "tests/stress/stress_flips", folder, str(count), str(seed)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [row.split("\t") for row in done.stdout.splitlines()]
    return {(kind, outcome): int(n) for kind, outcome, n in rows}
