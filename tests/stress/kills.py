"""SIGKILL at random moments while several clients learn, each with many requests in flight.

Every client numbers what it sends (`src`, `n`) and, after each crash, sends again what was not acknowledged. After each crash the
log says which records there are; with `always` every acknowledged request has to be among them; none twice, each acknowledged `seq` has
to be its place, and the digest that of a daemon which was never interrupted and was fed those requests in that order."""
import collections
import json
import random
import selectors
import subprocess
import time

import harness

IN_FLIGHT = 64
SETTINGS = {"segment_bytes": "64KiB", "limits.max_line": "4KiB", "snapshot.keep": 100, "model.window": 100}
Request = collections.namedtuple("Request", "kind key line")  # key: n of a learn or label, the id of a tracked prediction, None of others


def options(settings):
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


def log_of(folder, start):
    """(sequence, kind, model, src, n, ref) of the log's records from `start` on, as text; bytes of the torn tail."""
    done = subprocess.run([harness.BUILD / "tests/stress/stress_log", folder, str(start)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *rows, torn = done.stdout.splitlines()
    return [row.split("\t") for row in rows], int(torn.split()[1])


class Sender:
    """One client. `requests` are all its numbered requests and tracked predictions by key, `acknowledged` what it was told of them."""

    def __init__(self, name, seed, durability):
        self.name, self.durability, self.random = name, durability, random.Random(f"{seed} {name}")
        self.n = self.ids = 0
        self.tracked, self.requests, self.acknowledged = collections.deque(), {}, {}
        self.unanswered, self.sent, self.dups, self.resent = collections.deque(), 0, 0, 0
        self.client = None

    def make(self):
        r = self.random
        x = {"x": {f"f{i}": round(r.gauss(0, 1), 3) for i in range(5)}}
        y = [f"l{i}" for i in range(6) if r.random() < 0.3]
        dice = r.random()
        if dice < 0.05:
            return Request("predict", None, json.dumps(x))
        if dice < 0.15:
            self.ids += 1
            key = f"{self.name} {self.ids}"
            self.tracked.append(key)
            return Request("track", key, json.dumps({"op": "predict", **x, "track": True, "id": key, "scores": False}))
        self.n += 1
        number = {"src": self.name, "n": self.n}
        if self.tracked and dice < 0.25:
            return Request("label", self.n, json.dumps({"op": "label", "ref": self.tracked.popleft(), "y": y, **number}))
        return Request("learn", self.n, json.dumps({**x, "y": y, **number}))

    def connect(self, address):
        self.client = harness.Client(address)
        self.sent = 0
        self.resent += len(self.unanswered)

    def send_some(self):
        """Fills up what may be in flight; what was sent on an earlier connection goes first."""
        while len(self.unanswered) < IN_FLIGHT:
            request = self.make()
            if request.key is not None:
                self.requests[request.key] = request.line
            self.unanswered.append(request)
        if self.sent < len(self.unanswered):
            self.client.send("".join(each.line + "\n" for each in list(self.unanswered)[self.sent:]))
            self.sent = len(self.unanswered)

    def take(self, data):
        self.client.pending += data
        *lines, self.client.pending = self.client.pending.split(b"\n")
        for line in lines:
            reply, request = json.loads(line), self.unanswered.popleft()
            self.sent -= 1
            if self.durability != "always" and request.kind == "label" and not reply["ok"] and reply["error"]["code"] == "unknown_ref":
                continue  # its prediction was lost
            assert reply["ok"], (request, reply)
            self.dups += reply.get("dup", False)
            if request.key is not None:
                assert reply["durable"] == self.durability
                self.acknowledged[request.key] = (reply.get("seq"), reply.get("dup", False))

    def drain(self):
        """What had left the daemon before it died counts."""
        try:
            while data := self.client.socket.recv(1 << 16):
                self.take(data)
        except ConnectionError:
            pass
        self.client.pending = b""
        self.client.socket.close()


class Snapshots:
    """A connection that always waits for a snapshot: one begins when the last has ended."""

    def __init__(self):
        self.taken = 0
        self.client = None

    def connect(self, address):
        self.client = harness.Client(address)

    def send_some(self):
        self.client.send('{"op":"snapshot"}\n')

    def take(self, data):
        assert data.startswith(b'{"ok":true'), data
        self.taken += 1

    drain = Sender.drain


class Kills:
    def __init__(self, folder, seed, durability="always", clients=4):
        self.folder, self.random = folder, random.Random(seed)
        self.senders = {f"client-{i}": Sender(f"client-{i}", seed, durability) for i in range(clients)}
        self.snapshots, self.durability = Snapshots(), durability
        self.last = self.instances = self.torn = self.starts = self.lost = 0
        self.place = {}  # (src, n) -> seq, of the log
        self.tracked = set()

    def serve(self, daemon, seconds):
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as ready:
            for sender in (*self.senders.values(), self.snapshots):
                sender.connect(daemon.address)
                ready.register(sender.client.socket, selectors.EVENT_READ, sender)
                sender.send_some()
            while (left := end - time.monotonic()) > 0:
                for key, _ in ready.select(left):
                    key.data.take(key.data.client.socket.recv(1 << 16))
                    key.data.send_some()

    def read_log(self):
        """Takes note of the new records; their lines, in order."""
        rows, torn = log_of(self.folder, self.last + 1)
        lines = []
        self.torn += torn > 0
        for sequence, kind, _, src, n, ref in rows:
            assert int(sequence) == self.last + 1, "a gap in the log"
            self.last += 1
            if kind == "track":
                key = json.loads(ref)
                self.tracked.add(key)
                lines.append(self.senders[key.split()[0]].requests[key])
            elif kind != "create":
                assert (src, int(n)) not in self.place, f"{src} {n} is there twice"
                self.instances += 1
                self.place[src, int(n)] = self.instances
                lines.append(self.senders[src].requests[int(n)])
        return lines

    def check(self):
        """Everything that was acknowledged is there, at the place that it was said to have; with less than `always` some may be missing."""
        for name, sender in self.senders.items():
            for key, (seq, dup) in sender.acknowledged.items():
                place = self.place.get((name, key))
                if key not in self.tracked and not place:
                    assert self.durability != "always", f"{name} {key} was acknowledged, and is gone"
                    self.lost += 1
                    continue
                assert isinstance(key, str) or place == seq or (dup and place < seq), (name, key, place, seq, dup)
            sender.acknowledged.clear()

    def feed(self, reference, lines):
        for i in range(0, len(lines), 500):
            part = lines[i:i + 500]
            reference.send("\n".join(part) + "\n")
            for reply in reference.replies(len(part)):
                assert reply["ok"] and "dup" not in reply, reply

    def options(self):
        return options({"durability": self.durability, **SETTINGS})

    def start(self):
        self.starts += 1
        return harness.Daemon("--data-dir", self.folder, *self.options())

    def kill_while_starting(self):
        """A kill may also meet the recovery; the log stays what it was, but for the model of the very first start."""
        process = subprocess.Popen([harness.HOMERD, "--data-dir", self.folder, "--listen", "127.0.0.1:0", *self.options()], stderr=subprocess.DEVNULL)
        time.sleep(self.random.random() * 0.03)
        process.kill()
        process.wait()
        self.starts += 1

    def run(self, kills, longest=0.25, progress=lambda done: None):
        with harness.Daemon("--set", "model.window=100") as uninterrupted, uninterrupted.connect() as reference:
            for done in range(kills):
                if self.random.random() < 0.15:
                    self.kill_while_starting()
                else:
                    with self.start() as daemon:
                        if done:
                            assert daemon.digest() == uninterrupted.digest(), f"another model after {self.last} records"
                        self.serve(daemon, self.random.random() * longest)
                        daemon.kill()
                    for sender in (*self.senders.values(), self.snapshots):
                        sender.drain()
                self.feed(reference, self.read_log())
                self.check()
                progress(done + 1)
            with self.start() as daemon:
                assert daemon.digest() == uninterrupted.digest()
            return {"kills": kills, "acknowledged and lost": self.lost, "records": self.last, "instances": self.instances,
                    "sent again": sum(s.resent for s in self.senders.values()), "of them already there": sum(s.dups for s in self.senders.values()),
                    "snapshots": self.snapshots.taken, "torn tails": self.torn}
