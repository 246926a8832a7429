# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md: one table for each question."""

from __future__ import annotations

from typing import Callable, Iterable

from .figures import Table

NAMES = {"plain": "no agent", "no-policy": "no policy", "ungoverned": "not governed", "governed": "governed", "floor": "empty programs",
         "landlock": "Landlock", "landlock-above": "Landlock, from above", "apparmor": "AppArmor", "fapolicyd": "fapolicyd"}
OURS = {"ungoverned": "Haetae, not governed", "governed": "Haetae, governed"}

INTRO = """<!-- SPDX-License-Identifier: Apache-2.0 -->
# What it costs

Instructions, counted in a virtual machine with one processor: the same number on every run and every machine. `+` is what
is added to the same kernel without the agent, and in brackets how much of the whole that is. `./dev bench --write` measures
and writes this page; `tests/bench/calls/budgets.tsv` says what a system call may cost at most, and `./dev bench` and the test
suite fail where one costs more. Where a goal is missed, [what it costs at least](performance-floors.md) tells what was tried and
what the rest is made of.

![Instructions added to an open, and the share that Haetae adds to each workload](performance.svg)
"""

CALLS = """
## System calls

Files are five directories deep on a tmpfs unless the row says otherwise. *No policy*: the agent runs and governs nobody.
*Not governed*: a task that no policy selects, while others are governed. *Governed*: one under a policy with ten rules on files
and an allow-list of programs, which was allowed the same before; in the row *first time* it was not, and nobody else with its
policies was. *vfork, exec, wait*: a small static program and a dynamic one, with its record and all the work that the agent
has with it.

What is not governed pays for the programs on its way: one for an open, a read, a write, a map; for a name that is made three and
one for its end; for a rename three, two of them at the place where the kernel moves a name (`__d_move`).

A number is what the calling thread does in its call, in the kernel and in our programs; of fork, thread and exec it is all that the
machine does. It is the least of five rounds through all workloads, each the median of short series. Of {all} numbers {agreed} come out
the same in at least three rounds, to a thousandth.
"""

POLICY = """
## An open, by what the policy says

The task is governed. *Refused, counted*: over and over, beyond the rate up to which each refusal has a record of its own.
*Recorded*: each with its record, handed to the agent. *Containers*: so many others are governed, with a process each.
"""

# Label, workload, configuration.
POLICY_ROWS = (
    ("no rule on files", "open", "no-file-rules"),
    ("allowed, 10 rules", "open", "governed"),
    ("allowed, 1,000 rules", "open", "rules-1000"),
    ("allowed, 100,000 rules", "open", "rules-100000"),
    ("allowed, 10 rules, 100 containers", "open", "containers-100"),
    ("allowed, 10 rules, 1,000 containers", "open", "containers-1000"),
    ("first time, 10 rules", "open, first time", "governed"),
    ("first time, 1,000 rules", "open, first time", "rules-1000"),
    ("first time, 100,000 rules", "open, first time", "rules-100000"),
    ("refused, counted", "open, refused", "governed"),
    ("refused, recorded", "open, refused, recorded", "governed"),
    ("audit mode, recorded", "open, refused, recorded", "audit"),
)

PEERS = """
## Others

In one kernel that has all of them, one after the other, each alone; the policy comes to the same. *Empty programs*: one that does
nothing on each of eight hooks, the least that any agent of this kind can cost. fapolicyd decides opens and executions in a
daemon, whose work is in the number of an execution; of an open it is not, which has what its caller does alone. Landlock has a right on the file itself, as its neighbour is refused; *from above*
it has one on the root of the tmpfs, and nothing in there is refused. `./dev bench --peer PATH peers` measures another agent beside them: PATH is its
program, or a directory with a program `start` in it.
"""

PROGRAMS = """
## Whole programs

In a container of crun with an overlay; millions of instructions of the container, and with the agent what that does
for it meanwhile and afterwards. *Empty programs*: without the agent, one that does nothing in each LSM hook in which the agent has
one while it governs these; what any agent of this kind pays at least. *Governed*: by the baseline and an allow-list of programs and
of files to write to. Each container is new: nothing that it opens was allowed before, unless the row says *again*. The servers'
clients are not counted. *podman run*: all that the machine does from `podman run` until nothing of it is left, by podman, conmon,
crun, systemd and the agent. Two runs of pgbench differ by half a percent, of a container's start by one.
"""

# Configurations in the order of their columns.
PROGRAMS_SHOWN = ("floor", "no-policy", "ungoverned", "governed")

