#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No source file has grown so long that it holds more than one subject."""

from __future__ import annotations

from pathlib import Path

from lint import Cases, is_corpus, text_of, tracked

LINES_MAX = 700


def is_source(path: Path) -> bool:
    if is_corpus(path) or path.parts[0] in ("LICENSES", "docs"):
        return False
    return path.suffix in (".c", ".h", ".py", ".sh", ".bash", "") or path.name == "meson.build"


def main() -> None:
    cases = Cases()
    lengths = {path: len(text_of(path).splitlines()) for path in filter(is_source, tracked())}
    if lengths:
        cases.add(f"no source file has more than {LINES_MAX} lines",
                  [f"{path}: {length} lines, split it by subject" for path, length in lengths.items() if length > LINES_MAX])
    cases.finish()


main()
