"""The hierarchy of labels and its changes, on the real daemon and through the tool."""
import json
import re

import pytest

import harness
import streams


@pytest.fixture(scope="module")
def grown():
    """A daemon that has learned 3,000 titles; tests only read from it."""
    rows = streams.lines("arxiv_titles_10k", 3000)
    with harness.Daemon() as running:
        data = b"".join(b'{"op":"learn","noreply":true,"text":' + json.dumps(row["text"]).encode() + b',"y":' + json.dumps(row["y"]).encode() + b"}\n"
                        for row in map(json.loads, rows))
        assert harness.feed(running.address, data, [1 << 16]) == []
        yield running


def nodes(node, depth=0):
    yield depth, node
    for child in node.get("children", []):
        yield from nodes(child, depth + 1)


def test_the_clusters_partition_the_known_labels(grown):
    reply, stats = grown.ask("hierarchy"), grown.ask("stats")
    known = [row["name"] for row in grown.ask({"op": "labels", "limit": 100000})["labels"]]
    found = list(nodes(reply["hierarchy"]))
    clusters = [node for _, node in found if "children" not in node]
    assert sorted(name for node in clusters for name in node["labels"]) == sorted(known)
    assert reply["clusters"] == len(clusters) == stats["clusters"] > 3
    assert reply["depth"] == max(depth for depth, _ in found) == stats["depth"]
    assert len({node["id"] for _, node in found}) == len(found)
    for _, node in found:
        assert node["size"] == (sum(child["size"] for child in node["children"]) if "children" in node else len(node["labels"]))
        assert 0 <= node["within"] <= 1 and (node["f1"] is None or 0 <= node["f1"] <= 1)
    assert reply["hierarchy"]["f1"] == pytest.approx(stats["metrics"]["faded"]["micro_f1"])


def test_labels_that_go_together_are_together(grown):
    """arXiv lists these pairs of categories under each other's names."""
    home = {name: node["id"] for _, node in nodes(grown.ask("hierarchy")["hierarchy"]) for name in node.get("labels", [])}
    for one, other in (("cs.IT", "math.IT"), ("cs.NA", "math.NA"), ("cs.SY", "eess.SY")):
        assert home[one] == home[other]


def test_reading_changes_nothing(grown):
    before = grown.digest()
    first = [grown.ask(request) for request in ("hierarchy", "drifts", {"op": "hierarchy", "format": "dot"})]
    assert first == [grown.ask(request) for request in ("hierarchy", "drifts", {"op": "hierarchy", "format": "dot"})]
    assert grown.digest() == before


