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
    kernels: tuple[str, ...]
    append: str
    timeout: int
    smp: int
    install: bool
    exclusive: bool
    by_name: bool
    roots: tuple[str, ...]
    icount: bool
    userland: str
    suite: str
    reboots: bool

    @property
    def name(self) -> str:
        return self.directory.name


def load(directory: Path) -> Job:
    """Reads job.conf: shell assignments, but only of the names known here, so that a slip of the pen is an error."""
    values = {"KERNELS": " ".join(LINES), "APPEND": "", "TIMEOUT": "300", "SMP": "2", "INSTALL": "1", "EXCLUSIVE": "0",
              "BY_NAME": "0", "ROOTS": "", "ICOUNT": "0", "USERLAND": "", "SUITE": "", "REBOOTS": "0"}
    conf = directory / "job.conf"
    for number, line in enumerate(conf.read_text().splitlines() if conf.exists() else (), start=1):
        for word in shlex.split(line, comments=True):
            key, equals, value = word.partition("=")
            if not equals or key not in values:
                raise RigError(f"{conf}:{number}: '{word}' is no setting of a job")
            values[key] = value
    return Job(directory, tuple(values["KERNELS"].split()), values["APPEND"], int(values["TIMEOUT"]),
               int(values["SMP"]), values["INSTALL"] == "1", values["EXCLUSIVE"] == "1", values["BY_NAME"] == "1",
               tuple(values["ROOTS"].split()), values["ICOUNT"] == "1", values["USERLAND"],
               values["SUITE"], values["REBOOTS"] == "1")


def all_of(directory: Path) -> list[Job]:
    """Returns the jobs of a directory by name."""
    return [load(path.parent) for path in sorted(directory.glob("*/run.sh"))]
