#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every include names its room, and a room uses only those that the table of rooms in docs/ARCHITECTURE.md lets it use."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from lint import ROOT, Cases, text_of, tracked

TABLE = Path("docs/ARCHITECTURE.md")
COLUMNS = ["room", "where", "may use", "may not use", "libraries"]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Where "room/file.h" is looked up, in the order of the compiler's -I.
PREFIXES = (Path("agent"), Path("."), Path("bpf-lsm"))
GENERATED = {"haetae.skel.h": "bpf-lsm", "haetae.digest.h": "bpf-lsm", "identity.skel.h": "bpf-lsm", "floor.skel.h": "tests"}
LIBRARIES = {"bpf/": "libbpf", "yaml.h": "libyaml", "sqlite3.h": "sqlite3", "systemd/": "libsystemd", "jansson.h": "jansson"}


@dataclasses.dataclass
class Room:
    where: list[str]
    may: list[str]
    may_not: list[str]
    libraries: list[str]


def rooms_read() -> tuple[dict[str, Room], list[str]]:
    """Returns the table, in its order, and what is wrong with it."""
    rooms: dict[str, Room] = {}
    faults: list[str] = []
    inside = False
    for number, line in enumerate(text_of(TABLE).splitlines(), start=1):
        cells = [re.sub(r"[`*]", "", cell).strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells == COLUMNS or set("".join(cells)) <= set("-: "):
            inside = cells == COLUMNS or (inside and line.startswith("|"))
        elif inside and len(cells) == len(COLUMNS):
            where, may, may_not, libraries = ([word.strip() for word in cell.split(",") if word.strip() not in ("", "–")]
                                              for cell in cells[1:])
            faults += [f"{TABLE}:{number}: '{cells[0]}' may use '{name}', which does not stand above it"
                       for name in may if name not in rooms]
            rooms[cells[0]] = Room(where, may, may_not, libraries)
        elif inside:
            faults.append(f"{TABLE}:{number}: {len(cells)} columns instead of {len(COLUMNS)}")
    for name, room in rooms.items():
        decided = sorted(room.may + room.may_not)
        if decided != sorted(other for other in rooms if other != name):
            faults.append(f"{TABLE}: the columns of '{name}' do not name every other room exactly once: {', '.join(decided)}")
    if not rooms:
        faults.append(f"{TABLE}: there is no table with the columns {' | '.join(COLUMNS)}")
    return rooms, faults


def room_of(path: Path, rooms: dict[str, Room]) -> str | None:
    """Returns the room whose file or directory, the longest one, holds the path."""
    best = ("", None)
    for name, room in rooms.items():
        for where in room.where:
            if (str(path) == where or str(path).startswith(where.rstrip("/") + "/")) and len(where) > len(best[0]):
                best = (where, name)
    return best[1]


def include_fault(path: Path, target: str, own: str, rooms: dict[str, Room]) -> str | None:
    """Says what is wrong with an include of ours, if anything."""
    if target in GENERATED:
        used: str | None = GENERATED[target]
    else:
        # Tests and BPF programs stand beside what is theirs alone; all others name the room.
        beside = path.parts[0] in ("tests", "bpf-lsm") and (ROOT / path.parent / target).is_file()
        found = [path.parent / target] if beside else [p / target for p in PREFIXES if (ROOT / p / target).is_file()]
        if not found:
            return f'"{target}" does not name a file by its room'
        used = room_of(found[0], rooms)
    if used is None:
        return f'"{target}" is in no room of the table'
    if used != own and used not in rooms[own].may:
        return f"'{own}' may not use '{used}' (\"{target}\")"
    return None


def library_fault(target: str, own: str, rooms: dict[str, Room]) -> str | None:
    for prefix, library in LIBRARIES.items():
        if target.startswith(prefix) and library not in rooms[own].libraries:
            return f"'{own}' may not use {library} (<{target}>)"
    return None


def main() -> None:
    cases = Cases()
    rooms, faults = rooms_read()
    cases.add("the table of rooms is whole and goes one way", faults)
    found: dict[str, list[str]] = {name: [] for name in rooms}
    homeless = []
    for path in tracked():
        if path.suffix not in (".c", ".h"):
            continue
        own = room_of(path, rooms)
        if own is None:
            homeless.append(f"{path}: is in no room of the table")
            continue
        for number, line in enumerate(text_of(path).splitlines(), start=1):
            if match := INCLUDE.match(line):
                fault = (include_fault(path, match[2], own, rooms) if match[1] == '"'
                         else library_fault(match[2], own, rooms))
                found[own] += [f"{path}:{number}: {fault}"] if fault else []
    cases.add("every source file is in a room", homeless)
    for name, faults in found.items():
        cases.add(f"includes of {name}", faults)
    cases.finish()


main()
