"""SSH masters: one verified connection to each host, shared by all that is asked of it, and closed at the end.

- Host keys are verified: `StrictHostKeyChecking=yes`, or `accept-new` where the ssh_config says so; never `no`.
- sshd drops set-ups past its MaxStartups (10:30:100 by default: from the tenth unauthenticated one on), and so does a
  bastion for all hosts behind it. Set-ups are therefore limited per endpoint on the way, and dropped ones are retried
  until the deadline.
- Setting up and using are two steps, so that a retry never runs a script twice.
"""

from __future__ import annotations

import atexit
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

from opsverify.config.child_environment import child_environment
from opsverify.errors import ProbeError, Unreachable
from opsverify.probes.host.causes import dropped, explain
from opsverify.probes.host.run import Finished, run

if TYPE_CHECKING:
    from opsverify.evidence.deadline import Deadline

SET_UPS_AT_ONCE = 5
"""Connections to one endpoint that may be in the making at the same time: half of what sshd takes without dropping."""
PERSIST_SECONDS = 15
"""How long a master outlives its last use, should nobody close it."""


@dataclass(frozen=True)
class Address:
    """What the command line of `ssh` says about a host."""

    name: str
    user: str | None = None
    port: str | None = None
    config: str | None = None
    identity: str | None = None

    def arguments(self) -> list[str]:
        """The `ssh` options that name it (without the name itself)."""
        options = []
        if self.config:
            options += ["-F", self.config]
        if self.user:
            options += ["-o", f"User={self.user}"]
        if self.port:
            options += ["-o", f"Port={self.port}"]
        if self.identity:
            options += ["-i", self.identity]
        return options


@dataclass(frozen=True)
class Settings:
    """What the ssh_config makes of an address."""

    host_keys: str
    """"yes" or "accept-new"."""
    endpoints: tuple[tuple[str, str], ...]
    """(name, port) of every sshd on the way."""


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
        self._settings: dict[Address, Settings] = {}
        self._gates: dict[tuple[str, str], threading.BoundedSemaphore] = {}

    def options(self, address: Address, deadline: Deadline) -> list[str]:
        """The `ssh` options for a session over the shared connection, which is set up first if it does not stand.

        Raises Unreachable with the one cause when it cannot be set up before the deadline.
        """
        settings = self._look_up(address, deadline)
        with self._lock:
            master = self._masters.get(address)
            if master is None:
                master = self._masters[address] = Master(os.path.join(self._folder, str(len(self._masters))))
        if not master.lock.acquire(timeout=deadline.remaining()):
            raise Unreachable(f"no answer within {deadline.seconds:g} s")
        try:
            if not os.path.exists(master.path):
                self._set_up(address, master, settings, deadline)
        finally:
            master.lock.release()
        return [*_options(settings, deadline), "-o", "ControlMaster=no", "-o", f"ControlPath={master.path}"]

    def _set_up(self, address: Address, master: Master, settings: Settings, deadline: Deadline) -> None:
        pause = 0.1
        while True:
            with self._gated(settings.endpoints, deadline):
                command = [
                    "ssh", "-f", "-N", "-T", *_options(settings, deadline),
                    "-o", "ControlMaster=yes", "-o", f"ControlPath={master.path}",
                    "-o", f"ControlPersist={PERSIST_SECONDS}s", *address.arguments(), "--", address.name,
                ]  # fmt: skip
                # ssh -f ends before its child has left our process group: it must not be swept up with it.
                done = _run(command, deadline.remaining(), daemonizes=True)
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
    def _gated(self, endpoints: tuple[tuple[str, str], ...], deadline: Deadline) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for endpoint in sorted(set(endpoints)):  # in one order everywhere: nobody waits in a circle
                with self._lock:
                    gate = self._gates.setdefault(endpoint, threading.BoundedSemaphore(SET_UPS_AT_ONCE))
                if not gate.acquire(timeout=deadline.remaining()):
                    raise Unreachable(f"no answer within {deadline.seconds:g} s")
                stack.callback(gate.release)
            yield

    def _look_up(self, address: Address, deadline: Deadline) -> Settings:
        with self._lock:
            settings = self._settings.get(address)
        if settings is None:
            settings = _look_up(address, deadline)
            with self._lock:
                self._settings[address] = settings
        return settings

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
        _run(["ssh", "-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "--", "master"], 3.0)


def _run(command: list[str], seconds: float, daemonizes: bool = False) -> Finished:
    try:
        return run(command, seconds, env=child_environment(), daemonizes=daemonizes)
    except FileNotFoundError:
        raise ProbeError("the command ssh is not installed where the suite runs") from None


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


def _look_up(address: Address, deadline: Deadline) -> Settings:
    values = _effective(address, deadline)
    checking = values.get("stricthostkeychecking", "ask")
    endpoints = [(values.get("hostname", address.name), values.get("port", "22"))]
    jumps = values.get("proxyjump", "none")
    if jumps != "none":
        for jump in jumps.split(","):
            name = jump.removeprefix("ssh://")
            user, _, rest = name.rpartition("@")
            host, _, port = rest.rpartition(":") if rest.count(":") == 1 else (rest, "", "")
            hop = _effective(Address(host or rest, user or None, port or None, address.config), deadline)
            endpoints.append((hop.get("hostname", rest), hop.get("port", "22")))
    return Settings("accept-new" if checking == "accept-new" else "yes", tuple(endpoints))


def _effective(address: Address, deadline: Deadline) -> dict[str, str]:
    """What `ssh -G` says: the configuration as ssh itself understands it, with no connection made."""
    done = _run(["ssh", "-G", *address.arguments(), "--", address.name], deadline.remaining(10))
    if done.status != 0:
        raise explain(done.errors, done.status)
    values: dict[str, str] = {}
    for line in done.output.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(" ")
        values.setdefault(key, value.strip())
    return values


_current: Masters | None = None
_current_lock = threading.Lock()


def masters() -> Masters:
    """The shared connections of this process (a forked child gets its own)."""
    global _current
    with _current_lock:
        if _current is None or _current._owner != os.getpid():
            _current = Masters()
            atexit.register(_current.close)
        return _current


def close_connections() -> None:
    """Close every shared SSH connection now; the next question sets up a new one. Safe to call at any time."""
    global _current
    with _current_lock:
        ending, _current = _current, None
    if ending is not None:
        atexit.unregister(ending.close)
        ending.close()
