"""The label hierarchy beside batch clusterings (hierarchy.py), in original order and shuffled."""
import re

from hierarchy import HEAD, STREAMS, __doc__ as explained, both_orders, cells as cells_of
from text import table

SEED = 1  # of the shuffle
WHOLE = {"instances", "labels", "depth", "smallest", "largest", "regroup", "drift", "linkage_largest", "online_clusters"}


def typed(row):
    """A kept row as hierarchy.py made it."""
    return {k: v if k in ("stream", "order") else int(float(v)) if k in WHOLE else float(v) for k, v in row.items() if k not in ("key", "program") and v != ""}


def cells(study, name):
    for stream in study.recorded(name, STREAMS):
        def run(stream=stream):
            rows = both_orders(study.bench.hierarchy_program, stream.name, stream.lines(), SEED)
            return [{k: v for k, v in row.items() if k != "stream"} for row in rows]
        yield study.cell("hierarchy", stream, {}, run, program=study.bench.hierarchy_digest)


def text(study, name, rows):
    by = {(r["stream"], r["order"]): typed(r) for r in rows}
    names = list(dict.fromkeys(r["stream"] for r in rows))
    yield from table(HEAD, [cells_of(by[n, "original"], by[n, "shuffled"]) for n in names])
    for line in ("coverage" + explained.split("coverage", 1)[1].split("\nPrints")[0]).splitlines():
        yield "- " + re.sub(r" {2,}", ": ", line)
