"""What belongs to one run, under one name: its folder, its cgroups, its namespaces; and how dead runs are found.

Beside a run's folder lies a lock that its owner holds while it lives, killed however. A run whose lock can be had is
dead, and what bears its name is removed. Mounts are never left behind: they end with the hosts' own namespaces.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import time
from pathlib import Path

from rehearsal.errors import NotAvailable
from rehearsal.machines.capability import cgroup_hierarchies
from rehearsal.machines.network import PREFIX, Network
from rehearsal.roots import Lock

END_SECONDS = 10.0


class Run:
    """The resources of one run."""

    def __init__(self, folder: Path, lock: Lock) -> None:
        self.folder = folder
        self.name = folder.name
        self.network = Network(self.name)
        self._lock = lock

    @classmethod
    def create(cls) -> Run:
        """Clean up after dead runs, then begin one."""
        state = _state()
        sweep()
        folder = state / secrets.token_hex(3)
        lock = Lock(folder.with_suffix(".lock"))
        if not lock.acquire():
            raise NotAvailable(f"{folder} is taken")
        folder.mkdir(mode=0o700)
        return cls(folder, lock)

    def cgroups(self, host: str) -> list[Path]:
        """Make the cgroup of a host in every hierarchy that systemd uses."""
        made = [hierarchy / f"{PREFIX}{self.name}-{host}" for hierarchy in cgroup_hierarchies()]
        for folder in made:
            folder.mkdir()
        return made

    def remove(self) -> None:
        """End all hosts at once and remove everything of this run."""
        mine = [path for top in cgroup_hierarchies() for path in top.glob(f"{PREFIX}{self.name}-*")]
        _end(mine)
        for folder in mine:
            _remove_cgroup(folder)
        self.network.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release(remove=True)


def sweep() -> int:
    """Clean up every dead run of this machine; return how many there were."""
    removed = 0
    for file in _state().glob("*.lock"):
        lock = Lock(file)
        try:
            dead = lock.acquire(create=False)
        except FileNotFoundError:
            continue
        if dead:
            Run(file.with_suffix(""), lock).remove()
            removed += 1
    return removed


def _state() -> Path:
    folder = Path(tempfile.gettempdir()).resolve() / f"opsverify-machines-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise NotAvailable(f"{folder} is not a private folder of this user (mode 0700): remove it, or set TMPDIR")
    return folder


def _end(cgroups: list[Path]) -> None:
    """Kill what runs in these cgroups, and nothing else, until they are empty."""
    until = time.monotonic() + END_SECONDS
    while pids := {pid for folder in cgroups for pid in _members(folder)}:
        if time.monotonic() > until:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _members(cgroup: Path) -> list[int]:
    pids = []
    # os.walk does not mind that cgroups go while it looks.
    for path, _, _ in os.walk(cgroup):
        with contextlib.suppress(OSError):
            pids += [int(line) for line in Path(path, "cgroup.procs").read_text().split()]
    # 0 stands for a process of another namespace; ourselves we could only be by mistake.
    return [pid for pid in pids if pid not in (0, os.getpid())]


def _remove_cgroup(folder: Path) -> None:
    until = time.monotonic() + END_SECONDS
    while folder.exists() and time.monotonic() < until:
        for path, _, _ in os.walk(folder, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(path)
        if folder.exists():
            time.sleep(0.02)
