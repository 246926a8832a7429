# SPDX-License-Identifier: Apache-2.0
"""The root image: a small real Debian with systemd and podman, and inside it a second one for containers to run. What only
few jobs need, real servers for instance, is in further roots, each a disk by itself that is made when a job asks for it.

The userland is that of the machine we build on where it is a Debian release, because programs compiled there must run
in the guest. One image serves all kernels; it is opened with snapshot=on and never written.
"""

from __future__ import annotations

import os
import platform
import shutil
import struct
import subprocess
from pathlib import Path

from . import archive, cache
from .util import RigError, output_of, run, say

GUEST = Path(__file__).resolve().parent.parent / "guest"
SUITES = ("bookworm", "trixie")
SUITE_VARIABLE = "HAETAE_VM_SUITE"
DISK_ID = 0x48414554  # any number: it is how the kernel finds its root, PARTUUID=48414554-01
PARTITION_SECTOR = 2048
FREE_MIB = 768  # room for what a job writes; a hole in the file until then

# systemd, containers, the agent's libraries, and what jobs ask questions with.
ROOT_PACKAGES = """
systemd systemd-sysv dbus podman crun conmon curl procps util-linux iproute2 kmod sqlite3 attr e2fsprogs
libbpf1 libjansson4 libyaml-0-2 libsqlite3-0 libsystemd0 libcap2-bin busybox-static openssh-server openssh-client
""".split()
# What only few jobs need in the system itself is in a userland of its own (USERLAND in their job.conf): more packages, and the
# units of these that jobs start themselves.
USERLANDS: dict[str, tuple[list[str], list[str]]] = {
    "": ([], []),
    "runtimes": ("runc docker.io containerd systemd-container apparmor iptables jq".split(),
                 "docker.service docker.socket containerd.service apparmor.service".split()),
}
# The container's own root: a web server, and the downloader an intruder would like to have.
WEB_PACKAGES = "nginx-light curl busybox".split()
WEB_ROOT = "var/lib/haetae-rig/web-root"
# Roots that a job asks for by name (ROOTS in its job.conf): /var/lib/haetae-rig/NAME-root.
FURTHER_ROOTS = {
    "servers": "nginx-light postgresql redis-server python3 nodejs curl busybox".split(),
    "filesystems": ["btrfs-progs", "xfsprogs"],
    "workloads": "apt gcc libc6-dev make git python3 apache2-utils".split(),
    "peers": "apparmor fapolicyd".split(),
}
# Of these only single programs are run, by the loader beside them: packages are unpacked and nothing is set up, which takes a
# third of the time. The links that a Debian has at its top are made first.
UNPACKED = ("filesystems",)
TOP_LINKS = 'for name in bin sbin lib lib64; do mkdir -p "$1/usr/$name" && ln -s "usr/$name" "$1/$name"; done'
# What apt-get gets into a root's /usr/src: a program as its authors published it, to be built in a machine, and packages to
# be installed there.
PYTHON = {"bookworm": "3.11", "trixie": "3.13"}  # its own tests are in a package of each version
FETCHED = {"workloads": ["source --download-only lua5.4", "download hello python3-yaml libyaml-0-2"]}

EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*",
            "/usr/share/zoneinfo/*", "/usr/share/bash-completion/*", "/usr/share/zsh/*", "/usr/share/fish/*",
            "/usr/share/common-licenses/*")

# What a test machine does not need: every unit left out is boot time under emulation.
MASKED = """
apt-daily-upgrade.timer apt-daily.timer console-getty.service dev-hugepages.mount dev-mqueue.mount dpkg-db-backup.timer
e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target getty@tty1.service initctl.socket
kmod-static-nodes.service ldconfig.service modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service
modprobe@efi_pstore.service modprobe@fuse.service modprobe@loop.service proc-sys-fs-binfmt_misc.automount
remote-fs.target serial-getty@ttyS0.service sys-fs-fuse-connections.mount sys-kernel-config.mount
sys-kernel-debug.mount sys-kernel-tracing.mount systemd-ask-password-console.path systemd-ask-password-wall.path
systemd-binfmt.service systemd-boot-system-token.service systemd-firstboot.service systemd-fsck-root.service
systemd-hwdb-update.service systemd-initctl.socket systemd-journal-catalog-update.service systemd-logind.service
systemd-machine-id-commit.service systemd-modules-load.service systemd-network-generator.service
systemd-pstore.service systemd-random-seed.service systemd-remount-fs.service systemd-rfkill.socket
systemd-sysusers.service systemd-tmpfiles-clean.timer systemd-tmpfiles-setup-dev.service
systemd-tmpfiles-setup-dev-early.service systemd-udev-load-credentials.service systemd-udev-settle.service
systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
systemd-update-done.service systemd-update-utmp-runlevel.service systemd-update-utmp.service
systemd-user-sessions.service systemd-timesyncd.service systemd-networkd.service systemd-resolved.service
podman.service podman.socket podman-auto-update.service podman-auto-update.timer podman-restart.service
podman-clean-transient.service nss-user-lookup.target systemd-hibernate-clear.service systemd-tpm2-setup.service
systemd-tpm2-setup-early.service systemd-pcrmachine.service systemd-pcrphase.service systemd-pcrextend.socket
systemd-pcrlock.socket systemd-creds.socket systemd-sysext.socket systemd-hostnamed.socket
""".split()

