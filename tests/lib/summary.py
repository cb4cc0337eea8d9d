#!/usr/bin/python3
"""Adds up the reports of `meson test` and pytest: names what failed, ends with the line `N passed, N failed, N skipped`.

Usage: summary.py TESTLOG.JSON PYTEST.XML     exit 0 only if something passed and nothing failed; a report that is absent ran nothing"""
import collections
import json
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

MESON = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def meson_results(path):
    for row in path.read_text().splitlines():
        test = json.loads(row)
        yield test["name"], MESON.get(test["result"], "failed")


def pytest_results(path):
    for case in xml.parse(path).getroot().iter("testcase"):
        outcomes = {child.tag for child in case}
        result = "failed" if outcomes & {"failure", "error"} else "skipped" if "skipped" in outcomes else "passed"
        yield f"{case.get('classname')}.{case.get('name')}", result


def main(testlog, report):
    count = collections.Counter()
    for path, read in ((Path(testlog), meson_results), (Path(report), pytest_results)):
        if path.exists():
            for name, result in read(path):
                count[result] += 1
                if result == "failed":
                    print(f"FAILED {name}")
    print(f"\n{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
