"""Vowpal Wabbit's multi-label reduction, from its wheel, in the virtual environment that peers.py makes.

Usage: peer_vw.py run LABELS FILE PASSES     in process: FILE (its own text format) through a new learner, PASSES times; prints instances a second
       peer_vw.py serve LABELS PORT          as a daemon on PORT of every interface, one process, until killed
The wheel has no `vw` program; it has the same driver and daemon, which are run here."""
import sys
import time

import vowpalwabbit
from vowpalwabbit import pyvw

OPTIONS = "--multilabel_oaa {} --loss_function logistic -b 20 --quiet"


def run(labels, path, passes):
    spent = 0.0
    for _ in range(int(passes)):
        begin = time.perf_counter()
        vowpalwabbit.Workspace(f"{OPTIONS.format(labels)} -d {path}").finish()
        spent += time.perf_counter() - begin
    with open(path) as f:
        print(sum(1 for _ in f) * int(passes) / spent)


def serve(labels, port):
    learner = vowpalwabbit.Workspace(f"{OPTIONS.format(labels)} --daemon --foreground --num_children 1 --port {port}")
    pyvw.pylibvw.vw.run_parser(learner)


if __name__ == "__main__":
    {"run": run, "serve": serve}[sys.argv[1]](*sys.argv[2:])
