"""Clients that mean harm, or do it: what they may cost, and that nobody else pays. HOMER_IDLE, HOMER_SLOW and
HOMER_DEAF set how many there are of each kind."""
import contextlib
import itertools
import os
import resource
import threading
import time

import harness
import pytest

KILO = 1 << 10
IDLE = int(os.environ.get("HOMER_IDLE", "1500"))
SLOW = int(os.environ.get("HOMER_SLOW", "100"))
DEAF = int(os.environ.get("HOMER_DEAF", "10"))


@pytest.fixture
def many_files():
    """Room for the descriptors of this end."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = max(IDLE, SLOW + DEAF) + 200
    if before[1] < want:
        pytest.skip(f"only {before[1]} open files are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], want), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_idle_connections_cost_little(many_files):
    """64 MB for 10,000 of them: 6.4 KiB each, those that have asked before included."""
    with harness.Daemon("--set", f"limits.max_connections={IDLE + 100}") as daemon, daemon.connect() as watch:
        watch.ok("stats")
        before = daemon.resident_bytes()
        clients = [daemon.connect() for _ in range(IDLE)]
        for client in clients[::2]:
            client.send(b'{"x":{"a":1,"b":2},"y":["p"]}\n{"x":{"a":1}}\n' * 5)
        for client in clients[::2]:
            client.replies(10)
        assert watch.ok("stats")["connections"]["open"] == IDLE + 1
        time.sleep(0.6)  # what it takes to see that they are idle
        each = (daemon.resident_bytes() - before) / IDLE
        print(f"{IDLE} idle connections: {each:.0f} bytes each")
        assert each < (64 if harness.SANITIZED else 6.4) * KILO
        for client in clients:
            client.socket.close()


def test_a_line_that_does_not_end():
    with harness.Daemon("--set", "limits.line_timeout_ms=100") as daemon, daemon.connect() as slow, daemon.connect() as idle:
        idle.ok("ping")
        slow.send(b'{"op":"pi')
        error = slow.reply()["error"]
        assert error["limit"] == "line_timeout_ms" and slow.rest() == []
        assert idle.ok("ping")


def test_idle_clients_may_be_closed():
    with harness.Daemon("--set", "limits.max_idle_ms=100") as daemon, daemon.connect() as idle:
        idle.ok("ping")
        assert idle.reply()["error"]["limit"] == "max_idle_ms"
        assert idle.rest() == []


def test_a_hundred_thousand_requests_without_reading(daemon):
    """They are all answered, in order, as soon as the client reads; until then memory is bounded."""
    count = 100_000
    with daemon.connect() as client:
        client.ok("ping")
        before = daemon.resident_bytes()
        writer = threading.Thread(target=lambda: client.send(b"".join(b'{"op":"ping","id":%d}\n' % i for i in range(count))))
        writer.start()
        with daemon.connect() as other:
            for _ in range(20):
                other.ok("ping")
        assert daemon.resident_bytes() - before < (64 if harness.SANITIZED else 16) * KILO * KILO
        for i in range(count):
            assert client.raw_line() == b'{"ok":true,"id":%d,"pong":true}' % i
        writer.join()


def test_few_unanswered_requests_still_pass_all():
    with harness.Daemon("--set", "limits.max_unanswered=1") as daemon, daemon.connect() as client:
        client.send(b"ping\n" * 5000)
        assert all(reply["ok"] for reply in client.replies(5000))


def test_one_byte_at_a_time_from_many(daemon):
    line = b'{"op":"ping","id":1}\n'
    clients = [daemon.connect() for _ in range(50)]
    for byte in line:
        for client in clients:
            client.send(bytes([byte]))
    for client in clients:
        assert client.reply()["id"] == 1
        client.socket.close()


def p99(client, rounds):
    """Seconds within which 99 of 100 requests are answered, sent one by one."""
    taken = []
    for i in range(rounds):
        started = time.monotonic()
        client.ok({"op": "test", "x": {"a": i % 7, "b": i % 3}, "y": ["p"] if i % 2 else ["q"]})
        taken.append(time.monotonic() - started)
    return sorted(taken)[rounds * 99 // 100]


def test_others_hardly_notice(many_files):
    """SLOW clients that send a byte now and then, DEAF ones that never read what they asked for."""
    with harness.Daemon("--set", f"limits.max_connections={SLOW + DEAF + 100}") as daemon, daemon.connect() as client:
        p99(client, 500)
        alone = p99(client, 2000)
        before = daemon.resident_bytes()
        slow, deaf, stop = [daemon.connect() for _ in range(SLOW)], [daemon.connect() for _ in range(DEAF)], threading.Event()

        def drip():
            for turn in itertools.count():
                for each in slow:  # each once a second
                    each.send(b'{"op":"ping"}\n'[turn % 14:][:1])
                    if stop.wait(1 / SLOW):
                        return

        for each in deaf:
            each.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    each.socket.send(b'{"op":"help"}\n' * 1000)
        dripping = threading.Thread(target=drip)
        dripping.start()
        p99(client, 500)
        beside = p99(client, 2000)
        stop.set()
        dripping.join()
        grown = daemon.resident_bytes() - before
        print(f"p99 alone {alone * 1e6:.0f} us, beside {SLOW} slow and {DEAF} deaf clients {beside * 1e6:.0f} us; {grown >> 20} MiB more")
        assert beside < 20 * alone + 0.1, "far more than that is a matter of this machine, far less of the daemon"
        assert grown < (16 if harness.SANITIZED else 4) * DEAF * KILO * KILO + SLOW * 8 * KILO
        for each in slow + deaf:
            each.socket.close()


def test_garbage_and_sudden_ends(daemon):
    for data in (os.urandom(200_000), b"\0" * 100_000, b"\n" * 100_000, b'{"op":"pi', b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"):
        with contextlib.suppress(ConnectionError):
            with daemon.connect() as client:
                client.send(data)
    with daemon.connect() as client:
        client.ok("ping")
        while client.ok("stats")["connections"]["open"] > 1:
            time.sleep(0.01)
        assert client.ok("stats")["seq"] == 0
