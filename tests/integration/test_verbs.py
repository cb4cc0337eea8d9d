"""What each request does, seen through the socket."""
import random

import pytest

import harness

ROWS = [({"a": 1.0, "b": 0.5}, ["p"]), ({"a": -1.0, "b": 0.25}, ["q"]), ({"c": True, "d": "red"}, ["p", "q"]), ({}, [])]


def teach(client, rounds=30, **extra):
    for _ in range(rounds):
        for x, y in ROWS:
            client.ok({"x": x, "y": y, **extra})


def test_hello_lists_what_exists(client):
    hello = client.ok({"op": "hello"})
    assert hello["protocol"] == 1
    text = str(hello)
    for word in ("learn", "predict", "test", "batch", "hierarchy", "drifts", "default", "max_line"):
        assert word in text
    assert "label" in text and "snapshot" in text and "subscribe" not in text


def test_learning_shows_in_predictions(client):
    teach(client)
    assert client.ok({"x": {"a": 1.0, "b": 0.5}})["labels"] == ["p"]
    assert client.ok({"x": {"a": -1.0, "b": 0.25}})["labels"] == ["q"]


def test_predict_options(client):
    teach(client)
    x = {"a": 1.0, "b": 0.5}
    all_scores = client.ok({"x": x, "scores": "all"})["scores"]
    assert set(all_scores) == {"p", "q"} and all(0 <= v <= 1 for v in all_scores.values())
    assert client.ok({"x": x, "k": 1})["labels"] == ["p"]
    assert client.ok({"x": x, "k": 2})["labels"] == ["p", "q"]
    assert client.ok({"x": x, "k": 50})["labels"] == ["p", "q"], "k may exceed what is known"
    assert client.ok({"x": x, "threshold": 0})["labels"] == ["p", "q"]
    assert client.ok({"x": x, "threshold": 1})["labels"] in ([], ["p"])
    assert set(client.ok({"x": x, "scores": "labels"})["scores"]) == {"p"}
    assert list(client.ok({"x": x, "scores": "top:1"})["scores"]) == ["p"]
    assert "scores" not in client.ok({"x": x, "scores": False})
    for objective in ("example_f1", "micro_f1", "macro_f1", "subset", "hamming"):
        reply = client.ok({"x": x, "objective": objective, "scores": "all"})
        assert reply["scores"] == all_scores, "rules only choose"
    assert client.error({"op": "predict", "x": x, "k": 10**9})["code"] == "bad_request"


def test_predict_equals_the_test_that_follows(client):
    teach(client)
    for x, y in ROWS:
        predicted = client.ok({"op": "predict", "x": x, "scores": "all"})
        tested = client.ok({"op": "test", "x": x, "y": y, "scores": "all"})
        assert (predicted["labels"], predicted["scores"]) == (tested["labels"], tested["scores"])


def test_running_metrics_in_a_test(client):
    reply = client.ok({"op": "test", "x": {"a": 1}, "y": ["p"], "metrics": True})
    assert reply["metrics"] == client.ok("stats")["metrics"]
    assert reply["metrics"]["total"]["n"] == 1


def test_values_of_every_type(client):
    client.ok({"x": {"n": 1.5, "i": 3, "b": True, "s": "red", "bag": ["x", "y", "x"], "m": None}, "y": ["p"]})
    client.ok({"x": [1, 0, 2.5], "y": []})
    client.ok({"text": "Blue BLUE Straße"})
    client.ok({"text": "Blue", "x": {"n": 2}, "y": ["q"], "w": 2.5, "t": "2024-01-01T00:00:00Z"})
    kinds = {row["name"]: row["type"] for row in client.ok("features")["features"]}
    assert {"n": "numeric", "b": "binary", "s": "nominal", "bag": "bag"}.items() <= kinds.items()
    assert {"0", "1", "2"} & set(kinds)


