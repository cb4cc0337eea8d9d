"""What durability costs: group commit, recovery, the pause of a snapshot."""
import json
import os
import random
import re
import statistics
import time

import harness
from kills import options
from pipeline import drive

NO_SNAPSHOTS = {"snapshot.every_instances": 0, "snapshot.every_seconds": 0, "snapshot.every_bytes": 0}


def rows(count, features=20, labels=5, seed=1):
    """Instances of numbers, whose labels follow from some of them."""
    r = random.Random(seed)
    made = []
    for _ in range(count):
        x = [round(r.gauss(0, 1), 2) for _ in range(features)]
        made.append({"x": {f"f{i}": v for i, v in enumerate(x)}, "y": [f"l{i}" for i in range(labels) if x[i] + x[i + 1] > 0.8]})
    return made


def block_of(made):
    return "".join(json.dumps(row) + "\n" for row in made).encode()


def sync_ms(folder, times=50):
    """Median of an fdatasync of 4 KiB in that folder."""
    taken = []
    with open(folder / "probe", "wb", 0) as file:
        for _ in range(times):
            file.write(os.urandom(4096))
            started = time.monotonic()
            os.fdatasync(file.fileno())
            taken.append(time.monotonic() - started)
    (folder / "probe").unlink()
    return statistics.median(taken) * 1e3


def commit(folder, in_flight, seconds=2.0, rounds=5, progress=lambda done: None):
    """Instances a second with `always` and with `none`, alternating; the median of the rounds' ratios; and an fdatasync's milliseconds."""
    block, got = block_of(rows(16)), {"always": [], "none": []}
    daemons = {word: harness.Daemon("--data-dir", folder / f"{word}-{in_flight}", *options({"durability": word, **NO_SNAPSHOTS})) for word in got}
    try:
        clients = {word: daemon.connect() for word, daemon in daemons.items()}
        count = 4000
        for word in got:
            taken, _ = drive(clients[word], block, 16, count, in_flight)
        count = max(count, int(count / taken * seconds))
        for i in range(rounds):
            for word in got:
                got[word].append(count / drive(clients[word], block, 16, count, in_flight)[0])
            progress(i + 1)
        for client in clients.values():
            client.socket.close()
    finally:
        for daemon in daemons.values():
            daemon.__exit__(None)
    ratio = statistics.median(a / n for a, n in zip(got["always"], got["none"]))
    return statistics.median(got["always"]), statistics.median(got["none"]), ratio, sync_ms(folder)


def recovery(folder, count, progress=lambda done: None):
    """Makes a log of that many records, kills, starts again: seconds from the start to the port file, and what the daemon says it took."""
    lines = 1000
    block = block_of(rows(lines))
    settings = options({"durability": "none", **NO_SNAPSHOTS})
    with harness.Daemon("--data-dir", folder, *settings) as daemon, daemon.connect() as client:
        learned, _ = drive(client, block, lines, count, 4000, progress)
        while client.ok("stats")["log"]["written"] < count:  # what has not left the process is lost with it
            time.sleep(0.01)
        digest = daemon.digest()
        daemon.kill()
    size = sum(path.stat().st_blocks * 512 for path in folder.iterdir())
    started = time.monotonic()
    with harness.Daemon("--data-dir", folder, *settings) as daemon:
        taken = time.monotonic() - started
        assert daemon.digest() == digest
        told = int(re.search(r"event=done .*ms=(\d+)", daemon.stderr()).group(1)) / 1e3
        daemon.kill()
    return {"learned in": learned, "log bytes": size, "recovered in": taken, "of it recovery": told}


def pause(folder, megabytes, seconds=5, progress=lambda text: None):
    """The longest silence of a learning connection without, then while a snapshot of a model of that size is taken. What is learned is from all
    over the model, so that its pages have to be copied while the snapshot lasts; its numbers are random, so that they do not compress."""
    r = random.Random(1)
    settings = options({"durability": "interval", **NO_SNAPSHOTS, "model.profile": "linear", "model.max_memory": "8GiB"})
    with harness.Daemon("--data-dir", folder, *settings) as daemon, daemon.connect() as client, daemon.connect() as other:
        features, labels, known, used = 400, 400, 0, 0
        while used < megabytes << 20:
            client.ok({"op": "learn", "x": {f"x{known + j}": r.gauss(0, 1) for j in range(features)}, "y": [f"y{j}" for j in range(labels) if known == 0 or r.random() < 0.5]})
            known += features
            if known // features % 4 == 0:
                used = client.ok("stats")["memory"]["used_bytes"]
                progress(f"{used >> 20} MiB")
        small = [{"x": {f"x{r.randrange(known)}": r.gauss(0, 1) for _ in range(20)}, "y": [f"y{r.randrange(labels)}" for _ in range(2)]} for _ in range(1600)]
        small = [{**row, "y": sorted(set(row["y"]))} for row in small]
        before = daemon.resident_bytes()
        block = block_of(small)
        lines = len(small)
        rate = lines / drive(client, block, lines, lines, lines)[0]
        quiet = drive(client, block, lines, int(rate * seconds), 2 * lines)[1]
        other.send({"op": "snapshot"})
        started = time.monotonic()
        during = highest = 0
        other.socket.setblocking(False)
        while True:
            during = max(during, drive(client, block, lines, lines, lines)[1])
            try:
                assert b'"ok":true' in other.socket.recv(1 << 16)
                break
            except BlockingIOError:
                pass
        taken = time.monotonic() - started
        stats = client.ok("stats")
        file = max(folder.glob("snapshot-*")).stat().st_size
        daemon.kill()
    return {"model MiB": used >> 20, "RSS MiB": before >> 20, "snapshot s": taken, "snapshot file MiB": file >> 20, "fork ms": stats["snapshots"]["pause_max_ms"],
            "longest gap ms": during * 1e3, "longest gap without ms": quiet * 1e3, "instances/s": rate}
