# SPDX-License-Identifier: Apache-2.0
"""What was built once and is kept outside the tree: entries named by kind and by a digest of their recipe.

An entry is built under a lock in a temporary directory and appears by rename, so it is whole or absent, whatever
interrupts the build and however many runs want it at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Callable, Iterator

from .util import say


def root() -> Path:
    """Returns the cache directory, creating it."""
    if path := os.environ.get("HAETAE_CACHE"):
        directory = Path(path)
    else:
        directory = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "haetae"
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def digest(*parts: str) -> str:
    """Returns a short name for a recipe: equal parts, equal name."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Holds the lock of one cache entry; the kernel lets go of it when we die."""
    with (root() / f".lock-{name}").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run that is preparing {name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def entry(name: str, build: Callable[[Path], None]) -> Path:
    """Returns the directory of an entry, calling build(directory) first when there is none yet."""
    final = root() / name
    if final.is_dir():
        return final
    with lock(name):
        if final.is_dir():
            return final
        for stale in root().glob(f".new-{name}.*"):  # left by a run that was killed: nobody else holds the lock
            remove(stale)
        work = Path(tempfile.mkdtemp(prefix=f".new-{name}.", dir=root()))
        try:
            build(work)
            work.chmod(0o755)
            work.rename(final)
        finally:
            remove(work)
    return final


def remove(directory: Path) -> None:
    """Removes a directory, but nothing that is mounted below it: a killed mmdebstrap may leave /dev and /proc there."""
    subprocess.run(["rm", "-rf", "--one-file-system", directory], stderr=subprocess.DEVNULL)


def prune(pattern: str, keep: int) -> None:
    """Removes all but the most recently used entries of a kind. A machine that runs from one keeps its open files."""
    entries = sorted(root().glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in entries[keep:]:
        say(f"removing outdated {old.name} from the cache")
        remove(old)
