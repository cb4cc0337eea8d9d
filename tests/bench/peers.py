"""The peers, other projects' learners: a virtual environment of their own with pinned versions, made on demand. PEERS are those of the table
`trees` of the study; `bench_peers.py` has more."""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSIONS = {"river": "river==0.26.1", "moa": "capymoa==0.15.1",  # capymoa carries MOA
            "vw": "vowpalwabbit==9.11.9", "mlhat": "river==0.26.1", "napkinxc": "napkinxc==0.7.2",
            "mlhat-0.19": "river==0.19.0 numpy<2 pandas<2.2 scipy<1.12 pytest"}  # of the reference's time, and what that needs
APART = {"mlhat-0.19"}  # runners whose packages do not go together with the others'
# name -> (runner, every how many-th instance of a recorded stream it gets: the slow ones see fewer, homerd beside them the same)
PEERS = {
    "MOA MultilabelHoeffdingTree": ("moa", (1, 5)),
    "MOA BR of HoeffdingTree": ("moa", (1, 5)),
    "MOA BR of HoeffdingAdaptiveTree": ("moa", (1, 5)),
    "MOA ISOUPTree": ("moa", (5,)),
    "MOA BR of AdaptiveRandomForest (3 trees)": ("moa", (5,)),
    "River BR of HoeffdingTree": ("river", (5,)),
    "River BR of HoeffdingAdaptiveTree": ("river", (5,)),
    "River ClassifierChain of HoeffdingTree": ("river", (5,)),
    "River BR of ARF (3 trees)": ("river", (5,)),
    "River iSOUP-T": ("river", (5,)),
    "River BR of AMF (3 trees)": ("river", (25,)),
}


class Unavailable(Exception):
    """A peer that cannot be had here; the text says why."""


def python(build, runner):
    """The interpreter that has the runner's package; makes the environment and installs what is missing."""
    folder = Path(build) / "peers" / (runner if runner in APART else "")
    found, mark = folder / "bin/python", folder / f"{VERSIONS[runner].split()[0]}.installed"
    if runner == "moa" and not shutil.which("java"):
        raise Unavailable("no Java (Debian: default-jre-headless)")
    if mark.exists():
        return found
    print(f"installing {VERSIONS[runner]} into {folder}", file=sys.stderr, flush=True)
    for command in ([sys.executable, "-m", "venv", folder], [found, "-m", "pip", "install", "-q", *VERSIONS[runner].split()]):
        if command[0] == sys.executable and found.exists():
            continue
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Unavailable(f"could not be installed: {(done.stdout.strip().splitlines() or ['?'])[-1]}")
    mark.write_text("")
    return found


def run(build, peer, lines, runner=None, *more):
    """(labelsets predicted, instances a second, versions) of one peer over lines of a stream; more: arguments of its runner."""
    runner = runner or PEERS[peer][0]
    program = python(build, runner)
    with tempfile.TemporaryDirectory() as folder:
        stream, out = Path(folder) / "stream.jsonl", Path(folder) / "out"
        stream.write_bytes(b"\n".join(lines) + b"\n")
        done = subprocess.run(["nice", program, HERE / f"peer_{runner.split('-')[0]}.py", peer, stream, out, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise Unavailable(f"failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
        *rows, told = map(json.loads, out.read_text().splitlines())
        return [frozenset(row) for row in rows], told["per_second"], told["versions"]
