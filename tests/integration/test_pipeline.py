"""Requests that are parsed ahead: nobody can tell from what is learned."""
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
