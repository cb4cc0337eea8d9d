"""homer bench against the daemon, and against a server whose delays and answers are known."""
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness
import streams
from test_tls import make_certificate


def bench(*args, status=0, data=None):
    done = harness.run_homer("bench", *args, data=data)
    assert done.returncode == status, (done.out, done.err)
    return done


def told(*args, status=0):
    return json.loads(bench("--json", *args, status=status).out)


@pytest.fixture
def stream(tmp_path):
    path = tmp_path / "stream.jsonl"
    path.write_text("\n".join(streams.lines("medical", 100)) + "\n")
    return path


def buckets(verb):
    return sum(count for _, count in verb["histogram_us"])


def test_counts_are_the_daemons(daemon, stream):
    found = told("--to", daemon.to, "--model", "default", "--mix", "learn=3,predict=1,test=1,ping", "--requests", 1200, "--connections", 3, "--pipeline", 7, stream)
    verbs = found["verbs"]
    assert found["errors"] == {} and verbs["all"]["requests"] == 1200 and not found["interrupted"]
    stats = daemon.ask("stats")
    for verb in ("learn", "predict", "test", "ping"):
        assert verbs[verb]["requests"] == stats["requests"][verb] == buckets(verbs[verb])
        assert 0 < verbs[verb]["latency_ms"]["p50"] <= verbs[verb]["latency_ms"]["p99"] <= verbs[verb]["latency_ms"]["max"]
    assert stats["seq"] == verbs["learn"]["requests"] + verbs["test"]["requests"]
    assert [m["name"] for m in daemon.ask({"op": "model.list"})["models"]] == ["default"]


def test_bytes_are_the_daemons(daemon):
    before = daemon.ask("stats")["connections"]
    found = told("--to", daemon.to, "--model", "default", "--mix", "ping", "--requests", 500)
    after = daemon.ask("stats")["connections"]
    words = len(b'{"op":"model.create","name":"default"}\n') + len(b"stats\n")
    assert found["bytes_out"] == 500 * len(b'{"op":"ping"}\n') == after["bytes_in"] - before["bytes_in"] - words
    assert found["bytes_in"] == 500 * len(b'{"ok":true,"pong":true}\n')


def test_a_pass_is_the_stream_in_order(daemon, stream):
    """One connection, `test` only: the model is the one that the same requests make."""
    bench("--to", daemon.to, "--model", "default", "--mix", "test", "--requests", 150, stream)
    with harness.Daemon() as other, other.connect() as client:
        rows = streams.recorded("medical", 100)
        client.send(streams.as_lines(rows + rows[:50], "test"))
        client.replies(150)
        assert other.digest() == daemon.digest()


def test_fresh_starts_every_pass_with_a_new_model(daemon, stream):
    assert told("--to", daemon.to, "--model", "m", "--fresh", "--mix", "learn", "--requests", 230, stream)["verbs"]["learn"]["requests"] == 230
    assert daemon.digest("m")[1] == 30
    assert daemon.ask("stats")["requests"]["model.drop"] == 3


def test_another_daemons_models_are_left_alone(daemon):
    daemon.ask({"x": {"a": 1}, "y": ["p"]})
    before = daemon.digest()
    bench("--to", daemon.to, "--requests", 200)
    assert daemon.digest() == before and len(daemon.ask({"op": "model.list"})["models"]) == 1
    daemon.ask({"op": "model.create", "name": "bench"})
    assert "--model bench" in bench("--to", daemon.to, "--requests", 10, status=1).err
    assert told("--to", daemon.to, "--model", "bench", "--mix", "learn", "--requests", 10)["model"] == "bench"
    assert daemon.digest("bench")[1] == 10


def test_errors_are_counted_by_code(daemon, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"x":{"a":1},"y":["p"]}\n{"x":{"":1},"y":["p"]}\n{"x":torn,"y":[]}\n{"x":{"a":1}}\n')
    found = told("--to", daemon.to, "--mix", "learn", "--requests", 40, path, status=1)
    assert found["errors"] == {"bad_feature": 10, "bad_json": 10, "bad_request": 10}
    assert found["verbs"]["learn"]["requests"] == 40 and found["verbs"]["learn"]["errors"] == 30
    assert "bad_feature: 10" in bench("--to", daemon.to, "--mix", "learn", "--requests", 40, path, status=1).out


def test_private_daemon_and_text_report(stream):
    out = bench("--requests", 300, "--set", "model.profile=linear", stream).out
    rows = {row.split()[0]: row.split() for row in out.splitlines() if row}
    assert rows["learn"][1] == rows["predict"][1] == "150" and rows["all"][1:3] == ["300", "0"]
    assert "below" in rows and bench("--quiet", "--requests", 10).err == ""
    assert bench("--seconds", 0.1, "--warmup", 0.05, "--nonzero", 5, "--features", 1000, "--labels", 40).out


@pytest.mark.parametrize("args", [["--mix", "fly"], ["--requests", "0"], ["--requests", "5", "--seconds", "1"], ["--fresh", "--connections", "2"],
                                  ["--to", "127.0.0.1:1", "--set", "a=b"], ["--to", "127.0.0.1:1", "--fresh"], ["--features", "5", "FILE"], ["--set", "fly=1"]])
