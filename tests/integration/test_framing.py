"""Bytes to lines to replies: packet boundaries mean nothing, replies come in request order, one for each request."""
import json
import shutil
import socket
import subprocess

import pytest

import harness
import streams


def test_one_byte_at_a_time(client):
    for byte in b'{"op":"learn","x":{"a":1},"y":["p"],"id":1}\n{"op":"ping","id":2}\n':
        client.send(bytes([byte]))
    first, second = client.replies(2)
    assert (first["ok"], first["id"], first["seq"]) == (True, 1, 1)
    assert (second["ok"], second["id"]) == (True, 2)


def test_a_line_in_two_parts_waits_for_its_end(client):
    client.send(b'{"op":"pi')
    client.send(b'ng","id":"later"')
    client.socket.settimeout(0.05)
    with pytest.raises(socket.timeout):
        client.socket.recv(1)
    client.socket.settimeout(harness.SAFETY_SECONDS)
    client.send(b"}\n")
    assert client.reply()["id"] == "later"


def test_a_character_cut_in_two(client):
    line = '{"op":"learn","x":{"größe":1},"y":["日本"]}\n'.encode()
    cut = line.index("日".encode()) + 1
    client.send(line[:cut])
    client.send(line[cut:])
    assert client.reply()["ok"]
    assert client.ok({"op": "labels"})["labels"][0]["name"] == "日本"


def test_many_lines_in_one_packet(client):
    client.send(b"".join(b'{"op":"ping","id":%d}\n' % i for i in range(500)))
    assert [reply["id"] for reply in client.replies(500)] == list(range(500))


def test_line_ends_and_blank_lines(client):
    client.send(b'\n\r\n   \n{"op":"ping","id":1}\r\n\n{"op":"ping","id":2}\n')
    assert [reply["id"] for reply in client.replies(2)] == [1, 2]


def test_last_line_without_newline_is_answered(daemon):
    with daemon.connect() as client:
        client.send(b'{"op":"ping","id":1}\n{"op":"ping","id":2}')
        client.half_close()
        assert [reply["id"] for reply in client.rest()] == [1, 2]


def test_quit_answers_then_closes(client):
    client.send(b'{"op":"ping","id":1}\nquit\n{"op":"ping","id":3}\n')
    replies = client.rest()
    assert replies[0]["id"] == 1 and replies[-1]["ok"] and len(replies) == 2


def test_pipelining_of_ten_thousand(daemon):
    count = 10000
    rows = streams.synthetic(instances=count, features=4, labels=3)
    data = b"".join(json.dumps({"op": ("learn", "test", "predict")[i % 3], "id": i, "x": row["x"], **({} if i % 3 == 2 else {"y": row["y"]})})
                    .encode() + b"\n" for i, row in enumerate(rows))
    replies = harness.feed(daemon.address, data, [1 << 16])
    assert [reply["id"] for reply in replies] == list(range(count))
    assert all(reply["ok"] for reply in replies)
    learned = [reply["seq"] for reply in replies if reply["id"] % 3 != 2]
    assert learned == list(range(1, len(learned) + 1))


def test_packet_sizes_do_not_matter():
    data = streams.as_lines(streams.recorded("flags"), op="test") + b'{"op":"digest"}\n{bad\n{"op":"stats"'
    results = []
    for sizes in ([len(data)], [1000], [1, 2, 3, 500], [7]):
        with harness.Daemon() as daemon:
            results.append(harness.feed(daemon.address, data, sizes))
    assert results[0] == results[1] == results[2] == results[3]
    assert results[0][-3]["ok"] and [reply["ok"] for reply in results[0][-2:]] == [False, False]


def test_id_is_echoed_as_it_is(client):
    for value in (0, -5, 2**53 + 1, 9223372036854775807, "", "a\"b\\c\n", "ü", "\u0001"):
        assert client.ok({"op": "ping", "id": value})["id"] == value
    assert "id" not in client.ok({"op": "ping"})
    for value in (1.5, True, None, [], {}):
        assert client.error({"op": "ping", "id": value})["code"] == "bad_request"
    assert client.ask({"op": "fly", "id": 9})["id"] == 9
    assert client.ask({"op": "learn", "id": "x"})["id"] == "x"


def test_shorthand(client):
    assert client.ok({"x": {"a": 1}, "y": ["p"]})["seq"] == 1
    assert client.ok({"text": "blue sky", "y": ["p"]})["seq"] == 2
    assert "labels" in client.ok({"x": {"a": 1}})
    assert "labels" in client.ok({"text": "blue"})
    assert client.error({"y": ["p"]})["code"] == "bad_request"
    assert client.error({})["code"] == "bad_request"


def test_bare_words(client):
    client.ok({"x": {"a": 1}, "y": ["p"]})
    assert client.ok("ping")
    assert client.ok("stats")["seq"] == 1
    assert client.ok("labels")["labels"][0]["name"] == "p"
    assert client.ok("help")
    assert client.ok("  ping  ")
    assert client.error("fly")["code"] == "unknown_op"
    assert client.error("[1,2]")["code"] in ("bad_json", "unknown_op")


@pytest.mark.parametrize("word", ["ping", "stats", "labels", "help"])
def test_nc(daemon, word):
    nc = shutil.which("nc")
    if not nc:
        pytest.skip("no nc")
    done = subprocess.run([nc, "-N", "127.0.0.1", str(daemon.ports["tcp"])], input=word.encode() + b"\n", capture_output=True,
                          timeout=harness.SAFETY_SECONDS)
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True and done.stdout.count(b"\n") == 1


def test_unix_socket():
    with harness.Daemon(unix=True) as daemon:
        with daemon.connect(unix=True) as client:
            assert client.ok({"x": {"a": 1}, "y": ["p"]})["seq"] == 1
        assert daemon.ask("stats")["seq"] == 1
    with harness.Daemon(unix=True, tcp=False) as daemon:
        assert daemon.ports["tcp"] is None
        with daemon.connect(unix=True) as client:
            assert client.ok("ping")


def test_noreply_keeps_the_order(client):
    client.send(b"".join(b'{"op":"learn","x":{"a":%d},"y":["p"],"noreply":true}\n' % i for i in range(100)))
    client.send(b'{"op":"learn","x":{"a":"text"},"y":["p"],"noreply":true,"id":"bad"}\n')
    client.send(b'{"op":"stats","id":"end"}\n')
    failed, stats = client.replies(2)
    assert (failed["ok"], failed["id"], failed["error"]["code"]) == (False, "bad", "bad_feature")
    assert (stats["id"], stats["seq"]) == ("end", 100)