MEMORY = """
## Memory

Bytes. *The agent*: what it holds resident. *With the kernel's*: its cgroup, so all maps and programs as well. A governed
container has one process.
"""

STORE = """
## Events

Instructions of one event, and its bytes on the disk, indices included: of 100 containers and 50 rules, with paths and arguments of usual
length. *From the ring to the store*: 20 containers are refused 1,500 times each, and all that the agent does for that.
"""


def row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def grid(head: list[str], rows: Iterable[list[str]]) -> str:
    return row(head) + "|---" + "|---:" * (len(head) - 1) + "|\n" + "".join(map(row, rows))


def number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def added(table: Table, part: str, kernel: str, workload: str, configuration: str) -> str:
    more, plain = table.added(part, kernel, workload, configuration), table.value(part, kernel, workload)
    if more is None or not plain:
        return "–"
    return f"{more:+,} ({percent(more / plain)})"


def percent(share: float) -> str:
    share *= 100
    return f"{share:.0f} %" if abs(share) >= 10 else f"{share:.1f} %" if abs(share) >= 1 else f"{share:.2f} %"


def side_by_side(table: Table, part: str, kernel: str, configurations: list[str], names: dict[str, str], skip: tuple[str, ...]) -> str:
    """One kernel's workloads, and what each configuration adds to them."""
    shown = [c for c in configurations if c in table.configurations(part, kernel)]
    rows = ([workload, number(table.value(part, kernel, workload)),
             *(added(table, part, kernel, workload, c) for c in shown)]
            for workload in table.workloads(part, kernel) if workload not in skip)
    return f"\n### {heading(kernel)}\n\n" + grid(["", NAMES["plain"], *(names.get(c, NAMES.get(c, c)) for c in shown)], rows)


def heading(kernel: str) -> str:
    return f"Linux {kernel}" if kernel[0].isdigit() else f"The {kernel} kernel"


def calls(table: Table) -> str:
    rounds = [f.settled for f in table.figures if f.part == "calls"]
    return CALLS.format(all=len(rounds), agreed=sum(n >= 3 for n in rounds)) + "".join(side_by_side(table, "calls", kernel, ["no-policy", "ungoverned", "governed"], {}, ("open, refused, recorded",))
                           for kernel in table.kernels("calls"))


def by_policy(table: Table) -> str:
    kernels = table.kernels("calls")
    return POLICY + "\n" + grid(["", *map(heading, kernels)], (
        [label, *(added(table, "calls", kernel, workload, configuration) for kernel in kernels)]
        for label, workload, configuration in POLICY_ROWS))


def peers(table: Table) -> str:
    text = PEERS
    for kernel in table.kernels("peers"):
        ours = ["floor", "ungoverned", "governed"]
        others = [c for c in table.configurations("peers", kernel) if c not in [*ours, "plain"]]
        text += side_by_side(table, "peers", kernel, ours + others, OURS, ())
    return text


def programs(table: Table) -> str:
    text = PROGRAMS
    for kernel in table.kernels("programs"):
        rows = []
        for workload in table.workloads("programs", kernel):
            plain = table.value("programs", kernel, workload)
            shares = (table.added("programs", kernel, workload, c) for c in PROGRAMS_SHOWN)
            rows.append([workload, f"{(plain or 0) / 1e6:,.1f}",
                         *("–" if more is None or not plain else f"{more / 1e6:+,.1f} ({percent(more / plain)})" for more in shares)])
        text += f"\n### {heading(kernel)}\n\n" + grid(["", NAMES["plain"], *(NAMES[c] for c in PROGRAMS_SHOWN)], rows)
    return text


def plain_values(part: str, text: str) -> Callable[[Table], str]:
    def section(table: Table) -> str:
        kernels = table.kernels(part)
        workloads = list(dict.fromkeys(w for kernel in kernels for w in table.workloads(part, kernel)))
        return text + "\n" + grid(["", *map(heading, kernels)], (
            [workload, *(number(table.value(part, kernel, workload)) for kernel in kernels)] for workload in workloads))
    return section


# A part of the page for each benchmark that measured something.
SECTIONS = (("calls", calls), ("calls", by_policy), ("peers", peers), ("programs", programs), ("memory", plain_values("memory", MEMORY)),
            ("store", plain_values("store", STORE)))


def page(table: Table) -> str:
    return INTRO + "".join(section(table) for part, section in SECTIONS if table.kernels(part))