# What jobs start themselves.
DISABLED = "ssh.service".split()

FILES = {
    "etc/hostname": "haetae-vm\n",
    "etc/hosts": "127.0.0.1 localhost haetae-vm\n",
    "etc/fstab": "",
    "etc/resolv.conf": "",
    "etc/machine-id": "6861657461652d7669727475616c2d6d\n",  # fixed, so that no boot is a first boot
    "etc/systemd/journald.conf.d/rig.conf": "[Journal]\nStorage=volatile\n",
    "etc/systemd/system.conf.d/rig.conf": "[Manager]\nDefaultTimeoutStopSec=20s\n",
}


def suite() -> str:
    """Returns the Debian release of the guest's userland."""
    host = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    chosen = os.environ.get(SUITE_VARIABLE) or (host if host in SUITES else SUITES[0])
    if chosen not in SUITES:
        raise RigError(f"{SUITE_VARIABLE}={chosen}: the userland can be one of {', '.join(SUITES)}")
    return chosen


def prepare(userland: str = "") -> Path:
    """Returns the file of the root image with a userland, building what is not in the cache."""
    release = suite()
    packages, disabled = USERLANDS[userland]
    if "docker.io" in packages and release != "bookworm":  # a package by itself since
        packages = [*packages, "docker-cli"]
    suffix = f"-{userland}" if userland else ""
    web = container_root().parent
    base = _root(f"base{suffix}", release, f"userland{suffix}", ROOT_PACKAGES + packages)
    stub = "".join(path.read_text() for path in sorted((GUEST / "image").iterdir()))
    key = cache.digest(base.name, web.name, stub, repr(FILES), repr(MASKED), repr(DISABLED + disabled), str(FREE_MIB), "2")
    image = cache.entry(f"root{suffix}-{release}-{key}", lambda work: _image(work, base, web, DISABLED + disabled))
    for used in (web, base, image):
        os.utime(used)
    for kind in ("web", f"base{suffix}", f"root{suffix}"):
        cache.prune(f"{kind}-{release}-*", keep=2)
    return image / "root.img"


def further_root(name: str) -> Path:
    """Returns the file of a further root's disk, building what is not in the cache."""
    release = suite()
    packages = FURTHER_ROOTS[name] + ([f"libpython{PYTHON[release]}-testsuite"] if name == "workloads" else [])
    root = _root(name, release, f"root '{name}'", packages)
    disk = cache.entry(f"disk-{name}-{cache.digest(root.name, '1')}", lambda work: _disk(work, root))
    for used in (root, disk):
        os.utime(used)
    for pattern in (f"{name}-{release}-*", f"disk-{name}-*"):
        cache.prune(pattern, keep=2)
    return disk / "root.img"


