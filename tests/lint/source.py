"""What all lint checks share: the project's files, and how a check reports. A check is a program: CHECK.py ROOT; exit 0 clean, 1 not, 77 skipped."""
import sys
from pathlib import Path

SKIP = 77


def files(root, *suffixes):
    """The project's files as (path relative to root, path), sorted; build folders, caches and hidden ones other than .ci left out."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        top = name.parts[0]
        if (top.startswith(".") and top != ".ci") or top.startswith("build") or {"__pycache__", ".pytest_cache"} & set(name.parts) or "corpus" in name.parts:
            continue  # of fuzzing: bytes, not text
        if path.is_file() and (not suffixes or path.suffix in suffixes):
            yield name, path


def main(check):
    """Runs check(root), an iterator of complaints, and exits."""
    complaints = list(check(Path(sys.argv[1]).resolve()))
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)
