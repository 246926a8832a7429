#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks notice: each fault below is planted in a copy of the tree, and the check has to name it."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterable

from lint import ROOT, Cases, tracked
from places import hosts

HERE = Path(__file__).resolve().parent
HOST = min(hosts(), default="apt names no host")


@dataclasses.dataclass(frozen=True)
class Fault:
    check: str
    file: str  # written to; made if it is missing
    old: str   # replaced by new; "" appends
    new: str
    said: str  # what the check has to say and did not say before
    alone: bool = False  # in a tree of this file alone: the check looks at each by itself, and takes long over all


FAULTS = [
    Fault("rooms", "agent/util/fd.c", "", '#include "policy/policy.h"\n', "'util' may not use 'policy'"),
    Fault("rooms", "agent/compile/image.c", "", '#include "kernel/kernel.h"\n', "'compile' may not use 'kernel'"),
    Fault("rooms", "agent/event/event.c", "", '#include "store/store.h"\n', "'event' may not use 'store'"),
    Fault("rooms", "agent/programs/agentctl/main.c", "", '#include "programs/haetaed/agent.h"\n',
          "'agentctl' may not use 'haetaed'"),
    Fault("rooms", "agent/programs/agentctl/main.c", "", "#include <bpf/bpf.h>\n", "'agentctl' may not use libbpf"),
    Fault("rooms", "agent/util/fd.c", "", '#include "cleanup.h"\n', "does not name a file by its room"),
    Fault("rooms", "agent/attic/attic.c", "", "/* nothing */\n", "attic.c: is in no room"),
    Fault("rooms", "docs/ARCHITECTURE.md", "| room | where |", "| home | where |", "there is no table"),
    Fault("rooms", "docs/ARCHITECTURE.md", "| util | agent/util | – |", "| util | agent/util | store |",
          "'util' may use 'store', which does not stand above it"),
    Fault("licences", "agent/util/fd.c", "SPDX-License-Identifier: Apache-2.0", "", "agent/util/fd.c:1: no SPDX"),
    Fault("licences", "bpf-lsm/abi.h", "GPL-2.0-only OR BSD-2-Clause", "Apache-2.0", "bpf-lsm/abi.h:1: 'Apache-2.0' instead"),
    Fault("licences", "dev", "Apache-2.0", "MIT", "dev:2: 'MIT' instead"),
    Fault("places", "agent/util/fd.c", "", f"/* https://{HOST}/pool */\n", HOST),
    Fault("places", "agent/util/fd.c", "", "/* @PARENT@/x */\n", "/checkout"),
    Fault("shell", "tests/vm/stage", "", "echo $unquoted $(ls *)\n", "tests/vm/stage:", alone=True),
    Fault("manual", "docs/man/haetae.policy.5", "", ".Zz nothing\n", "haetae.policy.5:"),
    Fault("manual", "docs/man/haetae.policy.5", "", ".Xr haetae-nowhere 8\n", "refers to haetae-nowhere(8)"),
    Fault("length", "agent/util/fd.c", "", "\n" * 701, "agent/util/fd.c: 7"),
    Fault("catalog", "systemd/haetae.catalog", "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e01", "0" * 32, "0 entries for 7d1f6d3a"),
    Fault("catalog", "systemd/haetae.catalog", "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e02", "0" * 32, "00000000 is no EVENT_MESSAGE_"),
    Fault("catalog", "agent/event/event.h", "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e02", "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e01",
          "EVENT_MESSAGE_WOULD_REFUSE"),
    Fault("helpers", "bpf-lsm/subject.bpf.h", "map_update(&labels", "bpf_map_update_elem(&labels", "instead of map_update()"),
    Fault("attacks", "tests/attack/Z99-unheard-of.sh", "", "# Nobody lists this.\n", "not up to date: | `Z99-unheard-of`"),
    Fault("attacks", "tests/attack/Z99-silent.sh", "", "true\n", "Z99-silent.sh: no comment"),
    Fault("attacks", "docs/SECURITY.md", "| act | what is tried |\n|---|---|\n", "| act | what is tried |\n|---|---|\n| `Z` | z |\n",
          "no such attack: | `Z` | z |"),
    Fault("attacks", "tests/attack/rows", "A01 a symbolic", "A00 nobody's\nA01 a symbolic", "A00 has no act"),
    Fault("attacks", "docs/SECURITY.md", "(`D04`)", "", "D04 has no act"),
    Fault("attacks", "docs/SECURITY.md", "`28-store`, `tests/unit/store`", "`28-stove`", "28-stove holds something"),
    Fault("measured", "docs/performance.md", "| open, ext4 |", "| open, ext5 |", "docs/performance.md:"),
    Fault("measured", "tests/bench/calls/budgets.tsv", "6.1\topen\t", "6.1\topne\t", "opne"),
    Fault("examples", "docs/policy-guide.md", "  default: deny\n", "  defualt: deny\n", "unknown key `defualt`"),
    Fault("examples", "docs/policy-guide.md", "exec: /tmp/nginx, expect: deny", "exec: /tmp/nginx, expect: allow", "a copy of it does not"),
    Fault("examples", "docs/man/haetae.policy.5", "policy: report\n", "policy: Report\n", "shown.yaml:1:9: error"),
    Fault("examples", "policies/50-nginx.yaml", "sbin/nginx, origin: image", "sbin/nginx, origin: imaga", "50-nginx.yaml:"),
    Fault("examples", "policies/99-unheard-of.yaml", "", "policy: x\nmatch: [{unit: x.service}]\n", "meson.build does not name it"),
    Fault("examples", "README.md", "file:\n  deny:\n", "file:\n  allow:\n", "shown.yaml:"),
]


