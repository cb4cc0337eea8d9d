"""homer's other sub-commands against a running daemon."""
import json

import pytest

import harness


def homer(daemon, *args, data=None, status=0):
    done = harness.run_homer(*args, "--to", daemon.to, data=data)
    assert done.returncode == status, (done.out, done.err)
    return done


def test_help():
    done = harness.run_homer("--help")
    assert done.returncode == 0
    for command in ("replay", "ping", "stats", "labels", "predict", "learn", "bench", "shell"):
        assert command in done.out
        own = harness.run_homer(command, "--help")
        assert own.returncode == 0 and command in own.out
    done = harness.run_homer("--version")
    assert done.returncode == 0 and done.out.startswith("homer ")


@pytest.mark.parametrize("args", [[], ["fly"], ["ping", "--colour"], ["replay", "--limit", "x"], ["predict", "--to"]])
def test_wrong_usage(args):
    done = harness.run_homer(*args)
    assert done.returncode == 2 and done.err and not done.out


def test_a_near_miss_is_suggested():
    assert "replay" in harness.run_homer("repaly").err


def test_ping(daemon):
    assert homer(daemon, "ping").out


def test_learn_and_predict(daemon):
    for _ in range(20):
        homer(daemon, "learn", "-", data=b'{"text":"green grass","y":["meadow"]}\n{"text":"blue water","y":["lake"]}\n')
    assert daemon.ask("stats")["seq"] == 40
    assert "meadow" in homer(daemon, "predict", "--text", "green grass").out
    assert "lake" in homer(daemon, "predict", data=b'{"text":"blue water"}\n').out
    reply = json.loads(homer(daemon, "predict", "--json", "--text", "blue water").out)
    assert reply["ok"] and reply["labels"] == ["lake"]


def test_stats_and_labels(daemon):
    daemon.ask({"x": {"a": 1}, "y": ["sky"]})
    assert "1" in homer(daemon, "stats").out
    assert json.loads(homer(daemon, "stats", "--json").out)["seq"] == 1
    assert "sky" in homer(daemon, "labels").out


def test_an_error_of_the_daemon_is_an_error_of_the_tool(daemon):
    done = homer(daemon, "learn", "-", data=b'{"x":{"":1},"y":["p"]}\n', status=1)
    assert "bad_feature" in done.err


def test_a_hostile_label_does_no_harm_to_a_terminal(daemon):
    daemon.ask({"x": {"a": 1}, "y": ["\u001b[31mred\u0007"]})
    for command in (["labels"], ["predict", "--text", "x"]):
        assert b"\x1b" not in homer(daemon, *command).stdout and b"\x07" not in homer(daemon, *command).stdout


def test_shell_takes_a_pipe(daemon):
    out = homer(daemon, "shell", data=b'ping\n{"x":{"a":1},"y":["p"]}\nstats\n').out
    assert '"seq":1' in out.replace(" ", "")
