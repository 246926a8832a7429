# SPDX-License-Identifier: Apache-2.0
"""Kernels by version: the newest one of a line that the archive offers, made bootable without a boot loader.

A cloud kernel has NVMe and ext4 built in and boots alone; where a line has none, the generic kernel boots with a small
busybox initrd. Both are started as uncompressed ELF. Needed modules go into an image of their own.
"""

from __future__ import annotations

import bz2
import dataclasses
import functools
import json
import lzma
import os
import re
import shutil
import struct
import subprocess
import time
import zlib
from pathlib import Path
from typing import Callable

from . import archive, cache, image
from .util import RigError, output_of, run, say

# Where Debian keeps a line; any other version is looked for in FRESH, then in ALL.
HOMES = {"5.10": ("bullseye",), "6.1": ("bookworm",), "6.12": ("trixie",)}
FRESH = ("trixie-backports", "forky", "sid")
ALL = ("bullseye", "bookworm", "trixie", "bookworm-backports", *FRESH)
FRESH_FOR = 7 * 24 * 3600  # seconds a resolved version is used before the archive is asked again
KEPT = 8  # kernels in the cache

# Directories and files of modules that jobs may need, without their dependencies, which follow.
MODULES = """
fs/overlayfs/ fs/fuse/ fs/erofs/ fs/squashfs/ fs/nfs/ fs/nls/ fs/isofs/ fs/btrfs/ fs/xfs/ fs/autofs/ fs/configfs/
drivers/block/loop drivers/block/null_blk drivers/block/zram drivers/block/virtio_blk
drivers/net/veth drivers/net/tun drivers/net/dummy
drivers/net/bridge net/bridge/ net/802/ net/llc/ drivers/char/virtio_console drivers/nvme/ fs/ext4/ fs/binfmt_misc
crypto/crc32c arch/x86/crypto/crc32c lib/crc fs/fuse drivers/char/mem net/unix/unix_diag net/netlink net/packet/
""".split()
INITRD_MODULES = ("nvme", "crc32c_generic", "crc32c", "ext4")


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A bootable kernel in the cache."""

    release: str
    directory: Path

    @property
    def vmlinux(self) -> Path:
        return self.directory / "vmlinux"

    @property
    def modules(self) -> Path:
        return self.directory / "modules.img"

    @property
    def initrd(self) -> Path | None:
        path = self.directory / "initrd.img"
        return path if path.exists() else None


def prepare(wanted: str) -> Kernel:
    """Returns the kernel for a line ('6.1'), 'newest' or a full name ('6.1.0-40-cloud-amd64')."""
    if not re.fullmatch(r"newest|\d+\.\d+[\w.+~-]*", wanted):
        raise RigError(f"'{wanted}' is no kernel: write 6.1, 6.12, newest or a full name like 6.1.0-40-cloud-amd64")
    release, suite = _resolve(wanted)
    recipe = cache.digest(release, *MODULES, "2")
    directory = cache.entry(f"kernel-{release}-{recipe}", lambda work: _build(work, release, suite))
    os.utime(directory)
    cache.prune("kernel-*", KEPT)
    return Kernel(release, directory)


def _resolve(wanted: str) -> tuple[str, str]:
    """Returns (release, suite) of a wanted kernel: remembered for a week, and longer where the archive is away."""
    memory = cache.root() / f"resolved-{wanted}.json"
    with cache.lock("resolve"):
        known = json.loads(memory.read_text()) if memory.exists() else None
        if known and time.time() - memory.stat().st_mtime < FRESH_FOR:
            return known["release"], known["suite"]
        try:
            release, suite = _ask_archive(wanted)
        except RigError as error:
            if not known:
                raise
            say(f"cannot ask the archive for kernel {wanted}, using {known['release']}: {error}")
            return known["release"], known["suite"]
        memory.write_text(json.dumps({"release": release, "suite": suite}))
        say(f"kernel {wanted} is {release} from Debian {suite}")
        return release, suite


def _ask_archive(wanted: str) -> tuple[str, str]:
    """Finds the newest kernel that answers to 'wanted'."""
    home = next((suites for line, suites in HOMES.items() if re.match(re.escape(line) + r"([.~+-]|$)", wanted)), FRESH)
    problems: list[str] = []
    for suites in (home, tuple(suite for suite in ALL if suite not in home)):
        found = [(package, suite) for suite in suites for package in _offered(suite, wanted, problems)]
        found = [item for item in found if "-cloud-" in item[0].name] or found
        if found:
            package, suite = max(found, key=lambda item: functools.cmp_to_key(archive.newer)(item[0]))
            return package.name.removeprefix("linux-image-"), suite
        if wanted == "newest":
            break
    raise RigError(f"the archive offers no kernel {wanted}" + "".join(f"\n    {problem}" for problem in problems))


def _offered(suite: str, wanted: str, problems: list[str]) -> list[archive.Package]:
    """Returns the kernels of a suite that answer to 'wanted'; a suite that cannot be read is a problem to report."""
    pattern = r"\d+\.\d+" if wanted == "newest" else re.escape(wanted)
    name = re.compile(rf"linux-image-(?:{re.escape(wanted)}|{pattern}[.~+-].*-(?:cloud-)?amd64)")
    try:
        packages = _index(suite)
    except RigError as error:
        problems.append(f"{suite}: {error.summary()}")
        return []
    return [package for package in packages if name.fullmatch(package.name) and "-rt-" not in package.name
            and not package.name.endswith("-unsigned")]


@functools.lru_cache(maxsize=None)
def _index(suite: str) -> list[archive.Package]:
    """Returns the kernel packages of a suite."""
    return archive.Suite(suite).read("linux-")


def _build(work: Path, release: str, suite: str) -> None:
    """Makes vmlinux, modules.img and where needed initrd.img in work/."""
    packages = _packages(suite, release)
    say(f"downloading kernel {release} ({len(packages)} package{'s' * (len(packages) > 1)} from {suite})")
    archive.Suite(suite).download(packages, work)
    say(f"unpacking kernel {release}")
    tree = work / "tree"
    for package in sorted(work.glob("*.deb")):
        run(["dpkg-deb", "-x", package, tree], log=work / "log")
        package.unlink()
    modules = _first(tree / "usr/lib/modules" / release, tree / "lib/modules" / release)
    (work / "vmlinux").write_bytes(_uncompressed(_first(tree / f"boot/vmlinuz-{release}", modules / "vmlinuz")))
    subset = _modules(work, modules, release)
    if "-cloud-" not in release:
        _initrd(work, subset, release)
    for part in (tree, work / "full", work / "subset"):
        shutil.rmtree(part)


def _first(*places: Path) -> Path:
    """Returns the place that exists: packages moved files over the years."""
    for place in places:
        if place.exists():
            return place
    raise RigError(f"the kernel's packages have no {places[0].name}")


def _packages(suite: str, release: str) -> list[archive.Package]:
    """Returns the image package and those of its dependencies that belong to this very kernel (split from 6.18 on)."""
    index: dict[str, archive.Package] = {}
    for package in sorted(_index(suite), key=functools.cmp_to_key(archive.newer)):
        index[package.name] = package  # the newest version stays
    pending, found = [f"linux-image-{release}"], dict[str, archive.Package]()
    while pending:
        name = pending.pop()
        if name in found or name not in index:
            continue
        found[name] = index[name]
        words = re.findall(r"linux-[^\s,|()]+", index[name].depends)
        pending += [word for word in words if word.endswith("-" + release)]
    if not found:
        raise RigError(f"{suite} no longer offers kernel {release}; 'tests/vm/run --refresh' asks the archive again")
    return list(found.values())


def _uncompressed(vmlinuz: Path) -> bytes:
    """Returns the ELF inside a bzImage. Its header: setup_sects at 0x1f1, payload offset and length at 0x248."""
    data = vmlinuz.read_bytes()
    offset, length = struct.unpack_from("<II", data, 0x248)
    start = ((data[0x1F1] or 4) + 1) * 512 + offset
    payload = data[start:start + length]
    filters: dict[bytes, Callable[[bytes], bytes]] = {
        b"\x28\xb5\x2f\xfd": functools.partial(_pipe, "zstd"), b"\x02\x21\x4c\x18": functools.partial(_pipe, "lz4"),
        b"\xfd7zX": lambda blob: lzma.LZMADecompressor().decompress(blob),
        b"BZh9": lambda blob: bz2.BZ2Decompressor().decompress(blob),
        b"\x1f\x8b\x08\x00": lambda blob: zlib.decompressobj(31).decompress(blob),
        b"\x5d\x00\x00\x00": lambda blob: lzma.LZMADecompressor(format=lzma.FORMAT_ALONE).decompress(blob),
    }
    unpack = filters.get(payload[:4])
    elf = unpack(payload) if unpack else b""
    if elf[:4] != b"\x7fELF":
        raise RigError(f"cannot unpack the kernel in {vmlinuz.name} (payload begins {payload[:4].hex()})")
    return elf


def _pipe(program: str, blob: bytes) -> bytes:
    """Runs a decompressor. Its status says nothing: it complains about the size the kernel appends to the stream."""
    return subprocess.run([program, "-dcq"], input=blob, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def _modules(work: Path, modules: Path, release: str) -> Path:
    """Makes modules.img of the wanted modules and what they need; returns the directory it was made of."""
    full, subset = _module_tree(work / "full", release), _module_tree(work / "subset", release)
    modules.rename(full)
    run(["depmod", "-b", work / "full", release], log=work / "log")
    needs = {line.split(":")[0]: line.split(":")[1].split() for line in (full / "modules.dep").read_text().splitlines()}
    pending = [path for path in needs if any(path.removeprefix("kernel/").startswith(part) for part in MODULES)]
    chosen: set[str] = set()
    while pending:
        path = pending.pop()
        if path not in chosen:
            chosen.add(path)
            pending += needs[path]
    for path in chosen:
        (subset / path).parent.mkdir(parents=True, exist_ok=True)
        (full / path).rename(subset / path)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        if (full / name).exists():
            (full / name).rename(subset / name)
    run(["depmod", "-b", work / "subset", release], log=work / "log")
    size = int(output_of(["du", "-sxm", subset]).split()[0])
    image.filesystem(subset.parent, work / "modules.img", size * 12 // 10 + 8)
    return subset


def _module_tree(base: Path, release: str) -> Path:
    """Makes a tree for depmod, which looks below /lib or /usr/lib by its age. Returns: the place of the modules."""
    (base / "usr/lib/modules").mkdir(parents=True)
    (base / "lib").symlink_to("usr/lib")
    return base / "usr/lib/modules" / release


INIT = """#!/bin/busybox sh
# Loads what is needed to reach the root, the partition of the only disk that has one, and goes there.
b=/bin/busybox
$b mount -t proc p /proc; $b mount -t sysfs s /sys; $b mount -t devtmpfs d /dev
for module in $($b cat /modules/order); do $b insmod /modules/$module 2>/dev/null; done
try=0
while [ $try -lt 20000 ]; do  # the kernel looks for namespaces in the background
    for device in /dev/nvme*n*p1; do
        if [ -b $device ] && $b mount -t ext4 $device /mnt; then
            $b umount /proc; $b umount /sys; $b mount -o move /dev /mnt/dev
            exec $b switch_root /mnt /sbin/init
        fi
    done
    try=$((try + 1))
