"""What an operator's ssh_config makes of a host, as ssh itself understands it (`ssh -G`); no connection is made."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opsverify.config.child_environment import child_environment
from opsverify.errors import ProbeError
from opsverify.probes.host.causes import explain
from opsverify.probes.host.run import Finished, run

if TYPE_CHECKING:
    from opsverify.evidence.deadline import Deadline


SET_UPS_AT_ONCE = 5
"""Connections to one endpoint that may be in the making at the same time: half of what sshd takes without dropping."""


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
    """The effective configuration of an address, and those of the jump hosts on the way, the last one first."""

    address: Address
    values: tuple[tuple[str, str], ...]
    """What `ssh -G` prints: keys in lower case, in its order; some come more than once."""
    jumps: tuple[Settings, ...] = ()

    def get(self, key: str, default: str = "") -> str:
        """The first value of a key."""
        return next((value for name, value in self.values if name == key), default)

    def all(self, key: str) -> list[str]:
        """Every value of a key."""
        return [value for name, value in self.values if name == key]

    @property
    def host_keys(self) -> str:
        """ "yes" or "accept-new"; never "no", whatever the configuration says."""
        return "accept-new" if self.get("stricthostkeychecking") == "accept-new" else "yes"

    @property
    def endpoint(self) -> tuple[str, int]:
        """(name, port) of the sshd itself."""
        return self.get("hostname", self.address.name), int(self.get("port", "22"))

    @property
    def through(self) -> Settings | None:
        """The jump host next to it, and how that is reached; None where there is none."""
        if not self.jumps:
            return None
        nearest, *others = self.jumps
        return replace(nearest, jumps=tuple(others)) if others else nearest

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """(name, port) of every sshd on the way."""
        return (self.endpoint, *(endpoint for jump in self.jumps for endpoint in jump.endpoints))


_known: dict[Address, Settings] = {}
_lock = threading.Lock()


def settings_of(address: Address, deadline: Deadline, on_the_way: tuple[str, ...] = ()) -> Settings:
    """The effective configuration, asked once. Raises ProbeError where ssh does not accept it.

    `on_the_way`: the hosts whose jump host it is.
    """
    with _lock:
        settings = _known.get(address)
    if settings is None:
        settings = _look_up(address, deadline, on_the_way)
        with _lock:
            _known[address] = settings
    return settings


def _look_up(address: Address, deadline: Deadline, on_the_way: tuple[str, ...]) -> Settings:
    done = run_ssh(["-G", *address.arguments(), "--", address.name], deadline.remaining(10))
    if done.status != 0:
        raise explain(done.errors, done.status)
    lines = done.output.decode("utf-8", "replace").splitlines()
    values = tuple((key, value.strip()) for key, _, value in (line.partition(" ") for line in lines))
    jumps = dict(reversed(values)).get("proxyjump", "none")
    if jumps == "none":
        return Settings(address, values)
    # ssh starts itself for the last one, with the others before it.
    here = (*on_the_way, address.name)
    hops = [_jump(jump, address.config) for jump in reversed(jumps.split(","))]
    # `Host *` with a ProxyJump is true of the jump host, too, which ssh reaches directly all the same.
    hops = [hop for hop in hops if hop.name not in here]
    return Settings(address, values, tuple(settings_of(hop, deadline, here) for hop in hops))


def _jump(text: str, config: str | None) -> Address:
    name = text.removeprefix("ssh://")
    user, _, rest = name.rpartition("@")
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = rest.rpartition(":") if rest.count(":") == 1 else (rest, "", "")
    return Address(host or rest, user or None, port or None, config)


def run_ssh(arguments: list[str], seconds: float, daemonizes: bool = False) -> Finished:
    """Run OpenSSH's client, bounded. Raises ProbeError where there is none."""
    try:
        return run(["ssh", *arguments], seconds, env=child_environment(), daemonizes=daemonizes)
    except FileNotFoundError:
        raise ProbeError("the command ssh is not installed where the suite runs") from None
