"""TLS on the TCP listeners: what is served through it, what is refused, and what a peer that misbehaves may cost."""
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import time

import harness
import pytest


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=harness.SAFETY_SECONDS)


def make_certificate(folder, name, host="localhost"):
    """A key and a certificate that vouches for itself; returns their paths."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
        "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1", "-keyout", key, "-out", cert)
    key.chmod(0o600)
    return cert, key


@pytest.fixture(scope="module")
def pems(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    return {name: make_certificate(folder, name) for name in ("one", "two")}


def secured(pems, *more, **options):
    cert, key = pems["one"]
    return harness.Daemon("--set", f"tls.cert={cert}", "--set", f"tls.key={key}", "--set", "log.level=debug", *more, **options)


@pytest.fixture
def daemon(pems):
    with secured(pems, unix=True) as running:
        yield running


def context(pems, name="one"):
    made = ssl.create_default_context(cafile=str(pems[name][0]))
    made.check_hostname = True
    return made


class Client(harness.Client):
    """The harness's client, inside TLS."""

    def __init__(self, address, using):
        super().__init__(address)
        self.socket = using.wrap_socket(self.socket, server_hostname="localhost")

    def half_close(self):
        raise NotImplementedError


def test_serves_the_protocol(daemon, pems):
    with Client(daemon.address, context(pems)) as client:
        assert client.socket.version() == "TLSv1.3"
        assert client.ok({"x": {"a": 1}, "y": ["p"]})["seq"] == 1
        client.send(b"ping\n" * 1000)
        assert all(reply["ok"] for reply in client.replies(1000))
        client.send({"op": "learn", "x": {"t": 1}, "y": [], "noreply": True})
        for byte in b"ping\nping\n":
            client.send(bytes([byte]))
        client.replies(2)
        long = {"op": "predict", "text": "word " * 100_000}
        assert client.ok(long)
        assert client.ask("quit")["bye"]
        assert client.rest() == []
    with daemon.connect(unix=True) as client:  # never inside TLS
        assert client.ok("stats")["seq"] == 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(daemon, pems, version):
    using = context(pems)
    using.minimum_version = using.maximum_version = version
    with Client(daemon.address, using) as client:
        client.ok("ping")


def test_old_versions_are_refused(daemon):
    done = subprocess.run(["openssl", "s_client", "-connect", daemon.to, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], input=b"", capture_output=True,
                          timeout=harness.SAFETY_SECONDS)
    assert done.returncode != 0
    wait_for(lambda: "tls_failed" in daemon.stderr())


