#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No tracked file names a place of this one machine: a host its packages come from, or the directory of this checkout."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from lint import ROOT, Cases, tracked

# Parents of a checkout that mean nothing in particular, and whose names tests and policies use.
COMMON = {"/", "/root", "/home", "/tmp", "/var/tmp", "/srv", "/opt", "/mnt", "/src", "/usr/src", "/usr/local/src", "/build"}
LOOPBACK = re.compile(r"^(localhost|127\..*|::1)$")


def hosts() -> set[str]:
    """Returns the hosts of apt's configuration: repositories, lists of mirrors, proxies."""
    addresses = subprocess.run(["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)"], check=True,
                               stdout=subprocess.PIPE, text=True).stdout.split()
    for address in list(addresses):
        if match := re.match(r"mirror\+file:(?://)?(/.*?)/?$", address):
            addresses += Path(match[1]).read_text().split()
    dump = subprocess.run(["apt-config", "dump", "--format", "%f %v%n"], check=True, stdout=subprocess.PIPE, text=True).stdout
    addresses += re.findall(r"(?im)^Acquire::\S*Proxy\S* (\S+://\S+)$", dump)
    names = {urlsplit(address.removeprefix("mirror+")).hostname for address in addresses}
    return {name for name in names if name and not LOOPBACK.match(name)}


def directories() -> set[str]:
    return {str(ROOT), str(ROOT.parent)} - COMMON


def mentions(words: set[str], boundary: bytes) -> list[str]:
    """Returns every line of a tracked file that has one of the words as a word of its own."""
    pattern = re.compile(rb"(?<!" + boundary + rb")(?:" + b"|".join(re.escape(word.encode()) for word in sorted(words))
                         + rb")(?!" + boundary + rb")", re.IGNORECASE)
    return [f"{path}:{number}: {match[0].decode()}" for path in tracked()
            for number, line in enumerate((ROOT / path).read_bytes().splitlines(), start=1) if (match := pattern.search(line))]


def main() -> None:
    cases = Cases()
    known = hosts()
    cases.add("no host that this machine's packages come from",
              mentions(known, rb"[\w-]") if known else ["apt names no host to compare with"])
    here = directories()
    cases.add("no directory of this checkout", mentions(here, rb"[\w.-]") if here else [])
    cases.finish()


if __name__ == "__main__":
    main()
