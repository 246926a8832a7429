#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manual pages are rendered without a warning, and the pages of ours that they refer to are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from lint import ROOT, Cases, text_of, tracked

# Both forms a page may be written in: mdoc's ".Xr name 8" and man's ".BR name (8)".
REFERENCE = re.compile(r"^\.(?:Xr|BR|IR)\s+((?:haetae|agentctl)[\w.-]*)\s+\(?(\d)\b", re.MULTILINE)


def faults_of(path: Path) -> list[str]:
    done = subprocess.run(["groff", "-mandoc", "-t", "-ww", "-K", "utf8", "-T", "utf8", "-z", path], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    faults = done.stdout.splitlines()
    if done.returncode and not faults:
        faults.append(f"{path}: groff ended with {done.returncode}")
    for match in REFERENCE.finditer(text_of(path)):
        page = f"{match[1]}.{match[2]}"
        if not (ROOT / path.parent / page).exists():
            faults.append(f"{path}: refers to {match[1]}({match[2]}), and there is no {path.parent / page}")
    return faults


def main() -> None:
    cases = Cases()
    for path in tracked():
        if path.parts[:2] == ("docs", "man") and re.fullmatch(r"\.[1-8]", path.suffix):
            cases.add(str(path), faults_of(path))
    cases.finish()


main()
