#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bpf-lsm/drop-lines.py: lines go and nothing else does; an object whose .BTF.ext is not as it is known ends the build, and leaves
nothing behind that a later build could take."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = 64
GOOD = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 8, 8, 16) + bytes(24)


def elf(sections: dict[str, bytes]) -> bytes:
    """Returns an object of 64 bits with these sections and one of their names."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in [*sections, ".strtab"])
    body, heads = b"", [bytes(64)]
    for name, data in [*sections.items(), (".strtab", names)]:
        at = names.index(b"\0" + name.encode() + b"\0") + 1
        heads.append(struct.pack("<IIQQQQIIQQ", at, 1, 0, 0, HEAD + len(body), len(data), 0, 0, 1, 0))
        body += data
    head = bytearray(HEAD)
    head[:6] = b"\x7fELF\2\1"
    struct.pack_into("<Q", head, 0x28, HEAD + len(body))
    struct.pack_into("<HHH", head, 0x3A, 64, len(heads), len(heads) - 1)
    return bytes(head) + body + b"".join(heads)


def run(script: str, data: bytes, work: Path) -> tuple[int, str, list[bytes]]:
    """Returns: the status, what it said, what it left."""
    given, left = work / "in.o", [work / "out.o", work / "digest.h"]
    given.write_bytes(data)
    for path in left:
        path.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, "-B", script, given, *left], stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr, [path.read_bytes() for path in left if path.exists()]


def drops(script: str, work: Path) -> bool:
    before = elf({".text": b"code", ".BTF.ext": GOOD})
    after = bytearray(before)
    struct.pack_into("<I", after, before.index(GOOD) + 20, 0)
    digest = int.from_bytes(hashlib.sha256(after).digest()[:8], "little")
    return after != before and run(script, before, work) == (
        0, "", [bytes(after), f"#define HAETAE_BPF_DIGEST {digest:#x}ULL\n".encode()])


def refuses(script: str, work: Path, data: bytes, word: str) -> bool:
    status, said, left = run(script, data, work)
    return status != 0 and word in said and not left


def main() -> None:
    script = sys.argv[1]
    unknown = "no .BTF.ext of this machine's byte order"
    bad = {
        "without .BTF.ext": (elf({".text": b"code"}), unknown),
        "with one of the other byte order": (elf({".BTF.ext": struct.pack(">H", 0xEB9F) + GOOD[2:]}), unknown),
        "that is cut off before its sections": (elf({".BTF.ext": GOOD})[:HEAD + 30], ""),
        "without a byte": (b"", ""),
    }
    with tempfile.TemporaryDirectory() as name:
        results = {"lines go, nothing else does, and the digest is of what is left": drops(script, Path(name))}
        for what, (data, word) in bad.items():
            results[f"an object {what} is refused"] = refuses(script, Path(name), data, word)
    for number, (what, good) in enumerate(results.items(), start=1):
        print(f"{'ok' if good else 'not ok'} {number} - {what}")
    print(f"1..{len(results)}")
    sys.exit(not all(results.values()))


main()