def test_a_label_given_twice_is_one_label(daemon):
    with daemon.connect() as client:
        for name, y in (("one", ["p", "q", "p"]), ("two", ["p", "q"])):
            client.ok({"op": "model.create", "name": name})
            client.ok({"x": {"a": 1}, "y": y, "model": name})
        assert daemon.digest("one") == daemon.digest("two")


def test_labels_listing(client):
    teach(client, rounds=2)
    listing = client.ok("labels")
    assert {row["name"]: row["count"] for row in listing["labels"]} == {"p": 4, "q": 4}
    assert [row["name"] for row in client.ok({"op": "labels", "prefix": "q"})["labels"]] == ["q"]
    short = client.ok({"op": "labels", "limit": 1})
    assert len(short["labels"]) == 1 and short["total"] == 2 and short["truncated"]


def test_weights_scale_counts_but_metrics_count_instances(client):
    client.ok({"x": {"a": 1}, "y": ["p"], "w": 2.5})
    client.ok({"x": {"a": 1}, "y": ["p"], "w": 0.25})
    assert client.ok("labels")["labels"][0]["count"] == 2.75
    assert client.ok("stats")["metrics"]["total"]["n"] == 2


def test_partial_labels_leave_the_unknown_alone(daemon):
    with daemon.connect() as client:
        for name in ("complete", "partial"):
            client.ok({"op": "model.create", "name": name})
            for i in range(40):
                y = ["p"] if i % 2 else ["q"]
                client.ok({"x": {"a": 1 if i % 2 else -1}, "y": y, "model": name})
        x = {"a": -1}
        before = client.ok({"op": "predict", "x": x, "scores": "all", "model": "partial"})["scores"]
        for _ in range(60):
            client.ok({"x": x, "y": {"p": True}, "model": "partial"})
            client.ok({"x": x, "y": ["p"], "model": "complete"})
        partial = client.ok({"op": "predict", "x": x, "scores": "all", "model": "partial"})["scores"]
        complete = client.ok({"op": "predict", "x": x, "scores": "all", "model": "complete"})["scores"]
        assert partial["p"] > before["p"]
        assert complete["q"] < 0.5 < partial["q"], "what was not said was not learned as absent"


def test_partial_labels_are_learned_as_if_only_those_listed_existed(daemon):
    """Beside a model to which the labels that are listed are all there is, and which is told all of them."""
    rng = random.Random(1)
    with daemon.connect() as client:
        client.ok({"op": "model.create", "name": "beside"})
        worst = 0
        for i in range(300):
            x, asked = ({f"f{k}": rng.gauss(0, 1) for k in range(5)} for _ in range(2))
            y = {"p": x["f0"] + x["f1"] > 0, "r": x["f3"] > 0}
            client.ok({"x": x, "y": {**y, "q": None}})
            client.ok({"x": x, "y": [label for label in y if y[label]], "model": "beside"})
            one, two = (client.ok({"op": "predict", "x": asked, "scores": "all", "model": m})["scores"] for m in ("default", "beside"))
            if i >= 100:
                assert set(one) == set(two) == {"p", "r"}
                worst = max([worst, *(abs(one[label] - two[label]) for label in one)])
        assert worst < 0.12, "apart by no more than when each label was first heard of"


def test_partial_negatives_are_learned(client):
    teach(client)
    before = client.ok({"x": {"a": 1.0, "b": 0.5}, "scores": "all"})["scores"]["p"]
    for _ in range(60):
        client.ok({"x": {"a": 1.0, "b": 0.5}, "y": {"p": False, "q": None}})
    assert client.ok({"x": {"a": 1.0, "b": 0.5}, "scores": "all"})["scores"]["p"] < before


def test_partial_null_is_as_if_it_were_not_listed(daemon):
    with daemon.connect() as client:
        for name, y in (("one", {"p": True, "q": None}), ("two", {"p": True})):
            client.ok({"op": "model.create", "name": name})
            client.ok({"x": {"a": 1}, "y": ["p", "q"], "model": name})
            client.ok({"x": {"a": 1}, "y": y, "model": name})
        assert daemon.digest("one") == daemon.digest("two")


