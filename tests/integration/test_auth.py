"""The token: who has not shown it gets nothing, and it is shown nowhere."""
import os
import signal
import subprocess
import time

import harness
import pytest

TOKEN = "correct-horse-battery-staple-42"
OTHER = "another-token-of-some-length-43"


@pytest.fixture
def token_file(tmp_path):
    return write_token(tmp_path / "token", TOKEN)


def write_token(file, token, mode=0o600):
    file.write_text(token + "\n")
    file.chmod(mode)
    return file


@pytest.fixture
def guarded(token_file):
    with harness.Daemon("--set", f"auth_token_file={token_file}", "--set", "log.level=debug", unix=True) as daemon:
        yield daemon
        assert TOKEN not in daemon.stderr() and OTHER not in daemon.stderr()


@pytest.mark.parametrize("unix", [False, True])
def test_nothing_is_answered_before_the_token(guarded, unix):
    with guarded.connect(unix) as client:
        for request in ("stats", "hello", "labels", {"x": {"a": 1}, "y": ["p"]}, {"x": {"a": 1}}, {"op": "model.drop", "name": "default"},
                        {"op": "batch", "items": [{"x": {"a": 1}, "y": ["p"]}]}, {"op": "config"}, {"op": "digest"}):
            assert client.error(request)["code"] == "denied"
        assert client.ok("ping") and client.ok("help")
        assert client.error({"op": "batch", "items": [{"op": "auth", "token": TOKEN}]})["code"] == "denied"
        assert client.error("stats")["code"] == "denied"
        assert client.ok({"op": "auth", "token": TOKEN, "id": 7})["id"] == 7
        assert client.ok("stats")["seq"] == 0
        assert client.ok({"x": {"a": 1}, "y": ["p"]})["seq"] == 1
    with guarded.connect(unix) as client:  # each connection for itself
        assert client.error("stats")["code"] == "denied"
        assert client.ok(f"auth {TOKEN}") and client.ok("stats")


def test_wrong_tokens_end_the_connection(guarded):
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "x" * 10_000):
        with guarded.connect() as client:
            for _ in range(2):
                error = client.error({"op": "auth", "token": wrong})
                assert error["code"] == "denied" and TOKEN not in error["message"]
            client.send({"op": "auth", "token": wrong})
            client.send({"op": "auth", "token": TOKEN})
            client.send("stats\n")
            replies = client.rest()
            assert [reply["error"]["code"] for reply in replies] == ["denied"], "the third is the last that is looked at"
    with guarded.connect() as client:  # a right one after a wrong one will do
        assert client.error("auth nonsense")["code"] == "denied"
        assert client.ok(f"auth {TOKEN}") and client.ok("stats")
    assert "mod=auth event=refused" in guarded.stderr()


def test_no_reply_and_no_listing_shows_the_token(guarded):
    with guarded.connect() as client:
        client.ok(f"auth {TOKEN}")
        client.send("auth\nauth a b\nconfig\nstats\nhelp\n" + '{"op":"auth","token":"%s","x":1}\n{"op":"auth","token":"%s"\n' % (TOKEN, TOKEN))
        for _ in range(7):
            assert TOKEN not in client.raw_line().decode()


def test_the_file_is_checked_at_start(tmp_path):
    def refuses(file, *says):
        for more in ((), ("--check-config",)):
            done = harness.run_homerd("--listen", "127.0.0.1:0", "--set", f"auth_token_file={file}", *more)
            assert done.returncode == 2
            for word in (*says, str(file)):
                assert word in done.err, done.err
            assert TOKEN not in done.err
    refuses(write_token(tmp_path / "open", TOKEN, 0o640), "chmod 600", "0640")
    refuses(write_token(tmp_path / "short", "too-short"), "16 to 512")
    refuses(write_token(tmp_path / "blank", TOKEN + " " + TOKEN), "blanks")
    refuses(tmp_path / "absent", "No such file")
    refuses(tmp_path, "regular file")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    refuses(fifo, "regular file")
    good = write_token(tmp_path / "good", TOKEN)
    assert harness.run_homerd("--set", f"auth_token_file={good}", "--check-config").returncode == 0


def test_other_machines_only_with_a_token(token_file):
    done = harness.run_homerd("--listen", "0.0.0.0:0")
    assert done.returncode == 2 and "0.0.0.0:0" in done.err and "auth_token_file" in done.err
    with harness.Daemon("--listen", "0.0.0.0:0", "--set", f"auth_token_file={token_file}", tcp=False) as daemon:
        assert "token_in_clear" in daemon.stderr()
        with daemon.connect() as client:
            assert client.error("stats")["code"] == "denied"


def test_sighup_reads_it_again(guarded, token_file):
    def reload(word):
        lines = guarded.stderr().count(word)
        guarded.process.send_signal(signal.SIGHUP)
        while guarded.stderr().count(word) == lines:
            time.sleep(0.005)
    with guarded.connect() as before:
        before.ok(f"auth {TOKEN}")
        write_token(token_file, OTHER)
        reload("event=reloaded")
        assert before.ok("stats"), "who was trusted stays so"
        with guarded.connect() as client:
            assert client.error(f"auth {TOKEN}")["code"] == "denied"
            assert client.ok(f"auth {OTHER}")
        token_file.chmod(0o644)
        reload("event=reload_failed")
        with guarded.connect() as client:
            assert client.ok(f"auth {OTHER}"), "a bad file changes nothing"


def test_the_tool(guarded, token_file, tmp_path):
    done = harness.run_homer("stats", "--to", guarded.to)
    assert done.returncode == 1 and "denied" in done.err and "--token-file" in done.err
    done = harness.run_homer("stats", "--to", guarded.to, "--token-file", token_file)
    assert done.returncode == 0, done.err
    done = harness.run_homer("learn", '{"x":{"a":1},"y":["p"]}', "--unix", guarded.unix_path, "--token-file", token_file)
    assert done.returncode == 0, done.err
    wrong = write_token(tmp_path / "wrong", OTHER)
    done = harness.run_homer("stats", "--to", guarded.to, "--token-file", wrong)
    assert done.returncode == 1 and "denied" in done.err and OTHER not in done.err
    done = harness.run_homer("stats", "--to", guarded.to, "--token-file", tmp_path / "absent")
    assert done.returncode == 2 and "absent" in done.err
    environment = {**os.environ, "HOMER_TOKEN_FILE": str(token_file)}
    done = subprocess.run([harness.HOMER, "shell", "--to", guarded.to], input=b"stats\n", capture_output=True, env=environment, timeout=harness.SAFETY_SECONDS)
    assert done.returncode == 0 and done.stdout.startswith(b'{"ok":true'), done
