"""Makes tests/lib importable; a daemon for tests that need nothing special about it."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import harness  # noqa: E402


@pytest.fixture
def daemon():
    with harness.Daemon() as running:
        yield running


@pytest.fixture
def client(daemon):
    with daemon.connect() as connection:
        yield connection
