"""One of River's tree learners, prequentially, in the virtual environment that peers.py makes.

Usage: peer_river.py LEARNER STREAM.jsonl OUT      LEARNER: a name of LEARNERS
Every instance is predicted, then learned; the labels are known up front. Writes per instance a JSON array of the labels predicted, then one
object: instances a second and versions."""
import json
import sys
import time
from pathlib import Path

import river
from river import forest, multioutput, tree


def binary_relevance(model):
    return multioutput.PerOutputClassifier(model)


LEARNERS = {  # factories; regression trees answer with numbers
    "River BR of HoeffdingTree": lambda: binary_relevance(tree.HoeffdingTreeClassifier()),
    "River BR of HoeffdingAdaptiveTree": lambda: binary_relevance(tree.HoeffdingAdaptiveTreeClassifier(seed=1)),
    "River ClassifierChain of HoeffdingTree": lambda: multioutput.ClassifierChain(tree.HoeffdingTreeClassifier()),
    "River BR of ARF (3 trees)": lambda: binary_relevance(forest.ARFClassifier(n_models=3, seed=1)),
    "River BR of AMF (3 trees)": lambda: binary_relevance(forest.AMFClassifier(n_estimators=3, seed=1)),
    "River iSOUP-T": lambda: tree.ISOUPTreeRegressor(),
}


def numbers(x):
    """One indicator a nominal value, for the learners that take numbers only."""
    return {(f"{name}={v}" if isinstance(v, str) else name): (1.0 if isinstance(v, str) else v) for name, v in x.items()}


def main(learner_name, stream, out):
    rows = [json.loads(line) for line in Path(stream).read_text().splitlines()]
    labels = sorted({label for row in rows for label in row["y"]})
    model, numeric, spent = LEARNERS[learner_name](), "iSOUP" in learner_name, 0.0
    if numeric or "AMF" in learner_name:
        rows = [{**row, "x": numbers(row["x"])} for row in rows]
    with open(out, "w") as f:
        for row in rows:
            held = set(row["y"])
            y = {label: float(label in held) if numeric else label in held for label in labels}
            begin = time.perf_counter()
            found = model.predict_one(row["x"]) or {}
            model.learn_one(row["x"], y)
            spent += time.perf_counter() - begin
            f.write(json.dumps([label for label, v in found.items() if v and float(v) >= 0.5]) + "\n")
        f.write(json.dumps({"per_second": len(rows) / spent, "versions": f"river {river.__version__}"}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
