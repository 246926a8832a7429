#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Policies that the documentation shows and those of the library are good: `agentctl policy check` is asked of each, and
`policy test --suite` of each suite."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lint import ROOT, Cases, text_of, tracked

AGENTCTL = Path(sys.argv[2]).resolve()
PAGES = [Path("README.md"), Path("docs/policy-guide.md"), Path("docs/man/haetae.policy.5")]
# A policy in a page begins with `policy:`, perhaps below comments. A block that is shown for its fault says so first.
POLICY = re.compile(r"(?:#.*\n)*policy:")
SUITE = re.compile(r"(?:#.*\n)*- (?:name:|\{name:)")
FAULTY = re.compile(r"# faulty: (.+)\n")
FENCED = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DISPLAYED = re.compile(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", re.MULTILINE | re.DOTALL)


def blocks_of(page: Path) -> list[tuple[int, str]]:
    """Returns what the page displays, each with the line it begins at; of a manual page without the backslashes of roff."""
    text = text_of(page)
    pattern, clean = (FENCED, str) if page.suffix == ".md" else (DISPLAYED, lambda block: block.replace("\\&", "").replace("\\e", "\\"))
    return [(text.count("\n", 0, match.start(1)) + 1, clean(match[1])) for match in pattern.finditer(text)]


def ask(*words: str | Path) -> tuple[int, str]:
    done = subprocess.run([AGENTCTL, "--no-pager", "--color", "never", *words], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def faults_of(block: str, directory: Path) -> list[str]:
    """A policy has to be checked without error or warning, or with what its first line says."""
    file = directory / "shown.yaml"
    file.write_text(block, encoding="utf-8")
    status, said = ask("policy", "check", "--strict", file)
    if told := FAULTY.match(block):
        return [] if status and told[1] in said else [f"status {status}, not '{told[1]}': {said}"]
    return said.splitlines() if status else []


def suite_faults_of(block: str, policies: str, directory: Path) -> list[str]:
    """A suite has to hold for the policy that the page showed last before it."""
    (directory / "shown.yaml").write_text(policies, encoding="utf-8")
    suite = directory / "suite.yaml"
    suite.write_text(block, encoding="utf-8")
    status, said = ask("policy", "test", "--policy", directory / "shown.yaml", "--suite", suite)
    return said.splitlines() if status else []


def shipped_faults_of(path: Path) -> list[str]:
    """A policy of the library has to be good as it is, in its one form, installed, and told of."""
    faults: list[str] = []
    for words in (("check", "--strict"), ("format", "--check")):
        status, said = ask("policy", *words, ROOT / path)
        faults += [f"policy {words[0]}: {line}" for line in said.splitlines()] if status else []
    faults += [f"{place} does not name it" for place in (path.parent / "meson.build", path.parent / "README.md")
               if path.name not in text_of(place)]
    return faults


def main() -> None:
    cases = Cases()
    with tempfile.TemporaryDirectory(prefix="haetae-lint.") as name:
        for page in PAGES:
            last, found = "", 0
            for line, block in blocks_of(page):
                if POLICY.match(block):
                    last, found = block, found + 1
                    cases.add(f"{page}:{line}: a policy", faults_of(block, Path(name)))
                elif page.suffix == ".md" and SUITE.match(block):
                    cases.add(f"{page}:{line}: a suite", suite_faults_of(block, last, Path(name)))
            cases.add(f"{page}: shows policies", [] if found else [f"{page}: no block that begins with `policy:`"])
        for path in tracked():
            if path.parts[0] == "policies" and path.suffix == ".yaml":
                cases.add(str(path), shipped_faults_of(path))
    cases.finish()


main()
