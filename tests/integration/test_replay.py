"""homer replay: any form of file, a private daemon or a given one, the table, the learning curve, Ctrl-C, and what goes wrong."""
import csv
import gzip
import json
import os
import random
import signal
import subprocess

import pytest

import harness
import streams

FLAGS = streams.path("flags")


def plain(folder, rows, name="stream.jsonl"):
    path = folder / name
    path.write_text("".join(row + "\n" for row in rows))
    return path


def result(*args, data=None):
    """The statistics at the end of a replay that must succeed."""
    done = harness.run_homer("replay", "--json", *args, data=data)
    assert done.returncode == 0, done.err
    return json.loads(done.out)["stats"]


def metrics_over_the_wire(rows, *settings):
    with harness.Daemon(*settings) as daemon:
        harness.feed(daemon.address, b"".join(b'{"op":"test",' + row.encode()[1:] + b"\n" for row in rows), [1 << 16])
        return daemon.ask("stats")["metrics"], daemon.digest()


def test_the_table():
    done = harness.run_homer("replay", FLAGS)
    assert done.returncode == 0, done.err
    table = done.out.lower()
    for word in ("no-change", "majority", "subset", "hamming", "micro", "macro", "194"):
        assert word in table, done.out
    assert "\x1b" not in done.out + done.err and "\r" not in done.out + done.err, "no progress bar without a terminal"


def test_metrics_are_those_of_test_requests():
    metrics, _ = metrics_over_the_wire(streams.lines("flags"))
    assert result(FLAGS)["metrics"] == metrics


def test_every_form_of_file(tmp_path):
    rows = streams.lines("flags")
    text = "".join(row + "\n" for row in rows).encode()
    expected = result(FLAGS)["metrics"]
    (tmp_path / "s.jsonl.gz").write_bytes(gzip.compress(text))
    half = len(rows) // 2
    for args, data in (([plain(tmp_path, rows)], None), ([tmp_path / "s.jsonl.gz"], None), (["-"], text), (["-"], gzip.compress(text)),
                       (["-"], text[:-1]), ([plain(tmp_path, rows[:half], "1"), plain(tmp_path, rows[half:], "2")], None)):
        assert result(*args, data=data)["metrics"] == expected, args


def test_to_a_running_daemon_which_stays(daemon):
    first = result(FLAGS, "--to", daemon.to)
    assert daemon.ask("stats")["seq"] == 194
    assert first["metrics"] == daemon.ask("stats")["metrics"]
    result(FLAGS, "--to", daemon.to)
    assert daemon.ask("stats")["seq"] == 388


def test_over_a_unix_socket():
    with harness.Daemon(unix=True, tcp=False) as daemon:
        result(FLAGS, "--to", f"unix:{daemon.unix_path}")
        with daemon.connect(unix=True) as client:
            assert client.ok("stats")["seq"] == 194


def test_limit(daemon):
    assert result(FLAGS, "--to", daemon.to, "--limit", 50)["metrics"]["total"]["n"] == 50
    assert daemon.ask("stats")["seq"] == 50


def test_shuffle_is_pythons(daemon):
    rows = streams.lines("flags")
    random.Random(1).shuffle(rows)
    _, digest = metrics_over_the_wire(rows)
    result(FLAGS, "--to", daemon.to, "--shuffle", 1)
    assert daemon.digest() == digest


def test_learning_curve(tmp_path):
    file = tmp_path / "curve.csv"
    final = result(streams.path("emotions"), "--csv", file)["metrics"]["total"]
    with open(file, newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) > 1
    seen = [int(row["n"]) for row in rows]
    assert seen == sorted(set(seen)) and seen[-1] == 593
    assert float(rows[-1]["total_micro_f1"]) == final["micro_f1"]


def test_a_learning_curve_that_cannot_be_written(tmp_path):
    done = harness.run_homer("replay", FLAGS, "--csv", tmp_path / "no" / "curve.csv")
    assert done.returncode == 1 and "curve.csv" in done.err


