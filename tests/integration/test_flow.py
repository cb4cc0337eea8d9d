"""Back-pressure: a client that does not read is not allowed to fill the daemon's memory or to hold up anybody."""
import contextlib
import select
import socket
import struct
import time

import harness

MEGA = 1 << 20
HELP = b'{"op":"help"}\n'


def fill(client, data, rounds):
    """Sends as much as the daemon takes without a reply being read; returns the bytes that went out."""
    client.socket.setblocking(False)
    sent = 0
    for _ in range(rounds):
        if not select.select([], [client.socket], [], 1)[1]:
            break  # it stopped reading, and the buffers in between are full
        try:
            sent += client.socket.send(data)
        except BlockingIOError:
            continue
    client.socket.settimeout(harness.SAFETY_SECONDS)
    return sent


def test_slow_reader():
    with harness.Daemon() as daemon, daemon.connect() as slow, daemon.connect() as other:
        reply_bytes = len(repr(slow.ask(HELP)))
        before = daemon.resident_bytes()
        sent = fill(slow, HELP * 4096, 4000)
        owed = sent // len(HELP)
        assert owed * reply_bytes > 30 * MEGA, "more is owed than may be held"
        assert daemon.resident_bytes() - before < (96 if harness.SANITIZED else 24) * MEGA
        # others are served at once, also to learn
        started = time.monotonic()
        for i in range(200):
            assert other.ok({"x": {"a": i}, "y": ["p"]})["seq"] == i + 1
        assert time.monotonic() - started < harness.SAFETY_SECONDS / 2
        # when it reads at last, nothing is missing; what was cut off at the end is one bad line
        slow.half_close()
        replies = slow.rest()
        assert all(reply["ok"] for reply in replies[:owed])
        assert [reply["ok"] for reply in replies[owed:]] == [False] * (sent % len(HELP) > 0)


def test_a_client_that_never_reads_is_closed():
    with harness.Daemon("--set", "limits.idle_timeout_ms=200") as daemon, daemon.connect() as slow, daemon.connect() as idle:
        idle.ok("ping")
        with contextlib.suppress(ConnectionError):  # on a slow machine it may be closed while it still sends
            fill(slow, HELP * 4096, 4000)
        while idle.ok("stats")["connections"]["timed_out"] == 0:
            time.sleep(0.02)
        assert idle.ok("ping"), "merely idle clients stay"


def test_connections_are_limited():
    with harness.Daemon("--set", "limits.max_connections=3") as daemon:
        held = [daemon.connect() for _ in range(3)]
        for client in held:
            client.ok("ping")
        with daemon.connect() as refused:
            replies = refused.rest()
            assert replies[0]["error"]["code"] == "too_many" and replies[0]["error"]["limit"].endswith("max_connections")
        for client in held:
            client.ok("ping")
        held[0].ask("quit")
        assert held[0].rest() == []
        while True:  # the place is free as soon as the daemon has seen the close
            with daemon.connect() as again:
                again.send(b"ping\n")
                if again.reply()["ok"]:
                    break
        for client in held:
            client.socket.close()


def test_many_connections_at_once(daemon):
    clients = [daemon.connect() for _ in range(200)]
    for i, client in enumerate(clients):
        client.send({"op": "learn", "x": {"a": i}, "y": [f"l{i % 5}"], "id": i})
    replies = [client.reply() for client in clients]
    assert [reply["id"] for reply in replies] == list(range(200))
    assert sorted(reply["seq"] for reply in replies) == list(range(1, 201))
    for client in clients:
        client.socket.close()


def test_connections_that_break_off(daemon):
    """Closed in mid-line, in mid-reply, reset: the daemon does not care."""
    for data in (b'{"op":"pi', b'{"op":"stats"}\n' * 500, b"", b'{"text":"' + b"x" * 100_000):
        for reset in (False, True):
            client = daemon.connect()
            client.send(data)
            if reset:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()
    with daemon.connect() as client:
        while client.ok("stats")["connections"]["open"] > 1:
            time.sleep(0.01)
        assert client.ok("stats")["seq"] == 0


def test_memory_does_not_creep(daemon):
    """The same work again and again must not take more and more."""
    with daemon.connect() as client:
        def work():
            for _ in range(300):
                client.send(b'{"op":"predict","x":{"a":1}}\n{bad\n{"op":"stats"}\n{"x":{"":1},"y":["p"]}\n' * 10)
                client.replies(40)
        work()
        before = daemon.resident_bytes()
        work()
        assert daemon.resident_bytes() - before < (24 if harness.SANITIZED else 2) * MEGA
