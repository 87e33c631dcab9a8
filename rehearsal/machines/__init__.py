"""Real test hosts: Debian under systemd with sshd, nginx, PostgreSQL and My Cats, each as a server would be.

Booted by systemd-nspawn in a network of their own that nothing else can reach, so this needs root on Linux::

    if reason := machines.available():
        pytest.skip(reason)
    with machines.running(count=2) as hosts:
        file = machines.environment(hosts, folder)
        hosts[0].from_control(["pytest", f"--env={file}"])    # hosts are reached from the control namespace only
        hosts[0].run("systemctl stop mycats-backend")
        hosts[0].reboot()

The image is built at the first use (about a minute, from Debian's archive) and kept below ~/.cache/opsverify/machines.
Importing this package loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rehearsal.machines.host import TestHost

__all__ = ["available", "environment", "running"]


def available() -> str:
    """Why hosts cannot be booted on this machine, in one sentence; empty when they can.

    Whether the image could be built is not tried: `running` raises NotAvailable where it cannot.
    """
    from rehearsal.machines.capability import missing

    return missing()


def running(count: int = 1) -> AbstractContextManager[Sequence[TestHost]]:
    """Boot hosts app1, app2, … for the length of the block, after cleaning up what killed runs left behind.

    Raises `rehearsal.errors.NotAvailable` where the machine or the image lacks something, NotStarted with the end
    of the log when a host does not come up.
    """
    from rehearsal.machines.fleet import running as boot

    return boot(count)


def environment(hosts: Sequence[TestHost], folder: Path, *, user: str = "root") -> Path:
    """Write an environment file into `folder` that verifies these hosts over ssh as `root` or `monitor`."""
    from rehearsal.machines.environments import write

    return write(hosts, folder, user)
