# SPDX-License-Identifier: Apache-2.0
"""Progress lines and child processes that never outlive us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn, Sequence

STARTED = time.monotonic()


class RigError(Exception):
    """Something a human must read: printed without a traceback."""

    def summary(self) -> str:
        """Returns the last line, where programs say why."""
        return str(self).splitlines()[-1].strip()


class Stopped(BaseException):
    """A signal asked us to stop: unwinds through every cleanup."""


def say(text: str) -> None:
    """Prints one progress line with the seconds since start on stderr (stdout belongs to the job)."""
    print(f"vm [{time.monotonic() - STARTED:6.1f}s] {text}", file=sys.stderr, flush=True)


def stop_on_signals() -> None:
    """Turns the signals that end a program into an exception, so that locks, temporaries and children go away."""

    def stop(number: int, _frame: object) -> NoReturn:
        raise Stopped(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def kill_group(child: subprocess.Popen[bytes], grace: float = 5.0) -> None:
    """Ends a child started with start_new_session and everything it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            break
        try:
            child.wait(grace)
            if number == signal.SIGTERM:
                continue  # the leader is gone; what it left behind is killed
        except subprocess.TimeoutExpired:
            continue
    child.wait()


def run(command: Sequence[str | Path], *, log: Path, cwd: Path | None = None, stdin: bytes | None = None) -> None:
    """Runs a command to its end with its output in a log; raises RigError with the log's tail when it fails."""
    words = [str(word) for word in command]
    with log.open("ab") as sink:
        child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *words], cwd=cwd, start_new_session=True,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, stdout=sink, stderr=subprocess.STDOUT)
        try:
            child.communicate(stdin)
        except BaseException:
            kill_group(child)
            raise
    if child.returncode != 0:
        raise RigError(f"'{' '.join(words[:6])} ...' failed with status {child.returncode}:\n{tail(log)}")


def output_of(command: Sequence[str | Path]) -> str:
    """Runs a short command and returns what it wrote to stdout."""
    try:
        return subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout
    except subprocess.CalledProcessError as error:
        raise RigError(f"'{' '.join(map(str, error.cmd))}' failed: {error.stderr.strip()}") from error


def tail(path: Path, lines: int = 25) -> str:
    """Returns the last lines of a text file, indented; an absent file is an empty text."""
    try:
        text = path.read_bytes().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join("    " + line.rstrip() for line in text[-lines:])