def test_renegotiation_is_refused(daemon):
    # "R" on a line of its own asks s_client to renegotiate
    process = subprocess.Popen(["openssl", "s_client", "-connect", daemon.to, "-tls1_2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdin.write(b"ping\n")
    process.stdin.flush()
    seen = b""
    while b"pong" not in seen:
        seen += os.read(process.stdout.fileno(), 4096)
    out, _ = process.communicate(b"R\nping\n", timeout=harness.SAFETY_SECONDS)
    assert b"no renegotiation" in out or process.returncode != 0, out


def memory_session(daemon, pems):
    """TLS by hand: (socket, ssl object, what comes in, what goes out)."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context(pems).wrap_bio(incoming, outgoing, server_hostname="localhost")
    raw = socket.create_connection(daemon.address, harness.SAFETY_SECONDS)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw, session, incoming, outgoing


def converse(daemon, pems, data, notify, piece):
    """Sends data in packets of `piece` bytes, ends with or without saying so in TLS; returns the bytes that came, and whether the daemon ended TLS."""
    raw, session, incoming, outgoing = memory_session(daemon, pems)

    def push():
        out = outgoing.read()
        for at in range(0, len(out), piece):
            raw.sendall(out[at:at + piece])

    while True:
        try:
            session.do_handshake()
            break
        except ssl.SSLWantReadError:
            push()
            incoming.write(raw.recv(piece))
    session.write(data)
    push()
    if notify:
        with pytest.raises(ssl.SSLWantReadError):
            session.unwrap()
        push()
    raw.shutdown(socket.SHUT_WR)
    while chunk := raw.recv(4096):
        incoming.write(chunk)
    raw.close()
    received = b""
    while True:
        try:
            more = session.read(4096)
        except ssl.SSLWantReadError:
            return received, False
        except ssl.SSLZeroReturnError:
            return received, True
        if not more:
            return received, True
        received += more


@pytest.mark.parametrize("piece", [1, 7, 100_000])
@pytest.mark.parametrize("notify", [True, False])
def test_the_end_of_the_stream(daemon, pems, notify, piece):
    """A last line without newline counts when TLS says that nothing more comes; otherwise somebody may have cut the stream."""
    data = b"".join(b'{"op":"ping","id":%d}\n' % i for i in range(100)) + b'{"op":"ping","id":100}'
    received, ended = converse(daemon, pems, data, notify, piece)
    assert [json.loads(line)["id"] for line in received.splitlines()] == list(range(100 + notify))
    assert ended, "the daemon says so, too"


def wait_for(condition):
    deadline = time.monotonic() + harness.SAFETY_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_speaks_no_tls_is_closed_with_a_reason(daemon, pems):
    for data in (b"ping\n", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 1000, os.urandom(5000), b"\x16\x03\x01\xff\xff" + b"x" * 70_000):
        with daemon.connect() as plain:
            try:
                plain.send(data)
                while plain.socket.recv(4096):
                    pass
            except ConnectionError:
                pass
    wait_for(lambda: daemon.stderr().count("event=tls_failed reason=") >= 3)
    assert "http request" in daemon.stderr()
    with Client(daemon.address, context(pems)) as client:
        assert client.ok("stats")["connections"]["tls_failed"] == 5


def test_unfinished_handshakes_time_out_and_cost_little(pems):
    with secured(pems, "--set", "limits.line_timeout_ms=300", unix=True) as daemon, daemon.connect(unix=True) as watch:
        before = daemon.resident_bytes()
        silent = [daemon.connect() for _ in range(50)]
        halves = []
        for _ in range(50):
            raw, session, _, outgoing = memory_session(daemon, pems)
            with pytest.raises(ssl.SSLWantReadError):
                session.do_handshake()
            raw.sendall(outgoing.read()[:100])
            halves.append(raw)
        wait_for(lambda: watch.ok("stats")["connections"]["open"] == 1)
        assert watch.ok("stats")["connections"]["timed_out"] == 100
        assert daemon.resident_bytes() - before < (64 if harness.SANITIZED else 16) << 20
        for client in silent:
            client.socket.close()
        for raw in halves:
            raw.close()


def test_back_pressure_through_tls(daemon, pems):
    """Requests without reading: memory stays bounded, and then all is there, in order."""
    data = b"".join(b'{"op":"help","id":%d}\n' % i for i in range(300_000))
    with Client(daemon.address, context(pems)) as client, daemon.connect(unix=True) as watch:
        before, sent = daemon.resident_bytes(), 0
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):  # it is held back
            while sent < len(data):
                sent += client.socket.send(data[sent:sent + 65536])
        assert daemon.resident_bytes() - before < (64 if harness.SANITIZED else 16) << 20
        watch.ok("ping")
        client.socket.settimeout(harness.SAFETY_SECONDS)
        for i in range(min(data[:sent].count(b"\n"), 10_000)):
            assert client.raw_line().startswith(b'{"ok":true,"id":%d,' % i)


def test_resets_in_the_middle(daemon, pems):
    for i in range(10):
        client = Client(daemon.address, context(pems))
        client.send(b'{"op":"help"}\n' * 2000)
        if i % 2:
            client.replies(10)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
    with daemon.connect(unix=True) as watch:
        wait_for(lambda: watch.ok("stats")["connections"]["open"] == 1)


def test_refusals(pems):
    with secured(pems, "--set", "limits.max_connections=1") as daemon, Client(daemon.address, context(pems)) as client:
        client.ok("ping")
        with daemon.connect() as refused:
            assert refused.raw_line() is None
        client.ok("ping")


def test_sighup_changes_the_certificate(daemon, pems):
    cert, key = pems["one"]
    saved = cert.read_bytes(), key.read_bytes()

    def reload(word):
        seen = daemon.stderr().count(word)
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.stderr().count(word) > seen)

    try:
        with Client(daemon.address, context(pems)) as before:
            cert.write_bytes(pems["two"][0].read_bytes())
            reload("event=reload_failed")  # the key does not fit
            with Client(daemon.address, context_of(saved[0])) as client:
                client.ok("ping")
            key.write_bytes(pems["two"][1].read_bytes())
            reload("event=reloaded")
            before.ok("ping")
            with Client(daemon.address, context(pems, "two")) as client:
                client.ok("ping")
            with pytest.raises(ssl.SSLCertVerificationError):
                Client(daemon.address, context_of(saved[0]))
    finally:
        cert.write_bytes(saved[0])
        key.write_bytes(saved[1])


def context_of(pem):
    return ssl.create_default_context(cadata=pem.decode())


def test_files_are_checked_at_start(pems, tmp_path):
    cert, key = pems["one"]

    def refuses(*settings, says):
        for more in ((), ("--check-config",)):
            words = [word for setting in settings for word in ("--set", setting)]
            done = harness.run_homerd("--listen", "127.0.0.1:0", *words, *more)
            assert done.returncode == 2 and says in done.err, done.err

    refuses(f"tls.cert={cert}", says="cert and key")
    refuses(f"tls.cert={cert}", f"tls.key={pems['two'][1]}", says="does not fit")
    refuses(f"tls.cert={key}", f"tls.key={key}", says="no certificate")
    refuses(f"tls.cert={cert}", f"tls.key={cert}", says="chmod 600")
    refuses(f"tls.cert={tmp_path}/absent", f"tls.key={key}", says="absent")
    locked = tmp_path / "locked.key"
    run("openssl", "ec", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked)
    locked.chmod(0o600)
    refuses(f"tls.cert={cert}", f"tls.key={locked}", says="passphrase")
    assert harness.run_homerd("--set", f"tls.cert={cert}", "--set", f"tls.key={key}", "--check-config").returncode == 0


def test_the_tool(pems, tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123\n")
    token.chmod(0o600)
    with secured(pems, "--set", f"auth_token_file={token}") as daemon:
        ca = ["--ca", pems["one"][0], "--token-file", token]
        done = harness.run_homer("ping", "--to", daemon.to, "--tls", *ca)
        assert done.returncode == 0, done.err
        done = harness.run_homer("ping", "--to", f"tls://localhost:{daemon.ports['tcp']}", *ca)
        assert done.returncode == 0, done.err
        done = harness.run_homer("replay", "tests/streams/flags.jsonl.zst", "--to", f"tls://{daemon.to}", *ca)
        assert done.returncode == 0 and "n" in done.out, done.err
        done = harness.run_homer("ping", "--to", daemon.to, "--tls", "--ca", pems["two"][0])
        assert done.returncode == 1 and "cannot be trusted" in done.err and "--ca" in done.err
        done = harness.run_homer("ping", "--to", daemon.to, "--tls")
        assert done.returncode == 1 and "cannot be trusted" in done.err
        done = harness.run_homer("ping", "--to", daemon.to, "--token-file", token)
        assert done.returncode == 1
        done = harness.run_homer("ping", "--to", daemon.to, "--tls", "--ca", tmp_path / "absent")
        assert done.returncode == 2 and "absent" in done.err
    with harness.Daemon() as plain:
        done = harness.run_homer("ping", "--to", plain.to, "--tls", "--ca", pems["one"][0])
        assert done.returncode == 1 and "TLS" in done.err


def test_another_host_s_certificate_is_not_trusted(tmp_path):
    cert, key = make_certificate(tmp_path, "elsewhere")
    run("openssl", "req", "-x509", "-key", key, "-days", "2", "-subj", "/CN=elsewhere", "-addext", "subjectAltName=DNS:example.org", "-out", cert)
    with harness.Daemon("--set", f"tls.cert={cert}", "--set", f"tls.key={key}") as daemon:
        for host in ("127.0.0.1", "localhost"):
            done = harness.run_homer("ping", "--to", f"tls://{host}:{daemon.ports['tcp']}", "--ca", cert)
            assert done.returncode == 1 and "mismatch" in done.err, done.err
