"""Profiles beside the tree learners of MOA and River, on streams whose concepts are not linear and drift.

A peer and the profiles see the same instances in one run, the profiles' speed taken before and after the peer's; their labelsets are scored by
the same code. The peers know the labels from the start and answer with their own labelsets (probability above one half)."""
import peers
from score import METRICS, Scored
from sources import digest_of_files, truths
from text import number, table

STREAMS = "SynTreeSud SynHPGrad SynRBFSud".split()
GENERATED = ("sudden-1", dict(seed=1, labels=24, group=6, cardinality=5, instances=12000, drift="sudden", at=[6000]))
FIGURES = ["subset", "hamming", "example_f1", "micro_f1", "macro_f1"]


def thinned(stream, every):
    """Every so many-th line: a drift stays where it is, in parts of the stream."""
    return stream.lines()[::every]


def row_of(who, objective, true, predicted, labels, rate, versions):
    measures = Scored(true, predicted, labels).measures()
    return {"who": who, "by": objective, "instances": len(true), **{m: f"{measures[m]:.5f}" for m in FIGURES},
            "per_second": f"{rate:.0f}" if rate else "", "versions": versions}


def alone(study, lines):
    """Rows of the profiles, each objective's."""
    true = truths(lines)
    labels, rows = frozenset().union(*true), []
    for config, settings in study.configs("trees").items():
        run = study.bench.model(lines, settings=settings, record=True)
        rate = float(run.by["hamming"]["per_second"])
        rows += [row_of(config, objective, true, predicted, labels, rate, "") for objective, predicted in run.predicted.items()]
    return rows


def beside(study, lines, peer):
    """The peer's row, with the profiles' speed: the mean of one run before the peer and one after it."""
    true = truths(lines)
    rates = lambda: {config: float(study.bench.model(lines, "--objective", "hamming", settings=settings).rows[0]["per_second"])
                     for config, settings in study.configs("trees").items()}
    before = rates()
    predicted, per_second, versions = peers.run(study.build, peer, lines)
    after = rates()
    row = row_of(peer, "", true, predicted, frozenset().union(*true), per_second, versions)
    return [{**row, **{f"{config}_per_second": f"{(before[config] + after[config]) / 2:.0f}" for config in before}}]


def attempt(study, stream, every, peer):
    """The rows of one cell, or None when the peer is not to be had here, which the table then says."""
    lines = thinned(stream, every)
    try:
        return beside(study, lines, peer) if peer else alone(study, lines)
    except peers.Unavailable as why:
        study.failed.setdefault("trees", {})[peer] = str(why)
        return None


def cells(study, name):
    listed = [] if study.quick else list(peers.PEERS)
    generated = study.generated(GENERATED[0], **GENERATED[1])
    for stream in [*study.recorded(name, STREAMS), generated]:
        for peer in [None, *listed]:
            runner, steps = peers.PEERS.get(peer, ("", (1, 5, 25)))
            if stream is generated:
                steps = sorted({1 if every <= 5 else 5 for every in steps})  # a shorter stream
            for every in steps[:1] if study.quick else steps:
                about = {"peer": peer or "", "every": every, "settings": " | ".join(study.configs("trees").values()), "peer_version": peers.VERSIONS.get(runner, "")}
                run = lambda stream=stream, every=every, peer=peer: attempt(study, stream, every, peer)
                inputs = [digest_of_files(peers.HERE / f"peer_{runner}.py")] if runner else []
                yield study.cell("trees", stream, about, run, (20 if peer else 1) / every, inputs=inputs, timed=True)


def text(study, name, rows):
    yield __doc__.split("\n\n")[1] + (" homerd: each metric under its own objective, and `at one half` the labels of probability above it, as the peers answer. The slower "
                                      "peers get every fifth (AMF every twenty-fifth) instance of the long streams, and homerd beside them the same. Speed: of homerd, over the peer's.")
    if study.quick:
        yield "\nThe peers are not run with --quick."
    for peer, why in study.failed.get(name, {}).items():
        yield f"\n{peer}: {why}."
    places = dict.fromkeys((r["stream"], r["every"]) for r in rows)
    for stream, every in places:
        own = [r for r in rows if (r["stream"], r["every"]) == (stream, every)]
        whos = list(dict.fromkeys(r["who"] for r in own if r["by"]))
        ours = {(r["who"], r["by"]): r for r in own if r["by"]}
        lines = []
        for who in whos:
            lines.append([f"**{who}**", *(number(ours[who, o][m]) for m, _, o in METRICS), f"{float(ours[who, 'hamming']['per_second']):,.0f}", ""])
            lines.append([f"{who}, at one half", *(number(ours[who, "hamming"][m]) for m, _, _ in METRICS), "", ""])
        for r in own:
            if r["by"]:
                continue
            ratios = ", ".join(f"{w} {float(r[f'{w}_per_second']) / float(r['per_second']):,.0f}" for w in whos if r.get(f"{w}_per_second"))
            lines.append([r["who"], *(number(r[m]) for m, _, _ in METRICS), f"{float(r['per_second']):,.0f}", ratios])
        yield f"**{stream}**" + (f", every {every}th instance" if every != "1" else "") + f": {own[0]['instances']} instances"
        yield from table(["learner", *(t for _, t, _ in METRICS), "instances/s", "times as fast"], lines)
    versions = sorted({r["versions"] for r in rows if r["versions"]})
    if versions:
        yield f"Versions: {', '.join(versions)}."
