# SPDX-License-Identifier: Apache-2.0
"""The jobs of the test suite: tests/vm/jobs/NAME with run.sh and job.conf."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

from .util import RigError

LINES = ("6.1", "6.12", "6.18", "newest")


@dataclasses.dataclass(frozen=True)
class Job:
    """One job directory and what its job.conf says (README.md lists the variables)."""

    directory: Path
    kernels: tuple[str, ...] = LINES
    append: str = ""
    timeout: int = 300
    smp: int = 2
    install: bool = True
    exclusive: bool = False

    @property
    def name(self) -> str:
        return self.directory.name


def load(directory: Path) -> Job:
    """Reads job.conf: shell assignments, but only of the names known here, so that a slip of the pen is an error."""
    conf = directory / "job.conf"
    values: dict[str, str] = {}
    for number, line in enumerate(conf.read_text().splitlines() if conf.exists() else (), start=1):
        for word in shlex.split(line, comments=True):
            key, equals, value = word.partition("=")
            if not equals or key not in ("KERNELS", "APPEND", "TIMEOUT", "SMP", "INSTALL", "EXCLUSIVE"):
                raise RigError(f"{conf}:{number}: '{word}' is no setting of a job")
            values[key] = value
    return Job(directory, tuple(values.get("KERNELS", " ".join(LINES)).split()), values.get("APPEND", ""), int(values.get("TIMEOUT", "300")),
               int(values.get("SMP", "2")), values.get("INSTALL", "1") == "1", values.get("EXCLUSIVE", "0") == "1")


def all_of(directory: Path) -> list[Job]:
    """Returns the jobs of a directory by name."""
    return [load(path.parent) for path in sorted(directory.glob("*/run.sh"))]
