#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drop-lines.py IN OUT DIGEST: a copy of a BPF object that tells no lines of the source, and a header with its digest.

Lines are for the verifier's log. At every start they would be searched for each program and handed to the kernel, which
keeps and moves them with the instructions. The object itself keeps them, for bpftool."""

import hashlib
import struct
import sys

EXT_MAGIC = 0xEB9F
LINE_LENGTH = 20  # of its length in the header of .BTF.ext


def sections(data: bytearray):
    (start,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    heads = [struct.unpack_from("<IIQQQQ", data, start + size * i) for i in range(count)]
    strings = heads[names][4]
    for head in heads:
        at = strings + head[0]
        yield bytes(data[at : data.index(0, at)]).decode(), head[4]


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        data = bytearray(file.read())
    at = dict(sections(data)).get(".BTF.ext")
    if at is None or struct.unpack_from("<H", data, at)[0] != EXT_MAGIC:
        sys.exit(f"{sys.argv[1]}: no .BTF.ext of this machine's byte order")
    struct.pack_into("<I", data, at + LINE_LENGTH, 0)
    with open(sys.argv[2], "wb") as file:
        file.write(data)
    digest = int.from_bytes(hashlib.sha256(data).digest()[:8], "little")
    with open(sys.argv[3], "w", encoding="ascii") as file:
        file.write(f"#define HAETAE_BPF_DIGEST {digest:#x}ULL\n")


main()
