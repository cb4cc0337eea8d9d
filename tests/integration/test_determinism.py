"""The same accepted sequence gives the same model, whatever machine, build, packet boundary or company."""
import os

import pytest

import harness
import streams

STREAM = streams.as_lines(streams.recorded("emotions", 300), op="test") + streams.as_lines(streams.recorded("arxiv_titles_10k", 300), op="test")


def run(daemon):
    replies = harness.feed(daemon.address, STREAM + b'{"op":"digest"}\n', [1 << 15])
    assert all(reply["ok"] for reply in replies)
    return replies


def test_three_daemons_side_by_side():
    with harness.Daemon() as one, harness.Daemon() as two, harness.Daemon() as three:
        assert run(one) == run(two) == run(three)


def test_another_compiler_gives_the_same_bits():
    other = os.environ.get("HOMER_OTHER_BUILD")
    if not other:
        pytest.skip("only one build")
    with harness.Daemon() as one, harness.Daemon(build=harness.ROOT / other) as two:
        assert run(one) == run(two)


def test_bad_requests_predictions_and_others_leave_no_trace():
    rows = STREAM.split(b"\n")[:-1]
    mixed = b""
    for i, row in enumerate(rows):
        mixed += row + b"\n"
        mixed += (b"{bad\n", b'{"x":{"unknown":1}}\n', b'{"x":{"a":"b"},"y":[""]}\n', b"stats\n", b'{"text":"nobody said this","y":[3]}\n')[i % 5]
    with harness.Daemon() as one, harness.Daemon() as two:
        harness.feed(one.address, STREAM, [1 << 15])
        with two.connect() as client:
            client.ok({"op": "model.create", "name": "beside"})
            client.ok({"x": {"a": 1}, "y": ["b"], "model": "beside"})
        harness.feed(two.address, mixed, [1 << 15])
        assert one.digest() == two.digest()


def test_the_digest_tells_models_apart():
    with harness.Daemon() as daemon, daemon.connect() as client:
        seen = set()
        for request in ({"x": {"a": 1}, "y": ["p"]}, {"x": {"a": 1}, "y": ["p"]}, {"x": {"a": 2}, "y": []}, {"x": {}, "y": {"p": False}}):
            client.ok(request)
            seen.add(client.ok("digest")["digest"])
        assert len(seen) == 4
