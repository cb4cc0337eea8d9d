#!/usr/bin/env python3
"""Speed beside other projects' learners, installed for it into BUILD/peers: alternating, one run, ratios first.

Usage: bench_peers.py --build DIR --data DIR [--rounds N] [--only NAME] [--mlhat DIR] [--out DIR]

In process, test and train of every instance: MOA's MultilabelHoeffdingTree (timed inside Java), River's binary relevance of Hoeffding
adaptive trees, Vowpal Wabbit's --multilabel_oaa (it parses its own text format while it is timed). Through a socket: Vowpal Wabbit's
daemon, one connection, beside homerd's `test` and `predict`. The reference implementation of MLHAT is in no package registry: with
--mlhat it is run from a checkout of github.com/aestebant/mlhat, on the River of its time and on that of today, which is two to three times as fast; without, its
published seconds, of another machine, are shown and marked.
A slow peer may see only every so many-th line of a stream, homerd beside it the same. Writes DIR/peers.md and DIR/peers.csv; DIR is BUILD/bench.
"""
import argparse
import os
import statistics
import sys
from pathlib import Path

import peer_sockets
import peers
from bench import Bench, Stream, finish, measure, origin
from measured import figure, ratios, spread, table
from serving import IN_FLIGHT, Serving, checked
from sources import HERE, find_or_say, lines_of

PROFILES = ("linear", "fast")
ALL = ("yeast", "medical", "scene", "enron")
MOA, RIVER, VW = "MOA MultilabelHoeffdingTree", "River BR of HoeffdingAdaptiveTree", "Vowpal Wabbit --multilabel_oaa"
MLHAT, MLHAT_TODAY = "MLHAT reference, River 0.19", "MLHAT reference, River 0.26"
MLHAT_RUNNERS = {MLHAT: "mlhat-0.19", MLHAT_TODAY: "mlhat"}
MLHAT_STREAMS = [("emotions", 1), ("yeast", 1), ("scene", 1), ("medical", 5)]
IN_PROCESS = {MOA: [(name, 1) for name in ALL], VW: [(name, 1) for name in ALL],  # peer -> streams, each how many-th line
              RIVER: [("yeast", 1), ("medical", 1), ("scene", 1)], MLHAT: MLHAT_STREAMS, MLHAT_TODAY: MLHAT_STREAMS}
SOCKET = ("yeast", "medical")
WANTED = {MOA: 20, MLHAT: 500, MLHAT_TODAY: 500}  # times its speed
# seconds of the paper's results (results/.../time_s.csv of its repository): test and train of the whole stream on its authors' machine
PUBLISHED = {"emotions": (593, 4.077), "yeast": (2417, 25.941), "scene": (2407, 38.767), "medical": (978, 353.764), "enron": (1702, 1217.524)}


class Peers:
    def __init__(self, bench, streams, labels, mlhat):
        self.bench, self.streams, self.labels, self.mlhat = bench, streams, labels, mlhat
        self.build, self.missing, self.servers = bench.serving.build, {}, {}

    def once(self, peer, stream):
        """Instances a second; None when the peer cannot be had."""
        if peer in self.missing:
            return None
        try:
            if peer == VW:
                return self.vw(stream)
            more = (MLHAT_RUNNERS[peer], self.mlhat) if peer in MLHAT_RUNNERS else ()
            return peers.run(self.build, peer, stream.path.read_bytes().splitlines(), *more)[1]
        except peers.Unavailable as why:
            self.missing[peer] = str(why)
            return None

    def vw(self, stream):
        lines = peer_sockets.vw_lines(stream.path.read_text().splitlines(), self.labels[stream.name])
        path = stream.path.with_suffix(".vw")
        path.write_bytes(b"".join(lines))
        passes = max(1, round(self.bench.seconds * 40000 / len(lines)))
        return float(checked([peers.python(self.build, "vw"), HERE / "peer_vw.py", "run", len(self.labels[stream.name]), path, passes], "peer_vw"))

    def vw_daemon(self, stream, verb, in_flight):
        """A learner of its own for each measurement; predictions come from one that has learned a pass."""
        lines = stream.path.read_text().splitlines()
        labels = self.labels[stream.name]
        with peer_sockets.vw_server(peers.python(self.build, "vw"), len(labels)) as port:
            told = peer_sockets.vw_lines(lines, labels)
            asked = peer_sockets.vw_lines(lines, labels, known=False)
            if verb == "predict":
                peer_sockets.drive(port, told, IN_FLIGHT, 0)
            return peer_sockets.drive(port, asked if verb == "predict" else told, in_flight, self.bench.seconds)

    def ours(self, profile, stream, verb, in_flight):
        to = self.bench.daemon(profile)
        if in_flight > 1 and verb == "test":
            return self.bench.fresh(to, verb, stream)
        model = self.bench.trained(profile, stream)
        return self.bench.serving.rate(to, verb, "--model", model, "--seconds", self.bench.seconds, stream.path, pipeline=in_flight)


