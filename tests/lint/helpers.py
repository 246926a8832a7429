#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""BPF helpers whose result lies on some kernel are called through their wrappers in maps.bpf.h alone."""

from __future__ import annotations

import re

from lint import Cases, text_of, tracked

# Before Linux 6.4 a failure of these is no negative number: see map_update() in maps.bpf.h.
WRAPPED = {"bpf_map_update_elem": "map_update", "bpf_map_delete_elem": "map_delete"}
HOME = "maps.bpf.h"

cases = Cases()
for path in tracked():
    if path.parts[0] != "bpf-lsm" or path.suffix not in (".c", ".h"):
        continue
    faults = []
    for number, line in enumerate(text_of(path).splitlines(), start=1):
        for helper, wrapper in WRAPPED.items():
            if re.search(rf"\b{helper}\(", line) and not (path.name == HOME and f"return (int){helper}(" in line):
                faults.append(f"{path}:{number}: {helper}() instead of {wrapper}()")
    cases.add(f"{path}: helpers through their wrappers", faults)
cases.finish()
