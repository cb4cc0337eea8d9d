"""The daemon's prequential metrics against scikit-learn on the predictions that the daemon itself showed."""
import math

import pytest

import harness
import reference
import streams

EXACT = 1e-9  # counts and sums of ratios
SCORES = 1e-5  # what depends on scores, which are float32
WINDOW = 150

STREAMS = {
    "flags": lambda: streams.recorded("flags"),
    "emotions": lambda: streams.recorded("emotions"),
    "medical": lambda: streams.recorded("medical", 400),
    # one label an instance on average leaves many labelsets empty; three labels appear in the second half only
    "empty and late": lambda: streams.synthetic(instances=1200, labels=9, features=8, cardinality=1.0, late=3, drift="sudden"),
}


class Run:
    def __init__(self, rows, objective):
        with harness.Daemon("--set", f"model.window={WINDOW}", "--set", f"model.objective={objective}") as daemon:
            replies = harness.feed(daemon.address, streams.as_lines(rows, op="test", scores="all"), [1 << 16])
            assert len(replies) == len(rows)
            self.records = [reference.Record(row["y"], reply["labels"], reply["scores"]) for row, reply in zip(rows, replies)]
            self.metrics = daemon.ask("stats")["metrics"]
            self.labels = [row["name"] for row in daemon.ask({"op": "labels", "limit": 10000})["labels"]]


@pytest.fixture(scope="module", params=[(name, objective) for name in STREAMS for objective in ("example_f1", "micro_f1")], ids="-".join)
def run(request):
    name, objective = request.param
    return Run(STREAMS[name](), objective)


def same(got, expected, within):
    for name, value in expected.items():
        assert math.isclose(got[name], value, rel_tol=0, abs_tol=within), (name, got[name], value)


def test_of_the_whole_stream(run):
    true = [record.true for record in run.records]
    same(run.metrics["total"], reference.of_labelsets(true, [record.predicted for record in run.records], run.labels), EXACT)


def test_of_the_window(run):
    last = run.records[-WINDOW:]
    same(run.metrics["window"], reference.of_labelsets([r.true for r in last], [r.predicted for r in last], run.labels), EXACT)


@pytest.mark.parametrize("name", ["no_change", "majority"])
def test_of_the_baselines(run, name):
    true = [record.true for record in run.records]
    predicted = getattr(reference, name)(run.records)
    same(run.metrics[name], reference.of_labelsets(true, predicted, run.labels), EXACT)
    same(run.metrics[f"{name}_window"], reference.of_labelsets(true[-WINDOW:], predicted[-WINDOW:], run.labels), EXACT)


def test_of_the_scores(run):
    same(run.metrics["total"], reference.of_scores(run.records), SCORES)


def test_every_measure_was_compared(run):
    compared = set(reference.of_labelsets([frozenset()], [frozenset()], ["l"])) | set(reference.of_scores(run.records))
    assert set(run.metrics["total"]) == compared