def run(check: str, tree: Path) -> tuple[int, list[str]]:
    """Runs a check on a tree. Returns: its status and the faults it named."""
    done = subprocess.run([sys.executable, "-B", HERE / f"{check}.py", tree, *sys.argv[2:]], text=True, stdout=subprocess.PIPE)
    return done.returncode, [line for line in done.stdout.splitlines() if line.startswith("# ")]


def plant(fault: Fault, tree: Path, before: list[str]) -> list[str]:
    """Plants a fault, asks the check, and takes the fault away. Returns: what is wrong with the check."""
    path = tree / fault.file
    kept = path.read_bytes() if path.exists() else None
    text = kept.decode() if kept is not None else ""
    new = fault.new.replace("@PARENT@", str(tree.parent))
    if fault.old and fault.old not in text:
        return [f"{fault.file} has no {fault.old!r} to replace"]
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace(fault.old, new, 1) if fault.old else text + new)
    status, named = run(fault.check, tree)
    if kept is None:
        path.unlink()
    else:
        path.write_bytes(kept)
    fresh = [line for line in named if line not in before]
    if status and any(fault.said in line for line in fresh):
        return []
    return [f"status {status}, and no new line says '{fault.said}'", *fresh]


def copy(files: Iterable[Path], tree: Path) -> Path:
    """Copies files of the tree. Returns: the copy's root."""
    for path in files:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path)
    return tree


def main() -> None:
    cases = Cases()
    with tempfile.TemporaryDirectory(prefix="haetae-lint.") as name:
        tree = copy(tracked(), Path(name) / "checkout" / "haetae")
        before = {check: run(check, tree)[1] for check in dict.fromkeys(fault.check for fault in FAULTS if not fault.alone)}
        for number, fault in enumerate(FAULTS):
            if fault.alone:
                alone = copy([Path(fault.file)], Path(name) / f"alone{number}" / "haetae")
                faults = plant(fault, alone, run(fault.check, alone)[1])
            else:
                faults = plant(fault, tree, before[fault.check])
            cases.add(f"{fault.check} finds '{fault.said}'", faults)
    cases.finish()


main()
