"""The reference implementation of MLHAT, prequentially, from a checkout of its repository: it is in no package registry.

Usage: peer_mlhat.py NAME STREAM.jsonl OUT CHECKOUT      CHECKOUT: a folder with src/multioutput, github.com/aestebant/mlhat
As peer_river.py: every instance is predicted, then learned; the parameters are its defaults, those of its paper."""
import json
import sys
import time
from pathlib import Path

import river

from peer_river import numbers


def main(_, stream, out, checkout):
    sys.path.insert(0, str(Path(checkout) / "src"))
    from multioutput import MLHAT
    rows = [json.loads(line) for line in Path(stream).read_text().splitlines()]
    labels = sorted({label for row in rows for label in row["y"]})
    names = sorted({name for row in rows for name in numbers(row["x"])})
    model, spent = MLHAT(), 0.0
    with open(out, "w") as f:
        for row in rows:
            held, sparse = set(row["y"]), numbers(row["x"])
            x, y = {name: float(sparse.get(name, 0)) for name in names}, {label: label in held for label in labels}
            begin = time.perf_counter()
            found = model.predict_one(x) or {}
            model.learn_one(x, y)
            spent += time.perf_counter() - begin
            f.write(json.dumps([label for label, v in found.items() if v]) + "\n")
        f.write(json.dumps({"per_second": len(rows) / spent, "versions": f"river {river.__version__}"}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