def _disk(work: Path, root: Path) -> None:
    """Makes work/root.img of a root that containers run; what they write goes into an overlay over it."""
    filesystem(root / "tree", work / "root.img", _mib(root / "tree") * 115 // 100 + 32)


def busybox() -> Path:
    """Returns a static busybox: the one of the userland."""
    return _root("base", suite(), "userland", ROOT_PACKAGES) / "tree/bin/busybox"


def container_root() -> Path:
    """Returns the Debian root that containers run."""
    return _root("web", suite(), "container root", WEB_PACKAGES) / "tree"


def _root(kind: str, release: str, what: str, packages: list[str]) -> Path:
    """Returns the cache entry of a Debian root."""
    fetched = FETCHED.get(kind, [])
    variant = "extract" if kind in UNPACKED else "essential"
    recipe = cache.digest(release, *packages, *EXCLUDED, *fetched, "1", *([variant, TOP_LINKS] if kind in UNPACKED else []))
    return cache.entry(f"{kind}-{release}-{recipe}", lambda work: _debian(work, release, what, variant, packages, fetched))


def _debian(work: Path, release: str, what: str, variant: str, packages: list[str], fetched: list[str]) -> None:
    """Makes a Debian root in work/tree."""
    if os.geteuid() != 0:
        raise RigError("the root image must be built by root once: run this command as root")
    say(f"building the {what} from Debian {release} (one to three minutes, once)")
    (work / "apt.conf").write_text(output_of(["apt-config", "dump", "--no-empty", "Acquire"]))
    command: list[str | Path] = [
        *_own_mounts(), "mmdebstrap", "--mode=root", f"--variant={variant}", f"--aptopt={work}/apt.conf",
        "--aptopt=Acquire::Retries \"3\"",
        "--aptopt=Apt::Install-Recommends \"false\"", "--dpkgopt=force-unsafe-io", "--skip=cleanup/apt/lists",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
        *([f"--setup-hook={TOP_LINKS}"] if variant == "extract" else []),
        *(f'--customize-hook=cd "$1/usr/src" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get {words}'
          for words in fetched),
        "--include=" + ",".join(packages),
        release, work / "tree", "-"]
    archives = archive.sources(release)
    lines = "\n".join(archives + [line.replace("deb ", "deb-src ", 1) for line in archives if fetched]) + "\n"
    for attempt in (1, 2, 3):
        try:
            run(command, log=work / "log", stdin=lines.encode())
            break
        except RigError as error:
            if attempt == 3:
                raise
            say(f"building the {what} failed (attempt {attempt}), again: {error.summary()}")
            cache.remove(work / "tree")
    _slim(work / "tree")
    say(f"the {what} is ready: {_mib(work / 'tree')} MiB")


def _own_mounts() -> list[str]:
    """Returns a prefix that keeps a command's mounts to itself: whatever ends it, none stays behind. In a plain chroot
    mounts cannot be made private, in some containers there is no way at all; there mmdebstrap's own care must do."""
    for propagation in ("private", "unchanged"):
        prefix = ["unshare", "--mount", "--propagation", propagation, "--"]
        if subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            return prefix
    return []


def _slim(tree: Path) -> None:
    """Drops what only apt needs, the machine's proxies and mirrors among it."""
    for part in ("var/lib/apt", "var/cache", "var/log", "etc/apt"):
        shutil.rmtree(tree / part, ignore_errors=True)
        (tree / part).mkdir(parents=True)
    for part in ("var/cache/ldconfig", "var/log/nginx", "var/log/journal"):
        (tree / part).mkdir(exist_ok=True)
    for name in ("usr/lib/udev/hwdb.bin", "usr/lib/udev/hwdb.d"):
        path = tree / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _mib(tree: Path) -> int:
    return int(output_of(["du", "-sxm", tree]).split()[0])


def _image(work: Path, base: Path, web: Path, disabled: list[str]) -> None:
    """Makes work/root.img of a userland and a container root; units that are disabled are for jobs to start."""
    say("making the root image")
    tree = work / "tree"
    run(["cp", "-a", base / "tree", tree], log=work / "log")
    (tree / WEB_ROOT).parent.mkdir(parents=True)
    run(["cp", "-a", web / "tree", tree / WEB_ROOT], log=work / "log")
    for name, text in FILES.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
    units = tree / "etc/systemd/system"
    for unit in MASKED:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
    generators = tree / "etc/systemd/system-generators"
    generators.mkdir(exist_ok=True)
    for generator in (tree / "usr/lib/systemd/system-generators").iterdir():  # run at boot and by each daemon-reload
        (generators / generator.name).symlink_to("/dev/null")
    shutil.copy(GUEST / "image/rig.service", units / "rig.service")
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/rig.service").symlink_to("../rig.service")
    for unit in disabled:
        for wants in units.glob("*.wants"):
            (wants / unit).unlink(missing_ok=True)
    (units / "default.target").unlink(missing_ok=True)
    (units / "default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
    shutil.copy(GUEST / "image/rig-start", tree / "usr/local/sbin/rig-start")
    (tree / "usr/local/sbin/rig-start").chmod(0o755)
    for directory in ("usr/lib/modules", "job", "src", "out"):
        (tree / directory).mkdir(exist_ok=True)
    filesystem(tree, work / "root.img", _mib(tree) * 115 // 100 + FREE_MIB, PARTITION_SECTOR)
    _partition_table(work / "root.img")
    shutil.rmtree(tree)


def filesystem(tree: Path, image: Path, mib: int, sector: int = 0) -> None:
    """Makes an ext4 image of a directory, beginning at a sector of the file."""
    with image.open("wb") as handle:
        handle.truncate((mib << 20) + sector * 512)
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0",
         "-E", f"offset={sector * 512},lazy_itable_init=1", "-d", tree, image, f"{mib}M"], log=image.parent / "log")


def _partition_table(image: Path) -> None:
    """Writes an MBR with one Linux partition: disk signature, four entries, end mark. It gives the root a PARTUUID."""
    sectors = image.stat().st_size // 512 - PARTITION_SECTOR
    chs = b"\xfe\xff\xff"  # 'beyond what cylinders can say'
    record = struct.pack("<B3sB3sII", 0, chs, 0x83, chs, PARTITION_SECTOR, sectors)
    with image.open("r+b") as handle:
        handle.seek(440)
        handle.write(struct.pack("<IH", DISK_ID, 0) + record + bytes(48) + b"\x55\xaa")
