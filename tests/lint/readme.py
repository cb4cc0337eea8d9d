#!/usr/bin/python3
"""The texts keep their promises: every ./dev sub-command they show exists, every relative link leads somewhere."""
import re
import source


def check(root):
    dev = (root / "dev").read_text()
    commands = set(re.findall(r"^\./dev (\w+)", dev, re.M))
    for path, file in source.files(root, ".md"):
        text = file.read_text()
        for command in re.findall(r"(?:^|[`\s])\./dev (\w+)", text):
            if command not in commands:
                yield f"{path}: ./dev {command} does not exist"
        for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
            if "://" not in link and not (file.parent / link).exists():
                yield f"{path}: link to {link} leads nowhere"
    if not commands:
        yield "dev: its help lists no sub-commands"


if __name__ == "__main__":
    source.main(check)
