"""One of MOA's multi-label learners, prequentially, in the virtual environment that peers.py makes (it brings jpype and MOA's jar).

Usage: peer_moa.py LEARNER STREAM.jsonl OUT      LEARNER: a name of LEARNERS
Every instance is predicted, then learned; the labels are known up front, as MOA wants them. Writes per instance a JSON array of the labels
predicted, then one object: instances a second (inside Java's calls, the bridge included) and versions."""
import json
import sys
import time
from pathlib import Path

LEARNERS = {  # class, options, whether targets are numeric (a tree of regressions)
    "MOA MultilabelHoeffdingTree": ("moa.classifiers.multilabel.MultilabelHoeffdingTree", "", False),
    "MOA BR of HoeffdingTree": ("moa.classifiers.multitarget.BasicMultiLabelClassifier", "-l trees.HoeffdingTree", False),
    "MOA BR of HoeffdingAdaptiveTree": ("moa.classifiers.multitarget.BasicMultiLabelClassifier", "-l trees.HoeffdingAdaptiveTree", False),
    "MOA BR of AdaptiveRandomForest (3 trees)": ("moa.classifiers.multitarget.BasicMultiLabelClassifier", "-l (meta.AdaptiveRandomForest -s 3)", False),
    "MOA ISOUPTree": ("moa.classifiers.multilabel.trees.ISOUPTree", "", True),
}


def arff(rows, labels, numeric, path):
    """The stream as MOA reads it: targets first; what a row does not have is 0."""
    names = sorted({name for row in rows for name in row["x"]})
    values = {name: {row["x"][name] for row in rows if name in row["x"]} for name in names}
    nominal = {name: sorted(v) for name, v in values.items() if any(isinstance(x, str) for x in v)}
    with open(path, "w") as f:
        f.write(f"@relation 'stream: -C {len(labels)}'\n")
        f.writelines(f"@attribute t{i} {'numeric' if numeric else '{0,1}'}\n" for i in range(len(labels)))
        f.writelines(f"@attribute x{i} {'{' + ','.join(nominal[n]) + '}' if n in nominal else 'numeric'}\n" for i, n in enumerate(names))
        f.write("@data\n")
        for row in rows:
            y = set(row["y"])
            cells = ["1" if label in y else "0" for label in labels]
            cells += [str(row["x"].get(n, "?" if n in nominal else 0)) for n in names]
            f.write(",".join(cells) + "\n")


def votes(prediction, labels, numeric):
    """The labels that a MultiLabelPrediction holds for true."""
    found = []
    for i, label in enumerate(labels):
        if prediction is None or prediction.numOutputAttributes() <= i:
            break
        if numeric:
            held = prediction.getVote(i, 1) >= 0.5  # the value stands behind an empty vote 0, as for two classes
        else:
            held = prediction.getVote(i, 1) > prediction.getVote(i, 0)
        if held:
            found.append(label)
    return found


def main(learner_name, stream, out):
    import capymoa  # starts the Java machine
    import jpype
    kind, options, numeric = LEARNERS[learner_name]
    rows = [json.loads(line) for line in Path(stream).read_text().splitlines()]
    labels = sorted({label for row in rows for label in row["y"]})
    path = str(Path(out).with_suffix(".arff"))
    arff(rows, labels, numeric, path)
    source = jpype.JClass("moa.streams.MultiTargetArffFileStream")(path, f"1-{len(labels)}")
    source.prepareForUse()
    learner = jpype.JClass(kind)()
    if options:
        learner.getOptions().setViaCLIString(options)
    learner.prepareForUse()
    learner.setModelContext(source.getHeader())
    spent = 0.0
    with open(out, "w") as f:
        for _ in rows:
            example = source.nextInstance()
            begin = time.perf_counter()
            prediction = learner.getPredictionForInstance(example)
            learner.trainOnInstance(example)
            spent += time.perf_counter() - begin
            f.write(json.dumps(votes(prediction, labels, numeric)) + "\n")
        f.write(json.dumps({"per_second": len(rows) / spent, "versions": f"capymoa {capymoa.__version__}"}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
