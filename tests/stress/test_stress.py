"""Short forms of what `./dev stress` does at length; seeds are new in every run and part of what a failure says."""
import random

import pytest

import flips
import harness
import kills
import sequences
import soak
import speed


def new_seed():
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    return seed


@pytest.mark.parametrize("durability, times", [("always", 20), ("interval", 3), ("none", 3)])
def test_kills_lose_and_repeat_nothing(tmp_path, durability, times):
    done = kills.Kills(tmp_path / "data", new_seed(), durability).run(times, longest=0.15)
    print(done)
    assert durability != "always" or (done["instances"] > 100 and done["snapshots"] > 5)


def test_a_flipped_bit_gives_no_wrong_model(tmp_path):
    flips.make(tmp_path / "data")
    found = flips.run(tmp_path / "data", 500, new_seed())
    print(found)
    assert sum(found.values()) == 500
    assert sum(n for (kind, outcome), n in found.items() if outcome.startswith("refused")) > 5


def test_random_requests_are_answered_as_the_model_says(tmp_path):
    seed = new_seed()
    for i in range(2):
        done = sequences.Sequence(tmp_path / str(i), seed + i).run(4)
        assert done["requests"] > 500 and done["instances"] > 50


def test_group_commit(tmp_path):
    """`always` is not far behind `none` where many requests are in flight."""
    for attempt in range(3):  # a machine that is busy with something else shows by being slow once
        folder = tmp_path / str(attempt)
        folder.mkdir()
        always, none, ratio, sync = speed.commit(folder, 2048, seconds=0.3, rounds=3)
        print(f"always {always:.0f}/s, none {none:.0f}/s, fdatasync {sync:.2f} ms")
        if ratio >= (0.1 if harness.SANITIZED else 0.3):
            return
    assert False, f"always : none was {ratio:.2f} the third time"


def test_memory_does_not_grow(tmp_path):
    samples, _ = soak.run(tmp_path / "data", blocks=500)
    print(samples)
    slack = 2  # MiB: memory comes and goes by one
    assert samples[9] < samples[4] * (1.5 if harness.SANITIZED else 1.15) + slack
