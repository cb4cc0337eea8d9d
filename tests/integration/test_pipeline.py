"""Requests that are parsed ahead, batches that let others pass: nobody can tell from what is learned."""
import itertools
import json

import pytest

import harness
import streams

STREAM = b"".join(streams.as_lines(streams.recorded(name, limit), op="test")
                  for name, limit in (("yeast", 300), ("medical", 300), ("arxiv_titles_10k", 1000), ("emotions", 100), ("flags", None)))


@pytest.mark.parametrize("sizes", [[1 << 16], [7, 20000, 1, 333, 4096]], ids=["whole", "odd"])
def test_a_decoding_thread_changes_nothing(sizes):
    rows = STREAM.split(b"\n")[:-1]
    spoilt = (b"{bad\n", b'{"x":{"unknown":1}}\n', b'{"op":"fly"}\n', b"\n", b'{"x":{"a":"' + b"l" * 2000000 + b'"}}\n')
    data = b"".join(row + b"\n" + (spoilt[i // 400 % 5] if i % 400 == 50 else b"") for i, row in enumerate(rows)) + b'{"op":"digest"}\n'
    with harness.Daemon("--set", "decode_threads=0") as none, harness.Daemon("--set", "decode_threads=1") as one:
        replies = harness.feed(none.address, data, sizes)
        assert sum(reply["ok"] for reply in replies) > len(rows)
        assert replies == harness.feed(one.address, data, sizes)
        assert none.ask("stats")["parsed_ahead"] == 0


def batch(rows, **fields):
    return json.dumps({"op": "batch", "items": rows, **fields}).encode() + b"\n"


def test_others_pass_a_batch():
    """Between two batches the number of instances is a multiple of theirs; whoever sees another one was answered in the middle of a batch."""
    size = 400
    rows = [{**row, "noreply": True} for row in itertools.islice(itertools.cycle(streams.recorded("medical", 200)), size)]
    with harness.Daemon() as daemon, daemon.connect() as client, daemon.connect() as other:
        for sent in range(1, 51):
            client.send(batch(rows))
            seen = set()
            while max(seen, default=0) < sent * size:
                seen.add(other.ok("stats")["seq"])
            assert client.reply() == {"ok": True, "replies": []}
            if any(seq % size for seq in seen):
                break
        else:
            pytest.fail("50 batches, and never an answer in the middle of one")


def test_interrupted_batches_learn_in_their_order():
    """Alone, whatever its turns are, a batch is what its items would be one by one."""
    rows = streams.recorded("yeast", 300)
    digests = []
    for options in ([], ["--set", "limits.round_us=1"], ["--set", "limits.round_us=1000000", "--set", "decode_threads=0"]):
        with harness.Daemon(*options) as daemon, daemon.connect() as client:
            client.send(batch(rows, id=1) + b'{"op":"ping","id":2}\n')
            first, second = client.replies(2)
            assert [reply["seq"] for reply in first["replies"]] == list(range(1, len(rows) + 1))
            assert second == {"ok": True, "id": 2, "pong": True}
            digests.append(daemon.digest())
    with harness.Daemon() as daemon:
        harness.feed(daemon.address, streams.as_lines(rows), [1 << 16])
        digests.append(daemon.digest())
    assert len(set(digests)) == 1


@pytest.mark.parametrize("durability", ["always", "interval"])
def test_an_interrupted_batch_is_kept(durability, tmp_path):
    """What a batch acknowledged is there after a kill, and the daemon may be stopped in the middle of one."""
    rows = streams.recorded("medical", 200)
    options = ["--data-dir", tmp_path / "data", "--set", f"durability={durability}", "--set", "limits.round_us=1"]
    with harness.Daemon(*options) as daemon, daemon.connect() as client:
        client.send(batch(rows))
        assert [reply["seq"] for reply in client.reply()["replies"]] == list(range(1, 201))
        if durability == "always":
            daemon.kill()
        else:
            client.send(batch(rows))
            with daemon.connect() as other:
                while other.ok("stats")["seq"] <= 200:
                    pass
            daemon.stop()
            assert client.reply()["replies"][-1]["seq"] == 400
    with harness.Daemon(*options) as daemon:
        assert daemon.digest()[1] == (200 if durability == "always" else 400)
