"""A model that turns sparse as its labels become many, on the real daemon: predictions, hierarchy, restart, rates of the measuring script."""
import json
import sys

import pytest

import harness
import streams  # noqa: F401  (puts tests/streams on the path)
import many_labels

sys.path.insert(0, str(harness.ROOT / "tests" / "bench"))
import xmc  # noqa: E402

ROWS = [json.loads(line) for line in many_labels.lines(600, 900, 700)]
SETTINGS = ["--set", "model.dense_labels=200"]


def test_the_stream_is_the_same_each_time():
    assert list(many_labels.lines(600, 200, 50)) == list(many_labels.lines(600, 200, 50)) != list(many_labels.lines(600, 200, 50, 4))
    for x, y in many_labels.Stream(4000, 6000, 200):
        assert 1 <= len(y) <= 5 and y == sorted(set(y)) and y[-1] < 4000
        assert 0 < len(x) <= 15 + 12 * len(y) and max(x) < 6000 and min(x.values()) > 0


def learn(client, rows):
    for row in rows:
        client.send({"op": "learn", "noreply": True, **row})


@pytest.fixture(scope="module")
def taught():
    with harness.Daemon(*SETTINGS) as daemon, daemon.connect() as client:
        assert client.ok("stats")["storage"] == "dense"
        learn(client, ROWS)
        stats = client.ok("stats")
        assert stats["storage"] == "sparse" and stats["labels"] > 400
        yield daemon


def test_scores_are_those_of_few_labels(taught):
    stats, right = taught.ask("stats"), 0
    for row in ROWS[-100:]:
        reply = taught.ask({"x": row["x"], "scores": "all"})
        scores = reply["scores"]
        best = sorted(scores, key=scores.get, reverse=True)
        assert 16 <= len(scores) <= 256 < stats["labels"]
        assert all(0 <= p <= 1 for p in scores.values())
        assert set(reply["labels"]) <= set(scores)
        few = taught.ask({"x": row["x"], "scores": "top:5"})["scores"]
        assert few == {label: scores[label] for label in few} and min(few.values()) == scores[best[4]]
        assert 16 <= len(taught.ask({"x": row["x"], "k": 600, "scores": False})["labels"]) <= 256
        right += best[0] in row["y"]
    assert right > 80  # these it has learned


def test_the_hierarchy_still_parts_the_labels(taught):
    def leaves(node):
        return [label for child in node["children"] for label in leaves(child)] if "children" in node else node["labels"]
    found, known = leaves(taught.ask("hierarchy")["hierarchy"]), {row["name"] for row in taught.ask({"op": "labels", "limit": 1000})["labels"]}
    assert len(found) == len(set(found)) and set(found) <= known
    assert len(known) * 15 / 16 - 1 <= len(found)  # others join soon


@pytest.mark.parametrize("snapshot_at", (20, 300))  # while it is dense, and afterwards
def test_a_restart_changes_nothing(tmp_path, taught, snapshot_at):
    options = [*SETTINGS, "--data-dir", tmp_path / "data", "--set", "durability=always"]
    with harness.Daemon(*options) as daemon, daemon.connect() as client:
        learn(client, ROWS[:snapshot_at])
        client.ok("snapshot")
        learn(client, ROWS[snapshot_at:])
        told = client.ok("digest")  # behind all that was sent
        assert (told["digest"], told["seq"]) == taught.digest()
        daemon.kill()
    with harness.Daemon(*options) as daemon:
        assert daemon.digest() == taught.digest()
        assert daemon.ask("stats")["storage"] == "sparse"


def test_the_measuring_script_counts_as_the_daemon_does(tmp_path):
    stream = tmp_path / "stream.jsonl"
    stream.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    with harness.Daemon(*SETTINGS) as daemon, daemon.connect() as client:
        best = []
        for row in ROWS:
            scores = client.ok({"op": "test", **row, "scores": "top:5"})["scores"]
            best.append([label for label, p in scores.items() if p > 0])
        of_daemon = client.ok("stats")["metrics"]["total"]
    found = xmc.measures([set(row["y"]) for row in ROWS], best)
    for name in xmc.MEASURES:
        assert found[name] == pytest.approx(of_daemon[name], abs=2e-5), name


def test_the_measuring_script_runs_both_ways(tmp_path):
    stream = tmp_path / "stream.jsonl"
    stream.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    in_process, served = xmc.homerd(harness.BUILD, stream), xmc.through_socket(harness.BUILD, stream, len(ROWS))
    assert in_process["rate"] > 0 and served["socket"] > 0 and served["mb"] > in_process["model_mb"] > 0