def test_drifts_come_in_order(grown):
    reply = grown.ask({"op": "drifts", "limit": 5000})
    seqs = [event["seq"] for event in reply["drifts"]]
    assert seqs == sorted(seqs) and 0 < seqs[0] and seqs[-1] <= 3000
    assert len(seqs) == reply["kept"] and not reply["truncated"]
    assert {event["kind"] for event in reply["drifts"] if event["place"] == "hierarchy"} >= {"arrival", "regroup"}
    assert sum(grown.ask("stats")["drift"].values()) == reply["total"]
    middle = seqs[len(seqs) // 2]
    assert [event["seq"] for event in grown.ask({"op": "drifts", "since": middle})["drifts"]] == [seq for seq in seqs if seq > middle]


def test_dot_is_a_tree(grown):
    dot = grown.ask({"op": "hierarchy", "format": "dot"})["dot"]
    body = re.fullmatch(r"digraph hierarchy \{\n(.*)\}\n", dot, re.S)[1]
    statement = r' *(?:rankdir=LR|(n\d+) \[label="((?:[^"\\]|\\.)*)"(?:,shape=box)?\]|(n\d+) -> (n\d+));\n'
    assert re.fullmatch(f"(?:{statement})+", body)
    declared, edges = [], []
    for name, _, parent, child in re.findall(statement, body):
        if name:
            declared.append(name)
        elif parent:
            edges.append((parent, child))
    assert len(set(declared)) == len(declared) == len(edges) + 1
    assert {child for _, child in edges} == set(declared[1:]) and {parent for parent, _ in edges} < set(declared)


def test_a_linear_model_has_none():
    with harness.Daemon("--set", "model.profile=linear") as daemon, daemon.connect() as client:
        client.ok({"x": {"a": 1}, "y": ["p", "q"]})
        for request in ("hierarchy", {"op": "hierarchy", "format": "dot"}, "drifts"):
            error = client.error(request)
            assert error["code"] == "bad_request" and "profile linear" in error["message"]
        assert "clusters" not in client.ok("stats")
        for command in ("hierarchy", "drifts"):
            done = harness.run_homer(command, "--to", daemon.to)
            assert done.returncode == 1 and "profile linear" in done.err


def test_many_levels_arrive_whole():
    """Small clusters of many labels: deeper than any fixed number of bits would hold, were each level one."""
    with harness.Daemon("--set", "model.hierarchy.max_leaf=2") as daemon, daemon.connect() as client:
        for i in range(3000):
            client.send({"x": {"a": 1}, "y": [f"l{i % 600}", f"l{(i * 7 + 1) % 600}"], "noreply": True})
        reply = client.ok("hierarchy")
        assert reply["depth"] >= 8
        assert sum(len(node["labels"]) for _, node in nodes(reply["hierarchy"]) if "labels" in node) == 600
        assert client.ok({"op": "batch", "items": [{"op": "hierarchy"}]})["replies"] == [client.ok({"op": "hierarchy"})]


def test_the_seed_decides_what_is_forgotten():
    digests = set()
    for seed in (1, 1, 2):
        with harness.Daemon("--set", f"model.seed={seed}", "--set", "model.hierarchy.neighbours=1") as daemon, daemon.connect() as client:
            for i in range(300):
                client.ok({"x": {"a": i % 3}, "y": [f"l{i % 7}", f"l{i % 5}", f"l{i % 11}"]})
            digests.add(daemon.digest())
    assert len(digests) == 2


def tool(daemon, *args, **more):
    done = harness.run_homer(*args, "--to", daemon.to, **more)
    assert done.returncode == 0, done.err
    return done.out


def test_the_tool_draws_it(grown):
    rows = tool(grown, "hierarchy").splitlines()
    reply = grown.ask("hierarchy")
    assert rows[0].split() == ["labels", "F1", "loss", "tree", "drifts"]
    assert len(rows) == 1 + 2 * reply["clusters"] - 1 + 2
    assert rows[-1] == f"{reply['hierarchy']['size']} labels in {reply['clusters']} clusters, depth {reply['depth']}"
    assert "├─╴" in "\n".join(rows) and "└─" in "\n".join(rows) and "math.IT" in "\n".join(rows)
    assert all(len(row) <= 70 for row in tool(grown, "hierarchy", "--width", "70").splitlines())
    assert json.loads(tool(grown, "hierarchy", "--json")) == reply
    assert tool(grown, "hierarchy", "--dot") == grown.ask({"op": "hierarchy", "format": "dot"})["dot"]


def test_the_tool_lists_drifts(grown):
    events = grown.ask("drifts")["drifts"]
    rows = tool(grown, "drifts").splitlines()
    assert rows[0].split() == ["seq", "place", "node", "kind", "labels", "before", "after"]
    assert [int(row.split()[0]) for row in rows[1:] if row] == [event["seq"] for event in events]
    last = events[-1]["seq"]
    assert [row.split()[0] for row in tool(grown, "drifts", "--since", str(last - 1)).splitlines()[1:] if row] == \
        [str(last)] * sum(event["seq"] == last for event in events)
    assert len(json.loads(tool(grown, "drifts", "--json", "--limit", "1"))["drifts"]) >= 1


def test_bare_words_pass_the_shell(grown):
    first, second = tool(grown, "shell", data=b"hierarchy\ndrifts\n").splitlines()
    assert json.loads(first) == grown.ask("hierarchy") and json.loads(second) == grown.ask("drifts")


def test_a_hostile_label_does_no_harm_to_a_terminal(daemon):
    for label in ("\u001b[31mred\u0007", "\u009b31m", "two\nlines", "\u202eturned"):
        daemon.ask({"x": {"a": 1}, "y": [label, "plain"]})
    for args in (["hierarchy"], ["hierarchy", "--dot"], ["drifts"]):
        out = tool(daemon, *args)
        assert not set("\u001b\u0007\u009b\u202e") & set(out), args


def test_a_replay_tells_of_it():
    done = harness.run_homer("replay", streams.path("yeast"), "--limit", "500")
    assert re.search(r"^\d+ clusters, depth \d+: \d+ changes of the hierarchy, \d+ drifts of clusters, \d+ global drifts, \d+ splits of trees$", done.out, re.M)
    done = harness.run_homer("replay", streams.path("yeast"), "--limit", "50", "--set", "model.profile=linear")
    assert done.returncode == 0 and "clusters" not in done.out
