#!/usr/bin/python3
"""C sources are as .clang-format says. Skipped where clang-format is not installed."""
import shutil
import subprocess
import sys
import source


def check(root):
    names = [str(path) for path, _ in source.files(root, ".c", ".h")]
    run = subprocess.run(["clang-format", "--dry-run", *names], cwd=root, capture_output=True, text=True)
    for row in run.stderr.splitlines():
        if "warning:" in row or "error:" in row:
            yield row
    if run.returncode:
        yield f"clang-format: exit {run.returncode}"


if __name__ == "__main__":
    if not shutil.which("clang-format"):
        sys.exit(source.SKIP)
    source.main(check)
