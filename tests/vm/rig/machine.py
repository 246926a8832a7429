# SPDX-License-Identifier: Apache-2.0
"""One run of one virtual machine: QEMU in a process group of its own, watched until it ends or its time is up."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import selectors
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path
from typing import BinaryIO, Iterator

from .image import DISK_ID
from .kernel import Kernel
from .util import RigError, kill_group

TIMED_OUT = 124
RIG_FAILED = 125
NEVER_FINISHED = 126
OUT_BYTES = 512 << 20  # a hole in a file: room for what a job leaves in /out


@dataclasses.dataclass(frozen=True)
class Machine:
    """What one boot is made of."""

    kernel: Kernel
    root: Path
    out: Path  # results, console.log, output.log
    further: tuple[Path, ...] = ()  # disks of further roots
    append: str = ""
    cpus: int = 2
    memory: str = "2G"
    timeout: float = 300.0
    icount: bool = False
    shell: bool = False
    quiet: bool = False  # job output only to output.log
    reboots: bool = False  # a restart does not end it, only the end of its job

    def command(self, job: Path, results: Path) -> list[str]:
        """Returns QEMU's command line. Namespaces: 1 root, 2 job (tar), 3 results (tar), 4 modules, 5 and up further
        roots."""
        # sleep=off: where everybody waits for a moment, it comes at once; the guest's clock counts the same.
        accel = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-smp", "1"] if self.icount else [
            "-accel", "tcg,thread=multi", "-smp", str(self.cpus)]
        # norandmaps: what the emulator translated of a library serves every process that has it at the same address;
        # starting a program takes a third of the time.
        # tsc=unstable: or the scheduler's clock is patched as stable while both processors run, and one can still execute
        # the breakpoint of the patching when the kernel has done with it: the emulator has it translated. With one processor
        # nobody else runs, and reading the TSC takes a tenth off what the host does for a job: any other clock is a device.
        # mitigations=off, init_on_alloc=0: the emulated processor has nothing to be protected from, and clears memory a word at a time;
        # a third of the host's work. cryptomgr.notests: ciphers that nobody asks for are not tried at every boot. Where instructions are
        # counted, the kernel is as it is elsewhere.
        # nohz=off, io_timeout: while the guest waits for its disk as well its clock goes on, by a tick at a time and not to the far end
        # of somebody's patience.
        faster = "mitigations=off init_on_alloc=0 cryptomgr.notests "
        if self.icount:
            faster = "nohz=off nvme_core.io_timeout=86400 "
        elif self.cpus > 1:
            faster += "tsc=unstable "
        append = (f"root=PARTUUID={DISK_ID:08x}-01 rootwait rw rootfstype=ext4 console=ttyS0 quiet panic=-1 norandmaps "
                  f"{faster}net.ifnames=0 systemd.show_status=0 {self.append}").strip()
        words = ["setpriv", "--pdeathsig", "KILL", "--",  # should we be killed, no QEMU stays behind
                 "qemu-system-x86_64", "-machine", "q35", "-cpu", "max", *accel, "-m", self.memory,
                 "-nodefaults", "-no-user-config", "-display", "none", *([] if self.reboots else ["-no-reboot"]),
                 "-kernel", str(self.kernel.vmlinux), "-append", append,
                 "-serial", f"file:{self.out}/console.log",
                 "-chardev", "stdio,id=job,signal=off", "-serial", "chardev:job",
                 "-device", "nvme,id=nvme,serial=rig"]
        if self.kernel.initrd:
            words += ["-initrd", str(self.kernel.initrd)]
        disks = [(self.root, "snapshot=on"), (job, "readonly=on"), (results, ""), (self.kernel.modules, "readonly=on"),
                 *((path, "readonly=on") for path in self.further)]
        for number, (path, options) in enumerate(disks, start=1):
            words += ["-drive", f"file={path},if=none,id=disk{number},format=raw,cache=unsafe,{options}".rstrip(","),
                      "-device", f"nvme-ns,drive=disk{number},bus=nvme,nsid={number}"]
        return words

    def run(self, job: Path) -> int:
        """Boots, runs the job in a tar file, brings /out back. Returns: its status, TIMED_OUT or NEVER_FINISHED."""
        results = self.out / ".results"
        with results.open("wb") as handle:
            handle.truncate(OUT_BYTES)
        try:
            with (self.out / "output.log").open("wb") as log:
                if not self._watch(self.command(job, results), log):
                    return TIMED_OUT
            subprocess.run(["tar", "-C", self.out, "--no-same-owner", "-xf", results], stderr=subprocess.DEVNULL)
        finally:
            results.unlink()
        try:
            return int((self.out / "rig-status").read_text())
        except (OSError, ValueError):
            return NEVER_FINISHED

    def _watch(self, command: list[str], log: BinaryIO) -> bool:
        """Runs QEMU and passes the second serial line on. Returns: whether it ended by itself in time."""
        deadline = None if self.shell else time.monotonic() + self.timeout
        with (self.out / "qemu.log").open("wb") as complaints:
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
                                     start_new_session=True)
        try:
            with _raw_terminal(self.shell):
                ended = self._pass_on(child, log, deadline)
        finally:
            kill_group(child)  # nothing of it remains, whichever way we leave
        if child.returncode > 0:
            raise RigError(f"QEMU failed: {(self.out / 'qemu.log').read_text(errors='replace').strip()}")
        return ended

    def _pass_on(self, child: subprocess.Popen[bytes], log: BinaryIO, deadline: float | None) -> bool:
        """Copies serial output to stdout and the log, and with a shell, keys to the guest."""
        assert child.stdout and child.stdin
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            if self.shell:
                selector.register(sys.stdin, selectors.EVENT_READ)
            while True:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                for key, _ in selector.select(left):
                    data = os.read(key.fd, 65536)
                    if key.fileobj is child.stdout:
                        if not data:
                            child.wait()
                            return True
                        self._show(data, log)
                    elif data:
                        child.stdin.write(data)
                        child.stdin.flush()
                    else:
                        selector.unregister(sys.stdin)

    def _show(self, data: bytes, log: BinaryIO) -> None:
        log.write(data)
        log.flush()
        if not self.quiet:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()


@contextlib.contextmanager
def _raw_terminal(wanted: bool) -> Iterator[None]:
    """Hands every key, Ctrl-C too, to the guest while its shell is open."""
    if not wanted or not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
