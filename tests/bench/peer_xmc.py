"""A peer for very many labels, prequentially, in the virtual environment that peers.py makes.

Usage: peer_xmc.py PEER STREAM.jsonl OUT      PEER: "vw OPTION..." or "napkinxc BLOCKS"
Vowpal Wabbit runs over a file of its own text format, which it parses beside its learner: each line is predicted, then learned. napkinXC's online PLT cannot be asked
between two instances: the stream is cut into BLOCKS, each predicted by a tree that was taught all blocks before it, from the start (the first: by none), and the rate is that of teaching the whole
stream and predicting the whole stream once. Writes per instance a JSON array of its best five labels, best first, then one object: instances a second, versions."""
import json
import sys
import tempfile
import time
from pathlib import Path


def numbered(rows):
    """[(features: {number: value}, labels: [number])], and the names of labels by their numbers: those that the stream's names end with."""
    found = [({int(name[1:]): value for name, value in row["x"].items()}, [int(name[1:]) for name in row["y"]]) for row in rows]
    return found, [f"l{label}" for label in range(1 + max(label for _, y in found for label in y))]


def vowpal_wabbit(rows, options):
    import vowpalwabbit
    found, names = numbered(rows)
    with tempfile.TemporaryDirectory() as folder:
        stream, out = Path(folder) / "stream", Path(folder) / "out"
        with open(stream, "w") as f:
            for x, y in found:
                f.write(",".join(map(str, y)) + " | " + " ".join(f"{j}:{v}" for j, v in x.items()) + "\n")
        begin = time.perf_counter()
        model = vowpalwabbit.Workspace(f"--quiet --plt {len(names)} --top_k 5 --loss_function logistic -d {stream} -p {out} {' '.join(options)}")
        model.run_parser()
        spent = time.perf_counter() - begin
        model.finish()
        best = [[names[int(part.split(":")[0])] for part in line.split(",") if part.strip()] for line in out.read_text().splitlines()]
    return best, len(rows) / spent, f"vowpalwabbit {vowpalwabbit.__version__}"


def napkinxc(rows, options):
    import napkinxc
    import numpy
    from napkinxc.models import Model
    from scipy.sparse import csr_matrix
    found, names = numbered(rows)
    ends = numpy.cumsum([0] + [len(x) for x, _ in found])
    x = csr_matrix((numpy.array([v for a, _ in found for v in a.values()], dtype=numpy.float32), numpy.array([j for a, _ in found for j in a]), ends))
    y = [labels for _, labels in found]

    def taught(n, folder):
        model = Model(output=folder, model="oplt", tree_type="onlineBestScore", optimizer="adagrad", loss="log", threads=1, seed=1)
        begin = time.perf_counter()
        model.fit(x[:n], y[:n])
        return model, time.perf_counter() - begin

    best, blocks = [], int(options[0])
    for b in range(blocks):
        begin, end = len(rows) * b // blocks, len(rows) * (b + 1) // blocks
        with tempfile.TemporaryDirectory() as folder:
            best += [[names[label] for label in row] for row in taught(begin, folder)[0].predict(x[begin:end], top_k=5)] if b else [[]] * (end - begin)
    with tempfile.TemporaryDirectory() as folder:
        model, spent = taught(len(rows), folder)
        begin = time.perf_counter()
        model.predict(x, top_k=5)
        spent += time.perf_counter() - begin
    return best, len(rows) / spent, f"napkinxc {getattr(napkinxc, '__version__', '?')}"


def main(peer, stream, out):
    kind, *options = peer.split()
    best, rate, versions = {"vw": vowpal_wabbit, "napkinxc": napkinxc}[kind]([json.loads(line) for line in Path(stream).read_text().splitlines()], options)
    with open(out, "w") as f:
        for row in best:
            f.write(json.dumps(row) + "\n")
        f.write(json.dumps({"per_second": rate, "versions": versions}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
