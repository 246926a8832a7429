# SPDX-License-Identifier: Apache-2.0
"""What goes into the guest: one tar with 'rig' (the guest's half of the rig), 'job', 'src' and 'install'."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import tarfile
from pathlib import Path
from typing import Mapping, Sequence

from .image import GUEST

SECTOR = 512


def write(tar_path: Path, job: Path | None, run_script: str | None, install: Path | None,
          sources: Sequence[tuple[str, Path]], variables: Mapping[str, str]) -> None:
    """Writes the job tar.

    job: directory that becomes /job; run_script: text of its run.sh where there is no job; install: tree laid over /;
    sources: (name, file or directory) pairs that become /src/NAME; variables: what the guest's half is told.
    """
    environment = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in variables.items())
    with tarfile.open(tar_path, "w", format=tarfile.GNU_FORMAT) as tar:
        _directories(tar, "rig", "job", "src")
        _text(tar, "rig/env", environment)
        for script in sorted(GUEST.glob("*.sh")):
            _text(tar, f"rig/{script.name}", script.read_text())
        if install:
            names = (f"{path.relative_to(install)}\n" for path in sorted(install.rglob("*")))
            _text(tar, "rig/installed", "".join(names))
            tar.add(install, "install", filter=_as_root)
        if job:
            tar.add(job, "job", filter=_as_root)
        if run_script is not None:
            _text(tar, "job/run.sh", run_script)
        for name, path in sources:
            tar.add(path.resolve(), f"src/{name}", filter=_as_root)
    # The guest sees whole sectors of a block device.
    size = tar_path.stat().st_size
    with tar_path.open("r+b") as handle:
        handle.truncate((size + SECTOR - 1) // SECTOR * SECTOR)


def shell_variables() -> dict[str, str]:
    """Returns what an interactive shell in the guest needs to know of our terminal."""
    size = shutil.get_terminal_size()
    return {"RIG_SHELL": "1", "RIG_TERM": os.environ.get("TERM", "vt100"),
            "RIG_ROWS": str(size.lines), "RIG_COLUMNS": str(size.columns)}


def _as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _directories(tar: tarfile.TarFile, *names: str) -> None:
    for name in names:
        member = tarfile.TarInfo(name)
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(member)


def _text(tar: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o755
    tar.addfile(member, io.BytesIO(data))
