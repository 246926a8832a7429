# SPDX-License-Identifier: Apache-2.0
"""Figures: what was measured, by part (a benchmark), kernel, workload and configuration. The record is a table with tabs, sorted
by nothing but when a part was measured first, so that a new measurement changes values and no order."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Iterable

HEAD = """# SPDX-License-Identifier: Apache-2.0
# What './dev bench --write' measured last. Part, kernel, workload, configuration, value (instructions, or bytes), and how many
# rounds came to it (calls, peers: of five, within a thousandth).
"""


@dataclasses.dataclass(frozen=True)
class Figure:
    part: str
    kernel: str
    workload: str
    configuration: str
    value: int
    settled: int


class Table:
    """Figures by part and kernel, and one of them by its name."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self.figures = list(figures)
        self._values = {(f.part, f.kernel, f.workload, f.configuration): f.value for f in self.figures}

    def value(self, part: str, kernel: str, workload: str, configuration: str = "plain") -> int | None:
        return self._values.get((part, kernel, workload, configuration))

    def added(self, part: str, kernel: str, workload: str, configuration: str) -> int | None:
        """Returns what the configuration adds to the same without anything."""
        value, plain = (self.value(part, kernel, workload, name) for name in (configuration, "plain"))
        return None if value is None or plain is None else value - plain

    def kernels(self, part: str) -> list[str]:
        return list(dict.fromkeys(f.kernel for f in self.figures if f.part == part))

    def workloads(self, part: str, kernel: str) -> list[str]:
        return list(dict.fromkeys(f.workload for f in self.figures if (f.part, f.kernel) == (part, kernel)))

    def configurations(self, part: str, kernel: str) -> list[str]:
        return list(dict.fromkeys(f.configuration for f in self.figures if (f.part, f.kernel) == (part, kernel)))


def read(path: Path) -> Table:
    """Returns the record, empty if there is none yet."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return Table(Figure(*row[:4], int(row[4]), int(row[5])) for row in rows)


def write(path: Path, table: Table) -> None:
    lines = ("\t".join((f.part, f.kernel, f.workload, f.configuration, str(f.value), str(f.settled))) for f in table.figures)
    path.write_text(HEAD + "\n".join(lines) + "\n")


def measured(directory: Path) -> list[Figure]:
    """Returns what a benchmark left in its directory, NAME@KERNEL or, of some of its workloads, NAME@KERNEL@WHICH."""
    part, kernel = directory.name.split("@")[:2]
    path = directory / "figures.tsv"
    rows = (line.split("\t") for line in path.read_text().splitlines()) if path.exists() else ()
    return [Figure(part, kernel, row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def is_whole(directory: Path) -> bool:
    """Tells whether all of a benchmark's workloads were to be measured."""
    return directory.name.count("@") == 1


def merged(table: Table, new: list[Figure], whole: bool) -> Table:
    """Returns the table with the figures of one benchmark on one kernel in the place of the former ones: of all of them, or of
    those that are of the same workloads."""
    keys = {(f.part, f.kernel, f.workload) for f in new}

    def gone(f: Figure) -> bool:
        return (f.part, f.kernel) == (new[0].part, new[0].kernel) and (whole or (f.part, f.kernel, f.workload) in keys)

    kept = [f for f in table.figures if not gone(f)]
    places = [i for i, f in enumerate(table.figures) if gone(f)]
    beside = [i + 1 for i, f in enumerate(kept) if (f.part, f.kernel) == (new[0].part, new[0].kernel)]
    at = places[0] if places else beside[-1] if beside else len(kept)
    return Table(kept[:at] + new + kept[at:])
