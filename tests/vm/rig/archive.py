# SPDX-License-Identifier: Apache-2.0
"""The Debian archive this machine is configured for, and any suite of it through private apt state.

No mirror is named here: addresses, keys and proxies are those of the machine's own apt configuration.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import subprocess
import time
from pathlib import Path
from typing import Iterator, Sequence

from . import cache
from .util import RigError, output_of, run, say

KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")
RETRY_SECONDS = (2, 10, 30)


@dataclasses.dataclass(frozen=True)
class Repository:
    """One configured repository: its address and the options a sources line for it needs."""

    uri: str
    options: str

    def line(self, suite: str) -> str:
        return f"deb [{self.options}] {self.uri} {suite} main"


@dataclasses.dataclass(frozen=True)
class Package:
    """One binary package of an index."""

    name: str
    version: str
    depends: str


def _options(sources_file: str) -> str:
    """Returns the sources options for a repository declared in a file: its keys, the archive keyring, its trust."""
    try:
        text = Path(sources_file).read_text(errors="replace")
    except OSError:
        text = ""
    keys = [key for key in re.findall(r"(?im)\bsigned-by\s*[:=]\s*(/[^\s\],]+)", text) if Path(key).exists()]
    keys += [key for key in KEYRINGS if Path(key).exists()][:1]
    options = ["arch=amd64", "signed-by=" + ",".join(dict.fromkeys(keys))]
    if re.search(r"(?im)(^trusted:\s*yes|[\[\s]trusted=yes)", text):
        options.append("trusted=yes")
    return " ".join(options)


def _address(uri: str) -> str:
    """Returns a plain address: cloud images name a file with a list of mirrors."""
    if match := re.match(r"mirror\+file:(?://)?(/.*?)/?$", uri):
        return Path(match.group(1)).read_text().split()[0].rstrip("/") + "/"
    return uri


def _targets() -> Iterator[tuple[str, str, str, str]]:
    """Yields (release, address, origin, sources file) of every configured main index, read or not."""
    form = "$(RELEASE)|$(COMPONENT)|$(REPO_URI)|$(ORIGIN)|$(SOURCESENTRY)"
    for extra in ("Created-By: Packages", "--no-release-info"):  # without downloaded lists only the second knows any
        text = output_of(["apt-get", "indextargets", extra, "--format", form, "Created-By: Packages"])
        for line in text.splitlines():
            release, component, uri, origin, where = line.split("|")
            if component == "main" and not uri.startswith("cdrom"):
                yield release, uri, origin, where.rsplit(":", 1)[0]


@functools.lru_cache(maxsize=None)
def repositories() -> tuple[Repository, Repository | None]:
    """Returns the Debian repository and the Debian security repository (or None) apt is configured for."""
    main: dict[str, int] = {}
    files: dict[str, str] = {}
    security: str | None = None
    for release, uri, origin, where in _targets():
        files.setdefault(uri, where)
        if release.endswith("-security"):
            security = security or uri
        else:  # a third party's repository may use our suite names: origin, keys and an -updates suite tell
            score = (origin == "Debian") * 4 + release.endswith("-updates") * 2 + ("debian" in uri)
            main[uri] = main.get(uri, 0) + score
    if not main:
        raise RigError("apt has no Debian repository configured (see 'apt-get indextargets')")
    best = max(main, key=lambda uri: main[uri])
    return (Repository(_address(best), _options(files[best])),
            Repository(_address(security), _options(files[security])) if security else None)


def sources(suite: str) -> list[str]:
    """Returns sources lines of a suite and, for a released one, of its security updates."""
    main, security = repositories()
    lines = [main.line(suite)]
    if security and suite not in ("forky", "sid", "experimental") and "-" not in suite:
        lines.append(security.line(f"{suite}-security"))
    return lines


class Suite:
    """One suite, read through apt with a state of its own: nothing of the system's apt changes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.directory = cache.root() / "apt" / name
        self.log = self.directory / "log"

    def _options(self) -> list[str]:
        base = self.directory
        settings = {
            "Dir::Etc::SourceList": f"{base}/sources.list", "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": f"{base}/state", "Dir::State::Lists": f"{base}/lists",
            "Dir::State::status": f"{base}/status", "Dir::Cache": f"{base}/cache", "APT::Default-Release": "",
            "APT::Architecture": "amd64", "APT::Architectures": "amd64", "APT::Sandbox::User": "root",
            "Acquire::Languages": "none", "Acquire::Retries": "3",
            "APT::Update::Post-Invoke": "", "APT::Update::Post-Invoke-Success": "",
        }
        return [f"-o{key}={value}" for key, value in settings.items()]

    def _apt(self, *words: str, cwd: Path | None = None) -> None:
        """Runs apt-get, again after a pause when it fails: mirrors are busy at times and tell nobody when it is over."""
        for attempt, pause in enumerate((*RETRY_SECONDS, None)):
            try:
                run(["apt-get", "-q", *self._options(), *words], cwd=cwd, log=self.log)
                return
            except RigError as error:
                if pause is None:
                    raise
                say(f"apt-get {words[0]} for {self.name} failed (attempt {attempt + 1}), again in {pause} s: "
                    + error.summary())
                time.sleep(pause)

    def read(self, prefix: str) -> list[Package]:
        """Asks the archive for the index and returns all packages whose name starts so."""
        with cache.lock(f"apt-{self.name}"):
            self._update()
            return self._packages(prefix)

    def _update(self) -> None:
        for part in ("state", "lists/partial", "cache/archives/partial"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        (self.directory / "sources.list").write_text("\n".join(sources(self.name)) + "\n")
        (self.directory / "status").write_text("")
        self.log.write_text("")
        say(f"reading the package index of Debian {self.name}")
        self._apt("update")

    def _packages(self, prefix: str) -> list[Package]:
        found: list[Package] = []
        listing = output_of(["apt-get", *self._options(), "indextargets", "--format", "$(FILENAME)",
                             "Created-By: Packages"])
        for index in listing.split():
            child = subprocess.Popen(["/usr/lib/apt/apt-helper", "cat-file", index], stdout=subprocess.PIPE, text=True)
            assert child.stdout
            for stanza in _stanzas(child.stdout, prefix):
                found.append(Package(stanza["Package"], stanza["Version"], stanza.get("Depends", "")))
            if child.wait() != 0:
                raise RigError(f"apt-helper cannot read {index}")
        return found

    def download(self, packages: Sequence[Package], directory: Path) -> None:
        """Downloads packages (verified by apt) into a directory."""
        with cache.lock(f"apt-{self.name}"):
            self._apt("download", *(f"{package.name}={package.version}" for package in packages), cwd=directory)


def _stanzas(lines: Iterator[str], prefix: str) -> Iterator[dict[str, str]]:
    """Yields the one-line fields of every stanza of a Packages file whose package name starts with prefix."""
    wanted, fields = False, {}  # type: bool, dict[str, str]
    for line in lines:
        if line.startswith("Package: "):
            wanted = line.startswith(prefix, len("Package: "))
            fields = {}
        if not wanted:
            continue
        if line == "\n":
            yield fields
            wanted = False
        elif line[0] not in " \t":
            key, _, value = line.partition(":")
            fields[key] = value.strip()
    if wanted and fields:
        yield fields


def newer(left: Package, right: Package) -> int:
    """Compares two packages by Debian version, for functools.cmp_to_key()."""
    if left.version == right.version:
        return 0
    greater = subprocess.run(["dpkg", "--compare-versions", left.version, "gt", right.version]).returncode == 0
    return 1 if greater else -1
