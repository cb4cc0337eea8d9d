"""Servers to measure and the programs that measure them: homerd and the yardsticks started on free ports, loads of `homer bench`."""
import csv
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runner import sets

HERE = Path(__file__).resolve().parent
IN_FLIGHT = 256


def checked(command, what):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"bench: {what}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()[-300:]}")
    return done.stdout


class Serving:
    """Starts what is asked for, and stops all of it at the end; use as a context manager."""

    def __init__(self, build):
        self.build, self.homer = Path(build), Path(build) / "clients/cli/homer"
        # beside the build, on a disk: a folder in memory would flatter durability
        self.scratch = tempfile.TemporaryDirectory(prefix="bench-", dir=self.build)
        self.folder = Path(self.scratch.name)
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()
        self.scratch.cleanup()

    def daemon(self, settings="", keep=False):
        """The address of a new homerd; settings: "key=value key=value"; keep: with a data folder."""
        number = len(self.processes)
        port_file = self.folder / f"port{number}"
        more = ["--data-dir", self.folder / f"data{number}"] if keep else []
        process = subprocess.Popen([self.build / "daemon/homerd", "--listen", "127.0.0.1:0", "--port-file", port_file, *sets(settings), *more],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        while not port_file.is_file():
            if process.poll() is not None:
                sys.exit(f"bench: homerd {settings} did not start")
            time.sleep(0.01)
        return f"127.0.0.1:{json.loads(port_file.read_text())['tcp']}"

    def yardstick(self, kind):
        """The address of a bench_server: echo or decode."""
        process = subprocess.Popen([self.build / "tests/bench/bench_server", kind], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.processes.append(process)
        return f"127.0.0.1:{process.stdout.readline().strip()}"

    def command(self, to, *options):
        return [str(part) for part in (self.homer, "bench", "--to", to, "--json", *options)]

    def load(self, to, *options):
        """What homer bench says, as JSON; errors end the program."""
        return json.loads(checked(self.command(to, *options), "homer bench"))

    def rate(self, to, mix, *options, pipeline=IN_FLIGHT):
        """Requests a second."""
        return self.load(to, "--mix", mix, "--pipeline", pipeline, *options)["verbs"]["all"]["per_second"]

    def latency(self, to, mix, quantile, *options):
        """Milliseconds."""
        return self.load(to, "--mix", mix, *options)["verbs"][mix]["latency_ms"][quantile]

    def under_load(self, to, loading, measuring):
        """measuring() while another homer bench runs with the options `loading`, which is then stopped."""
        process = subprocess.Popen(self.command(to, "--seconds", 1000, *loading), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.3)
            value = measuring()
            if process.poll() is not None:
                sys.exit("bench: the load ended early")
            return value
        finally:
            process.terminate()  # what runs in the background of a shell ignores SIGINT
            process.wait()

    def jansson(self, stream, seconds):
        return float(checked([self.build / "tests/bench/bench_jansson", seconds, stream], "bench_jansson"))

    def in_process(self, stream, settings, passes):
        """Instances a second of the learner alone, names to ids + test + train: the median of passes, each with a fresh model."""
        out = checked([self.build / "tests/bench/bench_model", "--objective", "example_f1", *sets(settings), *[stream] * passes], "bench_model")
        rows = csv.DictReader(out.splitlines(), delimiter="\t")
        return statistics.median(float(row["per_second"]) for row in rows if row["by"] == "example_f1")
