# SPDX-License-Identifier: Apache-2.0
"""Reading TAP, the format in which jobs and unit tests say what they found."""

from __future__ import annotations

import dataclasses
import re

RESULT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*(.*?)(?:\s+#\s*(SKIP|TODO)\b:?\s*(.*))?$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*SKIP\b\s*(.*))?", re.IGNORECASE)


@dataclasses.dataclass
class Case:
    """One test case: passed, failed or (with a reason) skipped; the comment lines after a failure explain it."""

    name: str
    passed: bool
    skip: str | None = None
    details: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Report:
    """What one producer said. A broken promise (plan not kept, bail out) is a failed case of its own."""

    cases: list[Case] = dataclasses.field(default_factory=list)

    def fail(self, name: str, *details: str) -> None:
        self.cases.append(Case(name, False, details=list(details)))

    def skip(self, name: str, reason: str) -> None:
        self.cases.append(Case(name, False, skip=reason))


def parse(text: str) -> Report:
    """Reads TAP mixed with other output; what is no TAP line is passed over."""
    report, planned = Report(), None  # type: Report, int | None
    for line in text.replace("\r", "").splitlines():
        if match := RESULT.match(line):
            negative, _, name, directive, reason = match.groups()
            skip = (reason or "no reason given") if (directive or "").upper() == "SKIP" else None
            report.cases.append(Case(name or "(no name)", not negative and skip is None, skip))
        elif match := PLAN.match(line):
            planned = int(match.group(1))
            if planned == 0:
                report.skip("everything", match.group(2) or "no reason given")
                planned = None
        elif line.lower().startswith("bail out!"):
            report.fail(line)
        elif line.startswith("#") and report.cases and not report.cases[-1].passed:
            report.cases[-1].details.append(line)
    if planned is not None and planned != len(report.cases):
        report.fail(f"plan: {planned} cases were announced and {len(report.cases)} were run")
    return report