def plan(p):
    todo = {}
    for peer, wanted in IN_PROCESS.items():
        if peer in MLHAT_RUNNERS and not p.mlhat:
            continue
        for stream in (p.streams[key] for key in wanted if key in p.streams):
            todo["in process", stream.name, "", peer] = lambda peer=peer, s=stream: p.once(peer, s)
            for profile in PROFILES:
                todo["in process", stream.name, profile, "homerd"] = lambda f=profile, s=stream: p.bench.serving.in_process(
                    s.path, f"model.profile={f}", max(1, round(p.bench.seconds * 30000 / s.lines)))
                todo["socket", stream.name, profile, "homerd"] = lambda f=profile, s=stream: p.ours(f, s, "test", IN_FLIGHT)
    for stream in (p.streams[name, 1] for name in SOCKET if (name, 1) in p.streams):
        for verb, in_flight in (("test", IN_FLIGHT), ("predict", IN_FLIGHT), ("test", 1), ("predict", 1)):
            what = f"{verb}, {in_flight} in flight"
            todo[what, stream.name, "", VW] = lambda s=stream, v=verb, n=in_flight: p.vw_daemon(s, v, n)
            for profile in PROFILES:
                todo[what, stream.name, profile, "homerd"] = lambda f=profile, s=stream, v=verb, n=in_flight: p.ours(f, s, v, n)
    return todo


def times(got, beside):
    """The ratio first, then the rate."""
    return f"**{spread(ratios(got, beside))}** ({spread(got)})" if got and beside and None not in beside else "-"


def verdict(wanted, got, beside):
    """By profile; got: part -> rates of each."""
    met = lambda rates: "yes" if statistics.median(ratios(rates, beside)) >= wanted else "**no**"
    told = [f"`{f}` " + ", ".join(f"{part} {met(rates[i])}" for part, rates in got.items() if rates[i]) for i, f in enumerate(PROFILES)]
    return f"{wanted} x: {'; '.join(told)}"


def in_process_rows(m, p):
    for peer, wanted in IN_PROCESS.items():
        for name in (p.streams[key].name for key in wanted if key in p.streams):
            beside = m.of("in process", name, "", peer)
            if not beside or None in beside:
                continue
            got = {part: [m.of(part, name, f, "homerd") for f in PROFILES] for part in ("in process", "socket")}
            met = verdict(WANTED[peer], got, beside) if peer in WANTED else ""
            yield [peer, name, *(times(rates, beside) for part in got.values() for rates in part), spread(beside), met]


def tables(m, p):
    rows = list(in_process_rows(m, p))
    if rows:
        yield table(["in process", "stream", "`linear` in process : peer", "`fast` in process : peer", "`linear` socket `test` : peer",
                     "`fast` socket `test` : peer", "peer, instances/s", "met"], rows)
    rows = [[what, stream, *(times(m.of(what, stream, f, "homerd"), beside) for f in PROFILES), spread(beside)]
            for (what, stream, _, peer), beside in m.values.items() if peer == VW and what != "in process"]
    if rows:
        yield table(["through a socket", "stream", "`linear` : Vowpal Wabbit's daemon", "`fast` : Vowpal Wabbit's daemon", "Vowpal Wabbit, requests/s"], rows)
    if not p.mlhat:
        rows = [["MLHAT reference", name, *(f"{figure(statistics.median(got) * seconds / n)} x" if (got := m.of("in process", name, f, "homerd")) else "-" for f in PROFILES),
                 f"{figure(n / seconds)}/s"] for name, (n, seconds) in PUBLISHED.items()]
        yield ("Not from this run: the reference of MLHAT is in no package registry (`--mlhat DIR` runs a checkout of it); its published seconds, of its "
               "authors' machine. The nearest in a registry is River's binary relevance of Hoeffding adaptive trees, above.\n\n"
               + table(["published", "stream", "`linear` in process : published", "`fast` in process : published", "published, instances/s"], rows))
    for peer, why in p.missing.items():
        yield f"{peer}: {why}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("HOMER_DATA"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--only", default="")
    parser.add_argument("--mlhat", type=Path, help="a checkout of the reference implementation")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    out = args.out or args.build / "bench"
    with Serving(args.build) as serving:
        streams, labels = {}, {}
        for name, every in sorted({key for keys in IN_PROCESS.values() for key in keys}):
            if source := find_or_say(args.data, name):
                key = name if every == 1 else f"{name} (each {every}th line)"
                streams[name, every] = Stream(key, lines_of(source)[::every], serving.folder)
                labels[key] = peer_sockets.labels_of(streams[name, every].path.read_text().splitlines())
        p = Peers(Bench(serving, args.seconds), streams, labels, args.mlhat)
        todo = {key: once for key, once in plan(p).items() if args.only in " ".join(key)}
        measured = measure(todo, args.rounds)
        text = "\n".join([origin(args.build, args.rounds, "peers"), "", *tables(measured, p)])
    finish(out, "peers", text, measured)


if __name__ == "__main__":
    main()
