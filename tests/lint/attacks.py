#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of attacks in docs/SECURITY.md is what the files of tests/attack say of themselves; --write brings it up to date."""

from __future__ import annotations

import re
import sys
from pathlib import Path

WRITE = sys.argv[1:] == ["--write"] and bool(sys.argv.pop())

from lint import ROOT, Cases, text_of, tracked  # noqa: E402

PAGE = Path("docs/SECURITY.md")
BEGIN, END = "<!-- attacks: tests/lint/attacks.py --write -->\n", "<!-- end of attacks -->"


def said(path: Path) -> str:
    """Returns the first paragraph of the file's comment, behind the lines for tools."""
    words: list[str] = []
    for line in text_of(path).splitlines():
        if not line.startswith("#") or (line.strip() == "#" and words):
            break
        if not re.match(r"#!|# ?(SPDX|shellcheck)", line):
            words += line.lstrip("#").split()
    return re.sub(r"^[A-Z]\d+(, [A-Z]\d+)*: ", "", " ".join(words)).replace("|", r"\|")


def table() -> tuple[str, list[str]]:
    """Returns the table as it should be, and the files that say nothing of themselves."""
    files = [path for path in tracked() if path.parts[:2] == ("tests", "attack") and len(path.parts) == 3 and path.suffix == ".sh"]
    texts = {path.stem: said(path) for path in files}
    rows = [f"| `{name}` | {text[:1].upper()}{text[1:]} |\n" for name, text in texts.items()]
    return ("| act | what is tried |\n|---|---|\n" + "".join(rows) if rows else "",
            [f"tests/attack/{name}.sh: no comment says what is tried" for name, text in texts.items() if not text])


def main() -> None:
    cases = Cases()
    page, (rows, silent) = text_of(PAGE), table()
    head, begin, rest = page.partition(BEGIN)
    present, end, tail = rest.partition(END)
    if WRITE and begin and end:
        (ROOT / PAGE).write_text(head + begin + rows + end + tail)
        present = rows
    wanted, there = set(rows.splitlines()), set(present.splitlines())
    faults = [f"{PAGE}: missing or not up to date: {line}" for line in sorted(wanted - there)]
    faults += [f"{PAGE}: no such attack: {line}" for line in sorted(there - wanted)]
    if not rows:
        faults.append("there are no attacks in tests/attack")
    elif not faults and present != rows:
        faults.append(f"{PAGE}: the table is not in order")
    cases.add("the table of attacks in docs/SECURITY.md", faults)
    cases.add("every attack says what is tried", silent)
    cases.finish()


main()
