#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every tracked file says its licence near its top, and says the right one."""

from __future__ import annotations

import re
from pathlib import Path

from lint import Cases, is_corpus, text_of, tracked

# Texts of licences, files that are read as plain text, and JSON, which has no comments.
EXEMPT = {"LICENSE", "NEWS", "agent/programs/hook/haetae.json.in"}
# What runs in the kernel, and the headers that both halves share.
KERNEL, REST = "GPL-2.0-only OR BSD-2-Clause", "Apache-2.0"
LINE = re.compile(r"SPDX-License-Identifier:\s*(.*?)\s*(?:\*/|-->)?$")
TOP_LINES = 3


def fault_of(path: Path, expected: str) -> str | None:
    for number, line in enumerate(text_of(path).splitlines()[:TOP_LINES], start=1):
        if match := LINE.search(line):
            return None if match[1] == expected else f"{path}:{number}: '{match[1]}' instead of '{expected}'"
    return f"{path}:1: no SPDX-License-Identifier ('{expected}') in the first {TOP_LINES} lines"


def main() -> None:
    cases = Cases()
    areas: dict[str, list[str]] = {}
    for path in tracked():
        if str(path) in EXEMPT or path.parts[0] == "LICENSES" or is_corpus(path):
            continue
        in_kernel = path.parts[0] == "bpf-lsm" and path.suffix in (".c", ".h") or path.name.endswith(".bpf.c")
        expected = KERNEL if in_kernel else REST
        fault = fault_of(path, expected)
        areas.setdefault(path.parts[0] if len(path.parts) > 1 else "the top directory", []).extend([fault] if fault else [])
    for area, faults in areas.items():
        cases.add(f"licence lines in {area}", faults)
    named = {name for licence in (KERNEL, REST) for name in licence.split(" OR ")}
    missing = [f"LICENSES/{name}.txt: missing" for name in sorted(named) if Path(f"LICENSES/{name}.txt") not in tracked()]
    cases.add("the text of each licence is there", missing)
    cases.finish()


main()
