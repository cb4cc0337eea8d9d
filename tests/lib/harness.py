"""The real daemon and the real client, started and driven from outside.

HOMER_BUILD names the build folder (default: build), HOMER_SANITIZED is set when it is a sanitized build. Timeouts are a safety net
only: no test waits for time to pass. A daemon that is stopped must exit 0 and must have printed no sanitizer report, in every test."""
import fcntl
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("HOMER_BUILD", "build")
SANITIZED = bool(os.environ.get("HOMER_SANITIZED"))
SAFETY_SECONDS = 120 if SANITIZED else 60
HOMERD = BUILD / "daemon" / "homerd"
HOMER = BUILD / "clients" / "cli" / "homer"
REPORTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehaviorSanitizer")


def sanitizer_reports(text):
    return [row for row in text.splitlines() if any(word in row for word in REPORTS)]


class Client:
    """One connection: raw bytes out, lines or JSON in."""

    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(SAFETY_SECONDS)
        self.socket.connect(address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Raw bytes (or text) as they are; an object as one line of JSON."""
        if isinstance(data, dict):
            data = json.dumps(data) + "\n"
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def raw_line(self):
        """The next line of the daemon without its end; None at end of stream."""
        while b"\n" not in self.pending:
            data = self.socket.recv(1 << 16)
            if not data:
                assert self.pending == b"", f"half a reply before the end: {self.pending!r}"
                return None
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return line

    def reply(self):
        line = self.raw_line()
        assert line is not None, "the daemon closed the connection"
        return json.loads(line)

    def replies(self, count):
        return [self.reply() for _ in range(count)]

    def rest(self):
        """All replies until the daemon closes."""
        found = []
        while (line := self.raw_line()) is not None:
            found.append(json.loads(line))
        return found

    def ask(self, request):
        """One request (an object, or a line of text), its reply."""
        self.send(request if isinstance(request, (dict, bytes)) else request + "\n")
        return self.reply()

    def ok(self, request):
        reply = self.ask(request)
        assert reply["ok"] is True, reply
        return reply

    def error(self, request):
        """The error object of a request that must fail."""
        reply = self.ask(request)
        assert reply["ok"] is False, reply
        return reply["error"]


class Daemon:
    """homerd on a free port, in a scratch folder of its own; use as a context manager."""

    def __init__(self, *args, tcp=True, unix=False, config=None, build=BUILD, owner=None, environment=None, files=()):
        self.scratch = tempfile.TemporaryDirectory(prefix="homer-")
        self.folder = Path(self.scratch.name)
        if owner is not None:  # the user that the daemon is going to run as
            os.chown(self.folder, owner, -1)
        self.port_file = self.folder / "port"
        self.unix_path = str(self.folder / "socket") if unix else None
        command = [build / "daemon" / "homerd", "--port-file", self.port_file]
        if config is not None:
            (self.folder / "config.json").write_text(json.dumps(config))
            command += ["--config", self.folder / "config.json"]
        if tcp:
            command += ["--listen", "127.0.0.1:0"]
        if unix:
            command += ["--unix", self.unix_path]
        self.log = open(self.folder / "stderr", "w+b")
        command = [*command, *args]
        if files:  # listening sockets, as a service manager passes them; the shell tells the number of the process that it becomes
            command = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command]
            environment = {**(environment or {}), "LISTEN_FDS": str(len(files))}
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, pass_fds=range(3, 3 + len(files)),
                                        env={**os.environ, **(environment or {})}, preexec_fn=(lambda: place(files)) if files else None)
        deadline = time.monotonic() + SAFETY_SECONDS
        while not self.port_file.exists():
            assert self.process.poll() is None, f"homerd did not start: {self.stderr()}"
            assert time.monotonic() < deadline, "homerd wrote no port file"
            time.sleep(0.005)
        self.ports = json.loads(self.port_file.read_text())
        self.pid = self.process.pid
        self.killed = False

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None and not self.killed:
                self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.log.close()
            self.scratch.cleanup()

    @property
    def address(self):
        return ("127.0.0.1", self.ports["tcp"])

    @property
    def to(self):
        """As the command-line client wants it."""
        return f"127.0.0.1:{self.ports['tcp']}"

    def connect(self, unix=False):
        return Client(self.unix_path if unix else self.address)

    def ask(self, request):
        with self.connect() as client:
            return client.ask(request)

    def digest(self, model="default"):
        reply = self.ask({"op": "digest", "model": model})
        assert reply["ok"], reply
        return reply["digest"], reply["seq"]

    def stderr(self):
        return (self.folder / "stderr").read_text(errors="replace")

    def resident_bytes(self):
        for row in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if row.startswith("VmRSS:"):
                return int(row.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def wait(self):
        """Waits for an exit that was asked for; it must be a clean one."""
        status = self.process.wait(SAFETY_SECONDS)
        text = self.stderr()
        assert not sanitizer_reports(text), text
        assert status == 0, f"exit {status}: {text}"

    def kill(self):
        """SIGKILL; what it has printed must still be free of sanitizer reports."""
        self.killed = True
        self.process.kill()
        self.process.wait(SAFETY_SECONDS)
        assert not sanitizer_reports(self.stderr())

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        self.wait()


def place(files):
    """In the new process: these descriptors become 3, 4, ..."""
    above = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in files]
    for number, fd in enumerate(above, 3):
        os.dup2(fd, number)
        os.close(fd)


def run_homerd(*args):
    """homerd where it should exit by itself: the finished process, output as text."""
    return finished([HOMERD, *args])


def run_homer(*args, data=None):
    """The command-line client; data: bytes for its standard input."""
    return finished([HOMER, *args], data)


def finished(command, data=b""):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, input=data or b"", capture_output=True, timeout=SAFETY_SECONDS)
    done.out, done.err = done.stdout.decode(), done.stderr.decode()
    assert not sanitizer_reports(done.err), done.err
    assert done.returncode >= 0, f"killed by signal {-done.returncode}: {done.err}"
    return done


def feed(address, data, sizes):
    """Sends data cut into packets of the given sizes (taken in turn), half-closes, returns all reply lines."""
    with Client(address) as client:
        at = turn = 0
        while at < len(data):
            size = sizes[turn % len(sizes)]
            client.send(data[at:at + size])
            at, turn = at + size, turn + 1
        client.half_close()
        return client.rest()