def test_wrong_usage(args):
    done = bench(*args, status=2)
    assert done.err and not done.out


def test_failures_are_told(daemon, tmp_path):
    assert "missing.jsonl" in bench("--to", daemon.to, "missing.jsonl", status=1).err
    (tmp_path / "torn.jsonl").write_text("[1]\n")
    assert "torn.jsonl:1:" in bench("--to", daemon.to, tmp_path / "torn.jsonl", status=1).err
    assert bench("--to", "127.0.0.1:1", status=1).err


class Known:
    """A server that answers every line with {"ok":true}; it holds the replies of `hold` lines back until that many have come, then waits."""

    def __init__(self, hold=1, delay=0.0, close_after=None):
        self.hold, self.delay, self.close_after = hold, delay, close_after
        self.most = self.lines = 0  # lines that were unanswered at a time; all
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.to = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    def answer(self, peer):
        waiting = done = 0
        held = b""
        with peer:
            while data := peer.recv(1 << 16):
                lines = (held + data).split(b"\n")
                held = lines.pop()
                control = sum(b'"model.' in line for line in lines)
                peer.sendall(control * b'{"ok":true}\n')
                waiting += len(lines) - control
                self.lines += len(lines) - control
                self.most = max(self.most, waiting)
                if waiting < self.hold:
                    continue
                time.sleep(self.delay)
                if self.close_after is not None and done + waiting > self.close_after:
                    return
                peer.sendall(waiting * b'{"ok":true}\n')
                done, waiting = done + waiting, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def test_no_more_than_the_pipeline_is_under_way():
    with Known(hold=8) as server:
        told("--to", server.to, "--mix", "ping", "--pipeline", 8, "--requests", 80)
        assert server.most == 8


def test_latency_holds_the_servers_delay():
    with Known(delay=0.02) as server:
        latency = told("--to", server.to, "--mix", "ping", "--pipeline", 1, "--requests", 10)["verbs"]["ping"]["latency_ms"]
        assert latency["p50"] >= 20 and latency["mean"] >= 20


def test_at_a_rate_the_wait_of_what_could_not_be_sent_counts():
    """100 requests due within 10 ms, answered one at a time after 2 ms each: half of them wait for a tenth of a second or more."""
    with Known(delay=0.002) as server:
        latency = told("--to", server.to, "--mix", "ping", "--pipeline", 1, "--requests", 100, "--rate", 10000)["verbs"]["ping"]["latency_ms"]
        assert latency["p50"] >= 85 and latency["max"] >= 180


@pytest.mark.parametrize("rate", [[], ["--rate", 2000]])
def test_a_warm_up_is_not_counted(rate):
    with Known(delay=0.001) as server:
        found = told("--to", server.to, "--mix", "ping", "--pipeline", 1, "--warmup", 0.2, "--requests", 10, *rate)
        assert found["verbs"]["ping"]["requests"] == 10 < server.lines


def test_a_rate_is_kept(daemon):
    found = told("--to", daemon.to, "--mix", "ping", "--rate", 1000, "--requests", 200, "--connections", 3)
    assert found["verbs"]["ping"]["requests"] == 200 and found["seconds"] >= 0.19


def test_a_connection_that_ends_is_told_with_what_was_measured():
    with Known(close_after=50) as server:
        done = bench("--to", server.to, "--json", "--mix", "ping", "--pipeline", 1, "--requests", 100, status=1)
        assert "closed the connection" in done.err and json.loads(done.out)["verbs"]["ping"]["requests"] == 50


def bench_in_background(daemon):
    """homer bench of pings without end, after its first thousand."""
    command = [harness.HOMER, "bench", "--to", daemon.to, "--json", "--seconds", "1000", "--mix", "ping", "--connections", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    while daemon.ask("stats")["requests"]["ping"] < 1000:
        assert process.poll() is None
    return process


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_prints_what_there_is(sig, daemon):
    process = bench_in_background(daemon)
    process.send_signal(sig)
    out, err = process.communicate(timeout=harness.SAFETY_SECONDS)
    found = json.loads(out)
    assert process.returncode == 128 + sig and b"interrupted" in err and found["interrupted"]
    assert found["verbs"]["ping"]["requests"] == daemon.ask("stats")["requests"]["ping"]


def test_a_daemon_that_does_not_answer_holds_nothing_up(daemon):
    process = bench_in_background(daemon)
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=harness.SAFETY_SECONDS)
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    assert process.returncode == 128 + signal.SIGINT and json.loads(out)["interrupted"]
    assert b"were not answered" in err and b"model.drop" in err


def test_tls_and_a_token(tmp_path):
    (cert, key), token = make_certificate(tmp_path, "one"), tmp_path / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    os.chmod(token, 0o600)
    with harness.Daemon("--set", f"tls.cert={cert}", "--set", f"tls.key={key}", "--set", f"auth_token_file={token}") as daemon:
        found = told("--to", f"tls://{daemon.to}", "--ca", cert, "--token-file", token, "--requests", 3000, "--connections", 3)
        assert found["verbs"]["all"]["requests"] == 3000 and not found["errors"]
        assert "denied" in bench("--to", f"tls://{daemon.to}", "--ca", cert, "--requests", 10, status=1).err
