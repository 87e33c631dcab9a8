"""OpenSSH's own client: one verified connection to each host, a master, which all that is asked of it shares.

- Host keys are verified: `StrictHostKeyChecking=yes`, or `accept-new` where the ssh_config says so; never `no`.
- sshd drops set-ups past its MaxStartups (10:30:100 by default: from the tenth unauthenticated one on), and so does a
  bastion for all hosts behind it. Set-ups are therefore limited per endpoint on the way, and dropped ones are retried
  until the deadline.
- Setting up and using are two steps, so that a retry never runs a script twice.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opsverify.errors import Unreachable
from opsverify.probes.host.causes import dropped, explain
from opsverify.probes.host.ssh.configuration import SET_UPS_AT_ONCE, Address, Settings, run_ssh
from opsverify.probes.host.ssh.per_process import PerProcess

if TYPE_CHECKING:
    from opsverify.evidence.deadline import Deadline

PERSIST_SECONDS = 15
"""How long a master outlives its last use, should nobody close it."""


@dataclass
class Master:
    """A shared connection."""

    path: str
    lock: threading.Lock = field(default_factory=threading.Lock)


class Masters:
    """The shared connections of this process."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        # A Unix socket's path may have some 104 bytes, of which ssh needs 17 itself: some TMPDIRs are too long.
        base = tempfile.gettempdir()
        self._folder = tempfile.mkdtemp(prefix="ov-", dir=base if len(base) < 40 else "/tmp")  # noqa: S108 - mkdtemp makes it private
        self._lock = threading.Lock()
        self._masters: dict[Address, Master] = {}
        self._gates: dict[tuple[str, int], threading.BoundedSemaphore] = {}

    def options(self, settings: Settings, deadline: Deadline) -> list[str]:
        """The `ssh` options for a session over the shared connection, which is set up first if it does not stand.

        Raises Unreachable with the one cause when it cannot be set up before the deadline.
        """
        address = settings.address
        with self._lock:
            master = self._masters.get(address)
            if master is None:
                master = self._masters[address] = Master(os.path.join(self._folder, str(len(self._masters))))
        if not master.lock.acquire(timeout=deadline.remaining()):
            raise Unreachable(f"no answer within {deadline.seconds:g} s")
        try:
            if not os.path.exists(master.path):
                self._set_up(master, settings, deadline)
        finally:
            master.lock.release()
        return [*_options(settings, deadline), "-o", "ControlMaster=no", "-o", f"ControlPath={master.path}"]

    def _set_up(self, master: Master, settings: Settings, deadline: Deadline) -> None:
        pause, address = 0.1, settings.address
        while True:
            with self._gated(settings.endpoints, deadline):
                command = [
                    "-f", "-N", "-T", *_options(settings, deadline),
                    "-o", "ControlMaster=yes", "-o", f"ControlPath={master.path}",
                    "-o", f"ControlPersist={PERSIST_SECONDS}s", *address.arguments(), "--", address.name,
                ]  # fmt: skip
                # ssh -f ends before its child has left our process group: it must not be swept up with it.
                done = run_ssh(command, deadline.remaining(), daemonizes=True)
            if done.timed_out:
                raise Unreachable(f"no answer within {deadline.seconds:g} s")
            if done.status == 0:
                return
            if not dropped(done.errors):
                raise explain(done.errors, done.status)
            wait = pause * random.uniform(0.5, 1.5)  # noqa: S311 - only spreads retries in time
            if wait + 0.2 >= deadline.remaining():
                raise explain(done.errors, done.status)
            time.sleep(wait)
            pause = min(1.0, pause * 2)

    @contextlib.contextmanager
    def _gated(self, endpoints: tuple[tuple[str, int], ...], deadline: Deadline) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for endpoint in sorted(set(endpoints)):  # in one order everywhere: nobody waits in a circle
                with self._lock:
                    gate = self._gates.setdefault(endpoint, threading.BoundedSemaphore(SET_UPS_AT_ONCE))
                with deadline.paused():
                    gate.acquire()  # each holder has a deadline
                stack.callback(gate.release)
            yield

    def close(self) -> None:
        """Close every shared connection; a forked child leaves its parent's alone."""
        if os.getpid() != self._owner:
            return
        paths = [master.path for master in self._masters.values() if os.path.exists(master.path)]
        if paths:
            with ThreadPoolExecutor(max_workers=8) as pool:
                list(pool.map(_close, paths))
        shutil.rmtree(self._folder, ignore_errors=True)


def _close(path: str) -> None:
    with contextlib.suppress(OSError):
        # The name is not used: the path says which connection.
        run_ssh(["-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "--", "master"], 3.0)


def _options(settings: Settings, deadline: Deadline) -> list[str]:
    values = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": settings.host_keys,
        "ConnectTimeout": str(math.ceil(deadline.remaining(60))),
        "ServerAliveInterval": "5",
        "ServerAliveCountMax": "2",
        "LogLevel": "ERROR",
        # An operator's ssh_config may forward things for interactive use; a read-only look needs none of them.
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "RequestTTY": "no",
    }
    return [part for key, value in values.items() for part in ("-o", f"{key}={value}")]


_masters = PerProcess(Masters)
masters, close = _masters.get, _masters.close
