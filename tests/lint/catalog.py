#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The journal catalog explains every message the agent can send, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from lint import Cases, text_of

HEADER, CATALOG = Path("agent/event/event.h"), Path("systemd/haetae.catalog")


def main() -> None:
    cases = Cases()
    sent = dict(re.findall(r'^#define\s+(EVENT_MESSAGE_\w+)\s+"([0-9a-f]{32})"', text_of(HEADER), re.MULTILINE))
    explained = re.findall(r"^-- ([0-9a-f]{32})(?: .*)?$", text_of(CATALOG), re.MULTILINE)
    for name, identity in sent.items():
        times = explained.count(identity)
        cases.add(name, [] if times == 1 else [f"{CATALOG}: {times} entries for {identity} instead of one"])
    cases.add("each entry is of a message that exists",
              [f"{CATALOG}: {identity} is no EVENT_MESSAGE_* of {HEADER}" for identity in explained if identity not in sent.values()])
    cases.add("no two messages share an identity",
              [f"{HEADER}: {name}" for name, identity in sent.items() if list(sent.values()).count(identity) > 1])
    cases.add("every message of the header was read",
              [] if sent and len(sent) == text_of(HEADER).count("#define EVENT_MESSAGE_") else [f"{HEADER}: {len(sent)} read"])
    cases.finish()


main()
