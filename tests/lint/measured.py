#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md and its plot say what the record of measurements says, and a budget is for something that was measured."""

from __future__ import annotations

import sys
from pathlib import Path

from lint import ROOT, Cases, text_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
from report import figures, plot, tables  # noqa: E402

RECORD, BUDGETS = Path("tests/bench/figures.tsv"), Path("tests/bench/calls/budgets.tsv")


def main() -> None:
    cases = Cases()
    table = figures.read(ROOT / RECORD)
    for path, text in ((Path("docs/performance.md"), tables.page(table)), (Path("docs/performance.svg"), plot.svg(table))):
        pairs = zip(text_of(path).splitlines() + ["(its end)"], text.splitlines() + ["(its end)"])
        differ = [f"{path}:{number}: not what {RECORD} says: {there}" for number, (there, here) in enumerate(pairs, start=1)
                  if there != here]
        cases.add(f"{path} is written of {RECORD}", differ[:5])
    rows = [line.split("\t") for line in text_of(BUDGETS).splitlines() if line and not line.startswith("#")]
    cases.add(f"{BUDGETS}: each is for a figure",
              [f"{BUDGETS}: {', '.join(row)}: nothing of that name was measured" for row in rows
               if len(row) != 4 or table.added("calls", *row[:3]) is None])
    cases.finish()


main()
