"""The label hierarchy beside batch clusterings (hierarchy.py), in original order and shuffled."""
from hierarchy import HEAD, STREAMS, __doc__ as explained, cells as cells_of, measure
from sources import in_order
from text import table

ORDERS = ("original", "shuffled 1")
WHOLE = {"instances", "labels", "depth", "smallest", "largest", "linkage_largest", "online_clusters"}


def typed(row):
    """A kept row as hierarchy.py made it."""
    return {k: v if k == "stream" else int(float(v)) if k in WHOLE else float(v) for k, v in row.items() if k not in ("order", "key", "program") and v != ""}


def cells(study, name):
    for stream in study.recorded(name, STREAMS):
        for order in ORDERS:
            def run(stream=stream, order=order):
                row = measure(study.bench.hierarchy_program, stream.name, in_order(stream.lines(), order))
                return [{k: v for k, v in row.items() if k != "stream"}]
            yield study.cell("hierarchy", stream, {"order": order}, run, program=study.bench.hierarchy_digest)


def text(study, name, rows):
    yield "coverage" + explained.split("coverage", 1)[1].split("\nPrints")[0]
    for order in ORDERS:
        own = [cells_of(typed(r)) for r in rows if r["order"] == order]
        if own:
            yield f"**{order} order**"
            yield from table(HEAD, own)
