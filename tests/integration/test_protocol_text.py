"""The examples of proto/PROTOCOL.md are what the daemon does. In a code block, `> ` begins a request and `< ` its reply, `…` in a reply stands for
anything; each block runs in order on one connection of a daemon that has just started."""
import re

import pytest

import harness

TEXT = harness.ROOT / "proto" / "PROTOCOL.md"


def blocks():
    """(line number, [(">" or "<", text)]) of each code block that holds an exchange."""
    found, current = [], None
    for number, row in enumerate(TEXT.read_text().splitlines() if TEXT.exists() else [], 1):
        if row.startswith("```"):
            current = None if current is not None else (number, [])
        elif current is not None and row[:2] in ("> ", "< "):
            if not current[1]:
                found.append(current)
            current[1].append((row[0], row[2:]))
    return found


def test_there_are_examples():
    assert len(blocks()) >= 5


@pytest.mark.parametrize("number,exchange", blocks(), ids=lambda value: f"line{value}" if isinstance(value, int) else "")
def test_example(number, exchange):
    with harness.Daemon() as daemon, daemon.connect() as client:
        for mark, text in exchange:
            if mark == ">":
                client.send(text + "\n")
            else:
                got = client.raw_line()
                assert got is not None, f"no reply where the text has: {text}"
                pattern = ".*".join(re.escape(part) for part in text.split("…"))
                assert re.fullmatch(pattern, got.decode(), re.S), f"line {number}\n text: {text}\n real: {got.decode()}"
        client.half_close()
        assert client.rest() == [], "replies that the text does not show"
