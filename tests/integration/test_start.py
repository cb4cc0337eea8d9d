"""homerd's command line: what it refuses and says, and its exit codes: 0 ok, 1 failure, 2 wrong usage or configuration."""
import json
import os
import socket

import pytest

import harness


def refused(*args, says, status=2):
    done = harness.run_homerd(*args)
    assert done.returncode == status, (done.out, done.err)
    assert says in done.err, done.err
    return done


def test_help_and_version():
    done = harness.run_homerd("--help")
    assert done.returncode == 0
    for option in ("--config", "--listen", "--unix", "--port-file", "--set", "--check-config", "--version"):
        assert option in done.out
    done = harness.run_homerd("--version")
    assert done.returncode == 0 and done.out.startswith("homerd ")


def test_wrong_usage():
    refused("--colour", says="--colour")
    refused("word", says="word")
    refused("--set", says="--set")
    refused("--config", says="--config")


@pytest.mark.parametrize("setting,says", [
    ("colour=1", "colour"), ("model.colour=1", "model.colour"), ("limits.max_line=abc", "max_line"), ("limits.max_line=-1", "max_line"),
    ("limits.max_line=0", "max_line"), ("model.objective=luck", "objective"), ("model.seed=1.5", "seed"), ("model=3", "model"), ("novalue", "novalue"),
    ("=1", "="), ("model.objective=", "objective"), ("listen=nowhere", "nowhere"), ("model.learner=oracle", "learner"),
])
def test_settings_are_checked(setting, says):
    refused("--check-config", "--set", setting, says=says)
    refused("--set", setting, says=says)


def test_check_config_prints_the_effective_one(tmp_path):
    file = tmp_path / "c.json"
    file.write_text(json.dumps({"model": {"objective": "micro_f1", "window": 77}, "limits": {"max_line": 65536}}))
    done = harness.run_homerd("--config", file, "--set", "model.window=99", "--check-config")
    assert done.returncode == 0, done.err
    assert not (tmp_path / "port").exists()


@pytest.mark.parametrize("text,says", [
    ('{"colour":1}', "colour"), ('{"model":{"colour":1}}', "model.colour"), ('{"limits":{"max_line":"big"}}', "max_line"), ("{", "c.json"),
    ("[]", "c.json"), ('{"model":{"seed":1,"seed":2}}', "seed"), ('{"listen":5}', "listen"), ("", "c.json"), ('{"limits":[]}', "limits"),
])
def test_a_bad_file_is_refused_by_name(tmp_path, text, says):
    file = tmp_path / "c.json"
    file.write_text(text)
    refused("--check-config", "--config", file, says=says)


def test_an_absent_file(tmp_path):
    done = harness.run_homerd("--config", tmp_path / "nothing.json")
    assert done.returncode in (1, 2) and "nothing.json" in done.err


def test_the_shipped_configurations_are_right():
    files = sorted((harness.ROOT / "configs").glob("*.json"))
    assert files
    for file in files:
        done = harness.run_homerd("--config", file, "--check-config")
        assert done.returncode == 0, done.err


def test_settings_reach_the_daemon():
    config = {"model": {"objective": "micro_f1"}, "limits": {"max_line": 70000}}
    with harness.Daemon("--set", "model.objective=subset", config=config) as daemon:
        effective = daemon.ask("config")["config"]
        assert effective["model"]["objective"] == "subset" and effective["limits"]["max_line"] == 70000


def test_port_file():
    with harness.Daemon() as daemon:
        assert daemon.ports["pid"] == daemon.pid and daemon.ports["http"] is None
        assert 0 < daemon.ports["tcp"] < 65536
        assert daemon.ask("ping")["ok"]
        assert not [name for name in os.listdir(daemon.folder) if name not in ("port", "stderr")], "no temporary file stays"


def test_start_up_line_says_that_nothing_is_kept():
    with harness.Daemon() as daemon:
        text = daemon.stderr()
        assert "durab" in text or "memory" in text or "disk" in text, text


def test_port_in_use():
    with harness.Daemon() as daemon:
        done = refused("--listen", daemon.to, says=str(daemon.ports["tcp"]), status=1)
        assert "in use" in done.err
        assert daemon.ask("ping")["ok"]


def test_unix_socket_in_use_and_left_over(tmp_path):
    with harness.Daemon(unix=True, tcp=False) as daemon:
        refused("--unix", daemon.unix_path, says=daemon.unix_path, status=1)
        with daemon.connect(unix=True) as client:
            assert client.ok("ping")
    # a file that is no socket is never removed
    file = tmp_path / "precious"
    file.write_text("data")
    refused("--unix", file, says="precious", status=1)
    assert file.read_text() == "data"
    # the socket of a daemon that was killed is
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    with harness.Daemon("--unix", stale, tcp=False) as daemon:
        with harness.Client(str(stale)) as client:
            assert client.ok("ping")


@pytest.mark.parametrize("address", ["0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.org:7707"])
def test_only_loopback(address):
    """There is no authentication in this version: other machines must not reach it."""
    done = harness.run_homerd("--listen", address)
    assert done.returncode in (1, 2) and address.rsplit(":", 1)[0].strip("[]") in done.err


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", ":7707:", ""])
def test_malformed_addresses(address):
    assert harness.run_homerd("--listen", address).returncode == 2


@pytest.mark.parametrize("option", [["--http", "127.0.0.1:0"], ["--set", "http=127.0.0.1:0"]])
def test_what_this_version_lacks_is_refused(option):
    """Better no start than a promise that is not kept."""
    done = harness.run_homerd("--listen", "127.0.0.1:0", *option)
    assert done.returncode == 2 and "http" in done.err


def test_a_port_file_that_cannot_be_written(tmp_path):
    done = harness.run_homerd("--listen", "127.0.0.1:0", "--port-file", tmp_path / "no" / "folder")
    assert done.returncode == 1 and "folder" in done.err
