# SPDX-License-Identifier: Apache-2.0
"""What every check of the tree shares: which files are tracked, and results in TAP.

A check takes the tree's root as its only argument (default: the tree it stands in) and prints one case for each thing it
looked at; the lines behind a failed case name every fault as path:line: what.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "../..").resolve()


def tracked() -> list[Path]:
    """Returns the tracked files, relative to ROOT; in a tree without git all but what a build leaves."""
    if (ROOT / ".git").exists():
        names = subprocess.run(["git", "-C", ROOT, "-c", f"safe.directory={ROOT}", "ls-files", "-z"], check=True,
                               stdout=subprocess.PIPE).stdout.split(b"\0")
        files = [Path(os.fsdecode(name)) for name in names if name]
    else:
        files = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        files = [path for path in files if not path.parts[0].startswith("build") and "__pycache__" not in path.parts]
    return sorted(path for path in files if (ROOT / path).is_file() and not (ROOT / path).is_symlink())


def is_corpus(path: Path) -> bool:
    """Inputs of fuzz targets are bytes, not text of ours."""
    return path.parts[:2] == ("tests", "fuzz") and "corpus" in path.parts


def text_of(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


class Cases:
    """Prints cases as they come and the plan at the end."""

    def __init__(self) -> None:
        self._count = self._failed = 0

    def add(self, name: str, faults: list[str]) -> None:
        self._count += 1
        self._failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {self._count} - {name}")
        for fault in faults:
            print(f"# {fault}")

    def finish(self) -> None:
        """Ends the check; one that looked at nothing has failed."""
        if not self._count:
            self.add("something was checked", ["no file of this kind was found"])
        print(f"1..{self._count}")
        sys.exit(1 if self._failed else 0)
