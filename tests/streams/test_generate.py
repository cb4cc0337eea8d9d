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


def test_cluster_drift_changes_one_group_and_no_share():
    stream = generate.Stream(instances=9000, labels=12, group=4, drift="cluster", at=[3000, 6000], noise=0, cardinality=4)
    rng = random.Random(5)
    moved = [set(), set()]
    shares = [[0] * 12 for _ in range(3)]
    for _ in range(2000):
        x = {j: rng.gauss(0, 1) for j in range(stream.features)}
        seen = [set(stream.truth(n, x)) for n in (2999, 3000, 6000)]
        for i in range(2):
            moved[i] |= seen[i] ^ seen[i + 1]
        for share, labels in zip(shares, seen):
            for label in labels:
                share[label] += 1 / 2000
    assert moved == [set(range(4)), set(range(4, 8))]
    assert all(abs(a - c) < 0.06 for a, c in zip(shares[0], shares[2]))
    assert stream.membership(0) == stream.membership(8999) == [0] * 4 + [1] * 4 + [2] * 4


def test_structure_drift_deals_the_groups_anew_and_keeps_every_label():
    stream = generate.Stream(instances=12000, labels=12, group=4, drift="structure", correlation=0.7, noise=0, cardinality=3)
    pairs = [(a, b) for a in range(12) for b in range(a)]
    count, both = [[0] * 12, [0] * 12], [dict.fromkeys(pairs, 0), dict.fromkeys(pairs, 0)]
    agree = [[0] * 12, [0] * 12]  # with the label's own half-space
    for n, (x, labels) in enumerate(stream):
        half, held = n >= 6000, set(labels)
        own = set(stream.concepts[0].labels(x))
        for label in range(12):
            count[half][label] += label in held
            agree[half][label] += (label in held) == (label in own)
        for a, b in pairs:
            both[half][a, b] += a in held and b in held
    assert all(abs(a - b) < 240 for a, b in zip(*count))  # of 6,000: four standard deviations and more
    assert all(abs(a - b) < 240 for a, b in zip(*agree))
    for half, n in ((0, 0), (1, 11999)):
        group = stream.membership(n)
        assert sorted(group) == [0] * 4 + [1] * 4 + [2] * 4
        jaccard = {(a, b): both[half][a, b] / (count[half][a] + count[half][b] - both[half][a, b]) for a, b in pairs}
        inside = [j for (a, b), j in jaccard.items() if group[a] == group[b]]
        outside = [j for (a, b), j in jaccard.items() if group[a] != group[b]]
        assert statistics.mean(inside) > 2 * statistics.mean(outside)
    assert stream.membership(0) != stream.membership(11999)


@pytest.mark.parametrize("kind", ["cluster", "structure"])
def test_group_drifts_are_the_same_every_time(kind):
    args = ["--instances", "200", "--drift", kind, "--at", "50,100", "--labels", "9", "--group", "3", "--density", "0.2"]
    assert run(*args) == run(*args)
    assert run(*args) != run(*args, "--seed", "2")


@pytest.mark.parametrize("kind", ["sudden", "gradual", "recurring", "cluster"])
def test_tree_concepts_drift_where_they_say(kind):
    stream = generate.Stream(instances=4000, drift=kind, at=[1000, 3000], width=400, noise=0, concept="tree", labels=12, group=6)
    assert changed(stream, 0, 700) == 0
    assert changed(stream, 700, 1300) > 0.3
    assert changed(stream, 1300, 2700) == 0
    assert (changed(stream, 0, 3300) == 0) == (kind == "recurring")


def test_one_group_of_tree_concepts_changes():
    stream = generate.Stream(instances=4000, drift="cluster", at=[2000], noise=0, concept="tree", labels=12, group=6)
    rng = random.Random(3)
    for _ in range(300):
        x = {j: rng.gauss(0, 1) for j in range(stream.features)}
        before, after = stream.truth(0, x), stream.truth(3999, x)
        assert {label for label in before if label >= 6} == {label for label in after if label >= 6}


def test_tree_concepts_have_as_many_labels_as_asked():
    sizes = [len(y) for _, y in generate.Stream(instances=3000, cardinality=5, noise=0, concept="tree", labels=24, group=6, depth=6)]
    assert abs(statistics.mean(sizes) - 5) < 1


def test_tree_concepts_do_not_turn():
    for kind in ("incremental", "structure"):
        assert subprocess.run([sys.executable, HERE / "generate.py", "--concept", "tree", "--drift", kind], capture_output=True).returncode == 2
