#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shellcheck finds nothing in any shell script."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from lint import ROOT, Cases, text_of, tracked

SHEBANG = re.compile(r"#!\s*\S*(?:/|\benv\s+)(ba|da)?sh\b")


def is_script(path: Path) -> bool:
    return path.suffix in (".sh", ".bash") or bool(SHEBANG.match(text_of(path)[:100]))


def main() -> None:
    cases = Cases()
    for path in filter(is_script, tracked()):
        shell = ["--shell=bash"] if path.suffix == ".bash" else []
        done = subprocess.run(["shellcheck", "--external-sources", "--format=gcc", *shell, path], cwd=ROOT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        faults = done.stdout.splitlines()
        cases.add(str(path), faults if faults or not done.returncode else [f"shellcheck ended with {done.returncode}"])
    cases.finish()


main()
