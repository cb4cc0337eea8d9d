"""What idle, slow and deaf clients cost the others: phases with and without them, in turn. The clients are a process of their own:

    hostile.py PORT SLOW DEAF      connects, says "ready" on standard output, goes on until its standard input ends"""
import contextlib
import itertools
import select
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import harness  # noqa: E402


def idle(count):
    """Resident bytes before, and with that many idle connections, every other of which has asked something before."""
    with harness.Daemon("--set", f"limits.max_connections={count + 100}") as daemon, daemon.connect() as watch:
        watch.ok("stats")
        before = daemon.resident_bytes()
        clients = [daemon.connect() for _ in range(count)]
        for client in clients[::2]:
            client.send(b'{"x":{"a":1,"b":2},"y":["p"]}\n{"x":{"a":1}}\n' * 5)
        for client in clients[::2]:
            client.replies(10)
        assert watch.ok("stats")["connections"]["open"] == count + 1
        time.sleep(1)  # what it takes to see that they are idle
        after = daemon.resident_bytes()
        for client in clients:
            client.socket.close()
    return before, after


def round_trips(client, count):
    """Seconds of each of so many requests, sent one by one."""
    taken = []
    for i in range(count):
        started = time.monotonic()
        client.ok({"op": "test", "x": {"a": i % 7, "b": i % 3}, "y": ["p"] if i % 2 else ["q"]})
        taken.append(time.monotonic() - started)
    return taken


def p99(values):
    return sorted(values)[len(values) * 99 // 100]


def through_the_flood(client):
    """Round trips while requests of the deaf are still carried out: until all that they may have unanswered is."""
    taken, before = [], -1
    while (helped := client.ok("stats")["requests"]["help"]) != before:
        before = helped
        taken += round_trips(client, 200)
    return taken


def beside(slow, deaf, rounds, count, progress=lambda done: None):
    """p99 of a round trip without them, while the deaf ones' requests are carried out, and with them after that, in seconds; and the bytes that
    the daemon has grown by at most."""
    alone, flooded, with_them, grown = [], [], [], 0
    with harness.Daemon("--set", f"limits.max_connections={slow + deaf + 100}") as daemon, daemon.connect() as client:
        round_trips(client, 500)
        before = daemon.resident_bytes()
        for i in range(rounds):
            alone += round_trips(client, count)
            process = subprocess.Popen([sys.executable, __file__, str(daemon.ports["tcp"]), str(slow), str(deaf)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdout.readline() == b"ready\n"
            flooded += through_the_flood(client)
            with_them += round_trips(client, count)
            grown = max(grown, daemon.resident_bytes() - before)
            process.communicate()
            while client.ok("stats")["connections"]["open"] > 1:
                time.sleep(0.01)
            progress(i + 1)
    return p99(alone), p99(flooded), p99(with_them), grown


def be_hostile(port, slow, deaf):
    slow, deaf = ([harness.Client(("127.0.0.1", port)) for _ in range(n)] for n in (slow, deaf))
    for each in deaf:
        each.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                each.socket.send(b'{"op":"help"}\n' * 1000)
    print("ready", flush=True)
    for turn in itertools.count():  # each a byte a second, spread over it
        for i in range(10):
            for each in slow[i::10]:
                each.send(b'{"op":"ping"}\n'[turn % 14:][:1])
            if select.select([sys.stdin], [], [], 0.1)[0]:
                return


if __name__ == "__main__":
    be_hostile(*map(int, sys.argv[1:]))
