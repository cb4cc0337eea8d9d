#!/usr/bin/python3
"""Small things that creep in: long files, paths of somebody's machine, sources that no build file names, unformatted line ends."""
import re
import source

MAX_LINES = 400
# spelled so that this file does not hold them
FOREIGN = re.compile("|".join(re.escape(a + b) for a, b in (("/wo", "rk/"), ("../sha", "red"), ("/ho", "me/"), ("/ro", "ot/"))))
TEXT = {".c", ".h", ".py", ".md", ".json", ".build", ".sh", ""}


def check(root):
    for path, file in source.files(root):
        if path.suffix not in TEXT:
            continue
        lines = file.read_text().split("\n")
        code = path.suffix in {".c", ".h", ".py"} or str(path) == "dev"
        if code and len(lines) > MAX_LINES:
            yield f"{path}: {len(lines)} lines; split it (at most {MAX_LINES})"
        for number, row in enumerate(lines, 1):
            if FOREIGN.search(row):
                yield f"{path}:{number}: a path of somebody's machine"
            if row != row.rstrip() or "\t" in row:
                yield f"{path}:{number}: a tab or a blank at the end"
        if lines[-1] != "":
            yield f"{path}: no newline at the end"
        if path.suffix == ".c":
            # named by the build file of its own folder or of one above it: as a file, or as a word to which a loop adds the prefix
            builds = [folder / "meson.build" for folder in file.parents if (folder / "meson.build").is_file() and folder.is_relative_to(root)]
            name = rf"['/]{re.escape(path.stem)}(\.c)?'|'{re.escape(re.sub('^(test|fuzz)_', '', path.stem))}'"
            if not any(re.search(name, build.read_text()) for build in builds):
                yield f"{path}: no meson.build names it"


if __name__ == "__main__":
    source.main(check)
