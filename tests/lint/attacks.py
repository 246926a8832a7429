#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of attacks in docs/SECURITY.md is what the files of tests/attack say of themselves; --write brings it up to date.

And nothing that is known to be tried (tests/attack/rows) is left out: each has an act that begins with its name, or the page names
it, `like this`, where it says who holds it or why nothing can."""

from __future__ import annotations

import re
import sys
from pathlib import Path

WRITE = sys.argv[1:] == ["--write"] and bool(sys.argv.pop())

from lint import ROOT, Cases, text_of, tracked  # noqa: E402

PAGE = Path("docs/SECURITY.md")
ROWS = Path("tests/attack/rows")
NAMES = re.compile(r"([A-Z]\d\d(?:, [A-Z]\d\d)*): ")
BEGIN, END = "<!-- attacks: tests/lint/attacks.py --write -->\n", "<!-- end of attacks -->"


def said(path: Path) -> str:
    """Returns the first paragraph of the file's comment, behind the lines for tools."""
    words: list[str] = []
    for line in text_of(path).splitlines():
        if not line.startswith("#") or (line.strip() == "#" and words):
            break
        if not re.match(r"#!|# ?(SPDX|shellcheck)", line):
            words += line.lstrip("#").split()
    return " ".join(words).replace("|", r"\|")


def split(path: Path, text: str) -> tuple[list[str], str]:
    """Returns the rows that an act is of, and the rest of what it says. Those of the language itself are no row's."""
    names = NAMES.match(text)
    if not names:
        return ([] if path.stem.startswith("R") else [path.stem[:3]]), text
    return names[1].split(", "), text[names.end():]


def table() -> tuple[str, list[str], dict[str, str]]:
    """Returns the table as it should be, the files that say nothing of themselves, and which file is the act of each row."""
    files = [path for path in tracked() if path.parts[:2] == ("tests", "attack") and len(path.parts) == 3 and path.suffix == ".sh"]
    texts = {path.stem: split(path, said(path)) for path in files}
    rows = [f"| `{name}` | {text[:1].upper()}{text[1:]}{also(name, of)} |\n" for name, (of, text) in texts.items()]
    return ("| act | what is tried |\n|---|---|\n" + "".join(rows) if rows else "",
            [f"tests/attack/{name}.sh: no comment says what is tried" for name, (_, text) in texts.items() if not text],
            {row: f"tests/attack/{name}.sh" for name, (of, _) in texts.items() for row in of})


def also(name: str, rows: list[str]) -> str:
    """Returns the rows that the act's own name does not tell."""
    further = [row for row in rows if not name.startswith(row)]
    return f" (also {', '.join(further)})" if further else ""


def known() -> list[str]:
    return [line.split(" ", 1)[0] for line in text_of(ROWS).splitlines() if line and not line.startswith("#")]


def rows_missing(page: str, acts: dict[str, str]) -> list[str]:
    """Returns what is wrong with the list of what is tried, and with who holds it. page: without the table of acts."""
    rows, named = known(), set(re.findall(r"`([A-Z]\d\d)`", page))
    faults = [f"{ROWS}: {row} has no act, and {PAGE} says nothing of it" for row in rows if row not in acts and row not in named]
    faults += [f"{ROWS}: {row}: not in order, or there already" for before, row in zip(rows, rows[1:]) if row <= before]
    faults += [f"{acts[row]}: {row} is not in {ROWS}" for row in sorted(set(acts) - set(rows))]
    faults += [f"{PAGE}: {row} is not in {ROWS}" for row in sorted(named - set(rows))]
    for held in sorted(set(re.findall(r"`(\d\d-[a-z-]+|tests/unit[a-z/.-]*)`", page))):
        where = held if held.startswith("tests") else f"tests/vm/jobs/{held}"
        if not (ROOT / where).exists():
            faults.append(f"{PAGE}: {held} holds something, and is not there")
    return faults


def main() -> None:
    cases = Cases()
    page, (rows, silent, acts) = text_of(PAGE), table()
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
    cases.add("all that is known to be tried has an act, a job or a reason", rows_missing(head + tail, acts))
    cases.finish()


main()
