"""SIGTERM and SIGINT: what was read is answered, then exit 0."""
import os
import signal
import threading

import pytest

import harness
import streams


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_idle(sig):
    with harness.Daemon(unix=True) as daemon:
        with daemon.connect() as client:
            client.ok("ping")
            daemon.process.send_signal(sig)
            assert client.rest() == []
        daemon.wait()
        assert not os.path.exists(daemon.unix_path), "the socket's file is removed"


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_in_mid_stream(sig):
    """Replies arrive for a prefix of the requests: in order, complete, and exactly as many as were learned."""
    rows = streams.recorded("emotions")
    data = streams.as_lines(rows * 40, op="learn")
    with harness.Daemon() as daemon:
        with daemon.connect() as client:
            def send():
                try:
                    client.send(data)
                except OSError:
                    pass  # the daemon stopped reading for good
            sender = threading.Thread(target=send)
            sender.start()
            seen = client.replies(200)
            daemon.process.send_signal(sig)
            seen += client.rest()
            sender.join()
        daemon.wait()
    assert [reply.get("seq") for reply in seen] == list(range(1, len(seen) + 1))


def test_everything_that_was_sent_before_is_answered():
    """A connection whose requests have all reached the daemon gets every reply, even when it reads none until after the signal."""
    with harness.Daemon() as daemon:
        with daemon.connect() as client, daemon.connect() as witness:
            client.send(streams.as_lines(streams.recorded("flags"), op="test"))
            while witness.ok("stats")["seq"] < 194:
                pass
            daemon.process.send_signal(signal.SIGTERM)
            assert [reply["seq"] for reply in client.rest()] == list(range(1, 195))
        daemon.wait()


def test_a_client_that_reads_nothing_does_not_hold_up_the_exit():
    with harness.Daemon("--set", "limits.shutdown_ms=300") as daemon:
        with daemon.connect() as client:
            client.socket.settimeout(0.5)
            try:
                client.send(b'{"op":"help"}\n' * 200_000)
            except OSError:
                pass  # back-pressure, as it should be
            daemon.process.send_signal(signal.SIGTERM)
            daemon.wait()


def test_twice_the_signal():
    with harness.Daemon() as daemon:
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait()


def test_no_new_connection_is_taken():
    with harness.Daemon() as daemon:
        address = daemon.address
        daemon.stop()
        with pytest.raises(OSError):
            harness.Client(address)
