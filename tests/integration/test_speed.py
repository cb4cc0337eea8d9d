"""What ./dev bench measures with: the smoke run of its tables, targets, Vowpal Wabbit's text format and the pipelined driver."""
import csv
import json
import os
import socket
import subprocess
import sys
import threading

import pytest

import harness

BENCH = harness.ROOT / "tests" / "bench"
sys.path.insert(0, str(BENCH))
import measured  # noqa: E402
import peer_sockets  # noqa: E402
import targets  # noqa: E402


def test_the_short_form(tmp_path):
    done = subprocess.run([sys.executable, BENCH / "bench.py", "--build", harness.BUILD, "--rounds", "2", "--seconds", "0.02", "--only", "medical", "--out", tmp_path],
                          capture_output=True, text=True, timeout=harness.SAFETY_SECONDS, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOMER_DATA": ""})
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "bench.md").read_text()
    assert text in done.stdout and "commit" in text and "| `linear` learn on medical | 70,000/s |" in text and "x echo" in text
    rows = list(csv.DictReader((tmp_path / "bench.csv").open()))
    assert {(row["part"], row["profile"], row["what"]) for row in rows} == {
        *(("speed", profile, what) for profile in ("linear", "fast") for what in ("learn", "test", "predict", "in process")),
        *(("yardstick", "", kind) for kind in ("echo", "decode", "jansson")),
        *(("round trip", profile, "predict") for profile in ("linear", "fast")), ("round trip", "", "echo")}
    assert all(row["stream"] == "medical" and float(row["value"]) > 0 for row in rows) and len(rows) == 28


def measured_as(values):
    m = measured.Measured()
    for key, rounds in values.items():
        for value in rounds:
            m.add(key, value)
    return m


@pytest.mark.parametrize("rate, jansson, met", [(41000, 29000, "yes"), (21000, 14500, "scaled"), (19000, 14500, "**no**"), (39000, 29000, "**no**")])
def test_a_target_is_scaled_by_the_yardstick(rate, jansson, met):
    m = measured_as({("speed", "yeast", "linear", "learn"): [rate] * 3, ("yardstick", "yeast", "", "jansson"): [jansson] * 3})
    row, = targets.rate_rows(m)
    assert row[-1] == met and row[1] == "40,000/s"


def test_ratios_are_taken_round_by_round():
    assert measured.ratio([10, 20, 40], [5, 5, 5]) == "4.00" and measured.ratio([1], None) == "-"
    assert measured.spread([3, 1, 2]) == "2.00 [1.00, 3.00]"


def test_vowpal_wabbits_format():
    lines = ['{"x":{"a b":1,"c":-0.5,"n":"x y","bag":["p","q"]},"y":["two","one"]}', '{"text":"Hello | you","y":[]}']
    labels = peer_sockets.labels_of(lines)
    assert peer_sockets.vw_lines(lines, labels) == [b"1,0 | a_b:1 c:-0.5 n=x_y:1 bag=p:1 bag=q:1\n", b" | hello:1 _:1 you:1\n"]
    assert peer_sockets.vw_lines(lines[:1], labels, known=False)[0].startswith(b" | a_b:1")


def test_the_driver_keeps_what_it_is_told_in_flight():
    seen, most, unanswered = b"", 0, 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            nonlocal seen, most, unanswered
            peer, _ = listener.accept()
            with peer:
                while data := peer.recv(7):
                    seen += data
                    unanswered += data.count(b"\n")
                    most = max(most, unanswered)
                    if unanswered:
                        peer.sendall(b"ok\n" * unanswered)
                        unanswered = 0
        thread = threading.Thread(target=serve)
        thread.start()
        assert peer_sockets.drive(listener.getsockname()[1], [b"one\n", b"three\n", b"a longer line than the others\n"] * 5, 4, 0) > 0
        thread.join(harness.SAFETY_SECONDS)
    assert seen == b"one\nthree\na longer line than the others\n" * 5 and most <= 4
