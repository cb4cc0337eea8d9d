"""Markdown of the tables."""


def mean(values):
    values = [float(v) for v in values]
    return sum(values) / len(values)


def number(value, digits=4):
    """.1234; – where there is nothing."""
    if value in ("", None, "nan") or value != value:
        return "–"
    return f"{float(value):.{digits}f}".replace("0.", ".", 1) if abs(float(value)) < 1 else f"{float(value):.{digits}f}"


def signed(value, digits=4):
    """+.0012"""
    return ("+" if value >= 0 else "−") + number(abs(value), digits)


def table(head, rows, left=1):
    """Lines of a table; the first columns are text, the others are right-aligned."""
    yield ""
    yield "| " + " | ".join(map(str, head)) + " |"
    yield "|" + "---|" * left + "---:|" * (len(head) - left)
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"
    yield ""
