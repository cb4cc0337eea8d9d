"""The generator of synthetic streams: deterministic, and its drifts change P(y|x) where they say, and only there."""
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import generate  # noqa: E402


def run(*args):
    return subprocess.run([sys.executable, HERE / "generate.py", *args], check=True, capture_output=True).stdout


def changed(stream, before, after, samples=400):
    """Share of instances whose true labelset differs between two places of the stream."""
    rng = random.Random(7)
    count = 0
    for _ in range(samples):
        x = {j: rng.gauss(0, 1) for j in range(stream.features)}
        count += stream.truth(before, x) != stream.truth(after, x)
    return count / samples


def test_same_arguments_same_bytes():
    args = ["--instances", "300", "--drift", "gradual", "--width", "100", "--density", "0.5"]
    assert run(*args) == run(*args)
    assert run(*args) != run(*args, "--seed", "2")


def test_lines_are_instances():
    rows = [json.loads(row) for row in run("--instances", "200", "--labels", "5", "--features", "7", "--late", "2").splitlines()]
    assert len(rows) == 200
    assert all(set(row) == {"x", "y"} and len(row["x"]) == 7 and len(set(row["y"])) == len(row["y"]) for row in rows)
    assert not {"l3", "l4"} & {label for row in rows[:100] for label in row["y"]}
    assert {"l3", "l4"} <= {label for row in rows[100:] for label in row["y"]}


def test_cardinality_is_as_asked():
    sizes = [len(y) for _, y in generate.Stream(instances=3000, cardinality=2.5, noise=0)]
    assert abs(statistics.mean(sizes) - 2.5) < 0.25


def test_correlation_brings_labels_of_a_group_together():
    def together(correlation):
        rows = [set(y) for _, y in generate.Stream(instances=2000, correlation=correlation, noise=0, labels=8)]
        both = sum(len({0, 1} & row) == 2 for row in rows)
        either = sum(len({0, 1} & row) > 0 for row in rows)
        return both / either
    assert together(0.95) > together(0.0) + 0.2


@pytest.mark.parametrize("kind", ["sudden", "gradual", "incremental", "recurring"])
def test_drift_changes_the_concept_where_it_says(kind):
    stream = generate.Stream(instances=4000, drift=kind, at=[1000, 3000], width=400, noise=0)
    assert changed(stream, 0, 700) == 0
    assert changed(stream, 700, 1300) > 0.3
    assert changed(stream, 1300, 2700) == 0
    assert changed(stream, 2700, 3300) > 0.3
    # only a recurring concept comes back
    assert (changed(stream, 0, 3300) == 0) == (kind == "recurring")


def test_no_drift_is_no_drift():
    assert changed(generate.Stream(instances=4000, drift="none", at=[1000]), 0, 3999) == 0


def test_incremental_drift_turns_in_small_steps():
    stream = generate.Stream(instances=4000, drift="incremental", at=[2000], width=1000, noise=0)
    total = changed(stream, 1499, 2501)
    assert changed(stream, 1990, 2010) < total / 4
    assert changed(stream, 1600, 2000) > 0


def test_gradual_drift_mixes_both_concepts():
    stream = generate.Stream(instances=4000, drift="gradual", at=[2000], width=1000, noise=0)
    rng = random.Random(3)
    old = new = 0
    for _ in range(300):
        x = {j: rng.gauss(0, 1) for j in range(stream.features)}
        before, after = stream.concept(0).labels(x), stream.concept(1).labels(x)
        if before != after:
            seen = stream.truth(2000, x)
            assert seen in (before, after)
            old, new = old + (seen == before), new + (seen == after)
    assert old > 50 and new > 50
