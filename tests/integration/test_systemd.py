"""Under a service manager: sockets that are passed in, news of the daemon's state, the shipped units. And what else concerns who the daemon runs as."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import harness
import pytest

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


class Manager:
    """A manager's end of the notifications."""

    def __init__(self, folder, abstract=False):
        name = f"@homer-test-{os.getpid()}" if abstract else str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0"))
        self.socket.settimeout(harness.SAFETY_SECONDS)
        self.environment = {"NOTIFY_SOCKET": name}

    def hear(self, *words):
        """Waits for a message with all of these lines in it."""
        while True:
            rows = self.socket.recv(4096).decode().split("\n")
            if set(words) <= set(rows):
                return rows


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_hears_of_start_and_stop(tmp_path, abstract):
    manager = Manager(tmp_path, abstract)
    with harness.Daemon(environment=manager.environment) as daemon:
        manager.hear("READY=1")
        daemon.ask("ping")
        daemon.process.send_signal(signal.SIGTERM)
        manager.hear("STOPPING=1")
        daemon.wait()


def test_the_watchdog_is_fed(tmp_path):
    manager = Manager(tmp_path)
    with harness.Daemon(environment={**manager.environment, "WATCHDOG_USEC": "50000"}):
        manager.hear("READY=1")
        for _ in range(3):
            manager.hear("WATCHDOG=1")


def listening(family, address):
    made = socket.socket(family, socket.SOCK_STREAM)
    made.bind(address)
    made.listen(16)
    return made


def test_sockets_are_taken_over(tmp_path):
    path = str(tmp_path / "passed.sock")
    tcp, unix = listening(socket.AF_INET, ("127.0.0.1", 0)), listening(socket.AF_UNIX, path)
    port = tcp.getsockname()[1]
    # who comes before the daemon is there waits
    early = harness.Client(("127.0.0.1", port))
    early.send("ping\n")
    # what the configuration lists is not opened beside them
    with harness.Daemon("--listen", "127.0.0.1:1", tcp=False, files=(tcp.fileno(), unix.fileno())) as daemon:
        assert daemon.ports["tcp"] == port
        assert f"127.0.0.1:{port}, unix:{path}" in daemon.stderr()
        assert early.reply()["ok"]
        early.socket.close()
        with harness.Client(path) as client:
            assert client.ok({"x": {"a": 1}, "y": ["p"]})["seq"] == 1
        with harness.Client(("127.0.0.1", port)) as client:
            assert client.ok("stats")["seq"] == 1
        daemon.stop()
    assert os.path.exists(path), "the socket is the manager's"
    late = harness.Client(("127.0.0.1", port))  # still open at the manager
    late.socket.close()
    tcp.close()
    unix.close()


def test_passed_sockets_are_checked(tmp_path):
    def refused(made, says, *more):
        command = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", harness.HOMERD, *more]
        done = subprocess.run([str(word) for word in command], capture_output=True, timeout=harness.SAFETY_SECONDS, pass_fds=(3,),
                              env={**os.environ, "LISTEN_FDS": "1"}, preexec_fn=lambda: harness.place((made.fileno(),)))
        made.close()
        assert done.returncode == 1 and says in done.stderr.decode(), done.stderr

    refused(listening(socket.AF_INET, ("0.0.0.0", 0)), "auth_token_file")
    idle = socket.socket()
    idle.bind(("127.0.0.1", 0))
    refused(idle, "no listening stream socket")
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagram.bind(("127.0.0.1", 0))
    refused(datagram, "no listening stream socket")
    with open(tmp_path / "file", "w") as file:
        refused(file, "no listening stream socket")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_shipped_units(tmp_path):
    for name in ("homerd.service", "homerd.socket"):
        text = (harness.ROOT / "configs" / name).read_text().replace("/usr/bin/homerd", str(harness.HOMERD))
        (tmp_path / name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", tmp_path / "homerd.service", tmp_path / "homerd.socket"], capture_output=True,
                          timeout=harness.SAFETY_SECONDS)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr.decode()


