"""What this machine needs to boot test hosts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
    "git": "git",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
"""Programs, and the Debian packages that they come in."""

# Really mounted, in a mount namespace of its own: whether a kernel may is written nowhere.
TRY_OVERLAY = """
mount -t tmpfs tmpfs /mnt && mkdir /mnt/lower /mnt/upper /mnt/work /mnt/root &&
mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
"""


def missing() -> str:
    """Say in one sentence what is missing to boot test hosts; empty: nothing."""
    if not sys.platform.startswith("linux"):
        return "test hosts need Linux"
    if os.geteuid() != 0:
        return "test hosts need root"
    lacking = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if lacking:
        return f"test hosts need the packages {', '.join(sorted(lacking))}"
    if not (hierarchies := cgroup_hierarchies()):
        return "test hosts need a writable cgroup file system"
    for folder in hierarchies:
        if not os.access(folder, os.W_OK):
            return f"test hosts need to make cgroups in {folder}"
    for what, command in {
        "mount overlays": ["unshare", "--mount", "--propagation", "private", "sh", "-c", TRY_OVERLAY],
        "make network namespaces": ["unshare", "--net", "ip", "link", "add", "v1", "type", "veth", "peer", "v2"],
    }.items():
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
        if done.returncode != 0:
            return f"test hosts need to {what}: {done.stderr.strip()[-200:] or 'not permitted'}"
    return ""


def cgroup_hierarchies() -> list[Path]:
    """Return the mount points of the cgroup hierarchies that systemd uses: unified, and on hybrid machines its own."""
    hierarchies = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, options, *_ = line.split(" ")
        if (kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(","))) and (
            "ro" not in options.split(",")
        ):
            hierarchies.append(Path(mount))
    return hierarchies