def test_batch(client):
    reply = client.ok({"op": "batch", "id": 5, "items": [
        {"op": "learn", "x": {"a": 1}, "y": ["p"], "id": "a"}, {"op": "fly", "id": "b"}, {"x": {"a": 1}}, {"x": {"a": "text"}, "y": ["p"]},
        {"op": "learn", "x": {"a": 2}, "y": []}, "ping", {"op": "batch", "items": []}]})
    assert reply["id"] == 5
    first, second, third, fourth, fifth, sixth, seventh = reply["replies"]
    assert (first["ok"], first["seq"], first["id"]) == (True, 1, "a")
    assert (second["error"]["code"], second["id"]) == ("unknown_op", "b")
    assert third["ok"] and "labels" in third
    assert fourth["error"]["code"] == "bad_feature"
    assert fifth["seq"] == 2
    assert sixth["error"]["code"] == "bad_request" and seventh["error"]["code"] == "bad_request"
    assert client.ok({"op": "batch", "items": []})["replies"] == []


def test_models_are_independent(daemon):
    with daemon.connect() as client:
        client.ok({"op": "model.create", "name": "a.b-c_1", "config": {"objective": "subset", "seed": 3}})
        client.ok({"x": {"a": 1}, "y": ["p"], "model": "a.b-c_1"})
        assert client.ok({"op": "stats", "model": "a.b-c_1"})["seq"] == 1
        assert client.ok("stats")["seq"] == 0
        listing = client.ok({"op": "model.list"})["models"]
        assert {row["name"]: row["seq"] for row in listing} == {"default": 0, "a.b-c_1": 1}
        assert client.error({"op": "model.create", "name": "a.b-c_1"})["code"] == "model_exists"
        client.ok({"op": "model.drop", "name": "a.b-c_1"})
        assert client.error({"x": {"a": 1}, "model": "a.b-c_1"})["code"] == "unknown_model"
        client.ok({"op": "model.drop", "name": "default"})
        assert client.error({"op": "stats"})["code"] == "unknown_model"
        client.ok({"op": "model.create", "name": "default"})
        assert client.ok("stats")["seq"] == 0


def test_models_are_limited():
    with harness.Daemon("--set", "limits.max_models=2") as daemon, daemon.connect() as client:
        client.ok({"op": "model.create", "name": "two"})
        error = client.error({"op": "model.create", "name": "three"})
        assert error["code"] == "too_many" and error["limit"].endswith("max_models")


def test_stats_count_what_happened(client):
    client.ok({"x": {"a": 1}, "y": ["p"]})
    client.ask("{bad")
    client.ask({"op": "fly"})
    stats = client.ok("stats")
    assert stats["requests"]["learn"] == 1 and stats["errors"]["bad_json"] == 1 and stats["errors"]["unknown_op"] == 1
    assert stats["labels"] == 1 and stats["features"] == 1 and 0 < stats["memory"]["used_bytes"] <= stats["memory"]["peak_bytes"]
    assert stats["durability"] == "none"


@pytest.mark.parametrize("absent", ["zero", "missing"])
def test_absent_features(absent):
    """Zero: an absent feature and an explicit 0 are one. Missing: they differ."""
    digests = []
    for x in ({"a": 1, "b": 0}, {"a": 1}):
        with harness.Daemon("--set", f"model.absent={absent}") as daemon, daemon.connect() as client:
            for i in range(40):
                client.ok({"x": {"a": 1, "b": i % 3}, "y": ["p"] if i % 3 else ["q"]})
            digests.append(client.ok({"op": "predict", "x": x, "scores": "all"})["scores"])
    assert (digests[0] == digests[1]) == (absent == "zero")
