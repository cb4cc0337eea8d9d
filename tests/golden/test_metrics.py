"""The daemon's prequential metrics against scikit-learn on the predictions that the daemon itself showed."""
import math

import pytest

import harness
import reference
import streams

EXACT = 1e-9  # counts and sums of ratios
SCORES = 1e-5  # what depends on scores, which are float32
WINDOW = 150


def partly(rows):
    """Every other instance says something about four labels only, in turn true, false and unknown."""
    labels = sorted({label for row in rows for label in row["y"]})
    for i, row in enumerate(rows):
        if i % 2:
            shown = [labels[(i + j) % len(labels)] for j in range(4)]
            row["y"] = {label: label in row["y"] for label in shown[:3]} | {shown[3]: None}
    return rows


STREAMS = {
    "flags": lambda: streams.recorded("flags"),
    "emotions": lambda: streams.recorded("emotions"),
    "medical": lambda: streams.recorded("medical", 400),
    # one label an instance on average leaves many labelsets empty; three labels appear in the second half only
    "empty and late": lambda: streams.synthetic(instances=1200, labels=9, features=8, cardinality=1.0, late=3, drift="sudden"),
    "partial": lambda: partly(streams.recorded("emotions")),
}


class Run:
    def __init__(self, rows, objective):
        with harness.Daemon("--set", f"model.window={WINDOW}", "--set", f"model.objective={objective}") as daemon:
            replies = harness.feed(daemon.address, streams.as_lines(rows, op="test", scores="all"), [1 << 16])
            assert len(replies) == len(rows)
            self.records = [self.record(row["y"], reply) for row, reply in zip(rows, replies)]
            self.metrics = daemon.ask("stats")["metrics"]
            self.labels = [row["name"] for row in daemon.ask({"op": "labels", "limit": 10000})["labels"]]

    @staticmethod
    def record(y, reply):
        if isinstance(y, list):
            return reference.Record(y, reply["labels"], reply["scores"])
        known = [label for label, value in y.items() if value is not None]
        return reference.Record([label for label in known if y[label]], reply["labels"], reply["scores"], known)


@pytest.fixture(scope="module", params=[(name, objective) for name in STREAMS for objective in ("example_f1", "micro_f1")], ids="-".join)
def run(request):
    name, objective = request.param
    return Run(STREAMS[name](), objective)


def same(got, expected, within):
    for name, value in expected.items():
        assert math.isclose(got[name], value, rel_tol=0, abs_tol=within), (name, got[name], value)


PREDICTORS = {"": reference.of_model, "no_change": reference.no_change, "majority": reference.majority}


@pytest.mark.parametrize("name", PREDICTORS)
def test_of_the_whole_stream(run, name):
    predicted = PREDICTORS[name](run.records)
    same(run.metrics[name or "total"], reference.of_labelsets(run.records, predicted, run.labels), EXACT)


@pytest.mark.parametrize("name", PREDICTORS)
def test_of_the_window(run, name):
    predicted = PREDICTORS[name](run.records)[-WINDOW:]
    same(run.metrics[f"{name}_window" if name else "window"], reference.of_labelsets(run.records[-WINDOW:], predicted, run.labels), EXACT)


def test_of_the_scores(run):
    same(run.metrics["total"], reference.of_scores(run.records), SCORES)


def test_every_measure_was_compared(run):
    compared = set(reference.of_labelsets(run.records, reference.of_model(run.records), run.labels)) | set(reference.of_scores(run.records))
    assert set(run.metrics["total"]) == compared