def test_a_bad_line_is_named(tmp_path):
    rows = streams.lines("flags")
    rows[9] = '{"x":{"landmass":3},"y":["red"]}'  # nominal so far
    done = harness.run_homer("replay", plain(tmp_path, rows))
    assert "stream.jsonl:10" in done.err and "bad_feature" in done.err, done.err
    rows[9] = '{"x":{"area":1},'
    done = harness.run_homer("replay", plain(tmp_path, rows))
    assert "stream.jsonl:10" in done.err and "bad_json" in done.err, done.err


def test_files_that_cannot_be_read(tmp_path):
    done = harness.run_homer("replay", tmp_path / "nothing.jsonl")
    assert done.returncode == 1 and "nothing.jsonl" in done.err
    torn = tmp_path / "torn.jsonl.zst"
    torn.write_bytes(FLAGS.read_bytes()[:1500])
    done = harness.run_homer("replay", torn)
    assert done.returncode == 1 and "torn.jsonl.zst" in done.err
    done = harness.run_homer("replay")
    assert done.returncode == 2


def test_unreachable_daemon():
    with harness.Daemon() as daemon:
        address = daemon.to
        daemon.stop()
    for command in (["replay", FLAGS], ["ping"], ["stats"], ["labels"], ["predict", "--text", "a"]):
        done = harness.run_homer(*command, "--to", address)
        assert done.returncode == 1 and address in done.err and "refused" in done.err, done.err
        assert done.out == ""


def endless(process, rows):
    """Feeds the process for ever, until it goes away."""
    block = "".join(row + "\n" for row in rows).encode()
    try:
        while True:
            process.stdin.write(block)
            process.stdin.flush()
            yield
    except (BrokenPipeError, ValueError):
        return


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_prints_what_there_is(sig, daemon):
    # a suite that runs in the background of a script inherits an ignored SIGINT, and homer respects that
    with subprocess.Popen([harness.HOMER, "replay", "-", "--to", daemon.to], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(sig, signal.SIG_DFL)) as process:
        blocks = endless(process, streams.lines("flags"))
        while daemon.ask("stats")["seq"] < 1000:
            next(blocks)
        process.send_signal(sig)
        process.stdin.close()
        out, err = process.stdout.read().decode(), process.stderr.read().decode()
        process.wait(harness.SAFETY_SECONDS)
    assert process.returncode == 128 + sig, err
    assert "majority" in out.lower() and "micro" in out.lower()
    assert not harness.sanitizer_reports(err)
    assert daemon.ask("ping")["ok"], "a daemon that was given is left alone"


def children_named_homerd(pid):
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as handle:
                name, rest = handle.read().split("(", 1)[1].rsplit(")", 1)
        except (OSError, IndexError):
            continue
        if name == "homerd" and int(rest.split()[1]) == pid:
            found.append(int(entry))
    return found


def test_interrupt_leaves_no_private_daemon():
    with subprocess.Popen([harness.HOMER, "replay", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        blocks = endless(process, streams.lines("flags")[:20])
        while not (started := children_named_homerd(process.pid)):
            next(blocks)
        process.send_signal(signal.SIGINT)
        process.stdin.close()
        process.stdout.read()
        process.wait(harness.SAFETY_SECONDS)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in started)


def test_the_daemon_dies_in_between(daemon):
    with subprocess.Popen([harness.HOMER, "replay", "-", "--to", daemon.to], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        blocks = endless(process, streams.lines("flags"))
        while daemon.ask("stats")["seq"] < 500:
            next(blocks)
        daemon.stop()
        for _ in blocks:
            pass
        err = process.stderr.read().decode()
        process.stdout.read()
        process.wait(harness.SAFETY_SECONDS)
    assert process.returncode == 1 and err
    assert not harness.sanitizer_reports(err)