# ---- who it runs as ----


def status_of(pid, field):
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith(field + ":"):
            return row.split()[1:]
    raise AssertionError(field)


@root_only
def test_root_becomes_the_user(tmp_path):
    nobody = pwd.getpwnam("nobody")
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    token.chmod(0o600)
    with harness.Daemon("--set", "user=nobody", "--set", f"auth_token_file={token}", unix=True, owner=nobody.pw_uid) as daemon:
        assert status_of(daemon.pid, "Uid") == [str(nobody.pw_uid)] * 4
        assert status_of(daemon.pid, "Gid") == [str(nobody.pw_gid)] * 4
        assert "0" not in status_of(daemon.pid, "Groups")
        assert status_of(daemon.pid, "CapEff") == ["0" * 16]
        there = os.stat(daemon.unix_path)
        assert there.st_uid == nobody.pw_uid and there.st_mode & 0o777 == 0o600
        with daemon.connect(unix=True) as client:
            assert client.ok("auth 0123456789abcdef")
        # root's token cannot be read any more; the one it has stays
        daemon.process.send_signal(signal.SIGHUP)
        while "reload_failed" not in daemon.stderr():
            time.sleep(0.01)
        with daemon.connect() as client:
            assert client.ok("auth 0123456789abcdef")
    token.chmod(0o600)
    os.chown(token, nobody.pw_uid, -1)
    done = harness.run_homerd("--set", "user=nobody", "--set", f"auth_token_file={token}", "--check-config")
    assert done.returncode == 0, done.err


@root_only
def test_only_root_becomes_somebody():
    if subprocess.run(["setpriv", "--reuid=nobody", "--clear-groups", "test", "-x", harness.HOMERD]).returncode:
        pytest.skip("nobody cannot run what was built here")
    done = harness.finished(["setpriv", "--reuid=nobody", "--clear-groups", harness.HOMERD, "--listen", "127.0.0.1:0", "--set", "user=daemon"])
    assert done.returncode == 1 and "only root" in done.err, done.err


def test_unknown_users_are_refused():
    done = harness.run_homerd("--set", "user=no-such-user-here")
    assert done.returncode == 2 and "no-such-user-here" in done.err


def test_files_are_private(tmp_path):
    log = tmp_path / "log"
    with harness.Daemon("--set", f"log.file={log}") as daemon:
        daemon.ask("ping")
        assert daemon.port_file.stat().st_mode & 0o777 == 0o600
        assert log.stat().st_mode & 0o777 == 0o600


def test_no_request_names_a_path():
    """Nothing that a client sends becomes a file: whatever fields it gives, and however it calls models, nothing appears in the daemon's folder, or
    outside."""
    names = {"../escaped": False, "/tmp/homer-escaped": False, "a/b": False, "C:\\x": False, "file:///etc/passwd": False, "..": True, ".": True}
    with harness.Daemon() as daemon:
        before = sorted(os.listdir(daemon.folder))
        with daemon.connect() as client:
            verbs = client.ok("hello")["verbs"]
            for verb in verbs:
                if verb in ("quit", "auth"):
                    continue
                for field in ("path", "file", "dir", "folder", "data_dir", "output", "to"):
                    error = client.error({"op": verb, field: "/etc/passwd"})
                    assert error["code"] == "bad_request" and f'"{field}" is not a field of {verb}' in error["message"]
            for name, allowed in names.items():
                assert client.ask({"op": "model.create", "name": name})["ok"] is allowed
            for key in ("data_dir", "log", "unix", "auth_token_file", "tls", "user", "snapshot"):
                assert client.error({"op": "model.create", "name": "m", "config": {key: "/tmp/homer-escaped"}})["code"] == "bad_request"
        assert sorted(os.listdir(daemon.folder)) == before
    assert not os.path.exists("/tmp/homer-escaped") and not os.path.exists("/tmp/escaped")