done
echo 'rig: no root partition found'; $b poweroff -f
"""


def _initrd(work: Path, subset: Path, release: str) -> None:
    """Makes initrd.img: busybox and the modules to the root, for kernels that have them not built in."""
    say(f"making an initrd for kernel {release}")
    tree = work / "initrd"
    for part in ("bin", "proc", "sys", "dev", "mnt", "modules"):
        (tree / part).mkdir(parents=True)
    shutil.copy(image.busybox(), tree / "bin/busybox")
    order: list[str] = []
    needs = {Path(line.split(":")[0]).name.split(".")[0].replace("-", "_"): line.replace(":", " ").split()
             for line in (subset / "modules.dep").read_text().splitlines()}
    for module in INITRD_MODULES:
        for path in reversed(needs.get(module, [])):
            name = re.sub(r"\.(xz|zst|gz)$", "", Path(path).name)
            if name not in order:
                order.append(name)
                (tree / "modules" / name).write_bytes(_module(subset / path))
    (tree / "modules/order").write_text("\n".join(order) + "\n")
    (tree / "init").write_text(INIT)
    (tree / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    with (work / "initrd.img").open("wb") as initrd:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=names.encode(), stdout=initrd,
                       check=True)
    shutil.rmtree(tree)


def _module(path: Path) -> bytes:
    """Returns the bytes of a module, unpacked: busybox cannot."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    return _pipe("zstd", data) if path.suffix == ".zst" else data


def forget() -> None:
    """Forgets which kernel a line resolved to, so that the next use asks the archive."""
    for memory in cache.root().glob("resolved-*.json"):
        memory.unlink()
