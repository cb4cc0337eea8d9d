"""Vowpal Wabbit's daemon: its text format, a server of its own for each measurement, and pipelined lines through one connection."""
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time

from sources import HERE


def labels_of(lines):
    return sorted({label for line in lines for label in json.loads(line)["y"]})


def feature(name, value):
    name = name.translate({ord(c): "_" for c in " :|\n\t"})
    if isinstance(value, list):
        return " ".join(feature(f"{name}={v}", 1) for v in value)
    return feature(f"{name}={value}", 1) if isinstance(value, str) else f"{name}:{float(value):g}"


def vw_lines(lines, labels, known=True):
    """Requests as bytes: labels as numbers, unless not known, then the features of x and the words of text."""
    number, made = {label: i for i, label in enumerate(labels)}, []
    for row in map(json.loads, lines):
        parts = [feature(name, value) for name, value in row.get("x", {}).items()] + [feature(word, 1) for word in row.get("text", "").lower().split()]
        y = ",".join(str(number[label]) for label in row["y"]) if known else ""
        made.append(f"{y} | {' '.join(parts)}\n".encode())
    return made


@contextlib.contextmanager
def vw_server(python, labels):
    """The port of a new daemon."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([python, HERE / "peer_vw.py", "serve", str(labels), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        for _ in range(500):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)) as probe:
                probe.sendall(b" | ready:1\n")
                probe.recv(100)
                break
            time.sleep(0.02)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # and the process that it has forked
        process.wait()


def drive(port, lines, in_flight, seconds):
    """Requests a second of whole passes over the lines, at least one, until the time is over."""
    block, ends = b"".join(lines), [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    answered = sent = offset = 0
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.setblocking(False)
        begin, total = time.monotonic(), len(lines)
        while answered < total:
            free = answered + in_flight - sent if sent < total else 0
            # as few, large writes as may be: this program must not be what is measured
            write = [s] if free > in_flight // 2 or offset or (free and in_flight == 1) else []
            readable, writable, _ = select.select([s], write, [], 30)
            if not readable and not writable:
                raise TimeoutError("no reply within 30 s")
            if writable:
                at = sent % len(lines)
                last = min(at + max(free, 1), len(lines))
                try:
                    offset += s.send(block[ends[at] + offset:ends[last]])
                except BlockingIOError:
                    pass
                while at < last and ends[at] + offset >= ends[at + 1]:
                    offset -= len(lines[at])
                    at, sent = at + 1, sent + 1
            if readable:
                data = s.recv(1 << 18)
                if not data:
                    raise ConnectionError("the daemon closed the connection")
                answered += data.count(b"\n")
            if answered >= total and time.monotonic() - begin < seconds:
                total += len(lines)
        return answered / (time.monotonic() - begin)
