"""The learner ihomer-paper on the real daemon, and learners side by side in a replay."""
import json

import pytest

import harness
import streams

PAPER = "model.learner=ihomer-paper"


def lines_of(rows, op="learn"):
    return b"".join(json.dumps({"op": op, "noreply": op == "learn", **json.loads(row)}).encode() + b"\n" for row in rows)


@pytest.fixture(scope="module")
def grown():
    """A daemon whose model has learned 1,800 titles, the clustering having been tested once; tests only read from it."""
    with harness.Daemon("--set", PAPER) as running:
        assert harness.feed(running.address, lines_of(streams.lines("arxiv_titles_10k", 1800)), [1 << 16]) == []
        yield running


def test_the_configuration_says_so(grown):
    assert grown.ask("config")["config"]["model"]["learner"] == "ihomer-paper"
    assert grown.ask("model.list")["models"][0]["config"]["learner"] == "ihomer-paper"


def test_partitions_are_shown(grown):
    reply, stats = grown.ask("hierarchy"), grown.ask("stats")
    root, known = reply["hierarchy"], [row["name"] for row in grown.ask({"op": "labels", "limit": 100000})["labels"]]
    parts = root["children"]
    assert sorted(name for part in parts for name in part["labels"]) == sorted(known)
    assert root["size"] == len(known) and reply["depth"] == stats["depth"] == 1
    assert reply["clusters"] == stats["clusters"] == len(parts) > 1
    assert len({part["id"] for part in parts}) == len(parts)
    for part in parts:
        assert part["size"] == len(part["labels"]) and part["tree"]["nodes"] == 2 * part["tree"]["leaves"] - 1
        assert 0 <= part["loss"] <= 1
    assert root["f1"] == pytest.approx(stats["metrics"]["faded"]["micro_f1"])
    dot = grown.ask({"op": "hierarchy", "format": "dot"})["dot"]
    assert dot.count("shape=box") == dot.count("->") == len(parts)
    tool = harness.run_homer("hierarchy", "--to", grown.to)
    assert tool.returncode == 0 and f"{len(known)} labels in {len(parts)} clusters" in tool.out


def test_changes_are_listed(grown):
    reply, stats = grown.ask({"op": "drifts", "limit": 5000}), grown.ask("stats")
    events = reply["drifts"]
    assert [e["seq"] for e in events] == sorted(e["seq"] for e in events)
    splits = [e for e in events if e["place"] == "hierarchy" and e["kind"] == "split"]
    assert splits and all(e["seq"] == 1500 and e["before"] >= e["after"] > 0 for e in splits)
    for place, kind in (("hierarchy", "structure"), ("cluster", "cluster"), ("global", "global"), ("tree", "tree_splits")):
        assert sum(e["place"] == place for e in events) == stats["drift"][kind]


def test_hamming_is_the_published_labelset(grown):
    before = grown.digest()
    for row in streams.lines("arxiv_titles_10k", 1900)[1800:]:
        x = {"text": json.loads(row)["text"], "objective": "hamming", "scores": "all"}
        reply = grown.ask({"op": "predict", **x})
        assert all(0 <= p <= 1 for p in reply["scores"].values())
        assert set(reply["labels"]) == {name for name, p in reply["scores"].items() if p > 0.5}
    assert grown.digest() == before


def test_the_same_input_gives_the_same_model():
    digests = []
    for seed, cut in ((1, 1 << 16), (1, 777), (2, 1 << 16)):
        with harness.Daemon("--set", PAPER, "--set", f"model.seed={seed}") as daemon:
            harness.feed(daemon.address, lines_of(streams.lines("flags")), [cut])
            digests.append(daemon.digest())
    assert digests[0] == digests[1] != digests[2]


def test_a_replay_of_several_learners_is_one_table():
    flags = streams.path("flags")
    both = ["--learner", "ihomer-paper", "--learner", "ihomer", "--objective", "hamming"]
    done = harness.run_homer("replay", flags, *both)
    assert done.returncode == 0, done.err
    head, *rows = [row.split() for row in done.out.splitlines() if row.strip()]
    assert head == ["ihomer-paper", "ihomer", "NO-CHANGE", "MAJORITY"]
    lines = [json.loads(line) for line in harness.run_homer("replay", "--json", flags, *both).out.splitlines()]
    assert [line["model"] for line in lines] == ["ihomer-paper", "ihomer"]
    micro = next(row for row in rows if row[:2] == ["micro", "F1"])
    metrics = [line["stats"]["metrics"] for line in lines]
    assert micro[2:] == [f"{metrics[0]['total']['micro_f1']:.4f}", f"{metrics[1]['total']['micro_f1']:.4f}",
                         f"{metrics[0]['no_change']['micro_f1']:.4f}", f"{metrics[0]['majority']['micro_f1']:.4f}"]
    assert ["instances", "194", "194"] in rows
    with harness.Daemon("--set", PAPER, "--set", "model.objective=hamming") as daemon:
        alone = harness.run_homer("replay", "--json", flags, "--to", daemon.to)
        assert json.loads(alone.out)["stats"]["metrics"] == metrics[0]
        done = harness.run_homer("replay", flags, *both, "--model", "m", "--to", daemon.to)
        assert done.returncode == 0 and done.out.split()[:2] == ["ihomer-paper", "ihomer"]
        assert [m["name"] for m in daemon.ask("model.list")["models"]] == ["default", "m-ihomer-paper", "m-ihomer"]


def test_an_unknown_learner_is_refused():
    done = harness.run_homer("replay", streams.path("flags"), "--learner", "oracle")
    assert done.returncode != 0 and "oracle" in done.err and "ihomer-paper" in done.err


def test_one_table_has_room_for_a_dozen():
    many = [word for i in range(13) for word in ("--learner", f"l{i}")]
    done = harness.run_homer("replay", streams.path("flags"), *many)
    assert done.returncode == 2 and "12 times" in done.err
